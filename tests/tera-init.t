#!/bin/sh
# tera-init: a store is made once, and stays.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu

ok "makes a store" tera-init
is "says that it is new" "$(field was <out)" new
is "with its place" "$(field store <out)" "$TERA_STORE"
ok "a second time is no harm" tera-init
is "says that it was there" "$(field was <out)" there
is "private to its owner" "$(stat -c %a tera.db)" 600
ok "the file that wakes exists from the start" test -e tera.db-wake
ok "write-ahead log" test "$(sqlite3 tera.db 'PRAGMA journal_mode')" = wal

ok "-q says nothing" tera-init -q
is "nothing at all" "$(cat out)" ""
ok "makes the directories above" tera-init "$T/a/b/other.db"
ok "there it is" test -s a/b/other.db
(unset TERA_STORE XDG_DATA_HOME && tera-init -q)
ok "the default place" test -s home/.local/share/tera/tera.db
(unset TERA_STORE && XDG_DATA_HOME=$T/xdg tera-init -q)
ok "XDG_DATA_HOME" test -s xdg/tera/tera.db

: >empty.db
ok "an empty file becomes a store" tera-init -q "$T/empty.db"
sqlite3 else.db 'CREATE TABLE t(x)'
exits "another program's database is left alone" 78 tera-init "$T/else.db"
like "and named" "$(cat err)" 'else.db: holds something else'
echo text >text.db
exits "so is a text" 78 tera-init "$T/text.db"
is "as it was" "$(cat text.db)" text
exits "a directory that cannot be" 73 tera-init "$T/text.db/x/y.db"
exits "two stores" 64 tera-init a b
exits "an unknown flag" 64 tera-init -z

# eight at once, and what is in it survives
rm -f tera.db*
for i in 1 2 3 4 5 6 7 8; do tera-init >"init.$i" & done
wait
is "of eight at once one makes it" "$(cat init.* | grep -c '"was":"new"')" 1
tera-add project name=p >/dev/null
tera-init -q
is "what is in it stays" "$(tera-ls project | field name)" p
done_testing
