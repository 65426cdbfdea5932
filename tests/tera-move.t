#!/bin/sh
# tera-move: columns, and the rule that In Progress queues a job.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu

tera-init -q
tera-add project name=p repo_url=/r >/dev/null
for i in 1 2 3; do echo '{"project":"p","title":"t'$i'"}'; done |
	tera-add ticket - >/dev/null
ok "to In Progress" tera-move 1 in_progress
like "a job is queued" "$(field job_id <out)" '^[0-9a-f-]{36}$'
is "the status follows" "$(field status <out)" in_progress
ok "a second time" tera-move 1 in_progress
cp out moved
exits "queues no second" 1 tera-json -f moved get job_id
is "one" "$(tera-ls job | wc -l)" 1
ok "back" tera-move 1 backlog
is "takes the job back" "$(tera-show job 1 | field state)" cancelled
tera-move 1 in_progress >/dev/null
tera-claim >/dev/null
ok "back while it runs" tera-move 1 backlog
is "asks it to stop" "$(tera-show job 2 | field stop)" cancel
is "several" "$(tera-move 2 3 'done' | wc -l)" 2
is "done is completed" "$(tera-show ticket 2 | field status)" completed
is "records on standard input" "$(tera-ls ticket | tera-move - in_review | wc -l)" 3
exits "no such column" 65 tera-move 1 nowhere
like "named" "$(cat err)" 'no such column on the board: nowhere'
exits "no such ticket" 66 tera-move 99 'done'
exits "a stale version" 65 tera-move -v 1 1 'done'
exits "no column" 64 tera-move 1
tera-add project name=bare >/dev/null
n=$(tera-add ticket project=bare title=x | field number)
exits "no repository, no job" 65 tera-move "$n" in_progress
like "says why" "$(cat err)" 'project bare has no repo_url'
is "and it did not move" "$(tera-show ticket "$n" | field column_id)" backlog
tera-set project bare execution_mode=local >/dev/null
exits "local wants a path" 65 tera-move "$n" in_progress
like "says why" "$(cat err)" 'has no project_path'
tera-set project bare project_path=/x >/dev/null
ok "with one it moves" tera-move "$n" in_progress
tera-add ticket project=p title='Project Setup' >/dev/null
n=$(tera-ls ticket 'text=project setup' | field number)
is "the setup ticket's job is of that kind" \
	"$(tera-move "$n" in_progress | field job_id | tera-show job - | field kind)" setup
done_testing
