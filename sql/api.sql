-- The wire contract of Terarchitect (tera-api(7)): its shapes and its statuses,
-- from the same tables under the same rules.  Read after all other files but
-- rest.sql.
--
-- Here things are named by their ids only, as the paths of the contract do.

-- :define api_ticket
SELECT t.id AS ":ticket", t.project_id AS ":project" FROM ticket t JOIN project p ON p.id = t.project_id WHERE t.id = @ticket AND t.project_id = @project AND t.deleted_at IS NULL AND p.deleted_at IS NULL;
-- :unless :ticket
SELECT refuse(66, 'no such ticket: ' || @ticket);

-- The settings that the claim answer carries, and the keys that agents can do
-- without.  Texts, for a list is a table that each claim would make anew.
-- :define in_env
' github_agent_token GIT_USER_NAME GIT_USER_EMAIL AGENT_PROVIDER AGENT_LLM_URL AGENT_MODEL AGENT_API_KEY MIDDLE_AGENT_DEBUG WORKER_MODE WORKER_LLM_URL WORKER_MODEL WORKER_API_KEY WORKER_TIMEOUT_SEC EMBEDDING_PROVIDER EMBEDDING_SERVICE_URL EMBEDDING_API_KEY MEMORY_EMBEDDING_MODEL openai_api_key TERARCHITECT_WORKER_API_KEY '
-- :define spares
' github_agent_token EMBEDDING_API_KEY MEMORY_LLM_API_KEY openai_api_key TERARCHITECT_WORKER_API_KEY '

-- The 28 settings: name, is it secret, does the claim answer carry it, does the
-- context (a name: as that), and is it a key that agents can do without.
-- :define known
(SELECT column1 AS key, column2 AS secret, instr($(in_env), ' ' || column1 || ' ') > 0 AS env, column3 AS ctx, instr($(spares), ' ' || column1 || ' ') > 0 AS spare FROM (VALUES
  ('github_agent_token', 1, 1), ('GIT_USER_NAME', 0, 0), ('GIT_USER_EMAIL', 0, 0), ('AGENT_PROVIDER', 0, 1), ('AGENT_LLM_URL', 0, 1), ('AGENT_MODEL', 0, 1), ('AGENT_API_KEY', 1, 1), ('MIDDLE_AGENT_DEBUG', 0, 1),
  ('WORKER_MODE', 0, 0), ('WORKER_LLM_URL', 0, 1), ('WORKER_MODEL', 0, 1), ('WORKER_API_KEY', 1, 1), ('WORKER_TIMEOUT_SEC', 0, 1), ('EMBEDDING_PROVIDER', 0, 1), ('EMBEDDING_SERVICE_URL', 0, 1), ('EMBEDDING_API_KEY', 1, 1),
  ('MEMORY_EMBEDDING_MODEL', 0, 1), ('MEMORY_EMBEDDING_BASE_URL', 0, 1), ('MEMORY_LLM_BASE_URL', 0, 1), ('MEMORY_LLM_MODEL', 0, 1), ('MEMORY_LLM_API_KEY', 1, 1), ('openai_api_key', 1, 1), ('anthropic_api_key', 1, 0),
  ('FRONTEND_LLM_URL', 0, 0), ('FRONTEND_LLM_MODEL', 0, 0), ('FRONTEND_LLM_API_KEY', 1, 0), ('MAX_CONCURRENT_AGENTS', 0, 0), ('TERARCHITECT_WORKER_API_KEY', 1, 0)))

-- The value of setting k, from the store or else the environment.
-- :define value_of
coalesce((SELECT iif(s.secret, decrypt(s.value), s.value) FROM setting s WHERE s.key = k.key), :in ->> ('$.env.' || k.key), '')

-- agent_secrets = all gives agents the keys, too, that they can do without.
-- :define spared
(k.spare AND NOT EXISTS (SELECT 1 FROM setting WHERE key = 'agent_secrets' AND value = 'all'))

-- Under the name of the worker key an agent gets the token of its job (when keyed:
-- who asked needed one, too), and the worker key itself only with agent_secrets =
-- all.
-- Does an agent of the contract find setting s in its environment?  The token of
-- the forge goes there, and not into the context.
-- :define carried
instr($(in_env), ' ' || s.key || ' ') AND (s.key = 'github_agent_token' OR NOT instr($(spares), ' ' || s.key || ' ') OR EXISTS (SELECT 1 FROM setting WHERE key = 'agent_secrets' AND value = 'all'))

-- :define agent_env
(SELECT json_group_object(name, value) FROM (SELECT n.value AS name, v.value AS value
  FROM (SELECT s.key AS key, iif(s.secret, decrypt(s.value), s.value) AS value FROM setting s WHERE $(carried)
    UNION ALL SELECT s.key, s.value FROM json_each(@env) s WHERE $(carried) AND NOT EXISTS (SELECT 1 FROM setting o WHERE o.key = s.key)
    UNION ALL SELECT 'TERARCHITECT_WORKER_API_KEY', @token WHERE @keyed AND NOT EXISTS (SELECT 1 FROM setting WHERE key = 'agent_secrets' AND value = 'all')) v,
    json_each(CASE v.key WHEN 'github_agent_token' THEN '["GH_TOKEN","GITHUB_TOKEN"]' WHEN 'openai_api_key' THEN '["OPENAI_API_KEY"]' ELSE json_array(v.key) END) n
  WHERE trim(v.value) <> ''))

-- :verb api.health READ COMMON
SELECT json_object('status', 'healthy') AS json FROM (SELECT count(*) FROM kind);

-- --- workers ---

-- A worker of the contract does not renew its lease by itself, and one turn of
-- it may take WORKER_TIMEOUT_SEC: so long must the lease be, and half an hour
-- more.
-- :define lease
coalesce((SELECT min(max(CAST(value AS INTEGER), 60), 80000) + 1800 FROM setting WHERE key = 'WORKER_TIMEOUT_SEC' AND CAST(value AS INTEGER) > 0), 5400)

-- Before a claim: all that could go wrong with its answer, such as a secret that
-- cannot be read.
-- :verb api.job.start READ WORKER COMMON
-- :in project_id:text worker:text lease_seconds:num
SELECT nullif(trim(lower(@project_id)), '') AS ":project", sum(length(decrypt(s.value))) FROM setting s WHERE s.secret AND $(carried);
-- :if :project
SELECT refuse(65, 'project_id: not a UUID: ' || @project_id) WHERE NOT (length(@project_id) = 36 AND lower(@project_id) GLOB replace('HHHHHHHH-HHHH-HHHH-HHHH-HHHHHHHHHHHH', 'H', '[0-9a-f]'));
-- :if :project
SELECT refuse(66, 'no such project: ' || @project_id) WHERE NOT EXISTS (SELECT 1 FROM project WHERE id = :project AND deleted_at IS NULL);
SELECT record('project_id', coalesce(:project, ''), 'worker', coalesce(@worker, 'api'), 'lease_seconds', coalesce(@lease_seconds, $(lease))) AS json;

-- What was claimed, as the contract has it and with what is ours.
-- :verb api.job READ WORKER
-- :in job_id:text! env:object token:text keyed:bool
SELECT nullif($(agent_env), '{}') AS ":env";
SELECT record('job_id', j.id, 'ticket_id', j.ticket_id, 'project_id', j.project_id, 'kind', iif(j.kind = 'review', 'review', 'ticket'), 'repo_url', coalesce(p.repo_url, ''), 'execution_mode', p.execution_mode, 'project_path', p.project_path,
  'number', j.number, 'branch', 'ticket-' || j.ticket_id, 'attempt', j.tries, 'fence', j.fence, '?lease_until', j.lease_until, 'limits', raw(p.limits), '?base_branch', p.base_branch, '?token', @token, '?agent_env', raw(:env),
  '?pr_number', iif(j.kind = 'review', coalesce(j.pr_number, 0), NULL), '?comment_body', iif(j.kind = 'review', coalesce(j.comment_body, ''), NULL), '?github_comment_id', iif(j.kind = 'review', coalesce(j.github_comment_id, 0), NULL), '?comment_path', j.comment_path, '?comment_line', j.comment_line) AS json
FROM job j JOIN project p ON p.id = j.project_id WHERE j.id = @job_id;

-- :define api_job
SELECT id AS ":job", state AS ":state", ticket_id AS ":ticket", project_id AS ":project", kind AS ":kind", stop AS ":stop", max_tries AS ":max", iif(state = 'running', 1, NULL) AS ":runs" FROM job WHERE id = :in ->> 'job';
$(no_job)
SELECT refuse(65, 'job ' || id || ': fence ' || (:in ->> 'fence') || ' is old, it is ' || fence || ' now') FROM job WHERE id = :job AND fence <> CAST(:in ->> 'fence' AS INTEGER);
-- :unless :runs
SELECT json_object('http', 409, 'error', 'job ' || :job || ' is ' || :state || ', not running', 'status', :state) AS json;

-- :verb api.job.complete WRITE WORKER AGENT
-- :in job:text! job_id:text fence:int
$(api_job)
-- :if :runs
UPDATE job SET state = 'completed', reason = 'ok', lease_until = NULL, stop = NULL, worker = NULL, finished_at = now() WHERE id = :job;
-- :if :runs
UPDATE pr_comment SET addressed_at = now() WHERE :kind = 'review' AND addressed_at IS NULL AND number = (SELECT github_comment_id FROM job WHERE id = :job) AND pr_id IN (SELECT id FROM pr WHERE ticket_id = :ticket);
-- :if :runs
INSERT INTO job(id, ticket_id, project_id, kind, priority, max_tries, pr_number, comment_body, github_comment_id, comment_path, comment_line)
SELECT uuid7(), :ticket, :project, 'review', 1, :max, p.pr_number, c.body, c.number, c.path, c.line
FROM pr_comment c JOIN pr p ON p.id = c.pr_id WHERE p.ticket_id = :ticket AND p.state = 'open' AND p.forge = 'local' AND c.bot = 0 AND c.addressed_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM job r WHERE r.ticket_id = :ticket AND r.kind = 'review' AND (r.state = 'pending' OR r.state = 'running' OR r.state = 'paused')) ORDER BY c.number LIMIT 1;
-- :if :runs
SELECT json_object('job_id', :job, 'message', 'completed') AS json;

-- A worker of the contract cannot say why; the next try is a person's.
-- :verb api.job.fail WRITE WORKER AGENT
-- :in job:text! job_id:text fence:int message:text
$(api_job)
-- :if :runs
UPDATE job SET state = iif(:stop = 'cancel', 'cancelled', 'failed'), reason = iif(:stop IS NULL, 'error', 'user'), message = coalesce(:in ->> 'message', 'the worker said that it failed'), lease_until = NULL, stop = NULL, worker = NULL, finished_at = now() WHERE id = :job;
-- :if :runs
UPDATE ticket SET status = 'failed', version = version + 1, updated_at = now() WHERE id = :ticket AND status <> 'failed' AND :stop IS NULL AND :kind <> 'review';
-- :if :runs
SELECT json_object('job_id', :job, 'message', 'failed') AS json;

-- Who asks about its ticket lives: its lease begins anew when half of it is
-- over.  Other workers renew theirs themselves.
-- :define alive
SELECT number AS ":lives" FROM job WHERE ticket_id = :ticket AND state = 'running' AND worker = 'api';
-- :if :lives
SELECT $(lease) AS ":lease";
-- :if :lives
UPDATE job SET lease_until = soon(:lease) WHERE number = :lives AND lease_until < soon(:lease / 2);

-- :verb api.log.add WRITE WORKER AGENT
-- :in project:text! ticket:text! session_id:text step:text summary:text raw_output:text
$(api_ticket)
SELECT refuse(65, 'session_id is missing') WHERE trim(coalesce(@session_id, '')) = '';
SELECT id AS ":job" FROM job WHERE ticket_id = :ticket AND state = 'running' ORDER BY number DESC LIMIT 1;
INSERT INTO log(id, project_id, ticket_id, job_id, session_id, step, summary, raw_output)
VALUES (uuid7(), :project, :ticket, :job, @session_id, substr(coalesce(nullif(trim(@step), ''), 'step'), 1, 100), @summary, @raw_output)
RETURNING record('id', id, 'message', 'logged', 'seq', seq) AS json;
$(alive)

-- :verb api.logs READ KEEP
-- :in project:text! ticket:text! since:int limit:int
SELECT $(log_record) FROM log WHERE ticket_id = :in ->> 'ticket' AND project_id = :in ->> 'project' AND seq > coalesce(:in ->> 'since', 0) ORDER BY seq LIMIT coalesce(:in ->> 'limit', -1);

-- What is done stays done: a late word does not pull a ticket back.
-- :verb api.ticket.complete WRITE WORKER AGENT
-- :in project:text! ticket:text! pr_url:text pr_number:any summary:text review_comment_body:text
$(api_ticket)
SELECT nullif(trim(:in ->> 'pr_url'), '') AS ":url", CAST(num(trim(:in ->> 'pr_number')) AS INTEGER) AS ":pr_number", nullif(trim(:in ->> 'summary'), '') AS ":summary", nullif(trim(:in ->> 'review_comment_body'), '') AS ":reply";
SELECT num(replace(substr(:url, instr(:url, '/pull/') + 6), '/', '')) AS ":pr_number" WHERE :pr_number IS NULL AND instr(:url, '/pull/');
SELECT id AS ":pr" FROM pr WHERE ticket_id = :ticket ORDER BY number DESC LIMIT 1;
UPDATE pr SET pr_url = coalesce(:url, pr_url), pr_number = coalesce(:pr_number, pr_number), body = coalesce(:summary, body), version = version + 1, updated_at = now()
WHERE id = :pr AND (:url IS NOT NULL OR :pr_number IS NOT NULL) AND (pr_url IS NOT coalesce(:url, pr_url) OR pr_number IS NOT coalesce(:pr_number, pr_number) OR body IS NOT coalesce(:summary, body));
INSERT INTO pr(id, project_id, ticket_id, forge, title, body, source, head_branch, base_branch, pr_number, pr_url)
SELECT uuid7(), :project, t.id, iif(instr(:url, '//github.com/'), 'github', 'other'), t.title, :summary, coalesce(p.repo_url, p.project_path, ''), 'ticket-' || t.id, coalesce(p.base_branch, 'main'), :pr_number, :url
FROM ticket t JOIN project p ON p.id = t.project_id WHERE t.id = :ticket AND :pr IS NULL AND :url IS NOT NULL;
INSERT INTO pr_comment(id, pr_id, body, bot, addressed_at) SELECT uuid7(), id, :reply, 1, now() FROM pr WHERE ticket_id = :ticket AND :reply IS NOT NULL ORDER BY number DESC LIMIT 1;
UPDATE ticket SET column_id = 'in_review', status = 'completed', version = version + 1, updated_at = now() WHERE id = :ticket AND column_id <> 'done' AND (column_id <> 'in_review' OR status <> 'completed');
SELECT json_object('ticket_id', :ticket, 'message', 'completed') AS json;

-- True for the run that was asked to stop, and not for one that began later.
-- :verb api.ticket.stopped WRITE WORKER AGENT
-- :in project:text! ticket:text!
$(api_ticket)
SELECT json_object('cancel_requested', json(iif(EXISTS (SELECT 1 FROM job WHERE ticket_id = :ticket AND state = 'running' AND stop = 'cancel')
  OR EXISTS (SELECT 1 FROM kept r WHERE r.key = 'stop ' || :ticket AND NOT EXISTS (SELECT 1 FROM job j WHERE j.ticket_id = :ticket AND max(j.created_at, coalesce(j.claimed_at, '')) > r.at)), 'true', 'false'))) AS json;
$(alive)

-- :verb api.ticket.cancel WRITE
-- :in project:text! ticket:text!
$(api_ticket)
UPDATE job SET state = 'cancelled', reason = 'user', finished_at = now() WHERE ticket_id = :ticket AND (state = 'pending' OR state = 'paused');
UPDATE job SET stop = 'cancel' WHERE ticket_id = :ticket AND state = 'running';
INSERT OR REPLACE INTO kept(key, at) VALUES ('stop ' || :ticket, now());
SELECT json_object('message', 'cancellation was asked for') AS json;

-- --- the document that an agent reads ---

-- :define nodes_of_ticket
(SELECT n.value AS value, n.value ->> '$.id' AS id, coalesce($(label), '') AS label, :nodes = '["*"]' OR n.value ->> '$.id' IN (SELECT value FROM json_each(:nodes)) AS mine FROM graph g, json_each(g.nodes) n WHERE g.project_id = :project)

-- :define edges_of_ticket
(SELECT e.value AS value, coalesce(e.value ->> '$.id', '') AS id, coalesce((SELECT $(label) FROM json_each(g.nodes) n WHERE n.value ->> '$.id' = e.value ->> '$.source'), e.value ->> '$.source', '') AS source, coalesce((SELECT $(label) FROM json_each(g.nodes) n WHERE n.value ->> '$.id' = e.value ->> '$.target'), e.value ->> '$.target', '') AS target,
  :edges = '["*"]' OR e.value ->> '$.id' IN (SELECT value FROM json_each(:edges)) AS mine, :nodes = '["*"]' OR e.value ->> '$.source' IN (SELECT value FROM json_each(:nodes)) OR e.value ->> '$.target' IN (SELECT value FROM json_each(:nodes)) AS near
  FROM graph g, json_each(g.edges) e WHERE g.project_id = :project)

-- :define neighbours
json_object('id', t.id, 'title', t.title, 'description', t.description, 'priority', t.priority, 'column_id', t.column_id, 'status', t.status)

-- :define current
json_set($(neighbours), '$._current_ticket', json('true'), '$.associated_node_ids', json(t.associated_node_ids),
  '$.associated_nodes_labeled', json((SELECT json_group_array(label || ': ' || id) FROM $(nodes_of_ticket) WHERE mine)),
  '$.associated_edges_labeled', json((SELECT json_group_array(source || ' → ' || target || ': ' || id) FROM $(edges_of_ticket) WHERE mine)))

-- :verb api.context READ WORKER AGENT
-- :in project:text! ticket:text! env:object
$(api_ticket)
SELECT associated_node_ids AS ":nodes", associated_edge_ids AS ":edges" FROM ticket WHERE id = :ticket;
SELECT (SELECT json_group_object(k.key, iif(k.secret AND $(spared), '', $(value_of))) FROM $(known) k WHERE k.ctx) AS ":settings";
SELECT json_object('project_id', p.id, 'project_name', p.name, 'project_description', p.description, 'github_url', p.repo_url, 'repo_url', coalesce(p.repo_url, ''),
  'current_ticket', json($(current)),
  'graph', json_object('nodes', json(g.nodes), 'edges', json((SELECT json_group_array(json_set(value, '$.source_label', source, '$.target_label', target)) FROM $(edges_of_ticket)))),
  'graph_relevant_to_current_ticket', json_object(
    'nodes', json((SELECT json_group_array(json_set(value, '$.label_and_id', label || ': ' || id)) FROM $(nodes_of_ticket) WHERE mine)),
    'edges', json((SELECT json_group_array(json_set(value, '$.source_label', source, '$.target_label', target, '$.label_and_id', source || ' → ' || target || ': ' || id)) FROM $(edges_of_ticket) WHERE mine OR near))),
  'notes', (SELECT json_group_array(json_object('title', title, 'content', content, 'node_id', (SELECT group_concat(value, ',') FROM json_each(node_ids)))) FROM note WHERE project_id = p.id),
  'backlog_tickets', (SELECT json_group_array(json(j)) FROM (SELECT $(neighbours) AS j FROM ticket t WHERE t.project_id = :project AND t.column_id = 'backlog' AND t.deleted_at IS NULL ORDER BY t.updated_at DESC, t.number DESC LIMIT 10)),
  'in_progress_tickets', (SELECT json_group_array(json(j)) FROM (SELECT iif(t.id = :ticket, $(current), $(neighbours)) AS j FROM ticket t WHERE t.project_id = :project AND t.column_id = 'in_progress' AND t.deleted_at IS NULL ORDER BY t.id = :ticket DESC, t.updated_at DESC, t.number DESC LIMIT 5)),
  'done_tickets', (SELECT json_group_array(json(j)) FROM (SELECT $(neighbours) AS j FROM ticket t WHERE t.project_id = :project AND t.column_id = 'done' AND t.deleted_at IS NULL ORDER BY t.updated_at DESC, t.number DESC LIMIT 5)),
  'agent_settings', json(:settings)) AS json
FROM ticket t JOIN project p ON p.id = t.project_id JOIN graph g ON g.project_id = p.id WHERE t.id = :ticket;

-- --- people ---

-- :define api_project_shape
record('id', p.id, 'number', p.number, 'name', p.name, 'description', p.description, 'github_url', p.repo_url, 'execution_mode', p.execution_mode, 'project_path', p.project_path, 'version', p.version, 'created_at', p.created_at, 'updated_at', p.updated_at, '?deleted_at', p.deleted_at)

-- Anything but "local" is docker.
-- :define mode
iif(lower(trim(:in ->> 'execution_mode')) = 'local', 'local', 'docker')

-- :define api_project_fits
SELECT refuse(65, 'name: a name cannot be null') WHERE json_type(:in, '$.name') = 'null';
SELECT refuse(65, 'github_url holds a password: leave it out and store github_agent_token')
WHERE instr(:in ->> 'github_url', '://') AND substr(:in ->> 'github_url', instr(:in ->> 'github_url', '://') + 3, instr(substr(:in ->> 'github_url', instr(:in ->> 'github_url', '://') + 3) || '/', '/') - 1) GLOB '*:*@*';

-- :verb api.projects READ KEEP
-- :in deleted:bool after:int limit:int only:array
SELECT $(api_project_shape) AS json FROM project p WHERE (deleted_at IS NOT NULL) = coalesce(:in ->> 'deleted', 0) AND (@only IS NULL OR id IN (SELECT value FROM json_each(@only))) AND number > coalesce(:in ->> 'after', 0) ORDER BY number LIMIT coalesce(:in ->> 'limit', -1);

-- :verb api.project READ KEEP
-- :in project:text!
$(api_project)
SELECT $(api_project_shape) AS json FROM project p WHERE id = :project;

-- A new repository gets a ticket that sets it up.
-- :verb api.project.add WRITE
-- :in name:text description:text github_url:text execution_mode:text project_path:text is_existing_repo:any
$(api_project_fits)
INSERT INTO project(id, name, description, repo_url, project_path, execution_mode)
VALUES (uuid7(), coalesce(:in ->> 'name', 'Untitled Project'), :in ->> 'description', nullif(trim(:in ->> 'github_url'), ''), nullif(trim(:in ->> 'project_path'), ''), $(mode)) RETURNING id AS ":project";
INSERT INTO ticket(id, project_id, title, description, associated_node_ids, associated_edge_ids)
SELECT uuid7(), :project, 'Project setup', 'Lay out the repository for the components of the graph: a folder for each, a .gitignore, and configuration files with nothing in them but what tools need to start. No code of the application yet.', '["*"]', '["*"]'
WHERE json_type(:in, '$.is_existing_repo') IS NOT 'true';
SELECT $(api_project_shape) AS json FROM project p WHERE id = :project;

-- :verb api.project.set WRITE
-- :in project:text! name:text description:text github_url:text execution_mode:text project_path:text version:int
$(api_project)
$(project_version)
$(api_project_fits)
UPDATE project SET name = coalesce(:in ->> 'name', name),
  description = iif(json_type(:in, '$.description') IS NULL, description, :in ->> 'description'),
  repo_url = iif(json_type(:in, '$.github_url') IS NULL, repo_url, nullif(trim(:in ->> 'github_url'), '')),
  project_path = iif(json_type(:in, '$.project_path') IS NULL, project_path, nullif(trim(:in ->> 'project_path'), '')),
  execution_mode = iif(json_type(:in, '$.execution_mode') IS NULL, execution_mode, $(mode)), version = version + 1, updated_at = now() WHERE id = :project;
SELECT $(api_project_shape) AS json FROM project p WHERE id = :project;

-- :verb api.project.confirm READ
-- :in project:text! confirm_name:text
$(api_project)
SELECT refuse(65, 'confirm_name is not the name of the project') FROM project WHERE id = :project AND name IS NOT :in ->> 'confirm_name';

-- :verb api.removed READ COMMON
SELECT json_object('message', 'removed') AS json;

-- :verb api.graph READ KEEP
-- :in project:text!
$(api_project)
SELECT json_object('id', id, 'project_id', project_id, 'nodes', json(nodes), 'edges', json(edges), 'version', version) AS json FROM graph WHERE project_id = :project;

-- :verb api.graph.set WRITE
-- :in project:text! nodes:array edges:array version:int
$(api_project)
$(graph_version)
SELECT refuse(65, 'nodes: every node is an object with an id') FROM json_each(coalesce(:in -> 'nodes', '[]')) WHERE iif(type = 'object', json_type(value, '$.id') NOT IN ('text', 'integer') OR json_type(value, '$.id') IS NULL, 1);
SELECT refuse(65, 'nodes: two have the id ' || (value ->> 'id')) FROM json_each(coalesce(:in -> 'nodes', '[]')) GROUP BY value ->> 'id' HAVING count(*) > 1;
SELECT refuse(65, 'edges: every edge is an object') FROM json_each(coalesce(:in -> 'edges', '[]')) WHERE type <> 'object';
UPDATE graph SET nodes = iif(json_type(:in, '$.nodes') IS NULL, nodes, coalesce(nullif(:in -> 'nodes', 'null'), '[]')), edges = iif(json_type(:in, '$.edges') IS NULL, edges, coalesce(nullif(:in -> 'edges', 'null'), '[]')), version = version + 1, updated_at = now() WHERE project_id = :project
RETURNING json_object('version', version) AS json;

-- :verb api.kanban READ KEEP
-- :in project:text!
$(api_project)
SELECT json_object('id', id, 'project_id', project_id, 'columns', json(columns), 'version', version) AS json FROM board WHERE project_id = :project;

-- :verb api.kanban.set WRITE
-- :in project:text! columns:array version:int
$(api_project)
$(board_version)
SELECT refuse(65, 'columns: every column is an object with an id and a title') FROM json_each(coalesce(:in -> 'columns', '[]')) WHERE iif(type = 'object', coalesce(value ->> 'id', '') = '' OR coalesce(value ->> 'title', '') = '', 1);
UPDATE board SET columns = coalesce(nullif(:in -> 'columns', 'null'), '[]'), version = version + 1, updated_at = now() WHERE project_id = :project RETURNING json_object('columns', json(columns), 'version', version) AS json;

-- :define api_ticket_shape
record('id', t.id, 'number', t.number, 'project_id', t.project_id, 'column_id', t.column_id, 'title', t.title, 'description', t.description, 'associated_node_ids', raw(t.associated_node_ids), 'associated_edge_ids', raw(t.associated_edge_ids), 'priority', t.priority, 'status', t.status, 'version', t.version, 'created_at', t.created_at, 'updated_at', t.updated_at, '?deleted_at', t.deleted_at,
  'pr_url', last.pr_url, 'pr_number', last.pr_number)

-- :define api_ticket_from
ticket t LEFT JOIN pr last ON last.number = (SELECT max(number) FROM pr WHERE ticket_id = t.id)

-- The numbers first, in their order: sorted with all that is in them, a board
-- of a thousand took three times as long.
-- :verb api.tickets READ KEEP
-- :in project:text! column_id:text deleted:bool after:int limit:int
SELECT $(api_ticket_shape) AS json FROM (SELECT number FROM ticket WHERE project_id = (SELECT id FROM project WHERE id = @project AND deleted_at IS NULL) AND (deleted_at IS NOT NULL) = coalesce(@deleted, 0)
  AND (@column_id IS NULL OR column_id = @column_id) AND number > coalesce(@after, 0) ORDER BY number LIMIT coalesce(@limit, -1)) k CROSS JOIN $(api_ticket_from) WHERE t.number = k.number;

-- :verb api.ticket READ KEEP
-- :in project:text! ticket:text!
$(api_ticket)
SELECT $(api_ticket_shape) AS json FROM $(api_ticket_from) WHERE t.id = :ticket;

-- :define on_board
SELECT refuse(65, 'column_id: no such column on the board: ' || @column_id) WHERE @column_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM board b, json_each(b.columns) c WHERE b.project_id = :project AND c.value ->> 'id' = @column_id);

-- :verb api.ticket.add WRITE
-- :in project:text! title:text column_id:text description:text priority:text status:text associated_node_ids:array associated_edge_ids:array
$(api_project)
SELECT refuse(65, 'title and column_id are required') WHERE trim(coalesce(:in ->> 'title', '')) = '' OR trim(coalesce(:in ->> 'column_id', '')) = '';
$(on_board)
INSERT INTO ticket(id, project_id, column_id, title, description, priority, status, associated_node_ids, associated_edge_ids)
VALUES (uuid7(), :project, :in ->> 'column_id', :in ->> 'title', :in ->> 'description', coalesce(:in ->> 'priority', 'medium'), coalesce(:in ->> 'status', 'todo'), coalesce(nullif(:in -> 'associated_node_ids', 'null'), '[]'), coalesce(nullif(:in -> 'associated_edge_ids', 'null'), '[]')) RETURNING id AS ":ticket";
SELECT $(api_ticket_shape) AS json FROM $(api_ticket_from) WHERE t.id = :ticket;

-- The other fields (of the version that the asker saw), and whether the move that comes next (ticket.move) may be:
-- an agent needs a source, a graph, and for github.com a token.
-- :verb api.ticket.set WRITE
-- :in project:text! ticket:text! column_id:text title:text description:text priority:text status:text associated_node_ids:array associated_edge_ids:array version:int
$(api_ticket)
$(ticket_version)
SELECT CASE 'null' WHEN json_type(:in, '$.title') THEN refuse(65, 'title cannot be null') WHEN json_type(:in, '$.column_id') THEN refuse(65, 'column_id cannot be null') END,
  (SELECT 1 FROM json_each(:in) WHERE instr(' title description priority status associated_node_ids associated_edge_ids ', ' ' || key || ' ') LIMIT 1) AS ":fields",
  (SELECT 1 FROM ticket WHERE id = :ticket AND @column_id = 'in_progress' AND (column_id <> 'in_progress' OR status = 'failed')) AS ":run";
$(on_board)
-- :if :run
SELECT refuse(65, CASE WHEN p.execution_mode = 'local' AND p.project_path IS NULL THEN 'the project runs locally: it needs project_path' WHEN p.execution_mode = 'docker' AND p.repo_url IS NULL THEN 'the project needs github_url'
  WHEN json_array_length(g.nodes) = 0 THEN 'the graph of the project needs a node' ELSE 'the setting github_agent_token is missing' END)
FROM project p JOIN graph g ON g.project_id = p.id WHERE p.id = :project AND (iif(p.execution_mode = 'local', p.project_path, p.repo_url) IS NULL OR json_array_length(g.nodes) = 0
  OR (p.execution_mode = 'docker' AND (p.repo_url GLOB '*://github.com/*' OR p.repo_url GLOB '*@github.com[:/]*') AND NOT EXISTS (SELECT 1 FROM setting WHERE key = 'github_agent_token')));
-- :if :fields
UPDATE ticket SET title = coalesce(@title, title), description = iif(json_type(:in, '$.description') IS NULL, description, @description), priority = coalesce(@priority, priority), status = coalesce(@status, status),
  associated_node_ids = coalesce(@associated_node_ids, associated_node_ids), associated_edge_ids = coalesce(@associated_edge_ids, associated_edge_ids), version = version + 1, updated_at = now()
WHERE id = :ticket;
SELECT json_object('version', iif(:in ->> 'version' IS NULL, NULL, version)) AS json FROM ticket WHERE id = :ticket;

-- :define api_note_shape
json_object('id', n.id, 'number', n.number, 'project_id', n.project_id, 'node_ids', json(n.node_ids), 'edge_ids', json(n.edge_ids), 'title', n.title, 'content', n.content, 'version', n.version, 'created_at', n.created_at)

-- :verb api.notes READ KEEP
-- :in project:text! after:int limit:int
$(api_project)
SELECT $(api_note_shape) AS json FROM note n WHERE n.project_id = :project AND n.number > coalesce(:in ->> 'after', 0) ORDER BY n.number LIMIT coalesce(:in ->> 'limit', -1);

-- :verb api.note READ KEEP
-- :in project:text! note:text!
$(api_project)
SELECT refuse(66, 'no such note: ' || (:in ->> 'note')) WHERE NOT EXISTS (SELECT 1 FROM note WHERE id = :in ->> 'note' AND project_id = :project);
SELECT $(api_note_shape) AS json FROM note n WHERE n.id = :in ->> 'note';

-- :verb api.note.add WRITE
-- :in project:text! title:text content:text node_ids:array edge_ids:array
$(api_project)
INSERT INTO note(id, project_id, title, content, node_ids, edge_ids) VALUES (uuid7(), :project, :in ->> 'title', :in ->> 'content', coalesce(nullif(:in -> 'node_ids', 'null'), '[]'), coalesce(nullif(:in -> 'edge_ids', 'null'), '[]')) RETURNING id AS ":note";
SELECT $(api_note_shape) AS json FROM note n WHERE n.id = :note;

-- --- settings ---

-- :verb api.settings READ WORKER COMMON
SELECT json_group_object(k.key, iif(k.secret, json(iif(s.key IS NULL, 'false', 'true')), s.value)) AS json FROM $(known) k LEFT JOIN setting s ON s.key = k.key;

-- A secret's true or false is what reading gives, and no value: it changes
-- nothing.
-- :verb api.settings.set WRITE ADMIN
SELECT refuse(65, e.key || ': want a text, a number, true, false or null') FROM json_each(:in) e JOIN $(known) k ON k.key = e.key WHERE e.type IN ('array', 'object');
DELETE FROM setting WHERE key IN (SELECT e.key FROM json_each(:in) e JOIN $(known) k ON k.key = e.key WHERE e.type = 'null' OR trim(e.value) = '');
INSERT INTO setting(key, value, secret) SELECT k.key, iif(k.secret, encrypt(CAST(e.value AS TEXT)), CASE e.type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE CAST(e.value AS TEXT) END), k.secret
FROM json_each(:in) e JOIN $(known) k ON k.key = e.key WHERE e.type <> 'null' AND trim(e.value) <> '' AND NOT (k.secret AND e.type IN ('true', 'false'))
ON CONFLICT (key) DO UPDATE SET value = excluded.value, secret = excluded.secret, version = version + 1, updated_at = now();

-- A secret counts when it is stored, another value in the environment, too.
-- :define has
(SELECT json_group_object(k.key, CASE WHEN s.key IS NOT NULL THEN iif(k.secret, 'set', s.value) WHEN NOT k.secret THEN :in ->> ('$.env.' || k.key) END) FROM $(known) k LEFT JOIN setting s ON s.key = k.key)

-- :verb api.settings.check READ COMMON
-- :in env:object
SELECT $(has) AS ":has";
SELECT EXISTS (SELECT 1 FROM setting WHERE key = 'WORKER_API_KEY' AND decrypt(value) <> 'dummy') AS ":worker_key", coalesce(:has ->> 'WORKER_MODE', 'claude-code') = 'claude-code' AS ":claude", coalesce(:has ->> 'EMBEDDING_PROVIDER', 'openai') = 'openai' AS ":openai";
SELECT (SELECT json_group_array(json_object('key', column1, 'label', column2, 'reason', column3)) FROM (VALUES
  ('github_agent_token', 'GitHub token', 'agents push and open pull requests with it', 1), ('GIT_USER_NAME', 'Git user name', 'the author of commits', 1), ('GIT_USER_EMAIL', 'Git e-mail', 'the author of commits', 1),
  ('AGENT_MODEL', 'Model of the Director', 'the Director asks it', 1), ('AGENT_API_KEY', 'Key of the Director''s model', 'the Director asks it', 1), ('MEMORY_EMBEDDING_MODEL', 'Embedding model', 'old agents ask for it', 1),
  ('AGENT_LLM_URL', 'URL of the Director''s model', 'AGENT_PROVIDER is not openai', coalesce(:has ->> 'AGENT_PROVIDER', '') <> 'openai'), ('WORKER_API_KEY', 'Key of the Worker', 'the Worker asks its model with it', 1),
  ('WORKER_LLM_URL', 'URL of the Worker''s model', 'WORKER_MODE is not claude-code', NOT :claude), ('WORKER_MODEL', 'Model of the Worker', 'WORKER_MODE is not claude-code', NOT :claude),
  ('openai_api_key', 'OpenAI key', 'EMBEDDING_PROVIDER is openai', :openai), ('EMBEDDING_SERVICE_URL', 'URL of embeddings', 'EMBEDDING_PROVIDER is not openai', NOT :openai), ('EMBEDDING_API_KEY', 'Key of embeddings', 'EMBEDDING_PROVIDER is not openai', NOT :openai AND :has ->> 'openai_api_key' IS NULL))
  WHERE column4 AND iif(column1 = 'WORKER_API_KEY' AND :claude, NOT :worker_key, coalesce(:has ->> column1, '') = '')) AS ":missing";
SELECT json_object('ready', json(iif(:missing = '[]', 'true', 'false')), 'missing_required', json(:missing),
  'warnings', json(iif(:has ->> 'MEMORY_LLM_BASE_URL' IS NOT NULL AND coalesce(:has ->> 'MEMORY_LLM_API_KEY', :has ->> 'AGENT_API_KEY', :has ->> 'openai_api_key') IS NULL,
    json_array(json_object('key', 'MEMORY_LLM_API_KEY', 'label', 'Key of the memory''s model', 'reason', 'MEMORY_LLM_BASE_URL is set and no key is')), '[]'))) AS json;

-- --- calls that must be done once ---

-- What a write with a key answered is kept for a day; so is a wish to stop (a
-- job that runs has its own).
-- :verb call.show READ ADMIN LOCAL
-- :in key:text! verb:text!
SELECT json_object('rows', value) AS json FROM kept WHERE key = 'call ' || (:in ->> 'verb') || ' ' || (:in ->> 'key');

-- Who keeps one takes up to ten away that are a day old: the oldest are first.
-- :verb call.keep WRITE ADMIN LOCAL
-- :in key:text! verb:text! rows:text!
DELETE FROM kept WHERE number IN (SELECT number FROM kept ORDER BY number LIMIT 10) AND at < strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 day');
INSERT INTO kept(key, value, at) VALUES ('call ' || (:in ->> 'verb') || ' ' || (:in ->> 'key'), :in ->> 'rows', now());
