#!/bin/sh
# tera-coordinate: claim, run, finish.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu
unset PROJECT_ID PROJECT_IDS MAX_CONCURRENT_AGENTS POLL_INTERVAL_SEC

# tickets N [project]: so many jobs
tickets() {
	i=0
	while [ "$i" -lt "$1" ]; do
		i=$((i + 1))
		tera-add ticket project="${2:-p}" title="t$i" | field id
	done >ids
	tera-move - in_progress <ids >/dev/null
}
# states STATE [project]: how many jobs are
states() {
	tera-ls ${2:+-p "$2"} job state="$1" | wc -l
}
is_states() {
	[ "$(states "$2")" -eq "$1" ]
}

world
exits "nothing to do: 1" 1 tera-coordinate -1 true
exits "nothing to drain: 1" 1 tera-coordinate -d true

tickets 1
exits "one job" 0 tera-coordinate -1 sh -c 'cat >rec; pwd >where'
is "is completed" "$(states completed)" 1
like "and reported" "$(cat out)" '"state":"completed","reason":"ok"'
is "nothing on stderr" "$(cat err)" ""
like "the worker's name is host:pid" "$(tera-ls attempt)" \
	"\"worker\":\"$(uname -n):[0-9]+\""

tickets 3
exits "-1 takes one only" 0 tera-coordinate -1 true
is "of three" "$(states pending)" 2
exits "drain: all" 0 tera-coordinate -d -j 2 true
is "none is left" "$(states pending)" 0
is "all are done" "$(states completed)" 4
tera-add ticket project=p title=bad | field id >ids
tera-move - in_progress <ids >/dev/null
tera-call job.set job="$(tera-ls job state=pending | field id)" \
	max_tries:=1 >/dev/null
exits "a failing agent: the job fails, we do not" 0 \
	tera-coordinate -1 sh -c 'exit 3'
is "failed" "$(states failed)" 1

# N at a time, never more.
tickets 6
mkdir live
cat >busy <<END
cat >/dev/null
n=\$(mktemp $T/live/XXXXXX)
sleep 0.3
ls $T/live | wc -l >>$T/seen
rm "\$n"
END
exits "three at a time" 0 tera-coordinate -d -j 3 sh "$T/busy"
is "at most three" "$(sort -rn seen | head -n 1)" 3
is "each once" "$(wc -l <seen)" 6

# How many, from the environment and the settings.
: >seen
tickets 4
exits "Terarchitect's variable" 0 env MAX_CONCURRENT_AGENTS=2 \
	tera-coordinate -d sh "$T/busy"
is "two" "$(sort -rn seen | head -n 1)" 2
: >seen
tera-add setting key=MAX_CONCURRENT_AGENTS value=4 >/dev/null
tickets 4
exits "the setting comes first" 0 env MAX_CONCURRENT_AGENTS=2 \
	tera-coordinate -d sh "$T/busy"
is "four" "$(sort -rn seen | head -n 1)" 4
tera-rm setting MAX_CONCURRENT_AGENTS >/dev/null

# Projects.
tera-add project name=q repo_url="$T/p.git" >/dev/null
tera-add project name=r repo_url="$T/p.git" >/dev/null
for p in p q r; do tickets 2 $p; done
exits "-p: one project" 0 tera-coordinate -1 -p q true
is "q's" "$(states pending q)" 1
exits "PROJECT_IDS: a list" 0 env PROJECT_IDS='r, q' \
	tera-coordinate -d -j 2 true
is "q is empty" "$(states pending q)" 0
is "r is empty" "$(states pending r)" 0
is "p is not" "$(states pending p)" 2
exits "-1 of a list" 1 env PROJECT_IDS=r,q tera-coordinate -1 true
exits "the rest" 0 tera-coordinate -1 -p q -p p true
exits "no such project: 66" 66 tera-coordinate -d -p nobody true
exits "nor in a list" 66 tera-coordinate -d -p q -p nobody true
exits "another kind: nothing" 1 tera-coordinate -d -k review true
exits "drained" 0 tera-coordinate -d true

# It waits, wakes, and hands its jobs back at TERM.
for list in '' q,p; do
	PROJECT_IDS=$list tera-coordinate -W "me$list" -j 2 sleep 20 \
		>c.out 2>c.err &
	pid=$!
	tickets 2
	ok "waiting, it starts what is queued ${list:+(list)}" \
		wait_for 5 is_states 2 running
	PROJECT_IDS='' exits "a name is taken: 75" 75 \
		tera-coordinate -1 -W "me$list" true
	kill "$pid"
	rc=0
	wait "$pid" || rc=$?
	is "TERM: 128+15" "$rc" 143
	is "the jobs are handed back" "$(states pending)" 2
	is "without a word" "$(cat c.err)" ""
	is "its answers" "$(grep -c '"state":"pending"' c.out)" 2
	is "a try that was not theirs does not count" \
		"$(tera-ls job state=pending | grep -c '"tries":0,')" 2
	exits "again" 0 tera-coordinate -d -j 2 true
done
is "no pipe is left behind" "$(find state/coordinate -name 'pipe*')" ""

# Only one drains.
tickets 1
tera-coordinate -d sleep 1 >/dev/null &
pid=$!
wait_for 5 is_states 1 running
exits "a second drain ends quietly" 0 tera-coordinate -d true
is "at once" "$(states running)" 1
is "silent" "$(cat out err)" ""
wait "$pid"

# A shell that is killed leaves a pipe that ends its work.
tickets 1
tera-coordinate -d sleep 1 >/dev/null 2>&1 &
pid=$!
wait_for 5 is_states 1 running
kill -9 "$pid"
wait "$pid" 2>/dev/null || :
ok "the job ends, though the shell was killed" wait_for 5 is_states 0 running
is "completed" "$(tera-ls job state=completed | tail -n 1 | field reason)" ok

# A supervisor that is killed ends all; the lease gives its job back.
tickets 1
tera-coordinate -l 2 sleep 5 >/dev/null 2>&1 &
pid=$!
wait_for 5 is_states 1 running
children() {
	for p in /proc/[0-9]*/stat; do
		awk -v of="$pid" '$4 == of { print $1, $2 }' "$p" 2>/dev/null || :
	done
}
kill -9 "$(children | sed -n 's/ (tera-run)//p')"
rc=0
wait "$pid" || rc=$?
is "a killed supervisor is the status" "$rc" 137
is "no child is left" "$(children)" ""
exits "its job is run again when the lease is over" 0 \
	wait_for 6 tera-coordinate -1 true
is "all is done" "$(states running) $(states pending)" "0 0"

exits "an engine that is not there: 69" 69 tera-coordinate -1 -e nowhere true
exits "usage" 64 tera-coordinate -x
exits "-1 and -d" 64 tera-coordinate -1d
exits "no number" 64 tera-coordinate -j many
exits "zero jobs" 64 tera-coordinate -j 0
TERA_STORE=$T/none exits "no store: 78" 78 tera-coordinate -1 true
done_testing
