#!/bin/sh
# tera-watch: events, their filters, and following them.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu

tera-init -q
is "none at first" "$(tera-watch)" ""
tera-add project name=p repo_url=/r >/dev/null
tera-add project name=q repo_url=/r >/dev/null
tera-add ticket project=p title=one >/dev/null
tera-enqueue 1 >/dev/null
ok "all" tera-watch
is "one a change" "$(wc -l <out)" 4
is "by rising number" "$(tail -n 1 out | field seq)" 4
is "who" "$(tail -n 1 out | field actor)" "${REMOTE:+loopback: }tester"
is "what" "$(tail -n 1 out | tera-json get noun what | tr '\n' ' ')" "job pending "
like "sealed" "$(tail -n 1 out | field hash)" '^[0-9a-f]{64}$'
is "after a place" "$(tera-watch -s 3 | wc -l)" 1
is "so many" "$(tera-watch -n 2 | wc -l)" 2
is "of a noun" "$(tera-watch noun=project | wc -l)" 2
is "of a project" "$(tera-watch -p q | wc -l)" 1
is "of a ticket" "$(tera-watch ticket=1 | wc -l)" 2
is "of a job" "$(tera-watch job=1 | wc -l)" 1
exits "of none there is" 66 tera-watch job=9
tera-watch -f -s 4 >followed &
test_pids="$test_pids $!"
tera-watch -f -n 5 >five &
five=$!
sleep 0.1
tera-set ticket 1 title=two >/dev/null
ok "follows" wait_for 5 test -s followed
is "the change" "$(field data.title <followed)" two
ended() { ! kill -0 "$1" 2>/dev/null; }
ok "-n ends -f" wait_for 5 ended $five
is "with so many" "$(wc -l <five)" 5
exits "operands" 64 tera-watch x
exits "a misspelt filter" 64 tera-watch tikcet=1
like "is named" "$(cat err)" 'no such key: tikcet'
exits "twice" 64 tera-watch job=1 job=2
exits "no text" 64 tera-watch job:='"1"'
is "as JSON" "$(tera-watch job:=1 | wc -l)" 1
exits "no number" 64 tera-watch -s x
is "nouns in the plural" "$(tera-watch noun=projects)" "$(tera-watch noun=project)"
exits "no such noun" 64 tera-watch noun=bogus
done_testing
