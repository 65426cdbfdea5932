#!/bin/sh
# tera-scan: records as lines for eyes.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu
unset COLUMNS

# scan RECORDS FLAG...
scan() {
	printf '%s\n' "$1" >in
	shift
	tera-scan "$@" <in
}

is "nothing" "$(tera-scan </dev/null)" ""
is "numbers to the right, text to the left" \
	"$(scan '{"a":1,"b":"x"}
{"a":200,"b":"long"}
{"a":null}')" "  a  b
  1  x
200  long"
is "-H: no header" "$(scan '{"a":1,"b":"x"}' -H)" "1  x"
is "these, in this order, absent ones empty" \
	"$(scan '{"a":1,"b":"x","c":{"d":[1,null]}}' b c.d e a)" \
	"b  c.d       e  a
x  [1,null]     1"
is "wide characters" "$(scan '{"a":"日本","b":1}
{"a":"abcde","b":2}' -H)" "日本   1
abcde  2"
# shellcheck disable=SC2028
is "what would move the cursor is shown" \
	"$(scan '{"a":"x\u001b[31m\ny\u009b\u202e\u0007"}' -H)" \
	'x\x1b[31m\ny\x9b\u202e\x07'
is "COLUMNS" "$(COLUMNS=20 scan '{"a":1,"b":"0123456789012345678901234567890"}')" \
	"a  b
1  0123456789012345…"
is "one" "$(COLUMNS=1 scan '{"a":1,"b":"0123456789"}')" "a  b
1  01234…"
is "as wide as it gets in a pipe" \
	"$(scan "{\"a\":\"$(printf '%0300d' 0)\"}" -H | wc -L)" 300
is "times are short" \
	"$(scan '{"a":"2026-11-21T07:35:42.123Z","b":"2026-11-21"}' -H)" \
	"11-21 07:35:42  2026-11-21"
is "but whole where they are asked for" \
	"$(scan '{"a":"2026-11-21T07:35:42.123Z"}' -H a)" \
	"2026-11-21T07:35:42.123Z"
is "another kind, another header" "$(scan '{"key":"k","value":"v"}
{"verb":"x.y","write":true,"in":""}')" "key  value
k    v

verb  write  in
x.y   true"

# Broken input.
printf '{"a":1}\n{"a":\n{"a":3}\n' >in
exits "a broken line: 65" 65 sh -c 'tera-scan -H <in'
is "the others are shown" "$(cat out)" "1
3"
like "it is named" "$(cat err)" '^tera-scan: line 2:'
exits "usage" 64 tera-scan -x
exits "no column" 64 tera-scan ''
exits "a full disk: 74" 74 sh -c 'echo "{\"a\":1}" | tera-scan >/dev/full'

# What a store says.
tera-init -q
tera-add project name=p repo_url=/r >/dev/null
tera-add ticket project=p title='Do it' priority=high >/dev/null
tera-move 1 in_progress >/dev/null
like "project" "$(tera-ls project | tera-scan)" '^ +1  p +docker +/r$'
like "ticket" "$(tera-ls ticket | COLUMNS=80 tera-scan)" \
	'^ +1  high +in_progress +in_progress +false +Do it$'
like "job" "$(tera-ls job | tera-scan)" '^ +1  ticket  pending '
tera-claim >claimed
like "a claim" "$(tera-scan <claimed)" '^ +1  ticket +1  ticket-.*  Do it$'
tera-json set outcome=failed message='not today' <claimed | tera-finish - >ended
like "an end" "$(tera-scan <ended)" 'not today'
like "attempt" "$(tera-ls attempt | tera-scan)" '^ +1  [0-9a-f]{12}  '
tera-call log.add job=1 step=verify summary=fine >/dev/null
like "log" "$(tera-ls log | tera-scan)" '^ +1  ..-.. ..:..:..  verify +true +fine$'
like "event" "$(tera-watch | COLUMNS=80 tera-scan)" '^ +1  ..-.. ..:..:..  project +added '
is "lines are no wider" "$(tera-watch | COLUMNS=80 tera-scan | wc -L)" 80
tera-call pr.open ticket_id=1 title=T source=/r head_branch=x \
	base_branch=main >/dev/null
like "pull request" "$(tera-ls pr | tera-scan)" '^ +1 +1  local  open .* T$'
like "verbs" "$(tera-call | tera-scan)" '^job.claim +true '

# A stream appears as it comes.
mkfifo slow
tera-scan -H <slow >seen &
pid=$!
exec 4>slow
echo '{"a":1}' >&4
ok "a record is shown before the next one comes" wait_for 3 grep -q 1 seen
echo '{"a":2}' >&4
exec 4>&-
wait "$pid"
is "all of it" "$(cat seen)" "1
2"
if command -v script >/dev/null; then
	tera-ls job >list
	like "colour on a terminal" "$(script -qc \
		'env -u NO_COLOR TERM=xterm tera-scan <list' /dev/null)" \
		"$(printf '\033')"
	unlike "none with NO_COLOR" "$(script -qc \
		'NO_COLOR=1 TERM=xterm tera-scan <list' /dev/null)" \
		"$(printf '\033')"
else
	skip 2 "no script(1)"
fi
unlike "no colour in a pipe" "$(env -u NO_COLOR tera-scan <claimed)" \
	"$(printf '\033')"
done_testing
