-- Tickets, their dependencies and comments; settings.
--
-- A ticket is named by its id or its number (7 or #7).

-- :define ticket_version
SELECT stale('ticket ' || number || ' is at version ' || version || ', not ' || @version) FROM ticket WHERE id = :ticket AND version <> @version;

-- :define ticket
json_object('number', t.number, 'id', t.id, 'project_id', t.project_id, 'column_id', t.column_id, 'title', t.title, 'description', t.description, 'acceptance', t.acceptance, 'associated_node_ids', json(t.associated_node_ids), 'associated_edge_ids', json(t.associated_edge_ids), 'priority', t.priority, 'status', t.status, 'version', t.version, 'created_at', t.created_at, 'updated_at', t.updated_at, 'deleted_at', t.deleted_at,
'needs', (SELECT json_group_array(needs_id) FROM dependency WHERE ticket_id = t.id), 'blocked', json(iif(EXISTS ($(unmet)), 'true', 'false')),
'pr_url', (SELECT pr_url FROM pr WHERE ticket_id = t.id ORDER BY number DESC LIMIT 1), 'pr_number', (SELECT pr_number FROM pr WHERE ticket_id = t.id ORDER BY number DESC LIMIT 1))

-- :verb ticket.add WRITE
-- :in project:ref! title:text! column_id:text description:text acceptance:text priority:text status:text associated_node_ids:array associated_edge_ids:array needs:array id:text
$(find_project)
SELECT refuse(65, 'no such column on the board: ' || @column_id) WHERE @column_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM board b, json_each(b.columns) c WHERE b.project_id = :project AND c.value ->> 'id' = @column_id);
INSERT INTO ticket(id, project_id, column_id, title, description, acceptance, priority, status, associated_node_ids, associated_edge_ids)
VALUES (coalesce(@id, uuid7()), :project, coalesce(@column_id, 'backlog'), @title, @description, @acceptance, coalesce(@priority, 'medium'), coalesce(@status, 'todo'), coalesce(:in -> 'associated_node_ids', '[]'), coalesce(:in -> 'associated_edge_ids', '[]'))
RETURNING id AS ":ticket";
SELECT refuse(66, 'no such ticket: ' || n.value) FROM json_each(:in, '$.needs') n WHERE NOT EXISTS (SELECT 1 FROM ticket WHERE id = n.value OR number = num(n.value));
INSERT OR IGNORE INTO dependency(ticket_id, needs_id) SELECT :ticket, t.id FROM json_each(:in, '$.needs') n JOIN ticket t ON t.id = n.value OR t.number = num(n.value);
SELECT $(ticket) AS json FROM ticket t WHERE t.id = :ticket;

-- :verb ticket.list READ
-- :in project:ref column_id:text status:text priority:text text:text deleted:bool after:int limit:int
$(find_project_if)
SELECT $(ticket) AS json FROM ticket t
WHERE (:project IS NULL OR t.project_id = :project) AND (t.deleted_at IS NULL OR @deleted) AND (@column_id IS NULL OR t.column_id = @column_id)
  AND (@status IS NULL OR t.status = @status) AND (@priority IS NULL OR t.priority = @priority)
  AND (@text IS NULL OR instr(lower(t.title || ' ' || coalesce(t.description, '')), lower(@text)))
  AND t.number > coalesce(@after, 0) ORDER BY t.number LIMIT coalesce(@limit, -1);

-- :verb ticket.show READ WORKER AGENT HELD
-- :in ticket:ref!
$(find_ticket)
SELECT $(ticket) AS json FROM ticket t WHERE t.id = :ticket;

-- :verb ticket.set WRITE
-- :in ticket:ref! version:int title:text description:text acceptance:text priority:text status:text associated_node_ids:array associated_edge_ids:array
$(find_ticket)
$(ticket_version)
SELECT refuse(65, 'ticket.set: title: a title cannot be null') WHERE json_type(:in, '$.title') = 'null';
UPDATE ticket SET title = coalesce(@title, title),
  description = iif(json_type(:in, '$.description') IS NULL, description, @description),
  acceptance = iif(json_type(:in, '$.acceptance') IS NULL, acceptance, @acceptance),
  priority = coalesce(@priority, priority), status = coalesce(@status, status),
  associated_node_ids = coalesce(:in -> 'associated_node_ids', associated_node_ids), associated_edge_ids = coalesce(:in -> 'associated_edge_ids', associated_edge_ids),
  version = version + 1, updated_at = now() WHERE id = :ticket;
SELECT $(ticket) AS json FROM ticket t WHERE t.id = :ticket;

-- A move to In Progress queues a job, and so does one of a ticket that failed
-- there; a move away from it while the job waits
-- takes the job back, and asks a running one to stop.
-- :verb ticket.move WRITE HELD
-- :in ticket:ref! column_id:text! version:int
$(find_ticket)
$(ticket_version)
SELECT refuse(65, 'no such column on the board: ' || @column_id || ' (there are ' || (SELECT group_concat(c.value ->> 'id', ', ') FROM board b, json_each(b.columns) c WHERE b.project_id = :project) || ')') WHERE NOT EXISTS (SELECT 1 FROM board b, json_each(b.columns) c WHERE b.project_id = :project AND c.value ->> 'id' = @column_id);
SELECT column_id AS ":from", @column_id AS ":to", iif(@column_id = 'in_progress' AND (column_id <> 'in_progress' OR status = 'failed'), id, NULL) AS ":run",
  iif(column_id = 'in_progress' AND @column_id = 'backlog', 1, NULL) AS ":back", deleted_at AS ":gone" FROM ticket WHERE id = :ticket;
-- :if :run
SELECT refuse(65, 'project ' || name || iif(execution_mode = 'local', ' runs locally and has no project_path', ' has no repository: set repo_url or project_path'))
FROM project WHERE id = :project AND iif(execution_mode = 'local', project_path, repo_url) IS NULL AND :gone IS NULL;
-- :if :gone
SELECT refuse(65, 'ticket ' || number || ' was removed') FROM ticket WHERE id = :ticket;
UPDATE ticket SET column_id = :to, status = CASE WHEN :to = 'in_progress' THEN 'in_progress' WHEN :to = 'done' THEN 'completed' WHEN :to = 'backlog' THEN 'todo' ELSE status END, version = version + 1, updated_at = now() WHERE id = :ticket AND (column_id <> :to OR id = :run);
-- :if :back
UPDATE job SET state = 'cancelled', reason = 'user', message = 'the ticket was moved back', finished_at = now() WHERE ticket_id = :ticket AND state IN ('pending', 'paused');
-- :if :back
UPDATE job SET stop = 'cancel' WHERE ticket_id = :ticket AND state = 'running';
-- :if :run
INSERT INTO job(id, ticket_id, project_id, kind, priority, blocked, max_tries)
SELECT uuid7(), t.id, t.project_id, iif(lower(t.title) = 'project setup', 'setup', 'ticket'), CASE t.priority WHEN 'high' THEN 1 WHEN 'low' THEN -1 ELSE 0 END, EXISTS ($(unmet)), p.max_tries
FROM ticket t JOIN project p ON p.id = t.project_id WHERE t.id = :run AND NOT EXISTS (SELECT 1 FROM job WHERE ticket_id = :run AND finished_at IS NULL)
RETURNING id AS ":job";
SELECT json_patch($(ticket), json_object('job_id', :job)) AS json FROM ticket t WHERE t.id = :ticket;

-- :verb ticket.remove WRITE
-- :in ticket:ref! version:int
$(find_ticket)
$(ticket_version)
UPDATE job SET state = 'cancelled', reason = 'user', message = 'the ticket was removed', finished_at = now() WHERE ticket_id = :ticket AND state IN ('pending', 'paused');
UPDATE job SET stop = 'cancel' WHERE ticket_id = :ticket AND state = 'running';
UPDATE ticket SET deleted_at = now(), updated_at = now(), version = version + 1 WHERE id = :ticket AND deleted_at IS NULL;
SELECT $(ticket) AS json FROM ticket t WHERE t.id = :ticket;

-- :verb ticket.restore WRITE
-- :in ticket:ref!
$(find_ticket)
UPDATE ticket SET deleted_at = NULL, updated_at = now(), version = version + 1 WHERE id = :ticket AND deleted_at IS NOT NULL;
SELECT $(ticket) AS json FROM ticket t WHERE t.id = :ticket;

-- :verb dependency.add WRITE
-- :in ticket:ref! needs:ref!
$(find_ticket)
SELECT id AS ":needs" FROM ticket WHERE id = @needs OR number = num(@needs);
SELECT refuse(66, 'no such ticket: ' || @needs) WHERE :needs IS NULL;
SELECT refuse(65, 'ticket ' || number || ' cannot wait for itself') FROM ticket WHERE id = :ticket AND id = :needs;
INSERT OR IGNORE INTO dependency(ticket_id, needs_id) VALUES (:ticket, :needs);
SELECT json_object('ticket_id', ticket_id, 'needs_id', needs_id, 'kind', kind, 'created_at', created_at) AS json FROM dependency WHERE ticket_id = :ticket AND needs_id = :needs;

-- :verb dependency.remove WRITE
-- :in ticket:ref! needs:ref!
$(find_ticket)
SELECT id AS ":needs" FROM ticket WHERE id = @needs OR number = num(@needs);
SELECT refuse(66, 'no such dependency: ' || @ticket || ' on ' || @needs) WHERE NOT EXISTS (SELECT 1 FROM dependency WHERE ticket_id = :ticket AND needs_id = :needs);
DELETE FROM dependency WHERE ticket_id = :ticket AND needs_id = :needs RETURNING json_object('ticket_id', ticket_id, 'needs_id', needs_id) AS json;

-- :verb dependency.list READ
-- :in project:ref ticket:ref
$(find_ticket_if)
$(find_project_if)
SELECT json_object('ticket_id', d.ticket_id, 'needs_id', d.needs_id, 'kind', d.kind, 'ticket', t.number, 'needs', n.number, 'met', json(iif(n.column_id = 'done' OR n.deleted_at IS NOT NULL, 'true', 'false')), 'created_at', d.created_at) AS json
FROM dependency d JOIN ticket t ON t.id = d.ticket_id JOIN ticket n ON n.id = d.needs_id WHERE (:ticket IS NULL OR d.ticket_id = :ticket) AND (:project IS NULL OR t.project_id = :project) ORDER BY t.number, n.number;

-- :verb comment.add WRITE
-- :in ticket:ref! body:text! author:text
$(find_ticket)
INSERT INTO comment(id, ticket_id, author, body) VALUES (uuid7(), :ticket, @author, @body)
RETURNING json_object('number', number, 'id', id, 'ticket_id', ticket_id, 'author', author, 'body', body, 'created_at', created_at) AS json;

-- :verb comment.list READ
-- :in ticket:ref after:int limit:int
$(find_ticket_if)
SELECT json_object('number', number, 'id', id, 'ticket_id', ticket_id, 'author', author, 'body', body, 'created_at', created_at) AS json FROM comment WHERE (:ticket IS NULL OR ticket_id = :ticket) AND number > coalesce(@after, 0) ORDER BY number LIMIT coalesce(@limit, -1);

-- A secret's value goes in, and comes out of setting.value only.
-- :define setting
json_object('key', key, 'value', iif(secret, NULL, value), 'secret', json(iif(secret, 'true', 'false')), 'version', version, 'created_at', created_at, 'updated_at', updated_at)

-- :define is_secret
(coalesce(@secret, 0) OR @key IN ('github_agent_token', 'AGENT_API_KEY', 'WORKER_API_KEY', 'EMBEDDING_API_KEY', 'MEMORY_LLM_API_KEY', 'openai_api_key', 'anthropic_api_key', 'FRONTEND_LLM_API_KEY', 'TERARCHITECT_WORKER_API_KEY'))

-- :verb setting.set WRITE ADMIN
-- :in key:text! value:any secret:bool
DELETE FROM setting WHERE key = @key AND coalesce(@value, '') = '' RETURNING json_object('key', key, 'value', NULL) AS json;
INSERT INTO setting(key, value, secret) SELECT @key, iif($(is_secret), encrypt(@value), CAST(@value AS TEXT)), $(is_secret) WHERE coalesce(@value, '') <> ''
ON CONFLICT (key) DO UPDATE SET value = excluded.value, secret = excluded.secret, version = version + 1, updated_at = now()
RETURNING $(setting) AS json;

-- :verb setting.list READ
-- :in limit:int
SELECT $(setting) AS json FROM setting ORDER BY key LIMIT coalesce(@limit, -1);

-- :verb setting.show READ
-- :in setting:text!
SELECT refuse(66, 'no such setting: ' || @setting) WHERE NOT EXISTS (SELECT 1 FROM setting WHERE key = @setting);
SELECT $(setting) AS json FROM setting WHERE key = @setting;

-- The value itself, a secret's too: for the programs that use it.
-- :verb setting.value READ ADMIN LOCAL
-- :in setting:text!
SELECT refuse(66, 'no such setting: ' || @setting) WHERE NOT EXISTS (SELECT 1 FROM setting WHERE key = @setting);
SELECT json_object('key', key, 'value', iif(secret, decrypt(value), value)) AS json FROM setting WHERE key = @setting;

-- :verb setting.remove WRITE ADMIN
-- :in setting:text!
SELECT refuse(66, 'no such setting: ' || @setting) WHERE NOT EXISTS (SELECT 1 FROM setting WHERE key = @setting);
DELETE FROM setting WHERE key = @setting RETURNING json_object('key', key, 'value', NULL) AS json;
