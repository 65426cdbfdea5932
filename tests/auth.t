#!/bin/sh
# Who may: tokens and their roles, projects, jobs, log-ins, users, origins,
# through both doors.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/http.sh
. "$TOP/tests/http.sh"
set -eu
command -v jq >/dev/null || skip_all 'no jq(1)'
nobody=00000000-0000-4000-8000-000000000000

token() { # NAME ROLE [-p PROJECT]: prints it
	token_name=$1 token_role=$2
	shift 2
	tera-token add "$@" "$token_name" role="$token_role" | field token
}
as() { # TOKEN METHOD PATH [BODY [HEADER...]]
	as=$1 as_method=$2 as_path=$3 as_body=${4--}
	shift 3
	[ $# -eq 0 ] || shift
	req "$as_method" "$as_path" "$as_body" "Authorization: Bearer $as" "$@"
}
v() { # TOKEN VERB [IN]
	as "$1" POST "/api/v1/$2" "${3-{\}}"
}
header() { sed -n "s/^$1: //p" headers; }
# of the last change
actor() { tera-watch noun="$1" | tail -n 1 | field actor; }

# two projects, alike: in all that is the other's there is the word
fill() { # NAME WORD: $project $ticket $ticket2 $job $pr $note
	project=$(tera-add project name="$1" description="$2" repo_url="/r/$2" | field id)
	ticket=$(tera-add ticket project="$project" title="$2 one" description="$2" | field id)
	ticket2=$(tera-add ticket project="$project" title="$2 two" | field id)
	note=$(tera-add note project="$project" title="$2" content="$2" | field id)
	tera-add comment ticket="$ticket" body="$2" >/dev/null
	tera-add dependency ticket="$(tera-add ticket project="$project" title="$2 three" | field id)" \
		needs="$ticket" >/dev/null
	tera-call memory.add project="$project" docs:="[\"$2 passage\"]" >/dev/null
	tera-enqueue "$ticket" >/dev/null
	job=$(tera-claim -p "$project" -l 3600 -W "$2" | field job_id)
	printf '{"job_id":"%s","fence":1,"step":"%s","summary":"%s"}\n' "$job" "$2" "$2" |
		tera-log - >/dev/null
	pr=$(tera-call pr.open ticket_id="$ticket" job_id="$job" fence:=1 title="$2" source="/r/$2" \
		head_branch=b base_branch=main | field id)
	tera-enqueue kind=review "$ticket2" >/dev/null
}
world_of_two() {
	rm -f "$TERA_STORE"*
	tera-init -q
	fill ours OURWORD
	p=$project t=$ticket n=$note t2=$ticket2
	fill theirs THEIRWORD
	op=$project ot=$ticket oj=$job on=$note or=$pr
}
number() { tera-show "$1" "$2" | field number; }
theirs() { sqlite3 "$TERA_STORE" "SELECT count(*) FROM event WHERE project_id = '$op'"; }
hush_if() { [ "$door" = cgi ] || hush; }

roles() {
	world_of_two
	door "$1"
	req GET /api/projects
	gets "no key, this machine" 200
	read=$(token r read)
	as "$read" GET /api/projects
	gets "a token while none is wanted" 200 'length == 2'
	is "$door: is what counts" "$(
		as "$read" POST "/api/projects" '{}'
		echo "$status"
	)" 403
	as tera_nonsense GET /api/projects
	gets "a token that is none counts, too" 401 .error
	as other GET /api/projects
	gets "what old clients send does not" 200
	REMOTE=10.0.0.9 req GET /api/projects
	[ "$door" = listen ] || gets "no token, from elsewhere" 403
	write=$(token w write)
	worker=$(token k worker)
	admin=$(token a admin)
	req GET /api/projects
	gets "an admin's token: one is wanted of everybody" 401 .error
	like "$door: says how" "$(header WWW-Authenticate)" Bearer
	req GET /health
	gets "health asks for none" 200

	# each route and each verb for each role
	tera-serve routes | grep -v '/api/v1/\| all$' >paths
	bad=
	while read -r method path who; do
		path=$(printf %s "$path" | sed "s/:[a-z]*/$nobody/g")
		for role in read write worker admin; do
			case $role in
			read) key=$read ;;
			write) key=$write ;;
			worker) key=$worker ;;
			*) key=$admin ;;
			esac
			case $who/$role in
			*/admin | read/read | read/write | write/write | worker/write | worker/worker | agent/worker) want=may ;;
			worker/read) want=either ;; # when it only looks
			*) want=not ;;
			esac
			as "$key" "$method" "$path" '{}' </dev/null
			case $want/$status in
			not/403 | either/*) ;;
			not/* | may/401 | may/403) bad="$bad $role:$method:$path:$status" ;;
			esac
		done
	done <paths
	is "$door: each route for each role" "$bad" ""
	is "$door: there are routes" "$(($(wc -l <paths) > 20))" 1
	tera-call | jq -r '[.verb, .write] | @tsv' | grep -v '^call\.\|^auth\.' >verbs
	bad=
	while read -r verb writes; do
		v "$read" "$verb" '{"project":"nowhere","ticket":"0","job":"0","pr":"0","note":"0"}' </dev/null
		[ "$writes/$status" = true/403 ] || [ "$writes" = false ] || bad="$bad $verb:$status"
	done <verbs
	is "$door: who reads changes nothing" "$bad" ""
	for verb in setting.value auth.token auth.scope call.show; do
		v "$admin" $verb '{"setting":"x","hash":"x","key":"x","verb":"x","only":[]}'
		like "$door: not even an admin: $verb" "$status" '^40[34]$'
	done
	v "$write" setting.set '{"key":"max_running","value":"3"}'
	gets "settings are an admin's" 403
	v "$write" token.list
	gets "tokens, too" 403
	v "$admin" setting.set '{"key":"max_running","value":"30"}'
	gets "who may set them" 200
	is "$door: in its name" "$(actor setting)" "token a"
	as "$write" POST /api/v1/comment.add "{\"ticket\":\"$t\",\"body\":\"x\"}" 'Tera-Actor: ann'
	gets "who writes" 200
	is "$door: in its name, and what it says" "$(actor comment)" "token w: ann"
	v "$worker" job.idle '{"worker":"x"}'
	gets "a worker's verb" 200
	v "$worker" ticket.list
	gets "and no other's" 403
	v "$write" api.context "{\"project\":\"$p\",\"ticket\":\"$t\"}"
	gets "keys of agents are a worker's" 403

	# no more
	tera-token rm r >/dev/null
	as "$read" GET /api/projects
	gets "revoked" 401 '.error | test("revoked")'
	is "$door: an admin makes and sees them" "$(
		v "$admin" token.list
		jq -r .name answer | tr '\n' ' '
	)" "w k a "
	unlike "$door: without the secret" "$(cat answer)" 'tera_|hash'
	short=$(tera-token add s expires_at="$(date -u -d '+2 seconds' +%Y-%m-%dT%H:%M:%SZ)" | field token)
	as "$short" GET /api/projects
	gets "for a while" 200
	sleep 2.1
	as "$short" GET /api/projects
	gets "expired" 401 '.error | test("expired")'
	is "$door: when it was used last" "$(tera-token ls | jq -r 'select(.name == "w").used_at | length')" 24
	tera-call event.list | grep -c '"noun":"token"' >n
	is "$door: its events" "$(cat n)" 6
	unlike "$door: none holds a token" "$(cat "$TERA_STORE"* | strings | grep -c "$admin" || :)" '^[1-9]'
	tera-set setting TERARCHITECT_WORKER_API_KEY value=wk >/dev/null
	as wk POST /api/worker/jobs/start "{\"project_id\":\"$nobody\"}"
	gets "the worker key beside them" 404
	as "$admin" GET /api/projects
	gets "and they beside it" 200
	mv "$TERA_STORE-key" kept.key
	tera-set setting max_running value=29 >/dev/null
	as wk GET /api/projects
	gets "a key that cannot be read" 401
	as "$admin" GET /api/projects
	gets "is not the tokens' loss" 200
	mv kept.key "$TERA_STORE-key"
	hush_if
}

limited() {
	world_of_two
	door "$1"
	admin=$(token a admin)
	write=$(token w write -p ours)
	worker=$(token k worker -p ours)
	as "$write" GET /api/projects
	gets "its projects" 200 "map(.id) == [\"$p\"]"
	v "$write" project.list "{\"only\":[\"$op\"]}"
	gets "nothing widens that" 200 ".id == \"$p\""
	v "$write" ticket.list
	gets "who has one project asks for that" 200
	is "$door: only its own" "$(jq -r .project_id answer | sort -u)" "$p"
	v "$write" project.show '{"project":"ours"}'
	gets "by name" 200
	v "$write" project.show '{"project":"theirs"}'
	gets "another" 403
	v "$write" project.show '{"project":"none"}'
	gets "one that is not there: the same" 403
	v "$write" project.show "{\"project\":\"$p\",\"project\":\"$op\"}"
	gets "a key twice: the first" 200 ".id == \"$p\""
	v "$write" project.show "{\"project\":\"$op\",\"project\":\"$p\"}"
	gets "for us, too" 403
	v "$write" project.show "{\"pro\\u006aect\":\"$op\",\"project\":\"$p\"}"
	like "$door: an escaped one" "$status" '^403$'
	v "$write" project.add '{"name":"more"}'
	gets "no new project" 403
	v "$write" store.info
	gets "nothing of all" 403
	v "$write" dependency.add "{\"ticket\":\"$t\",\"needs\":\"$ot\"}"
	gets "nor a link" 403
	v "$write" ticket.add "{\"project\":\"$p\",\"title\":\"x\",\"needs\":[\"$t2\",\"$ot\"]}"
	gets "nor a list of them" 403
	v "$write" comment.add "{\"ticket\":\"$t\",\"body\":\"x\"}"
	gets "its own" 200

	# each verb, with theirs in every key that names something; with nothing;
	# with one of ours and the rest theirs; by numbers
	before=$(theirs)
	rounds='theirs nothing mixed numbers'
	[ "$door" = cgi ] || rounds='theirs nothing'
	for round in $rounds; do
		tera-call | jq -r --arg round "$round" --arg p "$p" --arg op "$op" --arg ot "$ot" \
			--arg oj "$oj" --arg opr "$or" --arg on "$on" \
			--arg otn "$(number ticket "$ot")" --arg ojn "$(number job "$oj")" \
			--arg opn "$(number project "$op")" --arg orn "$(tera-call pr.show pr="$or" | field number)" \
			--arg onn "$(tera-call note.show note="$on" | field number)" '
			def by($id; $n): if $round == "numbers" then $n else $id end;
			def other($k):
				if $k == "projects" then [by($op; $opn)]
				elif ($k | test("^project(_id)?$")) then (if $round == "mixed" then $p else by($op; $opn) end)
				elif ($k | test("^ticket(_id)?$")) then by($ot; $otn)
				elif ($k | test("^job(_id)?$")) then by($oj; $ojn)
				elif $k == "needs" then by($ot; $otn)
				elif $k == "pr" then by($opr; $orn)
				elif $k == "note" then by($on; $onn)
				else null end;
			def some($t): {text: "x", int: 1, num: 1, bool: true, array: [], object: {}, ref: "1", any: ["x"]}[$t];
			select(.verb | test("^(call|auth)\\.") | not)
			| .verb as $v | [.in | scan("([a-z_]+):([a-z]+)(!?)")] as $keys
			| ($keys | map(select(.[0] as $k | $round != "nothing" and other($k) != null)
				| {key: .[0], value: (if .[1] == "array" and (other(.[0]) | type) != "array" then [other(.[0])] else other(.[0]) end)}) | from_entries) as $named
			| ($keys | map(select(.[2] == "!") | {key: .[0], value: some(.[1])}) | from_entries) as $must
			| [$v, ($named | del(.project, .project_id) | length), ($named | length), ($must + $named | tojson)] | @tsv' >calls
		bad=
		while IFS="$(printf '\t')" read -r verb others named in; do
			for key in "$write" "$worker"; do
				[ "$key/$round" != "$worker/numbers" ] || continue
				v "$key" "$verb" "$in" </dev/null
				! grep -q THEIRWORD answer || bad="$bad $verb:$status:tells"
				case $round in
				theirs | numbers) [ "$named" = 0 ] || [ "$status" = 403 ] || bad="$bad $verb:$status" ;;
				mixed) [ "$others" = 0 ] || [ "$status" = 403 ] || bad="$bad $verb:$status" ;;
				esac
			done
		done <calls
		is "$door: each verb, $round" "$bad" ""
		is "$door: there are verbs" "$(($(wc -l <calls) > 60))" 1
	done
	bad=
	tera-serve routes | grep -v '/api/v1/\|log' >paths
	while read -r method path _; do
		theirs_path=$(printf %s "$path" | sed "s/:project/$op/; s/:ticket/$ot/; s/:job/$oj/; s/:note/$on/; s/:[a-z]*/$nobody/g")
		mixed_path=$(printf %s "$path" | sed "s/:project/$p/; s/:ticket/$ot/; s/:job/$oj/; s/:note/$on/; s/:[a-z]*/$nobody/g")
		for key in "$write" "$worker"; do
			for where in "$theirs_path" "$mixed_path"; do
				as "$key" "$method" "$where" '{"docs":["THEIRWORD passage"],"queries":["passage"],"session_id":"s","confirm_name":"theirs"}' </dev/null
				! grep -v passage answer | grep -q THEIRWORD || bad="$bad $method:$where:tells"
				case $where/$status in
				*/403 | *"$p/"* | /api/settings* | /api/projects/200 | /api/events/200 | /api/jobs/200 | /api/pulls/200 | /api/openapi.json/200 | /api/worker/jobs/start/* | /health/*) ;;
				*"$p"/20[0-9] | *"$p"/40[04]) ;;
				*) bad="$bad $method:$where:$status" ;;
				esac
				case $where/$status in
				*"$ot"*/20[0-9] | *"$on"*/20[0-9] | *"$oj"*/20[0-9]) bad="$bad $method:$where:$status" ;;
				esac
			done
		done
	done <paths
	is "$door: each route" "$bad" ""
	is "$door: nothing of theirs was changed" "$(theirs)" "$before"

	as "$write" GET '/api/events?since=0'
	gets "its events" 200 "length > 3 and all(.project_id == \"$p\")"
	as "$write" GET '/api/events?stream=1&since=0&limit=4'
	gets "as a stream" 200
	is "$door: its own" "$(sed -n 's/^data: //p' answer | jq -r '.project_id // empty' | sort | uniq -c | sed 's/^ *//')" "4 $p"
	as "$write" GET "/api/events?stream=1&project=$op"
	gets "of another" 403
	as "$write" GET "/api/jobs/$oj/logs?stream=1"
	gets "nor a log" 403

	# claims are of its projects
	tera-enqueue "$(tera-add ticket project="$p" title=new | field id)" >/dev/null
	as "$worker" POST /api/worker/jobs/start '{}'
	gets "a claim" 200 ".project_id == \"$p\""
	as "$worker" POST /api/worker/jobs/start '{}'
	gets "none of another project" 204
	as "$worker" POST /api/worker/jobs/start "{\"project_id\":\"$op\"}"
	gets "not when it is named" 403
	as "$worker" POST /api/worker/jobs/start "{\"projects\":[\"$op\"]}"
	gets "nor so" 403
	is "$door: their job waits" "$(tera-ls job state=pending project=theirs | wc -l)" 1
	two=$(token two worker -p ours -p theirs)
	as "$two" POST /api/worker/jobs/start '{}'
	gets "a token of both" 200 ".project_id == \"$op\""
	# two with the same idea of a key
	as "$admin" POST /api/v1/project.set "{\"project\":\"$op\",\"description\":\"THEIRWORD\"}" 'Idempotency-Key: same-key'
	as "$write" POST /api/v1/project.set "{\"project\":\"$p\",\"description\":\"y\"}" 'Idempotency-Key: same-key'
	gets "a key of somebody else's call" 200 ".id == \"$p\""
	# a name that is free again is somebody else's
	as "$(token again write -p theirs)" POST /api/v1/note.add \
		"{\"project\":\"$op\",\"title\":\"THEIRWORD\"}" 'Idempotency-Key: same-name'
	tera-token rm again >/dev/null
	as "$(token again write -p ours)" POST /api/v1/note.add \
		"{\"project\":\"$p\",\"title\":\"z\"}" 'Idempotency-Key: same-name'
	gets "a key of who had the name before" 200 '.title == "z"'
	v "$write" project.set "{\"project\":\"$p\",\"repo_url\":\"/r/THEIRWORD\"}"
	gets "where a repository is, is not its to say" 403
	as "$write" PUT "/api/projects/$p" '{"github_url":"/r/THEIRWORD"}'
	gets "nor by its route" 403
	v "$write" job.list "{\"project\":[$(awk 'BEGIN { while (i++ < 999) printf "\"\","; print "\"\"" }')]}"
	gets "a long list of nothing" 403
	hush_if
}

jobs() {
	world_of_two
	door "$1"
	tera-set setting TERARCHITECT_WORKER_API_KEY value=wk >/dev/null
	tera-set setting AGENT_API_KEY value=llm >/dev/null
	as wk POST /api/worker/jobs/start "{\"project_id\":\"$p\"}"
	gets "a claim carries a token" 200 '(.token | startswith("tera_job_")) and .agent_env.TERARCHITECT_WORKER_API_KEY == .token and .agent_env.AGENT_API_KEY == "llm"'
	unlike "$door: not the worker key" "$(cat answer)" '"wk"'
	key=$(value .token) job=$(value .job_id) jt=$(value .ticket_id)
	url=/api/projects/$p/tickets/$jt
	as "$key" GET "$url/worker-context"
	gets "its context" 200 '.agent_settings'
	as "$key" POST "$url/logs" '{"session_id":"s","summary":"x"}'
	gets "its logs" 200
	like "$door: in its name" "$(actor log)" '^job [0-9]+$'
	as "$key" GET "$url/cancel-requested"
	gets "whether to stop" 200
	as "$key" POST "/api/projects/$p/memory/index" '{"docs":["d"]}'
	gets "its memory" 200
	as "$key" POST "/api/projects/$op/memory/retrieve" '{"queries":["THEIRWORD"]}'
	gets "not another's" 403
	as "$key" GET "/api/projects/$op/tickets/$ot/worker-context"
	gets "not another's context" 403
	as "$key" POST "/api/projects/$p/tickets/$([ "$jt" = "$t" ] && echo "$t2" || echo "$t")/logs" '{"session_id":"s"}'
	gets "nor another ticket's log" 403
	as "$key" POST "/api/worker/jobs/$oj/complete"
	gets "nor another job's end" 403
	for route in 'GET /api/projects' 'GET /api/settings' 'POST /api/worker/jobs/start' \
		"GET /api/projects/$p" "GET $url" "PATCH $url" "POST $url/cancel" "DELETE $url" 'GET /api/settings/check'; do
		# shellcheck disable=SC2086 # two words
		as "$key" $route '{}'
		gets "nothing else: $route" 403
	done
	v "$key" job.renew '{}'
	gets "it renews" 200 ".job_id == \"$job\""
	v "$key" job.renew "{\"job\":\"$oj\",\"fence\":1}"
	gets "not another" 403
	v "$key" log.add '{"summary":"y"}'
	gets "a log, by verb" 200
	v "$key" job.claim '{}'
	gets "no claim" 403
	tera-call | jq -r '.verb' | grep -v '^call\.\|^auth\.' >verbs
	bad=
	while read -r verb; do
		case $verb in
		api.job.complete | api.job.fail | api.log.add | api.ticket.complete | api.ticket.stopped | api.context | \
			job.renew | job.watch | job.finish | job.context | log.add | memory.* | pr.open | pr.comment | ticket.show) continue ;;
		esac
		v "$key" "$verb" "{\"project\":\"$p\",\"ticket\":\"$jt\",\"job\":\"$job\"}" </dev/null
		[ "$status" = 403 ] || bad="$bad $verb:$status"
	done <verbs
	is "$door: no other verb" "$bad" ""
	v "$key" pr.comment "{\"pr\":\"$or\",\"body\":\"x\"}"
	gets "no word about another's change" 403
	v "$key" pr.open "{\"ticket_id\":\"$jt\",\"job_id\":\"$job\",\"title\":\"t\",\"source\":\"/r/THEIRWORD\",\"head_branch\":\"b\",\"base_branch\":\"main\"}"
	gets "no pull request of another repository" 400 '.error | test("not the repository")'
	forged=$(printf %s "$key" | sed 's/\(tera_job_[0-9]*_\)[0-9]*/\12/')
	as "$forged" POST "$url/logs" '{"session_id":"s"}'
	gets "another fence is no token" 401
	last=$(printf %s "$key" | sed 's/.*\(.\)$/\1/')
	as "${key%?}$([ "$last" = A ] && echo E || echo A)" POST "$url/logs" '{"session_id":"s"}'
	gets "nor another letter" 401
	as "$key" POST "/api/worker/jobs/$job/complete"
	gets "its end" 200
	as "$key" POST "$url/logs" '{"session_id":"s"}'
	gets "and its token's" 401 '.error | test("does not run")'
	# a claim by verb, sent again
	tera-enqueue "$t2" >/dev/null
	as wk POST /api/v1/job.claim "{\"project\":\"$p\",\"worker\":\"w\"}" 'Idempotency-Key: again-and-again'
	gets "by verb" 200 '.token | startswith("tera_job_")'
	first=$(value .token)
	as wk POST /api/v1/job.claim "{\"project\":\"$p\",\"worker\":\"w\"}" 'Idempotency-Key: again-and-again'
	is "$door: sent again: the same token" "$(value .token)" "$first"
	unlike "$door: which is not kept" "$(cat "$TERA_STORE"* | strings | grep -c "$first" || :)" '^[1-9]'
	job=$(value .job_id)
	tera-finish -o pending "$job" 1 >/dev/null
	tera-claim -W w2 "$job" >/dev/null
	as "$first" POST /api/v1/log.add '{"summary":"late"}'
	gets "claimed by another: no more" 401
	tera-set setting agent_secrets value=all >/dev/null
	tera-finish -o pending "$job" 2 >/dev/null
	as wk POST /api/worker/jobs/start "{\"project_id\":\"$p\"}"
	gets "agent_secrets = all: the key itself" 200 '.agent_env.TERARCHITECT_WORKER_API_KEY == "wk" and (.token | startswith("tera_job_"))'
	printf nonsense >"$TERA_STORE-key"
	tera-rm setting TERARCHITECT_WORKER_API_KEY >/dev/null
	tera-enqueue "$t2" >/dev/null 2>&1 || :
	req POST /api/v1/job.claim '{}'
	gets "no key for a token: no claim" 503
	hush_if
}

browsers() {
	world_of_two
	door "$1"
	req GET /login
	gets "a page to log in" 200
	like "$door: HTML" "$(header Content-Type)" '^text/html'
	unlike "$door: no script" "$(cat answer)" '<script|http'
	unlike "$door: nothing of the store" "$(cat answer)" 'WORD'
	like "$door: nobody's frame" "$(header Content-Security-Policy)" "frame-ancestors 'none'"
	write=$(token w write)
	admin=$(token a admin)
	form='Content-Type: application/x-www-form-urlencoded'
	req POST /login "token=$write" "$form"
	gets "a token" 303
	is "$door: further on" "$(header Location)" ./
	like "$door: a cookie" "$(header Set-Cookie)" '^tera=[^;]+; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict$'
	cookie="Cookie: a=b; $(header Set-Cookie | sed 's/;.*//')"
	unlike "$door: that is not the token" "$cookie" "$write"
	unlike "$door: and is not kept" "$(cat "$TERA_STORE"* | strings | grep -c "${cookie#*tera=}" || :)" '^[1-9]'
	req POST /login "token=$write" "$form" 'X-Forwarded-Proto: https'
	like "$door: over TLS" "$(header Set-Cookie)" '; Secure$'
	req GET /api/projects - "$cookie"
	gets "with the cookie" 200 'length == 2'
	origin=http://localhost
	[ "$door" = cgi ] || origin=http://$at
	req POST "/api/projects/$p/notes" '{"title":"x"}' "$cookie" "Origin: $origin" 'Sec-Fetch-Site: same-origin'
	gets "a change by our own page" 201
	is "$door: in its name" "$(actor note)" "token w"
	req POST "/api/projects/$p/notes" '{"title":"x"}' "$cookie" 'Origin: http://evil.example'
	gets "by another's" 403
	req POST "/api/projects/$p/notes" '{"title":"x"}' "$cookie" 'Sec-Fetch-Site: cross-site'
	gets "or so" 403
	req GET /api/projects - "$cookie" 'Host: evil.example'
	gets "under another name" 401
	req PUT /api/settings '{"GIT_USER_NAME":"x"}' "$cookie"
	gets "no more than its token" 403
	req GET /api/projects - 'Cookie: tera=nonsense'
	gets "no cookie of ours" 401
	req POST /login "token=$write" "$form" 'Origin: http://evil.example'
	gets "a log-in by another's page" 403
	req POST /login "token=nonsense" "$form"
	gets "a wrong token" 401
	like "$door: the page again" "$(cat answer)" '<form'
	req POST /login "x=y" "$form"
	gets "none" 400
	req POST /login '{"token":"x"}'
	gets "no form" 400
	req GET /logout
	gets "a log-out is a post" 405
	req POST /logout - "$cookie"
	gets "out" 303
	like "$door: takes the cookie away" "$(header Set-Cookie)" '^tera=; .*Max-Age=0'
	req GET /api/projects - "$cookie"
	gets "and its session" 401
	req POST /login "token=$write" "$form"
	cookie="Cookie: $(header Set-Cookie | sed 's/;.*//')"
	tera-token rm w >/dev/null
	req GET /api/projects - "$cookie"
	gets "revoked: out, too" 401
	tera-set setting TERARCHITECT_WORKER_API_KEY value='s p+k' >/dev/null
	req POST /login 'token=s%20p%2Bk' "$form"
	gets "no blanks in a token" 401

	# origins
	req OPTIONS /api/projects - 'Origin: http://ui.example' 'Access-Control-Request-Method: PUT'
	gets "nobody is listed" 405
	tera-set setting cors_origins value='http://ui.example https://b.example' >/dev/null
	req OPTIONS /api/projects - 'Origin: http://ui.example' 'Access-Control-Request-Method: PUT' 'Access-Control-Request-Headers: authorization'
	gets "a browser asks first" 204
	is "$door: it may" "$(header Access-Control-Allow-Origin)" http://ui.example
	like "$door: with a token" "$(header Access-Control-Allow-Headers)" '^Authorization,'
	is "$door: no cookie" "$(header Access-Control-Allow-Credentials)" ""
	is "$door: says on what it depends" "$(header Vary)" Origin
	req GET /api/projects - "Authorization: Bearer $admin" 'Origin: http://ui.example' 'Sec-Fetch-Site: cross-site'
	gets "then it asks" 200
	is "$door: and may read" "$(header Access-Control-Allow-Origin)" http://ui.example
	req OPTIONS /api/projects - 'Origin: http://evil.example' 'Access-Control-Request-Method: PUT'
	gets "another" 405
	is "$door: may not" "$(header Access-Control-Allow-Origin)" ""
	req GET /api/projects - "Authorization: Bearer $admin" 'Origin: http://evil.example'
	is "$door: nor read" "$(header Access-Control-Allow-Origin)" ""
	is "$door: but that is said" "$(header Vary)" Origin
	tera-set setting cors_origins value='*' >/dev/null
	req GET /api/projects - "Authorization: Bearer $admin" 'Origin: http://evil.example'
	is "$door: there is no star" "$(header Access-Control-Allow-Origin)" ""
	hush_if
}

failures() {
	world_of_two
	door "$1"
	write=$(token w write)
	token a admin >/dev/null
	tera-set setting TERARCHITECT_WORKER_API_KEY value=wk >/dev/null
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		req GET /api/projects - 'Authorization: Bearer guess' 'X-Forwarded-For: 10.1.1.1'
	done
	gets "ten failures" 401
	writes=$(sqlite3 "$TERA_STORE" 'SELECT value FROM kept')
	req GET /api/projects - 'Authorization: Bearer guess' 'X-Forwarded-For: 10.1.1.1'
	gets "the next one waits" 429
	like "$door: how long" "$(header Retry-After)" '^[1-9][0-9]?$'
	is "$door: and writes nothing" "$(sqlite3 "$TERA_STORE" 'SELECT value FROM kept')" "$writes"
	req GET /api/projects - 'Authorization: Bearer wk' 'X-Forwarded-For: 10.1.1.1'
	gets "a key that can be guessed, too" 429
	req POST /login 'token=guess' 'Content-Type: application/x-www-form-urlencoded' 'X-Forwarded-For: 10.1.1.1'
	gets "and a log-in" 429
	req GET /api/projects - "Authorization: Bearer $write" 'X-Forwarded-For: 10.1.1.1'
	gets "a right token does not" 200
	for n in 1 2 3 4 5 6 7 8 9 10 11; do
		req GET /api/projects - 'Authorization: Bearer guess' "X-Forwarded-For: 2001:db8:0:$n::1"
	done
	gets "of IPv6 it is the first half" 401
	for n in 1 2 3 4 5 6 7 8 9 10 11; do
		req GET /api/projects - 'Authorization: Bearer guess' "X-Forwarded-For: 2001:db8:0:99::$n:1"
	done
	gets "all of the other" 429
	req GET /api/projects - 'Authorization: Bearer wk' 'X-Forwarded-For: 9.9.9.9, 10.1.1.2'
	gets "nor who asks from elsewhere" 200
	sqlite3 "$TERA_STORE" "UPDATE kept SET at = '2020-01-01T00:00:00.000Z'"
	req GET /api/projects - 'Authorization: Bearer guess' 'X-Forwarded-For: 10.1.1.1'
	gets "after a minute" 401
	hush_if
}

for d in cgi listen; do
	roles "$d"
	limited "$d"
	jobs "$d"
	browsers "$d"
	failures "$d"
done

# a user of the web server
world_of_two
door cgi
token a admin >/dev/null
user() { # NAME METHOD PATH BODY [HEADER]
	REMOTE_USER=$1
	export REMOTE_USER
	shift
	req "$@"
	unset REMOTE_USER
}
user ann GET /api/projects
gets "nobody said to trust it" 401
tera-set setting remote_users value='ann=write bob=read *=worker' >/dev/null
user ann POST "/api/projects/$p/notes" '{"title":"x"}'
gets "a user who writes" 201
is "in his name" "$(actor note)" "user ann"
user bob POST "/api/projects/$p/notes" '{"title":"x"}'
gets "one who reads" 403
user eve GET /api/projects
gets "another" 403
user eve GET /api/settings
gets "a star is everybody" 200
user "$(printf 'a\377')" GET /api/settings
gets "a name that is no text" 401
user ann POST "/api/projects/$p/notes" '{"title":"x"}' 'Origin: http://evil.example'
gets "a page of another site" 403
req GET /api/projects - 'Remote-User: ann'
gets "a header is no user" 401

# a Unix socket
listen "$T/s"
is "where it listens" "$at" "$T/s"
is "its mode" "$(stat -c %a s)" 600
sock() { curl -s -o answer -w '%{http_code}' --unix-socket s "$@"; }
is "the owner" "$(sock -X PUT -H 'Content-Type: application/json' -d '{"GIT_USER_NAME":"x"}' http://localhost/api/settings)" 200
is "in his name" "$(actor setting)" "uid $(id -u)"
is "not for somebody else" "$(sock -H 'X-Forwarded-For: 1.2.3.4' http://localhost/api/projects)" 401
is "whatever Host" "$(sock -H 'Host: evil.example' http://localhost/api/projects)" 200
is "a page of another site" "$(sock -X POST -H 'Origin: http://evil.example' http://localhost/api/projects)" 403
exits "somebody listens there: 69" 69 tera-serve -l "$T/s"
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	chmod 666 s
	chmod 711 "$T"
	is "another user has to show a token" "$(setpriv --reuid 65534 --clear-groups \
		curl -s -o /dev/null -w '%{http_code}' --unix-socket "$T/s" http://localhost/api/projects)" 401
else
	skip 1 "only root can be another user"
fi
kill -KILL "$listener"
wait "$listener" 2>/dev/null || :
listen "$T/s"
is "one that was left is taken" "$(sock http://localhost/health)" 200
hush
is "it goes with the listener" "$(ls s 2>/dev/null)" ""

# beyond this machine
rm -f "$TERA_STORE"*
tera-init -q
exits "beyond this machine, with nothing: 78" 78 tera-serve -l 0.0.0.0:0
like "says why" "$(cat err)" 'no token'
read=$(token r read)
listen 0.0.0.0:0
at=127.0.0.1:${at##*:} door=listen
as "$read" GET /api/projects
gets "with a token" 200
hush

# commands
token a admin >key
listen 127.0.0.1:0
here=$TERA_STORE
export TERA_STORE="http://$at"
exits "a store elsewhere, without: 77" 77 tera-ls project
like "says so" "$(cat err)" 'a token is wanted'
is "TERA_TOKEN" "$(TERA_TOKEN=$(cat key) tera-add project name=x repo_url=/r | field name)" x
is "TERA_TOKEN_FILE" "$(TERA_TOKEN_FILE=key tera-ls project | field name)" x
exits "a file that is not there: 78" 78 env TERA_TOKEN_FILE=nothing tera-ls project
: >empty
exits "or empty: 78" 78 env TERA_TOKEN_FILE=empty tera-ls project
# an agent gets the token of its job, and ours not
tera_key=$(TERA_STORE=$here token k worker)
TERA_STORE=$here tera-add ticket project=x title=t >/dev/null
TERA_STORE=$here tera-enqueue 1 >/dev/null
TERA_TOKEN=$tera_key tera-claim >rec
# shellcheck disable=SC2016 # for the agent's shell
TERA_TOKEN=$tera_key TERARCHITECT_WORKER_API_KEY=wk tera-run sh -c 'cat
	echo "$TERA_TOKEN ${TERARCHITECT_WORKER_API_KEY-}" >'"$T/seen"'
	tera-ls ticket; echo $? >'"$T/tried"'
	tera-json new step=s summary=x job_id="$TERA_JOB_ID" | tera-log - >/dev/null; echo $? >>'"$T/tried" <rec >done.rec 2>run.err || :
is "an agent has the token of its job" "$(cat seen)" "$(field token <rec) "
is "which is good for that only" "$(tr '\n' ' ' <tried)" "77 0 "
exits "not allowed: 77" 77 env TERA_TOKEN="$read" tera-add project name=y
like "a token, made from elsewhere" "$(TERA_TOKEN_FILE=key tera-token add far | field token)" '^tera_[A-Za-z0-9_-]{43}$'
is "is there" "$(TERA_STORE=$here tera-token ls | jq -r .name | tr '\n' ' ')" "r a k far "
done_testing
