#!/bin/sh
# tera-hold: a process that has the store open works for the others; nothing
# depends on it.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu

exits "no store: 78" 78 tera-hold
tera-init -q
tera-add project name=p repo_url=/r >/dev/null
seq 1 40 | sed 's/.*/{"project":"p","title":"t&"}/' | tera-add ticket - >/dev/null

# opened CMD...: did it open the store's file itself?
opened() {
	strace -f -e trace=openat -o trace "$@" >out 2>err || :
	grep -q '\.db", ' trace
}
held() { ! opened "$@"; }
start() {
	[ "$1" != fresh ] || { # what a killed one left is not a new one
		rm -f tera.db-hold
		shift
	}
	"$@" &
	hold=$!
	test_pids="$test_pids $hold"
	wait_for 5 test -S tera.db-hold
}
stop() { # SIGNAL
	kill "-$1" "$hold"
	wait "$hold" 2>/dev/null || :
}
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
	trace=1
else
	trace=
fi
# only NAME WHAT CMD...: WHAT is held or opened
only() {
	only_name=$1
	shift
	if [ -n "$trace" ]; then ok "$only_name" "$@"; else skip 1 "no strace"; fi
}

only "alone, a command opens the store" opened tera-enqueue 1
start tera-hold
is "the socket is for its user" "$(stat -c %a tera.db-hold)" 600
only "now it need not" held tera-enqueue 2
is "the answer is the same" "$(tera-enqueue 2 | sed 's/.*"created"://')" 'false}'
only "what is long it does itself" opened tera-ls ticket
is "who did it is sealed" \
	"$(TERA_ACTOR=somebody tera-enqueue 3 >/dev/null
	tera-watch noun=job | tail -n 1 | field actor)" somebody
exits "an unknown ticket: 66" 66 tera-enqueue 999
is "the words are the same" "$(cat err)" "tera-enqueue: no such ticket: 999"
exits "an empty answer: 1" 1 tera-claim -k review
j=$(tera-claim | tee claimed | field job_id)
is "a claim" "$(tera-ls job state=running | field id)" "$j"
exits "an old fence is refused" 65 tera-finish "$j" 7
ok "the end" tera-finish -o completed "$j" 1
printf '%s\n' 4 nonsense 5 | tera-enqueue - >out 2>err || rc=$?
is "a stream: what is refused" "${rc-0}" 66
is "is named" "$(cat err)" "tera-enqueue: line 2: no such ticket: nonsense"
is "and the rest is done" "$(wc -l <out)" 2
head -c 300000 /dev/zero | tr '\0' x >big
printf '{"ticket":"6","step":"big","raw_output":"%s"}\n' "$(cat big)" |
	tera-call log.add - >out
is "a long input" "$(tera-log ticket=6 | tail -n 1 | field raw_output | wc -c)" 300001
seq 7 40 | tera-enqueue - | wc -l >out
is "many answers" "$(cat out)" 34
ok "the chain of seals holds" tera-audit

# who is of another mind does it himself
only "another durability" opened env TERA_SYNCHRONOUS=normal tera-claim
tera-init -q "$T/other.db"
only "another file" opened env TERA_STORE="$T/other.db" tera-claim
stranger='setpriv --reuid=65534 --clear-groups'
if [ "$(id -u)" -eq 0 ] && $stranger "$B/bin/tera-call" --version >out 2>&1; then
	chmod 777 .
	chmod 666 tera.db*
	# shellcheck disable=SC2086 # a command and its words
	only "another user" opened $stranger tera-call event.head
	chmod 755 .
else
	skip 1 "not root"
fi

# two: the second takes over
start tera-hold
second=$hold
sleep 0.2
first=${test_pids% *}
first=${first##* }
kill "$first"
wait_for 10 held tera-enqueue 1 || :
only "the second one took over" held tera-enqueue 1
hold=$second

# it hangs: a second, and the command does it itself
kill -STOP "$hold"
exits "a holder that hangs" 0 tera-claim
kill -CONT "$hold"
is "once" "$(tera-ls job state=running | wc -l)" 2
# it is killed
stop KILL
ok "killed: nobody needs it" tera-claim
only "alone again" opened tera-claim
start tera-hold
only "what was left of it is in nobody's way" held tera-claim
# the store is made anew
rm -f tera.db tera.db-wal tera.db-shm
exits "no store any more: 78" 78 tera-claim
tera-init -q
tera-add project name=q repo_url=/r >/dev/null
tera-add ticket project=q title=one >/dev/null
ok "another store of that name" tera-enqueue 1
is "is the one" "$(tera-ls job | wc -l)" 1
rc=0
wait "$hold" || rc=$?
is "who held the old one ends" "$rc" 78
is "no socket stays" "$(ls tera.db-hold 2>/dev/null || :)" ""

# around a command
exits "its status" 7 tera-hold sh -c 'exit 7'
exits "not found: 127" 127 tera-hold tera-no-such
is "it is held meanwhile" \
	"$(tera-hold sh -c 'test -S tera.db-hold && tera-enqueue 1' | field ticket_id)" \
	"$(tera-show ticket 1 | field id)"
exits "usage: 64" 64 tera-hold -x

# 8 at once, each job once
tera-add ticket project=q title=n >/dev/null
i=1
while [ $i -lt 60 ]; do
	i=$((i + 1))
	echo "{\"project\":\"q\",\"title\":\"t$i\"}"
done | tera-add ticket - | tera-enqueue - >/dev/null
start fresh tera-hold
pids=
for w in 1 2 3 4 5 6 7 8; do
	(while tera-claim -W "w$w" >>"got.$w"; do :; done) &
	pids="$pids $!"
done
# killed in the middle: nobody sees it
sleep 0.1
stop KILL
for p in $pids; do wait "$p" || :; done
is "each job was claimed" "$(tera-ls job state=pending | wc -l)" 0
is "and handed out at most once" \
	"$(sed 's/.*"job_id":"\([^"]*\)".*/\1/' got.* | sort | uniq -d | wc -l)" 0
ok "and all is sealed" tera-audit

# a claimer that waits holds, too
start fresh tera-claim -w -p q
only "a waiting claimer holds the store" held tera-enqueue 1
stop TERM
# one that waits for its turn with a store that is no more never gets it
export TERA_STORE="$T/two.db"
tera-init -q
tera-add project name=old repo_url=/r >/dev/null
tera-hold 2>/dev/null &
first=$!
wait_for 5 test -S two.db-hold
tera-hold 2>err2 &
hold=$!
test_pids="$test_pids $first $hold"
sleep 0.3
rm -f two.db two.db-wal two.db-shm
tera-init -q
tera-add project name=new repo_url=/r >/dev/null
tera-add ticket project=new title=here >/dev/null
kill -KILL "$first" 2>/dev/null || : # it may have seen it, too
rc=0
wait "$hold" || rc=$?
is "who waits for a store that is gone ends" "$rc" 78
like "and says so" "$(cat err2)" 'the store was removed'
is "what is done is in the new one" \
	"$(tera-enqueue 1 >/dev/null; tera-ls job | wc -l)" 1
# a child that stops, or is not ours, is no end
tera-hold sh -c 'kill -STOP $$; exit 3' &
hold=$!
test_pids="$test_pids $hold"
wait_for 5 test -S two.db-hold
sleep 0.3
only "a stopped command: others are served" held tera-enqueue 1
pkill -CONT -P "$hold"
rc=0
wait "$hold" || rc=$?
is "it goes on, and ends" "$rc" 3
# no descriptor is left for somebody who comes
prlimit --nofile=24 tera-hold &
hold=$!
test_pids="$test_pids $hold"
wait_for 5 test -S two.db-hold
perl -MIO::Socket::UNIX -e 'my @s = map { IO::Socket::UNIX->new(
	Peer => "two.db-hold") } 1 .. 40; sleep 2' &
sleep 0.5
ticks() { awk '{ print $14 + $15 }' "/proc/$hold/stat"; }
before=$(ticks)
sleep 1
ok "a crowd does not make it spin" test $(($(ticks) - before)) -lt 50
ok "nor stop others" tera-enqueue 1
stop TERM
export TERA_STORE="$T/tera.db"
# a path too long for the address of a socket
long=$T/$(printf '%090d' 0)/$(printf '%090d' 0)
mkdir -p "$long"
export TERA_STORE="$long/tera.db"
tera-init -q
# shellcheck disable=SC2016 # the inner shell's
tera-hold sh -c 'test -S "$TERA_STORE-hold" && tera-call event.head' >out
is "a long path" "$(cat out)" '{"seq":0}'
done_testing
