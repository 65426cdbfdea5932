#!/bin/sh
# wake: who waits is woken at once, and does nothing meanwhile.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu

tera-init -q
tera-add project name=p repo_url=/r >/dev/null
for i in 1 2 3 4 5 6 7 8 9 10; do echo '{"project":"p","title":"t'$i'"}'; done |
	tera-add ticket - >/dev/null
ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

# idle: two of them, which must not wake each other
tera-claim -w -j 100 >got 2>err1 &
a=$!
tera-claim -w -p p -k review >/dev/null 2>err2 &
b=$!
tera-watch -f -s 9999 >/dev/null 2>err3 &
c=$!
test_pids="$a $b $c"
sleep 0.5
# its children get the usual slice, which the kernel shows: see lib/rest.h
if chrt -p $$ 2>/dev/null | grep -q 'SCHED_OTHER$' && [ "$(nice)" -ge 0 ]; then
	for p in $a $b $c; do chrt -p "$p"; done >slices
	is "each asks to be let in at once" "$(grep -c RESET_ON_FORK slices)" 3
else
	skip 1 "this shell is no ordinary process, or chrt is not here"
fi
before=$(($(ticks $a) + $(ticks $b) + $(ticks $c)))
sleep 3
after=$(($(ticks $a) + $(ticks $b) + $(ticks $c)))
hz=$(getconf CLK_TCK)
note "$((after - before)) ticks of 1/$hz s in 3 s, three waiting"
# 0.5 % of 3 s each is 45 ms; a tick is the least that can be seen
ok "idle below 0.5 % each" test $(((after - before) * 1000 / hz)) -le 45

now() { date +%s%N; }
i=0
while [ $i -lt 10 ]; do
	i=$((i + 1))
	start=$(now)
	tera-enqueue $i >/dev/null
	until [ "$(wc -l <got)" -ge $i ] || [ $(($(now) - start)) -gt 3000000000 ]; do :; done
	echo $((($(now) - start) / 1000000)) >>ms
done
median=$(sort -n ms | sed -n 5p)
note "median $median ms from before the enqueue to the record: $(sort -n ms | tr '\n' ' ')"
is "all ten came" "$(wc -l <got)" 10
ok "woken within 500 ms, median" test "$median" -le 500

# a store that is removed, or made anew, is not waited for
rm -f tera.db tera.db-*
tera-init -q
rc=0
wait $a || rc=$?
is "a claimer ends when the store is another" "$rc" 78
is "and says so" "$(cat err1)" "tera-claim: the store was removed"
wait $c || :
is "so does who follows" "$(cat err3)" "tera-watch: $T/tera.db: the store was removed"
done_testing
