#!/bin/sh
# tera-ls: lists, their filters and pages.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu

tera-init -q
tera-add project name=p repo_url=/r >/dev/null
tera-add project name=q repo_url=/r >/dev/null
for i in 1 2 3 4 5; do
	echo '{"project":"p","title":"t'$i'"}'
done | tera-add ticket - >/dev/null
tera-add ticket project=q title=other priority=high >/dev/null
numbers() { while IFS= read -r l; do printf '%s ' "$(echo "$l" | field number)"; done; }

is "all" "$(tera-ls ticket | wc -l)" 6
is "of a project" "$(tera-ls -p q ticket | numbers)" "6 "
is "the first two" "$(tera-ls -n 2 ticket | numbers)" "1 2 "
is "the two after" "$(tera-ls -n 2 -s 2 ticket | numbers)" "3 4 "
is "by a key" "$(tera-ls ticket priority=high | numbers)" "6 "
is "by a text" "$(tera-ls ticket text=OTH | numbers)" "6 "
is "a wildcard is a letter" "$(tera-ls ticket text=% | wc -l)" 0
tera-rm ticket 6 >/dev/null
is "not the removed" "$(tera-ls ticket | wc -l)" 5
is "but with -a" "$(tera-ls -a ticket | wc -l)" 6
is "by a column" "$(tera-move 2 in_progress >/dev/null; tera-ls ticket column_id=in_progress | numbers)" "2 "
is "jobs by state" "$(tera-ls job state=pending | wc -l)" 1
for noun in project ticket job comment dependency note setting attempt event log pr; do
	ok "nouns: $noun" tera-ls "$noun"
done
ok "an empty list is an answer" tera-ls pr
exits "of no project there is" 66 tera-ls -p nope ticket
exits "a key that is none" 64 tera-ls ticket colum_id=done
exits "-p where there is no project" 64 tera-ls -p p setting
exits "-n where there is no limit" 64 tera-ls -n 1 dependency
exits "-s where there is no number" 64 tera-ls -s 1 setting
like "is said" "$(cat err)" 'setting has no number'
is "events after a seq" "$(tera-ls -s 3 -n 2 event | head -n 1 | field seq)" 4
exits "a filter twice" 64 tera-ls -p p ticket project=q
exits "a limit that is none" 64 tera-ls -n many ticket
exits "no noun" 64 tera-ls
exits "board has no list" 64 tera-ls board
exits "a state that is none" 65 tera-ls job state=faild
exits "a reason that is none" 65 tera-ls job reason=oops
exits "a kind that is none" 65 tera-ls job kind=tickets
exits "-a of what is never removed" 64 tera-ls -a job
exits "no lines" 64 tera-ls -n 0 ticket
done_testing
