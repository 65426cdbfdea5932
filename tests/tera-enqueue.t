#!/bin/sh
# tera-enqueue: one live job a ticket and kind, from names and streams.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu

tera-init -q
tera-add project name=p repo_url=/r max_tries:=5 >/dev/null
for i in 1 2 3; do echo '{"project":"p","title":"t'$i'","priority":"high"}'; done |
	tera-add ticket - >/dev/null
ok "a job" tera-enqueue 1
is "is new" "$(field created <out)" 1
is "waits" "$(field state <out)" pending
is "with the ticket's priority" "$(field priority <out)" 1
id=$(tera-show job 1 | field id)
ok "the same again" tera-enqueue 1
is "is the same job" "$(field job_id <out)" "$id"
is "not new" "$(field created <out)" 0
is "tries of the project" "$(tera-show job 1 | field max_tries)" 5
ok "another kind" tera-enqueue -k review 1 priority=-3
is "beside it" "$(tera-ls job | wc -l)" 2
is "with its own priority" "$(tera-show job 2 | field priority)" -3
is "a stream" "$(tera-ls ticket | tera-enqueue - | wc -l)" 3
is "queues what was not" "$(tera-ls job | wc -l)" 4
ok "later" tera-enqueue -k setup run_after=2099-01-01T00:00:00Z 3
is "is not claimed now" "$(tera-claim -n 9 -k setup | wc -l)" 0
tera-add ticket project=p title='project setup' >/dev/null
tera-enqueue 4 >/dev/null
is "a setup ticket again is the same job" "$(tera-enqueue 4 | field created)" 0
exits "one of three is not there" 66 tera-enqueue 2 99 3
is "the others are queued" "$(wc -l <out)" 2
exits "no such kind" 65 tera-enqueue -k dance 2
like "named" "$(cat err)" 'no such kind of job: dance'
exits "no time" 65 tera-enqueue -k review run_after=soon 2
exits "a priority that is none" 65 tera-enqueue priority=high 2
exits "a key that is none" 64 tera-enqueue prio=5 2
exits "the kind twice" 64 tera-enqueue -k review kind=setup 2
exits "keys and no ticket" 64 tera-enqueue priority=5
exits "no ticket" 64 tera-enqueue
tera-add project name=bare >/dev/null
tera-add ticket project=bare title=x >/dev/null
exits "a project without a repository" 65 tera-enqueue 5
like "says so" "$(cat err)" 'project bare has no repository'
done_testing
