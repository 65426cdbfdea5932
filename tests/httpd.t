#!/bin/sh
# contrib/httpd: each configuration with its real server, and the same tour
# through each.  What one of them cannot do is in tera-serve(8), and here.
# shellcheck disable=SC2016 # what stands there is perl
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/http.sh
. "$TOP/tests/http.sh"
# shellcheck source=tests/httpd.sh
. "$TOP/tests/httpd.sh"
set -eu
PATH=$PATH:/usr/sbin:/usr/lib/busybox
command -v curl >/dev/null || skip_all 'no curl(1)'
conf=$TOP/contrib/httpd

# What they start: the real one, but for a stream of our own, which says how it
# ended.
mkdir srv run tmp
cat >srv/tera-serve <<END
#!/bin/sh
case \$PATH_INFO in
/api/test-stream) ;;
*) exec "$B/bin/tera-serve" ;;
esac
cd "$T"
trap 'echo TERM >ended; exit' TERM
trap '' PIPE
rm -f ended
printf 'Content-Type: text/event-stream\r\nCache-Control: no-cache\r\n\r\n'
n=0
while [ \$n -lt 100 ] && printf 'data: %s\n\n' \$n 2>/dev/null; do
	n=\$((n + 1))
	sleep 0.3
done
echo "EPIPE \$n" >ended
END
chmod +x srv/tera-serve
# stream COUNT: ms between the first and the last of so many events
stream() {
	timeout 60 perl -MIO::Socket::INET -MTime::HiRes=time -e '
		my $s = IO::Socket::INET->new($ARGV[0]) or die;
		print $s "GET $ARGV[1]/api/test-stream HTTP/1.1\r\nHost: localhost\r\n\r\n";
		my ($n, $first) = (0);
		while (<$s>) {
			next unless /^data:/;
			$first = time unless $n++;
			last if $n == $ARGV[2];
		}
		printf "%d", 1000 * (time - $first)' "${at%%/*}" "$base" "$1"
}
streams() {
	ms=$(stream 4)
	# three sleeps lie between; all at once would be nothing
	if [ "$ms" -ge 600 ]; then
		pass "$door: events come as they are written"
	else
		flunk "$door: events come as they are written"
		note "the fourth came $ms ms after the first"
	fi
	if wait_for 30 test -s ended; then
		pass "$door: who went away ends the process"
		note "$door: $(cat ended)"
	else
		flunk "$door: who went away ends the process"
	fi
}
# curls NAME STATUS ARG...: as gets
curls() {
	curls_name=$1 curls_want=$2
	shift 2
	status=$(curl -s -m 20 -o answer -D headers.raw -w '%{http_code}' --path-as-is \
		-H 'Expect:' "$@" || :)
	req_method='' req_path="$*"
	tr -d '\r' <headers.raw >headers
	gets "$curls_name" "$curls_want"
}

# one_of NAME STATUS...: of the last request, and nothing of the secret
one_of() {
	one_name=$1
	shift
	case " $* " in
	*" $status "*) unlike "$door: $one_name" "$(tr -d '\0' <answer)" hush ;;
	*)
		flunk "$door: $one_name"
		note "status $status, want one of $*"
		;;
	esac
}

# The same for each server: the path, the query, the body, the headers, the
# key, the methods, the stream.
tour() {
	req GET /health
	gets "health" 200 '. == {status:"healthy"}'
	req GET /api/projects
	gets "a list" 200 '.[0].name == "p"'
	p=$(value '.[0].id')
	req POST "/api/projects/$p/notes" '{"title":"ä"}' "Idempotency-Key: $door-1234"
	gets "a body" 201 '.title == "ä"'
	n=$(value .id)
	req POST "/api/projects/$p/notes" '{"title":"ä"}' "Idempotency-Key: $door-1234"
	gets "a header" 201 ".id == \"$n\""
	req GET "/api/projects/$p/notes?limit=0"
	gets "a query" 200 '. == []'
	req PATCH "/api/projects/$p/notes/$n" '{"title":"<b>&\"</b>"}'
	gets "PATCH" 200 '.title == "<b>&\"</b>"'
	req PUT "/api/projects/$p" '{"description":"d"}'
	gets "PUT" 200 '.description == "d"'
	req DELETE "/api/projects/$p/notes/$n"
	gets "DELETE" 200 .message
	req GET "/api/projects/$p/notes/$n"
	gets "and it is gone" 404 .error
	req POST /api/worker/jobs/start '{}'
	gets "no body in the answer" 204
	is "$door: is none" "$(wc -c <answer | tr -d ' ')" 0
	req POST /api/worker/jobs/start - 'Content-Length: 0'
	gets "nor in the question" 204
	req GET /api/nothing
	gets "an error is JSON" 404 .error
	req PUT /api/projects '{}'
	gets "405" 405 .error
	like "$door: and what it allows" "$(cat headers)" '^Allow: GET, POST$'
	req GET /api/projects
	length=$(wc -c <answer | tr -d ' ')
	curls "HEAD" 200 -I "http://$at/api/projects"
	# Apache leaves it out
	unlike "$door: says no other length" "$(sed -n 's/^[Cc]ontent-[Ll]ength: //p' headers |
		grep -vx "$length" || :)" .
	like "$door: and the type" "$(cat headers)" '^Content-Type: application/json'

	# the path
	for path in /api/projects/%2e%2e /api/projects/../../secret /api/%2e%2e/%2e%2e/secret; do
		req GET "$path"
		one_of "dots: $path" 400 404
	done
	req GET '/api%2Fprojects'
	gets "%2F is a slash" $slash
	req GET '/%61pi/%70rojects'
	gets "a letter is a letter" 200 '.[0].name == "p"'
	req GET '/api/projects/%00'
	one_of "%00" 400 404
	req GET "/api/projects?x=%0d%0aSet-Cookie:%20a"
	one_of "a line's end in the query" 200 400
	unlike "$door: is in no header" "$(cat headers)" '^Set-Cookie'

	# the body
	{
		printf '{"session_id":"s","raw_output":"'
		head -c 5000000 /dev/zero | tr '\0' x
		printf '"}'
	} >big
	t=$(tera-add ticket project="$p" title=log | field id)
	req POST "/api/projects/$p/tickets/$t/logs" @big
	gets "5 MB" 200
	req GET "/api/projects/$p/tickets/$t/logs"
	gets "come back whole" 200 '.[-1].raw_output | length == 5000000'
	head -c 2000000 /dev/zero | tr '\0' x >big
	req POST "/api/projects/$p/notes" @big
	gets "too long a body" 413
	head -c 9000000 /dev/zero | tr '\0' x >big
	req POST "/api/projects/$p/tickets/$t/logs" @big
	gets "too long for all" 413
	tera-rm ticket "$t" >/dev/null
	printf '{"title":"chunked"}' >body
	curls "a chunked body" "$chunked" -H 'Transfer-Encoding: chunked' \
		-H 'Content-Type: application/json' --data-binary @body \
		"http://$at/api/projects/$p/notes"
	is "$door: is done once, or not at all" "$(tera-ls note project="$p" |
		grep -c chunked || :)" "$([ "$chunked" = 201 ] && echo 1 || echo 0)"
	for n in $(tera-ls note project="$p" | jq -r .id); do
		tera-rm note "$n" >/dev/null
	done
	is "$door: a connection is kept" "$(curl -s -o out -o out -w '%{num_connects}' \
		"http://$at/health" "http://$at/health")" "$kept"

	# the headers
	req GET /api/projects - "X-Long: $(head -c 40000 big)"
	# shellcheck disable=SC2086 # words
	one_of "too long a header" $long
	req GET "/api/projects?x=$(head -c 9000 big)"
	one_of "too long a query" 414 $cut
	tera-set setting TERARCHITECT_WORKER_API_KEY value=k >/dev/null
	req GET /api/projects
	gets "a key is wanted" 401 .error
	like "$door: in which way" "$(cat headers)" '^WWW-Authenticate: Bearer'
	req GET /api/projects - 'Authorization: Bearer k'
	gets "and reaches us" 200
	tera-rm setting TERARCHITECT_WORKER_API_KEY >/dev/null

	# the files
	req GET $first
	gets "the first page" 200
	is "$door: is ours" "$(cmp answer "$TOP/share/www/index.html" 2>&1)" ""
	like "$door: its type" "$(cat headers)" '^Content-Type: text/html; charset=utf-8$'
	like "$door: only what is ours" "$(cat headers)" "^Content-Security-Policy: default-src 'self'"
	like "$door: no guessing" "$(cat headers)" '^X-Content-Type-Options: nosniff'
	tag=$(sed -n 's/^ETag: //p' headers)
	req GET $first - "If-None-Match: $tag"
	gets "not modified" $same
	[ "$same" = 200 ] || is "$door: no body" "$(wc -c <answer | tr -d ' ')" 0
	for path in /../secret /%2e%2e/secret /..%2fsecret; do
		req GET "$path"
		one_of "$path" 400 403 404
	done
	tour_stream
}
# serving: how many processes serve our store just now
serving() {
	for pid in $(pgrep -x tera-serve); do
		tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null |
			grep -qxF "TERA_STORE=$TERA_STORE" && echo "$pid"
	done | wc -l
}
nobody_serves() { [ "$(serving)" -eq 0 ]; }
# events FILE: follows them from $seen on, in the background
events() {
	: >"$1"
	curl -sN -H "Last-Event-ID: $seen" "http://$at/api/events?stream=1" >"$1" &
	follower=$!
	test_pids="$test_pids $follower"
}
has_ticket() { grep -q "^data: .*\"title\":\"$2\"" "$1" || grep -q '^event: ticket\.' "$1"; }
# ours: the events of the store
tour_events() {
	seen=$(tera-watch | tail -n 1 | field seq)
	events first.events
	sleep 0.5
	ok "$door: a stream of ours is a process" [ "$(serving)" -ge 1 ]
	tera-add ticket project="$p" title="$door" >/dev/null
	ok "$door: a change arrives" wait_for 10 has_ticket first.events "$door"
	kill "$follower"
	wait "$follower" 2>/dev/null || :
	events again.events
	ok "$door: Last-Event-ID arrives, so it comes again" \
		wait_for 10 has_ticket again.events "$door"
	is "$door: the same" "$(grep '^id:' again.events | head -n 1)" \
		"$(grep '^id:' first.events | head -n 1)"
	kill "$follower"
	wait "$follower" 2>/dev/null || :
	# the server finds out when it writes, which is every 15 seconds
	if [ -n "${FULL-}" ]; then
		ok "$door: who went away ends the process, too" wait_for 100 nobody_serves
	else
		skip 1 "takes half a minute: FULL=1"
	fi
}
tour_stream() {
	streams
	tour_events
	req GET /health
	gets "and serves on" 200
}
free_port() {
	perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1,
		LocalAddr => "127.0.0.1:0")->sockport'
}
# begin NAME: the next one
begin() {
	door=$1 port=$(free_port) base='' kept=10 chunked=201 slash=200
	long='400 431' cut='' first=/ same=304
	at=127.0.0.1:$port
}
# serves LOG: it does, within a while
serves() {
	test_pids="$test_pids $!"
	server=$!
	wait_for 20 curl -sf "http://$at/health" || note "$(tail -n 5 "$@")"
}
# over: it goes, and with it what it started
over() {
	kill "$server"
	wait "$server" 2>/dev/null || :
}

tera-init -q
tera-add project name=p repo_url=/r >/dev/null
echo hush >secret
tera-serve routes | sed -n 's,^[A-Z]* */\([a-z0-9]*\).*,\1,p' | sort -u >first
for f in lighttpd.conf apache.conf nginx.conf; do
	is "$f knows what routes begin with" "$(while read -r s; do
		grep -Eq "[(|:]${s}[|)]" "$conf/$f" || echo "$s"
	done <first)" ""
done

if command -v lighttpd >/dev/null; then
	begin lighttpd
	httpd_config lighttpd.conf "$port" "$T/srv" >here.conf
	lighttpd -D -f here.conf >lighttpd.out 2>&1 &
	serves lighttpd.out tera.log
	tour
	over
else
	skip 1 "no lighttpd(8): FULL=1 installs it"
fi

# Apache does not serve as root: it gets a name that is not root's
plain=
[ "$(id -u)" -ne 0 ] || plain='unshare --user --map-user=1000 --map-group=1000'
if ! command -v apache2 >/dev/null; then
	skip 1 "no apache2(8): FULL=1 installs it"
elif ! $plain true 2>/dev/null; then
	skip 1 "Apache: root, and no user namespaces"
else
	begin apache
	httpd_config apache.conf "$port" "$T/srv" >here.conf
	$plain apache2 -f "$T/here.conf" -D FOREGROUND >apache.out 2>&1 &
	serves apache.out tera.log
	tour
	over
fi

if command -v nginx >/dev/null && command -v fcgiwrap >/dev/null; then
	begin nginx
	httpd_config nginx.conf "$port" "$T/srv" >here.conf
	[ "$(id -u)" -ne 0 ] || sed -i '1i user root;' here.conf
	fcgiwrap -f -c 4 -s "unix:$T/run/cgi.sock" >fcgiwrap.out 2>&1 &
	test_pids="$test_pids $!"
	wrap=$!
	nginx -c "$T/here.conf" -g 'daemon off;' >nginx.out 2>&1 &
	serves nginx.out tera.log fcgiwrap.out
	tour
	over
	kill "$wrap"
	wait "$wrap" 2>/dev/null || :
else
	skip 1 "no nginx(8) with fcgiwrap(8): FULL=1 installs them"
fi

if command -v busybox >/dev/null && busybox httpd --help >out 2>&1; then
	begin busybox
	base=/cgi-bin/tera-serve at=$at$base
	kept=11 chunked=400 slash=404 first=/index.html
	long=200 cut=400 # what is left of the line
	same=200         # If-None-Match does not reach us
	PATH=$T/srv:$PATH "$conf/busybox" "$T/box" "127.0.0.1:$port" >busybox.out 2>&1 &
	serves busybox.out
	tour
	over
else
	skip 1 "no busybox(1) with httpd: FULL=1 installs it"
fi
done_testing
