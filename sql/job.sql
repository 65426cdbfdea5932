-- The queue: jobs, their attempts, leases and fences.
--
-- A job is named by its id or its number.  What its holder does shows the
-- fence of the claim, and is refused when another claim came after it.

-- :define no_job
-- :unless :job
SELECT refuse(iif(coalesce(@job, @job_id) IS NULL, 65, 66), coalesce('no such job: ' || coalesce(@job, @job_id), 'job is missing'));

-- :define held
WHEN :fence <> CAST(@fence AS INTEGER) THEN refuse(65, 'job ' || :job || ': fence ' || @fence || ' is old, it is ' || :fence || ' now')
  WHEN :state <> 'running' THEN refuse(65, 'job ' || :job || ' is ' || :state || ', not running')

-- RFC 3339: the day must be one, and 5 is none (SQLite takes it for a Julian
-- day).
-- :define a_time
coalesce(@run_after GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' AND date(substr(@run_after, 1, 10)) = substr(@run_after, 1, 10) AND julianday(@run_after), @run_after IS NULL)

-- The number of the job that was named, by either; an OR would look twice.
-- :define the_job
coalesce(num(coalesce(@job, @job_id)), (SELECT number FROM job WHERE id = coalesce(@job, @job_id)))

-- :define find_job
SELECT id AS ":job", project_id AS ":project", ticket_id AS ":ticket", state AS ":state", fence AS ":fence" FROM job WHERE number = $(the_job);
$(no_job)

-- :define holds
$(find_job)
SELECT CASE $(held) END AS ":held";

-- :define job
json_object('number', j.number, 'id', j.id, 'ticket_id', j.ticket_id, 'project_id', j.project_id, 'kind', j.kind, 'state', j.state, 'reason', j.reason, 'message', j.message, 'priority', j.priority, 'run_after', j.run_after, 'blocked', json(iif(j.blocked, 'true', 'false')), 'tries', j.tries, 'max_tries', j.max_tries, 'fence', j.fence, 'lease_until', j.lease_until, 'worker', j.worker, 'stop', j.stop, 'pr_number', j.pr_number, 'comment_body', j.comment_body, 'comment_path', j.comment_path, 'comment_line', j.comment_line, 'created_at', j.created_at, 'claimed_at', j.claimed_at, 'finished_at', j.finished_at)

-- Leases that ran out: back to the queue, to failed after max_tries, or to
-- what was asked for while it ran.
-- :define sweep
UPDATE job SET state = CASE WHEN stop = 'cancel' THEN 'cancelled' WHEN stop = 'pause' THEN 'paused' WHEN tries >= max_tries THEN 'failed' ELSE 'pending' END,
  reason = iif(stop IS NULL, 'lost', 'user'), message = 'the lease of ' || coalesce(worker, 'its worker') || ' ran out', finished_at = iif(stop = 'cancel' OR (stop IS NULL AND tries >= max_tries), now(), NULL),
  lease_until = NULL, worker = NULL, stop = NULL, run_after = NULL, parked = 0
WHERE state = 'running' AND lease_until < now()

-- No RETURNING here, nor an INSERT from a SELECT: each would make a table for
-- its rows, at a third of the cost of the whole.
-- :verb job.add WRITE HELD
-- :in ticket:ref! kind:text priority:int run_after:text pr_number:int comment_body:text github_comment_id:int comment_path:text comment_line:int max_tries:int
SELECT t.id AS ":ticket", t.project_id AS ":project", t.number AS ":number", t.deleted_at AS ":gone", p.deleted_at AS ":project_gone",
  iif(p.execution_mode = 'local', p.project_path, p.repo_url) IS NULL AS ":no_source", p.name AS ":name",
  coalesce(@kind, iif(lower(t.title) = 'project setup', 'setup', 'ticket')) AS ":kind", coalesce(@priority, CASE t.priority WHEN 'high' THEN 1 WHEN 'low' THEN -1 ELSE 0 END) AS ":priority",
  EXISTS ($(unmet)) AS ":blocked", coalesce(@max_tries, p.max_tries) AS ":max",
  iif(t.deleted_at IS NULL AND p.deleted_at IS NULL AND iif(p.execution_mode = 'local', p.project_path, p.repo_url) IS NOT NULL AND EXISTS (SELECT 1 FROM kind WHERE name = coalesce(@kind, 'ticket')), 1, NULL) AS ":fit",
  @run_after AS ":run_after", strftime('%Y-%m-%dT%H:%M:%fZ', @run_after) AS ":at", uuid7() AS ":job"
FROM ticket t JOIN project p ON p.id = t.project_id WHERE t.number = coalesce(num(@ticket), (SELECT number FROM ticket WHERE id = @ticket));
-- :unless :fit
SELECT refuse(CASE WHEN :ticket IS NULL THEN 66 ELSE 65 END, CASE WHEN :ticket IS NULL THEN 'no such ticket: ' || @ticket WHEN :gone IS NOT NULL THEN 'ticket ' || :number || ' was removed'
  WHEN :project_gone IS NOT NULL THEN 'project ' || :name || ' was removed' WHEN :no_source THEN 'project ' || :name || ' has no repository: set repo_url or project_path' ELSE 'no such kind of job: ' || @kind END);
-- :if :run_after
SELECT refuse(65, 'run_after: not a time: ' || @run_after) WHERE NOT $(a_time);
SELECT number AS ":live" FROM job WHERE ticket_id = :ticket AND kind = :kind AND finished_at IS NULL;
-- :unless :live
INSERT INTO job(id, ticket_id, project_id, kind, priority, run_after, parked, blocked, max_tries, pr_number, comment_body, github_comment_id, comment_path, comment_line, created_at)
VALUES (:job, :ticket, :project, :kind, :priority, :at, coalesce(:at > now(), 0), :blocked, :max, @pr_number, @comment_body, @github_comment_id, @comment_path, @comment_line, now());
-- :unless :live
SELECT record('job_id', :job, 'number', last_insert_rowid(), 'ticket_id', :ticket, 'project_id', :project, 'kind', :kind, 'state', 'pending', 'priority', CAST(:priority AS INTEGER), 'run_after', :at, 'created', bool(1)) AS json;
-- :if :live
SELECT record('job_id', id, 'number', number, 'ticket_id', ticket_id, 'project_id', project_id, 'kind', kind, 'state', state, 'priority', priority, 'run_after', run_after, 'created', bool(0)) AS json FROM job WHERE number = :live;

-- The projects that a claimer works for, as a list of ids; NULL is all.
-- :define refs
iif(coalesce(@projects, @project, @project_id, '') <> '', coalesce(:in -> 'projects', json_array(coalesce(@project, @project_id))), NULL) AS ":refs"

-- :define find_refs
-- :if :refs
SELECT refuse(66, 'no such project: ' || r.value) FROM json_each(:refs) r WHERE NOT EXISTS (SELECT 1 FROM project WHERE deleted_at IS NULL AND (id = r.value OR number = num(r.value) OR name = r.value));
-- :if :refs
SELECT json_group_array(p.id) AS ":projects" FROM project p WHERE deleted_at IS NULL AND EXISTS (SELECT 1 FROM json_each(:refs) r WHERE p.id = r.value OR p.number = num(r.value) OR p.name = r.value);

-- :define ready
state = 'pending' AND parked = 0 AND blocked = 0

-- May this job run now, of what was asked for, and its project?
-- :define candidate
c.state = 'pending' AND c.parked = 0 AND c.blocked = 0 AND iif(@kind IS NULL, 1, c.kind = @kind)
    AND NOT EXISTS (SELECT 1 FROM job r WHERE r.ticket_id = c.ticket_id AND r.finished_at IS NULL AND r.number <> c.number AND r.state = 'running')

-- :define open_project
p.deleted_at IS NULL AND iif(:projects IS NULL, 1, p.id IN (SELECT value FROM json_each(:projects)))
  AND iif(p.max_running IS NULL, 1, (SELECT running FROM turn WHERE project_id = p.id) < p.max_running)
  AND iif(p.max_cost_day IS NULL, 1, (SELECT total(cost_usd) FROM attempt WHERE project_id = p.id AND cost_usd IS NOT NULL AND started_at >= substr(:now, 1, 10)) < p.max_cost_day)
  AND NOT EXISTS (SELECT 1 FROM setting WHERE key = 'max_running' AND CAST(value AS INTEGER) <= (SELECT sum(running) FROM turn))

-- :define projects
(SELECT project_id FROM turn WHERE iif(:projects IS NULL, 1, project_id IN (SELECT value FROM json_each(:projects))) ORDER BY running, last LIMIT -1) f CROSS JOIN project p ON p.id = f.project_id

-- What is changed, and the answer: the job as it will be.
-- :define chosen
c.number AS ":number", c.project_id AS ":of", c.id AS ":job", c.fence + 1 AS ":fence",
record('job_id', c.id, 'number', c.number, 'ticket_id', c.ticket_id, 'ticket_number', t.number, 'project_id', c.project_id, 'project_name', p.name, 'kind', c.kind, 'title', t.title, 'repo_url', coalesce(p.repo_url, ''), 'execution_mode', p.execution_mode,
  'branch', 'ticket-' || t.id, 'attempt', c.tries + 1, 'max_tries', c.max_tries, 'fence', c.fence + 1, 'lease_until', soon(:lease), 'lease_seconds', :lease,
  'limits', raw(p.limits), 'pipeline', coalesce(p.pipeline, (SELECT pipeline FROM kind WHERE name = c.kind)),
  '?project_path', p.project_path, '?base_branch', p.base_branch, '?verify_command', p.verify_command, '?worker', p.worker, '?claimed_by', @worker,
  '?pr_number', coalesce(c.pr_number, (SELECT pr_number FROM pr WHERE ticket_id = c.ticket_id AND state = 'open')), '?comment_body', iif(c.kind = 'review', coalesce(c.comment_body, ''), NULL), '?github_comment_id', c.github_comment_id, '?comment_path', c.comment_path, '?comment_line', c.comment_line) AS json

-- The highest priority of a ready job, a project that has one of it, and
-- whether another has.
-- :define tops
h.priority AS ":top", h.project_id AS ":one", (SELECT 1 FROM job WHERE $(ready) AND priority = h.priority AND project_id > h.project_id LIMIT 1) AS ":more"
FROM (SELECT 1) LEFT JOIN job h ON h.number = (SELECT number FROM job WHERE $(ready) ORDER BY priority DESC, project_id LIMIT 1)

-- The oldest ready job of the highest priority; among projects that have one,
-- the project that runs least, and of those the one whose turn is longest ago.
-- When one project only has jobs of the highest priority, the first that may
-- run is that job.  Else it is found by going through the projects in their
-- order, and when no job of that priority may run, from one priority to the
-- next lower (level): the loops are the order, for a sort would look at all.
-- :verb job.claim WRITE ONE WORKER HELD
-- :in project:ref project_id:ref projects:array kind:text job:ref worker:text lease_seconds:num
SELECT $(refs), iif(coalesce(@lease_seconds, 60) BETWEEN 1 AND 86400, coalesce(@lease_seconds, 60), refuse(65, 'lease_seconds: want 1 to 86400')) AS ":lease",
  @job AS ":named",
  (SELECT 1 FROM job WHERE state = 'running' AND lease_until < now() LIMIT 1) AS ":due", (SELECT 1 FROM job WHERE parked = 1 AND run_after <= now() LIMIT 1) AS ":ripe",
  $(tops);
$(find_refs)
-- :if :due
$(sweep);
-- :if :ripe
UPDATE job SET parked = 0 WHERE parked = 1 AND run_after <= now();
-- :if :due
SELECT $(tops);
-- :if :ripe
SELECT $(tops);
-- :if :named
SELECT refuse(66, 'no such job: ' || @job) WHERE NOT EXISTS (SELECT 1 FROM job WHERE number = num(@job)) AND NOT EXISTS (SELECT 1 FROM job WHERE id = @job);
-- :if :named
SELECT c.number AS ":found" FROM job c JOIN project p ON p.id = c.project_id WHERE c.number = coalesce(num(@job), (SELECT number FROM job WHERE id = @job)) AND $(candidate) AND $(open_project);
-- :if :top
-- :unless :more
SELECT $(chosen), c.number AS ":found" FROM project p CROSS JOIN job c CROSS JOIN ticket t ON t.id = c.ticket_id
WHERE :named IS NULL AND p.id = :one AND c.project_id = :one AND c.priority = :top AND $(candidate)
  AND $(open_project)
ORDER BY c.number LIMIT 1;
-- :if :more
-- :unless :named
SELECT c.number AS ":found" FROM $(projects) CROSS JOIN job c ON c.priority = :top AND c.project_id = f.project_id
WHERE $(candidate)
  AND $(open_project) LIMIT 1;
-- :if :top
-- :unless :found
SELECT priority AS ":lower" FROM job WHERE :named IS NULL AND $(ready) AND priority < :top ORDER BY priority DESC LIMIT 1;
-- :if :lower
WITH RECURSIVE level(priority) AS (SELECT :lower UNION ALL SELECT (SELECT priority FROM job WHERE $(ready) AND priority < level.priority ORDER BY priority DESC LIMIT 1) FROM level WHERE level.priority IS NOT NULL)
SELECT c.number AS ":found" FROM level CROSS JOIN $(projects) CROSS JOIN job c ON c.priority = level.priority AND c.project_id = f.project_id
WHERE $(candidate)
  AND $(open_project) LIMIT 1;
-- :if :found
-- :unless :number
SELECT $(chosen) FROM job c JOIN project p ON p.id = c.project_id JOIN ticket t ON t.id = c.ticket_id WHERE c.number = :found;
-- :if :number
UPDATE job SET state = 'running', reason = NULL, message = NULL, fence = :fence, tries = tries + 1, worker = @worker, stop = NULL, run_after = NULL, lease_until = soon(:lease), claimed_at = now() WHERE number = :number;
-- :if :number
INSERT INTO attempt(id, job_id, project_id, fence, worker, started_at) VALUES (uuid7(), :job, :of, :fence, @worker, now());

-- :verb job.renew WRITE WORKER AGENT HELD
-- :in job:ref job_id:ref fence:int! lease_seconds:num
$(holds)
UPDATE job SET lease_until = soon(coalesce(@lease_seconds, 60)) WHERE id = :job;
SELECT record('job_id', id, 'fence', fence, 'lease_until', lease_until, 'stop', stop) AS json FROM job WHERE id = :job;

-- Does the holder still hold it, and should it stop?
-- :verb job.watch READ WORKER AGENT HELD
-- :in job:ref job_id:ref fence:int
$(find_job)
SELECT record('job_id', id, 'fence', fence, 'state', state, 'stop', CASE WHEN state <> 'running' OR fence <> coalesce(@fence, fence) THEN 'lost' ELSE stop END) AS json FROM job WHERE id = :job;

-- The end of an attempt, from a record that tera-run printed.  An error that
-- may pass goes back to the queue while tries are left; a provider's quota
-- (run_after) parks the job and counts no try.
-- :verb job.finish WRITE WORKER AGENT HELD
-- :in job:ref job_id:ref fence:int! outcome:text reason:text message:text exit:int run_after:text turns:int usage:object verify:object error:object pr_url:text pr_number:int
SELECT id AS ":job", number AS ":number", project_id AS ":project", ticket_id AS ":ticket", state AS ":state", fence AS ":fence", stop AS ":stop", tries AS ":tries", max_tries AS ":max", kind AS ":kind", coalesce(@error ->> 'reason', @reason, CASE WHEN @error IS NULL THEN NULL WHEN @error ->> 'code' IN (64, 66, 77, 78) THEN 'config' ELSE 'error' END) AS ":why",
  coalesce(@outcome, iif(@error IS NULL, 'completed', 'failed')) AS ":outcome", coalesce(@message, @error ->> 'message') AS ":message",
  coalesce(@run_after, @error ->> 'run_after') AS ":run_after"
FROM job WHERE number = $(the_job);
$(no_job)
SELECT CASE $(held)
  WHEN :outcome = 'completed' THEN iif(@error IS NULL, 'completed', 'failed') WHEN :outcome = 'failed' OR :outcome = 'cancelled' OR :outcome = 'paused' OR :outcome = 'pending' THEN :outcome
  ELSE refuse(65, 'outcome: want completed, failed, cancelled, paused or pending, got ' || :outcome) END AS ":outcome";
-- :if :run_after
SELECT refuse(65, 'run_after: not a time: ' || :run_after) WHERE :run_after IS NOT NULL AND julianday(:run_after) IS NULL;
SELECT CASE WHEN :outcome = 'completed' THEN 'completed' WHEN :stop = 'cancel' OR :outcome = 'cancelled' THEN 'cancelled' WHEN :stop = 'pause' OR :outcome = 'paused' THEN 'paused'
  WHEN :outcome = 'pending' OR :run_after IS NOT NULL THEN 'pending'
  WHEN :tries < :max AND instr(' error timeout lost push conflict ', ' ' || coalesce(:why, 'error') || ' ') THEN 'pending' ELSE 'failed' END AS ":state2",
  :outcome = 'pending' OR :run_after IS NOT NULL AS ":uncounted";
SELECT iif(:state2 = 'pending', 1, NULL) AS ":again", iif(:state2 = 'failed', 1, NULL) AS ":failed",
  CASE WHEN :state2 = 'completed' THEN coalesce(:why, 'ok') WHEN :stop IS NOT NULL THEN 'user' ELSE coalesce(:why, CASE :state2 WHEN 'cancelled' THEN 'user' WHEN 'paused' THEN 'user' ELSE 'error' END) END AS ":why",
  (SELECT number FROM attempt WHERE job_id = :job AND fence = :fence) AS ":attempt",
  (SELECT number FROM ticket WHERE id = :ticket AND :state2 = 'completed' AND column_id <> 'done' AND NOT (column_id = 'in_review' AND status = 'completed')) AS ":done",
  (SELECT 1 FROM pr WHERE ticket_id = :ticket AND forge = 'local' AND :state2 = 'completed') AS ":comments";
UPDATE attempt SET exit = @exit, turns = @turns, input_tokens = @usage ->> 'input_tokens', output_tokens = @usage ->> 'output_tokens', cost_usd = @usage ->> 'cost_usd', verdict = @verify ->> 'verdict', stage = @error ->> 'stage',
  ended_at = now(), outcome = :state2, reason = :why WHERE number = :attempt;
-- :if :attempt
INSERT INTO outcome(attempt, record) VALUES (:attempt, without(:in, 'limits', 'comment_body', 'token'));
UPDATE job SET state = :state2, reason = :why, message = :message,
  tries = tries - (:state2 = 'paused' OR (:state2 = 'pending' AND :uncounted)), lease_until = NULL, stop = NULL, worker = NULL, finished_at = iif(:state2 = 'pending' OR :state2 = 'paused', NULL, now()),
  run_after = CASE WHEN :state2 <> 'pending' THEN NULL WHEN :run_after IS NOT NULL THEN strftime('%Y-%m-%dT%H:%M:%fZ', :run_after) WHEN :uncounted THEN NULL ELSE soon(5 << min(:tries, 8)) END
WHERE number = :number;
-- :if :again
UPDATE job SET parked = coalesce(run_after > now(), 0) WHERE number = :number AND state = 'pending';
-- :if :done
UPDATE ticket SET column_id = CASE column_id WHEN 'in_progress' THEN 'in_review' WHEN 'backlog' THEN 'in_review' ELSE column_id END, status = 'completed', version = version + 1, updated_at = now() WHERE number = :done;
-- :if :failed
UPDATE ticket SET status = 'failed', version = version + 1, updated_at = now() WHERE id = :ticket AND status <> 'failed';
-- :if :comments
UPDATE pr_comment SET addressed_at = now() WHERE :state2 = 'completed' AND :kind = 'review' AND addressed_at IS NULL AND number = (SELECT github_comment_id FROM job WHERE id = :job) AND pr_id IN (SELECT id FROM pr WHERE ticket_id = :ticket AND forge = 'local');
-- :if :comments
INSERT INTO job(id, ticket_id, project_id, kind, priority, max_tries, pr_number, comment_body, github_comment_id, comment_path, comment_line)
SELECT uuid7(), :ticket, :project, 'review', 1, :max, p.pr_number, c.body, c.number, c.path, c.line
FROM pr_comment c JOIN pr p ON p.id = c.pr_id WHERE :state2 = 'completed' AND p.ticket_id = :ticket AND p.state = 'open' AND p.forge = 'local' AND c.bot = 0 AND c.addressed_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM job r WHERE r.ticket_id = :ticket AND r.kind = 'review' AND r.finished_at IS NULL) ORDER BY c.number LIMIT 1;
SELECT record('job_id', j.id, 'state', j.state, 'reason', j.reason, 'message', j.message, 'run_after', j.run_after, 'tries', j.tries, 'max_tries', j.max_tries, 'outcome', :outcome, 'ticket_id', j.ticket_id, 'kind', j.kind) AS json FROM job j WHERE j.number = :number;

-- :verb job.cancel WRITE HELD
-- :in job:ref job_id:ref
$(find_job)
SELECT refuse(65, 'job ' || :job || ' cannot move from ' || :state || ' to cancelled') WHERE :state IN ('completed', 'failed', 'cancelled');
UPDATE job SET state = 'cancelled', reason = 'user', finished_at = now() WHERE id = :job AND state IN ('pending', 'paused');
UPDATE job SET stop = 'cancel' WHERE id = :job AND state = 'running';
SELECT $(job) AS json FROM job j WHERE j.id = :job;

-- :verb job.pause WRITE HELD
-- :in job:ref job_id:ref
$(find_job)
SELECT refuse(65, 'job ' || :job || ' cannot move from ' || :state || ' to paused') WHERE :state <> 'running';
UPDATE job SET stop = 'pause' WHERE id = :job AND state = 'running' AND stop IS NULL;
SELECT $(job) AS json FROM job j WHERE j.id = :job;

-- Back to the queue: a paused job goes on with its tries, an ended one is a
-- person's new try, and the count begins again.
-- :verb job.retry WRITE
-- :in job:ref job_id:ref
$(find_job)
SELECT refuse(65, 'job ' || :job || ' cannot move from ' || :state || ' to pending') WHERE :state NOT IN ('failed', 'cancelled', 'paused');
SELECT refuse(65, 'ticket ' || t.number || ' has a live job of this kind already') FROM job j JOIN job o ON o.ticket_id = j.ticket_id AND o.kind = j.kind AND o.id <> j.id AND o.finished_at IS NULL JOIN ticket t ON t.id = j.ticket_id WHERE j.id = :job;
UPDATE job SET state = 'pending', reason = NULL, message = NULL, tries = iif(state = 'paused', tries, 0), run_after = NULL, parked = 0, finished_at = NULL WHERE id = :job;
UPDATE ticket SET column_id = 'in_progress', status = 'in_progress', version = version + 1, updated_at = now() WHERE id = :ticket AND :state <> 'paused' AND column_id IN ('backlog', 'in_progress') AND (column_id <> 'in_progress' OR status <> 'in_progress');
SELECT $(job) AS json FROM job j WHERE j.id = :job;

-- :verb job.set WRITE
-- :in job:ref job_id:ref priority:int run_after:text max_tries:int
$(find_job)
SELECT refuse(65, 'run_after: not a time: ' || @run_after) WHERE NOT $(a_time);
SELECT refuse(65, 'job ' || :job || ' is ' || :state || ', its run_after cannot change') WHERE json_type(:in, '$.run_after') IS NOT NULL AND :state <> 'pending';
UPDATE job SET priority = coalesce(@priority, priority), max_tries = coalesce(@max_tries, max_tries),
  run_after = iif(json_type(:in, '$.run_after') IS NULL, run_after, strftime('%Y-%m-%dT%H:%M:%fZ', @run_after)), parked = iif(json_type(:in, '$.run_after') IS NULL, parked, coalesce(strftime('%Y-%m-%dT%H:%M:%fZ', @run_after) > now(), 0)) WHERE id = :job;
SELECT $(job) AS json FROM job j WHERE j.id = :job;

-- :verb job.sweep WRITE HELD
-- :in project:ref
$(find_project_if)
$(sweep) AND iif(:project IS NULL, 1, project_id = :project) RETURNING json_object('job_id', id, 'state', state, 'reason', reason, 'tries', tries, 'max_tries', max_tries) AS json;

-- :verb job.list READ
-- :in project:ref ticket:ref state:text kind:text reason:text after:int limit:int
$(find_ticket_if)
SELECT NULL AS ":project" WHERE @project IS NULL;
$(find_project_if)
SELECT refuse(65, 'no such state of a job: ' || @state) WHERE @state IS NOT NULL AND NOT (instr(' pending running completed failed cancelled paused ', ' ' || @state || ' ') AND NOT instr(@state, ' '));
SELECT refuse(65, 'no such reason: ' || @reason) WHERE @reason IS NOT NULL AND NOT (instr(' ok partial error timeout lost user budget stall verify push conflict config ', ' ' || @reason || ' ') AND NOT instr(@reason, ' '));
SELECT refuse(65, 'no such kind of job: ' || @kind) WHERE @kind IS NOT NULL AND NOT EXISTS (SELECT 1 FROM kind WHERE name = @kind);
SELECT $(job) AS json FROM job j WHERE (:project IS NULL OR j.project_id = :project) AND (:ticket IS NULL OR j.ticket_id = :ticket) AND (@state IS NULL OR j.state = @state)
  AND (@kind IS NULL OR j.kind = @kind) AND (@reason IS NULL OR j.reason = @reason) AND j.number > coalesce(@after, 0) ORDER BY j.number LIMIT coalesce(@limit, -1);

-- :define attempt
json_object('number', a.number, 'id', a.id, 'job_id', a.job_id, 'project_id', a.project_id, 'fence', a.fence, 'stage', a.stage, 'worker', a.worker, 'started_at', a.started_at, 'ended_at', a.ended_at, 'outcome', a.outcome, 'reason', a.reason, 'exit', a.exit, 'turns', a.turns, 'input_tokens', a.input_tokens, 'output_tokens', a.output_tokens, 'cost_usd', a.cost_usd, 'verdict', a.verdict)

-- :verb job.show READ HELD
-- :in job:ref job_id:ref
$(find_job)
SELECT json_patch($(job), json_object('outcome', (SELECT json(o.record) FROM attempt a JOIN outcome o ON o.attempt = a.number WHERE a.job_id = j.id ORDER BY a.fence DESC LIMIT 1), 'attempts', (SELECT json_group_array(json($(attempt))) FROM attempt a WHERE a.job_id = j.id))) AS json FROM job j WHERE j.id = :job;

-- :verb attempt.list READ
-- :in job:ref job_id:ref project:ref after:int limit:int
$(find_project_if)
SELECT id AS ":job" FROM job WHERE id = @job OR number = num(@job);
SELECT refuse(66, 'no such job: ' || @job) WHERE :job IS NULL AND @job IS NOT NULL;
SELECT $(attempt) AS json FROM attempt a WHERE (:job IS NULL OR a.job_id = :job) AND (:project IS NULL OR a.project_id = :project) AND a.number > coalesce(@after, 0) ORDER BY a.number LIMIT coalesce(@limit, -1);

-- What a waiting claimer must know: how many jobs its worker runs, how many
-- run at all, when the next one is due by itself, and how many soon are.
-- :verb job.idle READ WORKER HELD
-- :in worker:text project:ref project_id:ref projects:array
SELECT $(refs);
$(find_refs)
SELECT json_object('mine', (SELECT count(*) FROM job INDEXED BY job_lease WHERE state = 'running' AND worker = @worker),
  'running', (SELECT coalesce(sum(running), 0) FROM turn WHERE :projects IS NULL OR project_id IN (SELECT value FROM json_each(:projects))),
  'soon', (SELECT count(*) FROM job WHERE parked = 1 AND state = 'pending' AND run_after < strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+60 seconds') AND (:projects IS NULL OR project_id IN (SELECT value FROM json_each(:projects)))),
  'next_ms', (SELECT CAST((julianday(min(at)) - julianday('now')) * 86400000 AS INTEGER) FROM (SELECT min(run_after) AS at FROM job WHERE parked = 1 AND state = 'pending' UNION ALL SELECT min(lease_until) FROM job WHERE state = 'running'))) AS json;
