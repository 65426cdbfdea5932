-- Parts that verbs of several files share; read first.

-- :define find_project_if
SELECT id AS ":project" FROM project WHERE deleted_at IS NULL AND (id = @project OR number = num(@project));
SELECT id AS ":project" FROM project WHERE :project IS NULL AND deleted_at IS NULL AND name = @project GROUP BY name HAVING count(*) = 1;
-- :unless :project
SELECT refuse(66, 'several projects have the name ' || @project || ': say which by its number') WHERE (SELECT count(*) FROM project WHERE deleted_at IS NULL AND name = @project) > 1;
-- :unless :project
SELECT refuse(66, 'no such project: ' || @project) WHERE @project IS NOT NULL;

-- :define find_project
$(find_project_if)
SELECT refuse(65, 'project is missing') WHERE :project IS NULL;

-- :define find_ticket_if
SELECT id AS ":ticket", project_id AS ":project" FROM ticket WHERE id = @ticket OR number = num(@ticket);
SELECT refuse(66, 'no such ticket: ' || @ticket) WHERE :ticket IS NULL AND @ticket IS NOT NULL;

-- :define find_ticket
$(find_ticket_if)
SELECT refuse(65, 'ticket is missing') WHERE :ticket IS NULL;

-- :define unmet
SELECT 1 FROM dependency d JOIN ticket n ON n.id = d.needs_id WHERE d.ticket_id = t.id AND n.column_id <> 'done' AND n.deleted_at IS NULL
