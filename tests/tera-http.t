#!/bin/sh
# tera-http: a verb over HTTP.  What commands make of it is in remote.t.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/http.sh
. "$TOP/tests/http.sh"
set -eu

exits "no URL: 78" 78 tera-http project.list </dev/null
exits "no verb: 64" 64 tera-http
exits "both: 64" 64 tera-http - project.list
tera-init -q
tera-add project name=p repo_url=/r >/dev/null
listen 127.0.0.1:0
export TERA_STORE="http://$at/"

exits "no input is an empty one" 0 tera-http project.list </dev/null
is "answers are lines" "$(field name <out)" p
is "as a URL of Terarchitect" "$(TERA_STORE='' TERARCHITECT_API_URL=http://$at \
	tera-http event.head </dev/null | field seq)" 1
echo '{"ticket":"99"}' >in
exits "a refusal: its status" 66 tera-http ticket.show <in
is "and its words" "$(cat err)" "tera-http: no such ticket: 99"
exits "an answer that is no: 1" 1 tera-http job.claim </dev/null
is "is silent" "$(cat out err)" ""
exits "no such verb: 66" 66 tera-http no.such </dev/null
exits "nor a path" 66 tera-http ../health </dev/null
exits "a value of the wrong type: 65" 65 tera-http ticket.add <<'END'
{"project":"p","title":5}
END
printf '%s\n' '{"project":"p","title":"a"}' '{"project":"q","title":"b"}' nonsense \
	'{"project":"p","title":"c"}' >in
exits "several: the last fault" 65 tera-http ticket.add <in
is "what is refused is named" "$(cut -c 1-34 err | tr '\n' '|')" \
	'tera-http: line 2: no such project|tera-http: line 3: not JSON|'
is "the others are done" "$(wc -l <out)" 2
strace -f -e trace=connect -o trace tera-http ticket.add <in >out 2>err || :
if [ -s trace ]; then
	is "by one connection" "$(grep -c 'sin_port=htons('"${at##*:}" trace)" 1
else
	skip 1 'no strace'
fi
printf '{"verb":"event.head","in":{}}\n{"verb":"ticket.show","in":{"ticket":"99"}}\n{}\n' |
	tera-http - >out
is "staying" "$(sed 's/^{.*/ROW/' out | tr '\n' '|')" \
	"ROW|=0 |=66 no such ticket: 99|=65 want verb and in|"

export TERARCHITECT_WORKER_API_KEY=k
TERA_STORE=$T/tera.db tera-set setting TERARCHITECT_WORKER_API_KEY value=k >/dev/null
exits "with the key" 0 tera-http event.head </dev/null
TERARCHITECT_WORKER_API_KEY=x
exits "without: 77" 77 tera-http event.head </dev/null
unlike "the key is not said" "$(cat err)" x:
hush
exits "nobody there: 69" 69 tera-http event.head </dev/null
like "says where" "$(cat err)" "http://$at/api/v1/event.head: "
done_testing
