#!/bin/sh
# tera-sweep: leases that ran out.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu

tera-init -q
tera-add project name=p repo_url=/r max_tries:=2 >/dev/null
tera-add ticket project=p title=one | tera-enqueue - >/dev/null
ok "nothing to give back" tera-sweep
is "says nothing" "$(cat out)" ""
# time passes: the lease ends a minute ago
expire() {
	sqlite3 tera.db "UPDATE job SET lease_until = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-60 seconds') WHERE state = 'running'"
}
tera-claim >/dev/null
is "a lease that lasts" "$(tera-sweep)" ""
expire
ok "one that ran out" tera-sweep
is "back in the queue as lost" "$(field state <out) $(field reason <out)" "pending lost"
is "the attempt has ended so" "$(tera-ls attempt | field reason)" lost
tera-claim >/dev/null
expire
tera-sweep >out
is "failed after max_tries" "$(field state <out)" failed
exits "operands" 64 tera-sweep 1
done_testing
