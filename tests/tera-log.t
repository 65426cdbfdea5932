#!/bin/sh
# tera-log: append, read, follow; big output spills.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu

tera-init -q
tera-add project name=p repo_url=/r >/dev/null
tera-add ticket project=p title=one | tera-enqueue - >/dev/null
tera-claim >rec
id=$(field job_id <rec)
line() { printf '{"job_id":"%s","fence":1,"step":"%s","summary":"%s"}\n' "$id" "$1" "$2"; }
line a first >in
line b second >>in
exits "append" 0 tera-log - <in
is "each has a place" "$(tail -n 1 out | field seq)" 2
is "read" "$(tera-log 1 | wc -l)" 2
is "after a place" "$(tera-log -s 1 1 | field step)" b
is "so many" "$(tera-log -n 1 1 | field step)" a
is "of the ticket" "$(tera-log ticket=1 | wc -l)" 2
like "for eyes" "$(tera-log -x 1)" '^20.*Z a: first$'

line a '' | tera-json set fence:=0 >in
exits "an old fence" 65 tera-log - <in
like "is named" "$(cat err)" 'line 1: job .*: fence 0 is old, it is 1 now'
{
	line c third
	echo x
	line d fourth
} >in
exits "a stream goes on" 65 tera-log - <in
is "two of three" "$(wc -l <out)" 2
exits "of no job" 66 sh -c 'echo "{\"job_id\":\"99\"}" | tera-log -'
exits "of nothing" 65 sh -c 'echo "{}" | tera-log -'

# big output
awk 'BEGIN { for (i = 0; i < 20000; i++) printf "line %d €\n", i }' >big
line big '' | tera-json set raw_output@big >in
cp in big.in
exits "big output" 0 tera-log - <in
tera-log -s 4 1 >rec
file=$(field raw_file <rec)
ok "is whole in a file" cmp big "$file"
ok "of the run" test "${file%/*}" = "$T/state/run/$id"
field raw_output <rec >kept
ok "and cut in the store" test "$(wc -c <kept)" -lt 70000
is "its head" "$(head -n 1 kept)" 'line 0 €'
is "its tail" "$(tail -n 2 kept | head -n 1)" 'line 19999 €'
like "with a word between" "$(cat kept)" 'bytes are in the file'
echo plain >file
exits "a state that is no directory" 73 env TERA_STATE="$T/file" tera-log - <big.in
like "says so" "$(cat err)" 'run/.* in TERA_STATE: Not a directory'
line '' '' | tera-json set raw_output@big job_id=../../x >in
exits "an id that leads elsewhere" 65 tera-log - <in

# logging renews the lease
sqlite3 tera.db "UPDATE job SET lease_until = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+1 seconds')"
line e fifth | tera-log - >/dev/null
ok "a worker's log renews its lease" test "$(sqlite3 tera.db \
	"SELECT lease_until > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+30 seconds') FROM job")" = 1

# follow
tera-log -f -s 6 1 >followed &
follow=$!
line f sixth | tera-log - >/dev/null
ok "follows" wait_for 5 test -s followed
line g last | tera-log - >/dev/null
tera-finish 1 1 >/dev/null
ended() { ! kill -0 "$1" 2>/dev/null; }
ok "until the job is over" wait_for 5 ended $follow
is "and missed nothing" "$(wc -l <followed)" 2
exits "no such job" 66 tera-log 99
exits "nothing named" 64 tera-log
exits "append and follow" 64 tera-log -f -
done_testing
