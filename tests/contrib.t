#!/bin/sh
# contrib: the crontab, the units, the installer of packages.
# shellcheck disable=SC2016
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu
contrib=$TOP/contrib

# --- systemd ---

mkdir units user
for f in "$contrib"/systemd/*.service "$contrib"/systemd/*.timer; do
	sed "s,/usr/local/bin/,$B/bin/," "$f" >"units/${f##*/}"
	sed '/^User=/d; s/multi-user.target/default.target/' \
		"units/${f##*/}" >"user/${f##*/}"
done
if command -v systemd-analyze >/dev/null; then
	export XDG_RUNTIME_DIR="$T"
	ok "systemd-analyze verify" systemd-analyze verify --man=no units/*
	is "has nothing to say" "$(cat err)" ""
	ok "and for one person" systemd-analyze --user verify --man=no user/*
	unlike "nothing, too" "$(cat err)" 'tera'
else
	skip 4 "no systemd-analyze(1)"
fi
for f in units/*.timer; do
	f=${f##*/}
	ok "$f has a service" [ -f "units/${f%.timer}.service" ]
done
# Each command in the units and in the crontab is one of ours, with flags
# that it has.
tera-init -q
sed -n 's/^Exec[A-Za-z]*=//p' units/*.service >lines
ok "the units' commands" [ -s lines ]
while read -r line; do
	# shellcheck disable=SC2086
	case $line in
	*/tera-coordinate) set -- $line --help ;;
	*) set -- $line ;;
	esac
	rc=0
	"$@" >out 2>err || rc=$?
	ok "${line##*/}" [ "$rc" -le 1 ]
	is "is silent about itself" "$(cat err)" ""
done <lines

# --- cron ---

grep -Ev '^(#|$|[A-Z_]+=)' "$contrib/cron/tera" >cronjobs
ok "the crontab has jobs" [ -s cronjobs ]
mkdir stub
printf '#!/bin/sh\ncat >>"%s"\n' "$T/logged" >stub/logger
chmod +x stub/logger
while IFS='	' read -r when who what; do
	like "a time" "$when" '^([0-9*/,-]+ ){4}[0-9*/,-]+$'
	is "a user" "$who" tera
	unlike "no % sign, which cron would cut at" "$what" %
	: >err
	rc=0
	PATH=$T/stub:$PATH sh -c "$what" >out 2>err || rc=$?
	ok "$what" [ "$rc" -le 1 ]
	is "no mail" "$(cat out err)" ""
done <cronjobs
is "the crontab ends in a newline" "$(tail -c 1 "$contrib/cron/tera" | wc -l)" 1

# --- packages ---

# A system of our own: what is installed is a list of names.
mkdir sys
cat >sys/dpkg-query <<'END'
#!/bin/sh
for p in $(cat "$T/installed"); do
	[ "$p" != "$4" ] || { printf 'install ok installed'; exit 0; }
done
exit 1
END
cat >sys/apt-get <<'END'
#!/bin/sh
echo "$* $DEBIAN_FRONTEND" >>"$T/apt"
case " $* " in
*' update '*) touch "$T/fresh"; exit 0 ;;
esac
[ ! -e "$T/need-update" ] || [ -e "$T/fresh" ] || exit 100
[ ! -e "$T/broken" ] || { echo 'E: no such package'; exit 100; }
for p in "$@"; do case $p in -*|install) ;; *) echo "$p" >>"$T/installed" ;; esac; done
END
printf '#!/bin/sh\necho sudo >>"$T/apt"\nexec "$@"\n' >sys/sudo
printf '#!/bin/sh\necho "${WHO:-0}"\n' >sys/id
for c in sh env cat tr tail rm mktemp touch; do
	ln -s "$(command -v "$c")" sys/
done
chmod +x sys/dpkg-query sys/apt-get sys/sudo sys/id
packages() { env PATH="$T/sys" "$@"; }
in=$contrib/install-packages

: >installed
exits "-c: what is missing" 1 packages "$in" -c build
like "by name" "$(cat out)" '^libsqlite3-dev$'
like "the first of what would do" "$(cat out)" '^libcurl4-openssl-dev$'
not_ok "nothing was done" [ -e apt ]
ok "installs" packages "$in"
is "in silence" "$(cat out err)" ""
like "without recommends or questions" "$(cat apt)" \
	'^-qq -y install --no-install-recommends gcc .* noninteractive$'
unlike "no update where none is needed" "$(cat apt)" update
rm apt
ok "all is there" packages "$in" build
not_ok "so nothing is called" [ -e apt ]
exits "another level needs more" 1 packages "$in" -c check
like "for the tests" "$(cat out)" '^mandoc$'
unlike "and not what is there" "$(cat out)" '^gcc$'
cp installed built
printf 'libclang-rt-14-dev\nlibcurl4-gnutls-dev\n' >>installed
packages "$in" -c full >out || :
unlike "the second of what would do" "$(cat out)" clang-rt
touch need-update
ok "an old list is fetched anew" packages "$in" full
like "once" "$(grep -c update apt)" '^1$'
cp built installed
rm apt need-update
ok "with sudo" packages env WHO=1000 "$in" check
like "is used" "$(cat apt)" '^sudo$'
cp built installed
rm sys/sudo
exits "without: 69" 69 packages env WHO=1000 "$in" check
like "says what it lacks" "$(cat err)" 'no sudo; as root: apt-get install jq mandoc '
touch broken
exits "what cannot be installed: 69" 69 packages "$in" check
like "is named" "$(cat err)" 'could not install: jq mandoc '
rm sys/apt-get
exits "no Debian: 69" 69 packages "$in" check
like "says what it needs" "$(cat err)" 'no Debian system.* gcc make '
exits "usage" 64 "$in" all
exits "usage, two levels" 64 "$in" build check
done_testing
