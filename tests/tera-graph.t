#!/bin/sh
# tera-graph: read, replaced, and never overwritten unseen.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu

tera-init -q
tera-add project name=p repo_url=/r >/dev/null
is "empty at first" "$(tera-graph p | tera-json get nodes)" "[]"
echo '{"nodes":[{"id":"a","data":{"label":"A"}},{"id":"b"}],
 "edges":[{"id":"e","source":"a","target":"b"}],"version":1}' >g
ok "replaced" sh -c 'tera-graph p - <g'
is "a version on" "$(field version <out)" 2
is "as it went in" "$(tera-graph p | field 'nodes[0].data.label')" A
exits "a stale one" 65 tera-graph p - <g
like "names the versions" "$(cat err)" 'the graph is at version 2, not 1'
tera-graph p >now
exits "what was read goes back in" 0 tera-graph p - <now
echo '{"nodes":[{"id":"a"},{"id":"a"}]}' >g
exits "two nodes of one id" 65 tera-graph p - <g
like "named" "$(cat err)" 'two nodes have the id a'
echo '{"nodes":[1]}' >g
exits "a node that is none" 65 tera-graph p - <g
echo 'rubbish' >g
exits "not JSON" 65 tera-graph p - <g
exits "nothing" 65 tera-graph p - </dev/null
exits "no such project" 66 tera-graph nope
exits "two" 64 tera-graph p q
done_testing
