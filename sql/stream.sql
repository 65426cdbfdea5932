-- What goes on: the events and the logs as lists with a cursor, and as streams
-- (lib/stream.h).

-- The last row of a stream's verb is no record: head is where the store stands,
-- as it was before the rows were read, so that all up to there has come; over,
-- when it is there, is why nothing more will, and last the last one of a job;
-- project is what was meant.  With none there are no other rows.

-- :define page
SELECT refuse(65, 'limit: want a number from 0') WHERE CAST(@limit AS INTEGER) < 0;
SELECT refuse(65, 'since: want a number from 0') WHERE CAST(@since AS INTEGER) < 0;

-- :define page_size
min(coalesce(CAST(@limit AS INTEGER), 1000), 10000)

-- :verb api.events READ
-- :in since:int limit:int noun:text project:ref ticket:ref job:ref
$(page)
$(event_filter)
SELECT $(event_record) $(event_kept) ORDER BY e.seq LIMIT $(page_size);

-- :verb stream.events READ
-- :in since:int noun:text project:ref ticket:ref job:ref none:bool
$(find_ticket_if)
SELECT NULL AS ":project" WHERE @project IS NULL;
-- what was there when the stream began may be followed to its end
SELECT id AS ":project" FROM project WHERE id = @project AND @none IS NULL;
$(find_project_if)
$(find_job_if)
SELECT coalesce(max(seq), 0) AS ":head", nullif(@none, 0) AS ":none" FROM event;
-- :unless :none
SELECT $(event_record) $(event_kept) ORDER BY e.seq;
SELECT record('head', :head, '?project', :project) AS json;

-- :verb api.job.logs READ
-- :in job:ref! since:int limit:int
$(page)
SELECT id AS ":job" FROM job WHERE id = @job OR number = num(@job);
SELECT refuse(66, 'no such job: ' || @job) WHERE :job IS NULL;
SELECT $(log_record) FROM log WHERE job_id = :job AND seq > coalesce(@since, 0) ORDER BY seq LIMIT $(page_size);

-- Of a job, until it is over; of a ticket, whatever job comes, until it is
-- removed.
-- :verb stream.logs READ
-- :in project:text ticket:text job:ref since:int none:bool
SELECT nullif(@none, 0) AS ":none";
SELECT id AS ":job", iif(state IN ('completed', 'failed', 'cancelled'), state, NULL) AS ":over" FROM job WHERE id = @job OR number = num(@job);
SELECT refuse(66, 'no such job: ' || @job) WHERE :job IS NULL AND @job IS NOT NULL;
-- :unless :job
SELECT t.id AS ":ticket" FROM ticket t JOIN project p ON p.id = t.project_id WHERE t.id = @ticket AND p.id = @project AND t.deleted_at IS NULL AND p.deleted_at IS NULL;
-- :unless :job
SELECT refuse(66, 'no such ticket: ' || @ticket) WHERE :ticket IS NULL;
SELECT coalesce(max(seq), 0) AS ":head" FROM log;
-- :if :job
-- :unless :none
SELECT $(log_record) FROM log WHERE job_id = :job AND seq > coalesce(@since, 0) ORDER BY seq;
-- :if :ticket
-- :unless :none
SELECT $(log_record) FROM log WHERE ticket_id = :ticket AND seq > coalesce(@since, 0) ORDER BY seq;
SELECT record('head', :head, '?over', :over, '?last', (SELECT max(seq) FROM log WHERE job_id = :job)) AS json;
