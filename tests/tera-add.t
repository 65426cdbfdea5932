#!/bin/sh
# tera-add: things come into being, and say what is wrong with them.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu

tera-init -q
ok "a project" tera-add project name=p repo_url=/r
is "has a number" "$(field number <out)" 1
like "and an id of version 7" "$(field id <out)" '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab]'
is "and a version" "$(field version <out)" 1
ok "a ticket" tera-add ticket project=p title=one
is "in the backlog" "$(field column_id <out)" backlog
ok "one that waits" tera-add ticket project=1 title=two needs:='[1]'
is "is blocked" "$(field blocked <out)" 1
printf 'a longer\ntext\n' >text
ok "a text from a file" tera-add ticket project=p title=three description@text
is "whole" "$(field description <out)" "$(cat text)"
ok "a comment" tera-add comment ticket=1 body=hello author=me
ok "a dependency" tera-add dependency ticket=3 needs=1
ok "a note" tera-add note project=p title=n content=c
ok "a setting" tera-add setting key=max_running value=4
ok "plurals are understood" tera-add tickets project=p title=four

exits "a ticket without a title" 65 tera-add ticket project=p
like "names the key" "$(cat err)" 'ticket.add: title is missing'
exits "of no project" 66 tera-add ticket project=nope title=x
like "names it" "$(cat err)" 'no such project: nope'
exits "in no column" 65 tera-add ticket project=p title=x column_id=nope
exits "that needs none there is" 66 tera-add ticket project=p title=x needs:='[99]'
is "and nothing is left of it" "$(tera-ls ticket | wc -l)" 4
exits "a blank comment" 65 tera-add comment ticket=1 body=' '
like "names the rule" "$(cat err)" 'refused: body is not blank'
exits "a title of 256 letters" 65 tera-add ticket project=p title="$(printf '%0256d' 0)"
like "names the rule" "$(cat err)" 'title has 1 to 255 characters'
exits "no such noun" 64 tera-add thing a=b
exits "no such key" 64 tera-add ticket project=p title=x colour=red
exits "a broken operand" 64 tera-add ticket project=p title
exits "broken JSON in one" 65 tera-add ticket project=p title=x needs:='['
exits "a file that is not there" 66 tera-add ticket project=p title@nofile
exits "a wrong type" 65 tera-add ticket project=p title=x needs=1
like "says what it wants" "$(cat err)" 'needs: want array, got text'

printf '%s\n' '{"project":"p","title":"s1","unknown":1}' '{"project":"p"}' \
	'{"project":"p","title":"s2"}' >in
exits "a stream goes on after a bad line" 65 tera-add ticket - <in
is "two of three" "$(wc -l <out)" 2
like "the line is named" "$(cat err)" 'line 2: ticket.add: title is missing'

# secrets
ok "a secret setting" tera-add setting key=github_agent_token value=hunter2
unlike "does not show its value" "$(cat out)" hunter2
unlike "nor does the file" "$(cat tera.db* | strings -a)" hunter2
unlike "nor an event" "$(tera-watch)" hunter2
is "setting.value has it" \
	"$(TERA_STORE=$T/tera.db tera-call setting.value setting=github_agent_token | field value)" hunter2
is "its key is private" "$(stat -c %a tera.db-key)" 600

exits "a limit that nobody reads" 65 tera-add project name=l 'limits:={"turn":3}'
exits "a limit below 1" 65 tera-add project name=l 'limits:={"turns":0}'
exits "a limit in words" 65 tera-add project name=l 'limits:={"turns":"3"}'
ok "limits" tera-add project name=l 'limits:={"turns":3,"cost_usd":0.5}'
exits "no password in the store" 65 tera-add project name=m repo_url=https://u:secretpw@example.org/x.git
unlike "nor in the message" "$(cat out err)" secretpw
ok "a user and a port are fine" tera-add project name=m repo_url=ssh://git@example.org:22/a:b@c.git
done_testing
