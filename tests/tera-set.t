#!/bin/sh
# tera-set: changes, and the version that a change may name.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu

tera-init -q
tera-add project name=p repo_url=/r >/dev/null
tera-add ticket project=p title=one description=d >/dev/null
tera-add ticket project=p title=two >/dev/null
ok "a field" tera-set ticket 1 title=uno
is "is changed" "$(field title <out)" uno
is "others stay" "$(field description <out)" d
is "the version rises" "$(field version <out)" 2
ok "null empties" tera-set ticket 1 description:=null
is "emptied" "$(field description <out || echo none)" "
none"
ok "the right version" tera-set ticket 1 title=a version=3
exits "a stale one is refused" 65 tera-set ticket 1 version=3 title=b
like "and the current named" "$(cat err)" 'ticket 1 is at version 4, not 3'
is "nothing changed" "$(tera-show ticket 1 | field title)" a
exits "a title cannot go" 65 tera-set ticket 1 title:=null
is "many at once" "$(tera-ls ticket | tera-set ticket - priority=high | grep -c '"priority":"high"')" 2
ok "a project's limits" tera-set project p max_running=2 limits:='{"turns":9}' max_cost_day:=1.5
is "are there" "$(tera-show project p | field limits.turns)" 9
exits "not a negative one" 65 tera-set project p max_running=-1
like "names the rule" "$(cat err)" 'max running is not negative'
exits "not another mode" 65 tera-set project p execution_mode=moon
ok "the reviewers" tera-set project p reviewers:='["ann"]'
ok "the board's columns" tera-set board p columns:='[{"id":"todo","title":"To do"}]'
exits "a column without a title" 65 tera-set board p columns:='[{"id":"todo"}]'
exits "a stale board" 65 tera-set board p columns:='[]' version=1
ok "a note" tera-set note "$(tera-add note project=p title=n | field number)" content=c
ok "a setting" tera-set setting max_running value=3
ok "a number is a value" tera-set setting max_running value:=5
is "as text" "$(tera-show setting max_running | field value)" 5
ok "an empty value removes it" tera-set setting max_running value=
exits "it is gone" 66 tera-show setting max_running
tera-set board p columns:='[{"id":"in_progress","title":"x"}]' >/dev/null
job=$(tera-enqueue 1 | field job_id)
ok "a job's priority may be negative" tera-set job "$job" priority=-2
is "it is" "$(field priority <out)" -2
exits "no time" 65 tera-set job "$job" run_after=soon
exits "a key that is none" 64 tera-set ticket 1 tilte=x
exits "no such ticket" 66 tera-set ticket 99 title=x
exits "nothing to set" 64 tera-set ticket 1
exits "a version that is no number" 65 tera-set ticket 1 title=x version=x
exits "a thing without a version" 64 tera-set setting max_running value=1 version=1
exits "its name among the keys" 64 tera-set ticket 1 title=x ticket=2
like "is said" "$(cat err)" 'ticket: given twice'
done_testing
