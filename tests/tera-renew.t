#!/bin/sh
# tera-renew: leases grow, fences guard, and the answer says stop.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu

tera-init -q
tera-add project name=p repo_url=/r >/dev/null
tera-add ticket project=p title=one | tera-enqueue - >/dev/null
tera-claim -l 5 >rec
before=$(field lease_until <rec)
ok "renewed" tera-renew -l 600 1 1
cp out new
after=$(field lease_until <new)
ok "the lease is longer" test "$(printf '%s\n%s\n' "$before" "$after" | sort | tail -n 1)" != "$before"
is "no need to stop" "$(field stop <new || :)" ""
exits "an old fence" 65 tera-renew 1 0
like "is named with the new" "$(cat err)" 'fence 0 is old, it is 1 now'
tera-cancel 1 >/dev/null
exits "asked to stop is no" 1 tera-renew 1 1
is "and says how" "$(field stop <out)" cancel
tera-finish -o cancelled 1 1 >/dev/null
exits "a job that ended" 65 tera-renew 1 1
like "named" "$(cat err)" 'is cancelled, not running'
exits "no such job" 66 tera-renew 99 1
exits "no fence" 64 tera-renew 1
exits "a fence that is none" 64 tera-renew 1 x
exits "a lease too long" 64 tera-renew -l 86401 1 1
done_testing
