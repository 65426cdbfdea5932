#!/bin/sh
# tera-board: a project's board for eyes.
# shellcheck disable=SC2016
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu
unset COLUMNS PROJECT_ID PROJECT_IDS

ticket() {
	tera-add ticket project=p "$@" | field id
}
# claim: the next job's id
claim() {
	tera-claim | field job_id
}
# widest FILE: columns of its longest line
widest() {
	wc -L <"$1"
}

tera-init -q
exits "no project: 1" 1 tera-board
like "and how to make one" "$(cat err)" 'tera-add project'
is "and nothing" "$(cat out)" ""
tera-add project name=p repo_url=/nowhere >/dev/null
ok "an empty board" tera-board
like "has its columns" "$(cat out)" '^Backlog \(0\) .*In Progress \(0\) .*Done \(0\)$'

a=$(ticket title='Parse the numbers of an invoice, with spaces between thousands' priority=high)
b=$(ticket title='日本語のタイトルはとても長いので折り返さなければなりません' priority=low)
c=$(ticket title='needs the first' "needs:=[\"$a\"]")
d=$(ticket title="$(printf 'evil \033[31m \tx \302\233 \342\200\256 $(id)')")
e=$(ticket title="$(printf '%0200d' 0)")
for t in "$a" "$b" "$c" "$d" "$e"; do
	tera-move "$t" in_progress >/dev/null
done
tera-call job.finish job="$(claim)" fence:=1 outcome=completed turns:=3 \
	usage:='{"cost_usd":0.1234}' verify:='{"verdict":"pass"}' >/dev/null
tera-call pr.open ticket_id="$a" title=x source=/nowhere head_branch=x \
	base_branch=main >/dev/null
j=$(claim)
tera-call log.add job="$j" step=worker_turn_2_prompt >/dev/null
tera-call log.add job="$j" step=output raw_output=x >/dev/null
tera-call job.finish job="$(claim)" fence:=1 outcome=failed reason=verify \
	message='make check ended with 2' turns:=1 >/dev/null

ok "a narrow board" env COLUMNS=60 tera-board p
cp out narrow
has() { like "$1" "$(cat "${3:-narrow}")" "$2"; }
has "one column below the other" '^In Progress \(4\)$'
has "number and high priority" '^#1 ▲ Parse the numbers'
has "low priority" '^#2 ▽ 日本語'
has "what became of it" '^✓ done, 3 turns, tests: pass, \$0.12$'
has "the pull request" '^  PR 1 open$'
has "a running job and its turn" '^▶ running [0-9]+s, turn 2$'
has "a failure and why" '^✗ failed: verify, 1 turn$'
has "its message" '^  make check ended with 2$'
has "queued" '^  queued$'
has "what it waits for" '^  waits for #1$'
has "nothing moves the cursor" 'evil .x1b\[31m x .x9b .u202e \$\(id\)'
is "no control characters" "$(LC_ALL=C tr -d '\n\200-\377 -~' <narrow | wc -c)" 0
for w in 10 25 60 79 80 100 133 300; do
	COLUMNS=$w tera-board p >out
	ok "$w columns are enough" [ "$(widest out)" -le "$w" ]
done
# the seconds that the job has run go on between two looks
still() {
	sed -E 's/running [0-9]+s/running Ns/g; s/ +/ /g'
}
COLUMNS=100 tera-board p >wide
still <wide >wide.still
has "side by side" '^Backlog \(0\) +In Progress \(4\) +In Review \(1\) ' wide
is "no space at the end" "$(grep -c ' $' wide || :)" 0
is "without a name: all of few" "$(COLUMNS=100 tera-board | still)" "$(cat wide.still)"
is "by its number" "$(COLUMNS=100 tera-board 1 | still)" "$(cat wide.still)"
unlike "no colour in a pipe" "$(env -u NO_COLOR TERM=xterm tera-board p)" \
	"$(printf '\033')"
if command -v script >/dev/null; then
	tty() { script -qc "$1" /dev/null | tr -d '\r'; }
	like "colour on a terminal" \
		"$(tty 'env -u NO_COLOR TERM=xterm tera-board')" \
		"$(printf '\033')\\[31m"
	unlike "none with NO_COLOR" "$(tty 'NO_COLOR=1 TERM=xterm tera-board')" \
		"$(printf '\033')"
	like "the terminal's width" \
		"$(tty 'stty cols 60; env -u COLUMNS tera-board' | head -n 3)" \
		'^Backlog \(0\)$'
else
	skip 3 "no script(1)"
fi
like "another locale: our marks are ASCII" "$(LC_ALL=C tera-board p)" '#1 ! Parse'

tera-move "$a" "done" >/dev/null
like "a need that is met is not shown" "$(COLUMNS=60 tera-board | grep -c waits || :)" 0
i=0
while [ "$i" -lt 20 ]; do
	i=$((i + 1))
	tera-add ticket project=p title="old $i" column_id=done
done >/dev/null
like "of what is done the latest" "$(COLUMNS=60 tera-board)" '^9 earlier$'
unlike "-a: all" "$(COLUMNS=60 tera-board -a)" 'earlier'
for i in 1 2 3 4 5 6; do tera-add project name="p$i"; done >/dev/null
exits "many projects: their names" 0 tera-board
like "a line each" "$(cat out)" '^ +7  p6$'
like "and what to do" "$(cat err)" 'name one, or use -a'
like "-a: all boards" "$(tera-board -a | grep -c '^Backlog')" 7

exits "no such project: 66" 66 tera-board nobody
exits "usage" 64 tera-board -x
ok "one column" env COLUMNS=1 tera-board p
exits "a full disk: 74" 74 sh -c 'tera-board p >/dev/full'
TERA_STORE=$T/none exits "no store: 78" 78 tera-board
done_testing
