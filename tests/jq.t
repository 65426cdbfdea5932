#!/bin/sh
# share/jq: the module for users' filters, by triples (jq --run-tests).
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu
command -v jq >/dev/null || skip_all 'no jq(1)'

for f in "$TOP"/tests/jq/*.test; do
	name=${f##*/}
	rc=0
	jq -L "$TOP/share/jq" --run-tests "$f" >triples 2>&1 || rc=$?
	ok "$name" [ "$rc" -eq 0 ]
	[ "$rc" -eq 0 ] || note "$(grep -B2 -A3 '^\*\*\*' triples)"
	like "$name: all triples" "$(tail -n 1 triples)" \
		'^([0-9]+) of \1 tests passed \(0 malformed'
done

# What verbs answer is what the module expects.
tera-init -q
tera-add project name=p repo_url=/r >/dev/null
for t in one two three; do
	tera-add ticket project=p title=$t >/dev/null
done
printf '1\n2\n' | tera-move - in_progress >/dev/null
tera-claim >rec
tera-json set outcome=failed reason=verify usage:='{"cost_usd":0.5}' <rec |
	tera-finish - >end
j() { jq -L "$TOP/share/jq" "$@"; }
is "kinds" "$( { tera-ls project; tera-ls ticket; tera-ls job; tera-ls attempt
	tera-watch; } | j -r 'include "tera"; kind_of' | sort -u | tr '\n' ' ')" \
	"attempt event job project ticket "
is "open jobs" "$(tera-ls job | j -c 'include "tera"; open | .number')" 2
is "failed jobs" "$(tera-ls job | j -c 'include "tera"; failed | .number')" 1
is "an end" "$(j -c 'include "tera"; failed | .reason' <end)" '"verify"'
is "cost" "$(tera-ls attempt | j -n 'include "tera"; [inputs] | sum(cost)')" 0.5
is "since" "$(tera-watch | j -n 'include "tera"; [inputs | since("1h")] | length > 5')" true
like "took" "$(tera-ls attempt | j 'include "tera"; took')" '^[0-9]$'
done_testing
