#!/bin/sh
# tera-show: things whole, by any of their names.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu

tera-init -q
tera-add project name=p repo_url=/r >/dev/null
id=$(tera-add ticket project=p title=one | field id)
tera-add ticket project=p title=two >/dev/null
for name in 1 '#1' "$id"; do
	is "a ticket as $name" "$(tera-show ticket "$name" | field title)" one
done
is "a project by name" "$(tera-show project p | field number)" 1
is "its board" "$(tera-show board p | field 'columns[3].id')" "done"
is "its graph" "$(tera-show graph p | field nodes)" "[]"
tera-enqueue 1 | tera-show job - >shown
is "a job from a record" "$(field state <shown)" pending
is "has its attempts" "$(field attempts <shown)" "[]"
is "several" "$(tera-show ticket 1 2 | wc -l)" 2
is "names on standard input" "$(printf '1\n#2\n"%s"\n' "$id" | tera-show ticket - | wc -l)" 3
is "records too" "$(tera-ls ticket | tera-show ticket - | wc -l)" 2
exits "one of three is not there" 66 tera-show ticket 1 99 2
is "the others are shown" "$(wc -l <out)" 2
like "it is named" "$(cat err)" 'no such ticket: 99'
printf '1\n99\n{"title":"x"}\n2\n' >in
exits "on standard input too" 65 tera-show ticket - <in
is "others shown" "$(wc -l <out)" 2
like "line 2" "$(cat err)" 'line 2: no such ticket: 99'
like "line 3" "$(cat err)" 'line 3: names no ticket'
tera-add project name=p repo_url=/r >/dev/null
exits "a name of two projects names none" 66 tera-show project p
ok "their numbers do" tera-show project 1 2
tera-add setting key=a value=b >/dev/null
is "settings go by their key" "$(tera-ls setting | tera-show setting - | field value)" b
exits "nothing named" 64 tera-show ticket
exits "no such noun" 64 tera-show thing 1
done_testing
