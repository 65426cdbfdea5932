#!/bin/sh
# tera-serve: what is not in the contract (api.t): the program itself.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/http.sh
. "$TOP/tests/http.sh"
set -eu

exits "neither CGI nor -l: 64" 64 tera-serve
exits "no such operand: 64" 64 tera-serve roots
exits "-l without a store: 78" 78 tera-serve -l 127.0.0.1:0
sed -n '/^\.Ss Routes/,/^\.Ed/p' "$TOP/man/tera-api.7" |
	sed -n '/^\.Bd/,/^\.Ed/p' | sed '1d;$d' >page
tera-serve routes >table
is "the page lists the routes" "$(diff page table)" ""
tera-init -q

# CGI
door cgi
req GET /health
gets "a request" 200
is "answers end in a newline" "$(tail -c 1 answer | wc -l | tr -d ' ')" 1
rc=0
GATEWAY_INTERFACE=CGI/1.1 tera-serve -x y >out 2>err </dev/null || rc=$?
is "arguments that a server makes of a query" "$rc $(sed -n '1p' out | tr -d '\r')" \
	"0 Status: 200 OK"
printf '{"name":"n"}' >body
post() { # VARIABLE=VALUE...: $status
	env GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=POST PATH_INFO=/api/projects \
		REMOTE_ADDR=127.0.0.1 HTTP_HOST=localhost \
		CONTENT_TYPE=application/json "$@" tera-serve <body >out 2>err
	sed -n 's/^Status: \([0-9]*\).*/\1/p' out
}
is "no length: to the end" "$(post)" 201
is "too short a body" "$(post CONTENT_LENGTH=500)" 400
is "only as long as it says" "$(post CONTENT_LENGTH=3)" 400
is "a length that is none" "$(post CONTENT_LENGTH=-1)" 400
is "a length over the limit" "$(post CONTENT_LENGTH=99999999999)" 413
is "or none that could be" "$(post CONTENT_LENGTH=99999999999999999999999)" 400
is "from elsewhere" "$(post REMOTE_ADDR=10.1.2.3)" 403
is "from nowhere" "$(post REMOTE_ADDR=)" 403
is "IPv6" "$(post REMOTE_ADDR=::1)" 201
is "with a key, from elsewhere" "$(post REMOTE_ADDR=10.1.2.3 \
	TERARCHITECT_WORKER_API_KEY=k HTTP_AUTHORIZATION='Bearer k')" 201
is "a host of a name" "$(post HTTP_HOST=tera.example)" 403
is "of an address" "$(post HTTP_HOST='[::1]:80')" 201
is "its own pages" "$(post HTTP_ORIGIN=http://localhost)" 201
is "a page without an origin" "$(post HTTP_ORIGIN=null)" 403
GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=GET PATH_INFO=/health \
	tera-serve >/dev/full 2>err && rc=0 || rc=$?
is "a full disk: 74" "$rc" 74
if [ "$(id -u)" -ne 0 ]; then
	chmod 444 tera.db
	is "a store to read only" "$(post)" 503
	chmod 644 tera.db
else
	skip 1 "root writes everywhere"
fi
printf x >tera.db
is "no store at all" "$(post)" 503
done_testing
