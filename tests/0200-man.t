#!/bin/sh
# The pages: lint, and the examples run.  In a literal display a line that
# begins with "$ " is a command; what follows it up to the next is not
# compared, but it must end with 0, or with N where the comment "# exit N"
# ends the line.  A line "# not run" before it leaves a command out.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu
command -v mandoc >/dev/null || skip_all "mandoc is not here"

for page in "$TOP"/man/*.[1578]; do
	name=$(basename "$page")
	out=$(mandoc -Tlint -Wwarning "$page" 2>&1 || :)
	is "$name: lint" "$out" ""
	unlike "$name: no path of one machine" "$(cat "$page")" '/(work|root|farm)/'
done

world
tera-add project name=q repo_url="$T/p.git" >/dev/null
n=1
for page in "$TOP"/man/*.[1578]; do
	name=$(basename "$page")
	# the commands, with \e and \& of mdoc undone
	sed -n '/^\.Sh EXAMPLES/,/^\.Sh [^E]/p' "$page" | awk '
	/^\.Bd / { lit = 1; next }
	/^\.Ed/ { lit = 0; next }
	lit && /^# not run/ { skip = 1; next }
	lit && /^\$ / { if (!skip) { print substr($0, 3) } skip = 0; cont = !skip; next }
	lit && /^> / { print substr($0, 3); next }
	' | sed 's/\\e/\\/g; s/\\&//g; s/\\(aq/'"'"'/g; s/\\-/-/g; s/\\(ti/~/g; s/\\(ha/^/g; s/\\(ga/`/g' >cmds
	[ -s cmds ] || continue
	# every page has a world of its own
	rm -rf "$TERA_STORE"* "$T/here" && git clone -q "$T/p.git" "$T/here"
	tera-init -q
	tera-add project name=p repo_url="$T/p.git" >/dev/null
	tera-add ticket project=p title='First' description='Do the first thing' >/dev/null
	tera-add ticket project=p title='Second' >/dev/null
	bad=
	while IFS= read -r line; do
		want=0
		case $line in
		*"# exit "*) want=${line##*# exit } ;;
		esac
		rc=0
		(cd "$T/here" && timeout 20 sh -c "$line") >"$T/out" 2>"$T/err" </dev/null || rc=$?
		[ "$rc" = "$want" ] || bad="$bad
$line: ended with $rc, want $want: $(head -c 300 "$T/err")"
		n=$((n + 1))
	done <cmds
	is "$name: examples run" "$bad" ""
done
is "the README is tera(7)" "$(mandoc -T markdown "$TOP/man/tera.7" |
	awk -f "$TOP/man/readme.awk" | diff - "$TOP/README.md")" ""
done_testing
