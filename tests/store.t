#!/bin/sh
# store: what is a store, what is none, and what nobody can break in one.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu
trap 'umount "$T/ro" 2>/dev/null || :; at_end' EXIT

tera-init -q
tera-add project name=p repo_url=/r >/dev/null
for i in 1 2 3; do echo '{"project":"p","title":"t'$i'"}'; done |
	tera-add ticket - >/dev/null
as() { store=$1; shift; TERA_STORE=$store "$@"; }

exits "no store there" 78 as "$T/none.db" tera-ls ticket
like "says how to make one" "$(cat err)" 'no store there: make it with tera-init'
: >empty.db
exits "an empty file" 78 as "$T/empty.db" tera-ls ticket
like "is no store" "$(cat err)" 'not a store of Tera: tera-init makes one'
head -c 8192 /dev/urandom >noise.db
exits "noise" 78 as "$T/noise.db" tera-ls ticket
like "is no store" "$(cat err)" 'noise.db: not a store'
exits "a directory" 78 as "$T" tera-ls ticket
exits "an address" 78 as "ftp://example.org/" tera-ls ticket

cp_store() { sqlite3 tera.db ".backup $1"; }
cp_store future.db
sqlite3 future.db 'PRAGMA user_version = 99'
exits "a store of the future" 78 as "$T/future.db" tera-ls ticket
like "is named so" "$(cat err)" 'schema version 99 is newer than [0-9]+, which this program and its tera-init know'
exits "tera-init leaves it" 78 tera-init "$T/future.db"
is "as it was" "$(sqlite3 future.db 'PRAGMA user_version')" 99
cp_store old.db
sqlite3 old.db 'PRAGMA user_version = 0'
exits "an older one" 78 as "$T/old.db" tera-ls ticket
like "names tera-init" "$(cat err)" 'schema version 0, want [0-9]+: run tera-init'

# read-only: permission bits do not hold root, a mount does
cp_store ro.db
mkdir ro
if mount --bind "$T/ro" "$T/ro" 2>/dev/null; then
	cp ro.db ro/s.db
	sqlite3 ro/s.db 'PRAGMA journal_mode = DELETE' >/dev/null
	mount -o remount,ro,bind "$T/ro"
	exits "a read-only store is read" 0 as "$T/ro/s.db" tera-ls ticket
	is "all of it" "$(wc -l <out)" 3
	exits "names from standard input too" 0 sh -c "echo 1 | TERA_STORE='$T/ro/s.db' tera-show ticket -"
	exits "a change is refused" 77 as "$T/ro/s.db" tera-set ticket 1 title=x
	exits "so is a stream" 77 sh -c "echo '{\"name\":\"x\"}' | TERA_STORE='$T/ro/s.db' tera-add project -"
	umount "$T/ro"
	cp_store ro/wal.db
	sqlite3 ro/wal.db 'PRAGMA journal_mode = WAL' >/dev/null
	mount --bind "$T/ro" "$T/ro" && mount -o remount,ro,bind "$T/ro"
	exits "one in WAL mode wants its side files" 77 as "$T/ro/wal.db" tera-ls ticket
	like "and says so" "$(cat err)" 'read-only, and its directory too: read a copy'
	umount "$T/ro"
else
	skip 7 "no mount allowed here: a read-only store"
fi

# another program, the sqlite3 shell: the rules are the schema's
tera-enqueue 1 2 3 >/dev/null
tera-claim 1 >/dev/null
tera-finish 1 1 >/dev/null
refused() { # name, SQL, message
	if sqlite3 tera.db "$2" >out 2>err; then
		flunk "$1"
	else
		like "$1" "$(cat err)" "$3"
	fi
}
refused "completed stays" "UPDATE job SET state = 'pending' WHERE number = 1" 'a job cannot move so'
refused "no running without a lease" "UPDATE job SET state = 'running' WHERE number = 2" 'a_running_job_has_a_lease'
refused "no state that is none" "UPDATE job SET state = 'lost' WHERE number = 2" 'a job cannot move so|job_state_is_known'
refused "no reason that is none" "UPDATE job SET reason = 'x' WHERE number = 2" 'job_reason_is_known'
refused "a fence only grows" "UPDATE job SET fence = 0 WHERE number = 1" 'a fence only grows'
refused "what is over has its end" "UPDATE job SET state = 'cancelled' WHERE number = 2" 'a job that is over has finished_at, a live one has none'
refused "what is live has none" "UPDATE job SET finished_at = 'x' WHERE number = 2" 'a job that is over has finished_at'
refused "no end without an end" "UPDATE job SET finished_at = NULL WHERE number = 1" 'a job that is over has finished_at'
refused "nor goes pending to paused" "UPDATE job SET state = 'paused' WHERE number = 2" 'a job cannot move so'
refused "nor pending to failed" "UPDATE job SET state = 'failed', finished_at = 'x' WHERE number = 2" 'a job cannot move so'
refused "a new job is pending" "INSERT INTO job(id, ticket_id, project_id, kind, state, lease_until) SELECT substr(id, 1, 35) || 'x', ticket_id, project_id, 'setup', 'running', 'x' FROM job LIMIT 1" 'a new job is pending'
refused "nor is it over" "INSERT INTO job(id, ticket_id, project_id, kind, finished_at) SELECT substr(id, 1, 35) || 'x', ticket_id, project_id, 'setup', 'x' FROM job LIMIT 1" 'a new job is pending'
refused "one live job a ticket and kind" "INSERT INTO job(id, ticket_id, project_id, kind) SELECT substr(id, 1, 35) || 'x', ticket_id, project_id, kind FROM job WHERE number = 2" 'UNIQUE constraint failed'
refused "a job is kept" "DELETE FROM job" 'a job is kept'
refused "a ticket is kept" "DELETE FROM ticket" 'by setting deleted_at'
refused "a project is kept" "DELETE FROM project" 'by setting deleted_at'
refused "types are strict" "UPDATE ticket SET version = 'x' WHERE number = 1" 'cannot store TEXT value in INTEGER'
refused "rules have names" "UPDATE ticket SET title = '' WHERE number = 1" 'title_has_1_to_255_characters'
refused "an event cannot change" "UPDATE event SET data = '{}' WHERE seq = 1" 'an event cannot be changed'
refused "nor go" "DELETE FROM event WHERE seq = 1" 'an event cannot be removed'
refused "nor be replaced" "INSERT OR REPLACE INTO event(seq, noun, what, data) VALUES (1, 'x', 'x', '{}')" 'an event cannot be changed'
refused "nor a seal" "UPDATE seal SET hash = x'00'" 'a seal cannot be changed'
refused "nor go" "DELETE FROM seal" 'a seal cannot be removed'
refused "nor be replaced" "INSERT OR REPLACE INTO seal VALUES (1, NULL, 0, x'00')" 'a seal cannot be changed'
ok "the chain holds after all that" tera-audit

refused "with recursive triggers no REPLACE removes a job" "PRAGMA recursive_triggers = ON; INSERT OR REPLACE INTO job(number, id, ticket_id, project_id, kind) SELECT number, id, ticket_id, project_id, kind FROM job WHERE number = 1" 'a job is kept'

# secrets and their key
tera-set setting github_agent_token value=hunter2 >/dev/null
secret() { tera-call setting.value setting=github_agent_token; }
is "a secret" "$(secret | field value)" hunter2
mv tera.db-key key
exits "without its key" 78 secret
like "says which file" "$(cat err)" 'tera.db-key: No such file'
printf '%064d\n' 7 >tera.db-key
exits "with another key" 78 secret
like "says so" "$(cat err)" 'does not open with this key'
echo short >tera.db-key
exits "with none" 78 secret
like "says what it wants" "$(cat err)" 'want 64 hex digits'
mv key tera.db-key
key=$(cat tera.db-key)
mv tera.db-key key
is "with the key of the environment" "$(TERARCHITECT_SECRET_KEY=$key secret | field value)" hunter2
mv key tera.db-key

n=$(tera-audit | field events)
sqlite3 tera.db "UPDATE ticket SET title = 'shell' WHERE number = 1"
is "a shell's change is an event" "$(tera-audit | field unsealed)" 1
tera-set ticket 1 title=ours >/dev/null
is "sealed by the next commit" "$(tera-audit | field unsealed)" 0
is "and marked late" "$(tera-watch -s "$n" -n 1 | tera-json get late data.title | tr '\n' ' ')" "1 shell "
is "the next is not" "$(tera-watch -s $((n + 1)) | tera-json get late data.title | tr '\n' ' ')" "0 ours "
is "who did it, nobody knows" "$(tera-watch -s "$n" -n 1 | field actor || :)" ""
ok "synchronous=normal is understood" env TERA_SYNCHRONOUS=normal tera-set ticket 1 title=fast
done_testing
