# shellcheck shell=bash
# Completion for tera and all tera-* commands in bash(1).
#
#     . contrib/completion/tera.bash
#
# Nothing about a command is written here but what its operands name: flags
# and keys come from its usage, nouns, verbs and their keys from "tera-call",
# names and numbers of things from the store.  Where the store does not answer there
# is nothing to offer, and no message.

declare -gA _tera_usages=()
_tera_verbs=

# The usage text of command $1, asked once.
_tera_usage() {
	if [[ -z ${_tera_usages[$1]+x} ]]; then
		_tera_usages[$1]=$("$1" --help 2>/dev/null </dev/null)
	fi
	REPLY=${_tera_usages[$1]}
}

# All verbs, "NAME keys...", a line each.
_tera_all_verbs() {
	if [[ -z $_tera_verbs ]]; then
		_tera_verbs=$(tera-call 2>/dev/null | sed -n \
			's/^{"verb":"\([a-z_.]*\)".*"in":"\(.*\)"}$/\1 \2/p')
	fi
}

# Nouns that have the verb $1 (list, show, ...).
_tera_nouns() {
	_tera_all_verbs
	sed -n "s/^\\([a-z_]*\\)\\.$1 .*/\\1/p" <<<"$_tera_verbs"
}

# The keys that verb $1 takes, as key=
_tera_keys() {
	_tera_all_verbs
	local line
	while read -r line; do
		if [[ $line == "$1 "* ]]; then
			tr ' ' '\n' <<<"${line#* }" |
				sed 's/:.*//; s/$/=/; /^=$/d'
		fi
	done <<<"$_tera_verbs"
}

# What things of noun $1 are called; more operands of tera-ls may follow.
_tera_things() {
	case $1 in
	project)
		tera-ls project 2>/dev/null | sed -n \
			's/^{"number":\([0-9]*\),"id":"[^"]*","name":"\([A-Za-z0-9._-]*\)".*/\2/p'
		tera-ls project 2>/dev/null | sed -n 's/^{"number":\([0-9]*\),.*/\1/p'
		;;
	setting)
		tera-ls setting 2>/dev/null | sed -n 's/^{"key":"\([^"]*\)".*/\1/p'
		;;
	graph | board) _tera_things project ;;
	*)
		tera-ls "$@" 2>/dev/null |
			sed -n 's/^{"number":\([0-9]*\),.*/\1/p' | tail -n 200
		;;
	esac
}

# Files of share/ of a sort: the user's, then ours.
_tera_share() {
	local dir bin
	bin=$(type -P tera-call)
	for dir in "${TERA_CONFIG:-${XDG_CONFIG_HOME:-$HOME/.config}/tera}" \
		"${TERA_SHARE:-/nonexistent}" "${bin%/*}/../share/tera" \
		"${bin%/*}/../../share"; do
		[[ -d $dir/$1 ]] && (cd "$dir/$1" && printf '%s\n' *)
	done
}

_tera_columns() {
	local p
	for p in $(_tera_things project | head -n 5); do
		tera-show board "$p" 2>/dev/null
	done | grep -o '{"id":"[A-Za-z0-9_-]*","title"' | cut -d'"' -f4 | sort -u
}

# Words for the argument that the usage calls $1, of command $2.
_tera_argument() {
	case $1 in
	project) _tera_things project ;;
	ticket) _tera_things ticket ;;
	job) _tera_things job ;;
	pr) _tera_things pr ;;
	kind) printf '%s\n' ticket setup review ;;
	noun) printf '%s\n' project ticket job attempt log pr board graph ;;
	column) _tera_columns ;;
	engine) _tera_share engine ;;
	tool) _tera_share worker ;;
	method) printf '%s\n' merge squash rebase ;;
	outcome) printf '%s\n' cancelled paused pending
		[[ $2 == tera-cancel ]] || printf '%s\n' completed failed ;;
	directory) compgen -d -- "$cur" ;;
	esac
}

# The keys that the usage names itself: "[ticket=ticket]", "[input@file]".
_tera_usage_keys() {
	grep -oE '(^|[[{ |])[a-z_]+(:=|[=@])' <<<"$usage" |
		sed 's/^[^a-z]//' | grep -vxE '(key|name)='
}

# Words for operand number $2 (from 0) of command $1; $3 is the one before it
# and $4 the first.
_tera_operand() {
	case $1 in
	tera-ls | tera-show | tera-set | tera-add | tera-rm)
		local verb=${1#tera-}
		case $verb in ls) verb=list ;; rm) verb=remove ;; esac
		if [[ $2 -eq 0 ]]; then
			# a token is made by tera-token
			_tera_nouns "$verb" | grep -vx token
			[[ $verb != add ]] || echo setting
			return
		fi
		case $verb in
		show) _tera_things "$4" ;;
		remove)
			_tera_things "$4"
			_tera_keys "$4.remove" | grep -vx "$4="
			;;
		set) if [[ $2 -eq 1 ]]; then _tera_things "$4"; else
			_tera_keys "$4.set" | grep -vx "$4="; fi ;;
		*) _tera_keys "$4.$verb"
			[[ $4 != setting ]] || _tera_keys setting.set ;;
		esac
		return
		;;
	tera-http)
		[[ $2 -ne 0 ]] || {
			_tera_all_verbs
			cut -d' ' -f1 <<<"$_tera_verbs"
		}
		;;
	tera-call)
		if [[ $2 -eq 0 ]]; then
			_tera_all_verbs
			cut -d' ' -f1 <<<"$_tera_verbs"
		else
			_tera_keys "$4"
		fi
		;;
	tera-move)
		_tera_things ticket
		[[ $2 -eq 0 ]] || _tera_columns
		;;
	tera-enqueue)
		_tera_things ticket
		_tera_keys job.add | grep -vx ticket=
		;;
	tera-board | tera-graph) _tera_things project ;;
	tera-cancel) _tera_things job ;;
	tera-claim | tera-finish | tera-renew | tera-log | tera-context)
		[[ $2 -ne 0 ]] || _tera_things job ;;
	tera-pr)
		if [[ $2 -eq 0 ]]; then
			printf '%s\n' list show look diff files review comment approve merge close
		elif [[ $2 -eq 1 ]]; then
			_tera_things pr
		fi
		;;
	tera-token) [[ $2 -ne 0 ]] || printf '%s\n' add ls rm ;;
	tera-json) [[ $2 -ne 0 ]] || printf '%s\n' get sh set new ;;
	tera-prompt) _tera_share prompt | sed 's/\.md$//' ;;
	tera-import | tera-init | tera-talk) [[ $2 -ne 0 ]] || compgen -f -- "$cur" ;;
	tera-coordinate | tera-hold | tera-run) [[ $2 -ne 0 ]] || compgen -c -- "$cur" ;;
	esac
	_tera_usage_keys
}

# Fills COMPREPLY with those of the words on standard input that begin like cur.
_tera_offer() {
	local word
	while IFS= read -r word; do
		[[ -n $word && $word == "$cur"* ]] && COMPREPLY+=("$word")
	done < <(sort -u)
	if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=@] ]]; then
		compopt -o nospace 2>/dev/null
	fi
	return 0
}

_tera() {
	local cur=${COMP_WORDS[COMP_CWORD]} cmd=${COMP_WORDS[0]##*/} at=1
	local i n=0 first='' before='' flag arg word usage
	COMPREPLY=()
	if [[ $cmd == tera ]]; then
		if [[ $COMP_CWORD -eq 1 || (${COMP_WORDS[1]} == help &&
			$COMP_CWORD -eq 2) ]]; then
			_tera_offer < <(compgen -c tera- | sed 's/^tera-//'
				[[ $COMP_CWORD -eq 2 ]] || echo help)
			return
		fi
		cmd=tera-${COMP_WORDS[1]} at=2
	fi
	type -P "$cmd" >/dev/null || return 0
	_tera_usage "$cmd"
	usage=$REPLY
	for ((i = at; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ $word == -?* && $n -eq 0 ]]; then
			flag=${word: -1}
			if [[ $usage =~ -$flag\ ([a-z_|=,.]+) &&
				$usage != *"[-$flag]"* ]]; then
				arg=${BASH_REMATCH[1]}
				if ((++i == COMP_CWORD)); then
					_tera_offer < <(_tera_argument "$arg" "$cmd")
					return
				fi
			fi
			continue
		fi
		[[ $n -gt 0 ]] || first=$word
		before=$word
		n=$((n + 1))
	done
	if [[ $cur == -* && $n -eq 0 ]]; then
		_tera_offer < <(grep -oE '(^|[[ {(|])-[A-Za-z0-9]+' <<<"$usage" |
			sed 's/.*-//' | grep -o . | sed 's/^/-/'
			printf '%s\n' --help --version)
	else
		_tera_offer < <(_tera_operand "$cmd" "$n" "$before" "$first")
	fi
}

# shellcheck disable=SC2046 # a name has no blanks
complete -F _tera tera $(compgen -c tera- | grep -x 'tera-[a-z-]*' | sort -u)
