-- What tera-import takes over of a Terarchitect installation, row by row, and
-- the settings file.  Read after api.sql.
--
-- The keys are the old names of columns; a list may come as such or as the
-- text of one.  Each says {"new":true} or, when the thing is there already and
-- so stays as it is, {"new":false}; note says what was not taken over as it
-- was.  A row that cannot be taken is refused.

-- :define stamp
'[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9]Z'

-- Ids become parts of paths and of branches' names.
-- :define import_row
SELECT refuse(65, 'id: not a UUID in small letters') WHERE NOT coalesce(@id GLOB replace('HHHHHHHH-HHHH-HHHH-HHHH-HHHHHHHHHHHH', 'H', '[0-9a-f]'), 0);
SELECT refuse(65, 'created_at: not a time: ' || substr(@created_at, 1, 60)) WHERE NOT @created_at GLOB $(stamp);

-- :define import_edited
$(import_row)
SELECT refuse(65, 'updated_at: not a time: ' || substr(@updated_at, 1, 60)) WHERE NOT @updated_at GLOB $(stamp);

-- :define import_project
SELECT id AS ":project" FROM project WHERE id = @project_id;
SELECT refuse(66, 'no such project: ' || coalesce(substr(@project_id, 1, 60), 'null')) WHERE :project IS NULL;

-- :define import_ticket
SELECT id AS ":ticket", project_id AS ":project" FROM ticket WHERE id = @ticket_id;
SELECT refuse(66, 'no such ticket: ' || coalesce(substr(@ticket_id, 1, 60), 'null')) WHERE :ticket IS NULL;

-- :define import_said
SELECT record('new', bool(:there IS NULL), '?note', :note) AS json;

-- A name and a password in the URL of a repository would be in every event.
-- :verb import.project WRITE ADMIN
-- :in id:text! name:text description:text github_url:text project_path:text execution_mode:text created_at:text updated_at:text
$(import_edited)
SELECT id AS ":there" FROM project WHERE id = @id;
SELECT nullif(trim(@github_url), '') AS ":url";
SELECT substr(:url, 1, instr(:url, '://') + 2) AS ":scheme", substr(:url, instr(:url, '://') + 3) AS ":rest" WHERE instr(:url, '://');
SELECT substr(:rest, 1, instr(:rest || '/', '/') - 1) AS ":host" WHERE :rest IS NOT NULL;
SELECT length(rtrim(:host, replace(:host, '@', ''))) AS ":user" WHERE instr(:host, '@') AND (:host GLOB '*:*@*' OR lower(:scheme) GLOB 'http*');
SELECT :scheme || substr(:rest, :user + 1) AS ":url", 'repo_url: the name and password before the host were left out' AS ":note" WHERE :there IS NULL AND :user IS NOT NULL;
-- :unless :there
INSERT INTO project(id, name, description, repo_url, project_path, execution_mode, created_at, updated_at)
VALUES (@id, coalesce(nullif(@name, ''), 'Untitled Project'), @description, :url, nullif(trim(@project_path), ''), iif(lower(trim(@execution_mode)) = 'local', 'local', 'docker'), coalesce(@created_at, now()), coalesce(@updated_at, @created_at, now()));
$(import_said)

-- A project has one graph and one board from the start, with its own id: so
-- they are until another's come.
-- A node has an id; older revisions kept it in data.
-- :define import_nodes
(SELECT json_group_array(json(node)) FROM (SELECT node, min(key) AS key FROM (
  SELECT key, CASE WHEN type <> 'object' THEN NULL WHEN json_type(value, '$.id') = 'text' OR json_type(value, '$.id') = 'integer' THEN value
    WHEN json_type(value, '$.data.id') = 'text' OR json_type(value, '$.data.id') = 'integer' THEN json_set(value, '$.id', value ->> '$.data.id') END AS node FROM json_each(:nodes))
  WHERE node IS NOT NULL GROUP BY node ->> '$.id' ORDER BY key))

-- :define import_edges
(SELECT json_group_array(json(edge)) FROM (SELECT key, CASE WHEN json_type(value, '$.source') IS NULL AND json_type(value, '$.data.source') IS NOT NULL
  THEN json_set(value, '$.source', value ->> '$.data.source', '$.target', value ->> '$.data.target') ELSE value END AS edge FROM json_each(:edges) WHERE type = 'object' ORDER BY key))

-- :verb import.graph WRITE ADMIN
-- :in id:text! project_id:text nodes:any edges:any version:any created_at:text updated_at:text
$(import_edited)
$(import_project)
SELECT id AS ":there" FROM graph WHERE project_id = :project AND id = @id;
SELECT refuse(65, 'the project has a graph already') FROM graph WHERE project_id = :project AND :there IS NULL AND (id <> project_id OR version > 1);
SELECT coalesce(@nodes, '[]') AS ":nodes", coalesce(@edges, '[]') AS ":edges";
SELECT refuse(65, column1 || ': no list') FROM (VALUES ('nodes', :nodes), ('edges', :edges)) WHERE :there IS NULL AND NOT iif(json_valid(column2), json_type(column2) = 'array', 0);
-- :unless :there
SELECT $(import_nodes) AS ":some", $(import_edges) AS ":others";
SELECT 'nodes and edges without an id, or with that of another, or that are no objects, were left out: ' || n AS ":note" FROM (SELECT json_array_length(:nodes) - json_array_length(:some) + json_array_length(:edges) - json_array_length(:others) AS n) WHERE n > 0;
-- :unless :there
UPDATE graph SET id = @id, nodes = :some, edges = :others, version = max(coalesce(CAST(@version AS INTEGER), 1), 1), created_at = coalesce(@created_at, created_at), updated_at = coalesce(@updated_at, @created_at, now()) WHERE project_id = :project;
$(import_said)

-- The columns that the server itself moves tickets to are on every board.
-- :verb import.board WRITE ADMIN
-- :in id:text! project_id:text columns:any created_at:text updated_at:text
$(import_edited)
$(import_project)
SELECT id AS ":there" FROM board WHERE project_id = :project AND id = @id;
SELECT refuse(65, 'the project has a board already') FROM board WHERE project_id = :project AND :there IS NULL AND (id <> project_id OR version > 1);
SELECT coalesce(@columns, '[]') AS ":columns";
SELECT refuse(65, 'columns: no list') WHERE :there IS NULL AND NOT iif(json_valid(:columns), json_type(:columns) = 'array', 0);
SELECT refuse(65, 'columns: every column is an object with an id and a title') FROM json_each(:columns) WHERE :there IS NULL AND iif(type = 'object', coalesce(value ->> 'id', '') = '' OR coalesce(value ->> 'title', '') = '', 1);
-- :unless :there
UPDATE board SET id = @id, created_at = coalesce(@created_at, created_at), updated_at = coalesce(@updated_at, @created_at, now()),
  columns = (SELECT json_group_array(json(value)) FROM (SELECT 0 AS ours, key, value FROM json_each(:columns)
    UNION ALL SELECT 1, key, value FROM json_each(board.columns) o WHERE NOT EXISTS (SELECT 1 FROM json_each(:columns) c WHERE c.value ->> 'id' = o.value ->> 'id') ORDER BY ours, key))
WHERE project_id = :project;
$(import_said)

-- A ticket in a column that its board does not have would be seen nowhere.
-- :verb import.ticket WRITE ADMIN
-- :in id:text! project_id:text column_id:text title:text description:text priority:text status:text associated_node_ids:any associated_edge_ids:any created_at:text updated_at:text
$(import_edited)
$(import_project)
SELECT id AS ":there" FROM ticket WHERE id = @id;
SELECT @column_id AS ":column" WHERE EXISTS (SELECT 1 FROM board b, json_each(b.columns) c WHERE b.project_id = :project AND c.value ->> 'id' = @column_id);
SELECT 'column_id: not on the board, so it is in the backlog: ' || coalesce(substr(@column_id, 1, 60), 'null') AS ":note" WHERE :column IS NULL AND :there IS NULL;
-- :unless :there
INSERT INTO ticket(id, project_id, column_id, title, description, priority, status, associated_node_ids, associated_edge_ids, created_at, updated_at)
VALUES (@id, :project, coalesce(:column, 'backlog'), coalesce(nullif(@title, ''), 'Untitled'), @description, coalesce(nullif(trim(@priority), ''), 'medium'), coalesce(nullif(trim(@status), ''), 'todo'),
  iif(json_valid(@associated_node_ids), iif(json_type(@associated_node_ids) = 'array', @associated_node_ids, '[]'), '[]'), iif(json_valid(@associated_edge_ids), iif(json_type(@associated_edge_ids) = 'array', @associated_edge_ids, '[]'), '[]'),
  coalesce(@created_at, now()), coalesce(@updated_at, @created_at, now()));
$(import_said)

-- :verb import.comment WRITE ADMIN
-- :in id:text! ticket_id:text content:text created_at:text
$(import_row)
$(import_ticket)
SELECT id AS ":there" FROM comment WHERE ticket_id = :ticket AND id = @id;
-- :unless :there
INSERT INTO comment(id, ticket_id, body, created_at) VALUES (@id, :ticket, coalesce(@content, ''), coalesce(@created_at, now()));
$(import_said)

-- The text of a list of ids has commas between them.
-- :verb import.note WRITE ADMIN
-- :in id:text! project_id:text node_id:text edge_id:text node_ids:array edge_ids:array title:text content:text created_at:text updated_at:text
$(import_edited)
$(import_project)
SELECT id AS ":there" FROM note WHERE id = @id;
SELECT coalesce(@node_ids, '[' || replace(json_quote(@node_id), ',', '","') || ']', '[]') AS ":nodes", coalesce(@edge_ids, '[' || replace(json_quote(@edge_id), ',', '","') || ']', '[]') AS ":edges";
-- :unless :there
INSERT INTO note(id, project_id, title, content, node_ids, edge_ids, created_at, updated_at)
VALUES (@id, :project, @title, @content, (SELECT json_group_array(DISTINCT trim(value)) FROM json_each(:nodes) WHERE trim(value) <> ''), (SELECT json_group_array(DISTINCT trim(value)) FROM json_each(:edges) WHERE trim(value) <> ''),
  coalesce(@created_at, now()), coalesce(@updated_at, @created_at, now()));
$(import_said)

-- A job that ran has no lease, and whether somebody works on it nobody knows:
-- it has failed, and is tried again when a person says so.  A new job is pending, and
-- one that is over has been through the states before.
-- :verb import.job WRITE ADMIN
-- :in id:text! ticket_id:text kind:text status:text pr_number:any comment_body:text github_comment_id:any created_at:text
$(import_row)
$(import_ticket)
SELECT id AS ":there" FROM job WHERE id = @id;
SELECT iif(kind = 'ticket' AND lower(t.title) = 'project setup', 'setup', kind) AS ":kind" FROM (SELECT @kind AS kind), ticket t WHERE t.id = :ticket;
SELECT refuse(65, 'no such kind of job: ' || coalesce(substr(@kind, 1, 60), 'null')) WHERE :there IS NULL AND NOT EXISTS (SELECT 1 FROM kind WHERE name = :kind);
SELECT CASE @status WHEN 'pending' THEN 'pending' WHEN 'completed' THEN 'completed' WHEN 'failed' THEN 'failed' WHEN 'running' THEN 'failed' END AS ":state";
SELECT refuse(65, 'no such state of a job: ' || coalesce(substr(@status, 1, 60), 'null')) WHERE :there IS NULL AND :state IS NULL;
SELECT refuse(65, 'ticket ' || t.number || ' has a live job of this kind already') FROM job j JOIN ticket t ON t.id = j.ticket_id WHERE :there IS NULL AND j.ticket_id = :ticket AND j.kind = :kind AND j.finished_at IS NULL;
SELECT refuse(65, 'ticket ' || number || ' was removed') FROM ticket WHERE id = :ticket AND deleted_at IS NOT NULL AND :there IS NULL AND :state = 'pending';
SELECT iif(:there IS NULL AND :state <> 'pending', 1, NULL) AS ":over", iif(:there IS NULL AND @status = 'running', 'it ran there: it has failed here, and tera-cancel -o pending tries it again', NULL) AS ":note";
-- :unless :there
INSERT INTO job(id, ticket_id, project_id, kind, priority, blocked, max_tries, pr_number, comment_body, github_comment_id, created_at)
SELECT @id, t.id, t.project_id, :kind, CASE WHEN :kind = 'review' THEN 1 WHEN t.priority = 'high' THEN 1 WHEN t.priority = 'low' THEN -1 ELSE 0 END, EXISTS ($(unmet)), p.max_tries, CAST(@pr_number AS INTEGER), @comment_body, CAST(@github_comment_id AS INTEGER), coalesce(@created_at, now())
FROM ticket t JOIN project p ON p.id = t.project_id WHERE t.id = :ticket;
-- :if :over
UPDATE job SET state = 'running', fence = 1, tries = 1, lease_until = now(), worker = 'import' WHERE id = @id;
-- :if :over
UPDATE job SET state = :state, reason = CASE WHEN :state = 'completed' THEN 'ok' WHEN @status = 'running' THEN 'lost' ELSE 'error' END,
  message = CASE WHEN :state = 'completed' THEN NULL WHEN @status = 'running' THEN 'it ran where it was imported from' ELSE 'it failed where it was imported from' END,
  lease_until = NULL, worker = NULL, finished_at = coalesce(@created_at, now()) WHERE id = @id;
UPDATE ticket SET status = iif(:state = 'failed', 'failed', 'in_progress') WHERE id = :ticket AND :there IS NULL AND :kind <> 'review' AND column_id = 'in_progress' AND (:state = 'failed' OR :state = 'pending') AND status <> iif(:state = 'failed', 'failed', 'in_progress');
$(import_said)

-- The ids of all logs: no index has them, and to look for each of many would
-- take as long as the square of their number.
-- :verb import.logged READ ADMIN
SELECT json_quote(id) AS json FROM log;

-- fresh: who calls has looked.
-- :verb import.log WRITE ADMIN
-- :in id:text! ticket_id:text session_id:text step:text summary:text raw_output:text success:any created_at:text fresh:bool
$(import_row)
$(import_ticket)
SELECT iif(coalesce(@fresh, 0), NULL, 1) AS ":look";
-- :if :look
SELECT id AS ":there" FROM log WHERE ticket_id = :ticket AND id = @id;
-- :unless :there
INSERT INTO log(id, project_id, ticket_id, session_id, step, summary, raw_output, success, created_at)
VALUES (@id, :project, :ticket, substr(@session_id, 1, 255), substr(coalesce(nullif(trim(@step), ''), 'step'), 1, 100), @summary, @raw_output, @success IS NULL OR lower(@success) IN ('t', 'true', '1'), coalesce(@created_at, now()));
$(import_said)

-- What became of a pull request is not kept there: where the ticket is done,
-- nobody waits for it any more.
-- :verb import.pr WRITE ADMIN
-- :in id:text! ticket_id:text pr_number:any pr_url:text commit_hash:text created_at:text
$(import_row)
$(import_ticket)
SELECT nullif(trim(@pr_url), '') AS ":url", 'ticket-' || :ticket AS ":branch";
SELECT id AS ":there" FROM pr WHERE id = @id;
SELECT id AS ":there" FROM pr WHERE ticket_id = :ticket AND pr_url = :url;
-- :unless :there
INSERT INTO pr(id, project_id, ticket_id, forge, title, source, head_branch, base_branch, head_oid, pr_number, pr_url, state, created_at, updated_at)
SELECT @id, t.project_id, t.id, iif(instr(:url, '//github.com/'), 'github', 'other'), t.title, coalesce(p.repo_url, p.project_path, ''), :branch, coalesce(p.base_branch, 'main'), nullif(@commit_hash, ''), CAST(@pr_number AS INTEGER), :url,
  iif(t.column_id = 'done' OR EXISTS (SELECT 1 FROM pr o WHERE o.ticket_id = :ticket AND o.head_branch = :branch AND o.state = 'open'), 'closed', 'open'), coalesce(@created_at, now()), coalesce(@created_at, now())
FROM ticket t JOIN project p ON p.id = t.project_id WHERE t.id = :ticket;
$(import_said)

-- A comment's number is the one that it has on GitHub, where that is free: a
-- review job names it so.
-- :verb import.pr_comment WRITE ADMIN
-- :in id:text! project_id:text ticket_id:text pr_number:any github_comment_id:any author_login:text body:text comment_created_at:text addressed_at:text created_at:text
$(import_row)
SELECT refuse(65, column1 || ': not a time: ' || substr(column2, 1, 60)) FROM (VALUES ('comment_created_at', @comment_created_at), ('addressed_at', @addressed_at)) WHERE NOT column2 GLOB $(stamp);
$(import_project)
SELECT id AS ":pr" FROM pr WHERE project_id = :project AND pr_number = CAST(@pr_number AS INTEGER) AND (@ticket_id IS NULL OR ticket_id = @ticket_id) ORDER BY number DESC LIMIT 1;
SELECT refuse(66, 'no such pull request in the project: ' || coalesce(@pr_number, 'null')) WHERE :pr IS NULL;
SELECT id AS ":there" FROM pr_comment WHERE pr_id = :pr AND id = @id;
SELECT n AS ":number" FROM (SELECT CAST(@github_comment_id AS INTEGER) AS n) WHERE n BETWEEN 1 AND 9007199254740991 AND NOT EXISTS (SELECT 1 FROM pr_comment WHERE number = n);
-- :unless :there
INSERT INTO pr_comment(number, id, pr_id, author, body, bot, addressed_at, created_at)
VALUES (:number, @id, :pr, @author_login, coalesce(@body, ''), instr(coalesce(@body, ''), '<!-- terarchitect-bot -->') > 0, @addressed_at, coalesce(@comment_created_at, @created_at, now()));
$(import_said)

-- What agents kept of a project: the file of its memory.
-- :verb import.memory WRITE ADMIN
-- :in project:ref! docs:array!
$(find_project)
SELECT count(*) AS ":all" FROM (SELECT DISTINCT value ->> '$.passage' AS text FROM json_each(@docs) WHERE type = 'object') WHERE trim(text) <> '';
INSERT INTO memory(project_id, text) SELECT :project, text FROM (SELECT value ->> '$.passage' AS text, min(key) AS key FROM json_each(@docs) WHERE type = 'object' GROUP BY 1 ORDER BY key)
WHERE trim(text) <> '' AND text NOT IN (SELECT m.text FROM memory m WHERE m.project_id = :project);
SELECT json_object('taken', changes(), 'there', :all - changes()) AS json;

-- --- settings ---

-- What older revisions called them.
-- :define old_names
(VALUES ('VLLM_URL', 'AGENT_LLM_URL'), ('github_user_token', 'github_agent_token'), ('GIT_DASHBOARD_USER_NAME', 'GIT_USER_NAME'), ('GIT_DASHBOARD_USER_EMAIL', 'GIT_USER_EMAIL'), ('WORKER_TYPE', 'WORKER_MODE'))

-- :define names
(SELECT key AS name, key, secret, 0 AS old FROM $(known) UNION ALL SELECT was.column1, k.key, k.secret, 1 FROM $(old_names) was JOIN $(known) k ON k.key = was.column2)

-- Every name that is understood: is it a secret, an old one, is it set.
-- :verb import.names READ
SELECT json_group_object(name, json_object('known', bool(1), 'secret', bool(secret), 'old', bool(old), 'there', bool(EXISTS (SELECT 1 FROM setting s WHERE s.key = n.key)))) AS json FROM $(names) n;

-- :verb import.setting WRITE ADMIN
-- :in name:text! value:text created_at:text updated_at:text
SELECT key AS ":key", secret AS ":secret" FROM $(names) WHERE name = @name;
SELECT refuse(65, 'no such setting here') WHERE :key IS NULL;
SELECT key AS ":there" FROM setting WHERE key = :key;
SELECT iif(@name = 'WORKER_TYPE', replace(@value, '_', '-'), @value) AS ":value";
SELECT refuse(65, 'no such worker here: ' || :value) WHERE @name = 'WORKER_TYPE' AND NOT :value IN ('claude-code', 'opencode');
SELECT refuse(65, 'it is empty') WHERE :there IS NULL AND trim(coalesce(:value, '')) = '';
-- :unless :there
INSERT INTO setting(key, value, secret, created_at, updated_at) VALUES (:key, iif(:secret, encrypt(:value), :value), :secret, coalesce(@created_at, now()), coalesce(@updated_at, @created_at, now()));
SELECT iif(:there IS NULL AND @name <> :key, 'it is called ' || :key || ' here', NULL) AS ":note";
$(import_said)

-- The file of the UI: a key a setting, the secrets empty.
-- :verb api.settings.export READ
SELECT json_group_object(k.key, iif(k.secret, '', coalesce(s.value, ''))) AS json FROM $(known) k LEFT JOIN setting s ON s.key = k.key;

-- As the settings are written, but an empty secret changes nothing, an old name
-- is understood where the new one is not in the file, and what is no setting is
-- named.
-- :define given
(SELECT key, secret, type, CASE WHEN type = 'null' THEN '' WHEN type = 'true' THEN 'true' WHEN type = 'false' THEN 'false' WHEN name = 'WORKER_TYPE' THEN replace(value, '_', '-') ELSE CAST(value AS TEXT) END AS value
  FROM (SELECT n.key, n.secret, n.name, e.type, e.value, min(n.old) FROM json_each(:in) e JOIN $(names) n ON n.name = e.key GROUP BY n.key))

-- :verb api.settings.import WRITE ADMIN
SELECT refuse(65, e.key || ': want a text, a number, true, false or null') FROM json_each(:in) e JOIN $(names) n ON n.name = e.key WHERE e.type IN ('array', 'object');
SELECT json_group_array(g.key) AS ":same" FROM $(given) g LEFT JOIN setting s ON s.key = g.key WHERE iif(g.secret, trim(g.value) = '' OR g.type IN ('true', 'false'), iif(trim(g.value) = '', s.key IS NULL, s.value IS g.value));
SELECT json_group_array(key) AS ":taken" FROM $(given) WHERE key NOT IN (SELECT value FROM json_each(:same));
DELETE FROM setting WHERE key IN (SELECT g.key FROM $(given) g JOIN json_each(:taken) t ON t.value = g.key WHERE trim(g.value) = '');
INSERT INTO setting(key, value, secret) SELECT g.key, iif(g.secret, encrypt(g.value), g.value), g.secret FROM $(given) g JOIN json_each(:taken) t ON t.value = g.key WHERE trim(g.value) <> ''
ON CONFLICT (key) DO UPDATE SET value = excluded.value, secret = excluded.secret, version = version + 1, updated_at = now();
SELECT json_object('taken', json(:taken), 'same', json(:same), 'ignored', json((SELECT json_group_array(key) FROM json_each(:in) WHERE key NOT IN (SELECT name FROM $(names))))) AS json;
