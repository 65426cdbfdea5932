#!/bin/sh
# The demo: replayed in a path with a blank, from an installed tree, with an
# agent killed on the way; live against tests/model; and whether the recording
# that ships is what such a run gives.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016 # evaluated by the shells that are called
. "${0%/*}/lib.sh"
set -u
unset GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL

# --- replayed ---

cp -R "$TOP/share/demo" shipped
ok 'the demo runs' timeout 120 "$TOP/share/demo/run" -C 'a place'
cp out told
like 'it says that the answers are recorded' "$(cat told)" 'RECORDED'
unlike 'no colour in a file' "$(cat told)" "$(printf '\033')"
is 'the tree is as it was' \
	"$(diff -r shipped "$TOP/share/demo" && echo same)" same
sh -c '. "./a place/env"
	tera-ls pr >pr-list
	tera-ls job >job-list
	tera-pr show 3 >pr3'
is 'three pull requests' "$(wc -l <pr-list)" 3
is 'their tests passed' "$(jq -r .verify.verdict pr-list | sort -u)" pass
is 'one is merged' "$(jq -r .state pr-list | sort | tr '\n' ' ')" 'merged open open '
is 'four jobs, each at the first try' \
	"$(jq -r '"\(.kind) \(.state) \(.tries)"' job-list | sort | uniq -c |
		tr -s ' \n' ' ')" ' 1 review completed 1 3 ticket completed 1 '
is 'a comment and its answer' "$(jq -c '[.comments[] | .bot]' pr3)" '[false,true]'
is 'on file and line' "$(jq -r '.comments[0].path' pr3)" dur.c
is 'two commits on the branch' "$(git -C 'a place/remote.git' rev-list --count \
	"main..$(jq -r .head_branch pr3)")" 2
grep '^  export PATH=.*:\$PATH$' told >path || :
ok 'the line for a new shell makes the commands be found' \
	env -i PATH=/usr/bin:/bin sh -c '. ./path && command -v tera-coordinate'
like 'one red verify' "$(cat told)" 'verify: fail'
like 'one rejected plan' "$(cat told)" 'plan-review: reject'
is 'every recorded answer was used' "$(grep -c . 'a place/recording.used')" \
	"$(wc -l <"$TOP/share/demo/recording.jsonl")"
ok 'what is left can be merged' sh -c \
	'. "./a place/env" && for n in $(tera-pr list state=open | jq .number); do
		tera-pr diff $n && tera-pr merge $n || exit; done
	git clone -q "a place/remote.git" merged && make -s -C merged check'
like 'and all of it together passes' "$(cat out)" '14 checks, 0 failed'

# --- installed, one after another; an agent is killed ---

mkdir -p inst/bin inst/share
cp "$B"/bin/* inst/bin
cp -R "$TOP/share" inst/share/tera
env -u TERA_SHARE PATH="${PATH#*:}" B="$T/none" \
	timeout 120 inst/share/tera/demo/run -j 1 -C "$T/killed" >told 2>err &
demo=$!
running() {
	agent=
	for p in /proc/[0-9]*; do
		case $(tr '\0' ' ' 2>/dev/null <"$p/cmdline") in
		*"$T/inst/bin/tera-agent "*) ;;
		*) continue ;;
		esac
		agent=${p#/proc/}
		grep -q verify "$T"/killed/state/run/*/talk 2>/dev/null && return
	done
	return 1
}
ok 'an agent is at work' wait_for 60 running
running
kill -9 "$agent" 2>/dev/null || note 'it had ended'
s=0
wait "$demo" || s=$?
is 'installed, and an agent killed: the demo ends well' "$s" 0
[ "$s" -eq 0 ] || note "$(cat err)"
like 'with the installed commands' "$(cat killed/env)" "PATH='?$T/inst/bin:"

# --- live ---

ok 'live, against a model; recorded' timeout 120 "$TOP/tests/demo-record" new
like 'it says that it is live' "$(cat out)" 'asked live: http://127'
shape() {
	jq -cS '{request, response: (.response | {role, content, tool_calls, usage})}' "$1"
}
shape "$TOP/share/demo/recording.jsonl" | sort >want
shape new | sort >got
ok 'the recording that ships fits; else: tests/demo-record share/demo/recording.jsonl' \
	cmp want got

# --- misuse ---

exits 'a directory that is not empty' 73 "$TOP/share/demo/run" -C "$T"
exits 'no such flag' 64 "$TOP/share/demo/run" -x
exits 'record= without a model' 78 "$TOP/share/demo/run" record=rec
cp -R "$TOP/share" other
head -n 1 "$TOP/share/demo/recording.jsonl" >other/demo/recording.jsonl
exits 'a recording that does not fit: not as told' 1 \
	env B="$B" PATH="$B/bin:$PATH" other/demo/run -C unfit
like 'says what is wrong' "$(cat err)" 'the same error|no answer'

done_testing
