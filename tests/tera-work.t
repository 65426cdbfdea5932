#!/bin/sh
# tera-work: whatever a worker does, the last line is one result.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -u

mkdir -p config/worker ws
worker() {
	cat >"config/worker/$1"
	chmod +x "config/worker/$1"
}
# work NAME [flags]: the result is in last, the events in out
work() {
	name=$1
	shift
	rc=0
	echo 'the prompt' | tera-work -T "$name" -C ws "$@" >out 2>err || rc=$?
	tail -n 1 out >last
}
got() { jq -r "$1" last; }
TERA_MODEL_KEY=sk-hidden-0123456789
export TERA_MODEL_KEY

worker good <<'EOF'
#!/bin/sh
cat
pwd >&2
echo '{"event":"tool","name":"shell","command":"ls"}'
echo '{"event":"usage","usage":{"input_tokens":5,"output_tokens":2,"cost_usd":0.25}}'
echo '{"event":"usage","usage":{"input_tokens":1}}'
echo "the key is $TERA_MODEL_KEY"
printf '{"event":"result","ok":true,"text":"done %s %s","session":"s9"}\n' "$TERA_TURN" "$TERA_SESSION"
EOF
work good turn=3 session=abc
is 'status' "$rc" 0
is 'the result' "$(got '.event + " " + .text + " " + .session')" 'result done 3 abc s9'
is 'usage is summed' "$(got '.usage | tojson')" \
	'{"input_tokens":6,"output_tokens":2,"cost_usd":0.25}'
is 'events are passed on' "$(jq -r .event out | tr '\n' ' ')" \
	'text tool usage usage text result '
is 'the prompt is its input' "$(head -n 1 out | jq -r .text)" 'the prompt'
like 'the workspace its directory' "$(cat err)" "^$T/ws"
not_ok 'no key in the events' grep -q "$TERA_MODEL_KEY" out

worker plain <<'EOF'
#!/bin/sh
printf 'one\n\ntwo \377 \000 three\n'
EOF
work plain
is 'what is no event is text' "$(got '.ok, (.text | startswith("one\n\ntwo"))' | tr '\n' ' ')" 'true true '
ok 'all of it is UTF-8' iconv -f UTF-8 -t UTF-8 out
ok 'and JSON' jq -e . out

worker die <<'EOF'
#!/bin/sh
echo '{"event":"usage","usage":{"input_tokens":7}}'
echo 'halfway'
exit 3
EOF
work die
is 'a worker that dies' "$rc $(got '"\(.ok) \(.reason) \(.exit) \(.usage.input_tokens) \(.text)"')" \
	'1 false error 3 7 halfway'

worker silent <<'EOF'
#!/bin/sh
EOF
work silent
is 'a worker that says nothing' "$rc $(got .reason)" '1 empty'

worker quota <<'EOF'
#!/bin/sh
echo '{"event":"result","ok":false,"reason":"quota","text":"full","run_after":"2030-01-01T00:00:00Z"}'
EOF
work quota
is 'a quota' "$rc $(got '.reason + " " + .run_after')" '75 quota 2030-01-01T00:00:00Z'

worker hang <<'EOF'
#!/bin/sh
trap '' TERM
(setsid sleep 7771 &)
echo begun
sleep 7772
EOF
work hang -t 1
is 'a worker that hangs' "$rc $(got '.reason + " " + .text')" '1 timeout begun'
is 'nothing of it is left' "$(pgrep -fc '^sleep 777' || :)" 0

worker daemon <<'EOF'
#!/bin/sh
setsid sleep 7781 >/dev/null 2>&1 &
echo done
EOF
work daemon
is 'a daemon that is left is ended' "$(got .ok) $(pgrep -fc '^sleep 7781' || :)" 'true 0'

worker flood <<'EOF'
#!/bin/sh
yes 'a long line of text that says nothing at all' | head -c 30000000
EOF
work flood
ok 'a flood is cut' test "$(wc -c <out)" -lt 18000000
ok 'and so is the result' test "$(wc -c <last)" -lt 200000

work good session=x <&- || :
tera-work -T hang -C ws <out >killed 2>/dev/null &
pid=$!
sleep 0.5
kill -TERM "$pid"
s=0
wait "$pid" || s=$?
is 'TERM ends the turn, with a result' "$s $(tail -n 1 killed | jq -r .reason)" '143 killed'
is 'and all of it' "$(pgrep -fc '^sleep 777' || :)" 0

work nobody
is 'no such worker: a result too' "$rc $(got '.reason + " \(.code)"')" '66 error 66'

worker escapes <<'EOF'
#!/bin/sh
echo '{"event":"text","text":"sk-\u0068idden-0123456789"}'
echo '{"event":"result","ok":false,"reason":"error","code":78,"text":"sk-hidden\u002d0123456789","usage":{"input_tokens":1e300,"output_tokens":-1,"cost_usd":-9}}'
EOF
work escapes
is 'secrets are masked, however they are written' "$(jq -r .text out | tr '\n' ' ')" '*** *** '
is 'usage is within bounds' "$(got '.usage | tojson')" \
	'{"input_tokens":1000000000000,"output_tokens":0,"cost_usd":0}'
is 'the code is passed on' "$rc $(got .code)" '1 78'
worker word <<'EOF'
#!/bin/sh
echo '{"event":"result","ok":false,"reason":"error","code":"78","text":"x"}'
EOF
work word
is 'if it is a number' "$(got .code)" null
worker many <<'EOF'
#!/bin/sh
for i in 1 2; do echo '{"event":"usage","usage":{"input_tokens":9e11,"cost_usd":1e300}}'; done
echo done
EOF
work many
is 'the sum is, too' "$(got '.usage | "\(.input_tokens) \(.cost_usd)"')" '1000000000000 1000000'
(
	unset TERA_MODEL_URL AGENT_LLM_URL TERA_WORKER_URL WORKER_LLM_URL
	work shell
	got '"\(.ok) \(.reason) \(.code) \(.text)"' >said
)
is 'the worker shell says what tera-ask ended with' "$(cat said)" \
	'false error 78 no model to ask: TERA_MODEL_URL is not set'
exits 'no such workspace' 66 tera-work -C nowhere </dev/null
exits 'usage' 64 tera-work
exits 'no number' 64 tera-work -t x -C ws
exits 'no turn' 64 tera-work -C ws turn=x
exits 'no such key' 64 tera-work -C ws sesion=x
TERA_WORKER_COMMAND='tr a-z A-Z; echo x >made'
export TERA_WORKER_COMMAND
work command
is 'any command is a worker' "$(got .text)$(cat ws/made)" 'THE PROMPTx'
done_testing
