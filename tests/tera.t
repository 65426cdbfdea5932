#!/bin/sh
# tera: the umbrella.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu

like "--version" "$(tera --version)" '^tera [0-9]+\.[0-9]+'
for args in --help --version '' help; do
	# shellcheck disable=SC2086
	exits "a full disk: tera $args" 74 sh -c "tera $args >/dev/full"
done
ok "tera alone" tera
like "lists commands with what they do" "$(cat out)" \
	'^  coordinate  +claim jobs, run them'
unlike "not itself" "$(cat out)" '^  tera '
cp out list
ok "tera help" tera help
is "is the same" "$(cat out)" "$(cat list)"
for c in "$B"/bin/tera-*; do
	c=${c##*/tera-}
	grep -q "^  $c\\b" list || echo "$c"
done >missing
is "every command is there" "$(cat missing)" ""

ok "a command is executed" tera init -q
exits "with its arguments and its status" 1 tera claim
exits "and its usage" 64 tera claim -Q
like "by its own name" "$(cat err)" '^usage: tera-claim '
ok "the long name, too" tera tera-init -q

for pair in claims:claim lgo:log coordnate:coordinate enq:enqueue mvoe:move; do
	exits "unknown: ${pair%:*}" 64 tera "${pair%:*}"
	is "meant: ${pair#*:}" "$(cat err)" \
		"tera: no such command: ${pair%:*}; did you mean ${pair#*:}?"
done
exits "unknown: xyzzy" 64 tera xyzzy
is "nothing is close" "$(cat err)" "tera: no such command: xyzzy"
# shellcheck disable=SC2016
for bad in '../bin/sh' 'a b' '$(id)' '*' -x ''; do
	[ -z "$bad" ] || exits "no command: $bad" 64 tera "$bad"
done
exits "help for nothing" 64 tera help xyzzy
exits "help for two" 64 tera help a b
export MANPAGER=cat PAGER=cat
if command -v man >/dev/null || command -v mandoc >/dev/null; then
	ok "help shows a page" tera help coordinate
	like "of the command" "$(cat out)" 'claim jobs, run them'
	ok "or of a format" tera help engine
else
	skip 3 "no man(1)"
fi

# A user's own command.
mkdir mine
printf '#!/bin/sh\necho "mine $*"\n' >mine/tera-mine
chmod +x mine/tera-mine
is "in the PATH" "$(PATH=$PATH:$T/mine tera mine 'a b' c)" "mine a b c"
like "is listed" "$(PATH=$PATH:$T/mine tera)" '^  mine$'

# Installed: the pages are elsewhere, maybe compressed.
unset TERA_SHARE
mkdir -p usr/bin usr/share/man/man1 usr/share/man/man8
cp "$B/bin/tera" "$B/bin/tera-call" usr/bin
printf '.Dt TERA-CALL 1\n.Sh NAME\n.Nm tera-call\n.Nd run any verb\n' |
	gzip >usr/share/man/man1/tera-call.1.gz
cp "$TOP/man/tera.1" usr/share/man/man1
like "installed" "$(PATH=/usr/bin:/bin usr/bin/tera)" '^  call  +run any verb$'
ok "found by the PATH" env PATH="$T/usr/bin:/usr/bin:/bin" tera call
rm -r usr/share/man
like "without pages: names" "$(PATH=/usr/bin:/bin usr/bin/tera)" '^  call$'
done_testing
