#!/bin/sh
# tera-context: one document with all that an agent needs.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"
set -eu

tera-init -q
tera-add project name=p repo_url=/r description=about >/dev/null
echo '{"nodes":[{"id":"a","data":{"label":"Parser"}},{"id":"b","data":{"label":"Store"}}],
"edges":[{"id":"e","source":"a","target":"b"}]}' | tera-graph p - >/dev/null
tera-add ticket project=p title=one acceptance=works \
	associated_node_ids:='["a"]' associated_edge_ids:='["e"]' >/dev/null
tera-add ticket project=p title=two needs:='[1]' >/dev/null
tera-add note project=p title=n content=c >/dev/null
tera-add comment ticket=1 body='mind the gap' >/dev/null
tera-add setting key=github_agent_token value=hunter2 >/dev/null
tera-enqueue 1 >/dev/null
ok "of a job" tera-context 1
cp out doc
is "the ticket" "$(field current_ticket.title <doc)" one
is "what is accepted" "$(field current_ticket.acceptance <doc)" works
is "its node" "$(field 'current_ticket.associated_nodes_labeled[0]' <doc)" "Parser: a"
like "its edge" "$(field 'current_ticket.associated_edges_labeled[0]' <doc)" 'Parser → Store'
is "the graph's part" "$(field 'graph_relevant_to_current_ticket.nodes' <doc)" \
	'[{"id":"a","data":{"label":"Parser"}}]'
is "the note" "$(field 'notes[0].content' <doc)" c
is "the comment" "$(field 'comments[0].body' <doc)" 'mind the gap'
is "the backlog" "$(field 'backlog_tickets[1].title' <doc || field 'backlog_tickets[0].title' <doc)" one
unlike "no secret" "$(cat doc)" hunter2
ok "of a ticket" tera-context ticket=2
is "what it needs" "$(field 'needs[0].title' <out)" one
is "of a record" "$(tera-claim | tera-context - | field current_ticket.number)" 1
exits "no such job" 66 tera-context 99
exits "no such ticket" 66 tera-context ticket=99
exits "two" 64 tera-context 1 2
done_testing
