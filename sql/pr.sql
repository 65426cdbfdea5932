-- Pull requests.  Those of the local forge live here; of the others the store
-- keeps what it must know.
--
-- A pull request is named by its id or its number, or with a ticket by that.

-- :define find_pr
SELECT id AS ":pr", ticket_id AS ":ticket", project_id AS ":project", number AS ":number", state AS ":state" FROM pr WHERE id = @pr OR number = num(@pr);
SELECT refuse(66, 'no such pull request: ' || @pr) WHERE :pr IS NULL AND @pr IS NOT NULL;
SELECT refuse(65, 'pr is missing') WHERE :pr IS NULL;

-- :define pr
json_object('number', p.number, 'id', p.id, 'project_id', p.project_id, 'ticket_id', p.ticket_id, 'forge', p.forge, 'pr_number', p.pr_number, 'pr_url', p.pr_url, 'title', p.title, 'body', p.body, 'source', p.source, 'head_branch', p.head_branch, 'base_branch', p.base_branch, 'head_oid', p.head_oid, 'base_oid', p.base_oid, 'seen_oid', p.seen_oid, 'merged_oid', p.merged_oid, 'verify', json(p.verify), 'state', p.state, 'approved_by', p.approved_by, 'merge_method', p.merge_method, 'version', p.version, 'created_at', p.created_at, 'updated_at', p.updated_at)

-- :define pr_comment
json_object('number', c.number, 'id', c.id, 'pr_id', c.pr_id, 'author', c.author, 'body', c.body, 'path', c.path, 'line', c.line, 'bot', json(iif(c.bot, 'true', 'false')), 'addressed_at', c.addressed_at, 'created_at', c.created_at)

-- Opens one, or brings the open one of the same branch up to date.
-- :verb pr.open WRITE WORKER AGENT
-- :in ticket_id:ref! title:text! body:text source:text! head_branch:text! base_branch:text! head_oid:text base_oid:text verify:object job_id:ref fence:int forge:text pr_number:int pr_url:text
SELECT id AS ":ticket", project_id AS ":project" FROM ticket WHERE id = @ticket_id OR number = num(@ticket_id);
SELECT refuse(66, 'no such ticket: ' || @ticket_id) WHERE :ticket IS NULL;
SELECT id AS ":job", state AS ":jobstate", fence AS ":fence", stop AS ":stop" FROM job WHERE id = @job_id OR number = num(@job_id);
SELECT refuse(65, 'job ' || :job || ' is ' || :jobstate || ', not running') WHERE :jobstate <> 'running';
SELECT refuse(65, 'job ' || :job || ': fence ' || coalesce(@fence, 'null') || ' is old, it is ' || :fence || ' now') WHERE :job IS NOT NULL AND :fence IS NOT CAST(@fence AS INTEGER);
SELECT refuse(65, 'job ' || :job || ' was asked to stop') WHERE :stop IS NOT NULL;
SELECT refuse(65, 'job ' || id || ' works on the ticket, and the record names another') FROM job WHERE :job IS NULL AND ticket_id = :ticket AND state = 'running';
SELECT id AS ":pr" FROM pr WHERE ticket_id = :ticket AND head_branch = @head_branch AND state = 'open';
UPDATE pr SET title = @title, body = coalesce(@body, body), head_oid = coalesce(@head_oid, head_oid), base_oid = coalesce(@base_oid, base_oid), verify = coalesce(:in -> 'verify', verify),
  approved_by = iif(head_oid IS @head_oid, approved_by, NULL), version = version + 1, updated_at = now() WHERE id = :pr;
INSERT INTO pr(id, project_id, ticket_id, forge, title, body, source, head_branch, base_branch, head_oid, base_oid, verify, pr_number, pr_url)
SELECT uuid7(), :project, :ticket, coalesce(@forge, 'local'), @title, @body, @source, @head_branch, @base_branch, @head_oid, @base_oid, :in -> 'verify', @pr_number, @pr_url WHERE :pr IS NULL
RETURNING id AS ":pr";
UPDATE pr SET pr_number = number, pr_url = 'tera:pr/' || number WHERE id = :pr AND forge = 'local' AND pr_number IS NULL;
SELECT $(pr) AS json FROM pr p WHERE p.id = :pr;

-- :verb pr.list READ
-- :in project:ref ticket:ref state:text after:int limit:int
$(find_ticket_if)
SELECT NULL AS ":project" WHERE @project IS NULL;
$(find_project_if)
SELECT refuse(65, 'no such state of a pull request: ' || @state) WHERE @state IS NOT NULL AND @state NOT IN ('open', 'merged', 'closed');
SELECT $(pr) AS json FROM pr p WHERE (:project IS NULL OR p.project_id = :project) AND (:ticket IS NULL OR p.ticket_id = :ticket) AND (@state IS NULL OR p.state = @state) AND p.number > coalesce(@after, 0) ORDER BY p.number LIMIT coalesce(@limit, -1);

-- :verb pr.show READ
-- :in pr:ref!
$(find_pr)
SELECT json_patch($(pr), json_object('comments', (SELECT json_group_array(json($(pr_comment))) FROM pr_comment c WHERE c.pr_id = p.id))) AS json FROM pr p WHERE p.id = :pr;

-- A person's comment queues a review job; the agent's own (bot) does not, nor
-- does one of a person who is not among the project's reviewers.
-- :verb pr.comment WRITE WORKER AGENT
-- :in pr:ref! body:text! author:text path:text line:int bot:bool
$(find_pr)
SELECT refuse(65, 'line without path') WHERE @line IS NOT NULL AND @path IS NULL;
INSERT INTO pr_comment(id, pr_id, author, body, path, line, bot) VALUES (uuid7(), :pr, @author, @body, @path, @line, coalesce(@bot, 0)) RETURNING number AS ":comment";
SELECT 1 AS ":may" FROM project p WHERE p.id = :project AND :state = 'open' AND coalesce(@bot, 0) = 0 AND (p.reviewers IS NULL OR EXISTS (SELECT 1 FROM json_each(p.reviewers) r WHERE r.value = @author));
UPDATE pr_comment SET addressed_at = now() WHERE number = :comment AND :may IS NULL;
INSERT INTO job(id, ticket_id, project_id, kind, priority, max_tries, pr_number, comment_body, github_comment_id, comment_path, comment_line)
SELECT uuid7(), :ticket, :project, 'review', 1, p.max_tries, :number, @body, :comment, @path, @line FROM project p WHERE p.id = :project AND :may = 1
ON CONFLICT (ticket_id, kind) WHERE finished_at IS NULL DO NOTHING RETURNING id AS ":job";
SELECT json_patch($(pr_comment), json_object('job_id', :job)) AS json FROM pr_comment c WHERE c.number = :comment;

-- The branch as it is on the remote now, for a person who looks at it: another
-- may have pushed.
-- :verb pr.head WRITE
-- :in pr:ref! head_oid:text!
$(find_pr)
UPDATE pr SET head_oid = @head_oid, seen_oid = @head_oid, approved_by = iif(head_oid IS @head_oid, approved_by, NULL), version = version + 1, updated_at = now() WHERE id = :pr AND state = 'open' AND (head_oid IS NOT @head_oid OR seen_oid IS NOT @head_oid);
SELECT $(pr) AS json FROM pr p WHERE p.id = :pr;

-- :verb pr.approve WRITE
-- :in pr:ref! author:text!
$(find_pr)
SELECT refuse(65, 'pull request ' || :number || ' is ' || :state || ', not open') WHERE :state <> 'open';
UPDATE pr SET approved_by = @author, version = version + 1, updated_at = now() WHERE id = :pr;
SELECT $(pr) AS json FROM pr p WHERE p.id = :pr;

-- After the merge was pushed: the pull request is merged, the ticket is done.
-- :verb pr.merged WRITE
-- :in pr:ref! method:text! merged_oid:text!
$(find_pr)
SELECT refuse(65, 'pull request ' || :number || ' is ' || :state || ', not open') WHERE :state <> 'open';
SELECT count(*) AS ":left" FROM pr_comment WHERE pr_id = :pr AND bot = 0 AND addressed_at IS NULL;
UPDATE pr SET state = 'merged', merge_method = @method, merged_oid = @merged_oid, version = version + 1, updated_at = now() WHERE id = :pr;
UPDATE ticket SET column_id = 'done', status = 'completed', version = version + 1, updated_at = now() WHERE id = :ticket AND (column_id <> 'done' OR status <> 'completed');
UPDATE job SET state = 'cancelled', reason = 'user', message = 'the pull request was merged', finished_at = now() WHERE ticket_id = :ticket AND kind = 'review' AND state IN ('pending', 'paused');
SELECT json_patch($(pr), json_object('unanswered', :left)) AS json FROM pr p WHERE p.id = :pr;

-- :verb pr.close WRITE
-- :in pr:ref!
$(find_pr)
SELECT refuse(65, 'pull request ' || :number || ' is ' || :state || ', not open') WHERE :state <> 'open';
UPDATE pr SET state = 'closed', version = version + 1, updated_at = now() WHERE id = :pr;
UPDATE job SET state = 'cancelled', reason = 'user', message = 'the pull request was closed', finished_at = now() WHERE ticket_id = :ticket AND kind = 'review' AND state IN ('pending', 'paused');
UPDATE job SET stop = 'cancel' WHERE ticket_id = :ticket AND kind = 'review' AND state = 'running';
SELECT $(pr) AS json FROM pr p WHERE p.id = :pr;
