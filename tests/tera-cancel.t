#!/bin/sh
# tera-cancel: stop, pause, resume and try again.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu

tera-init -q
tera-add project name=p repo_url=/r >/dev/null
for i in 1 2 3 4; do echo '{"project":"p","title":"t'$i'"}'; done |
	tera-add ticket - | tera-enqueue - >/dev/null
state() { tera-show job "$1" | field state; }
ok "a waiting job" tera-cancel 1
is "is cancelled at once" "$(state 1)" cancelled
exits "once" 65 tera-cancel 1
like "from and to are named" "$(cat err)" 'cannot move from cancelled to cancelled'
tera-claim 2 >rec
ok "a running one" tera-cancel 2
is "is asked" "$(state 2) $(tera-show job 2 | field stop)" "running cancel"
tera-finish -o failed 2 1 >/dev/null
is "and ends cancelled" "$(state 2)" cancelled
exits "a waiting one has nothing to pause" 65 tera-cancel -o paused 3
tera-claim 3 >rec
ok "pause" tera-cancel -o paused 3
is "asks" "$(tera-show job 3 | field stop)" pause
tera-finish -o paused 3 1 >/dev/null
is "paused" "$(state 3)" paused
exits "not claimed" 1 tera-claim 3
ok "go on" tera-cancel -o pending 3
is "waits" "$(state 3)" pending
exits "what waits is not resumed" 65 tera-cancel -o pending 3
like "from and to are named" "$(cat err)" 'cannot move from pending to pending'
tera-claim 3 >rec
tera-json set error:='{"stage":"x","code":70,"message":"may pass"}' <rec |
	tera-finish - >/dev/null
tera-set job 3 run_after:=null >/dev/null
tera-claim 3 >rec
tera-finish -o paused 3 3 >/dev/null
tera-cancel -o pending 3 >/dev/null
is "with the tries that it had" "$(state 3) $(tera-show job 3 | field tries)" \
	"pending 1"
ok "try again" tera-cancel -o pending 1 2
is "both wait" "$(state 1) $(state 2)" "pending pending"
is "tries begin again" "$(tera-show job 2 | field tries)" 0
tera-cancel 1 >/dev/null
tera-enqueue 1 >/dev/null
exits "not beside a live one" 65 tera-cancel -o pending 1
like "says why" "$(cat err)" 'ticket 1 has a live job of this kind already'
is "records on standard input" "$(tera-ls job state=pending | tera-cancel - | wc -l)" 4
tera-cancel -o pending 4 >/dev/null
tera-claim 4 >rec
tera-finish 4 1 >/dev/null
exits "what is completed stays" 65 tera-cancel -o pending 4
exits "no such job" 66 tera-cancel 99
exits "nothing named" 64 tera-cancel
exits "no outcome" 64 tera-cancel -o completed 1
done_testing
