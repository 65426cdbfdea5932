-- Projects, their graph, their board, their notes.
--
-- A project is named by its id, its number or (when only one has it) its name.

-- :define project
json_object('number', number, 'id', id, 'name', name, 'description', description, 'repo_url', repo_url, 'project_path', project_path, 'execution_mode', execution_mode, 'base_branch', base_branch, 'verify_command', verify_command, 'worker', worker, 'pipeline', pipeline, 'limits', json(limits), 'max_running', max_running, 'max_tries', max_tries, 'max_cost_day', max_cost_day, 'reviewers', json(reviewers), 'version', version, 'created_at', created_at, 'updated_at', updated_at, 'deleted_at', deleted_at)

-- :define project_version
SELECT stale('project ' || name || ' is at version ' || version || ', not ' || @version) FROM project WHERE id = :project AND version <> @version;

-- :define graph_version
SELECT stale('the graph is at version ' || version || ', not ' || @version) FROM graph WHERE project_id = :project AND version <> @version;

-- :define board_version
SELECT stale('the board is at version ' || version || ', not ' || @version) FROM board WHERE project_id = :project AND version <> @version;

-- A limit that nobody reads would be no limit.
-- :define limits_fit
SELECT refuse(65, 'limits: ' || key || ': want a number above 0, and below a thousand million, for turns, seconds, tokens, cost_usd, memory_mb or verify_seconds') FROM json_each(:in, '$.limits')
WHERE key NOT IN ('turns', 'seconds', 'tokens', 'cost_usd', 'memory_mb', 'verify_seconds') OR type NOT IN ('integer', 'real') OR value <= 0 OR value >= iif(key = 'tokens', 1e15, 1e9);

-- A password does not belong into the store, its events, and what commands
-- print.
-- :define project_fits
$(limits_fit)
SELECT refuse(65, 'repo_url holds a password: leave it out and set a git credential helper, or GH_TOKEN')
WHERE instr(@repo_url, '://') AND substr(@repo_url, instr(@repo_url, '://') + 3, instr(substr(@repo_url, instr(@repo_url, '://') + 3) || '/', '/') - 1) GLOB '*:*@*';

-- :define note
json_object('number', number, 'id', id, 'project_id', project_id, 'title', title, 'content', content, 'node_ids', json(node_ids), 'edge_ids', json(edge_ids), 'version', version, 'created_at', created_at, 'updated_at', updated_at)

-- :verb project.add WRITE
-- :in name:text description:text repo_url:text project_path:text execution_mode:text base_branch:text verify_command:text worker:text pipeline:text limits:object max_running:int max_tries:int max_cost_day:num reviewers:array id:text
$(project_fits)
INSERT INTO project(id, name, description, repo_url, project_path, execution_mode, base_branch, verify_command, worker, pipeline, limits, max_running, max_tries, max_cost_day, reviewers)
SELECT coalesce(@id, uuid7()), coalesce(@name, 'Untitled Project'), @description, nullif(trim(@repo_url), ''), nullif(trim(@project_path), ''),
  coalesce(@execution_mode, iif(nullif(trim(@project_path), '') IS NOT NULL AND nullif(trim(@repo_url), '') IS NULL, 'local', 'docker')),
  @base_branch, @verify_command, @worker, @pipeline, coalesce(:in -> 'limits', '{}'), @max_running, coalesce(@max_tries, 3), @max_cost_day, nullif(:in -> 'reviewers', 'null')
RETURNING id AS ":project";
SELECT $(project) AS json FROM project WHERE id = :project;

-- :verb project.list READ
-- :in deleted:bool after:int limit:int only:array
SELECT $(project) AS json FROM project WHERE (deleted_at IS NULL OR @deleted) AND (@only IS NULL OR id IN (SELECT value FROM json_each(@only))) AND number > coalesce(@after, 0) ORDER BY number LIMIT coalesce(@limit, -1);

-- :verb project.show READ
-- :in project:ref!
$(find_project)
SELECT $(project) AS json FROM project WHERE id = :project;

-- :verb project.set WRITE
-- :in project:ref! version:int name:text description:text repo_url:text project_path:text execution_mode:text base_branch:text verify_command:text worker:text pipeline:text limits:object max_running:int max_tries:int max_cost_day:num reviewers:array
$(find_project)
$(project_version)
SELECT refuse(65, 'project.set: name: a name cannot be null') WHERE json_type(:in, '$.name') = 'null';
$(project_fits)
UPDATE project SET
  name = coalesce(@name, name),
  description = iif(json_type(:in, '$.description') IS NULL, description, @description),
  repo_url = iif(json_type(:in, '$.repo_url') IS NULL, repo_url, nullif(trim(@repo_url), '')),
  project_path = iif(json_type(:in, '$.project_path') IS NULL, project_path, nullif(trim(@project_path), '')),
  execution_mode = coalesce(@execution_mode, execution_mode),
  base_branch = iif(json_type(:in, '$.base_branch') IS NULL, base_branch, nullif(@base_branch, '')),
  verify_command = iif(json_type(:in, '$.verify_command') IS NULL, verify_command, nullif(@verify_command, '')),
  worker = iif(json_type(:in, '$.worker') IS NULL, worker, nullif(@worker, '')),
  pipeline = iif(json_type(:in, '$.pipeline') IS NULL, pipeline, nullif(@pipeline, '')),
  limits = coalesce(:in -> 'limits', limits),
  max_running = iif(json_type(:in, '$.max_running') IS NULL, max_running, @max_running),
  max_tries = coalesce(@max_tries, max_tries),
  max_cost_day = iif(json_type(:in, '$.max_cost_day') IS NULL, max_cost_day, @max_cost_day),
  reviewers = iif(json_type(:in, '$.reviewers') IS NULL, reviewers, nullif(:in -> 'reviewers', 'null')),
  version = version + 1, updated_at = now()
WHERE id = :project;
SELECT $(project) AS json FROM project WHERE id = :project;

-- Removed things keep their rows, so that project.restore brings them back.
-- :verb project.remove WRITE
-- :in project:ref! version:int
$(find_project)
$(project_version)
UPDATE job SET state = 'cancelled', reason = 'user', message = 'the project was removed', finished_at = now() WHERE project_id = :project AND finished_at IS NULL AND (state = 'pending' OR state = 'paused');
UPDATE job SET stop = 'cancel' WHERE project_id = :project AND finished_at IS NULL AND state = 'running';
UPDATE project SET deleted_at = now(), updated_at = now(), version = version + 1 WHERE id = :project AND deleted_at IS NULL;
SELECT $(project) AS json FROM project WHERE id = :project;

-- :verb project.restore WRITE
-- :in project:ref!
SELECT id AS ":project" FROM project WHERE :project IS NULL AND (id = @project OR number = num(@project) OR (name = @project AND deleted_at IS NOT NULL));
SELECT refuse(66, 'no such project: ' || @project) WHERE :project IS NULL;
UPDATE project SET deleted_at = NULL, updated_at = now(), version = version + 1 WHERE id = :project AND deleted_at IS NOT NULL;
SELECT $(project) AS json FROM project WHERE id = :project;

-- :verb graph.show READ
-- :in project:ref!
$(find_project)
SELECT json_object('id', id, 'project_id', project_id, 'nodes', json(nodes), 'edges', json(edges), 'version', version, 'created_at', created_at, 'updated_at', updated_at) AS json FROM graph WHERE project_id = :project;

-- :verb graph.set WRITE
-- :in project:ref! nodes:array edges:array version:int
$(find_project)
$(graph_version)
SELECT refuse(65, 'graph.set: every node is an object with an id') FROM json_each(coalesce(:in -> 'nodes', '[]')) WHERE iif(type = 'object', json_type(value, '$.id') NOT IN ('text', 'integer') OR json_type(value, '$.id') IS NULL, 1);
SELECT refuse(65, 'graph.set: two nodes have the id ' || (value ->> 'id')) FROM json_each(coalesce(:in -> 'nodes', '[]')) GROUP BY value ->> 'id' HAVING count(*) > 1;
UPDATE graph SET nodes = coalesce(:in -> 'nodes', nodes), edges = coalesce(:in -> 'edges', edges), version = version + 1, updated_at = now() WHERE project_id = :project;
SELECT json_object('id', id, 'project_id', project_id, 'version', version) AS json FROM graph WHERE project_id = :project;

-- :verb board.show READ
-- :in project:ref!
$(find_project)
SELECT json_object('id', b.id, 'project_id', b.project_id, 'project_name', p.name, 'columns', json(b.columns), 'version', b.version, 'created_at', b.created_at, 'updated_at', b.updated_at) AS json FROM board b JOIN project p ON p.id = b.project_id WHERE b.project_id = :project;

-- :verb board.set WRITE
-- :in project:ref! columns:array! version:int
$(find_project)
$(board_version)
SELECT refuse(65, 'board.set: every column is an object with an id and a title') FROM json_each(:in -> 'columns') WHERE iif(type = 'object', coalesce(value ->> 'id', '') = '' OR coalesce(value ->> 'title', '') = '', 1);
UPDATE board SET columns = :in -> 'columns', version = version + 1, updated_at = now() WHERE project_id = :project;
SELECT json_object('id', id, 'project_id', project_id, 'columns', json(columns), 'version', version) AS json FROM board WHERE project_id = :project;

-- :verb note.add WRITE
-- :in project:ref! title:text content:text node_ids:array edge_ids:array id:text
$(find_project)
INSERT INTO note(id, project_id, title, content, node_ids, edge_ids)
VALUES (coalesce(@id, uuid7()), :project, @title, @content, coalesce(:in -> 'node_ids', '[]'), coalesce(:in -> 'edge_ids', '[]'))
RETURNING $(note) AS json;

-- :verb note.list READ
-- :in project:ref after:int limit:int
$(find_project_if)
SELECT $(note) AS json
FROM note WHERE (:project IS NULL OR project_id = :project) AND number > coalesce(@after, 0) ORDER BY number LIMIT coalesce(@limit, -1);

-- :verb note.show READ
-- :in note:ref!
SELECT id AS ":note" FROM note WHERE id = @note OR number = num(@note);
SELECT refuse(66, 'no such note: ' || @note) WHERE :note IS NULL;
SELECT $(note) AS json FROM note WHERE id = :note;

-- :verb note.set WRITE
-- :in note:ref! title:text content:text node_ids:array edge_ids:array version:int
SELECT id AS ":note" FROM note WHERE id = @note OR number = num(@note);
SELECT refuse(66, 'no such note: ' || @note) WHERE :note IS NULL;
SELECT stale('note ' || number || ' is at version ' || version || ', not ' || @version) FROM note WHERE id = :note AND version <> @version;
UPDATE note SET title = iif(json_type(:in, '$.title') IS NULL, title, @title), content = iif(json_type(:in, '$.content') IS NULL, content, @content),
  node_ids = coalesce(:in -> 'node_ids', node_ids), edge_ids = coalesce(:in -> 'edge_ids', edge_ids), version = version + 1, updated_at = now() WHERE id = :note
RETURNING $(note) AS json;

-- :verb note.remove WRITE
-- :in note:ref!
SELECT id AS ":note" FROM note WHERE id = @note OR number = num(@note);
SELECT refuse(66, 'no such note: ' || @note) WHERE :note IS NULL;
DELETE FROM note WHERE id = :note RETURNING json_object('id', id, 'title', title) AS json;
