#!/bin/sh
# tera-run: outcomes, limits, and that nothing outlives a job.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu

# Is a "sleep $1" running?
sleeps() {
	for p in /proc/[0-9]*; do
		if tr '\0' ' ' 2>/dev/null <"$p/cmdline" | grep -q "^sleep $1 "
		then
			return 0
		fi
	done 2>/dev/null
	return 1
}

# Waits until none is, at most $2 tenths of a second.
gone() {
	i=0
	while sleeps "$1"; do
		i=$((i + 1))
		[ "$i" -le "$2" ] || return 1
		sleep 0.1
	done
}

# Waits until one is.
there() {
	i=0
	while ! sleeps "$1"; do
		i=$((i + 1))
		[ "$i" -le 50 ] || return 1
		sleep 0.1
	done
}

one() {
	printf '%s\n' "$1" >in
	shift
	tera-run -N "$@" <in 2>log
}

u=$$ # makes the numbers below ours

# --- outcomes ---
is "completed" "$(one '{"job_id":"a"}' true)" \
	'{"job_id":"a","outcome":"completed","reason":"ok","exit":0}'
is "failed" "$(one '{"job_id":"a"}' sh -c 'exit 3')" \
	'{"job_id":"a","outcome":"failed","reason":"error","exit":3,"error":{"stage":"agent","code":70,"message":"the agent ended with 3","reason":"error"}}'
is "killed by a signal" "$(one '{"job_id":"a"}' sh -c 'kill -9 $$')" \
	'{"job_id":"a","outcome":"failed","reason":"error","exit":137,"error":{"stage":"agent","code":70,"message":"the agent ended with 137","reason":"error"}}'
like "no such command" "$(one '{"job_id":"a"}' no-such-command)" \
	'"reason":"error","exit":127,"error":.*"message":"the agent ended with 127: .*no-such-command.*(No such file|not found)'
is "the result is the last object; identity stays" \
	"$(one '{"job_id":"a","fence":4,"x":1}' sh -c 'cat >/dev/null
		echo "{\"turns\":1}"; echo noise
		echo "{\"turns\":2,\"job_id\":\"b\",\"fence\":9}"')" \
	'{"job_id":"a","fence":4,"x":1,"turns":2,"outcome":"completed","reason":"ok","exit":0}'
like "what is not the result is output" "$(cat log)" '^\{"turns":1\}$'
like "noise too" "$(cat log)" '^noise$'
is "the record is on standard input" \
	"$(one '{"job_id":"a","title":"t"}' sh -c 'sed s/title/name/')" \
	'{"job_id":"a","title":"t","name":"t","outcome":"completed","reason":"ok","exit":0}'
is "an own outcome" "$(one '{"job_id":"a"}' \
	echo '{"outcome":"paused","reason":"user"}')" \
	'{"job_id":"a","outcome":"paused","reason":"user","exit":0}'
like "completed and exit 1 is failed" "$(one '{"job_id":"a"}' \
	sh -c 'echo "{\"outcome\":\"completed\",\"reason\":\"ok\"}"; exit 1')" \
	'"outcome":"failed","reason":"error","exit":1'
like "an outcome that is none is failed" \
	"$(one '{"job_id":"a"}' echo '{"outcome":"great"}')" \
	'"outcome":"failed","reason":"error"'
for c in '65 failed error' '69 failed error' '78 failed config' \
	'75 pending error'; do
	# shellcheck disable=SC2086 # three words
	set -- $c
	like "error $1" "$(one '{"job_id":"a"}' echo \
		"{\"error\":{\"stage\":\"x\",\"code\":$1,\"message\":\"m\"}}")" \
		"\"outcome\":\"$2\",\"reason\":\"$3\""
done
like "an error's reason and run_after" "$(one '{"job_id":"a"}' echo \
	'{"error":{"code":75,"reason":"budget","run_after":"2030-01-01T00:00:00Z"}}')" \
	'"outcome":"pending","reason":"budget","run_after":"2030-01-01T00:00:00Z"'

# --- input ---
printf '%s\n' '{"job_id":"a"}' '{broken' '{"job_id":"b","error":{"code":69}}' \
	'{"job_id":"../../etc"}' '{"job_id":"c"}' >in
set +e
tera-run -N true <in >recs 2>log
rc=$?
set -e
is "broken input: exit 65" "$rc" 65
like "it names its line" "$(cat log)" '^tera-run: line 2: not JSON$'
is "the others run" "$(grep -c completed recs)" 2
is "a record with an error goes through" "$(grep '"b"' recs)" \
	'{"job_id":"b","error":{"code":69}}'
like "an id is no path" "$(grep etc recs)" '"stage":"run","code":65'
exits "usage" 64 tera-run -j 0 true
exits "no such engine" 69 tera-run -N -e no-such-engine true
exits "a full disk" 74 sh -c 'echo "{\"job_id\":\"a\"}" |
	tera-run -N true >/dev/full'
awk 'BEGIN { printf "{\"job_id\":\"a\",\"x\":\""
	for (i = 0; i < 1100000; i++) printf "x"
	print "\"}"; print "{\"job_id\":\"b\"}" }' >in
set +e
tera-run -N true <in >recs 2>log
rc=$?
set -e
is "a line over the limit: exit 65" "$rc" 65
is "the next one runs" "$(cat recs)" \
	'{"job_id":"b","outcome":"completed","reason":"ok","exit":0}'

# --- the run's directory and environment ---
# shellcheck disable=SC2016 # for the agent
one '{"job_id":"dir","limits":{"seconds":9}}' sh -c 'env; pwd; ulimit -c' \
	>recs
like "its own directory" "$(cat log)" "^$T/state/run/dir\$"
is "private" "$(stat -c %a state/run/dir)" 700
is "job.json" "$(cat state/run/dir/job.json)" \
	'{"job_id":"dir","limits":{"seconds":9}}'
like "TERA_JOB_ID" "$(cat log)" '^TERA_JOB_ID=dir$'
like "the limit is told" "$(cat log)" '^TERA_LIMIT_SECONDS=9$'
SOME_TOKEN=not-for-agents TERA_MODEL_KEY=quite-secret-1 TERA_SECRETS='line one x
line two x' one '{"job_id":"env"}' sh -c \
	'env; printf "line o"; sleep 0.2; echo "ne x, line two x."' >recs
not_ok "no other variables" grep -q not-for-agents log
not_ok "secrets are masked" grep -q quite-secret log
like "also when they come in pieces" "$(cat log)" '^\*\*\*, \*\*\*\.$'

# --- the engine local: built in, the user's own, and the pattern for others ---
# shellcheck disable=SC2016 # for the agent
probe='env | sort; pwd; cat; nice; ls -l /proc/self/fd/3 | sed "s/.*-> //"
	cut -d" " -f1,5,6 /proc/$$/stat | tr " " "\n" | uniq | wc -l'
one '{"job_id":"e"}' sh -c "$probe" >recs
cp log built-in
like "built in" "$(cat log)" '^TERA_ENGINE=local$'
like "in PWD" "$(cat log)" "^PWD=$T/state/run/e\$"
is "its own session and group" "$(tail -n 1 log)" 1
mkdir -p config/engine
cp "$TOP/share/engine/local" config/engine/local
one '{"job_id":"e"}' sh -c "$probe" >recs
is "the pattern does the same" "$(cat log)" "$(cat built-in)"
cp "$TOP/share/engine/local" config/engine/mine
like "a copy under another name" "$(one '{"job_id":"e"}' -e mine env)" \
	'"completed"'
like "which it knows" "$(cat log)" '^TERA_ENGINE=mine$'
printf '#!/bin/sh\nexit 9\n' >config/engine/local
like "the user's own" "$(one '{"job_id":"e"}' true)" \
	'"failed","reason":"error","exit":9'
like "said with -e, too" "$(one '{"job_id":"e"}' -e local true)" '"exit":9'
mv config/engine/local nine
like "a relative command, seen from here" "$(one '{"job_id":"e"}' ./nine)" \
	'"exit":9'
echo 'exit 8' >bare
chmod +x bare
like "a script without a #! line" "$(one '{"job_id":"e"}' ./bare)" '"exit":8'
like "not executable" "$(one '{"job_id":"e"}' ./in)" '"exit":126'

# --- many ---
i=0
while [ $i -lt 40 ]; do
	echo "{\"job_id\":\"many$i\"}"
	i=$((i + 1))
done >in
tera-run -N -F 0 -j 8 true <in >recs 2>log
is "forty with eight at once" "$(sort -u recs | grep -c completed)" 40
# shellcheck disable=SC2016 # for the agent
tera-run -N -F 0 -j 3 sh -c 'read -r r; printf "{\"seen\":%s}\n" \
	"[\"$TERA_JOB_ID\",\"${PWD##*/}\",\"${TERA_RUN_DIR##*/}\",$r]"' \
	<in >recs 2>log
is "no directory made ahead is left" "$(ls state/run/.next)" ''
is "each has its own" "$(grep -cE '^\{"job_id":("many[0-9]+"),"seen":\[\1,\1,\1,\{"job_id":\1\}\]' recs)" 40
printf '%s\n' '{"job_id":"s","n":1}' '{"job_id":"f","n":0}' >in
# shellcheck disable=SC2016 # for the agent
is "in order of completion" "$(tera-run -N -F 0 -j 2 sh -c \
	'test "$TERA_JOB_ID" = f || sleep 0.7' <in | sed 's/,.*//' | tr '\n' ' ')" \
	'{"job_id":"f" {"job_id":"s" '

# --- at rest ---
mkfifo fifo
tera-run -N true <fifo >recs 2>log &
pid=$!
exec 9>fifo
children() { cat "/proc/$pid/task/$pid/children"; }
one_more() {
	echo '{"job_id":"rest"}' >&9
	wait_for 10 sh -c "test \$(grep -c completed recs) -eq $1"
}
ok "a job" one_more 1
sleep 1.5
is "nothing stays" "$(children)" ''
ok "after a rest" one_more 2
exec 9>&-
wait "$pid"
is "to the end" "$(grep -c completed recs)" 2

# --- limits, and what is left ---
like "the wall clock" "$(one '{"job_id":"t","limits":{"seconds":1}}' sh -c \
	"trap '' TERM; (setsid setsid sleep 1$u.1 &); sleep 1$u.1; sleep 1$u.1")" \
	'"outcome":"failed","reason":"timeout"'
ok "kills what left the session" gone "1$u.1" 0
like "-t" "$(one '{"job_id":"t"}' -t 1 sleep 30)" '"reason":"timeout","exit":143'
like "memory" "$(one '{"job_id":"m","limits":{"memory_mb":20}}' \
	awk 'BEGIN { s = "x"; while (length(s) < 60000000) s = s s
		while (1) getline <"/dev/zero" }')" \
	'"outcome":"failed","reason":"budget"'
one '{"job_id":"d"}' sh -c "(setsid sleep 1$u.2 >/dev/null 2>&1 &); exit 0" >recs
like "an agent that leaves a daemon" "$(cat recs)" '"completed"'
ok "the daemon is gone" gone "1$u.2" 0

# --- the end of the supervisor ---
echo '{"job_id":"k"}' >in
tera-run -N sh -c "(setsid setsid sleep 1$u.3 &) ; sleep 1$u.3; :" \
	<in >recs 2>log &
pid=$!
ok "an agent is there" there "1$u.3"
kill -9 "$pid"
ok "SIGKILL: no process 2 s later" gone "1$u.3" 20
wait "$pid" || :

tera-run -N sh -c "(setsid setsid sleep 1$u.4 &) ; sleep 1$u.4; :" \
	<in >recs 2>log &
pid=$!
there "1$u.4"
guard=
for p in /proc/[0-9]*; do
	if grep -qsx "PPid:	$pid" "$p/status" 2>/dev/null; then
		guard=${p#/proc/}
	fi
done
kill -9 "$guard"
wait "$pid" || :
ok "SIGKILL to the guard: no process" gone "1$u.4" 20
like "and the job has failed" "$(cat recs)" '"failed","reason":"error","exit":137'

printf '%s\n' '{"job_id":"k"}' '{"job_id":"k2"}' >in
tera-run -N sh -c "trap 'echo bye; exit 0' TERM; sleep 1$u.5 & wait" \
	<in >recs 2>log &
pid=$!
there "1$u.5"
kill "$pid"
set +e
wait "$pid"
rc=$?
set -e
is "TERM: exit" "$rc" 143
like "TERM reaches the agent" "$(cat log)" bye
is "its record goes back" "$(grep '"k"' recs)" \
	'{"job_id":"k","outcome":"pending","reason":"lost","exit":0}'
is "and the one that waited" "$(grep '"k2"' recs)" \
	'{"job_id":"k2","outcome":"pending","reason":"lost"}'
ok "nothing is left" gone "1$u.5" 20

# --- an earlier agent of the same job ---
echo '{"job_id":"twice"}' >in
tera-run -N sleep "1$u.6" <in >recs1 2>log1 &
pid=$!
there "1$u.6"
like "the second run" "$(tera-run -N true <in)" '"completed"'
wait "$pid" || :
like "ends the first" "$(cat recs1)" '"failed","reason":"error","exit":137'
ok "whose processes are gone" gone "1$u.6" 0

# Both killed at once: the strays wait for the next run of the job.
echo '{"job_id":"both"}' >in
tera-run -N sh -c "(setsid setsid sleep 2$u.1 &) ; sleep 2$u.1; :" \
	<in >recs 2>log &
pid=$!
there "2$u.1"
guard=
for p in /proc/[0-9]*; do
	if grep -qsx "PPid:	$pid" "$p/status" 2>/dev/null; then
		guard=${p#/proc/}
	fi
done
kill -STOP "$guard"
kill -9 "$pid" "$guard"
wait "$pid" || :
like "after both were killed" "$(tera-run -N true <in)" '"completed"'
ok "the next run ends what was left" gone "2$u.1" 5

# --- with a store ---
new_job() { # prints a claimed record
	tera-call project.add name="p$1" repo_url=/nowhere \
		execution_mode=docker >p
	id=$(sed 's/.*"id":"\([^"]*\)".*/\1/' p)
	tera-call ticket.add project="$id" title=one column_id=backlog >t
	ticket=$(sed 's/^{"number":[0-9]*,"id":"\([^"]*\)".*/\1/' t)
	tera-call ticket.move ticket="$ticket" column_id=in_progress >/dev/null
	tera-call job.claim project="$id" worker=w lease_seconds:="${2-60}" |
		tee claimed
	job=$(sed 's/.*"job_id":"\([^"]*\)".*/\1/' claimed)
}
# How long the last command took, in tenths of a second.
tenths() { echo "$(($(date +%s%N) / 100000000 - $1))"; }

tera-init >/dev/null
new_job 1 >in
cat >chatty <<'X'
echo out
echo quite-secret-1 >&2
awk 'BEGIN { while (i < 60000) print "äöü line " i++ " of many" }'
printf "no newline ä"
X
TERA_MODEL_KEY=quite-secret-1 tera-run sh "$T/chatty" <in >recs 2>log
like "a claimed job" "$(cat recs)" '"outcome":"completed","reason":"ok","exit":0'
is "quiet" "$(cat log)" ''
tera-call log.list job="$job" >logs
like "its output is in the log" "$(cat logs)" '"raw_output":"out\\n'
not_ok "masked" grep -q quite-secret logs
like "in several pieces" "$(grep -c '"step":"output"' logs)" '^[0-9][0-9]$'
like "not cut inside of a character" "$(grep -c '�' logs || :)" '^0$'
if [ "$(wc -c <logs)" -le 1500000 ]; then
	is "capped" yes yes
else
	is "capped" "$(wc -c <logs)" 'at most 1500000'
fi
like "the rest is in a file" "$(grep 'the rest' logs)" \
	"\"raw_file\":\"$T/state/run/$job/output\""
like "to the end" "$(tail -n 1 "state/run/$job/output")" '^no newline ä$'

new_job l >in
cat >longline <<'X'
awk 'BEGIN { while (i++ < 150000) printf "äöü"; print "" }'
X
tera-run sh "$T/longline" <in >recs 2>log
is "a long line" "$(cat log)" ''
tera-call log.list job="$job" >logs
not_ok "is cut between characters" grep -q '�' logs
is "and is whole" "$(grep -o ä logs | wc -l)" 150000

new_job 2 >in
tera-run sh -c "trap 'echo \"{\\\"turns\\\":7}\"; exit 0' TERM
	(setsid setsid sleep 1$u.7 &); sleep 1$u.7 & wait" <in >recs 2>log &
pid=$!
there "1$u.7"
start=$(($(date +%s%N) / 100000000))
tera-call job.cancel job="$job" >/dev/null
wait "$pid" || :
took=$(tenths "$start")
like "cancel" "$(cat recs)" '"turns":7,"outcome":"cancelled","reason":"user","exit":0'
if [ "$took" -le 20 ]; then
	is "within two seconds" yes yes
else
	is "within two seconds" "$took" 20
fi
ok "and the daemon has gone" gone "1$u.7" 0

new_job 3 >in
tera-run sh -c "trap '' TERM; sleep 1$u.8; sleep 1$u.8; sleep 1$u.8" \
	<in >recs 2>log &
pid=$!
there "1$u.8"
start=$(($(date +%s%N) / 100000000))
tera-call job.pause job="$job" >/dev/null
wait "$pid" || :
took=$(tenths "$start")
like "pause of one that ignores TERM" "$(cat recs)" \
	'"outcome":"paused","reason":"user","exit":137'
if [ "$took" -le 50 ]; then
	is "within five seconds" yes yes
else
	is "within five seconds" "$took" 50
fi

new_job 4 2 >in
tera-run sleep 4 <in >recs 2>log &
pid=$!
sleep 3
is "the lease is renewed" "$(tera-call job.watch job="$job" |
	sed 's/.*"state":"\([a-z]*\)".*/\1/')" running
wait "$pid" || :
like "to the end" "$(cat recs)" '"outcome":"completed"'

new_job 5 >in
tera-run sleep "1$u.9" <in >recs 2>log &
pid=$!
there "1$u.9"
# Another worker got it (the sqlite3 shell is one that wakes nobody).
sqlite3 "$TERA_STORE" "UPDATE job SET fence = fence + 1 WHERE id = '$job'"
wait "$pid" || :
like "a lost lease" "$(cat recs)" \
	'"outcome":null,"reason":"lost",.*"error":\{"stage":"run","code":65,"reason":"lost"'
ok "its agent is ended" gone "1$u.9" 0

echo '{"job_id":"x"}' >in
like "not claimed" "$(tera-run true <in)" '"code":65,"message":"no fence'
exits "no store" 78 env TERA_STORE="$T/nowhere.db" tera-run true

# --- what a job does to its guard ---
cat >meddle <<END
#!/bin/sh
case \$TERA_JOB_ID in
m1) kill -STOP \$PPID ;;
m2) prlimit --pid \$PPID --nofile=33:44 && renice -n 3 -p \$PPID >/dev/null ;;
*) echo "\$(prlimit -n -o SOFT,HARD --noheadings) \$(nice)" >"$T/saw.\$TERA_JOB_ID" ;;
esac
END
chmod +x meddle
for i in 0 1 2 3; do echo '{"job_id":"m'$i'"}'; done >meddlers
is "a guard that is stopped goes on" \
	"$(timeout 30 tera-run -N -F 0 ./meddle <meddlers | jq -r .outcome | sort | uniq -c |
		tr -s ' ')" " 4 completed"
is "what one does to its guard is not the next one's" \
	"$(cat saw.m3)" "$(cat saw.m0)"
done_testing
