#!/bin/sh
# tera-token: tokens are made, listed and revoked.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu

tera-init -q
tera-add project name=p repo_url=/r >/dev/null
tera-add project name=q repo_url=/r >/dev/null
tera-token add one >out
like "its text" "$(field token <out)" '^tera_[A-Za-z0-9_-]{43}$'
is "who reads, unless told otherwise" "$(field role <out)" read
unlike "once only" "$(tera-token ls)" '"token"|"hash"|tera_'
hash=$(field token <out | tr -d '\n' | sha256sum | cut -d ' ' -f 1)
is "what is kept is its SHA-256" "$(sqlite3 tera.db 'SELECT hash FROM token')" "$hash"
unlike "each is another" "$(tera-token add two role=admin | field token)" "$(field token <out)"
exits "a name that is there: 65" 65 tera-token add one
like "says so" "$(cat err)" 'a token is named one already'
is "limited to projects" "$(tera-token add -p p -p 2 three role=worker | jq -c '.projects | length')" 2
exits "no such project: 66" 66 tera-token add -p z four
exits "an admin is for all: 65" 65 tera-token add -p p four role=admin
exits "no such role: 65" 65 tera-token add four role=king
exits "an old time: 65" 65 tera-token add four expires_at=2020-01-01
exits "no time: 65" 65 tera-token add four expires_at=soon
is "with an end" "$(tera-token add four expires_at=2999-01-01 | field expires_at)" 2999-01-01T00:00:00.000Z
exits "no such field: 64" 64 tera-token add five rol=read
exits "a bad name: 65" 65 tera-token add 'a b'
exits "a name that is none: 65" 65 tera-token add ''
exits "no name: 64" 64 tera-token add
exits "no such word: 64" 64 tera-token make x
exits "nothing: 64" 64 tera-token
exits "a flag of another: 64" 64 tera-token ls -p p
is "all of them" "$(tera-token ls | jq -r .name | tr '\n' ' ')" "one two three four "
is "revoked" "$(tera-token rm one four | jq -r .name | tr '\n' ' ')" "one four "
exits "no more: 66" 66 tera-token rm one
is "the others" "$(tera-token ls | jq -r .name | tr '\n' ' ')" "two three "
is "those, too" "$(tera-token ls -a | wc -l)" 4
ok "the name is free" tera-token add one role=write
is "what happened" "$(tera-watch noun=token | jq -r '.what + " " + .id' | tr '\n' ' ')" \
	"added one added two added three added four revoked one revoked four added one "
exits "it does not change" 19 sqlite3 tera.db "UPDATE token SET role = 'admin' WHERE name = 'three'"
exits "nor come back" 19 sqlite3 tera.db "UPDATE token SET revoked_at = NULL WHERE name = 'four'"
exits "nor go" 19 sqlite3 tera.db "DELETE FROM token"
ok "the history holds" tera-audit

# a store of before there were tokens
sqlite3 tera.db 'DROP TABLE token; PRAGMA user_version = 1'
exits "an older store: 78" 78 tera-ls project
ok "is brought up to date" tera-init -q
is "with what is in it" "$(tera-ls project | wc -l)" 2
ok "and has tokens" tera-token add new
exits "a full disk: 74" 74 sh -c 'tera-token ls >/dev/full'
done_testing
