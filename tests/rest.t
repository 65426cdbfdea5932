#!/bin/sh
# The routes that are ours (tera-api(7)), through both doors.
# shellcheck disable=SC2016 # dollars of jq and of scripts
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/http.sh
. "$TOP/tests/http.sh"
set -eu
unset GH_TOKEN GITHUB_TOKEN GITHUB_AGENT_TOKEN OPENAI_API_KEY
command -v jq >/dev/null || skip_all 'no jq(1)'
nobody=00000000-0000-4000-8000-000000000000
curl() { command curl --max-time 60 "$@"; }

# another branch and pull request of a ticket: branch NAME FILE TEXT
branch() {
	git -C seed checkout -qB "$1" main
	printf '%s\n' "$3" >"seed/$2"
	git -C seed add . && git -C seed commit -qm "change $2"
	git -C seed push -qf "$T/p.git" "$1"
}
# ticket TITLE: $t and its $url, of project $p
ticket() {
	t=$(tera-add ticket project="$p" title="$1" | jq -r .id)
	url=/api/projects/$p/tickets/$t
}
# pull: a pull request of ticket $t, from its branch: $pr
pull() {
	pr=$(jq -cn --arg t "$t" --arg s "${2-$T/p.git}" \
		--arg base "$(git -C p.git rev-parse main)" \
		--arg head "$(git -C p.git rev-parse "ticket-$t")" --arg forge "${1-local}" \
		'{ticket_id:$t,title:"A change",body:"Ticket: x\n\n---\n\n## What was accomplished\n\nIt works.\n\n---\nmore",source:$s,head_branch:("ticket-"+$t),base_branch:"main",base_oid:$base,head_oid:$head,forge:$forge}' |
		tera-call pr.open - | jq -r .id)
}

jobs() {
	ticket Work
	req POST "$url/jobs" '{"priority":2}'
	gets "a job" 200 '.created == true and .state == "pending" and .priority == 2'
	job=$(value .job_id)
	req POST "$url/jobs" '{}'
	gets "once" 200 ".created == false and .job_id == \"$job\""
	req POST "/api/projects/$nobody/tickets/$t/jobs" '{}'
	gets "not of another project" 404 .error
	req GET "/api/jobs?state=pending&kind=ticket&project=$p&ticket=$t"
	gets "is listed" 200 "length == 1 and .[0].id == \"$job\""
	req GET '/api/jobs?state=running'
	gets "not as running" 200 '. == []'
	req GET '/api/jobs?reason=lost'
	gets "nor as lost" 200 '. == []'
	req GET '/api/jobs?state=walking'
	gets "no such state" 400 '.code == 65'
	req GET "/api/jobs/$nobody"
	gets "no such job" 404 .error
	req GET /api/jobs/x
	gets "no id" 404 .error
	req POST "/api/jobs/$job/pause" '{}'
	gets "what waits cannot pause" 400 .error
	req POST /api/worker/jobs/start '{"worker":"w"}'
	fence=$(value .fence)
	req GET "/api/jobs/$job"
	gets "one, with its attempts" 200 '.state == "running" and (.attempts | length == 1) and .attempts[0].worker == "w"'
	req POST "/api/jobs/$job/pause"
	gets "pause" 200 '.stop == "pause"'
	tera-finish -o paused "$job" "$fence" >/dev/null
	req POST "/api/jobs/$job/resume" '{}'
	gets "resume" 200 '.state == "pending"'
	req POST "/api/jobs/$job/resume" '{}'
	gets "only what is paused" 400 .error
	req PATCH "/api/jobs/$job" '{"priority":7,"run_after":"2999-01-01T00:00:00Z"}'
	gets "priority" 200 '.priority == 7 and .run_after == "2999-01-01T00:00:00.000Z"'
	req PATCH "/api/jobs/$job" '{"priority":"high"}'
	gets "is a number" 400 .error
	req POST "/api/jobs/$job/cancel" '{}'
	gets "cancel" 200 '.state == "cancelled"'
	req POST "/api/jobs/$job/cancel" '{}'
	gets "once" 400 .error
	req POST "/api/jobs/$job/retry" '{}'
	gets "retry" 200 '.state == "pending" and .run_after == null'
	is "$door: and it is said who did it" "$(tera-call event.list "job=$job" 'limit:=1000' |
		tail -1 | jq -r .actor)" loopback
}

limits() {
	req GET "/api/projects/$p/limits"
	gets "limits" 200 '.limits == {} and .max_running == null and .max_tries == 3 and .running == 0 and .cost_today == 0'
	v=$(value .version)
	req PUT "/api/projects/$p/limits" "{\"limits\":{\"turns\":5},\"max_running\":0,\"max_cost_day\":1.5,\"version\":$v}"
	gets "are set" 200 '.limits == {turns:5} and .max_running == 0 and .max_cost_day == 1.5 and .max_tries == 3'
	req POST /api/worker/jobs/start '{}'
	gets "0 holds the queue" 204
	req PUT "/api/projects/$p/limits" "{\"max_running\":1,\"version\":$v}"
	gets "an old version" 409 '.code == 65 and (.error | test("version"))'
	req PUT "/api/projects/$p/limits" '{"max_running":null}'
	gets "null lets it go" 200 '.max_running == null and .limits == {turns:5}'
	req PUT "/api/projects/$p/limits" '{"limits":{"wishes":3}}'
	gets "no such limit" 400 .error
	req PUT "/api/projects/$p/limits" '{"max_tries":0}'
	gets "no such number" 400 .error
	req PUT "/api/projects/$nobody/limits" '{}'
	gets "of nothing" 404 .error
}

tickets() {
	ticket One && one=$t
	ticket Two
	req POST "$url/dependencies" "{\"needs\":\"$one\"}"
	gets "a dependency" 201 ".ticket_id == \"$t\" and .needs_id == \"$one\""
	req GET "$url/dependencies"
	gets "is listed" 200 "length == 1 and .[0].needs_id == \"$one\" and .[0].met == false"
	req POST "/api/projects/$p/tickets/$one/dependencies" "{\"needs\":\"$t\"}"
	gets "no circle" 400 '.error | test("cycle")'
	req POST "$url/dependencies" "{\"needs\":\"$nobody\"}"
	gets "on nothing" 404 .error
	req POST "$url/dependencies" '{}'
	gets "on what" 400 .error
	req DELETE "$url/dependencies/$one"
	gets "no more" 200
	req DELETE "$url/dependencies/$one"
	gets "none" 404 .error

	req POST "$url/comments" '{"body":"<b>hm</b>","author":"the boss"}' 'Tera-Actor: ann'
	gets "a comment" 201 '.body == "<b>hm</b>" and .author == "ann"'
	req POST "$url/comments" '{"body":" "}'
	gets "a blank one" 400 .error
	req GET "$url/comments?limit=1"
	gets "comments" 200 'map(.author) == ["ann"]'

	req PATCH "$url" '{"title":"Zwei","version":1}'
	gets "a change of what was seen" 200 '.title == "Zwei" and .version == 2'
	req PATCH "$url" '{"title":"Deux","version":1}'
	gets "of what is old" 409 '.error | test("version 2")'
	req PATCH "$url" '{"title":"Due","column_id":"done","version":2}'
	gets "a change and a move" 200 '.title == "Due" and .column_id == "done"'
	req PATCH "$url" '{"column_id":"backlog","version":2}'
	gets "a move from where it is not" 409 .error
	req POST /api/v1/ticket.set "{\"ticket\":\"$t\",\"version\":1,\"title\":\"x\"}"
	gets "so with the verb" 409 '.code == 65'
	req DELETE "$url?version=1"
	gets "and a removal" 409 .error
	req DELETE "$url"
	gets "removed" 200
	req GET "/api/projects/$p/tickets"
	gets "is not there" 200 "map(.id) | index(\"$t\") == null"
	req GET "/api/projects/$p/tickets?deleted=1"
	gets "but here" 200 "map(.id) == [\"$t\"] and .[0].deleted_at"
	req POST "/api/projects/$nobody/tickets/$t/restore"
	gets "not from another project" 404 .error
	req POST "$url/restore"
	gets "and back" 200 ".id == \"$t\" and (has(\"deleted_at\") | not)"

	req GET "/api/projects/$p"
	v=$(value .version)
	req PUT "/api/projects/$p" "{\"description\":\"d\",\"version\":$v}"
	gets "a project" 200 ".version == $v + 1"
	req PUT "/api/projects/$p" "{\"description\":\"e\",\"version\":$v}"
	gets "an old one" 409 .error
	for what in graph kanban; do
		req GET "/api/projects/$p/$what"
		v=$(value .version)
		req PUT "/api/projects/$p/$what" "{\"version\":$v,\"nodes\":[],\"columns\":[{\"id\":\"backlog\",\"title\":\"B\"},{\"id\":\"in_progress\",\"title\":\"P\"},{\"id\":\"in_review\",\"title\":\"R\"},{\"id\":\"done\",\"title\":\"D\"}]}"
		gets "$what" 200 ".version == $v + 1"
		req PUT "/api/projects/$p/$what" "{\"version\":$v,\"nodes\":[],\"columns\":[]}"
		gets "an old $what" 409 .error
	done
	q=$(tera-add project name=gone repo_url=/r | jq -r .id)
	req DELETE "/api/projects/$q" '{"confirm_name":"gone"}'
	gets "a project goes" 200
	req GET '/api/projects?deleted=true'
	gets "to where it can be seen" 200 "map(.id) == [\"$q\"]"
	req POST "/api/projects/$q/restore" '{}'
	gets "and back" 200 ".id == \"$q\""
	req POST "/api/projects/$nobody/restore"
	gets "not nothing" 404 .error
}

# Follows Link from the path to the end: the ids that come
follow() {
	path=$1 base=${1%%\?*} pages=0
	: >ids
	while [ -n "$path" ] && [ "$pages" -lt 20 ]; do
		req GET "$path"
		[ "$status" = 200 ] || break
		jq -r '.[].id' answer >>ids
		next=$(sed -n 's/^[Ll]ink: <\(.*\)>; rel="next"$/\1/p' headers)
		path=${next:+$base$next} pages=$((pages + 1))
	done
}
pages() {
	for i in 1 2 3; do ticket "page $i"; done
	req GET "/api/projects/$p/tickets"
	jq -r '.[].id' answer >all
	unlike "$door: a whole list has no next" "$(cat headers)" '^[Ll]ink:'
	follow "/api/projects/$p/tickets?limit=2"
	is "$door: pages of tickets" "$(cat ids)" "$(cat all)"
	follow "/api/projects/$p/tickets?after=0&limit=2&column_id=backlog&x=%22%3E"
	is "$door: the query goes along" "$(sort ids)" \
		"$(tera-ls ticket project="$p" column_id=backlog | jq -r .id | sort)"
	follow '/api/projects?limit=1'
	is "$door: of projects" "$(cat ids)" "$(tera-ls project | jq -r .id)"
	follow '/api/jobs?limit=1'
	is "$door: of jobs" "$(cat ids)" "$(tera-ls job | jq -r .id)"
	for i in 1 2 3; do
		req POST "$url/logs" "{\"session_id\":\"s\",\"summary\":\"$i\"}"
	done
	follow "$url/logs?limit=2"
	is "$door: of logs" "$(wc -l <ids | tr -d ' ') $pages" "3 2"
	for bad in 1001 -1; do
		req GET "/api/jobs?limit=$bad"
		gets "limit $bad" 400 .error
	done
	req GET '/api/jobs?limit=1000'
	gets "the most" 200
}

pulls() {
	ticket Pull
	branch "ticket-$t" tests/test_more.py 'def test_more_words(): it("says <more>")'
	req GET "$url/diff"
	gets "what a ticket's branch changes" 200 'length == 1 and .[0].path == "tests/test_more.py" and .[0].status == "added" and .[0].hunks[0].lines[0].kind == "+"'
	req GET "$url/review"
	gets "there is no pull request" 404 .error
	pull
	req GET /api/pulls
	gets "open ones" 200 "map(.id) == [\"$pr\"]"
	req GET "/api/pulls?state=all&ticket=$t&project=$p"
	gets "of a ticket" 200 'length == 1'
	req GET '/api/pulls?state=merged'
	gets "no merged one" 200 '. == []'
	req GET '/api/pulls?state=ajar'
	gets "no such state" 400 .error
	req GET "/api/pulls/$pr"
	gets "one" 200 '.title == "A change" and .comments == []'
	req GET "/api/pulls/$pr/diff"
	gets "its diff" 200 'map(.path) == ["tests/test_more.py"] and .[0].additions == 1'
	req GET "/api/pulls/$nobody/diff"
	gets "of nothing" 404 .error
	req GET "/api/projects/$p/review"
	gets "the contract's list" 200 ".[0] | .id == \"$t\" and .title == \"Pull\" and .pr_state == \"open\" and .merged == false and has(\"pr_url\") and has(\"pr_number\")"
	req GET "$url/review"
	gets "the contract's review" 200 '.summary == "It works." and (.commits | length == 1) and .commits[0].message == "change tests/test_more.py" and (.commits[0].sha | length == 7) and .test_files == [{path:"tests/test_more.py",test_names:["says <more>","test more words"]}] and .tests_description == "" and .comments == [] and .pr_state == "open" and .merged == false and (.pr_number | type == "number") and .pr_url'

	req POST "/api/pulls/$pr/comments" '{"body":"Louder","path":"tests/test_more.py","line":1,"author":"root"}' 'Tera-Actor: ann'
	gets "a comment on a line" 201 '.author == "ann" and .path == "tests/test_more.py" and .line == 1 and .job_id'
	req GET "/api/jobs?ticket=$t&kind=review"
	gets "queues a review" 200 'length == 1 and .[0].comment_body == "Louder"'
	for bad in '{}' '{"body":" "}' '{"body":"x","line":3}' '{"body":"x","path":"/etc/passwd"}' '{"body":"x","path":"a","line":0}'; do
		req POST "/api/pulls/$pr/comments" "$bad"
		gets "no comment: $bad" 400 .error
	done
	req POST "/api/pulls/$pr/approve" '{"body":"Fine"}' 'Tera-Actor: ann'
	gets "approved" 200 '.approved_by == "ann"'
	req GET "/api/pulls/$pr"
	gets "with a word that asks for no answer" 200 '.comments[1] | .body == "Fine" and .addressed_at'
	req POST "/api/pulls/$pr/approve" '{"body":"Fine"}' 'Tera-Actor: ann' "Idempotency-Key: key-$pr"
	req POST "/api/pulls/$pr/approve" '{"body":"Fine"}' 'Tera-Actor: ann' "Idempotency-Key: key-$pr"
	gets "with a key" 200 '.approved_by == "ann"'
	req GET "/api/pulls/$pr"
	gets "once" 200 '.comments | length == 3'
	req POST "/api/pulls/$pr/changes" '{"body":"No, wait"}'
	gets "changes are asked for" 201 '.body == "No, wait"'
	req GET "/api/pulls/$pr"
	gets "and nobody approves it now" 200 '.approved_by == null'
	req POST "$url/review/comment" '{"body":"By the ticket"}'
	gets "the contract's comment" 200 .message
	req POST "$url/review/comment" '{"body":""}'
	gets "a blank one" 400 .error
	req POST "$url/review/approve" '{"body":"Now"}'
	gets "the contract's approval" 200 .message
	req GET "/api/pulls/$pr"
	gets "stands" 200 '.approved_by == "loopback"'
	key=$(tera-token add -p "$p" "one-$door" role=write | jq -r .token)
	req POST "$url/review/approve" '{"body":"And I"}' "Authorization: Bearer $key"
	gets "one of the project approves" 200 .message
	req POST "$url/review/comment" '{"body":"And this"}' "Authorization: Bearer $key"
	gets "and comments" 200 .message
	req GET "/api/pulls/$pr" - "Authorization: Bearer $key"
	gets "under its name" 200 ".approved_by == \"token one-$door\" and .comments[-1].author == \"token one-$door\""
	req POST "/api/pulls/$pr/merge" '{"method":"octopus"}'
	gets "no such way" 400 .error
	req POST "/api/pulls/$pr/merge" '{"method":"squash"}'
	gets "merge" 200 '.state == "merged" and .merge_method == "squash" and .merged_oid'
	is "$door: it is there" "$(git -C p.git show main:tests/test_more.py)" \
		'def test_more_words(): it("says <more>")'
	req POST "/api/pulls/$pr/merge" '{}'
	gets "once" 400 .error
	req GET "$url"
	gets "the ticket is done" 200 '.column_id == "done"'
	req GET "$url/diff"
	gets "what was merged stays to be read" 200 '.[0].path == "tests/test_more.py"'
	req GET "$url/review"
	gets "a merged one" 200 '.merged == true and .pr_state == "closed" and (.comments | length == 8)'
	git -C seed checkout -q main
	git -C seed pull -q "$T/p.git" main

	ticket Clash
	branch "ticket-$t" a one
	pull
	branch main a two
	req POST "/api/pulls/$pr/merge" '{}'
	gets "a conflict" 409 '.code == 65 and .conflicts == ["a"] and .merged == false and .error'
	req GET "/api/pulls/$pr"
	gets "stays open" 200 '.state == "open"'
	req POST "$url/review/merge" '{"merge_method":"rebase"}'
	gets "by the contract, too" 409 .error
	req POST "/api/pulls/$pr/close"
	gets "close" 200 '.state == "closed"'
	req POST "/api/pulls/$pr/close"
	gets "once" 400 .error
	req POST "/api/pulls/$pr/approve"
	gets "what is closed is not approved" 400 .error

	ticket Plain
	branch "ticket-$t" plain b
	pull
	req POST "$url/review/merge" '{"merge_method":"any"}'
	gets "the contract's merge" 200 .message

	ticket Forge
	branch "ticket-$t" forge b
	pull github "$T/p.git"
	for what in comments changes approve merge close; do
		req POST "/api/pulls/$pr/$what" '{"body":"x"}'
		gets "on a forge: $what" 501 '.error and .detail'
	done
	req POST "$url/review/merge" '{}'
	gets "the contract's, too" 501 .error
	req GET "$url/review"
	gets "what is known" 200 '.commits[0].message == "change forge" and .comments == []'

	ticket Away
	branch "ticket-$t" away b
	is "$door: of another repository" "$(tera-call pr.open ticket_id="$t" title=x source=/elsewhere \
		head_branch=b base_branch=main 2>&1)" 'tera-call: source: not the repository of the project'
	tera-set project "$p" repo_url="$T/nowhere.git" >/dev/null
	pull local "$T/nowhere.git"
	req GET "/api/pulls/$pr/diff"
	gets "no such repository" 404 .error
	tera-set project "$p" repo_url="$T/p.git" >/dev/null
	ticket 'No branch'
	req GET "$url/diff"
	gets "no such branch" 404 .error
}

# fake SCRIPT: what tera-diff is for a while
fake() {
	mkdir -p fake
	{ printf '#!/bin/sh\n' && cat; } >fake/tera-diff
	chmod +x fake/tera-diff
}
programs() {
	ticket Fake
	fake <<'EOF'
cat >&2
echo tera-diff: first >&2
echo 'tera-diff: /r: not reached' >&2
exit 69
EOF
	req GET "$url/diff"
	gets "away" 502 '.code == 69 and .error == "/r: not reached" and .detail'
	echo 'exit 1' | fake
	req GET "$url/diff"
	gets "no words" 500 .error
	echo 'kill -9 $$' | fake
	req GET "$url/diff"
	gets "killed" 500 .error
	echo 'echo no JSON' | fake
	req GET "$url/diff"
	gets "no JSON" 500 .error
	echo ':' | fake
	req GET "$url/diff"
	gets "nothing" 200 '. == []'
	echo 'yes "{\"a\":\"0123456789012345678901234567890123456789\"}"' | fake
	req GET "$url/diff"
	gets "too much" 502 '.error | test("too long")'
	echo 'jq -cn "env"; jq -c .' | fake
	req GET "$url/diff" - 'Tera-Actor: eve' 'Proxy: http://evil'
	gets "a clean environment" 200 '.[0] | .TERA_ACTOR == "loopback: eve" and (has("HTTP_PROXY") or has("HTTP_HOST") or has("GATEWAY_INTERFACE") or has("TERARCHITECT_SECRET_KEY") | not)'
	gets "and only what is ours" 200 ".[1] | .head_branch == \"ticket-$t\" and (has(\"workspace\") | not)"
	req GET "$url/diff?workspace=/etc" '{"workspace":"/etc","head_branch":"x"}'
	gets "whatever was asked" 200 ".[1] | .head_branch == \"ticket-$t\" and (has(\"workspace\") | not)"
	echo 'echo "$$" >>'"$T"'/gone; sleep 300 & echo "$!" >>'"$T"'/gone; wait' | fake
	[ "$door" = listen ] || return 0
	: >gone
	command curl -s --max-time 1 "http://$at$url/diff" >answer || :
	is "who asked is gone" "$(wc -l <gone | tr -d ' ')" 2
	ok "so is the program, and what it started" wait_for 20 all_gone
	: >gone
	echo 'echo + >>'"$T"'/gone; sleep 0.5; echo - >>'"$T"'/gone' | fake
	for i in 1 2 3 4 5 6 7 8 9; do
		command curl -s --max-time 60 "http://$at$url/diff" >"many.$i" &
		eval "many$i=$!"
	done
	req GET /health
	gets "nobody else waits" 200
	for i in 1 2 3 4 5 6 7 8 9; do eval "wait \$many$i"; done
	is "all are served" "$(cat many.*)" "$(for i in 1 2 3 4 5 6 7 8 9; do echo '[]'; done)"
	is "four at once" "$(awk '/\+/ { n++ } /-/ { n-- } n > most { most = n } END { print most }' gone)" 4
}
all_gone() {
	while read -r pid; do
		! kill -0 "$pid" 2>/dev/null || return 1
	done <gone
}

metrics() {
	tera-add ticket project="$p" title=odd status='a"b\c' >/dev/null
	req GET /metrics
	gets "metrics" 200
	like "$door: of that type" "$(cat headers)" '^[Cc]ontent-[Tt]ype: text/plain; version=0.0.4'
	# the grammar: HELP, TYPE, samples of the family that was announced
	is "$door: in the format" "$(awk '
		/^# HELP [a-zA-Z_:][a-zA-Z0-9_:]* ./ { help[$3]++; next }
		/^# TYPE [a-zA-Z_:][a-zA-Z0-9_:]* (counter|gauge|histogram)$/ {
			if (type[$3]++ || help[$3] != 1) print "twice: " $0
			now = $3; kind = $4; next
		}
		/^[a-zA-Z_:][a-zA-Z0-9_:]*(\{[a-z_]+="([^"\\]|\\["\\n])*"(,[a-z_]+="([^"\\]|\\["\\n])*")*\})? -?[0-9.e+-]+$/ {
			name = $0; sub(/[{ ].*/, "", name)
			if (kind == "histogram") sub(/_(bucket|sum|count)$/, "", name)
			if (name != now) print "of no family: " $0
			series = $0; sub(/ [^ ]*$/, "", series)
			if (seen[series]++) print "twice: " $0
			n++; next
		}
		{ print "what: " $0 }
		END { if (n < 30) print "few: " n }' answer)" ""
	ok "$door: escapes" grep -qF 'status="a\"b\\c"' answer
	like "$door: jobs" "$(cat answer)" '^tera_jobs\{state="pending",kind="ticket"\} [0-9]'
	like "$door: waiting" "$(cat answer)" '^tera_job_wait_seconds_count [1-9]'
	is "$door: all are within the last" "$(sed -n 's/^tera_job_wait_seconds_bucket{le="+Inf"} //p' answer)" \
		"$(sed -n 's/^tera_job_wait_seconds_count //p' answer)"
	if [ "$door" = listen ]; then
		like "listen: requests" "$(cat answer)" '^tera_http_requests_total\{method="GET",route="/api/jobs",code="200"\} [1-9]'
		like "listen: of no route" "$(cat answer)" '^tera_http_connections [1-9]'
	else
		unlike "cgi: no requests" "$(cat answer)" tera_http
	fi
	if /usr/bin/python3 -c 'import prometheus_client' 2>/dev/null; then
		ok "$door: as Prometheus's own parser reads it" /usr/bin/python3 -c '
from prometheus_client.parser import text_string_to_metric_families as parse
found = {f.name: f for f in parse(open("answer").read())}
assert found["tera_jobs"].samples and found["tera_job_wait_seconds"].type == "histogram"
assert any(s.labels["status"] == "a\"b\\c" for s in found["tera_tickets"].samples)
'
	fi
}

# what somebody does who owns the file
forge() {
	sqlite3 "$TERA_STORE" "DROP TRIGGER IF EXISTS event_stays; UPDATE event SET what = '$1' WHERE seq = 2"
}
seal() {
	was=$(sqlite3 "$TERA_STORE" 'SELECT what FROM event WHERE seq = 2')
	req GET /api/audit
	gets "the seal holds" 200 '.holds and .first_bad == null and .events > 10 and (.head | length == 64)'
	forge forged
	req GET /api/audit
	gets "no is an answer, too" 200 '(.holds | not) and .first_bad == 2'
	forge "$was"
	req GET /api/audit
	gets "it is looked at each time" 200 .holds
}

openapi() {
	req GET /api/openapi.json
	gets "openapi" 200 '.openapi == "3.1.0" and .info.title and .info.version'
	is "$door: is what the command prints" "$(jq -S . answer)" "$(tera-serve openapi | jq -S .)"
	gets "every route" 200 "([.paths[] | keys[]] | length) == $(tera-serve routes | wc -l)"
	gets "each has a name of its own" 200 '[.paths[][].operationId] | (length == (unique | length)) and all(test("^[a-z][a-z0-9_]*$"))'
	gets "names in a path are parameters" 200 '[.paths | to_entries[] | .key as $k | .value[] | [$k | scan("\\{([a-z_]+)\\}") | .[0]] == [(.parameters // [])[] | select(.in == "path") | .name]] | all'
	gets "parameters are whole" 200 '[.paths[][] | (.parameters // [])[] | (.name | type == "string") and (.in | IN("path", "query")) and (.required | type == "boolean") and (.in != "path" or .required) and (.schema | type == "object")] | all'
	gets "none twice" 200 '[.paths[][] | [(.parameters // [])[] | .in + .name] | length == (unique | length)] | all'
	gets "answers are described" 200 '[.paths[][].responses | has("default") and (to_entries | all((.key | test("^[1-5][0-9][0-9]$|^default$")) and (.value | has("description") or has("$ref"))))] | all'
	gets "what is referred to is there" 200 '. as $all | [.. | objects | .["$ref"]? // empty | ltrimstr("#/") | split("/") as $p | $all | getpath($p) != null] | all'
	gets "required keys are properties" 200 '[.paths[][].requestBody // empty | .content["application/json"].schema // empty | (.required // []) - (.properties | keys) == []] | all'
	gets "nothing of ours" 200 '[.paths[][] | (.parameters // [])[].name, ((.requestBody.content["application/json"].schema.properties // {}) | keys[])] | (index("env"), index("actor"), index("only")) == null'
}

# Each route with strangers' inputs, on things that are there and on things
# that are not: no 500, and never anything but JSON.
sweep() {
	req GET /api/openapi.json
	# pages are for people; what is removed goes last
	jq -r '[.paths | to_entries[] | select(.key | IN("/login", "/logout") | not) | .key as $path | .value | to_entries[] |
		[((.value.requestBody.content["application/json"].schema.properties // {} | keys[]),
			((.value.parameters // [])[] | select(.in == "query").name))] as $keys |
		{m: (.key | ascii_upcase), $path, body:
			({}, [], ([{"a":[1]}, "\u0001x", -1, 1e300, true][] as $v | [$keys[] | {(.): $v}] | add // empty))}] |
		sort_by(.m == "DELETE")[] | [.m, .path, (.body | tojson)] | join("\t")' answer |
		awk '!seen[$0]++' >table
	ticket Sweep
	branch "ticket-$t" "sweep-$door" x
	pull
	sed 's/{verb}/ticket.list/' table >asked
	grep -E '	(\{\}|.*true.*)$' asked | sed "s/{[a-z]*}/$nobody/g" >unknown
	sed -e "s/{project}/$p/; s/{ticket}/$t/; s/{pr}/$pr/" \
		-e "s/{note}/$(tera-add note project="$p" title=n | jq -r .id)/" \
		-e "s/{job}/$(tera-enqueue "$t" | jq -r .job_id)/" \
		-e "s/{needs}/$(tera-add ticket project="$p" title=n | jq -r .id)/" asked >>unknown
	: >wrong
	while IFS="$(printf '\t')" read -r method path body; do
		req "$method" "$path" "$body" </dev/null
		case $status:$(head -c 1 answer) in
		204: | 20?:[\{[#] | 40?:\{ | 501:\{ | 502:\{) ;;
		*) echo "$status $method $path $body: $(head -c 200 answer)" >>wrong ;;
		esac
	done <unknown
	is "$door: no 500 on any route" "$(head -20 wrong)" ""
	ok "$door: and they were many" test "$(wc -l <unknown)" -gt 300
	req GET /health
	gets "well after it" 200
}

# The listener ends while a program runs that does not.
the_end() {
	: >gone
	echo 'echo "$$" >>'"$T"'/gone; exec sleep 300' | fake
	ticket Last
	command curl -s --max-time 100 -w '%{http_code}' "http://$at$url/diff" >last &
	asker=$!
	wait_for 20 test -s gone
	hush && rc=0 || rc=$?
	wait "$asker" || :
	is "listen: who waits for a program is told so" "$rc $(tr -d '\n' <last)" '0 {"error":"the server ends"}503'
	ok "and the program is ended" wait_for 20 all_gone
}
rows() {
	rm -rf "$TERA_STORE"* "${TERA_STATE:?}"/* p.git seed
	world
	mkdir seed/tests
	p=$(tera-show project p | jq -r .id)
	PATH=$T/fake:$PATH door "$1"
	jobs
	limits
	tickets
	pages
	pulls
	metrics
	seal
	openapi
	PATH=$T/fake:$PATH programs
	rm -f fake/tera-diff
	sweep
	[ "$1" = cgi ] || the_end
}
rows cgi
rows listen
done_testing
