-- All that an agent needs to know about its job's ticket, in one document.
-- Never a setting, so never a secret.

-- Of a neighbour the beginning of its description will do: the document must
-- stay a record (1 MiB).
-- :define brief
json_object('id', t.id, 'title', t.title, 'description', substr(t.description, 1, 2000), 'priority', t.priority, 'column_id', t.column_id, 'status', t.status)

-- :define label
coalesce(n.value ->> '$.data.label', n.value ->> '$.label', n.value ->> '$.id')

-- :verb job.context READ WORKER AGENT HELD
-- :in job:ref job_id:ref ticket:ref ticket_id:ref
SELECT ticket_id AS ":ticket", id AS ":job" FROM job WHERE id = coalesce(@job, @job_id) OR number = num(coalesce(@job, @job_id));
SELECT refuse(66, 'no such job: ' || coalesce(@job, @job_id)) WHERE :job IS NULL AND coalesce(@job, @job_id) IS NOT NULL;
SELECT id AS ":ticket" FROM ticket WHERE :ticket IS NULL AND (id = coalesce(@ticket, @ticket_id) OR number = num(coalesce(@ticket, @ticket_id)));
SELECT refuse(66, 'no such ticket: ' || coalesce(@ticket, @ticket_id)) WHERE :ticket IS NULL AND coalesce(@ticket, @ticket_id) IS NOT NULL;
SELECT refuse(65, 'job is missing') WHERE :ticket IS NULL;
SELECT project_id AS ":project", associated_node_ids AS ":nodes", associated_edge_ids AS ":edges" FROM ticket WHERE id = :ticket;
SELECT json_object('project_id', p.id, 'project_name', p.name, 'project_description', p.description, 'repo_url', coalesce(p.repo_url, ''),
  'current_ticket', json_patch(json_patch($(brief), json_object('acceptance', t.acceptance, 'description', t.description)), json_object('number', t.number, 'associated_node_ids', json(t.associated_node_ids),
    'associated_nodes_labeled', (SELECT json_group_array($(label) || ': ' || (n.value ->> '$.id')) FROM json_each(g.nodes) n WHERE :nodes = '["*"]' OR n.value ->> '$.id' IN (SELECT value FROM json_each(:nodes))),
    'associated_edges_labeled', (SELECT json_group_array(coalesce((SELECT $(label) FROM json_each(g.nodes) n WHERE n.value ->> '$.id' = e.value ->> '$.source'), e.value ->> '$.source') || ' → ' || coalesce((SELECT $(label) FROM json_each(g.nodes) n WHERE n.value ->> '$.id' = e.value ->> '$.target'), e.value ->> '$.target') || ': ' || coalesce(e.value ->> '$.id', '')) FROM json_each(g.edges) e WHERE :edges = '["*"]' OR :nodes = '["*"]' OR e.value ->> '$.id' IN (SELECT value FROM json_each(:edges))))),
  'graph', json_object('nodes', json(g.nodes), 'edges', json(g.edges)),
  'graph_relevant_to_current_ticket', json_object(
    'nodes', (SELECT json_group_array(json(n.value)) FROM json_each(g.nodes) n WHERE :nodes = '["*"]' OR n.value ->> '$.id' IN (SELECT value FROM json_each(:nodes))),
    'edges', (SELECT json_group_array(json(e.value)) FROM json_each(g.edges) e WHERE :nodes = '["*"]' OR :edges = '["*"]' OR e.value ->> '$.id' IN (SELECT value FROM json_each(:edges)) OR e.value ->> '$.source' IN (SELECT value FROM json_each(:nodes)) OR e.value ->> '$.target' IN (SELECT value FROM json_each(:nodes)))),
  'notes', (SELECT json_group_array(json_object('title', title, 'content', content, 'node_ids', json(node_ids))) FROM note WHERE project_id = :project),
  'comments', (SELECT json_group_array(json_object('author', author, 'body', body, 'created_at', created_at)) FROM comment WHERE ticket_id = :ticket),
  'needs', (SELECT json_group_array(json_object('title', n.title, 'status', n.status)) FROM dependency d JOIN ticket n ON n.id = d.needs_id WHERE d.ticket_id = :ticket),
  'backlog_tickets', (SELECT json_group_array(json(j)) FROM (SELECT $(brief) AS j FROM ticket t WHERE t.project_id = :project AND t.column_id = 'backlog' AND t.deleted_at IS NULL ORDER BY t.updated_at DESC LIMIT 10)),
  'in_progress_tickets', (SELECT json_group_array(json(j)) FROM (SELECT $(brief) AS j FROM ticket t WHERE t.project_id = :project AND t.column_id = 'in_progress' AND t.deleted_at IS NULL ORDER BY t.id = :ticket DESC, t.updated_at DESC LIMIT 5)),
  'done_tickets', (SELECT json_group_array(json(j)) FROM (SELECT $(brief) AS j FROM ticket t WHERE t.project_id = :project AND t.column_id = 'done' AND t.deleted_at IS NULL ORDER BY t.updated_at DESC LIMIT 5)),
  'review', (SELECT json_object('comment_body', comment_body, 'path', comment_path, 'line', comment_line, 'pr_number', pr_number) FROM job WHERE id = :job AND kind = 'review')) AS json
FROM ticket t JOIN project p ON p.id = t.project_id JOIN graph g ON g.project_id = p.id WHERE t.id = :ticket;
