#!/bin/sh
# tera-audit: the chain holds, or the first bad record is named.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu

tera-init -q
ok "an empty history holds" tera-audit
is "with the zero head" "$(field head <out)" "$(printf '%064d' 0)"
tera-add project name=p >/dev/null
tera-set project p description=d >/dev/null
ok "holds" tera-audit
is "so many" "$(field events <out)" 2
head=$(field head <out)
is "the head is the last hash" "$head" "$(tera-watch -s 1 | field hash)"
ok "against the head" tera-audit "$head"
tera-set project p description=e >/dev/null
exits "another head is no" 1 tera-audit "$head"
like "says so" "$(cat err)" 'not the one that was noted'
exits "two heads" 64 tera-audit x y
export TERA_STORE="$T/nothing.db"
exits "no store" 78 tera-audit
done_testing
