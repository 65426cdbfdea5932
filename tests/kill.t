#!/bin/sh
# kill: SIGKILL to a random process of a job at a random moment, many times.
#
# KILLS runs (20), KILL_JOBS at once (7), from KILL_SEED on; a failure names
# its seed: KILLS=1 KILL_SEED=n tests/kill.t draws the same kind and moment.
#
# Each run has its own store, state, remote and job.  The worker writes files
# with random bytes, anew in every turn, and notes the blob of each in a
# journal; so the journal is what was written, whoever was killed.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -u
command -v sqlite3 >/dev/null || skip_all 'no sqlite3 to check the store with'

kills=${KILLS:-20} at_once=${KILL_JOBS:-7}
seed=${KILL_SEED:-$(($(date +%s) % 1000000))}
note "KILL_SEED=$seed"
lease=2

# --- the model: approves every plan, and is content when done.txt is there ---

cat >script <<'X'
{"request":"proposes a plan","times":0,"content":"{\"decision\":\"approve\",\"prompt\":\"go on\"}"}
{"request":"b/done.txt","times":0,"content":"{\"decision\":\"complete\",\"summary\":\"all is written\"}"}
{"times":0,"content":"{\"decision\":\"work\",\"prompt\":\"write more\"}"}
X
"$TOP/tests/model" -s script -p port &
test_pids=$!
wait_for 10 test -s port || skip_all 'tests/model does not start'
TERA_MODEL_URL=http://127.0.0.1:$(cat port) TERA_MODEL=test TERA_MODEL_KEY=k
export TERA_MODEL_URL TERA_MODEL TERA_MODEL_KEY

# --- the worker: three files a turn, each noted ---

# shellcheck disable=SC2016,SC2089,SC2090 # for the sh of the worker
worker='
put() {
	mkdir -p "${1%/*}"
	head -c 600 /dev/urandom | base64 >/tmp/new
	echo "turn $TERA_TURN" >>/tmp/new
	blob=$(git hash-object --no-filters /tmp/new)
	cp /tmp/new "$1"
	echo "$blob $1 $TERA_TURN" >>"$JOURNAL"
}
put src/one
sleep 0.1
put "src/two words"
if [ "$TERA_TURN" -gt 2 ]; then put ./done.txt; fi
sleep 0.1
put src/three
echo "wrote in turn $TERA_TURN"'

git init -q -b main seed
printf 'check:\n\t@sh test.sh\n' >seed/Makefile
printf 'test -s src/one && test -s done.txt\n' >seed/test.sh
git -C seed add . && git -C seed commit -qm first
git init -q --bare -b main seed.git
git -C seed push -q ../seed.git main

# --- one run ---

now() { echo $(($(date +%s%N) / 1000000)); }
# enter N: the world of run N
enter() {
	W=$T/w$1
	TERA_STORE=$W/tera.db TERA_STATE=$W/state HOME=$W/home JOURNAL=$W/log/journal
	TERA_SANDBOX_WRITE=$W/log TERA_SANDBOX_ENV=JOURNAL
	TERA_ENGINE_ENV=JOURNAL TERA_WORKER_COMMAND=$worker
	# shellcheck disable=SC2090
	export TERA_STORE TERA_STATE HOME JOURNAL TERA_SANDBOX_WRITE \
		TERA_SANDBOX_ENV TERA_ENGINE_ENV TERA_WORKER_COMMAND
	mkdir -p "$W/home" "$W/state" "$W/log"
	: >"$JOURNAL"
	cp -r "$T/seed.git" "$W/p.git"
	tera-init -q
	tera-add project name=p repo_url="$W/p.git" >/dev/null
	tera-add ticket project=p title="Write files" | field id >"$W/ticket"
	tera-move - in_progress <"$W/ticket" >/dev/null
	ticket=$(cat "$W/ticket")
}
coordinate() {
	timeout -k 2 150 tera-coordinate -d -F 0 -l "$lease" -T command
}
# The processes that have a path of this world in their environment.
alive() {
	grep -lsF "$W/" /proc/[0-9]*/environ 2>/dev/null |
		sed 's,/proc/\([0-9]*\)/.*,\1,' | while read -r pid; do
		# not ourselves, and not what this test started for itself
		case $(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") in
		'' | *kill.t* | grep* | sed* | tr*) ;;
		*) echo "$pid" ;;
		esac
	done
}
gone() { test -z "$(alive)"; }
q() { sqlite3 -cmd '.timeout 5000' "$TERA_STORE" "$1"; }
# want WHAT GOT WANTED
want() {
	[ "$2" = "$3" ] || echo "$1: got $2, want $3"
}

# The objects that a ref or a bundle leads to.
reachable() {
	{
		git --git-dir="$W/p.git" rev-list --objects --all
		for m in "$W"/state/mirror/*.git; do
			[ ! -d "$m" ] || git --git-dir="$m" rev-list --objects \
				--exclude='refs/worktree/*' --all
		done
		for b in "$W"/state/bundle/*.bundle; do
			[ -f "$b" ] || continue
			git clone -q --mirror "$b" "$b.git" 2>/dev/null ||
				git --git-dir="$m" bundle verify -q "$b" ||
				echo "a bad bundle: $b" >&2
			[ ! -d "$b.git" ] ||
				git --git-dir="$b.git" rev-list --objects --all
		done
	} | cut -c 1-40 | sort -u
}

# What must hold after the drain; a line for each thing that does not.
check() {
	state=$(q "SELECT state FROM job")
	reason=$(q "SELECT coalesce(reason, '') FROM job")
	run=$W/state/run/$(q "SELECT id FROM job")
	case $state in
	completed)
		want 'completed attempts' "$(q "SELECT count(*) FROM attempt
			WHERE outcome = 'completed'")" 1
		want 'open pull requests' "$(q "SELECT count(*) FROM pr
			WHERE state = 'open'")" 1
		want 'pull requests' "$(q "SELECT count(*) FROM pr")" 1
		want 'column' "$(q "SELECT column_id FROM ticket")" in_review
		head=$(git --git-dir="$W/p.git" rev-parse "ticket-$ticket")
		want "head of the pull request" \
			"$(q "SELECT head_oid FROM pr")" "$head"
		mkdir "$W/look"
		git --git-dir="$W/p.git" archive "$head" | tar -x -C "$W/look"
		(cd "$W/look" && sh test.sh) || echo 'its tests do not pass'
		;;
	failed)
		case $reason in
		'' | ok) echo "failed without a reason: $(q "SELECT message FROM job")" ;;
		esac
		;;
	*) echo "the job is $state" ;;
	esac
	want 'times completed' "$(q "SELECT count(*) FROM event
		WHERE noun = 'job' AND what = 'completed'")" \
		"$([ "$state" = completed ] && echo 1 || echo 0)"
	want 'attempts that did not end' \
		"$(q "SELECT count(*) FROM attempt WHERE ended_at IS NULL")" 0
	want 'integrity' "$(q 'PRAGMA integrity_check')" ok
	tera-audit >/dev/null 2>"$W/audit" || echo "audit: $(cat "$W/audit")"
	wait_for 3 gone || for pid in $(alive); do
		echo "still there: $pid $(tr '\0' ' ' <"/proc/$pid/cmdline")"
	done
	for lock in "$run/lock" "$W"/state/coordinate/*.lock \
		"$W"/state/mirror/*.lock "$W"/*gate*; do
		[ ! -f "$lock" ] || flock -n "$lock" true || echo "locked: $lock"
	done
	reachable >"$W/reachable"
	cut -d ' ' -f 1 "$JOURNAL" | sort -u | comm -23 - "$W/reachable" >"$W/lost"
	while read -r blob; do
		echo "lost: $(grep "$blob" "$JOURNAL")"
	done <"$W/lost"
	if [ -d "$run/work" ]; then
		want 'uncommitted' "$(git -C "$run/work" status --porcelain)" ''
		git -C "$run/work" rev-parse HEAD | comm -23 - "$W/reachable" |
			sed 's/^/head of the work tree is nowhere: /'
	fi
	[ -s "$JOURNAL" ] || echo 'the worker never wrote'
}

# one N: leaves what went wrong in wN/wrong, what was done in wN/did
one() {
	i=$1
	enter "$i"
	begun=$(now)
	coordinate >"$W/out" 2>"$W/err" &
	pid=$!
	ms=$(awk -v s=$((seed + i)) -v d="$span" \
		'BEGIN { srand(s); print int(rand() * d) }')
	"$TOP/tests/killer" $((seed + i)) "$ms" "$W/" >"$W/did"
	wait "$pid" 2>/dev/null
	first=$(($(now) - begun))
	# A pipe that lost its shell goes on, and has the lock as long.
	[ ! -f "$W/state/coordinate/drain.lock" ] ||
		timeout 60 flock "$W/state/coordinate/drain.lock" true
	rc=0
	coordinate >>"$W/out" 2>>"$W/err" || rc=$?
	{
		case $rc in 0 | 1) ;; *) echo "tera-coordinate -d ended with $rc" ;; esac
		check
	} >"$W/wrong" 2>&1
	printf '%s after %s ms of %s and %s: %s, try %s\n' "$(cat "$W/did")" \
		"$ms" "$first" $(($(now) - begun - first)) \
		"$(q "SELECT state || ' ' || coalesce(reason, '') FROM job")" \
		"$(q "SELECT count(*) FROM attempt")" >"$W/did.full"
}

# --- how long a run lasts that nobody disturbs ---

(
	enter 0
	begun=$(now)
	coordinate >"$W/out" 2>"$W/err"
	echo $(($(now) - begun)) >"$T/span"
	check >"$W/wrong" 2>&1
)
is 'a run that nobody disturbs' "$(cat w0/wrong)" ''
[ ! -s w0/wrong ] || cat w0/err
span=$(cat span)
note "$span ms"
span=$((span * 3 / 2))

# --- the runs ---

i=1 done=0 late=0
while [ "$i" -le "$kills" ]; do
	pids='' first=$i
	while [ "$i" -le "$kills" ] && [ $((i - first)) -lt "$at_once" ]; do
		(one "$i") &
		pids="$pids $!"
		i=$((i + 1))
	done
	# shellcheck disable=SC2086 # numbers
	wait $pids
	while [ "$first" -lt "$i" ]; do
		[ -s "w$first/did" ] || late=$((late + 1))
		if [ -s "w$first/wrong" ] || [ ! -f "w$first/wrong" ]; then
			flunk "run $first, seed $((seed + first)): $(cat "w$first/did.full")"
			note "$(cat "w$first/wrong")"
			note "$(tail -n 20 "w$first/err")"
			[ -z "${KILL_KEEP-}" ] || cp -r "w$first" "$KILL_KEEP/"
		else
			pass "run $first: $(cat "w$first/did.full")"
			done=$((done + 1))
		fi
		rm -rf "w$first"
		first=$((first + 1))
	done
done
note "$kills runs, $done good, $late ended before they were killed"
done_testing
