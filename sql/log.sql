-- What happened: logs of runs, events, and where the store stands.

-- A worker's piece of log about its job renews the lease too, for as long as
-- the worker says that its leases are.
-- :verb log.add WRITE WORKER AGENT HELD
-- :in job:ref job_id:ref ticket:ref ticket_id:ref fence:int session_id:text step:text summary:text raw_output:text raw_file:text success:bool lease_seconds:num
SELECT id AS ":job", ticket_id AS ":ticket", project_id AS ":project", CASE WHEN fence <> CAST(@fence AS INTEGER) THEN refuse(65, 'job ' || id || ': fence ' || @fence || ' is old, it is ' || fence || ' now') END AS ":fence",
  iif(state = 'running' AND fence = CAST(@fence AS INTEGER) AND lease_until < soon(0.98 * coalesce(@lease_seconds, 60)), 1, NULL) AS ":renew"
FROM job WHERE number = $(the_job);
-- :unless :job
SELECT refuse(66, 'no such job: ' || coalesce(@job, @job_id)) WHERE :job IS NULL AND coalesce(@job, @job_id) IS NOT NULL;
-- :unless :job
SELECT id AS ":ticket", project_id AS ":project" FROM ticket WHERE (id = coalesce(@ticket, @ticket_id) OR number = num(coalesce(@ticket, @ticket_id)));
-- :unless :ticket
SELECT refuse(iif(coalesce(@ticket, @ticket_id) IS NULL, 65, 66), coalesce('no such ticket: ' || coalesce(@ticket, @ticket_id), 'log.add: job or ticket is missing')) WHERE :ticket IS NULL;
INSERT INTO log(id, project_id, ticket_id, job_id, session_id, step, summary, raw_output, raw_file, success, created_at)
VALUES (uuid7(), :project, :ticket, :job, @session_id, substr(coalesce(nullif(trim(@step), ''), 'step'), 1, 100), @summary, @raw_output, @raw_file, coalesce(@success, 1), now());
SELECT record('seq', seq, 'id', id) AS json FROM log WHERE seq = last_insert_rowid();
-- :if :renew
UPDATE job SET lease_until = soon(coalesce(@lease_seconds, 60)) WHERE id = :job;

-- :verb log.list READ
-- :in job:ref ticket:ref project:ref since:int limit:int
SELECT id AS ":job" FROM job WHERE id = @job OR number = num(@job);
SELECT refuse(66, 'no such job: ' || @job) WHERE :job IS NULL AND @job IS NOT NULL;
$(find_ticket_if)
SELECT NULL AS ":project" WHERE @project IS NULL;
$(find_project_if)
SELECT json_object('seq', l.seq, 'id', l.id, 'project_id', l.project_id, 'ticket_id', l.ticket_id, 'job_id', l.job_id, 'session_id', l.session_id, 'step', l.step, 'summary', l.summary, 'raw_output', l.raw_output, 'raw_file', l.raw_file, 'success', json(iif(l.success, 'true', 'false')), 'created_at', l.created_at) AS json
FROM log l WHERE (:job IS NULL OR l.job_id = :job) AND (:ticket IS NULL OR l.ticket_id = :ticket) AND (:project IS NULL OR l.project_id = :project) AND l.seq > coalesce(@since, 0) ORDER BY l.seq LIMIT coalesce(@limit, -1);

-- :verb event.list READ
-- :in since:int limit:int noun:text project:ref ticket:ref job:ref
$(event_filter)
SELECT $(event_record) $(event_kept) ORDER BY e.seq LIMIT coalesce(@limit, -1);

-- :verb event.head READ WORKER COMMON HELD
SELECT json_object('seq', coalesce(max(seq), 0)) AS json FROM event;

-- :verb store.info READ
SELECT json_object('projects', (SELECT count(*) FROM project WHERE deleted_at IS NULL), 'tickets', (SELECT count(*) FROM ticket WHERE deleted_at IS NULL),
  'jobs', (SELECT json_group_object(state, n) FROM (SELECT state, count(*) AS n FROM job GROUP BY state)), 'events', (SELECT coalesce(max(seq), 0) FROM event)) AS json;
