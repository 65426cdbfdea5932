#!/bin/sh
# The wire contract of Terarchitect, row by row, through both doors.  The
# numbers are those of its list of black-box cases.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/http.sh
. "$TOP/tests/http.sh"
set -eu
unset GH_TOKEN GITHUB_TOKEN GITHUB_AGENT_TOKEN OPENAI_API_KEY
command -v jq >/dev/null || skip_all 'no jq(1)'
nobody=00000000-0000-4000-8000-000000000000

new_ticket() { # title: $t
	req POST "/api/projects/$p/tickets" "{\"title\":\"$1\",\"column_id\":\"backlog\"}"
	t=$(value .id)
	url=/api/projects/$p/tickets/$t
}
move() { req PATCH "$url" "{\"column_id\":\"$1\"}"; }
start() { req POST /api/worker/jobs/start "{\"project_id\":\"$p\"}"; }
j() { value .job_id; }

rows() {
	rm -f "$TERA_STORE"*
	tera-init -q
	door "$1"

	req GET /health
	gets "1 health" 200 '. == {status:"healthy"}'
	req POST /api/worker/jobs/start '{}'
	gets "2 an empty queue" 204
	is "$door: 2 has no body" "$(wc -c <answer | tr -d ' ')" 0

	req POST /api/projects '{"name":"P","github_url":"https://github.com/o/r"}'
	gets "a project" 201 '.name == "P" and .execution_mode == "docker" and .project_path == null'
	p=$(value .id)
	req GET "/api/projects/$p/tickets"
	gets "with a ticket that sets it up" 200 'length == 1 and .[0].title == "Project setup" and .[0].associated_node_ids == ["*"]'
	start
	gets "3 an empty project" 204
	req POST /api/worker/jobs/start '{"project_id":null}'
	gets "4 null is any project" 204
	req POST /api/worker/jobs/start '{"project_id":""}'
	gets "4 so is a blank one" 204
	req POST /api/worker/jobs/start '{"project_id":"bad"}'
	gets "5 no UUID" 400 .error
	req POST /api/worker/jobs/start "{\"project_id\":\"$nobody\"}"
	gets "6 no such project" 404 .error
	req POST /api/worker/jobs/start
	gets "7 no body, no type" 204
	req POST /api/worker/jobs/start '{"project_id":5}'
	gets "8 a number" 400 .error
	req POST /api/worker/jobs/start '{"project_id":'
	gets "9 malformed" 400 .error
	req GET /api/worker/jobs/start
	gets "10 another method" 405 .error
	like "$door: 10 says which" "$(cat headers)" '^Allow: POST$'

	new_ticket One
	move in_progress
	gets "11 no node: a gate" 400 '.error | test("node")'
	req PUT "/api/projects/$p/graph" '{"nodes":[{"id":"n1","data":{"label":"Api"}},{"id":"n2","data":{"label":"Db"}}],"edges":[{"id":"e1","source":"n1","target":"n2","data":{}}]}'
	gets "a graph" 200 '. == {version:2}'
	move in_progress
	gets "11 no token: a gate" 400 '.error | test("github_agent_token")'
	req PUT /api/settings '{"github_agent_token":"ghp_x","GIT_USER_NAME":"n","AGENT_MODEL":"m","nonsense":1,"MAX_CONCURRENT_AGENTS":3}'
	gets "61, 62 settings" 200 '.MAX_CONCURRENT_AGENTS == "3" and .github_agent_token == true and .AGENT_API_KEY == false and .AGENT_LLM_URL == null and length == 28'
	req GET /api/settings
	gets "61 as text" 200 '.MAX_CONCURRENT_AGENTS == "3"'
	unlike "$door: 62 no value of a secret" "$(cat answer)" ghp_x
	move nowhere
	gets "a column that is not there" 400 .error
	move in_progress
	gets "11 moved" 200 '.column_id == "in_progress"'
	start
	gets "11 claimed" 200 ".ticket_id == \"$t\" and .project_id == \"$p\" and .kind == \"ticket\" and .repo_url == \"https://github.com/o/r\" and .execution_mode == \"docker\" and has(\"project_path\") and .project_path == null and ([has(\"pr_number\", \"comment_body\", \"github_comment_id\")] | any | not)"
	gets "63 agent_env" 200 '.agent_env == {GH_TOKEN:"ghp_x",GITHUB_TOKEN:"ghp_x",GIT_USER_NAME:"n",AGENT_MODEL:"m"}'
	job=$(j)
	start
	gets "12 again: nothing" 204
	move in_progress
	gets "13 again in progress" 200
	is "$door: 13 one job" "$(tera-ls job | wc -l)" 1
	req POST "/api/worker/jobs/$job/complete"
	gets "17 complete" 200 ".job_id == \"$job\" and (.message | type == \"string\")"
	req POST "/api/worker/jobs/$job/complete" '{}'
	gets "18 twice" 409 '.error and .status == "completed"'
	req POST "/api/worker/jobs/$job/fail"
	gets "18 fail after it" 409 '.status == "completed"'
	gets_ticket "the ticket did not move" '.column_id == "in_progress"'

	for n in a b c; do
		new_ticket $n
		move in_progress
	done
	order=
	for n in a b c; do
		start
		[ $n != a ] || job=$(j)
		order="$order $(tera-show ticket "$(value .ticket_id)" | field title)"
	done
	is "$door: 16 first in, first out" "$order" " a b c"
	req POST "/api/worker/jobs/$job/fail"
	gets "21 fail" 200 ".job_id == \"$job\""
	is "$door: 21 the ticket says so" "$(tera-ls ticket status=failed | field title)" a
	new_ticket d
	move in_progress
	req POST "/api/worker/jobs/$(tera-ls job state=pending | field id)/complete"
	gets "19 a pending one" 409 '.status == "pending"'
	req POST "/api/worker/jobs/$nobody/complete"
	gets "20 unknown" 404 .error
	req POST /api/worker/jobs/nonsense/complete
	gets "20 no UUID" 404 .error
	start

	# 8 at once
	tera-ls job state=running | jq -r .id | while read -r id; do
		tera-call api.job.complete job="$id"
	done >/dev/null
	i=0
	while [ $i -lt 20 ]; do
		i=$((i + 1))
		echo "{\"project\":\"$p\",\"title\":\"t$i\"}"
	done | tera-add ticket - | tera-enqueue - >/dev/null
	rm -rf claims
	pids=
	for w in 1 2 3 4 5 6 7 8; do
		(
			mkdir -p "claims/$w" && cd "claims/$w"
			while start && [ "$status" = 200 ]; do cat answer >>got; done
			echo "$status" >ended
		) &
		pids="$pids $!"
	done
	for pid in $pids; do wait "$pid"; done
	is "$door: 14 20 jobs, each once" \
		"$(cat claims/*/got | jq -r .job_id | sort -u | wc -l) $(cat claims/*/got | wc -l)" "20 20"
	is "$door: 14 and all end with nothing" "$(sort -u claims/*/ended)" 204
	before=$(tera-ls job | wc -l)
	new_ticket six
	pids=
	for w in 1 2 3 4 5 6; do
		(mkdir -p "claims/$w" && cd "claims/$w" && move in_progress) &
		pids="$pids $!"
	done
	for pid in $pids; do wait "$pid"; done
	is "$door: 15 six moves, one job" "$(($(tera-ls job | wc -l) - before))" 1
	start

	# reviews
	tera-ls job state=running | jq -r .id | while read -r id; do
		tera-call api.job.complete job="$id"
	done >/dev/null
	tera-call job.add ticket="$t" kind=review pr_number=7 comment_body='do it' \
		github_comment_id:=12345678901 >/dev/null
	start
	gets "22 a review" 200 '.kind == "review" and .pr_number == 7 and .comment_body == "do it" and .github_comment_id == 12345678901'
	req POST "/api/worker/jobs/$(j)/complete"
	gets "23 its end" 200
	start
	gets "23 is the end" 204
	tera-call job.add ticket="$t" kind=review pr_number=7 >/dev/null
	start
	gets "22 nothing to say" 200 '.comment_body == "" and .github_comment_id != null'
	req POST "/api/worker/jobs/$(j)/fail"
	start
	gets "24 it does not come back" 204

	# the context
	req GET "$url/worker-context"
	gets "30 the context" 200 '([.project_id, .project_name, .repo_url, .github_url, .current_ticket.id] | all) and has("project_description") and (.graph.nodes | length == 2) and .current_ticket._current_ticket == true and (.current_ticket | has("associated_edge_ids") | not) and (.agent_settings | length == 19 and (map(type == "string") | all))'
	gets "33 no association" 200 '.graph_relevant_to_current_ticket == {nodes:[],edges:[]}'
	gets "30 labels of the graph" 200 '.graph.edges[0].source_label == "Api" and .graph.edges[0].target_label == "Db"'
	req PATCH "$url" '{"associated_node_ids":["n1"]}'
	gets "a change" 200 '.associated_node_ids == ["n1"] and .title == "six"'
	req GET "$url/worker-context"
	gets "32 the edge of a node" 200 '.graph_relevant_to_current_ticket | .nodes[0].label_and_id == "Api: n1" and (.nodes | length == 1) and .edges[0].label_and_id == "Api → Db: e1"'
	gets "32 labels" 200 '.current_ticket.associated_nodes_labeled == ["Api: n1"]'
	req PATCH "$url" '{"associated_node_ids":["*"],"associated_edge_ids":["*"]}'
	req GET "$url/worker-context"
	gets "31 all" 200 '(.graph_relevant_to_current_ticket | (.nodes | length == 2) and (.edges | length == 1)) and .current_ticket.associated_node_ids == ["*"] and (.current_ticket.associated_nodes_labeled | length == 2) and .current_ticket.associated_edges_labeled == ["Api → Db: e1"]'
	req POST /api/projects '{"name":"Q","is_existing_repo":true}'
	q=$(value .id)
	req GET "/api/projects/$q/tickets"
	gets "an existing repository has no first ticket" 200 '. == []'
	req GET "/api/projects/$q/tickets/$t/worker-context"
	gets "34 another project's ticket" 404 .error
	req GET "/api/projects/$p/tickets/$nobody/worker-context"
	gets "34 no ticket" 404 .error
	i=0
	while [ $i -lt 26 ]; do
		i=$((i + 1))
		c=backlog
		[ $i -le 12 ] || c=in_progress
		[ $i -le 19 ] || c='done'
		echo "{\"project\":\"$q\",\"title\":\"$c$i\",\"column_id\":\"$c\"}"
	done | tera-add ticket - >/dev/null
	u=$(tera-ls ticket project="$q" column_id=in_progress | head -n 1 | field id)
	req GET "/api/projects/$q/tickets/$u/worker-context"
	gets "35 neighbours" 200 "(.backlog_tickets | length == 10) and (.in_progress_tickets | length == 5 and .[0].id == \"$u\" and .[0]._current_ticket) and (.done_tickets | length == 5)"

	# logs
	req POST "$url/logs" '{"session_id":"s","step":"plan","summary":"sum","raw_output":"raw"}'
	gets "36 a log" 200 '.id and .message'
	req POST "$url/logs" '{"step":"plan"}'
	gets "37 no session" 400 .error
	req POST "$url/logs" '{"session_id":"  "}'
	gets "37 a blank one" 400 .error
	req POST "$url/logs" '{"session_id":"s","step":""}'
	gets "38" 200
	long=$(printf '%0200d' 0)
	req POST "$url/logs" "{\"session_id\":\"s\",\"step\":\"$long\"}"
	gets "38" 200
	req POST "$url/logs" '{"session_id":5}'
	gets "39 a number" 400 .error
	req POST "$url/logs" "{\"session_id\":\"$long$long\"}"
	gets "39 too long" 400 .error
	req POST "$url/logs" '{"session_id":"s","summary":"a\u0000b"}'
	gets "39 a NUL" 200
	req POST "$url/logs" null
	gets "40 null" 400 .error
	req GET "$url/logs"
	gets "42 as they came" 200 'map(.step) == ["plan","step",("0" * 100),"step"] and (.[0] | .id and .summary == "sum" and .raw_output == "raw" and .success == true and .created_at)'
	req GET "$url/logs?since=$(value '.[1].seq')&limit=1"
	gets "from a place" 200 'map(.step) == [("0" * 100)]'
	head -c 5000000 /dev/zero | tr '\0' x >raw
	{
		printf '{"session_id":"s","raw_output":"'
		cat raw
		printf '"}'
	} >big
	req POST "$url/logs" @big
	gets "41 5 MB" 200
	req GET "$url/logs?since=0"
	gets "41 come back whole" 200 '.[-1].raw_output | length == 5000000'
	req GET "/api/projects/$p/tickets/$nobody/logs"
	gets "43 of nothing" 200 '. == []'

	# the end of a ticket
	req POST "$url/complete" '{}'
	gets "44 complete" 200 ".ticket_id == \"$t\" and .message"
	gets_ticket "44 in review" '.column_id == "in_review" and .status == "completed" and .pr_url == null and .pr_number == null'
	req POST "$url/complete" '{"pr_number":9}'
	gets "47 a number alone" 200
	gets_ticket "47 makes none" '.pr_url == null'
	req POST "$url/complete" '{"pr_url":"https://github.com/o/r/pull/7","pr_number":"7","summary":"did it","review_comment_body":"done"}'
	gets_ticket "45 a pull request" '.pr_number == 7 and (.pr_url | endswith("/7"))'
	req POST "$url/complete" '{"pr_url":"https://github.com/o/r/pull/8","pr_number":8}'
	gets_ticket "46 another URL" '.pr_number == 8 and (.pr_url | endswith("/8"))'
	is "$door: 46 one pull request" "$(tera-ls pr | wc -l)" 1
	req POST "$url/complete" '{"pr_url":"https://github.com/o/r/pull/8","pr_number":"x"}'
	gets "48 no number" 200
	gets_ticket "48 keeps the old one" '.pr_number == 8'
	req PATCH "$url" '{"column_id":"done"}'
	req POST "$url/complete" '{}'
	gets "49 a late word" 200
	gets_ticket "49 done stays done" '.column_id == "done"'
	req POST "$url/complete"
	gets "50 nothing said" 200
	req POST "$url/complete" 'x=1' 'Content-Type: application/x-www-form-urlencoded'
	gets "50 another type" 415 .error

	# stop
	new_ticket stopped
	req GET "$url/cancel-requested"
	gets "51 not yet" 200 '.cancel_requested == false'
	move in_progress
	start
	job=$(j)
	req POST "$url/cancel"
	gets "51 cancel" 200 .message
	req GET "$url/cancel-requested"
	gets "51 asked for" 200 '.cancel_requested == true'
	move backlog
	req POST "/api/worker/jobs/$job/fail"
	gets "stopped" 200
	is "$door: it was cancelled" "$(tera-show job "$job" | field state)" cancelled
	req GET "$url/cancel-requested"
	gets "51 still" 200 '.cancel_requested == true'
	sleep 0.01
	move in_progress
	req GET "$url/cancel-requested"
	gets "52 a new run" 200 '.cancel_requested == false'
	start
	gets "52 may be had" 200
	req GET "$url/cancel-requested"
	gets "52 and is not stopped" 200 '.cancel_requested == false'
	req GET "/api/projects/$p/tickets/$nobody/cancel-requested"
	gets "53 unknown" 404 .error

	# memory
	m=/api/projects/$p/memory
	req POST "$m/retrieve" '{"queries":["anything"]}'
	gets "58 nothing kept: the project itself" 200 '(.results | length == 1) and .results[0].docs == ["P"]'
	for b in '{}' '{"docs":"x"}' '{"docs":[]}' '{"docs":[1]}'; do
		req POST "$m/index" "$b"
		gets "54 $b" 400 .error
	done
	req POST "$m/index" '{"docs":["Der Käfer brüllt laut","the quick brown fox jumps"]}'
	gets "55 index" 200 '.count == 2 and .message'
	req POST "$m/retrieve" '{"queries":["which fox?","kafer","\"a b\\nc -x* (NEAR"],"num_to_retrieve":2}'
	gets "56 retrieve" 200 '.results | length == 3 and .[0].question == "which fox?" and .[0].docs[0] == "the quick brown fox jumps" and .[1].docs[0] == "Der Käfer brüllt laut" and (map((.docs | length) <= 2 and (.docs | length) == (.doc_scores | length) and (.doc_scores | map(type == "number") | all)) | all)'
	req POST "$m/index" '{"docs":["zebra crossing"]}'
	req POST "$m/retrieve" '{"queries":["zebra"],"num_to_retrieve":1}'
	gets "57 found at once" 200 '.results[0].docs == ["zebra crossing"]'
	req POST "$m/retrieve" "$(jq -cn '{queries:[range(51) | "x"]}')"
	gets "more questions than are answered" 400 .error
	req POST "$m/retrieve" "$(jq -cn '{queries:["x" * 2001]}')"
	gets "too long a one" 400 .error
	req POST "/api/projects/$nobody/memory/retrieve" '{"queries":["x"]}'
	gets "59 no project" 404 .error
	req POST "$m/delete" '{"docs":["zebra crossing"]}'
	gets "60 delete" 200 '.count == 1'
	req POST "$m/retrieve" '{"queries":["zebra"],"num_to_retrieve":5}'
	gets "60 gone" 200 '.results[0].docs | index("zebra crossing") == null'

	# what is left of the people's side
	req GET "/api/projects/$p/kanban"
	gets "the board" 200 '.columns | map(.id) == ["backlog","in_progress","in_review","done"]'
	req PUT "/api/projects/$q/kanban" '{"columns":[{"id":"backlog","title":"B","order":0}]}'
	gets "another one" 200 '.columns | length == 1'
	req GET "/api/projects/$p/graph"
	gets "the graph" 200 '.version == 2 and (.nodes | length == 2)'
	req PUT "/api/projects/$p/graph" '{"nodes":"x"}'
	gets "is checked" 400 .error
	req POST "/api/projects/$p/notes" '{"title":"<b>n</b>","content":"c","node_ids":["n1"]}'
	gets "a note" 201 '.title == "<b>n</b>" and .node_ids == ["n1"] and .edge_ids == []'
	n=$(value .id)
	req PATCH "/api/projects/$p/notes/$n" '{"content":"d"}'
	gets "changed" 200 '.content == "d" and .title == "<b>n</b>"'
	req GET "/api/projects/$q/notes/$n"
	gets "of another project" 404 .error
	req DELETE "/api/projects/$p/notes/$n"
	gets "removed" 200 .message
	req GET "/api/projects/$p/notes"
	gets "gone" 200 '. == []'
	req PUT "/api/projects/$p" '{"description":"äö","execution_mode":"nonsense","project_path":" "}'
	gets "a project's change" 200 '.description == "äö" and .execution_mode == "docker" and .name == "P" and .project_path == null'
	req PUT "/api/projects/$p" '{"name":null}'
	gets "no name" 400 .error
	req GET /api/settings/check
	gets "settings check" 200 '.ready == false and (.missing_required | map(.key) | index("AGENT_API_KEY") != null and index("AGENT_MODEL") == null) and .warnings == []'
	req PATCH "$url" '{"title":null}'
	gets "no title" 400 .error
	req DELETE "$url"
	gets "64 a ticket with jobs" 200 .message
	req GET "$url"
	gets "64 is gone" 404 .error
	req DELETE "/api/projects/$p" '{"confirm_name":"x"}'
	gets "64 not by another name" 400 .error

	# a lease that ran out
	new_ticket lease
	move in_progress
	req POST /api/worker/jobs/start "{\"project_id\":\"$p\",\"lease_seconds\":1}"
	gets "65 claimed" 200
	job=$(j)
	sleep 1.2
	start
	gets "65 lost, and there again" 200 ".job_id == \"$job\""

	# calls that are done once
	req POST "/api/projects/$p/notes" '{"title":"once"}' 'Idempotency-Key: 11111111-key'
	gets "with a key" 201 '.title == "once"'
	n=$(value .id)
	req POST "/api/projects/$p/notes" '{"title":"once"}' 'Idempotency-Key: 11111111-key'
	gets "again: the same answer" 201 ".id == \"$n\""
	req GET "/api/projects/$p/notes"
	gets "and one note" 200 'length == 1'
	new_ticket keyed
	move in_progress
	req POST /api/worker/jobs/start '{}' 'Idempotency-Key: 22222222-key'
	job=$(j)
	req POST /api/worker/jobs/start '{}' 'Idempotency-Key: 22222222-key'
	gets "a claim whose answer was lost" 200 ".job_id == \"$job\" and .agent_env.GH_TOKEN == \"ghp_x\""
	req POST /api/worker/jobs/start '{}' 'Idempotency-Key: 33333333-key'
	gets "is not done twice" 204

	req DELETE "/api/projects/$p/notes/$n" - 'Idempotency-Key: 44444444-key'
	gets "a removal" 200 .message
	req DELETE "/api/projects/$p/notes/$n" - 'Idempotency-Key: 44444444-key'
	gets "again" 200 .message
	req DELETE "/api/projects/$p/notes/$n" - 'Idempotency-Key: 55555555-key'
	gets "another one" 404 .error
	req PATCH "$url" '{"title":"patched","column_id":"backlog"}' 'Idempotency-Key: 66666666-key'
	gets "a change and a move" 200 '.title == "patched" and .column_id == "backlog"'
	req PATCH "$url" '{"title":"patched","column_id":"backlog"}' 'Idempotency-Key: 66666666-key'
	gets "again" 200 '.title == "patched" and .column_id == "backlog"'
	is "$door: is one" "$(tera-show ticket "$t" | field version)" 4
	req GET "/api/projects" - 'Idempotency-Key: 77777777-key'
	gets "a question with a key" 200

	# any verb
	req POST /api/v1/project.list '{}'
	gets "v1: lines" 200 .number
	is "$door: v1: each a line" "$(wc -l <answer | tr -d ' ')" 2
	req POST /api/v1/ticket.show '{"ticket":"99999"}'
	gets "v1: a refusal" 404 '.code == 66 and (.error | test("99999"))'
	req POST /api/v1/no.such '{}'
	gets "v1: no verb" 404 .error
	req POST /api/v1/call.show '{"key":"11111111-key","verb":"note.add"}'
	gets "v1: not what others were told" 404 .error
	req POST /api/v1/setting.value '{"setting":"github_agent_token"}'
	gets "v1: no secret" 403 .error
	req POST "/api/v1/ticket.list?limit=1" '{}'
	gets "v1: the query, too" 200 '.number == 1'

	# what is no good
	req GET '/api/projects/%zz'
	[ "$door" = cgi ] || gets "a path that is none" 400 .error
	req GET /api/../etc/passwd
	gets "nothing beside the routes" 404 .error
	req GET /api/projects/
	gets "no slash at the end" 404 .error
	req BREW /api/projects
	gets "no such method" 405 .error
	req POST /api/projects '[1]'
	gets "an array" 400 .error
	req POST /api/projects "$(printf '{"name":"\377"}')"
	gets "not UTF-8" 400 .error
	req POST /api/projects "$(printf '%010000d' 0 | sed 's/0/[/g')"
	gets "nested 10000 deep" 400 .error
	head -c 1100000 raw >req.big
	req POST /api/projects @req.big
	gets "a body over the limit" 413 .error
	req GET "/api/projects?x=$(head -c 9000 raw)"
	gets "an address over the limit" 414 .error
	req GET /api/projects - "X-Long: $(head -c 40000 raw)"
	gets "headers over the limit" 431 .error
	req GET /api/projects - 'Idempotency-Key: x'
	gets "a key that is none" 400 .error
	req POST /api/projects '{"name":"evil"}' 'Origin: http://evil.example'
	gets "another site's page" 403 .error
	req POST /api/projects '{"name":"evil"}' 'Sec-Fetch-Site: cross-site'
	gets "or says so" 403 .error
	req GET /api/projects - 'Host: evil.example'
	gets "a name that somebody made point here" 403 .error
	req GET /api/projects - 'X-Forwarded-For: 10.0.0.1'
	gets "for somebody else" 403 .error

	# the worker key
	req PUT /api/settings '{"TERARCHITECT_WORKER_API_KEY":"s3cret"}'
	gets "25 a key" 200 '.TERARCHITECT_WORKER_API_KEY == true'
	for h in 'X-No: thing' 'Authorization: Basic s3cret' 'Authorization: Bearer wrong' \
		'Authorization: Bearer s3cre' 'Authorization: Bearer s3crett' 'Authorization: Bearer '; do
		req POST /api/worker/jobs/start '{}' "$h"
		gets "25 $h" 401 .error
	done
	req POST /api/worker/jobs/start '{}' 'Authorization: Bearer s3cret'
	gets "26 the key" 204
	req POST /api/worker/jobs/start '{}' 'Authorization: Bearer   s3cret  '
	gets "26 blanks around it" 204
	req POST /api/worker/jobs/start '{}' 'Authorization: bearer s3cret'
	gets "25 the scheme in small letters" 204
	for r in "GET $url/worker-context" "POST $url/logs" "POST $url/complete" \
		"GET $url/cancel-requested" "POST $m/retrieve" "POST $m/index" \
		"POST $m/delete" "POST /api/worker/jobs/$job/complete" \
		"POST /api/worker/jobs/$job/fail" \
		"GET $url/logs" "POST $url/cancel" "GET /api/settings" \
		"PUT /api/settings" "POST /api/v1/project.list"; do
		# shellcheck disable=SC2086 # two words
		req $r '{}'
		gets "27, 29 $r" 401 .error
	done
	req POST "/api/projects/$nobody/tickets/$nobody/logs" '{}' 'Authorization: Bearer x'
	gets "28 before anything else" 401 .error
	req GET /api/settings - 'Authorization: Bearer s3cret'
	gets "29 the coordinator's question" 200 '.MAX_CONCURRENT_AGENTS == "3"'
	req GET /api/projects - 'Authorization: Bearer s3cret'
	gets "29 and the people's with it" 200
	req PUT /api/settings '{"TERARCHITECT_WORKER_API_KEY":""}' 'Authorization: Bearer s3cret'
	gets "nobody takes the key away with it" 403 .error
	req GET /health
	gets "health asks for none" 200
	mv "$TERA_STORE-key" key
	head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$TERA_STORE-key"
	tera-set setting MAX_CONCURRENT_AGENTS value=4 >/dev/null
	req POST /api/worker/jobs/start '{}' 'Authorization: Bearer s3cret'
	gets "a lost encryption key does not switch it off" 401 .error
	req POST /api/worker/jobs/start '{}'
	gets "for nobody" 401 .error
	mv key "$TERA_STORE-key"
	tera-rm setting TERARCHITECT_WORKER_API_KEY >/dev/null
	req GET /api/projects
	gets "no key any more" 200

	# no store
	mkdir aside
	mv "$TERA_STORE"* aside
	req GET /api/projects
	gets "no store" 503 .error
	like "$door: try again" "$(cat headers)" '^Retry-After: 1$'
	rm -f "$TERA_STORE"*
	mv aside/* .
	rmdir aside
	req GET /api/projects
	gets "there again" 200
	ok "$door: the history holds" tera-audit
	like "$door: it names who" "$(tera-watch noun=project | tail -n 1)" '"actor":"loopback"'
	[ "$door" = cgi ] || {
		rc=0
		hush || rc=$?
		is "a TERM ends it well" $rc 0
	}
}
gets_ticket() {
	req GET "$url"
	gets "$1" 200 "$2"
}
rows cgi
rows listen
done_testing
