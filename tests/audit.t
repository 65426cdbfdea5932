#!/bin/sh
# audit: an altered history is named where it was altered.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu

tera-init -q
tera-add project name=p repo_url=/r >/dev/null
for i in 1 2 3 4 5 6; do tera-add ticket project=p title=t$i >/dev/null; done
head=$(tera-audit | field head)
# forge SQL: with the triggers out of the way, as one who owns the file can
forge() {
	rm -f bad.db*
	sqlite3 tera.db '.backup bad.db'
	sqlite3 bad.db "DROP TRIGGER event_stays; DROP TRIGGER event_stays_too; DROP TRIGGER event_is_new;
		DROP TRIGGER seal_stays; DROP TRIGGER seal_stays_too; DROP TRIGGER seal_is_new; PRAGMA foreign_keys = OFF; $1"
}
names() { # name, seq
	TERA_STORE=$T/bad.db exits "$1" 1 tera-audit
	is "$1: named" "$(field first_bad <out)" "$2"
}
ok "it holds" tera-audit "$head"
forge "UPDATE event SET data = replace(data, 't3', 't8') WHERE seq = 4"
names "one byte changed" 4
like "in words too" "$(cat err)" 'event 4 does not fit its seal'
forge "UPDATE event SET at = replace(at, '2', '3') WHERE seq = 1"
names "the first one" 1
forge "DELETE FROM event WHERE seq = 5"
names "an event removed" 5
forge "DELETE FROM event WHERE seq = 5; DELETE FROM seal WHERE seq = 5"
names "with its seal" 5
forge "CREATE TEMP TABLE e AS SELECT * FROM event WHERE seq = 3; DELETE FROM event WHERE seq = 3;
	INSERT INTO event SELECT seq, at, noun, what, id, project_id, ticket_id, job_id, '{}' FROM e"
names "one put in for it" 3
forge "UPDATE seal SET actor = 'somebody' WHERE seq = 6"
names "another actor" 6
forge "UPDATE seal SET late = 1 WHERE seq = 2"
names "another mark" 2
forge "UPDATE seal SET hash = zeroblob(32) WHERE seq = 7"
names "another hash" 7
forge "UPDATE seal SET hash = x'00' WHERE seq = 7"
names "a short one" 7
forge "DELETE FROM event WHERE seq = 7; DELETE FROM seal WHERE seq = 7"
export TERA_STORE="$T/bad.db"
exits "the end cut off holds by itself" 0 tera-audit
exits "but not against the head" 1 tera-audit "$head"
export TERA_STORE="$T/tera.db"
sqlite3 tera.db "UPDATE ticket SET title = 'x' WHERE number = 1"
exits "what a shell wrote is open" 0 tera-audit
is "and counted" "$(field unsealed <out)" 1
tera-sweep
is "the next commit seals it" "$(tera-audit | field unsealed)" 0
is "late" "$(tera-watch -s 7 | field late)" 1
ok "it holds still" tera-audit

# one commit, many events: each is named all the same
for i in $(seq 150); do echo '{"project":"p","title":"m'"$i"'"}'; done >many
tera-add ticket - <many >/dev/null
ok "a long commit holds" tera-audit
forge "UPDATE event SET data = replace(data, 'm70', 'm71') WHERE seq = 78"
names "one of many" 78
forge "UPDATE seal SET hash = substr(hash, 33) WHERE seq = (SELECT min(seq) FROM seal WHERE seq > 60)"
names "a seal cut at its front" 9
forge "UPDATE seal SET hash = substr(hash, 1, length(hash) - 32) WHERE seq = (SELECT min(seq) FROM seal WHERE seq > 60)"
names "or at its end" 9
forge "UPDATE seal SET hash = CAST(substr(hash, 1, 32 * 9) || zeroblob(32) || substr(hash, 32 * 10 + 1) AS BLOB) WHERE seq = (SELECT min(seq) FROM seal WHERE seq > 60)"
names "one hash of many" 18
forge "UPDATE seal SET late = 2 WHERE seq = 8"
names "a mark that is none" 8
export TERA_STORE="$T/tera.db"

# anybody can recompute it: the record of tera-store(5)
prev=$(printf '%064d' 0) good=1
record="''"
for f in e.seq at noun what id project_id ticket_id job_id data actor late; do
	record="$record || coalesce(length(CAST($f AS BLOB)) || ':' || $f, '-')"
done
sqlite3 tera.db "SELECT lower(hex($record)) || ' ' || lower(hex(substr(hash, -32 * (s.seq - e.seq + 1), 32)))
FROM event e JOIN seal s ON s.seq = (SELECT min(seq) FROM seal WHERE seq >= e.seq) ORDER BY e.seq" >chain
while read -r record hash; do
	prev=$(printf '%s%s' "$prev" "$record" | xxd -r -p | sha256sum | cut -d' ' -f1)
	[ "$prev" = "$hash" ] || good=0
done <chain
is "by hand, the same" "$good $(wc -l <chain)" "1 158"
is "the list shows the last" "$(tera-watch -s 157 | field hash)" "$prev"
done_testing
