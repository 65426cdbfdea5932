# shellcheck shell=sh disable=SC2034
# tera.sh: what our shell commands share; read with `. "$share/sh/tera.sh"`.
# The caller sets `me` to its name.  No function here starts a process unless
# its comment says so: a step of a job has a budget of milliseconds.

# warn message...: one line for people.
warn() {
	printf '%s: %s\n' "${me:-tera}" "$*" >&2
}

# die code message...
die() {
	tera_code=$1
	shift
	warn "$@"
	exit "$tera_code"
}

# share_file NAME: sets file to the user's share/NAME, else to ours ($share);
# empty when there is none.  The order of lib/spawn.h's share_path.
share_file() {
	tera_dir=${TERA_CONFIG-}
	if [ -z "$tera_dir" ]; then
		tera_dir=${XDG_CONFIG_HOME:-${HOME-}/.config}/tera
	fi
	for file in "$tera_dir/$1" "${TERA_SHARE:-$share}/$1" "$share/$1"; do
		[ ! -f "$file" ] || return 0
	done
	file=
}

# now_ms: sets ms to milliseconds of a clock that only goes forward.
now_ms() {
	read -r ms _ </proc/uptime
	ms=${ms%.*}${ms#*.}0
}

# word TEXT: is it a plain name (letters, digits, - and _), fit for a file?
word() {
	case $1 in
	'' | -* | *[!A-Za-z0-9_-]*) return 1 ;;
	esac
}

# state_below NAME: sets dir to NAME below the state directory.
state_below() {
	dir=${TERA_STATE-}
	if [ -z "$dir" ]; then
		dir=${XDG_STATE_HOME:-${HOME-}/.local/state}/tera
	fi
	dir=$dir/$1
}

# Long steps run in the background and are waited for, because a shell acts
# on a signal only between commands, or while it waits.  step IN OUT command
# ...: sets rc.  Kill $child in a trap.  One process and what it starts.  The
# function that $then names runs once the command was started.
child='' then=''
step() {
	tera_in=$1 tera_out=$2
	shift 2
	"$@" <"$tera_in" >"$tera_out" &
	child=$!
	tera_then=${then:-:} then=''
	"$tera_then"
	rc=0
	wait "$child" || rc=$?
	child=
}
