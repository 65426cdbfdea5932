#!/bin/sh
# The house: what each command links, and that it has a page, a usage, a test.
# shellcheck disable=SC2015 # what the || answers is empty
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu

group() { # name: its commands, from the Makefile
	make -s -C "$TOP" -f - print <<EOF
include Makefile
print:
	@echo \$($1)
EOF
}
needed() { readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }

# Group, and what it may need besides libc and libm (an archive of SQLite or
# nettle leaves nothing).  The sanitizers' own libraries do not count.
may() {
	case $1 in
	base) echo 'sqlite3|nettle' ;;
	text) echo 'sqlite3|nettle|jq' ;;
	net) echo 'sqlite3|jq|curl(-gnutls)?' ;;
	git) echo 'sqlite3|nettle|jq|git2' ;;
	# what libmicrohttpd itself needs is its own affair
	listen) echo 'sqlite3|nettle|microhttpd' ;;
	esac
}
for g in base text net git listen; do
	bad=
	for c in $(group $g); do
		if [ ! -x "$B/bin/$c" ]; then
			flunk "$c is built"
			continue
		fi
		extra=$(needed "$B/bin/$c" |
			grep -Ev "^(libc|libm|libpthread|libdl|lib(a|ub|l|t)san|libgcc_s|ld-linux.*)\.so|^ld-linux|^lib($(may $g))\.so" || :)
		[ -z "$extra" ] || bad="$bad $c:$extra"
	done
	is "group $g links what it may" "$bad" ""
done

all="$(group base) $(group text) $(group net) $(group git) $(group listen) $(group shell)"
for f in "$TOP"/cmd/*; do
	c=$(basename "$f" .c)
	case " $all " in
	*" $c "*) ;;
	*) flunk "$c is in no link group" ;;
	esac
done
for c in $all; do
	page=$(ls "$TOP/man/$c".[18] 2>/dev/null || :)
	if [ -z "$page" ]; then
		flunk "$c has a page"
		continue
	fi
	missing=
	[ -f "$TOP/tests/$c.t" ] || missing="$missing test"
	grep -q "Xr $c [18]" "$TOP/man/tera.7" || missing="$missing tera.7"
	is "$c is complete" "$missing" ""

	# the synopsis of the page is what the command says
	if command -v mandoc >/dev/null; then
		usage=$("$B/bin/$c" --help | sed 's/^usage: //' | tr -s ' \n' ' ')
		page=$(mandoc -T ascii -O width=1000 "$page" | sed "s/.$(printf '\b')//g" |
			sed -n '/^SYNOPSIS/,/^DESCRIPTION/p' | sed '1d;$d' |
			tr -s ' \n' ' ' | sed 's/^ //')
		is "$c: usage is the synopsis" "$(echo "$usage" | tr -d ' ')" \
			"$(echo "$page" | tr -d ' ')"
	else
		skip 1 "mandoc is not here"
	fi
	is "$c --version" "$("$B/bin/$c" --version)" "$c 0.1.0"
	exits "$c refuses an unknown flag with 64" 64 "$B/bin/$c" -@
done

# as_said: mdoc's macros taken out of a flag and its argument
as_said() {
	sed 's/\\&//g; s/ Ar / /; s/ Ns = Ns Ar /=/; s/ : Ns Ar /:/'
}
# one meaning a flag: the table of tera(7) says which there are
sed -n '/^\.Sh FLAGS/,/^\.Ed/s/^-\([^ ]*\( [^ ]\{1,\}\)*\)  .*/\1/p' \
	"$TOP/man/tera.7" >table
# said USAGE: its flags, a line each, with their arguments
said() {
	printf ' %s\n' "$1" | tr '\n' ' ' |
		grep -oE '[[{ |]-[A-Za-z0-9]+( [a-z_:=]+)?' |
		sed 's/^.-//' |
		awk '{ for (i = 1; i < length($1); i++) print substr($1, i, 1)
			$1 = substr($1, i); print }'
}
# taken FILE: the letters that its source takes, as getopt(3) has them
taken() {
	sed -n -e 's/.*getopt(argc, argv, "+*\([^"]*\)").*/\1/p' \
		-e 's/.*while getopts \([^ ]*\) opt.*/\1/p' "$1" |
		grep -o '[A-Za-z0-9]:*' | sort
}
: >used
for f in "$TOP"/cmd/* "$TOP/share/sh/sandbox" "$TOP/share/demo/run" \
	"$TOP/contrib/install-packages"; do
	c=$(basename "$f" .c)
	case $f in
	*/cmd/*) usage=$("$B/bin/$c" --help) ;;
	*) usage=$("$f" -@ 2>&1 | sed -n '/^usage:/,$p') ;;
	esac
	said "$usage" >flags
	# -l of tera-serve is to listen, as everybody who serves has it
	[ "$c" != tera-serve ] || sed -i '/^l$/d' flags
	cat flags >>used
	is "$c: flags mean what tera(7) says" "$(grep -vxFf table flags || :)" ""
	[ "$c" != tera-serve ] || echo l >>flags
	is "$c: its page explains no other" "$(sed -n 's/^\.It Fl //p' \
		"$TOP/man/$c".[18] 2>/dev/null | as_said | grep -vxFf flags || :)" ""
	is "$c: takes what its usage says" "$(taken "$f")" \
		"$(sed 's/ .*/:/' flags | sort)"
done
is "the table has no flag that nobody takes" "$(grep -vxFf used table || :)" ""
is "and each once" "$(cut -c 1 table | sort | uniq -d)" ""

# who may include whom: few know a foreign library
only() { # header module...
	header=$1
	shift
	is "only $* include <$header>" \
		"$(cd "$TOP" && grep -l "#include <$header>" cmd/*.c lib/*.[ch])" \
		"$(printf 'lib/%s.c\n' "$@")"
}
only git2.h branch commit diff fill leak merge offline plain repo
only curl/curl.h http
only microhttpd.h daemon heads visit
only sqlite3.h arena db script seal sqlfn
is "a command includes no other" "$(cd "$TOP" && grep -l '#include "tera-' cmd/*.c || :)" ""
is "no header brings SQLite, libgit2, curl or libmicrohttpd" \
	"$(cd "$TOP" && grep -lE '#include <(sqlite3|git2|microhttpd|curl/.*)\.h>' lib/*.h || :)" ""
is "no type of theirs is in a header, but by name" "$(
	cd "$TOP" && for h in lib/*.h; do echo "#include \"$h\""; done |
		cc -std=c11 -D_GNU_SOURCE -I. -I"$B/gen" -fsyntax-only -x c - 2>&1
)" ""
is "no shell is started from C" \
	"$(cd "$TOP" && grep -nE '(^|[^_a-zA-Z])(system|popen)\(' cmd/*.c lib/*.c || :)" ""

# install into an empty place, and run from there
if [ -z "${SAN:-}" ]; then
	make -s -C "$TOP" B="$B" install DESTDIR="$T/root" PREFIX=/usr >"$T/out" 2>&1
	is "make install" "$(ls "$T/root/usr/share/tera/pipeline/ticket.json")" \
		"$T/root/usr/share/tera/pipeline/ticket.json"
	unset TERA_SHARE
	ok "an installed command runs" "$T/root/usr/bin/tera-init" -q "$T/installed.db"
	make -s -C "$TOP" B="$B" uninstall DESTDIR="$T/root" PREFIX=/usr >"$T/out" 2>&1
	is "make uninstall leaves nothing" "$(find "$T/root" -type f -o -type l)" ""
fi
done_testing
