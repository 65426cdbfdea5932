#!/bin/sh
# contrib/httpd: each configuration with its real server.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/http.sh
. "$TOP/tests/http.sh"
set -eu
PATH=$PATH:/usr/sbin
command -v curl >/dev/null || skip_all 'no curl(1)'
tera-init -q
tera-add project name=p repo_url=/r >/dev/null

# The same for each server: the path, the query, the body, the headers, the
# key.
tour() {
	req GET /health
	gets "health" 200 '. == {status:"healthy"}'
	req GET /api/projects
	gets "a list" 200 '.[0].name == "p"'
	p=$(value '.[0].id')
	req POST "/api/projects/$p/notes" '{"title":"ä"}' 'Idempotency-Key: 12345678-x'
	gets "a body" 201 '.title == "ä"'
	n=$(value .id)
	req POST "/api/projects/$p/notes" '{"title":"ä"}' 'Idempotency-Key: 12345678-x'
	gets "a header" 201 ".id == \"$n\""
	req GET "/api/projects/$p/notes?limit=0"
	gets "a query" 200 '. == []'
	req DELETE "/api/projects/$p/notes/$n"
	gets "a method" 200
	req POST /api/worker/jobs/start '{}'
	gets "no body in the answer" 204
	req POST /api/worker/jobs/start - 'Content-Length: 0'
	gets "nor in the question" 204
	req GET /api/nothing
	gets "an error is JSON" 404 .error
	req GET '/api/projects/%2e%2e'
	gets "dots" 404 .error
	req PUT /api/projects '{}'
	gets "405" 405 .error
	like "$door: and what it allows" "$(cat headers)" '^Allow: GET, POST$'
	head -c 2000000 /dev/zero | tr '\0' x >big
	req POST "/api/projects/$p/notes" @big
	gets "too long a body" 413
	tera-set setting TERARCHITECT_WORKER_API_KEY value=k >/dev/null
	req GET /api/projects
	gets "a key is wanted" 401 .error
	req GET /api/projects - 'Authorization: Bearer k'
	gets "and reaches us" 200
	tera-rm setting TERARCHITECT_WORKER_API_KEY >/dev/null
}
free_port() {
	perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1,
		LocalAddr => "127.0.0.1:0")->sockport'
}

if command -v lighttpd >/dev/null; then
	door=lighttpd port=$(free_port) at=127.0.0.1:$port
	sed "s,5010,$port,; s,/usr/local/bin/,$B/bin/,; s,/var/lib/tera/tera.db,$TERA_STORE,
		s,/var/lib/tera,$HOME,; s,/var/log/lighttpd/,$T/,; s,/var/empty,$T," \
		"$TOP/contrib/httpd/lighttpd.conf" >lighttpd.conf
	lighttpd -D -f lighttpd.conf >lighttpd.out 2>&1 &
	test_pids="$test_pids $!"
	wait_for 5 curl -s "http://$at/health" || note "$(cat lighttpd.out tera.log)"
	tour
else
	skip 15 "no lighttpd(8)"
fi
done_testing
