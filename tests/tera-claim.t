#!/bin/sh
# tera-claim: the next job, its record, and waiting for it.
# shellcheck disable=SC2094 # one only reads
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu

tera-init -q
tera-add project name=p repo_url=/r base_branch=dev verify_command='make test' \
	limits:='{"turns":9}' >/dev/null
tera-add project name=q repo_url=/r >/dev/null
ticket=$(tera-add ticket project=p title=one | field id)
tera-add ticket project=p title=two >/dev/null
exits "an empty queue is no" 1 tera-claim
is "and says nothing" "$(cat out err)" ""
tera-enqueue 1 2 >/dev/null
ok "a job" tera-claim -W me -l 30
cp out rec
eval "$(tera-json sh repo=repo_url branch=branch base=base_branch \
	fence=fence attempt=attempt turns=limits.turns verify=verify_command \
	kind=kind pipeline=pipeline mode=execution_mode by=claimed_by \
	title=title project=project_id lease=lease_until <rec)"
# shellcheck disable=SC2154
is "its record" "$repo $branch $base $fence $attempt $turns $verify $kind $pipeline $mode $by $title" \
	"/r ticket-$ticket dev 1 1 9 make test ticket ticket docker me one"
# shellcheck disable=SC2154
like "has the lease" "$lease" '^20..-..-..T..:..:..\....Z$'
is "it runs" "$(tera-show job 1 | field state)" running
is "an attempt began" "$(tera-ls attempt job=1 | field fence)" 1
exits "of another project: none" 1 tera-claim -p q
exits "nor of none of two" 1 tera-claim -p q -p 2
exits "of another kind: none" 1 tera-claim -k review
ok "a certain one" tera-claim 2
is "is that" "$(field number <out)" 2
exits "no such project" 66 tera-claim -p nope
exits "a lease of nothing" 64 tera-claim -l 0
exits "two jobs" 64 tera-claim 1 2

# -n, -w, -d, -c
for i in 3 4 5 6 7; do echo '{"project":"q","title":"t'$i'"}'; done |
	tera-add ticket - | tera-enqueue - >/dev/null
is "-n two" "$(tera-claim -n 2 -W x | wc -l)" 2
(tera-claim -j 2 -n 3 -w -W busy >held) &
test_pids="$test_pids $!"
two() { [ "$(wc -l <held)" = 2 ]; }
ok "-c two at a time" wait_for 5 two
sleep 0.3
ok "holds the third back" two
tera-finish "$(head -n 1 held | field job_id)" 1 >/dev/null
three() { [ "$(wc -l <held)" = 3 ]; }
ok "until one is done" wait_for 5 three

tera-claim -d -j 100 -W y >drained 2>&1 &
drain=$!
sleep 0.2
ok "-d waits while jobs run" kill -0 $drain
for n in 1 2 3 4 5 6 7; do
	tera-finish "$n" 1 >/dev/null 2>&1 || :
done
ended() { ! kill -0 "$1" 2>/dev/null; }
ok "and ends when none does" wait_for 5 ended $drain

tera-claim -n 1 -w >late &
test_pids="$test_pids $!"
sleep 0.1
tera-add ticket project=q title=late | tera-enqueue - >/dev/null
ok "-w takes what comes" wait_for 5 test -s late
mkfifo pipe
tera-claim -w -j 100 >pipe &
gone=$!
true <pipe
ok "ends when its reader goes" wait_for 5 ended $gone

# the worker itself is the one whose lease ran out
tera-add ticket project=q title=lost | tera-enqueue - >/dev/null
tera-claim -l 1 -j 1 -n 2 -w -W alone >alone &
test_pids="$test_pids $!"
again() { [ "$(tail -n 1 alone | field attempt)" = 2 ]; }
ok "a held-back claimer sees its own lost lease" wait_for 5 again
exits "no such job: 66" 66 tera-claim 9999
done_testing
