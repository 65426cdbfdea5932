-- What the pages ask (share/www): a page's things in one answer, and no more
-- of each than it shows.

-- Who asks, as the server found him; nothing where there is no server.
-- :verb ui.who READ
-- :in actor:text only:array
SELECT record('?actor', @actor) AS json;

-- only: for who may see no others.
-- :verb ui.projects READ
-- :in deleted:bool only:array
SELECT json_patch($(project), json_object(
  'running', coalesce((SELECT running FROM turn WHERE project_id = p.id), 0),
  'waiting', (SELECT count(*) FROM job WHERE project_id = p.id AND finished_at IS NULL AND state <> 'running'),
  'columns', (SELECT json_group_object(column_id, n) FROM (SELECT column_id, count(*) AS n FROM ticket WHERE project_id = p.id AND deleted_at IS NULL GROUP BY column_id)),
  'failed', (SELECT count(*) FROM ticket WHERE project_id = p.id AND status = 'failed' AND deleted_at IS NULL),
  'open_prs', (SELECT count(*) FROM pr WHERE project_id = p.id AND state = 'open'),
  'week_usd', (SELECT total(cost_usd) FROM attempt WHERE project_id = p.id AND cost_usd IS NOT NULL AND started_at >= strftime('%Y-%m-%dT%H:%M:%fZ', :now, '-7 days')))) AS json
FROM project p WHERE (deleted_at IS NOT NULL) = coalesce(@deleted, 0) AND iif(@only IS NULL, 1, p.id IN (SELECT value FROM json_each(@only))) ORDER BY number;

-- A card.  There are many, so a key that would hold nothing is left out, and
-- so are what most have (priority medium, status todo) and what only sorts the
-- columns where the last change is on top.
-- :verb ui.cards READ
-- :in project:ref! tickets:array
$(find_project)
SELECT record('number', t.number, 'id', t.id, 'title', t.title, 'column_id', t.column_id, '?priority', nullif(t.priority, 'medium'), '?status', nullif(t.status, 'todo'), 'version', t.version,
  '?updated_at', iif(t.column_id IN ('in_review', 'done'), t.updated_at, NULL),
  '?nodes', raw(nullif(t.associated_node_ids, '[]')),
  '?needs', (SELECT nullif(json_group_array(n.number), '[]') FROM dependency d JOIN ticket n ON n.id = d.needs_id WHERE d.ticket_id = t.id AND n.deleted_at IS NULL),
  '?blocked', iif(EXISTS ($(unmet)), bool(1), NULL),
  '?job', iif(j.number IS NULL, NULL, record('id', j.id, 'number', j.number, 'kind', j.kind, 'state', j.state, '?reason', j.reason, '?message', j.message, '?worker', j.worker, '?stop', j.stop, '?run_after', j.run_after, 'tries', j.tries, 'max_tries', j.max_tries,
    '?claimed_at', j.claimed_at, '?verdict', a.verdict, '?turns', a.turns, '?step', l.step, '?summary', substr(l.summary, 1, 120))),
  '?cost_usd', (SELECT sum(c.cost_usd) FROM job k JOIN attempt c ON c.job_id = k.id WHERE k.ticket_id = t.id),
  '?pr', (SELECT record('id', id, 'number', number, '?pr_number', pr_number, '?url', pr_url, 'state', state, 'forge', forge, '?approved_by', approved_by) FROM pr WHERE ticket_id = t.id ORDER BY number DESC LIMIT 1)) AS json
FROM ticket t LEFT JOIN job j ON j.number = (SELECT max(number) FROM job WHERE ticket_id = t.id)
LEFT JOIN attempt a ON a.job_id = j.id AND a.fence = j.fence
LEFT JOIN log l ON j.state = 'running' AND l.seq = (SELECT max(seq) FROM log WHERE job_id = j.id)
WHERE t.project_id = :project AND t.deleted_at IS NULL AND iif(@tickets IS NULL, 1, t.id IN (SELECT value FROM json_each(@tickets))) ORDER BY t.number;

-- The log of a ticket without its outputs, which log.list has; of what an agent
-- just says there is the beginning.
-- :verb ui.log READ
-- :in ticket:ref! since:int limit:int
$(find_ticket)
SELECT record('seq', seq, '?job_id', job_id, 'step', step, '?summary', nullif(summary, ''), '?raw', length(raw_output), '?head', iif(step = 'output', substr(raw_output, 1, 400), NULL), '?raw_file', raw_file, 'success', bool(success), 'created_at', created_at) AS json
FROM log WHERE ticket_id = :ticket AND seq > coalesce(@since, 0) ORDER BY seq LIMIT coalesce(@limit, -1);

-- The jobs that are live, and of those that ended the last ones by number.
-- :verb ui.jobs READ
-- :in project:ref ended:int only:array
$(find_project_if)
WITH shown AS (SELECT number FROM job WHERE finished_at IS NULL AND iif(:project IS NULL, 1, project_id = :project)
  UNION ALL SELECT * FROM (SELECT number FROM job WHERE +finished_at IS NOT NULL AND iif(:project IS NULL, 1, project_id = :project) AND iif(@only IS NULL, 1, project_id IN (SELECT value FROM json_each(@only))) ORDER BY number DESC LIMIT coalesce(@ended, 100)))
SELECT record('id', j.id, 'number', j.number, 'kind', j.kind, 'state', j.state, '?reason', j.reason, '?message', j.message, 'priority', j.priority, '?blocked', iif(j.blocked, bool(1), NULL), '?run_after', j.run_after,
  'tries', j.tries, 'max_tries', j.max_tries, '?worker', coalesce(j.worker, a.worker), '?stop', j.stop, '?lease_until', j.lease_until, 'created_at', j.created_at, '?claimed_at', j.claimed_at, '?finished_at', j.finished_at,
  'ticket', t.number, 'title', t.title, 'project', p.number, 'project_name', p.name, '?verdict', a.verdict, '?turns', a.turns,
  '?tokens', (SELECT sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0)) FROM attempt WHERE job_id = j.id), '?cost_usd', (SELECT sum(cost_usd) FROM attempt WHERE job_id = j.id)) AS json
FROM shown s CROSS JOIN job j ON j.number = s.number JOIN ticket t ON t.id = j.ticket_id JOIN project p ON p.id = j.project_id LEFT JOIN attempt a ON a.job_id = j.id AND a.fence = j.fence
WHERE iif(@only IS NULL, 1, j.project_id IN (SELECT value FROM json_each(@only))) ORDER BY j.number;

-- The attempts that ended in the last day, by the hour (UTC); of more than
-- 20,000 the last ones.
-- :verb ui.day READ
-- :in project:ref only:array
$(find_project_if)
SELECT record('hour', substr(ended_at, 1, 13), 'completed', sum(outcome = 'completed'), 'failed', sum(outcome = 'failed'), 'other', sum(outcome NOT IN ('completed', 'failed')), 'pass', sum(verdict IS 'pass'), 'fail', sum(verdict IN ('fail', 'error', 'unknown')),
  'tokens', sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0)), 'cost_usd', total(cost_usd)) AS json
FROM attempt WHERE number > (SELECT max(number) FROM attempt) - 20000 AND ended_at >= strftime('%Y-%m-%dT%H', :now, '-23 hours') AND iif(:project IS NULL, 1, project_id = :project)
  AND iif(@only IS NULL, 1, project_id IN (SELECT value FROM json_each(@only))) GROUP BY substr(ended_at, 1, 13) ORDER BY substr(ended_at, 1, 13);

-- Pull requests of a state, the open ones where none is named, or one; with
-- whose turn it is, and without their texts.
-- :verb ui.pulls READ
-- :in project:ref state:text pr:ref only:array
$(find_project_if)
SELECT refuse(65, 'no such state of a pull request: ' || @state) WHERE @state NOT IN ('open', 'merged', 'closed');
SELECT record('number', p.number, 'id', p.id, 'title', p.title, 'ticket', t.number, 'project', j.number, 'project_name', j.name, 'forge', p.forge, 'state', p.state, '?approved_by', p.approved_by, '?verdict', p.verify ->> 'verdict',
  '?job', (SELECT record('number', number, 'state', state) FROM job WHERE ticket_id = p.ticket_id AND kind = 'review' AND finished_at IS NULL), 'updated_at', p.updated_at) AS json
FROM pr p JOIN ticket t ON t.id = p.ticket_id JOIN project j ON j.id = p.project_id
WHERE iif(@pr IS NULL, p.state = coalesce(@state, 'open') AND j.deleted_at IS NULL AND t.deleted_at IS NULL AND iif(:project IS NULL, 1, p.project_id = :project), p.id = @pr OR p.number = num(@pr))
  AND iif(@only IS NULL, 1, p.project_id IN (SELECT value FROM json_each(@only))) ORDER BY p.number DESC LIMIT 1000;

-- The history, what was last first: of the events after since and before
-- before those that fit, each with the names of what it is about.  Who looks
-- for what is rare asks for one stretch after the other.
-- :verb ui.events READ
-- :in since:int before:int limit:int noun:text project:ref text:text only:array
$(find_project_if)
SELECT record('seq', e.seq, 'at', e.at, 'noun', e.noun, 'what', e.what, '?id', e.id, '?project', p.number, '?project_name', p.name, '?gone', iif(p.deleted_at IS NULL, NULL, bool(1)), '?ticket', t.number, '?title', t.title, '?job', j.number,
  '?pr', CASE e.noun WHEN 'pr' THEN (SELECT number FROM pr WHERE id = e.id) WHEN 'pr_comment' THEN e.data ->> 'pr' END,
  'data', raw(iif(length(e.data) > 4000, json_object('…', substr(e.data, 1, 4000)), e.data)), '?actor', s.actor, '?late', iif(s.late, bool(1), NULL), '?hash', lower(hex(substr(s.hash, -32 * (s.seq - e.seq + 1), 32)))) AS json
FROM event e LEFT JOIN seal s ON s.seq = (SELECT min(seq) FROM seal WHERE seq >= e.seq)
LEFT JOIN project p ON p.id = e.project_id LEFT JOIN ticket t ON t.id = e.ticket_id LEFT JOIN job j ON j.id = e.job_id
WHERE e.seq > coalesce(@since, 0) AND e.seq < coalesce(@before, 9223372036854775807) AND iif(@noun IS NULL, 1, e.noun = @noun) AND iif(:project IS NULL, 1, e.project_id = :project)
  AND iif(@only IS NULL, 1, e.project_id IN (SELECT value FROM json_each(@only)))
  AND iif(@text IS NULL, 1, instr(lower(e.noun || '.' || e.what || ' ' || coalesce(s.actor, '') || ' ' || coalesce(t.title, '') || ' ' || e.data), lower(@text)) > 0)
ORDER BY e.seq DESC LIMIT coalesce(@limit, 1000);
