#!/bin/sh
# tera-listen: the listener as a process.  What it answers is in api.t.
# shellcheck disable=SC2016 # what stands there is perl
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/http.sh
. "$TOP/tests/http.sh"
set -eu
command -v curl >/dev/null || skip_all 'no curl(1)'

tera-init -q
tera-add project name=p repo_url=/r >/dev/null
exits "others can reach it, and there is no key: 78" 78 tera-listen '0.0.0.0:0'
like "says why" "$(cat err)" 'others can reach .* no worker key'
exits "every address is no other" 78 tera-listen '*:0'
exits "no such address: 69" 69 tera-listen 192.0.2.1:0
exits "no port: 64" 64 tera-listen 127.0.0.1:nonsense
door listen
req GET /api/projects
gets "listens" 200 '.[0].name == "p"'
port=${at##*:}
exits "the port is taken: 69" 69 tera-listen "127.0.0.1:$port"
req GET /api/projects - "Host: localhost:$port"
gets "by its name" 200
is "a connection is kept" "$(curl -s -o out -o out -w '%{num_connects}' \
	"http://$at/health" "http://$at/health")" 10
is "HEAD" "$(curl -sI "http://$at/health" | sed -n '1p' | tr -d '\r')" \
	"HTTP/1.1 200 OK"
printf '{"name":"chunked"}' >body
is "a chunked body" "$(curl -s -o answer -w '%{http_code}' -H 'Expect:' \
	-H 'Transfer-Encoding: chunked' -H 'Content-Type: application/json' \
	--data-binary @body "http://$at/api/projects")" 201
head -c 2000000 /dev/zero | tr '\0' ' ' >body
is "over the limit" "$(curl -s -o answer -w '%{http_code}' -H 'Expect:' \
	-H 'Transfer-Encoding: chunked' -H 'Content-Type: application/json' \
	--data-binary @body "http://$at/api/projects")" 413
req GET '/api/projects/%00'
gets "a NUL in the path" 400 .error
req GET '/api/%2e%2e/projects'
gets "dots" 404 .error
is "a header twice" "$(curl -s -o answer -w '%{http_code}' -H 'Authorization: a' \
	-H 'Authorization: b' "http://$at/health")" 400

# it holds the store for commands here
ok "it holds the store" test -S tera.db-hold
tera-add ticket project=p title=one >/dev/null
is "a command's change is seen" \
	"$(curl -s "http://$at/api/v1/ticket.list" -d '' | jq -r .title | tail -n 1)" one

# many at once, each its own commit or a shared one
i=0
while [ $i -lt 200 ]; do
	i=$((i + 1))
	printf 'next\nurl = "http://%s/api/v1/ticket.add"\ndata = "{\\"project\\":\\"p\\",\\"title\\":\\"m%d\\"}"\nheader = "Content-Type: application/json"\noutput = "%s"\nsilent\n' \
		"$at" "$i" "$T/many"
done | sed 1d >many.conf
curl -Z --parallel-max 50 -K many.conf 2>err || :
is "200 changes by 50 connections" "$(tera-ls ticket project=p | wc -l)" 201
ok "all sealed" tera-audit

# who goes away, who is slow
(
	printf 'POST /api/v1/ticket.add HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"pro'
	sleep 0.1
) | timeout 5 perl -MIO::Socket::INET -e '
	my $s = IO::Socket::INET->new($ARGV[0]) or die; local $/; print $s <STDIN>;' "$at"
req GET /health
gets "one who went away in the middle" 200
# what takes its time
if [ -n "${FULL-}" ]; then
	timeout 30 perl -MIO::Socket::INET -e '
		my $s = IO::Socket::INET->new($ARGV[0]) or die;
		print $s "GET /health HT"; $s->flush; my $t = time;
		my $line = <$s>; print time - $t' "$at" >out &
	slow=$!
	sqlite3 tera.db 'BEGIN IMMEDIATE; SELECT 1;' '.shell sleep 12' >/dev/null &
	lock=$!
	sleep 0.3
	req POST /api/projects '{"name":"locked"}'
	gets "another program has the store: busy" 503 '.code == 75'
	wait "$lock"
	req POST /api/projects '{"name":"locked"}'
	gets "and is gone" 201
	wait "$slow" || :
	like "who is silent in a request is cut off" "$(cat out)" '^(9|1[0-9]|2[0-9])$'
else
	skip 3 "takes half a minute: FULL=1"
fi
kill -TERM "$listener"
wait "$listener" && rc=0 || rc=$?
is "a TERM: 0" "$rc" 0
is "no socket is left" "$(ls tera.db-hold 2>/dev/null || :)" ""

# a drain: what has begun is answered
listen
perl -MIO::Socket::INET -e '
	my $s = IO::Socket::INET->new($ARGV[0]) or die;
	my $b = q({"project":"p","title":"late"});
	print $s "POST /api/v1/ticket.add HTTP/1.1\r\nHost: localhost\r\n" .
		"Content-Type: application/json\r\nContent-Length: " . length($b) . "\r\n\r\n";
	$s->flush; select(undef, undef, undef, 0.3);
	kill TERM => $ARGV[1];
	select(undef, undef, undef, 0.3);
	print $s $b; $s->flush;
	print scalar <$s>' "$at" "$listener" >out
wait "$listener" && rc=0 || rc=$?
is "a request that had begun" "$rc $(tr -d '\r' <out)" "0 HTTP/1.1 200 OK"
is "is done" "$(tera-ls ticket | tail -n 1 | field title)" late

# a key, and the world
tera-set setting TERARCHITECT_WORKER_API_KEY value=k >/dev/null
listen '0.0.0.0:0'
at=127.0.0.1:${at##*:}
req GET /api/projects
gets "a key is wanted" 401
req GET /api/projects - 'Authorization: Bearer k' 'Host: tera.example'
gets "and then any name will do" 200
tera-set setting TERARCHITECT_WORKER_API_KEY value=other >/dev/null
req GET /api/projects - 'Authorization: Bearer k'
gets "a new key counts at once" 401
was=$(sqlite3 "$TERA_STORE" 'PRAGMA user_version')
sqlite3 "$TERA_STORE" 'PRAGMA user_version = 99'
req GET /api/projects - 'Authorization: Bearer other'
gets "a store that was upgraded is not ours any more" 503
sqlite3 "$TERA_STORE" "PRAGMA user_version = $was"
req GET /api/projects - 'Authorization: Bearer other'
gets "and is again" 200
kill -KILL "$listener"
wait "$listener" 2>/dev/null || :
tera-rm setting TERARCHITECT_WORKER_API_KEY >/dev/null

# socket activation
rm -f listen.err # not what the last one said
perl -MIO::Socket::INET -MPOSIX -e '
	$^F = 10;
	my $s = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1:0") or die;
	open my $f, ">", "port"; print $f $s->sockport; close $f;
	POSIX::dup2(fileno($s), 3);
	$ENV{LISTEN_FDS} = 1; $ENV{LISTEN_PID} = $$;
	exec @ARGV' tera-serve -l 2>listen.err &
listener=$!
test_pids="$test_pids $listener"
wait_for 5 grep -q 'listening on' listen.err
at=127.0.0.1:$(cat port)
req GET /health
gets "a socket of systemd" 200
kill -TERM "$listener"
wait "$listener" || :
done_testing
