#!/bin/sh
# tera-verify: verdicts, detection, and that nothing outlives it.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu

sleeps() {
	for p in /proc/[0-9]*; do
		if tr '\0' ' ' 2>/dev/null <"$p/cmdline" | grep -q "^sleep $1 "
		then
			return 0
		fi
	done 2>/dev/null
	return 1
}

# The verdict of a command in work/.
verdict() {
	c=$1
	shift
	printf '{"workspace":"%s/work"}\n' "$T" | tera-verify "$@" "$c" >rec
	sed 's/.*"verdict":"\([a-z]*\)".*/\1/' rec
}

mkdir -p work run
is "pass" "$(verdict true)" pass
like "what it adds" "$(cat rec)" \
	'^\{"workspace":"[^"]*","verify":\{"verdict":"pass","command":"true","exit":0,"ms":[0-9]+,"tail":""\}\}$'
is "fail" "$(verdict 'echo one; echo two >&2; exit 3')" fail
like "status and output" "$(cat rec)" '"exit":3,.*"tail":"one\\ntwo\\n"'
is "no such program: error" "$(verdict no-such-program-here)" error
is "not executable: error" "$(verdict /)" error
is "a crash: fail" "$(verdict 'sh -c "kill -SEGV \$\$"; exit $?')" fail
is "killed: unknown" "$(verdict 'kill -9 $$')" unknown
is "hangs: unknown" "$(verdict 'trap "" TERM; while :; do sleep 1; done' -t 1)" \
	unknown
is "hangs, TERM is enough" "$(verdict 'sleep 50' -t 1)" unknown
like "exit 124" "$(cat rec)" '"exit":124'
u=$$
verdict "(setsid setsid sleep 2$u.1 &); sleep 2$u.1" -t 1 >/dev/null
not_ok "its daemons are gone" sleeps "2$u.1"
TERA_SANDBOX=none verdict "(setsid setsid sleep 2$u.2 &); sleep 2$u.2" -t 1 \
	>/dev/null
not_ok "without bubblewrap, too" sleeps "2$u.2"
is "a daemon that is left does not hold us" "$(TERA_SANDBOX=none \
	verdict "(setsid sleep 2$u.3 &); true")" pass
not_ok "and is ended" sleeps "2$u.3"

# --- output ---
# shellcheck disable=SC2016 # for the command
TERA_RUN_DIR=$T/run TERA_MODEL_KEY=quite-secret-1 verdict \
	'i=0; while [ $i -lt 3000 ]; do echo "line $i äöü"; i=$((i+1)); done
	printf "\377 quite-sec"; sleep 0.1; echo "ret-1 end"' >/dev/null
like "the end is kept" "$(cat rec)" 'line 2999 äöü\\n� \*\*\* end\\n"'
not_ok "the beginning is not" grep -q 'line 1000' rec
is "all of it is in the run's directory" "$(wc -l <run/verify.1.log)" 3001
not_ok "masked" grep -q quite-secret run/verify.1.log
TERA_RUN_DIR=$T/run verdict 'echo again' >/dev/null
is "a second one" "$(cat run/verify.2.log)" again

# --- which command ---
printf '{"workspace":"%s/work","x":1}\n' "$T" >in
tera-verify <in >rec
like "none is not pass" "$(cat rec)" \
	'"x":1,"verify":\{"verdict":"none","command":null\}'
exits "-C: none" 1 tera-verify -C work
exits "-C: no such directory" 66 tera-verify -C nowhere
printf 'all:\n\ntest: all\n\t@echo tested\n' >work/Makefile
tera-verify <in >rec
like "detected" "$(cat rec)" '"pass","command":"make test",.*"tested\\n"'
printf '{"workspace":"%s/work","verify_command":"false"}\n' "$T" |
	tera-verify >rec
like "the record's own" "$(cat rec)" '"fail","command":"false"'
printf '{"workspace":"%s/work","limits":{"verify_seconds":1},"verify_command":"sleep 9"}\n' \
	"$T" | tera-verify >rec
like "the record's limit" "$(cat rec)" '"unknown"'

detects() {
	want=$1
	shift
	rm -rf d
	mkdir d
	while [ $# -gt 0 ]; do
		mkdir -p "d/$(dirname "$1")"
		printf '%b' "$2" >"d/$1"
		shift 2
	done
	is "detects $want" "$(tera-verify -C d || :)" "$want"
}
detects "make check" Makefile 'all: x\ncheck test: all\n\ttrue\n'
detects "" Makefile 'CHECK := test\ncheck := x\nall:\n\ttrue\n'
rm -rf d
mkdir d
for f in GNUmakefile Makefile package.json pyproject.toml Cargo.toml tests; do
	mkfifo "d/$f"
done
ln -s /dev/zero d/tox.ini
exits "what is no regular file is no sign" 1 timeout 10 tera-verify -C d
detects "npm test" package.json '{"scripts":{"test":"jest"}}'
detects "pnpm test" package.json '{"scripts":{"test":"jest"}}' pnpm-lock.yaml ''
detects "" package.json \
	'{"scripts": {\n"test": "echo \\"Error: no test specified\\" && exit 1"}}'
detects "cargo test" Cargo.toml '[package]\n'
detects "go test ./..." go.mod 'module x\n'
detects "PYTHONDONTWRITEBYTECODE=1 python3 -m pytest -q -p no:cacheprovider" \
	pyproject.toml '[tool.pytest.ini_options]\n'
detects "PYTHONDONTWRITEBYTECODE=1 python3 -m unittest discover -s tests" \
	pyproject.toml '[project]\n' tests/test_a.py 'import unittest\n'
detects "tox" tox.ini '[tox]\n'
detects "mvn -B test" pom.xml '<project/>'
detects "./mvnw -B test" pom.xml '<project/>' mvnw ''
detects "./gradlew test" gradlew '' build.gradle.kts ''
detects "mix test" mix.exs ''
detects "composer test" composer.json '{"scripts":{"test":"phpunit"}}'
detects "bundle exec rake test" Gemfile '' Rakefile 'Rake::TestTask.new\n'
detects "dune test" dune-project ''
detects "swift test" Package.swift ''
detects "dotnet test" x.csproj ''
detects "stack test" stack.yaml '' x.cabal ''
detects "cabal test" x.cabal ''
detects "deno test --allow-all" deno.json '{}'
detects "prove -lr t" t/a.t ''
is "detects CMake, and builds outside of the tree" \
	"$(mkdir c && echo 'enable_testing()' >c/CMakeLists.txt &&
		tera-verify -C c | grep -c mktemp)" 1

# --- records ---
printf '%s\n' '{"error":{"code":1},"workspace":"/"}' '{bad' '{"x":1}' \
	'{"workspace":"/no/such/dir"}' >in
set +e
tera-verify true <in >rec 2>log
rc=$?
set -e
is "broken input" "$rc" 65
like "names its line" "$(cat log)" '^tera-verify: line 2: not JSON$'
is "an error goes through" "$(head -n 1 rec)" \
	'{"error":{"code":1},"workspace":"/"}'
is "no workspace" "$(sed -n 2p rec)" \
	'{"x":1,"error":{"stage":"verify","code":65,"message":"no workspace"}}'
like "no such workspace" "$(sed -n 3p rec)" '"code":65'
exits "usage" 64 tera-verify -t 0
exits "two commands" 64 tera-verify true true
exits "-C and a command" 64 tera-verify -C work true
# shellcheck disable=SC2016 # for the shell
exits "a full disk" 74 sh -c \
	'echo "{\"workspace\":\"$T/work\"}" | tera-verify true >/dev/full'

# --- the sandbox ---
box=$TOP/share/sh/sandbox
echo private >home/private
mkdir -p state/run/x/work
echo store >tera.db
# shellcheck disable=SC2016 # for the sandbox
if TERA_SANDBOX=bwrap sh "$box" work true 2>/dev/null; then
	export TERA_SANDBOX=bwrap HOME TERA_STORE TERA_STATE
	not_ok "hides the home" sh "$box" work cat "$T/home/private"
	not_ok "hides the store" sh "$box" work cat "$T/tera.db"
	not_ok "hides other runs" sh "$box" state/run/x/work ls "$T/state/mirror"
	ok "a workspace below the state" sh "$box" state/run/x/work touch here
	ok "writes the workspace" test -f state/run/x/work/here
	not_ok "writes nothing else" sh "$box" work touch "$T/else" /etc/tera-test
	not_ok "nor outside, in fact" test -e "$T/else"
	is "another home" "$(sh "$box" work sh -c 'echo "$HOME"')" /tmp/home
	not_ok "no process of others" sh "$box" work \
		sh -c 'test -d /proc/'"$$"' && grep -q sandbox /proc/'"$$"'/cmdline'
	mkdir -p more
	ok "write=" sh "$box" write=more work touch "$T/more/file"
	not_ok "read=" sh "$box" read=more work touch "$T/more/other"
	ok "read= is seen" sh "$box" read=more work ls "$T/more/file"
	is "-O: no network but lo" "$(sh "$box" -O work \
		sh -c 'grep -c : /proc/net/dev')" 1
	git init -q repo.git 2>/dev/null
	git -C repo.git -c user.name=a -c user.email=a@b commit -q \
		--allow-empty -m first
	git -C repo.git worktree add -q "$T/tree" 2>/dev/null
	ok "git reads a worktree" sh "$box" tree git log --oneline
	not_ok "but makes no ref" sh "$box" tree git branch planted
	not_ok "and no setting" sh "$box" tree git config core.fsmonitor evil
	not_ok "nor another .git" sh "$box" tree sh -c 'rm -f .git; echo x >.git'
	exits "exit status" 7 sh "$box" work sh -c 'exit 7'
	exits "not found" 127 sh "$box" work no-such-program
else
	skip 19 "bubblewrap is not there or not permitted"
fi
export TERA_SANDBOX=none
is "variables are an allow-list" "$(SECRET_X=abc TERA_MODEL_KEY=k \
	TERA_SANDBOX_ENV='GIVEN' GIVEN=1 sh "$box" work env |
	grep -Ec '^(SECRET_X|TERA_MODEL_KEY|TERA_SANDBOX|GIVEN)')" 1
like "without bubblewrap: says so with -v" \
	"$(sh "$box" -v work true 2>&1)" 'not isolated'
is "and is quiet without" "$(sh "$box" work true 2>&1)" ''
exits "usage of sandbox" 64 sh "$box" work
exits "no workspace for sandbox" 66 sh "$box" nowhere true
done_testing
