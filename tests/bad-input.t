#!/bin/sh
# bad-input: what comes in broken is named and changes nothing.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu
trap 'umount "$T/small" 2>/dev/null || :; at_end' EXIT

tera-init -q
tera-add project name=p repo_url=/r >/dev/null
tera-add ticket project=p title=one >/dev/null
first='{"project":"p","title":"first"}'
last='{"project":"p","title":"last"}'
# second NAME MESSAGE [STATUS]: the file second is line 2 of 3
second() {
	before=$(tera-ls ticket | wc -l)
	{
		printf '%s\n' "$first"
		cat second
		printf '\n%s\n' "$last"
	} >in
	exits "$1" "${3:-65}" tera-add ticket - <in
	like "$1: line 2 is named" "$(cat err)" "^tera-add: line 2: $2"
	is "$1: one message" "$(wc -l <err)" 1
	is "$1: lines 1 and 3 count" "$(($(tera-ls ticket | wc -l) - before)) $(wc -l <out)" "2 2"
}
printf '{"project":"p","title":' >second
second "broken JSON" 'not JSON'
printf '[1]' >second
second "no object" 'not a JSON object'
printf 'word' >second
second "a bare word" 'not JSON'
{
	printf '{"project":"p","title":"x","description":"'
	head -c 1048576 /dev/zero | tr '\0' x
	printf '"}'
} >second
second "a line over 1 MiB" 'longer than 1048576 bytes'
{
	printf '{"project":"p","title":"x","deep":'
	printf '%064d' 0 | tr 0 '['
	printf '%064d' 0 | tr 0 ']'
	printf '}'
} >second
second "65 deep" 'nested deeper than 64'
printf '{"project":"p","title":"a\0b"}' >second
second "a NUL" 'holds a NUL byte'
printf '{"project":"p","title":"\377"}' >second
second "not UTF-8" 'not UTF-8'
printf '{"project":"p","title":"\355\240\200"}' >second
second "half a surrogate pair" 'not UTF-8'
printf '{"project":"nope","title":"x"}' >second
second "an unknown project" 'no such project: nope' 66
printf '{"project":"p","title":7}' >second
second "a wrong type" 'ticket.add: title: want text, got integer'
printf '{"project":"p","title":""}' >second
second "an empty title" 'refused: title has 1 to 255 characters'
{
	printf '{"project":"p","title":"t","description":"'
	head -c 1048000 /dev/zero | tr '\0' x
	printf '"}'
} >in
exits "a line just below the limit" 0 tera-add ticket - <in
tera-rm ticket "$(field number <out)" >/dev/null # or it is in each context
{
	printf '{"project":"p","title":"deep","deep":'
	printf '%063d' 0 | tr 0 '['
	printf '%063d' 0 | tr 0 ']'
	printf '}'
} >in
exits "64 deep" 0 tera-add ticket - <in
printf '\n\n%s\r\n\n' "$first" >in
exits "empty lines and a carriage return" 0 tera-add ticket - <in
is "are passed over" "$(wc -l <out)" 1
printf '%s' "$last" >in
exits "no newline at the end" 0 tera-add ticket - <in
exits "nothing at all" 0 tera-add ticket - </dev/null

# unknown ids
id=01900000-0000-7000-8000-000000000000
for cmd in "tera-show ticket" "tera-set ticket" "tera-rm ticket" "tera-move" \
	"tera-enqueue" "tera-cancel" "tera-context" \
	"tera-log" "tera-renew" "tera-finish" "tera-show project" "tera-graph"; do
	case $cmd in
	tera-set*) end=title=x ;;
	tera-move) end='done' ;;
	tera-renew | tera-finish) end=1 ;;
	*) end= ;;
	esac
	# shellcheck disable=SC2086
	exits "$cmd: an unknown id" 66 $cmd $id $end
	like "$cmd: named" "$(cat err)" "no such [a-z]+: $id"
done
for cmd in tera-context tera-log; do
	exits "$cmd: an unknown ticket" 66 $cmd ticket="$id"
	like "$cmd: named" "$(cat err)" "no such ticket: $id"
	exits "$cmd: neither job nor ticket" 64 $cmd project=p
done
exits "a stale version" 65 tera-set ticket 1 title=x version=9
like "names both" "$(cat err)" 'ticket 1 is at version 1, not 9'
tera-add ticket project=p title=b needs:='[1]' >rec
exits "a cycle" 65 tera-add dependency ticket=1 needs="$(field number <rec)"
like "named" "$(cat err)" 'would close a cycle'
tera-enqueue 1 >/dev/null
exits "an illegal move" 65 tera-cancel -o pending 1
like "names from and to" "$(cat err)" 'cannot move from pending to pending'

# where the answer goes
full() { "$@" >/dev/full; }
for cmd in "tera-ls ticket" "tera-show ticket 1" "tera-add project name=f" \
	"tera-claim" "tera-watch" "tera-audit" "tera-call" \
	"tera-json new a=b" "tera-init" "tera-ls --help"; do
	# shellcheck disable=SC2086
	exits "$cmd: a full device" 74 full $cmd
done
like "says so" "$(cat err)" 'standard output: No space left on device'
rc=0
(
	trap '' PIPE
	{ tera-watch 2>err || echo $? >rc; } | true
	sleep 0.1
)
for _ in 1 2 3 4 5; do tera-set ticket 1 description="$(head -c 60000 /dev/zero | tr '\0' x)" >/dev/null; done
(
	trap '' PIPE
	{ tera-watch 2>err || echo $? >rc; } | true
)
is "a closed pipe" "$(cat rc)" 74

# a full disk
mkdir small
if mount -t tmpfs -o size=1m none small 2>/dev/null; then
	mkdir text
	head -c 100000 /dev/zero | tr '\0' x >big
	(
		TERA_STORE=$T/small/s.db
		tera-init -q
		tera-add project name=p repo_url=/r >/dev/null
		n=0 rc=0
		while [ $n -lt 20 ] && [ $rc = 0 ]; do
			n=$((n + 1))
			tera-add ticket project=p title="t$n" description@big >out 2>err || rc=$?
		done
		echo "$rc" >small.rc
		cp err small.err
		echo "$n" >small.n
		tera-ls ticket | wc -l >small.have
		tera-audit >small.audit || :
		{
			echo '{"project":"p","title":"s1","description":"'"$(cat big)"'"}'
			echo '{"project":"p","title":"s2","description":"'"$(cat big)"'"}'
		} | tera-add ticket - >small.out 2>small.err2 || echo $? >small.rc2
		tera-ls ticket | wc -l >small.after
	)
	is "a full disk" "$(cat small.rc)" 74
	like "is said" "$(cat small.err)" 'no space left'
	is "what was added before is there, the last is not" "$(cat small.have)" "$(($(cat small.n) - 1))"
	is "the chain holds" "$(field holds <small.audit)" 1
	is "a stream ends" "$(cat small.rc2)" 74
	is "nothing is answered that is not there" "$(wc -l <small.out)" "$(($(cat small.after) - $(cat small.have)))"
	umount small
else
	skip 6 "no mount allowed here: a full disk"
fi

# texts that are somebody's code
n=0
while IFS= read -r text; do
	n=$((n + 1))
	title=$(printf '%b' "$text")
	tera-add ticket project=p title="$title" description="$title" acceptance="$title" >rec
	t=$(field number <rec)
	tera-add comment ticket="$t" body="$title" author="$title" >/dev/null
	note=$(tera-add note project=p title="$title" content="$title" | field number)
	tera-show ticket "$t" >rec
	tera-context ticket="$t" >doc
	is "text $n comes back" "$(field title <rec)|$(field description <rec)|$(field acceptance <rec)" "$title|$title|$title"
	is "text $n in a note" "$(tera-show note "$note" | field content)" "$title"
	is "text $n in the context" "$(field current_ticket.title <doc)|$(field 'comments[0].body' <doc)" "$title|$title"
	is "text $n is found" "$(tera-ls ticket text="$title" | tail -n 1 | field number)" "$t"
	is "text $n in the event" "$(tera-watch ticket="$t" noun=ticket | field data.title)" "$title"
	is "text $n as a project" "$(tera-add project name="$title" description="$title" repo_url=/r |
		tera-show project - | field name)" "$title"
done <<'X'
%_*?[a-z]
it's "quoted" \\\\ and `ticked`
'; DROP TABLE ticket; --
$(touch pwned) ${HOME} $((1+1))
line one\nline two\n\tthree
\0360\0237\0246\0200 \0360\0237\0221\0251\0342\0200\0215\0360\0237\0222\0273
{"a":[1,"\\u0000"]}
-n
X
not_ok "nothing was run" test -e pwned
is "the tables are there" "$(sqlite3 tera.db 'SELECT count(*) > 0 FROM ticket')" 1
exits "an escaped NUL" 0 tera-add ticket project=p title:='"a\u0000b"'
is "is a replacement, and the rest is kept" "$(field title <out)" "a�b"
exits "an operand that is not UTF-8" 65 tera-add ticket project=p title="$(printf '\377')"
ok "the chain holds" tera-audit

exits "half a surrogate pair" 65 sh -c 'printf "%s\n" "{\"project\":1,\"title\":\"\\ud83d\"}" | tera-add ticket -'
like "is named" "$(cat err)" 'line 1: .*surrogate'
(printf '{"project":1,"title":"whole"}\n{"proj' && sleep 5) | tera-add ticket - >/dev/null 2>&1 &
test_pids="$test_pids $!"
there() { tera-ls ticket | grep -q '"whole"'; }
ok "a whole line is committed before half a line is waited for" wait_for 3 there
done_testing
