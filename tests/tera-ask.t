#!/bin/sh
# tera-ask: both dialects over real HTTP, what is tried again and what is
# not, and that a recording answers without a network.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu

unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
unset TERA_RECORD TERA_REPLAY TERA_REPLAY_STATE TERA_MODEL_API
unset TERA_WORKER_URL TERA_WORKER_KEY TERA_WORKER_MODEL
TERA_MODEL=gpt-4o TERA_MODEL_KEY=key-of-the-test TERA_RETRY_MS=10
export TERA_MODEL TERA_MODEL_KEY TERA_RETRY_MS

cat >script <<'EOF'
{"match":"^hello","content":"Grüß Gott, 𝄞","usage":{"input":1000,"output":500,"cached":200}}
{"match":"^two calls","tool_calls":[{"name":"shell","arguments":{"cmd":"echo \"é\""}},{"name":"look","arguments":{}}]}
{"match":"^busy","times":1,"status":429,"headers":{"Retry-After":"1"}}
{"match":"^busy","content":"now"}
{"match":"^for ever","status":500,"error":"broken\nhere"}
{"match":"^overloaded","status":529}
{"match":"^rubbish","raw":"<html>hello</html>"}
{"match":"^nothing","content":""}
{"match":"^once nothing","times":1,"content":""}
{"match":"^once nothing","content":"something"}
{"match":"^never","status":429,"headers":{"Retry-After":"Fri, 31 Dec 9999 23:59:59 GMT"}}
{"match":"^late","status":429,"headers":{"Retry-After":"7200"}}
{"match":"^date","times":1,"status":503,"headers":{"Retry-After":"Wed, 21 Oct 2015 07:28:00 GMT"}}
{"match":"^date","content":"a date"}
{"match":"^quota","status":429,"error":{"message":"You exceeded it","code":"insufficient_quota"}}
{"match":"^forbidden","status":403,"error":"no"}
{"match":"^refused","status":400,"error":"context too long\nsee the manual"}
{"match":"^newer","request":"\"max_tokens\"","status":400,"error":"Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'."}
{"match":"^newer","request":"\"temperature\"","status":400,"error":"temperature is not supported"}
{"match":"^newer","content":"done"}
{"match":"^cut","times":1,"content":"a long answer that breaks","cut":3}
{"match":"^cut","content":"whole"}
{"match":"^silent","content":"a long answer","hang":30}
{"match":"^whole","headers":{},"raw":"{\"choices\":[{\"message\":{\"content\":\"at once\"},\"finish_reason\":\"stop\"}]}"}
{"match":"^fails later","raw":"data: {\"error\":{\"message\":\"no room\",\"code\":503}}\n\n","headers":{"Content-Type":"text/event-stream"}}
{"match":"^echo","content":"your key is key-of-the-test"}
{"match":"^ticket-(\\S+)","content":"branch {1} of {1}"}
{"match":"^absurd","content":"x","usage":{"input":1e300,"output":-7,"cost":1e300}}
{"match":"^paid","content":"x","usage":{"cost":0.25}}
{"match":"^mute","content":"x","no_usage":1}
{"match":"^bytes","raw":"{\"choices\":[{\"message\":{\"content\":\"a\\ud800b\"},\"finish_reason\":\"stop\"}]}"}
{"match":"first result","content":"got it"}
EOF
"$TOP/tests/model" -s script -p port -l log -k key-of-the-test &
model=$!
# shellcheck disable=SC2034 # lib.sh ends it
test_pids=$model
i=0
while ! test -s port && [ $i -lt 200 ]; do
	i=$((i + 1))
	sleep 0.05
done
TERA_MODEL_URL=http://127.0.0.1:$(cat port)
export TERA_MODEL_URL

# ask TEXT KEY=VALUE...: one message of the user.
ask() {
	text=$1
	shift
	printf '{"role":"user","content":"%s"}\n' "$text" | tera-ask "$@"
}
# has NAME REGEX: of the last answer.
has() {
	like "$1" "$(cat "$T/out")" "$2"
}
requests() {
	grep -c "$1" log || :
}

for api in openai anthropic; do
	for key in "" stream=false; do
		how="$api${key:+ $key}"
		# shellcheck disable=SC2086
		exits "$how answers" 0 ask hello api=$api $key
		has "$how: text" '"role":"assistant","content":"Grüß Gott, 𝄞"'
		has "$how: usage" '"input_tokens":1000,"output_tokens":500,"cached_tokens":200'
		has "$how: finish" '"finish":"stop","model":"gpt-4o"'
		# 800 fresh, 200 cached, 500 out
		has "$how: cost" '"cost_usd":0\.00725[,}]'
		# shellcheck disable=SC2086
		exits "$how calls tools" 0 ask 'two calls' api=$api $key
		has "$how: calls" '"tool_calls":\[\{"id":"call_1","type":"function","function":\{"name":"shell","arguments":"\{\\"cmd\\":\\"echo \\\\\\"é\\\\\\"\\"\}"\}\},\{"id":"call_2"'
		has "$how: finish of calls" '"finish":"tool_calls"'
		cp "$T/out" called
		{
			echo '{"role":"system","content":"be short"}'
			echo '{"role":"user","content":"two calls"}'
			cat called
			echo '{"role":"tool","tool_call_id":"call_1","content":"first result"}'
			echo '{"role":"tool","tool_call_id":"call_2","content":"first result"}'
		} >"talk"
		# shellcheck disable=SC2086
		exits "$how: the answer is part of the talk" 0 \
		    sh -c 'tera-ask "$@" <talk' sh api=$api $key
		has "$how: goes on" '"content":"got it"'
	done
done

cat >tools.json <<'EOF'
[{"name":"shell","description":"runs","parameters":{"type":"object","properties":{"cmd":{"type":"string"}}}}]
EOF
ok 'tools are sent' ask hello tools@tools.json
like 'tools: OpenAI' "$(tail -n 1 log)" '"tools":\[\{"function":\{"description":"runs","name":"shell","parameters"'
ok 'tools are sent (Anthropic)' ask hello tools@tools.json api=anthropic
like 'tools: Anthropic' "$(tail -n 1 log)" '"input_schema"'
exits 'no tools file' 66 ask hello tools@none.json

exits '429 and Retry-After: waits' 0 ask busy
has '429: then the answer' '"content":"now".*"ms":[1-9][0-9]{3}.*"tries":2'
exits 'Retry-After as a date' 0 ask date
exits '500 for ever' 69 ask 'for ever' tries=2
has '500: error object' '^\{"error":\{"stage":"ask","code":69,"message":".*500: broken here'
is '500: as many tries as told' "$(requests 'for ever')" 2
is 'one line on stderr' "$(wc -l <"$T/err" | tr -d ' ')" 1
exits 'overloaded for ever' 75 ask overloaded tries=2
has 'overloaded: run_after' '"run_after":"20[0-9]{2}-[0-9-]+T[0-9:]+Z"'
exits 'rubbish' 76 ask rubbish
is 'rubbish: one more try' "$(requests '"content":"rubbish"')" 2
exits 'rubbish (Anthropic)' 76 ask rubbish api=anthropic
exits 'empty' 76 ask nothing
exits 'empty once' 0 ask 'once nothing'
exits 'told to come later than the time' 75 ask late seconds=5
has 'late: run_after' '"run_after"'
exits 'told to come in 8000 years' 75 ask never seconds=5
ok 'never: a day is the most' test "$(date -d "$(jq -r .run_after out)" +%s)" -le \
	$(($(date +%s) + 86400))
exits 'usage that cannot be' 0 ask absurd
is 'absurd: within bounds' "$(jq -c .usage out)" \
	'{"input_tokens":1000000000000,"output_tokens":0,"cost_usd":1000000}'
is 'late: asked once' "$(requests '"content":"late"')" 1
exits 'quota' 75 ask quota
has 'quota: run_after' '"code":75.*"run_after":"20'
is 'quota: asked once' "$(requests '"content":"quota"')" 1
exits 'forbidden' 77 ask forbidden
exits 'refused' 65 ask refused
has 'refused: the words in one line' 'context too long see the manual'
exits 'a newer model' 0 ask newer temperature=0.2
has 'newer: no try was counted' '"ms":[0-9]+,"request_id":"[^"]*"\}'
exits 'a stream that breaks' 0 ask cut
has 'cut: whole' '"content":"whole"'
exits 'a silent server' 69 ask silent idle=1 tries=1
exits 'the time is over' 69 ask silent seconds=1
exits 'a server that does not stream' 0 ask whole
has 'whole: text' '"content":"at once"'
exits 'an error in the stream' 69 ask 'fails later' tries=2
exits 'cost by the provider' 0 ask paid
has 'paid' '"cost_usd":0\.25[,}]'
exits 'no usage' 0 ask mute
has 'mute: no cost' '"usage":\{\}'
exits 'no such price' 0 ask hello model=nobody
not_ok 'no such price: no cost' grep -q cost_usd "$T/out"
exits 'prices of the environment' 0 env TERA_PRICE_INPUT=1 TERA_PRICE_OUTPUT=2 \
    sh -c 'echo "{\"role\":\"user\",\"content\":\"hello\"}" | tera-ask model=nobody'
has 'own prices' '"cost_usd":0\.002[,}]'
exits 'half a character' 0 ask bytes
has 'bytes: replaced' '"content":"a�b"'

# --- the key ---
exits 'a wrong key' 77 env TERA_MODEL_KEY=another-wrong-key sh -c \
    'echo "{\"role\":\"user\",\"content\":\"hello\"}" | tera-ask'
not_ok 'a wrong key is not shown' grep -q another-wrong-key "$T/out" "$T/err"
exits 'a model that knows the key' 0 ask echo record=rec-key
not_ok 'the key is masked' grep -q key-of-the-test "$T/out" rec-key
exits 'a key in the talk' 0 ask 'hello key-of-the-test'
not_ok 'the key is not sent' grep -q 'hello key-of-the-test' log
exits "the Director's key stays with its server" 77 env \
    TERA_WORKER_URL="http://localhost:$(cat port)" sh -c \
    'echo "{\"role\":\"user\",\"content\":\"hello\"}" | tera-ask role=worker'

# --- bad input ---
exits 'no message' 65 tera-ask </dev/null
printf '{"role":"user","content":"a"}\n{"role":\n' >bad
exits 'broken JSON' 65 sh -c 'tera-ask <bad'
has 'broken JSON: the line' 'line 2'
exits 'a role that is none' 65 sh -c 'echo "{\"role\":\"boss\",\"content\":\"\"}" | tera-ask'
exits 'no server' 69 ask hello url=http://127.0.0.1:1 tries=2
exits 'no address' 78 env -u TERA_MODEL_URL tera-ask </dev/null
exits 'no model' 78 env -u TERA_MODEL tera-ask </dev/null
exits 'not an address' 78 ask hello url=ftp://127.0.0.1/
exits 'usage' 64 tera-ask -z
exits 'no such key' 64 ask hello modle=x
exits 'no such role' 64 ask hello role=boss
like 'says which there are' "$(cat err)" 'want director or worker'
exits 'no number' 64 ask hello tokens=many
exits 'tools are a file' 64 ask hello tools=tools.json
exits 'a recording is made or read' 64 ask hello record=a replay=a
exits 'a full disk' 74 sh -c 'echo "{\"role\":\"user\",\"content\":\"hello\"}" | tera-ask >/dev/full'

# --- recording and replaying ---
id=0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b
other=0190a1b2-c3d4-7e5f-8a9b-ffffffffffff
ok 'records' ask "ticket-$id at 2026-01-31T12:00:00Z in $HOME/p" record=rec
ok 'records more' ask hello record=rec
not_ok 'no id in the recording' grep -q "$id" rec
not_ok 'no key in the recording' grep -q key-of-the-test rec
is 'one line an exchange' "$(wc -l <rec | tr -d ' ')" 2
kill "$model"
test_pids=
unset TERA_MODEL_URL TERA_MODEL TERA_MODEL_KEY
HOME=$T/elsewhere
export HOME
exits 'replays' 0 ask "ticket-$other at 2027-02-01T01:02:03Z in $HOME/p" replay=rec
has 'replay: live values' "\"content\":\"branch $other of $other\".*\"replayed\":true"
exits 'replays again' 0 ask "ticket-$other at 2027-02-01T01:02:03Z in $HOME/p" replay=rec
exits 'another request' 65 ask "ticket-$other at 2027-02-01T01:02:03Z in $HOME/q" replay=rec
like 'the difference is shown' "$(cat "$T/err")" 'asked: .*<dir-home>/\[here\]q'
has 'another request: error object' '"error":\{"stage":"ask","code":65'
exits 'no recording' 66 ask hello replay=none

# Equal requests get successive answers; several processes get different ones.
i=0
while [ $i -lt 8 ]; do
	i=$((i + 1))
	printf '{"seq":%d,"request":{"messages":[{"role":"user","content":"go"}],"tools":[]},"response":{"role":"assistant","content":"answer %d"}}\n' $i $i
done >many
is 'in order' "$(ask go replay=many; ask go replay=many)" \
    '{"role":"assistant","content":"answer 1","replayed":true}
{"role":"assistant","content":"answer 2","replayed":true}'
TERA_REPLAY=many TERA_REPLAY_STATE=used
export TERA_REPLAY TERA_REPLAY_STATE
pids=
for i in 1 2 3 4 5 6 7 8; do
	ask go >"par$i" &
	pids="$pids $!"
done
# shellcheck disable=SC2086
wait $pids
is 'each answer once' "$(cat par? | sort -u | wc -l | tr -d ' ')" 8
exits 'used up: the last one again' 0 ask go
has 'used up' 'answer 8'
printf '{"seq":9,"requ' >>many
exits 'a torn last line' 0 ask go

done_testing
