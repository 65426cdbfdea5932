# What every bench sources: a store of its own, and how a figure is told.
# shellcheck shell=sh
set -eu

HOME=$PWD/home TERA_STORE=$PWD/tera.db TERA_STATE=$PWD/state
TERA_CONFIG=$PWD/config TERA_SHARE=$TOP/share TERA_ACTOR=bench
GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=Bench GIT_AUTHOR_EMAIL=b@example.org
GIT_COMMITTER_NAME=Bench GIT_COMMITTER_EMAIL=b@example.org LC_ALL=C.UTF-8
export HOME TERA_STORE TERA_STATE TERA_CONFIG TERA_SHARE TERA_ACTOR \
	GIT_CONFIG_NOSYSTEM GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL \
	GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL LC_ALL
unset TERA_SYNCHRONOUS TERA_MODEL_URL TERA_MODEL TERA_MODEL_KEY TERA_REPLAY \
	TERA_RECORD AGENT_LLM_URL AGENT_MODEL AGENT_API_KEY PROJECT_ID \
	PROJECT_IDS MAX_CONCURRENT_AGENTS GIT_DIR GIT_WORK_TREE
mkdir -p "$HOME" "$TERA_STATE" "$TERA_CONFIG"

bench_pids=
bench_end() {
	# shellcheck disable=SC2086 # ids of processes
	[ -z "$bench_pids" ] || kill $bench_pids 2>/dev/null || :
	for p in /proc/[0-9]*; do
		case $(readlink "$p/cwd" 2>/dev/null) in
		"$HOME"* | "${HOME%/home}"*)
			[ "${p#/proc/}" = $$ ] || kill -9 "${p#/proc/}" 2>/dev/null || :
			;;
		esac
	done
}
trap bench_end EXIT

# size FULL QUICK: prints the one that this run wants
size() {
	if [ -n "$QUICK" ]; then echo "$2"; else echo "$1"; fi
}
# calc EXPRESSION: of awk
calc() {
	awk "BEGIN { printf \"%.6g\", $1 }"
}
# figure NAME VALUE UNIT [OP GOAL]: prints it; OP is <= or >=
figure() {
	if [ $# -ge 5 ]; then
		verdict=MISSED
		if awk "BEGIN { exit !($2 $4 $5) }"; then verdict=ok; fi
		printf '%-6s %-58s %10.4g %s  (goal %s %s)\n' \
			"$verdict" "$1" "$2" "$3" "$4" "$5"
		goal="\"goal\":\"$4 $5\",\"ok\":$([ $verdict = ok ] && echo true || echo false)"
	else
		printf '%-6s %-58s %10.4g %s\n' '' "$1" "$2" "$3"
		goal='"goal":null,"ok":null'
	fi
	printf '{"at":"%s","bench":"%s","figure":"%s","value":%s,"unit":"%s",%s,"quick":%s}\n' \
		"$(date -u +%FT%TZ)" "$BENCH" "$1" "$2" "$3" "$goal" \
		"$([ -n "$QUICK" ] && echo true || echo false)" >>"$B/bench.jsonl"
}
# gate NAME CMD...: what must hold, or the bench fails
gate() {
	gate_name=$1
	shift
	if "$@" >/dev/null; then
		printf '%-6s %s\n' ok "$gate_name"
	else
		printf '%-6s %s\n' WRONG "$gate_name"
		exit 1
	fi
}
# median: of the numbers on standard input
median() {
	sort -n | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'
}
# ratio of two numbers
over() { calc "$1 / $2"; }
# now: microseconds
now() {
	now_ns=$(date +%s%N)
	echo "${now_ns%???}"
}
# new_store [N [STATE]]: a store with a project, N tickets and a job for each
# (STATE none: no jobs)
new_store() {
	rm -f "$TERA_STORE" "$TERA_STORE"-*
	tera-init -q
	tera-add project name=p repo_url="${repo:-$PWD/none.git}" >/dev/null
	[ $# -eq 0 ] || bare fill "$TERA_STORE" 1 "$1" "${2:-pending}"
}
# hold: a process keeps the store open, as a coordinator does
hold() {
	tera-hold &
	holder=$!
	bench_pids="$bench_pids $!"
	wait_for 5 test -S "$TERA_STORE-hold"
}
release() {
	kill "$holder"
	wait "$holder" 2>/dev/null || :
}
# tree PID: it and all that came from it
tree() {
	echo "$1"
	# shellcheck disable=SC2013 # numbers
	for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do
		tree "$child"
	done
}
# wait_for SECONDS CMD...: until it ends with 0
wait_for() {
	wait_left=$(($1 * 50))
	shift
	until "$@" >/dev/null 2>&1; do
		wait_left=$((wait_left - 1))
		[ "$wait_left" -gt 0 ] || return 1
		sleep 0.02
	done
}
