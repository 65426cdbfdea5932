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
exits "queues no second" 1 tera-json get job_id <moved
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
exits "a stale version" 65 tera-move 1 'done' version=1
exits "wherever it stands" 65 tera-move version=1 1 'done'
exits "the column is named once" 64 tera-move 1 'done' column_id=backlog
exits "no column" 64 tera-move 1
tera-add project name=bare >/dev/null
n=$(tera-add ticket project=bare title=x | field number)
exits "no repository, no job" 65 tera-move "$n" in_progress
like "says why" "$(cat err)" 'project bare has no repository'
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

# a ticket whose job failed is tried again by the same move
tera-add ticket project=p title=fails >/dev/null
n=$(tera-ls ticket | tail -n 1 | field number)
tera-move "$n" in_progress >/dev/null
job=$(tera-ls job ticket="$n" | field number)
tera-claim "$job" >/dev/null
tera-finish -o failed -r verify "$job" 1 >/dev/null
is "failed" "$(tera-show ticket "$n" | field status)" failed
like "moved to where it is: a new job" "$(tera-move "$n" in_progress | field job_id)" '^[0-9a-f-]{36}$'
is "in progress again" "$(tera-show ticket "$n" | field status)" in_progress
is "moved once more: none" "$(tera-move "$n" in_progress | field job_id || :)" ""
exits "an unknown column" 65 tera-move "$n" in-progress
like "says which there are" "$(cat err)" 'backlog, in_progress, in_review, done'
done_testing
