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

-- :define find_job_if
SELECT id AS ":job" FROM job WHERE id = @job OR number = num(@job);
SELECT refuse(66, 'no such job: ' || @job) WHERE :job IS NULL AND @job IS NOT NULL;

-- :define find_ticket_if
SELECT id AS ":ticket", project_id AS ":project" FROM ticket WHERE id = @ticket OR number = num(@ticket);
SELECT refuse(66, 'no such ticket: ' || @ticket) WHERE :ticket IS NULL AND @ticket IS NOT NULL;

-- :define find_ticket
$(find_ticket_if)
SELECT refuse(65, 'ticket is missing') WHERE :ticket IS NULL;

-- :define unmet
SELECT 1 FROM dependency d JOIN ticket n ON n.id = d.needs_id WHERE d.ticket_id = t.id AND n.column_id <> 'done' AND n.deleted_at IS NULL

-- An event e as a record.  A seal covers the events up to its seq (lib/seal.h):
-- the first that is not before an event is that event's.
-- :define event_record
json_object('seq', e.seq, 'at', e.at, 'noun', e.noun, 'what', e.what, 'id', e.id, 'project_id', e.project_id, 'ticket_id', e.ticket_id, 'job_id', e.job_id, 'data', json(e.data), 'actor', s.actor, 'late', json(iif(s.late, 'true', 'false')), 'hash', lower(hex(substr(s.hash, -32 * (s.seq - e.seq + 1), 32)))) AS json

-- Those after @since that a filter keeps.
-- :define event_kept
FROM event e LEFT JOIN seal s ON s.seq = (SELECT min(seq) FROM seal WHERE seq >= e.seq) WHERE e.seq > coalesce(@since, 0) AND (@noun IS NULL OR e.noun = @noun) AND (:project IS NULL OR e.project_id = :project)
  AND (:ticket IS NULL OR e.ticket_id = :ticket) AND (:job IS NULL OR e.job_id = :job)

-- What a filter of events names.
-- :define event_filter
$(find_ticket_if)
SELECT NULL AS ":project" WHERE @project IS NULL;
$(find_project_if)
$(find_job_if)

-- A piece of log as the wire contract has it.
-- :define log_record
json_object('id', id, 'step', step, 'summary', summary, 'raw_output', raw_output, 'success', json(iif(success, 'true', 'false')), 'created_at', created_at, 'seq', seq) AS json
