#!/bin/sh
# What is wrong on the wire, and a store that cannot: through both doors.  What
# is wrong with one of the contract's requests is in api.t, with the path of a
# file in static.t, with the environment of CGI in tera-serve.t.
# shellcheck disable=SC2016 # what stands there is perl
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/http.sh
. "$TOP/tests/http.sh"
set -eu
command -v curl >/dev/null || skip_all 'no curl(1)'
trap 'umount -l "$T/small" 2>/dev/null || :; at_end' EXIT

# raw [COUNT]: sends the file wire, with CRLF for each newline, and reads until
# the connection ends, or so many answers are there; sets $status (of the first),
# $answers (how many) and $end (of the connection: open or closed)
raw() {
	perl -MIO::Socket::INET -MIO::Select -e '
		my $s = IO::Socket::INET->new($ARGV[0]) or die;
		local $/; open my $w, "<", "wire"; my $out = <$w>;
		$out =~ s/(?<!\r)\n/\r\n/g unless $ENV{asis};
		$SIG{PIPE} = "IGNORE";
		print $s $out; $s->flush;
		my ($in, $end, @all) = ("", "open");
		my $sel = IO::Select->new($s);
		while ($sel->can_read(@all < ($ARGV[1] // 99) ? 15 : 0.2)) {
			my $n = sysread $s, my $piece, 65536;
			if (!$n) { $end = "closed"; last }
			$in .= $piece;
			@all = $in =~ m{^HTTP/1.1 (\d+)}mg;
		}
		open my $f, ">", "answer"; print $f $in =~ s/.*?\r\n\r\n//sr; close $f;
		print $all[0] // "none", " ", scalar @all, " $end\n"' "$at" "$@" >raw.out
	read -r status answers end <raw.out
	req_method='' req_path=''
}
projects() { tera-ls project | wc -l | tr -d ' '; }
# wrong NAME STATUS: the last raw request; it did nothing and was the last
wrong() {
	gets "$1" "$2" .error
	is "$door: $1: is all" "$answers $end $(projects)" "1 closed $before"
}
H='Host: localhost
Content-Type: application/json'
doc='{"name":"x"}'
# post HEADERS [BODY [COUNT]]
post() {
	printf 'POST /api/projects HTTP/1.1\n%s\n%s\n\n%s' "$H" "$1" "${2-$doc}" >wire
	raw ${3+"$3"}
}
chunks() { printf 'c\r\n%s\r\n0\r\n\r\n' "$doc"; }

# Who is silent, in the middle of different things: all wait at once, at a
# listener of their own, and meanwhile the rest goes on.
tera-init -q slow.db
TERA_STORE=$T/slow.db
listen
timeout 120 perl -MIO::Socket::INET -MIO::Select -e '
	my @begin = ("", "GET /health HTTP/1.1\r\nHost: localhost\r\n",
		"POST /api/projects HTTP/1.1\r\nHost: localhost\r\n" .
			"Content-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"na",
		"POST /api/projects HTTP/1.1\r\nHost: localhost\r\n" .
			"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n{\"na",
		"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
	my (%at, $sel); $sel = IO::Select->new; my $t = time;
	for my $i (0 .. $#begin) {
		my $s = IO::Socket::INET->new($ARGV[0]) or die;
		print $s $begin[$i]; $s->flush; $sel->add($s); $at{$s} = $i;
	}
	while ($sel->count && time - $t < 100) {
		for my $s ($sel->can_read(1)) {
			next if sysread $s, my $x, 9999;
			printf "%d %d\n", $at{$s}, time - $t;
			$sel->remove($s);
		}
	}' "$at" >silent &
silent=$!
test_pids="$test_pids $silent"
patient=$listener

# Another program has a store; both doors ask, and wait for ten seconds each.
asked=
if command -v sqlite3 >/dev/null; then
	tera-init -q locked.db
	TERA_STORE=$T/locked.db
	listen
	busy=$at locked=$listener
	touch asking
	sqlite3 locked.db 'BEGIN IMMEDIATE; SELECT 1;' \
		'.shell touch has; while [ -e asking ]; do sleep 0.1; done; touch unlocked' >out &
	test_pids="$test_pids $!"
	wait_for 10 test -e has
	for d in cgi listen; do
		mkdir "at-$d"
		(
			cd "at-$d"
			door=$d
			req POST /api/projects '{"name":"locked"}'
			echo "$status" >status
		) &
		asked="$asked $!"
	done
	door=cgi
	req GET /api/projects
	gets "who only reads does not wait" 200 '. == []'
fi

TERA_STORE=$T/tera.db
tera-init -q
tera-add project name=p repo_url=/r >/dev/null
before=$(projects)
door listen

# --- where a request ends ---

for n in 12 3 0; do
	post "Content-Length: $n
Content-Length: 12"
	wrong "two lengths, $n first" 400
done
for n in '12, 12' abc -1 +12 0x0c '12 12' 1e1 12abc; do
	post "Content-Length: $n"
	case $status in
	400) pass "$door: a length of $n" ;;
	*) flunk "$door: a length of $n ($status)" ;;
	esac
	is "$door: $n: nothing is done" "$end $(projects)" "closed $before"
done
post 'Content-Length: 99999999999999999999999'
is "$door: a length that cannot be" "$status $end" "413 closed"
post 'Content-Length: 1
 2'
wrong "a length in two lines" 400
post 'Content-Length : 12'
wrong "a blank behind a name" 400
post 'Content-Length: 3' "$doc" 1
gets "a body that is longer" 400 .error
is "$door: the rest is no request" "$(projects)" "$before"
post 'Content-Length: 12
Transfer-Encoding: chunked' "$(chunks)"
wrong "a length and chunks" 400
post 'Transfer-Encoding: chunked
Content-Length: 5' "$(chunks)"
wrong "chunks and a length" 400
for c in 'gzip, chunked' 'chunked, chunked' identity xchunked 'chunked, identity' \
	"$(printf '\vchunked')" '"chunked"' ''; do
	post "Transfer-Encoding: $c" "$(chunks)"
	wrong "the coding $c" 400
done
post 'Transfer-Encoding: chunked
Transfer-Encoding: chunked' "$(chunks)"
wrong "chunked twice" 400
post 'Transfer-Encoding : chunked' "$(chunks)"
wrong "chunks and a blank" 400
post 'Transfer-Encoding: chun
 ked' "$(chunks)"
wrong "chunks in two lines" 400
printf 'POST /api/projects HTTP/1.0\n%s\nTransfer-Encoding: chunked\n\n%s' "$H" "$(chunks)" >wire
raw
wrong "chunks of HTTP/1.0" 400
for c in 'g\n' '-1\nx\n' '0x0c\n{"name":"x"}\n0\n\n' 'c\n{"name":"x"}XX0\n\n' \
	' c\n{"name":"x"}\n0\n\n' 'ffffffffffffffffff\nx' '\n'; do
	# shellcheck disable=SC2059 # a format of ours
	post 'Transfer-Encoding: chunked' "$(printf -- "$c.")"
	case $status in
	400 | 413) pass "$door: no chunk: $c" ;;
	*) flunk "$door: no chunk: $c ($status)" ;;
	esac
	is "$door: $c: nothing is done" "$end $(projects)" "closed $before"
done
post "$(printf 'X-A: b\rContent-Length: 12')" "$doc" 1
gets "a return alone ends no line: no body" 201 '.name != "x"'
is "$door: and one request" "$answers" 1
printf 'POST /api/projects HTTP/1.1\nHost: localhost\nContent-Length: 12\nContent-Type: application/json\n\n%s' "$doc" >wire
asis=1 raw 1
gets "lines that end in a newline only" 201 '.name == "x"'
is "$door: are one request" "$answers" 1
before=$(projects)

# --- what a request is ---

printf 'GET /api/projects HTTP/1.1\n\n' >wire
raw 1
gets "no Host" 403 .error
printf 'GET /api/projects HTTP/1.1\nHost: localhost\nHost: localhost\n\n' >wire
raw
wrong "Host twice" 400
printf 'GET /api/projects HTTP/1.1\nHost: local\n host\n\n' >wire
raw 1
gets "Host in two lines" 403 .error
printf 'GET /api/projects HTTP/1.1\nHost: localhost\nno header\n\n' >wire
raw
is "$door: a line that is no header" "$status $end" "400 closed"
printf 'GET /api/projects HTTP/1.1\n Host: localhost\n\n' >wire
raw
wrong "a blank before the first header" 400
for v in HTTP/0.9 HTTP/2.0 HTTP/1.11 HTTP FTP/1.1; do
	printf 'GET /health %s\nHost: localhost\n\n' "$v" >wire
	raw
	case "$status $end" in
	40[05]' closed' | '505 closed' | 'none closed') pass "$door: $v" ;;
	*) flunk "$door: $v ($status $end)" ;;
	esac
done
printf '\026\003\001\002\000\001\000\001\374\003\003aaaaaaaaaaaa\r\n\r\n' >wire
asis=1 raw
is "$door: TLS" "$end" closed
head -c 70000 /dev/zero >wire
asis=1 raw
is "$door: 70000 NUL" "$end" closed
printf 'GET /api/projects\000/../x HTTP/1.1\nHost: localhost\n\n' >wire
raw 1
case $status in
200 | 400) unlike "$door: a NUL in the path ends it" "$(cat answer)" 'root:|\.\.' ;;
*) flunk "$door: a NUL in the path ($status)" ;;
esac
printf 'CONNECT localhost:80 HTTP/1.1\nHost: localhost:80\n\n' >wire
raw 1
gets "CONNECT" 404 .error
printf 'GET http://localhost/health HTTP/1.1\nHost: localhost\n\n' >wire
raw 1
gets "the whole address" 404 .error
{
	printf 'GET /api/projects HTTP/1.1\nHost: localhost\n'
	i=0
	while [ $i -lt 3000 ]; do
		echo "X-$i: 1"
		i=$((i + 1))
	done
	echo
} >wire
raw
is "$door: 3000 headers" "$status $end" "431 closed"
{
	printf 'GET /health HTTP/1.1\nHost: localhost\n\n%.0s' 1 2 3
	printf 'DELETE /api/projects HTTP/1.1\nHost: localhost\n\n'
} >wire
raw 4
is "$door: four in a row: four answers" "$status $answers $end" "200 4 open"
req GET /health
gets "serves on" 200
hush

# --- both doors ---

html='<script>alert(1)</script>&amp;"'"'"' <!--'
text=$(printf '%s' "$html" | jq -Rs .)
data() {
	rm -f "$TERA_STORE"*
	tera-init -q
	door "$1"
	unset REMOTE

	# text that a page might take for its own
	req POST /api/projects "{\"name\":$text,\"description\":$text,\"github_url\":\"https://github.com/o/r\"}"
	gets "a project of HTML" 201 ".name == $text and .description == $text"
	like "$door: is data" "$(cat headers)" '^Content-Type: application/json'
	like "$door: and nothing else" "$(cat headers)" '^X-Content-Type-Options: nosniff'
	p=$(value .id)
	req GET /api/projects
	gets "in the list" 200 ".[0].name == $text"
	req PUT "/api/projects/$p/graph" "{\"nodes\":[{\"id\":\"n1\",\"data\":{\"label\":$text}}],\"edges\":[]}"
	req GET "/api/projects/$p/graph"
	gets "a node" 200 ".nodes[0].data.label == $text"
	req PUT "/api/projects/$p/kanban" "{\"columns\":[{\"id\":\"backlog\",\"title\":$text,\"order\":0}]}"
	req GET "/api/projects/$p/kanban"
	gets "a column" 200 ".columns[0].title == $text"
	req POST "/api/projects/$p/tickets" "{\"title\":$text,\"description\":$text,\"column_id\":\"backlog\",\"associated_node_ids\":[$text]}"
	gets "a ticket" 201 ".title == $text and .description == $text and .associated_node_ids == [$text]"
	t=/api/projects/$p/tickets/$(value .id)
	req POST "$t/logs" "{\"session_id\":$text,\"step\":$text,\"summary\":$text,\"raw_output\":$text}"
	req GET "$t/logs"
	gets "a log" 200 ".[0] | .step == $text and .summary == $text and .raw_output == $text"
	req POST "$t/complete" "{\"summary\":$text,\"review_comment_body\":$text,\"pr_url\":$text,\"pr_number\":1}"
	gets "the end of a ticket" 200
	req GET "$t/worker-context"
	gets "the context" 200 ".project_name == $text and .current_ticket.title == $text"
	req POST "/api/projects/$p/notes" "{\"title\":$text,\"content\":$text}"
	gets "a note" 201 ".title == $text and .content == $text"
	req POST "/api/projects/$p/memory/index" "{\"docs\":[$text]}"
	req POST "/api/projects/$p/memory/retrieve" "{\"queries\":[$text]}"
	gets "a memory" 200 ".results[0].question == $text and .results[0].docs[0] == $text"
	req PUT /api/settings "{\"GIT_USER_NAME\":$text}"
	gets "a setting" 200 ".GIT_USER_NAME == $text"
	req POST /api/v1/comment.add "{\"ticket\":\"${t##*/}\",\"body\":$text}"
	gets "a comment" 200 ".body == $text"
	req POST /api/v1/ticket.show "{\"ticket\":$text}"
	gets "in a refusal" 404 '.error | test("<script>")'
	like "$door: is data, too" "$(cat headers)" '^Content-Type: application/json'
	req GET '/api/<script>alert(1)</script>'
	gets "in a path" 404 '.error | test("<script>")'
	req GET '/<script>' - 'Accept: text/html'
	gets "of a file" 404
	unlike "$door: is not in the page" "$(cat answer)" 'script'
	req POST '/api/v1/<b>x</b>' '{}'
	gets "in a verb" 404 .error

	# bytes that are no text
	before=$(projects)
	printf '{"name":"a\000b"}' >bytes
	req POST /api/projects @bytes
	gets "a NUL in the body" 400 .error
	printf '{"name":"\355\240\200"}' >bytes
	req POST /api/projects @bytes
	gets "half a pair" 400 .error
	printf '\357\273\277{"name":"x"}' >bytes
	req POST /api/projects @bytes
	gets "a mark of order" 400 .error
	for b in '{"name":"x"}{"name":"y"}' '{"name":"x"' '{"name":x}' '{"name":"x",}' "{'name':'x'}" \
		'"x"' 5 true ' '; do
		req POST /api/projects "$b"
		gets "the body $b" 400 .error
	done
	req GET "/api/projects?x=%ff"
	gets "no UTF-8 in the query" 400 .error
	req GET "/api/projects?x=%00"
	gets "a NUL in the query" 400 .error
	req GET "/api/projects?x=%e0%80%80&%=1"
	gets "an encoding that is none" 400 .error
	bad=$(printf '\377\376')
	if [ "$door" = cgi ]; then
		req GET "/api/$bad"
	else
		req GET /api/%ff%fe
	fi
	gets "no UTF-8 in the path" 400 .error
	req POST /api/projects '{"name":"x"}' "Idempotency-Key: 12345678$bad"
	gets "no UTF-8 in a key" 400 .error
	is "$door: nothing was done" "$(projects)" "$before"
	req POST /api/projects '{"name":"x"}' "Tera-Actor: $bad"
	gets "no UTF-8 in a name" 201
	is "$door: it is not taken" "$(tera-watch noun=project | tail -n 1 | field actor)" loopback
	req GET /api/projects - "Host: $bad"
	gets "nor in a host" 403 .error
	req GET /api/projects - "Origin: $bad" "Cookie: $bad" "If-None-Match: $bad" "Accept: $bad"
	gets "where it does not count" 200
	for method in get TRACE PROPFIND "$(printf %0200d 0)"; do
		req "$method" /api/projects
		gets "the method $(printf %.20s "$method")" 405 .error
	done
	[ "$door" = cgi ] || hush
}
data cgi
data listen

# --- a store that cannot ---

# as root, only without the right to pass over permissions
mkdir ro
less=
[ "$(id -u)" -ne 0 ] || less='setpriv --bounding-set=-dac_override,-dac_read_search'
printf '#!/bin/sh\nexec %s "%s" "$@"\n' "$less" "$B/bin/tera-serve" >ro/tera-serve
chmod +x ro/tera-serve
chmod 444 tera.db
if $less true 2>err && ! $less test -w tera.db; then
	door=cgi path=$PATH
	PATH=$T/ro:$PATH
	req POST /api/projects '{"name":"x"}'
	gets "a store to be read only" 503 '.error and .code == 77'
	like "$door: says so" "$(cat answer)" 'read-only|not ours|permission'
	req GET /api/projects
	case $status in
	200 | 503) pass "$door: to read from it is fine, or not" ;;
	*) flunk "$door: to read from it ($status)" ;;
	esac
	PATH=$path
else
	skip 3 "cannot do without root's rights: $(head -c 100 err)"
fi
chmod 600 tera.db

# a full disk
mkdir small
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=8m tera-test "$T/small" 2>/dev/null; then
	TERA_STORE=$T/small/tera.db
	tera-init -q
	p=$(tera-add project name=p repo_url=/r | field id)
	t=$(tera-add ticket project=p title=t | field id)
	{
		printf '{"session_id":"s","raw_output":"'
		head -c 900000 /dev/urandom | base64 -w 0
		printf '"}'
	} >big
	for d in cgi listen; do
		door $d
		cat /dev/zero >small/ballast 2>/dev/null || :
		req POST "/api/projects/$p/tickets/$t/logs" @big
		gets "a full disk" 503 .error
		like "$door: try again" "$(cat headers)" '^Retry-After: '
		rm small/ballast
		req POST "/api/projects/$p/tickets/$t/logs" '{"session_id":"s","summary":"room"}'
		gets "room again" 200
		req GET "/api/projects/$p/tickets/$t/logs"
		gets "the first one left nothing" 200 \
			'map(select(.summary != "room")) == []'
		[ $d = cgi ] || hush
	done
	ok "the history holds" tera-audit
	TERA_STORE=$T/tera.db
	umount -l small
else
	skip 9 "not root, or no tmpfs"
fi

# --- what was asked in the beginning ---

if [ -n "$asked" ]; then
	for pid in $asked; do wait "$pid"; done
	rm asking
	for d in cgi listen; do
		is "$d: another program has the store" "$(cat "at-$d/status") $(jq -r .code "at-$d/answer")" \
			"503 75"
		like "$d: try again" "$(cat "at-$d/headers")" '^Retry-After: 1$'
	done
	at=$busy
	wait_for 10 test -e unlocked
	door=listen
	req POST /api/projects '{"name":"free"}'
	gets "the other one is gone" 201
	is "what was refused is not done" "$(TERA_STORE=$T/locked.db tera-ls project | field name)" free
	kill "$locked"
else
	skip 7 "no sqlite3(1)"
fi
wait "$silent" || :
kill "$patient"
is "all who were silent are cut off" "$(sort silent | cut -d ' ' -f 1 | tr '\n' ' ')" "0 1 2 3 4 "
is "after ten seconds, more or less" "$(awk '$2 < 8 || $2 > 60' silent)" ""
done_testing
