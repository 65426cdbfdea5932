#!/bin/sh
# tera-rm: what is removed comes back, what hangs on it stops.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu

tera-init -q
tera-add project name=p repo_url=/r >/dev/null
for i in 1 2 3 4; do echo '{"project":"p","title":"t'$i'"}'; done |
	tera-add ticket - >/dev/null
state() { tera-show job "$1" | field state; }
tera-enqueue 1 2 >/dev/null
tera-claim -W w 2 >two
ok "a ticket" tera-rm ticket 1 2
is "its waiting job is cancelled" "$(state 1)" cancelled
is "its running one is asked to stop" "$(tera-show job 2 | field stop)" cancel
is "the row is kept" "$(tera-ls -a ticket | wc -l)" 4
exits "a removed ticket queues nothing" 65 tera-enqueue 1
like "says so" "$(cat err)" 'ticket 1 was removed'
exits "nor moves" 65 tera-move 1 in_progress
ok "it comes back" tera-rm -u ticket 1
is "as it was" "$(tera-show ticket 1 | field title)" t1
exits "a stale version" 65 tera-rm ticket 1 version=1
exits "a misspelt one removes nothing" 64 tera-rm ticket 1 versoin=3
is "nothing" "$(tera-ls ticket | wc -l)" 3
ok "records on standard input" sh -c 'tera-ls ticket | tera-rm ticket -'
is "all gone" "$(tera-ls ticket | wc -l)" 0
is "all back" "$(tera-ls -a ticket | tera-rm -u ticket - | wc -l)" 4

tera-add dependency ticket=4 needs=3 >/dev/null
ok "a dependency" tera-rm dependency 4 needs=3
exits "once" 66 tera-rm dependency 4 needs=3
exits "two tickets name it" 64 tera-rm dependency 4
tera-add note project=p title=n >/dev/null
ok "a note" tera-rm note 1
exits "is gone" 66 tera-show note 1
tera-add setting key=k value=v >/dev/null
ok "a setting" tera-rm setting k
exits "once" 66 tera-rm setting k

tera-enqueue 3 >/dev/null
ok "a project" tera-rm project p
exits "has no name then" 66 tera-show project p
is "its jobs are cancelled" "$(tera-ls job state=pending | wc -l)" 0
exits "nothing to claim" 1 tera-claim
exits "no new tickets" 66 tera-add ticket project=p title=x
ok "it comes back by its name" tera-rm -u project p
ok "there" tera-show project p
exits "a comment stays" 64 tera-rm comment 1
exits "nothing named" 64 tera-rm ticket
done_testing
