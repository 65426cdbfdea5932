#!/bin/sh
# stream: events and logs as lists and as streams, through both doors.
# shellcheck disable=SC2016 # what stands there is perl
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/http.sh
. "$TOP/tests/http.sh"
set -eu
command -v curl >/dev/null || skip_all 'no curl(1)'

# flow NAME PATH [HEADER...]: a stream into the file NAME; $flow is its process
flow() {
	flow_name=$1 flow_path=$2 flow_query='stream=1'
	shift 2
	case $flow_path in
	*\?*) flow_query="${flow_path#*\?}&stream=1" flow_path=${flow_path%%\?*} ;;
	esac
	flow_given=$#
	while [ "$flow_given" -gt 0 ]; do
		flow_head=$1 flow_given=$((flow_given - 1))
		shift
		if [ "$door" = cgi ]; then
			set -- "$@" "$(cgi_variable "$flow_head")"
		else
			set -- "$@" -H "$flow_head"
		fi
	done
	: >"$flow_name"
	if [ "$door" = cgi ]; then
		env GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=GET \
			PATH_INFO="$flow_path" QUERY_STRING="$flow_query" \
			REMOTE_ADDR=127.0.0.1 HTTP_HOST=localhost "$@" \
			tera-serve >"$flow_name" 2>"$flow_name.err" &
	else
		curl -sNi "$@" "http://$at$flow_path?$flow_query" \
			>"$flow_name" 2>"$flow_name.err" &
	fi
	flow=$!
	test_pids="$test_pids $flow"
}
# flows NAME PATH [HEADER...]: likewise, and it has begun
flows() {
	flow "$@"
	wait_for 10 grep -q '^id: ' "$flow_name"
}
# over: the process of the last one, by itself
over() { wait_for 20 sh -c '! kill -0 "$1" 2>/dev/null' sh "$flow"; }
# whole NAME: its records that are whole, the data of each
whole() {
	tr -d '\r' <"$1" | awk '/^data: /{ d = substr($0, 7) }
		/^event: /{ e = $2 }
		/^$/{ if (d != "" && e != "end" && e != "reset") print d; d = e = "" }'
}
# has NAME N: so many of them
has() { [ "$(whole "$1" | wc -l)" -ge "$2" ]; }
names() { sed -n 's/^event: //p' "$1" | tr -d '\r' | tr '\n' ' '; }
head_of() { tera-call event.head | field seq; }
sockets() { find "/proc/$listener/fd" -lname 'socket:*' | wc -l; }
fewer() { [ "$(sockets)" -lt "$1" ]; }

tour() {
	rm -f tera.db tera.db-*
	tera-init -q
	tera-add project name=p repo_url=/r >/dev/null
	tera-add project name=q repo_url=/r >/dev/null
	for i in 1 2 3; do tera-add ticket project=p title="t$i" >/dev/null; done
	door "$1"
	q=$(tera-show project q | field id)
	p=$(tera-show project p | field id)
	t=$(tera-show ticket 1 | field id)

	# the list
	req GET /api/events
	gets "all events" 200 '[.[].seq] == [1,2,3,4,5]'
	like "$door: and where that is" "$(cat headers)" '^Tera-Event: 5$'
	req GET '/api/events?since=2&limit=2'
	gets "some" 200 '[.[].seq] == [3,4]'
	req GET '/api/events?noun=project'
	gets "of a noun" 200 '[.[].data.name] == ["p","q"]'
	req GET "/api/events?project=$q"
	gets "of a project" 200 '[.[].seq] == [2]'
	req GET "/api/events?ticket=$t"
	gets "of a ticket" 200 '[.[].seq] == [3]'
	req GET '/api/events?limit=0'
	gets "none" 200 '. == []'
	req GET '/api/events?ticket=99'
	gets "of no ticket" 404 .error
	req GET '/api/events?job=99'
	gets "of no job" 404 .error
	req GET '/api/events?since=x'
	gets "since no number" 400 .error
	req GET '/api/events?limit=-1'
	gets "a limit below 0" 400 .error
	if [ "$door" = cgi ]; then
		req HEAD '/api/events?stream=1'
		gets "HEAD of a stream" 200
		like "$door: its type" "$(cat headers)" '^Content-Type: text/event-stream$'
	fi
	req POST /api/events '{}'
	gets "not to be written" 405 .error
	tera-watch >want
	req GET /api/events
	jq -c '.[]' answer >got
	ok "$door: as tera-watch has them" cmp want got

	# silence, which is looked at in the end
	flows alive '/api/events?noun=note'
	alive=$flow

	# a stream, from now on
	flows now /api/events
	like "$door: the type" "$(cat now)" '^Content-Type: text/event-stream'
	is "$door: how it begins" "$(grep -a -A 1 '^retry: ' now)" "$(printf 'retry: 2000\nid: 5')"
	flows by_accept "/api/events" 'Accept: text/event-stream'
	flows of_p "/api/events?noun=ticket&project=$p"
	for i in 4 5 6; do tera-add ticket project=p title="t$i" >/dev/null; done
	tera-add project name=r repo_url=/r >/dev/null
	tera-set ticket 4 title='ä€😀' >/dev/null
	awk 'BEGIN { for (i = 0; i < 1000; i++) printf "%d ä€\n\r", i }' >big
	tera-add comment ticket=4 body@big >/dev/null
	ok "$door: what comes" wait_for 10 has now 6
	tera-watch -s 5 >want
	whole now >got
	ok "$door: is what tera-watch has, to the byte" cmp want got
	is "$door: by its name" "$(names now)" \
		"ticket.added ticket.added ticket.added project.added ticket.changed comment.added "
	ok "$door: asked for by Accept" wait_for 10 has by_accept 6
	whole by_accept >got
	ok "$door: the same" cmp want got
	ok "$door: of one project and noun" wait_for 10 has of_p 4
	tera-watch -s 5 -p p noun=ticket >want
	whole of_p >got
	ok "$door: only those" cmp want got
	req GET '/api/events?stream=0' - 'Accept: text/event-stream'
	gets "no stream is wanted" 200 'length == 11'
	tera-add project name=s >/dev/null
	for f in now by_accept; do
		ok "$door: $f gets on" wait_for 10 has $f 7
	done

	# limits and cursors
	flow some '/api/events?since=2&limit=3'
	ok "$door: a limit" over
	is "$door: so many, and the end" "$(names some)" \
		"ticket.added ticket.added ticket.added end "
	like "$door: says why" "$(tail -n 2 some)" '^data: \{"why":"limit"\}$'
	flow some '/api/events?since=2&limit=0'
	over
	is "$door: none" "$(names some)" "end "
	flow some '/api/events?since=1&limit=1' 'Last-Event-ID: 4'
	over
	is "$door: Last-Event-ID is the newer word" "$(whole some | field seq)" 5
	flow some '/api/events?since=1&limit=1' 'Last-Event-ID: '
	over
	is "$door: unless it is empty" "$(whole some | field seq)" 2
	for bad in x -1 1.5 99999999999999999999; do
		req GET '/api/events?stream=1' - "Last-Event-ID: $bad"
		gets "Last-Event-ID: $bad" 400 .error
	done
	req GET '/api/events?stream=1&since=-1'
	gets "since=-1" 400 .error
	req GET '/api/events?stream=1&ticket=99'
	gets "a stream of nothing" 404 .error
	flows past /api/events 'Last-Event-ID: 100000'
	is "$door: beyond the end: where it is" "$(sed -n 's/^id: //p' past)" "$(head_of)"
	is "$door: and that it is another store" "$(names past)" "reset "
	tera-add project name=u >/dev/null
	ok "$door: and goes on" wait_for 10 has past 1
	kill "$flow"

	# over a reconnect between any two: 500 events, readers that are killed
	from=$(head_of)
	(
		i=0
		while [ $i -lt 250 ]; do
			i=$((i + 1))
			printf '{"project":"q","title":"m%s"}\n' $i "0$i" |
				tera-add ticket - >/dev/null
		done
	) &
	writer=$!
	: >all
	last=$from lives=0
	while [ "$lives" -lt 500 ] && [ "$(wc -l <all)" -lt 500 ]; do
		lives=$((lives + 1))
		flow life '/api/events' "Last-Event-ID: $last"
		wait_for 10 has life 1 || :
		kill -9 "$flow" 2>/dev/null || :
		wait "$flow" 2>/dev/null || :
		whole life >>all
		[ ! -s all ] || last=$(tail -n 1 all | field seq)
	done
	wait "$writer"
	note "$lives readers"
	tera-watch -s "$from" >want
	is "$door: 500 came" "$(wc -l <all)" 500
	ok "$door: nothing twice, nothing left out" cmp want all

	# what is followed may get another name, and be removed
	flows renamed '/api/events?project=q'
	tera-set project q name=qq >/dev/null
	tera-rm project qq >/dev/null
	ok "$door: a project by its name, to its end" wait_for 10 has renamed 2
	like "$door: that it is removed is an event of it" "$(names renamed)" \
		'^project.changed project.removed $'
	req GET '/api/events?stream=1&project=qq'
	gets "and then there is no such" 404 .error

	# logs
	tera-enqueue 1 >/dev/null
	tera-claim >rec
	j=$(field job_id <rec)
	put() { printf '{"job_id":"%s","fence":1,"step":"%s","summary":"a\\nb"}\n' "$j" "$1" | tera-log - >/dev/null; }
	put one
	flows joblog "/api/jobs/$j/logs"
	job=$flow
	flows ticketlog "/api/projects/$p/tickets/$t/logs"
	ticketlog=$flow
	put two
	put three
	ok "$door: the log of a job, from its beginning" wait_for 10 has joblog 3
	is "$door: as log" "$(names joblog)" "log log log "
	req GET "/api/jobs/$j/logs"
	gets "the list" 200 '[.[].step] == ["one","two","three"]'
	jq -c '.[]' answer >want
	whole joblog >got
	ok "$door: is the same" cmp want got
	req GET "/api/jobs/$j/logs?since=1&limit=1"
	gets "and has a cursor" 200 '[.[].step] == ["two"]'
	req GET "/api/jobs/$q/logs"
	gets "the log of no job" 404 .error
	flows part "/api/jobs/$j/logs" 'Last-Event-ID: 2'
	ok "$door: after a place" wait_for 10 has part 1
	is "$door: only that" "$(whole part | field step)" three
	echo '{"ticket":2,"summary":"of another"}' | tera-call log.add - >/dev/null
	flows elsewhere "/api/jobs/$j/logs" 'Last-Event-ID: 4'
	is "$door: a place in the logs is one of all logs" "$(names elsewhere)" ""
	tera-finish -o failed -r verify "$j" 1 >/dev/null
	ok "$door: a job that is over" over
	like "$door: is the end" "$(tail -n 2 part)" '^data: \{"why":"failed"\}$'
	flow=$job
	ok "$door: for each of them" over
	flow again "/api/jobs/$j/logs" 'Last-Event-ID: 3'
	over
	like "$door: who comes again is sent away" "$(head -n 1 again)" ' 204 '
	ok "$door: the ticket's goes on" kill -0 "$ticketlog"
	ok "$door: and has all" has ticketlog 3
	tera-rm ticket 1 >/dev/null
	flow=$ticketlog
	ok "$door: until it is removed" over
	like "$door: and says so" "$(tail -n 2 ticketlog)" '"why":"gone"'

	# who goes away
	if [ "$door" = cgi ]; then
		mkfifo fifo
		perl -e 'open my $f, "<", "fifo"; sleep 100' &
		reader=$!
		env GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=GET \
			PATH_INFO=/api/events QUERY_STRING=stream=1 \
			REMOTE_ADDR=127.0.0.1 HTTP_HOST=localhost tera-serve >fifo 2>fifo.err &
		flow=$!
		sleep 0.5
		ok "$door: it waits" kill -0 "$flow"
		kill "$reader"
		ok "$door: nobody reads: no process is left" over
		is "$door: and nothing is said of it" "$(cat fifo.err)" ""
	else
		before=$(sockets)
		for i in 1 2 3 4 5; do
			flows gone /api/events
			kill -9 "$flow"
		done
		ok "$door: who has gone is let go, with nothing said" \
			wait_for 10 fewer $((before + 1))
	fi

	ok "$door: a sign of life" wait_for 30 grep -q '^: ' alive
	is "$door: and nothing else" "$(names alive)" ""
	ok "$door: and it is there" kill -0 "$alive"

	# a key is set: who does not have it has it no longer
	flows open /api/events
	tera-set setting TERARCHITECT_WORKER_API_KEY value=k >/dev/null
	ok "$door: a right that is taken away" over
	is "$door: what it was shows no more" "$(names open)" ""
	flows keyed /api/events 'Authorization: Bearer k'
	tera-add project name=v >/dev/null
	ok "$door: who has the key" wait_for 10 has keyed 1
	tera-rm setting TERARCHITECT_WORKER_API_KEY >/dev/null

	# the store goes away
	flows last /api/events
	rm -f tera.db tera.db-*
	ok "$door: the store is removed" over
}
tour cgi
tour listen

# the listener: many, the slow, the end
tera-init -q
tera-add project name=p >/dev/null
tera-add ticket project=p title=one >/dev/null
flows one /api/events
is "HEAD" "$(curl -sI "http://$at/api/events?stream=1" | tr -d '\r' | grep -c 'text/event-stream')" 1
curl -sN0 "http://$at/api/events?stream=1" >old &
test_pids="$test_pids $!"
wait_for 10 grep -q '^id: ' old
tera-add project name=q >/dev/null
ok "HTTP/1.0" wait_for 10 grep -q '"q"' old
perl -MIO::Socket::INET -e '
	my @all;
	for (1 .. 505) {
		my $s = IO::Socket::INET->new($ARGV[0]) or die "$!";
		print $s "GET /api/events?stream=1 HTTP/1.1\r\nHost: localhost\r\n\r\n";
		$s->flush;
		my $line = <$s>;
		$line =~ / (\d+) / and $n{$1}++;
		push @all, $s;
	}
	print join(" ", map { "$_:$n{$_}" } sort keys %n), "\n";
	close STDOUT; sleep 60' "$at" >crowd &
crowd=$!
test_pids="$test_pids $crowd"
wait_for 60 test -s crowd
is "500 streams, and no more" "$(cat crowd)" "200:498 503:7"
req GET /api/projects
gets "others are served meanwhile" 200
tera-add project name=r >/dev/null
ok "all get on" wait_for 10 grep -q '"r"' one
kill "$crowd"
wait_for 20 fewer 100

# one that does not read, and one that does
perl -MSocket -e '
	socket(my $s, PF_INET, SOCK_STREAM, 0);
	setsockopt($s, SOL_SOCKET, SO_RCVBUF, 4096);
	my ($h, $p) = split /:/, $ARGV[0];
	connect($s, sockaddr_in($p, inet_aton($h))) or die "$!";
	syswrite($s, "GET $ARGV[1] HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
	open my $f, ">", "slow"; print $f "1\n"; close $f;
	sleep 100' "$at" "/api/projects/$(tera-show project p | field id)/tickets/$(tera-show ticket 1 | field id)/logs" &
test_pids="$test_pids $!"
wait_for 10 test -s slow
flows fast "/api/projects/$(tera-show project p | field id)/tickets/$(tera-show ticket 1 | field id)/logs"
count=$(sockets)
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$listener/status"; }
before=$(rss)
head -c 200000 /dev/zero | tr '\0' x >big
i=0
while [ $i -lt 40 ]; do
	i=$((i + 1))
	printf '{"ticket":1,"step":"s%d","raw_output":"%s"}\n' $i "$(cat big)"
done | tera-call log.add - >/dev/null
ok "who reads gets all of it" wait_for 30 has fast 40
after=$(rss)
note "resident $before KiB, $after KiB with a reader that is 8 MB behind"
if [ -n "${SAN-}" ]; then
	skip 1 "the sanitizer keeps what is freed"
else
	ok "and what the slow one is behind is not kept" test $((after - before)) -lt 4096
fi
ok "which is let go" wait_for 40 fewer "$count"
ok "the other is there" kill -0 "$flow"

# the end
kill -TERM "$listener"
ok "a TERM ends them" over
rc=0
wait "$listener" || rc=$?
is "at once" "$rc" 0
is "and says when to come again" "$(tail -n 2 one | head -n 1 | tr -d '\r')" 'retry: 2000'
done_testing
