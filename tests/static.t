#!/bin/sh
# The files of share/www, through both doors: what is served, and what is not.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/http.sh
. "$TOP/tests/http.sh"
set -eu
command -v curl >/dev/null || skip_all 'no curl(1)'
command -v gzip >/dev/null || skip_all 'no gzip(1)'

# head NAME: its value in the last answer
head_of() { sed -n "s/^$1: //p" headers; }
is_head() { is "$door: $1" "$(head_of "$2")" "$3"; }
body_is() {
	if cmp -s answer "$2"; then pass "$door: $1"; else
		flunk "$door: $1"
		note "$(head -c 300 answer)"
	fi
}
# hidden NAME PATH: no file, and nothing of the secret
hidden() {
	req GET "$2"
	case $status in
	400 | 404) pass "$door: $1" ;;
	*)
		flunk "$door: $1"
		note "status $status: $2"
		;;
	esac
	unlike "$door: $1: nothing of it" "$(tr -d '\0' <answer)" 'hush|Tera</h1>'
}

www=$TERA_CONFIG/www
mkdir -p "$www/docs" "$www/.git" "$www/empty" "$www/docs/@x/y"
echo hush >secret
echo hush >"$TERA_CONFIG/secret"
echo hush >"$www/.hidden"
echo hush >"$www/.git/config"
echo hush >'config/www/a b.txt'
echo hush >'config/www/%2e%2e'
ln -s "$T/secret" "$www/out.txt"
ln -s ../../secret "$www/out2.txt"
ln -s "$T" "$www/outdir"
ln -s /proc/self/cwd "$www/proc"
mkfifo "$www/pipe.txt"
echo '<h1>Hello</h1>' >"$www/index.html"
echo '<h1>Docs</h1>' >"$www/docs/index.html"
echo x >"$www/docs/@x/y/z.mjs"
: >"$www/nothing.css"
head -c 3000000 /dev/urandom >"$www/big.woff2"
seq 20000 >"$www/app.js"
gzip -9 -k "$www/app.js"
seq 10 >"$www/old.js"
gzip -k "$www/old.js"
touch -d '2020-01-01' "$www/old.js.gz"
for t in html css js mjs json svg png ico woff2 map txt wasm nonsense; do
	echo "$t" >"$www/t.$t"
done

files() {
	door "$1"
	req GET /
	gets "the first page" 200
	body_is "is index.html" "$www/index.html"
	is_head "its type" Content-Type 'text/html; charset=utf-8'
	is_head "no guessing" X-Content-Type-Options nosniff
	like "$door: only what is ours" "$(head_of Content-Security-Policy)" \
		"^default-src 'self'; .*frame-ancestors 'none'"
	is_head "asked for again" Cache-Control no-cache
	is_head "its length" Content-Length "$(wc -c <"$www/index.html" | tr -d ' ')"
	etag=$(head_of ETag)
	like "$door: a tag" "$etag" '^"[0-9a-f.-]+"$'
	for h in "$etag" "W/$etag" "\"x\", $etag" '*'; do
		req GET /index.html - "If-None-Match: $h"
		gets "not modified: $h" 304
		is "$door: with no body" "$(wc -c <answer | tr -d ' ')" 0
		is_head "and the tag" ETag "$etag"
	done
	for h in '"x"' "${etag%\"}" "${etag%\"}1\"" '' ', ,'; do
		req GET /index.html - "If-None-Match: $h"
		gets "modified: $h" 200
	done
	req GET '/index.html?v=2'
	gets "a query does not count" 200
	echo '<h1>Hello again</h1>' >"$www/index.html"
	req GET / - "If-None-Match: $etag"
	gets "a change is seen" 200
	body_is "at once" "$www/index.html"

	req GET /docs/
	gets "a directory" 200
	body_is "is its index.html" "$www/docs/index.html"
	req GET /docs
	gets "without the slash" 302
	is_head "has one" Location docs/
	req GET /docs/@x/y/z.mjs
	gets "further down" 200
	req GET /empty/
	gets "a directory without one" 404 .error
	req GET /nothing.css
	gets "an empty file" 200
	is_head "is empty" Content-Length 0
	req GET /big.woff2
	gets "a big one" 200
	body_is "comes whole" "$www/big.woff2"
	req GET /big.woff2 - 'Range: bytes=0-3'
	gets "no ranges" 200
	req POST /index.html '{}'
	gets "nothing to post to" 405 .error
	is_head "only to get" Allow 'GET, HEAD'

	for t in 'css text/css' 'html text/html' 'ico image/x-icon' 'js text/javascript' \
		'json application/json' 'map application/json' 'mjs text/javascript' \
		'nonsense application/octet-stream' 'png image/png' 'svg image/svg+xml' \
		'txt text/plain' 'wasm application/wasm' 'woff2 font/woff2'; do
		req GET "/t.${t% *}"
		is "$door: ${t% *}" "$(head_of Content-Type | sed 's/;.*//')" "${t#* }"
	done

	# the packed one beside it
	req GET /app.js - 'Accept-Encoding: br, gzip;q=0.5'
	gets "packed" 200
	body_is "is the .gz" "$www/app.js.gz"
	is_head "says so" Content-Encoding gzip
	is_head "has the type of the other" Content-Type 'text/javascript; charset=utf-8'
	is_head "depends on who asks" Vary Accept-Encoding
	packed=$(head_of ETag)
	req GET /app.js - 'Accept-Encoding: gzip' "If-None-Match: $packed"
	gets "packed, and had" 304
	for h in 'gzip;q=0' 'gzip; q=0.000, br' br gzipped identity; do
		req GET /app.js - "Accept-Encoding: $h"
		body_is "not packed: $h" "$www/app.js"
	done
	unlike "$door: another tag" "$(head_of ETag)" "^$packed$"
	req GET /app.js
	body_is "not packed when nobody asks" "$www/app.js"
	req GET /old.js - 'Accept-Encoding: gzip'
	body_is "nor an old one" "$www/old.js"

	# what is not there
	req GET /no.such
	gets "no such file" 404 .error
	req GET /no.such - 'Accept: text/html,*/*'
	gets "for a person" 404
	is_head "is a page" Content-Type 'text/html; charset=utf-8'
	unlike "$door: without what was asked" "$(cat answer)" 'no[.]such'
	req GET /api/no.such - 'Accept: text/html,*/*'
	gets "not below /api" 404 .error

	# what is not to be had
	hidden "dots" /../secret
	hidden "more dots" /docs/../../secret
	hidden "dots within" /docs/../index.html
	hidden "hidden" /.hidden
	hidden "hidden below" /.git/config
	hidden "a link" /out.txt
	hidden "a link by another way" /out2.txt
	hidden "a linked directory" /outdir/secret
	hidden "a magic link" /proc/secret
	hidden "a pipe" /pipe.txt
	hidden "a slash too many" //index.html
	hidden "or in between" /docs//index.html
	hidden "a slash behind a file" /index.html/
	hidden "one dot" /./index.html
	hidden "a backslash" '/..\secret'
	hidden "the whole path" "/$T/secret"
	hidden "too long a name" "/$(printf '%0300d' 0)"
	if [ "$door" = listen ]; then
		hidden "%2e" /%2e%2e/secret
		hidden "%2E%2F" /docs%2F%2e%2E%2f%2e./secret
		hidden "a name with a blank" /a%20b.txt
		hidden "%00" /index.html%00.txt
		hidden "%00 at the end" /.hidden%00
		hidden "twice" /%252e%252e/secret
		hidden "twice, as it is called" /%252e%252e
		hidden "%5c" '/..%5csecret'
		hidden "a long one" /%c0%ae%c0%ae/secret
		hidden "no encoding" /%2/secret
		req GET /docs%2Findex.html
		gets "%2F is a slash" 200
		req GET /%69ndex.html
		gets "a letter is a letter" 200
		is "HEAD" "$(curl -sI "http://$at/big.woff2" | tr -d '\r' |
			sed -n '1p; s/^Content-Length: //p' | tr '\n' ' ')" \
			"HTTP/1.1 200 OK 3000000 "
		is "a connection is kept" "$(curl -s -o out -o out -w '%{num_connects}' \
			"http://$at/app.js" "http://$at/app.js")" 10
		is "and is, with what was not modified" "$(curl -s -H 'If-None-Match: *' \
			-o out -o out -w '%{num_connects}' "http://$at/app.js" "http://$at/app.js")" 10
	else
		hidden "a name with a blank" '/a b.txt'
		hidden "twice, as it is called" /%2e%2e
		req HEAD /index.html
		gets "HEAD" 200
		is_head "HEAD: the length" Content-Length "$(wc -c <"$www/index.html" | tr -d ' ')"
		is "HEAD: no body" "$(wc -c <answer | tr -d ' ')" 0
		req HEAD /health
		is "nor with a route" "$status $(wc -c <answer | tr -d ' ')" "200 0"
	fi

	# neither key nor store
	tera-set setting TERARCHITECT_WORKER_API_KEY value=k >/dev/null
	req GET /
	gets "no key is wanted" 200
	req GET /api/projects
	gets "as it is for the store" 401
	tera-rm setting TERARCHITECT_WORKER_API_KEY >/dev/null
	req GET / - 'Host: tera.example' 'X-Forwarded-For: 10.1.1.1'
	gets "nor this machine" 200
	mkdir aside
	mv tera.db* aside
	req GET /
	gets "no store" 200
	mv aside/* .
	rmdir aside
	if [ "$door" = listen ]; then hush || :; fi
}
tera-init -q
files cgi
files listen

# the one that comes with it
rm -r "$www"
door cgi
req GET /
gets "our own" 200
body_is "is share/www" "$TOP/share/www/index.html"
mkdir -p "$T/away/www"
TERA_SHARE=$T/away req GET /
gets "an empty directory" 404 .error
# what it links to is there
sed -n 's/.*href="\([^"]*\)".*/\1/p' "$TOP/share/www/index.html" >links
ok "it has links" test -s links
while read -r link; do
	req GET "/$link"
	gets "$link" 200
done <links
done_testing
