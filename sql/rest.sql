-- What Terarchitect's API lacked, and what it asked a forge for (tera-api(7)):
-- thin verbs over the others, with the shapes of those.  Read last.
--
-- actor, where a verb takes it, is who the server says that the asker is.

-- --- jobs ---

-- A person lets a paused job go on; what ended is job.retry's.
-- :verb rest.job.paused READ
-- :in job:ref job_id:ref
$(find_job)
SELECT refuse(65, 'job ' || :job || ' is ' || :state || ', not paused') WHERE :state <> 'paused';

-- --- limits of a project ---

-- :define limits_shape
record('project_id', p.id, 'limits', json(p.limits), 'max_running', p.max_running, 'max_tries', p.max_tries, 'max_cost_day', p.max_cost_day, 'running', (SELECT running FROM turn WHERE project_id = p.id),
  'cost_today', (SELECT total(cost_usd) FROM attempt WHERE project_id = p.id AND cost_usd IS NOT NULL AND started_at >= substr(:now, 1, 10)), 'version', p.version)

-- :verb rest.limits READ
-- :in project:text!
$(api_project)
SELECT $(limits_shape) AS json FROM project p WHERE id = :project;

-- :verb rest.limits.set WRITE
-- :in project:text! limits:object max_running:int max_tries:int max_cost_day:num version:int
$(api_project)
$(project_version)
SELECT refuse(65, 'name limits, an object, or one of max_running, max_tries, max_cost_day') WHERE NOT EXISTS (SELECT 1 FROM json_each(:in) WHERE key IN ('limits', 'max_running', 'max_tries', 'max_cost_day'));
$(limits_fit)
UPDATE project SET limits = coalesce(nullif(:in -> 'limits', 'null'), limits),
  max_running = iif(json_type(:in, '$.max_running') IS NULL, max_running, @max_running), max_tries = coalesce(@max_tries, max_tries),
  max_cost_day = iif(json_type(:in, '$.max_cost_day') IS NULL, max_cost_day, @max_cost_day), version = version + 1, updated_at = now() WHERE id = :project;
SELECT $(limits_shape) AS json FROM project p WHERE id = :project;

-- --- comments, what was removed ---

-- The name by which the server knows the asker; where it knows none, by the
-- one that the asker gave.
-- :define author
CASE WHEN @actor GLOB 'loopback: ?*' THEN substr(@actor, 11) WHEN @actor GLOB 'worker key: ?*' THEN substr(@actor, 13) ELSE @actor END

-- :verb rest.comment.add WRITE
-- :in project:text! ticket:text! body:text! actor:text
$(api_ticket)
INSERT INTO comment(id, ticket_id, author, body) VALUES (uuid7(), :ticket, $(author), @body)
RETURNING json_object('number', number, 'id', id, 'ticket_id', ticket_id, 'author', author, 'body', body, 'created_at', created_at) AS json;

-- :verb rest.ticket.removed READ
-- :in project:text! ticket:text!
$(api_project)
SELECT refuse(66, 'no such ticket: ' || @ticket) WHERE NOT EXISTS (SELECT 1 FROM ticket WHERE id = @ticket AND project_id = :project);

-- --- pull requests ---

-- :verb rest.pulls READ
-- :in project:ref ticket:ref state:text after:int limit:int
$(find_ticket_if)
SELECT NULL AS ":project" WHERE @project IS NULL;
$(find_project_if)
SELECT coalesce(@state, 'open') AS ":which";
SELECT refuse(65, 'no such state of a pull request: ' || :which || ' (there are open, merged, closed; or all)') WHERE :which NOT IN ('open', 'merged', 'closed', 'all');
SELECT $(pr) AS json FROM pr p WHERE (:project IS NULL OR p.project_id = :project) AND (:ticket IS NULL OR p.ticket_id = :ticket) AND (:which = 'all' OR p.state = :which) AND p.number > coalesce(@after, 0) ORDER BY p.number LIMIT coalesce(@limit, -1);

-- :define local_only
SELECT forge AS ":forge" FROM pr WHERE id = :pr;
SELECT iif(:forge = 'local', 1, NULL) AS ":local";
-- :unless :local
SELECT json_object('http', 501, 'error', 'the pull request is on a forge: ' || :forge, 'detail', 'Tera does that on its own pull requests only; do it there') AS json;

-- One that lives here and is open: what the next step is to change.
-- :verb rest.pull.open READ
-- :in pr:ref! method:text merge_method:text
$(find_pr)
SELECT refuse(65, 'method: want merge, squash or rebase, got ' || @method) WHERE @method NOT IN ('merge', 'squash', 'rebase');
$(local_only)
-- :if :local
SELECT refuse(65, 'pull request ' || :number || ' is ' || :state || ', not open') WHERE :state <> 'open';
-- :if :local
SELECT json_object('pr', :pr, 'method', coalesce(@method, iif(@merge_method IN ('squash', 'rebase'), @merge_method, 'merge'))) AS json;

-- :define remark
SELECT refuse(65, 'body: there is nothing in it') WHERE trim(@body) = '';
SELECT refuse(65, 'line without path') WHERE @line IS NOT NULL AND @path IS NULL;
SELECT refuse(65, 'path: want a path of the repository') WHERE @path = '' OR @path GLOB '/*';
SELECT refuse(65, 'line: want a number above 0') WHERE @line <= 0;
$(local_only)
SELECT $(author) AS ":author";
-- :if :local
INSERT INTO pr_comment(id, pr_id, author, body, path, line, bot) VALUES (uuid7(), :pr, :author, substr(@body, 1, 60000), @path, @line, 0) RETURNING number AS ":comment";

-- Queues a review job like pr.comment, which takes the author from who may be
-- trusted with it.
-- :define for_review
-- :if :local
SELECT 1 AS ":may" FROM project p WHERE p.id = :project AND :state = 'open' AND (p.reviewers IS NULL OR EXISTS (SELECT 1 FROM json_each(p.reviewers) r WHERE r.value = :author));
-- :if :local
UPDATE pr_comment SET addressed_at = now() WHERE number = :comment AND :may IS NULL;
-- :if :may
INSERT INTO job(id, ticket_id, project_id, kind, priority, max_tries, pr_number, comment_body, github_comment_id, comment_path, comment_line)
SELECT uuid7(), :ticket, :project, 'review', 1, p.max_tries, :number, substr(@body, 1, 60000), :comment, @path, @line FROM project p WHERE p.id = :project
ON CONFLICT (ticket_id, kind) WHERE finished_at IS NULL DO NOTHING RETURNING id AS ":job";

-- :define remark_shape
json_patch($(pr_comment), json_object('job_id', :job)) AS json FROM pr_comment c WHERE c.number = :comment

-- :verb rest.pull.comment WRITE
-- :in pr:ref! body:text! path:text line:int actor:text
$(find_pr)
$(remark)
$(for_review)
-- :if :local
SELECT $(remark_shape);

-- Asks for changes: a comment, and whoever approved it before has not.
-- :verb rest.pull.changes WRITE
-- :in pr:ref! body:text! path:text line:int actor:text
$(find_pr)
SELECT refuse(65, 'pull request ' || :number || ' is ' || :state || ', not open') WHERE :state <> 'open';
$(remark)
$(for_review)
-- :if :local
UPDATE pr SET approved_by = NULL, version = version + 1, updated_at = now() WHERE id = :pr AND approved_by IS NOT NULL;
-- :if :local
SELECT $(remark_shape);

-- A word with an approval: nobody has to answer it.
-- :verb rest.pull.remark WRITE
-- :in pr:ref! body:text! path:text line:int actor:text
$(find_pr)
$(remark)
-- :if :local
UPDATE pr_comment SET addressed_at = now() WHERE number = :comment;
-- :if :local
SELECT json_object('pr', :pr) AS json;

-- Of the head as it was found on the remote a moment ago (tera-pr look).
-- :verb rest.pull.approve WRITE
-- :in pr:ref! actor:text
SELECT id AS ":pr", number AS ":number", state AS ":state" FROM pr WHERE id = @pr OR number = num(@pr);
SELECT refuse(66, 'no such pull request') WHERE :pr IS NULL;
SELECT refuse(65, 'pull request ' || :number || ' is ' || :state || ', not open') WHERE :state <> 'open';
UPDATE pr SET approved_by = $(author), version = version + 1, updated_at = now() WHERE id = :pr;
SELECT $(pr) AS json FROM pr p WHERE p.id = :pr;

-- --- reviews, as the contract names them: by the ticket ---

-- :define pr_of_ticket
$(api_ticket)
SELECT id AS ":pr" FROM pr WHERE ticket_id = :ticket ORDER BY number DESC LIMIT 1;
SELECT refuse(66, 'ticket ' || number || ' has no pull request') FROM ticket WHERE id = :ticket AND :pr IS NULL;

-- What GitHub calls closed is merged, or not.
-- :verb rest.reviews READ
-- :in project:text! limit:int
$(api_project)
SELECT json_object('id', p.ticket_id, 'title', t.title, 'pr_url', p.pr_url, 'pr_number', p.pr_number, 'pr_state', iif(p.state = 'open', 'open', 'closed'), 'merged', json(iif(p.state = 'merged', 'true', 'false'))) AS json
FROM pr p JOIN ticket t ON t.id = p.ticket_id WHERE p.project_id = :project AND p.state <> 'closed' AND t.deleted_at IS NULL ORDER BY p.state = 'merged', p.number DESC LIMIT min(coalesce(@limit, 20), 20);

-- :verb rest.review READ
-- :in project:text! ticket:text!
$(pr_of_ticket)
SELECT json_object('pr', :pr) AS json;

-- What the store knows of it; tera-pr adds what is in git.
-- :verb rest.words READ
-- :in pr:ref!
$(find_pr)
SELECT json_object('comments', (SELECT json_group_array(json_object('author', author, 'body', body, 'created_at', created_at, 'path', path, 'line', line)) FROM (SELECT * FROM pr_comment WHERE pr_id = :pr ORDER BY number)),
  'pr_url', p.pr_url, 'pr_number', p.pr_number, 'pr_state', iif(p.state = 'open', 'open', 'closed'), 'merged', json(iif(p.state = 'merged', 'true', 'false')), 'approved_by', p.approved_by, 'pr', p.id) AS json FROM pr p WHERE p.id = :pr;

-- :verb rest.said READ COMMON
SELECT json_object('message', 'done') AS json;

-- Where the branch of a ticket is, for tera-diff.
-- :verb rest.branch READ
-- :in project:text! ticket:text!
$(api_ticket)
SELECT refuse(65, 'project ' || name || ' has no repository: set repo_url or project_path') FROM project WHERE id = :project AND iif(execution_mode = 'local', project_path, repo_url) IS NULL;
-- What was merged is what the branch had then, whatever became of it.
SELECT record('execution_mode', p.execution_mode, 'repo_url', coalesce(p.repo_url, ''), '?project_path', p.project_path, 'head_branch', 'ticket-' || :ticket, '?base_branch', p.base_branch, '?base_oid', r.base_oid, '?head_oid', r.head_oid) AS json
FROM project p LEFT JOIN pr r ON r.number = (SELECT max(number) FROM pr WHERE ticket_id = :ticket) AND r.state <> 'open' AND r.base_oid IS NOT NULL AND r.head_oid IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM job WHERE ticket_id = :ticket AND state = 'running') WHERE p.id = :project;

-- --- figures, as Prometheus reads them (text exposition format 0.0.4) ---
--
-- It looks at all jobs and attempts, and nobody asks more often than every few
-- seconds: counts that every change kept would cost every change.

-- :define first_label
replace(replace(replace(coalesce(label, ''), '\', '\\'), '"', '\"'), char(10), '\n')

-- :define second_label
replace(replace(replace(coalesce(label2, ''), '\', '\\'), '"', '\"'), char(10), '\n')

-- How long jobs waited for their last claim.
-- :define waits
(SELECT max((julianday(claimed_at) - julianday(created_at)) * 86400.0, 0.0) AS s FROM job WHERE claimed_at IS NOT NULL)

-- :verb rest.metrics READ
SELECT json_object('text', '# HELP tera_schema_info The schema of the store.' || char(10) || '# TYPE tera_schema_info gauge') AS json;
SELECT json_object('text', 'tera_schema_info{version="' || user_version || '"} 1') AS json FROM pragma_user_version;
SELECT json_object('text', '# HELP tera_projects Projects that were not removed.' || char(10) || '# TYPE tera_projects gauge') AS json;
SELECT json_object('text', 'tera_projects ' || count(*)) AS json FROM project WHERE deleted_at IS NULL;
SELECT json_object('text', '# HELP tera_tickets Tickets that were not removed, by their column and status.' || char(10) || '# TYPE tera_tickets gauge') AS json;
SELECT json_object('text', 'tera_tickets{column="' || $(first_label) || '",status="' || $(second_label) || '"} ' || n) AS json FROM (SELECT column_id AS label, status AS label2, count(*) AS n FROM ticket WHERE deleted_at IS NULL GROUP BY 1, 2);
SELECT json_object('text', '# HELP tera_jobs Jobs by their state and kind.' || char(10) || '# TYPE tera_jobs gauge') AS json;
SELECT json_object('text', 'tera_jobs{state="' || s.value || '",kind="' || $(first_label) || '"} ' || coalesce(n, 0)) AS json FROM (SELECT name AS label FROM kind) k CROSS JOIN json_each('["pending","running","completed","failed","cancelled","paused"]') s
LEFT JOIN (SELECT state, kind, count(*) AS n FROM job GROUP BY 1, 2) j ON j.state = s.value AND j.kind = k.label;
SELECT json_object('text', '# HELP tera_jobs_ready Jobs that a claim could get now.' || char(10) || '# TYPE tera_jobs_ready gauge') AS json;
SELECT json_object('text', 'tera_jobs_ready ' || count(*)) AS json FROM job WHERE $(ready);
SELECT json_object('text', '# HELP tera_job_oldest_ready_seconds How long the oldest of them waits.' || char(10) || '# TYPE tera_job_oldest_ready_seconds gauge') AS json;
SELECT json_object('text', 'tera_job_oldest_ready_seconds ' || max(coalesce((julianday(:now) - julianday(min(created_at))) * 86400.0, 0.0), 0.0)) AS json FROM job WHERE $(ready);
SELECT json_object('text', '# HELP tera_job_wait_seconds From the making of a job to its last claim.' || char(10) || '# TYPE tera_job_wait_seconds histogram') AS json;
SELECT json_array(sum(s <= 1), sum(s <= 5), sum(s <= 15), sum(s <= 60), sum(s <= 300), sum(s <= 900), sum(s <= 3600), sum(s <= 14400), sum(s <= 86400)) AS ":within", count(*) AS ":n", total(s) AS ":sum" FROM $(waits);
SELECT json_object('text', 'tera_job_wait_seconds_bucket{le="' || b.value || '"} ' || coalesce(:within ->> b.key, 0)) AS json FROM json_each('[1,5,15,60,300,900,3600,14400,86400]') b;
SELECT json_object('text', 'tera_job_wait_seconds_bucket{le="+Inf"} ' || :n || char(10) || 'tera_job_wait_seconds_sum ' || :sum || char(10) || 'tera_job_wait_seconds_count ' || :n) AS json;
SELECT json_object('text', '# HELP tera_attempts_total Attempts, by how and why they ended.' || char(10) || '# TYPE tera_attempts_total counter') AS json;
SELECT json_object('text', 'tera_attempts_total{outcome="' || $(first_label) || '",reason="' || $(second_label) || '"} ' || n) AS json FROM (SELECT coalesce(outcome, 'running') AS label, reason AS label2, count(*) AS n FROM attempt GROUP BY 1, 2);
SELECT total(input_tokens) AS ":input", total(output_tokens) AS ":output", total(cost_usd) AS ":cost", total(turns) AS ":turns" FROM attempt;
SELECT json_object('text', '# HELP tera_tokens_total Tokens of models that attempts used.' || char(10) || '# TYPE tera_tokens_total counter' || char(10) || 'tera_tokens_total{direction="input"} ' || CAST(:input AS INTEGER) || char(10) || 'tera_tokens_total{direction="output"} ' || CAST(:output AS INTEGER)) AS json;
SELECT json_object('text', '# HELP tera_cost_usd_total What they cost, in US dollars.' || char(10) || '# TYPE tera_cost_usd_total counter' || char(10) || 'tera_cost_usd_total ' || :cost) AS json;
SELECT json_object('text', '# HELP tera_turns_total Turns of workers.' || char(10) || '# TYPE tera_turns_total counter' || char(10) || 'tera_turns_total ' || CAST(:turns AS INTEGER)) AS json;
SELECT json_object('text', '# HELP tera_pull_requests Pull requests by their state.' || char(10) || '# TYPE tera_pull_requests gauge') AS json;
SELECT json_object('text', 'tera_pull_requests{state="' || s.value || '"} ' || (SELECT count(*) FROM pr WHERE state = s.value)) AS json FROM json_each('["open","merged","closed"]') s;
SELECT json_object('text', '# HELP tera_events_total Events of the store.' || char(10) || '# TYPE tera_events_total counter' || char(10) || 'tera_events_total ' || coalesce(max(seq), 0)) AS json FROM event;
