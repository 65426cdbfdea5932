#!/bin/sh
# queue: who gets what, when, how often, and how it ends.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu

tera-init -q
for p in p q; do tera-add project name=$p repo_url=/r >/dev/null; done
tickets() { # project, how many
	i=0
	while [ $i -lt "$2" ]; do
		i=$((i + 1))
		echo '{"project":"'"$1"'","title":"'"$1$i"'"}'
	done | tera-add ticket -
}
# titles of what is claimed, N of them
claimed() { tera-claim "$@" | while IFS= read -r l; do printf '%s ' "$(echo "$l" | field title)"; done; }
state() { tera-show job "$1" | field state; }
done_all() { tera-ls job state=running >run && while IFS= read -r l; do
	tera-finish "$(echo "$l" | field id)" "$(echo "$l" | field fence)" >/dev/null
done <run; }
past() { sqlite3 tera.db "UPDATE job SET $1 = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-60 seconds') WHERE number = $2"; }

# order
tickets p 4 | tera-enqueue - >/dev/null
tera-set job 3 priority=5 >/dev/null
is "priority, then age" "$(claimed -n 9)" "p3 p1 p2 p4 "
done_all
tickets p 3 | tera-enqueue - >/dev/null
tickets q 2 | tera-enqueue - >/dev/null
is "fair between projects" "$(claimed -n 5)" "q1 p1 q2 p2 p3 "
done_all

# limits
tera-set project p max_running:=1 >/dev/null
tickets p 2 | tera-enqueue - >/dev/null
tickets q 3 | tera-enqueue - >/dev/null
is "the project's limit" "$(claimed -n 9 | tr ' ' '\n' | grep -c p)" 1
done_all
tera-set project p max_running:=null >/dev/null
tera-set setting max_running value=2 >/dev/null
tickets q 4 | tera-enqueue - >/dev/null
is "the limit of all" "$(tera-claim -n 9 | wc -l)" 2
tera-set setting max_running value= >/dev/null
tera-claim -n 9 >/dev/null
done_all
tera-set project p max_cost_day:=1 >/dev/null
tickets p 2 | tera-enqueue - >/dev/null
tera-claim | tera-json set usage:='{"cost_usd":1.5}' | tera-finish >/dev/null
exits "the day's money is spent" 1 tera-claim -p p
tera-set project p max_cost_day:=null >/dev/null
ok "without the limit it goes on" tera-claim -p p
done_all

# dependencies
a=$(tera-add ticket project=p title=a | field number)
b=$(tera-add ticket project=p title=b needs:="[$a]" | field number)
c=$(tera-add ticket project=p title=c needs:="[$b]" | field number)
exits "a cycle is refused" 65 tera-add dependency ticket="$a" needs="$c"
like "and named" "$(cat err)" 'the dependency would close a cycle'
exits "of one as well" 65 tera-add dependency ticket="$a" needs="$a"
tera-enqueue "$c" "$b" >/dev/null
exits "what waits is not claimed" 1 tera-claim
tera-move "$a" 'done' >/dev/null
is "what it needed is done" "$(claimed -n 9)" "b "
done_all
exits "in review is not done" 1 tera-claim
tera-move "$b" 'done' >/dev/null
is "merged is" "$(claimed -n 9)" "c "
done_all
tera-add ticket project=p title=d needs:="[$c]" | tera-enqueue - >/dev/null
exits "blocked" 1 tera-claim
tera-rm ticket "$c" >/dev/null
is "a removed need is met" "$(claimed)" "d "
done_all

# time
tera-add ticket project=p title=later | tera-enqueue run_after=2099-01-01T00:00:00Z - >rec
n=$(field number <rec)
exits "not before its time" 1 tera-claim
past run_after "$n"
is "then" "$(claimed)" "later "

# leases and fences: the job of before
id=$(field job_id <rec)
past lease_until "$n"
tera-claim -l 900 >rec
is "a lost lease is claimed again" "$(field job_id <rec) $(field fence <rec)" "$id 2"
is "the attempt before it was lost" "$(tera-ls attempt job="$n" | head -n 1 | field reason)" lost
exits "the old holder cannot renew" 65 tera-renew "$n" 1
exits "nor finish" 65 tera-finish "$n" 1
exits "nor log" 65 sh -c "echo '{\"job_id\":\"$id\",\"fence\":1}' | tera-log -"
exits "from a record neither" 65 sh -c "echo '{\"job_id\":\"$id\",\"fence\":1}' | tera-finish"
is "the new one holds" "$(state "$n")" running
past lease_until "$n"
tera-claim >/dev/null
past lease_until "$n"
exits "after three tries" 1 tera-claim
is "it is failed" "$(state "$n") $(tera-show job "$n" | field reason)" "failed lost"
tera-cancel -o pending "$n" >/dev/null
tera-claim >/dev/null
tera-cancel "$n" >/dev/null
past lease_until "$n"
tera-sweep >/dev/null
is "asked to stop and lost: cancelled" "$(state "$n")" cancelled
tera-cancel -o pending "$n" >/dev/null
tera-claim >/dev/null
tera-cancel -o paused "$n" >/dev/null
past lease_until "$n"
tera-sweep >/dev/null
is "asked to pause and lost: paused" "$(state "$n")" paused
tera-cancel -o pending "$n" >/dev/null
tera-claim >rec
tera-json set error:='{"stage":"tera-ask","code":75,"message":"q","run_after":"2099-01-01T00:00:00Z"}' <rec | tera-finish >out
is "a quota counts no try" "$(field state <out) $(field tries <out)" "pending $(($(field attempt <rec) - 1))"
past run_after "$n"
tera-claim >rec
tera-finish -o cancelled "$n" "$(field fence <rec)" >/dev/null

# a review that comes while one runs is taken up after it
e=$(tera-add ticket project=p title=e | field number)
tera-enqueue "$e" >/dev/null
tera-claim | tera-finish >/dev/null
pr=$(tera-call pr.open ticket_id="$e" title=e source=/r head_branch=b base_branch=main | field number)
tera-call pr.comment pr="$pr" body=one author=ann >out
like "a comment queues a review" "$(field job_id <out)" '^[0-9a-f-]{36}$'
tera-claim >rec
is "of that comment" "$(tera-json get kind comment_body pr_number <rec | tr '\n' ' ')" "review one $pr "
tera-call pr.comment pr="$pr" body=two author=ann >/dev/null
exits "a second waits for the first" 1 tera-claim
tera-finish <rec >/dev/null
is "and comes after it" "$(tera-claim | tee rec | field comment_body)" two
tera-finish <rec >/dev/null
tera-call pr.comment pr="$pr" body=three bot:=true >/dev/null
exits "the agent's own queues none" 1 tera-claim
tera-set project p reviewers:='["ann"]' >/dev/null
tera-call pr.comment pr="$pr" body=four author=eve >/dev/null
exits "nor a stranger's" 1 tera-claim

# many writers
f=$(tera-add ticket project=q title=f | field number)
writers=
for i in 1 2 3 4 5 6 7 8; do
	tera-enqueue "$f" >"enq.$i" 2>&1 &
	writers="$writers $!"
done
for i in $writers; do wait "$i"; done
is "eight writers queue one job" "$(cat enq.* | grep -c '"created":true')" 1
is "and all are told" "$(cat enq.* | grep -c '"created":false')" 7
tera-claim | tera-finish >/dev/null
export TERA_SYNCHRONOUS=normal
tickets q 2000 | tera-enqueue - >/dev/null
claimers=
for i in 1 2 3 4 5 6 7 8; do
	tera-claim -n 100000 -W "w$i" >"got.$i" &
	claimers="$claimers $!"
done
for i in $claimers; do wait "$i"; done
is "eight claimers take 2,000 jobs" "$(cat got.* | wc -l)" 2000
is "each exactly once" "$(cat got.* | cut -c1-60 | sort -u | wc -l)" 2000
ok "no claimer starves" test "$(find got.* -size +0 | wc -l)" = 8
ok "the chain holds" tera-audit
done_testing
