#!/bin/sh
# contrib/completion/tera.bash
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu
command -v bash >/dev/null || skip_all 'no bash(1)'

# offers WORD...: what is offered for the last one, on one line
offers() {
	# shellcheck disable=SC2016
	bash --norc -c '. "$TOP/contrib/completion/tera.bash"
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_tera 2>&1
		[ "${#COMPREPLY[@]}" = 0 ] || printf "%s\n" "${COMPREPLY[@]}"
	' offers "$@" | tr '\n' ' ' | sed 's/ $//'
}

is "no store: nothing to offer, no message" "$(offers tera-board '')" ""
tera-init -q
tera-add project name=alpha repo_url=/r >/dev/null
tera-add project name='be ta' repo_url=/r >/dev/null
tera-add ticket project=1 title=one >/dev/null
tera-add ticket project=1 title=two >/dev/null
tera-move 1 in_progress >/dev/null
tera-add setting key=max_running value=2 >/dev/null

like "commands" "$(offers tera cl)" '(^| )claim clone$'
is "help, too" "$(offers tera he)" help
is "help's commands" "$(offers tera help coord)" coordinate
is "flags of a command" "$(offers tera-board -)" "--help --version -a"
is "by the umbrella" "$(offers tera board -)" "--help --version -a"
is "and those in one word" "$(offers tera-coordinate -)" \
	"--help --version -1 -F -T -W -d -e -j -k -l -p"
like "nouns" "$(offers tera-ls '')" 'attempt .*job .*project .*ticket'
is "by their beginning" "$(offers tera-ls ti)" ticket
like "nouns that can be added" "$(offers tera-add '')" 'project setting ticket$'
is "projects" "$(offers tera-board '')" "1 2 alpha"
is "for a flag" "$(offers tera-claim -w -p a)" alpha
is "for a flag of the umbrella's command" "$(offers tera claim -w -p a)" alpha
is "kinds" "$(offers tera-claim -k r)" review
is "engines" "$(offers tera-run -e lo)" local
like "tickets and keys" "$(offers tera-enqueue '')" '^1 2 .*priority='
is "keys of the usage" "$(offers tera-log '')" "1 ticket="
is "of a command without a store" "$(offers tera-direct t)" "talk= tokens="
is "of a file" "$(offers tera-direct in)" input@
is "tools" "$(offers tera-run -T s)" shell
is "what becomes of a job" "$(offers tera-cancel -o p)" "paused pending"
is "jobs" "$(offers tera-cancel '')" 1
is "things of a noun" "$(offers tera-show ticket '')" "1 2"
is "the key of a removal" "$(offers tera-rm ticket 1 v)" version=
is "settings" "$(offers tera-rm setting '')" max_running
is "columns" "$(offers tera-move 1 in_)" "in_progress in_review"
like "keys of a noun" "$(offers tera-add ticket ti)" '^title=$'
like "keys that can be set" "$(offers tera-set ticket 1 '')" \
	'acceptance= .*title= version='
is "verbs" "$(offers tera-call job.pa)" job.pause
like "a verb's keys" "$(offers tera-call job.pause '')" '^job= job_id=$'
is "nothing for a command that is not there" "$(offers tera nix '')" ""
# shellcheck disable=SC2016
like "is set up for all commands" "$(bash --norc -c \
	'. "$TOP/contrib/completion/tera.bash"; complete -p tera-ls tera')" \
	'-F _tera tera-ls'
like "works with nounset" "$(bash --norc -uc \
	'. "$TOP/contrib/completion/tera.bash"
	COMP_WORDS=(tera-ls ti) COMP_CWORD=1; _tera; echo "${COMPREPLY[0]}"')" ticket
for c in "$B"/bin/tera-*; do
	# shellcheck disable=SC2016
	bash --norc -c '. "$TOP/contrib/completion/tera.bash"
		complete -p "$1"' x "${c##*/}" >/dev/null 2>&1 || echo "$c"
done >missing
is "every command is known" "$(cat missing)" ""
done_testing
