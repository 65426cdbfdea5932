# What tests of the server source after lib.sh: requests through either door.
#
# door cgi | door listen; then req METHOD PATH [BODY [HEADER...]] sets $status
# and leaves the body in the file answer and the headers in the file headers.
# shellcheck shell=sh

# listen [ARG...]: starts tera-serve -l, sets $at (its address) and $listener
# shellcheck disable=SC2120 # an argument is for who needs one
listen() {
	: >listen.err
	TERA_STORE=${here-$TERA_STORE} tera-serve -l "${@:-127.0.0.1:0}" 2>listen.err &
	listener=$!
	test_pids="$test_pids $listener"
	wait_for 5 grep -q 'listening on' listen.err || return 1
	at=$(sed -n 's/.*listening on //p' listen.err)
}
# hush: ends it
hush() {
	kill -TERM "$listener"
	wait "$listener"
}
door() {
	door=$1
	[ "$door" = cgi ] || listen 127.0.0.1:0
}

# a header as CGI hands it on
cgi_variable() {
	case $1 in
	[Cc]ontent-[Tt]ype:*) printf 'CONTENT_TYPE=%s\n' "${1#*: }" ;;
	*)
		printf 'HTTP_%s=%s\n' "$(printf %s "${1%%:*}" |
			tr 'a-z-' 'A-Z_')" "$(printf %s "${1#*:}" | sed 's/^ *//; s/ *$//')"
		;;
	esac
}
# BODY: text, @FILE, or - for none (no length, no type)
req() {
	req_method=$1 req_path=$2 req_body=${3--}
	shift 2
	[ $# -eq 0 ] || shift
	case $req_body in
	-) : >req.body ;;
	@*) cp "${req_body#@}" req.body ;;
	*) printf %s "$req_body" >req.body ;;
	esac
	if [ "$door" = cgi ]; then
		req_cgi "$@"
	else
		req_curl "$@"
	fi
}
req_cgi() {
	req_query=
	case $req_path in
	*\?*) req_query=${req_path#*\?} req_path=${req_path%%\?*} ;;
	esac
	req_given=$#
	while [ "$req_given" -gt 0 ]; do
		req_head=$1 req_given=$((req_given - 1))
		shift
		set -- "$@" "$(cgi_variable "$req_head")"
	done
	if [ "$req_body" != - ]; then
		set -- CONTENT_TYPE=application/json \
			CONTENT_LENGTH="$(wc -c <req.body | tr -d ' ')" "$@"
	fi
	env GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD="$req_method" \
		PATH_INFO="$req_path" QUERY_STRING="$req_query" \
		REMOTE_ADDR="${REMOTE-127.0.0.1}" HTTP_HOST=localhost "$@" \
		tera-serve <req.body >cgi.out 2>cgi.err
	sed '/^.$/q' cgi.out | tr -d '\r' >headers
	status=$(sed -n 's/^Status: \([0-9]*\).*/\1/p' headers)
	sed '1,/^.$/d' cgi.out >answer
}
req_curl() {
	req_given=$#
	while [ "$req_given" -gt 0 ]; do
		req_head=$1 req_given=$((req_given - 1))
		shift
		set -- "$@" -H "$req_head"
	done
	case " $* " in
	*[Cc]ontent-[Tt]ype:*) ;;
	*) [ "$req_body" = - ] || set -- "$@" -H 'Content-Type: application/json' ;;
	esac
	[ "$req_body" = - ] || set -- "$@" --data-binary @req.body
	: >answer
	: >headers.raw
	# one that could not send it all may have an answer nevertheless
	status=$(curl -s -o answer -D headers.raw -w '%{http_code}' --path-as-is \
		-X "$req_method" -H 'Expect:' "$@" "http://$at$req_path" || :)
	tr -d '\r' <headers.raw >headers
}
# gets NAME STATUS [JQ]: of the last request
gets() {
	if [ "$status" != "$2" ]; then
		flunk "$door: $1"
		note "status $status, want $2: $req_method $(printf %.200s "$req_path")"
		note "$(head -c 600 answer)"
	elif [ $# -gt 2 ] && ! jq -e "$3" answer >/dev/null 2>&1; then
		flunk "$door: $1"
		note "$3"
		note "$(head -c 1500 answer)"
	else
		pass "$door: $1"
	fi
}
# of the last answer
value() { jq -r "$1" answer; }
