# What every test sources: TAP, and a small world of its own.
#
# $T is a fresh directory, the working directory, and gone at the end; the
# store, the state, the configuration and HOME are in it.  $TOP is the tree.
# shellcheck shell=sh

TOP=$(cd "$(dirname "$0")/.." && pwd)
B=${B:-build}
case $B in /*) ;; *) B=$TOP/$B ;; esac
T=$(mktemp -d "${TMPDIR:-/tmp}/tera-test.XXXXXX")
test_pids=
at_end() {
	set +e
	for pid in $test_pids; do
		# who has ended may have left its number to somebody else's process
		if grep -q "^PPid:[[:space:]]*$$\$" "/proc/$pid/status" 2>/dev/null; then
			kill "$pid" 2>/dev/null
		fi
	done
	# what a test left running in its own directory goes too
	for p in /proc/[0-9]*; do
		case $(readlink "$p/cwd" 2>/dev/null) in
		"$T"*) [ "${p#/proc/}" = $$ ] || kill -9 "${p#/proc/}" 2>/dev/null ;;
		esac
	done
	cd / && chmod -R u+w "$T" 2>/dev/null
	rm -rf "$T"
}
trap at_end EXIT
trap 'exit 130' INT TERM
mkdir "$T/home" "$T/state" "$T/config"
cd "$T" || exit 1
PATH=$B/bin:$PATH
HOME=$T/home TERA_STORE=$T/tera.db TERA_STATE=$T/state TERA_CONFIG=$T/config
TERA_SHARE=$TOP/share TERA_ACTOR=tester LC_ALL=C.UTF-8 NO_COLOR=1
GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=Tester GIT_AUTHOR_EMAIL=t@example.org
GIT_COMMITTER_NAME=Tester GIT_COMMITTER_EMAIL=t@example.org
export PATH HOME TERA_STORE TERA_STATE TERA_CONFIG TERA_SHARE TERA_ACTOR \
	LC_ALL NO_COLOR TOP T B GIT_CONFIG_NOSYSTEM GIT_AUTHOR_NAME \
	GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL
unset TERARCHITECT_API_URL TERARCHITECT_WORKER_API_KEY TERA_HTTP \
	GATEWAY_INTERFACE LISTEN_FDS LISTEN_PID XDG_CONFIG_HOME XDG_DATA_HOME XDG_STATE_HOME TERA_MODEL_URL TERA_MODEL \
	TERA_MODEL_KEY TERA_MODEL_API TERA_WORKER_URL TERA_WORKER_MODEL \
	TERA_WORKER_KEY TERA_RECORD TERA_REPLAY TERA_JOB_ID TERA_RUN_DIR \
	AGENT_LLM_URL AGENT_MODEL AGENT_API_KEY WORKER_LLM_URL WORKER_MODEL \
	WORKER_API_KEY TERA_SECRETS TERARCHITECT_SECRET_KEY GIT_DIR GIT_WORK_TREE \
	MAKEFLAGS MAKELEVEL MFLAGS MAKEOVERRIDES

# REMOTE=1, REMOTE=cgi: the same test on a store behind tera-serve, listening or
# by CGI, which tera-init starts here (make check-remote).  CGI is lighttpd's, or
# busybox httpd's where that is all there is.
if [ "${REMOTE-}" = cgi ]; then
	REMOTE=busybox
	! PATH=$PATH:/usr/sbin command -v lighttpd >/dev/null || REMOTE=lighttpd
fi
if [ -n "${REMOTE-}" ]; then
	test_port=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(
		Listen => 1, LocalAddr => "127.0.0.1:0")->sockport')
	mkdir "$T/.far"
	cat >"$T/.far/tera-init" <<END
#!/bin/sh
export TERA_STORE="$T/tera.db"
"$B/bin/tera-init" "\$@" || exit
cd "$T/.far" && [ ! -e log ] || exit
"$TOP/tests/far" "$REMOTE" $test_port
END
	chmod +x "$T/.far/tera-init"
	PATH=$T/.far:$PATH TERA_STORE=http://127.0.0.1:$test_port
	[ "$REMOTE" != busybox ] || TERA_STORE=$TERA_STORE/cgi-bin/tera-serve
fi

test_n=0
plan() { echo "1..$1"; }
done_testing() { echo "1..$test_n"; }
report() { # status name
	test_n=$((test_n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $test_n - $2"
	else
		echo "not ok $test_n - $2"
	fi
}
note() { printf '%s\n' "$*" | sed 's/^/# /'; }
skip() { # count reason
	test_i=0
	while [ "$test_i" -lt "$1" ]; do
		test_n=$((test_n + 1)) test_i=$((test_i + 1))
		echo "ok $test_n # SKIP $2"
	done
}
skip_all() { echo "1..0 # SKIP $1"; exit 0; }
pass() { report 0 "$1"; }
flunk() { report 1 "$1"; }

# ok NAME CMD...: it ends with 0; not_ok: with anything else
ok() {
	test_name=$1
	shift
	if "$@" >"$T/out" 2>"$T/err" </dev/null; then
		report 0 "$test_name"
	else
		test_rc=$?
		report 1 "$test_name"
		note "status $test_rc: $*"
		note "$(head -c 1000 "$T/err")"
	fi
}
not_ok() {
	test_name=$1
	shift
	if "$@" >"$T/out" 2>"$T/err" </dev/null; then
		report 1 "$test_name"
		note "ended with 0: $*"
	else
		report 0 "$test_name"
	fi
}
# exits NAME STATUS CMD...: standard input is the test's own
exits() {
	test_name=$1 test_want=$2
	shift 2
	test_rc=0
	"$@" >"$T/out" 2>"$T/err" || test_rc=$?
	if [ "$test_rc" = "$test_want" ]; then
		report 0 "$test_name"
	else
		report 1 "$test_name"
		note "status $test_rc, want $test_want: $*"
		note "$(head -c 1000 "$T/err")"
	fi
}
is() { # name got want
	if [ "$2" = "$3" ]; then
		report 0 "$1"
	else
		report 1 "$1"
		note " got: $2"
		note "want: $3"
	fi
}
like() { # name got extended-regexp
	if printf '%s\n' "$2" | grep -Eq -- "$3"; then
		report 0 "$1"
	else
		report 1 "$1"
		note "   got: $2"
		note "regexp: $3"
	fi
}
unlike() {
	if printf '%s\n' "$2" | grep -Eq -- "$3"; then
		report 1 "$1"
		note "   got: $2"
		note "against: $3"
	else
		report 0 "$1"
	fi
}

# field PATH: of the record on standard input
field() { tera-json get "$1"; }
# a store with a project p that has a bare repository with one commit
world() {
	tera-init -q
	git init -q --bare -b main "$T/p.git"
	git init -q -b main "$T/seed"
	printf 'check:\n\t@sh test.sh\n' >"$T/seed/Makefile"
	printf 'echo ok\n' >"$T/seed/test.sh"
	git -C "$T/seed" add . && git -C "$T/seed" commit -qm 'first'
	git -C "$T/seed" push -q "$T/p.git" main
	tera-add project name=p repo_url="$T/p.git" >/dev/null
}
# wait_for SECONDS CMD...: until it ends with 0
wait_for() {
	test_left=$(($1 * 20))
	shift
	until "$@" >/dev/null 2>&1; do
		test_left=$((test_left - 1))
		[ "$test_left" -gt 0 ] || return 1
		sleep 0.05
	done
}
