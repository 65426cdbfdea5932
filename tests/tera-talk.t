#!/bin/sh
# tera-talk: lines stay whole, totals are right, guards say what they saw.
# shellcheck disable=SC2238 # files that have the name of a command
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -u

is 'no talk: an empty state' "$(tera-talk talk)" '{}'
tera-talk talk stage=plan do=work verdict=done prompt=p text=t head_oid=aa \
	'usage:={"input_tokens":3,"output_tokens":1,"cost_usd":0.5}' ms:=1500 >line
is 'the line is printed and kept' "$(cat line)" "$(cat talk)"
tera-talk talk stage=review do=direct verdict=approve 'usage:={"input_tokens":4}' >/dev/null
is 'totals' "$(tera-talk talk | jq -c '[.n,.sum.turns,.sum.input_tokens,.sum.output_tokens,.sum.cost_usd,.sum.ms]')" \
	'[2,1,7,1,0.5,1500]'
is 'tries are counted by stage' "$(tera-talk talk | jq -c '[.try,.tries]')" \
	'[1,{"plan":1,"review":1}]'
printf '{"half":' >>talk
is 'half a line is no state' "$(tera-talk talk | jq .n)" 2
tera-talk talk do=summary text=short upto:=1 >/dev/null
is 'and is cut off' "$(wc -l <talk)" 3
ok 'every line is whole' jq -e . talk
is 'a summary is no state' "$(tera-talk talk | jq -r .stage)" review
tera-talk talk do=park 'usage:={"input_tokens":10}' >/dev/null
is 'a parked turn costs, and is no turn' \
	"$(tera-talk talk | jq -c '[.stage,.verdict,.sum.turns,.sum.input_tokens]')" \
	'["review","approve",1,17]'
is 'guard: tokens' "$(tera-talk talk limits:='{"tokens":18}' | jq -r .guard.why)" '18 of 18 tokens are used up'
is 'guard: cost' "$(tera-talk talk limits:='{"cost_usd":0.5}' | jq -r .guard.what)" cost_usd
is 'guard: seconds' "$(tera-talk talk limits:='{"seconds":1}' | jq -r .guard.what)" seconds
is 'guard: turns' "$(tera-talk talk limits:='{"turns":1}' | jq -r .guard.what)" turns
is 'no guard' "$(tera-talk talk limits:='{"turns":2,"tokens":19,"seconds":2}' | jq .guard)" null
tera-talk talk do=resume stage=review next=review >/dev/null
is 'a resumed run counts anew' "$(tera-talk talk | jq -c '[.sum.turns,.tries]')" '[0,null]'

tera-talk odd do=work usage:='{"input_tokens":1e300,"output_tokens":-4,"cost_usd":-2}' >/dev/null
tera-talk odd do=work usage:='{"input_tokens":5,"output_tokens":4,"cost_usd":1e300}' >/dev/null
is 'usage that cannot be is bounded' \
	"$(tera-talk odd | jq -c '.sum | [.input_tokens,.output_tokens,.cost_usd]')" \
	'[1000000000000,4,1000000]'

# same FILE key=value...: three lines with these, then the guard
same() {
	f=$1
	shift
	for i in 1 2 3; do
		tera-talk "$f" stage=build "$@" prompt="p$i$p" text="t$i$t" \
			head_oid="h$i" >/dev/null
	done
	tera-talk "$f" limits:='{}' | jq -r .guard.why
}
p='' t=''
is 'different turns are no stall' "$(same t1 do=work verdict=done)" null
for i in 1 2 3; do tera-talk t2 stage=build do=work verdict=done prompt=p text="$i" head_oid="$i" >line; done
is 'the same prompt' "$(tera-talk t2 limits:='{}' | jq -r .guard.why)" 'the same prompt 3 times in a row'
for i in 1 2 3; do tera-talk t3 stage=build do=work verdict=empty prompt="$i" text= head_oid="$i" >line; done
is 'empty answers' "$(tera-talk t3 limits:='{}' | jq -r .guard.why)" 'an empty answer 3 times in a row'
for i in 1 2 3 4; do tera-talk t4 stage=build do=work verdict=done prompt="$i" text="$i" head_oid=h >line; done
is 'an unchanged tree' "$(tera-talk t4 limits:='{}' | jq -r .guard.what)" stall
for i in 1 2 3; do
	tera-talk t5 stage=verify do=verify verdict=fail text="port 80$i: refused after $i ms" >line
	tera-talk t5 stage=build do=work verdict=done prompt="$i" text="$i" head_oid="$i" >line
done
is 'the same error, digits aside, over other turns' \
	"$(tera-talk t5 limits:='{}' | jq -r .guard.why)" 'the same error 3 times in a row'
tera-talk t5 stage=verify do=verify verdict=pass >line
is 'until the stage ends well' "$(tera-talk t5 limits:='{}' | jq -r .guard)" null

for i in 1 2 3 4 5 6 7 8; do
	(for j in 1 2 3 4 5 6 7 8 9 10; do tera-talk many do=work stage=s text="$i $j" >/dev/null; done) &
	test_pids="$test_pids $!"
done
wait
is 'eight writers: no line is lost' "$(jq -s '[length, .[-1].sum.turns]' many | tr -d ' \n')" '[80,80]'
exits 'a bad operand' 64 tera-talk talk 'a b'
exits 'bad limits' 65 tera-talk talk limits:='['
exits 'limits as text' 64 tera-talk talk limits=5
exits 'limits twice' 64 tera-talk talk limits:='{}' limits:='{}'
exits 'a key twice' 64 tera-talk talk do=work do=work
exits 'usage' 64 tera-talk
exits 'no directory' 73 tera-talk no/talk do=work
done_testing
