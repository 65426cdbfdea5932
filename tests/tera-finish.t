#!/bin/sh
# tera-finish: outcomes, errors and reasons from records.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu

tera-init -q
tera-add project name=p repo_url=/r max_tries:=1 >/dev/null
n=0
# a new running job; its record in rec
job() {
	n=$((n + 1))
	tera-add ticket project=p title="t$n" | tera-enqueue - >/dev/null
	tera-claim >rec
}
fin() { tera-json set "$@" <rec | tera-finish; }
job
ok "a record without an error" fin exit:=0 turns:=3 \
	usage:='{"input_tokens":10,"output_tokens":5,"cost_usd":0.5}' \
	verify:='{"verdict":"pass"}'
is "is completed" "$(field state <out)" completed
is "ok" "$(field reason <out)" ok
is "its ticket waits for review" "$(tera-show ticket 1 | field column_id)" in_review
is "the attempt has the cost" "$(tera-ls attempt job=1 | field cost_usd)" 0.5
is "and the verdict" "$(tera-ls attempt job=1 | field verdict)" pass
exits "it ends once" 65 tera-finish 1 1

job
ok "one with an error" fin error:='{"stage":"tera-verify","code":65,"message":"red","reason":"verify"}'
is "is failed" "$(field state <out)" failed
is "with its reason" "$(field reason <out)" verify
is "and message" "$(field message <out)" red
is "the ticket too" "$(tera-show ticket 2 | field status)" failed
is "the stage is kept" "$(tera-ls attempt job=2 | field stage)" tera-verify
for code in 64 66 77 78; do
	job
	fin error:="{\"stage\":\"s\",\"code\":$code,\"message\":\"m\"}" >out
	is "an error $code is the configuration's" "$(field reason <out)" config
done
job
fin error:='{"code":69}' outcome=completed >out
is "an error is no success, whatever is said" "$(field state <out)" failed

tera-set project p max_tries:=2 >/dev/null
job
ok "while tries are left" fin error:='{"stage":"s","code":69,"message":"away"}'
is "it waits again" "$(field state <out)" pending
is "a try is counted" "$(field tries <out)" 1
ok "later" test -n "$(field run_after <out)"
job
ok "a quota" fin error:='{"stage":"tera-ask","code":75,"message":"quota","run_after":"2099-01-01T00:00:00Z"}'
is "parks the job" "$(field state <out) $(field run_after <out)" "pending 2099-01-01T00:00:00.000Z"
is "and counts none" "$(field tries <out)" 0
job
ok "what a model cannot do better" fin error:='{"code":65,"reason":"budget"}'
is "is failed at once" "$(field state <out)" failed
job
ok "by hand" tera-finish -o failed -r stall -m 'no change' "$(field job_id <rec)" 1
is "with reason and message" "$(field reason <out) $(field message <out)" "stall no change"

job
{
	echo '{"job_id":1,"fence":1}'
	echo 'broken'
	cat rec
} >in
exits "a stream goes on" 65 tera-finish <in
is "the good one is done" "$(wc -l <out)" 1
like "line 1" "$(cat err)" 'line 1: job .* is completed, not running'
like "line 2" "$(cat err)" 'line 2: not JSON'
job
exits "an outcome that is none" 64 tera-finish -o 'done' "$(field job_id <rec)" 1
exits "a reason that is none" 64 tera-finish -o failed -r bored "$(field job_id <rec)" 1
like "says so" "$(cat err)" 'no such reason'
is "it runs still" "$(tera-show job - <rec | field state)" running
exits "no such job" 66 tera-finish 99 1
exits "no fence" 64 tera-finish 1
exits "flags with a stream" 64 tera-finish -o failed -

# what an agent put into its record does not keep its job from ending
for bad in verify:=true usage:=5 'turns="x"' turns:=1.5 'message:={}' pr_number=abc \
	'usage:={"input_tokens":1e30}' 'usage:={"cost_usd":-1}'; do
	job
	tera-json set outcome=completed "$bad" <rec | tera-finish >out 2>err
	is "$bad: the job ends" "$(field state <out)" completed
done
for bad in error=text 'error:={"reason":"bogus"}' outcome=great outcome:=5; do
	job
	tera-json set "$bad" <rec | tera-finish >out 2>err
	unlike "$bad: is no success" "$(field state <out)" completed
	unlike "$bad: and ends" "$(field state <out)" running
done
done_testing
