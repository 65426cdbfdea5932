-- The store: nouns, their rules, and the events of every change.
--
-- Rules live here, so that no writer can break them, the sqlite3 shell
-- included.  Column name = JSON key.  Ids are UUIDs of version 7 (RFC 9562);
-- number is the same row's short name for people.  Times are RFC 3339 UTC.
-- A noun that people edit has a version that rises with each change.
-- Messages of RAISE are what a person reads: lower case, one line.

PRAGMA application_id = 0x54455241; -- "TERA"

CREATE TABLE kind ( -- of jobs; a new kind is a new row and a pipeline file
  name TEXT PRIMARY KEY,
  pipeline TEXT NOT NULL -- share/pipeline/NAME.json
) STRICT, WITHOUT ROWID;
INSERT INTO kind VALUES ('ticket','ticket'), ('review','review'), ('setup','setup');

CREATE TABLE project (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE CONSTRAINT project_id_is_a_uuid CHECK (length(id) = 36),
  name TEXT NOT NULL CONSTRAINT project_name_has_1_to_255_characters CHECK (length(name) BETWEEN 1 AND 255),
  description TEXT,
  repo_url TEXT,
  project_path TEXT,
  execution_mode TEXT NOT NULL DEFAULT 'docker' CONSTRAINT execution_mode_is_docker_or_local CHECK (execution_mode IN ('docker','local')),
  base_branch TEXT,      -- NULL: the remote's default
  verify_command TEXT,   -- NULL: detected from the files
  worker TEXT,           -- share/worker/NAME; NULL: the coordinator's choice
  pipeline TEXT,         -- NULL: that of the job's kind
  limits TEXT NOT NULL DEFAULT '{}' CONSTRAINT limits_is_an_object CHECK (json_type(limits) = 'object'), -- of a job: turns seconds tokens cost_usd memory_mb verify_seconds
  max_running INTEGER CONSTRAINT max_running_is_not_negative CHECK (max_running >= 0),
  max_tries INTEGER NOT NULL DEFAULT 3 CONSTRAINT max_tries_is_positive CHECK (max_tries > 0),
  max_cost_day REAL CONSTRAINT max_cost_day_is_not_negative CHECK (max_cost_day >= 0), -- US dollars
  reviewers TEXT CONSTRAINT reviewers_is_a_list CHECK (json_type(reviewers) = 'array'), -- who may start a review job by a comment; NULL: anyone who may write to the store
  version INTEGER NOT NULL DEFAULT 1,
  created_at TEXT NOT NULL DEFAULT (now()),
  updated_at TEXT NOT NULL DEFAULT (now()),
  deleted_at TEXT
) STRICT;
CREATE INDEX project_name ON project(name);

CREATE TABLE graph (
  id TEXT NOT NULL,
  project_id TEXT PRIMARY KEY REFERENCES project(id),
  nodes TEXT NOT NULL DEFAULT '[]' CONSTRAINT nodes_is_a_list CHECK (json_type(nodes) = 'array'),
  edges TEXT NOT NULL DEFAULT '[]' CONSTRAINT edges_is_a_list CHECK (json_type(edges) = 'array'),
  version INTEGER NOT NULL DEFAULT 1,
  created_at TEXT NOT NULL DEFAULT (now()),
  updated_at TEXT NOT NULL DEFAULT (now())
) STRICT, WITHOUT ROWID;

CREATE TABLE board (
  id TEXT NOT NULL,
  project_id TEXT PRIMARY KEY REFERENCES project(id),
  columns TEXT NOT NULL DEFAULT '[{"id":"backlog","title":"Backlog","order":0},{"id":"in_progress","title":"In Progress","order":1},{"id":"in_review","title":"In Review","order":2},{"id":"done","title":"Done","order":3}]'
    CONSTRAINT columns_is_a_list CHECK (json_type(columns) = 'array'),
  version INTEGER NOT NULL DEFAULT 1,
  created_at TEXT NOT NULL DEFAULT (now()),
  updated_at TEXT NOT NULL DEFAULT (now())
) STRICT, WITHOUT ROWID;

CREATE TABLE ticket (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE CONSTRAINT ticket_id_is_a_uuid CHECK (length(id) = 36),
  project_id TEXT NOT NULL REFERENCES project(id),
  column_id TEXT NOT NULL DEFAULT 'backlog',
  title TEXT NOT NULL CONSTRAINT title_has_1_to_255_characters CHECK (length(title) BETWEEN 1 AND 255),
  description TEXT,
  acceptance TEXT,
  associated_node_ids TEXT NOT NULL DEFAULT '[]' CONSTRAINT associated_node_ids_is_a_list CHECK (json_type(associated_node_ids) = 'array'),
  associated_edge_ids TEXT NOT NULL DEFAULT '[]' CONSTRAINT associated_edge_ids_is_a_list CHECK (json_type(associated_edge_ids) = 'array'),
  priority TEXT NOT NULL DEFAULT 'medium' CONSTRAINT priority_is_a_word CHECK (length(priority) BETWEEN 1 AND 50),
  status TEXT NOT NULL DEFAULT 'todo' CONSTRAINT status_is_a_word CHECK (length(status) BETWEEN 1 AND 50),
  version INTEGER NOT NULL DEFAULT 1,
  created_at TEXT NOT NULL DEFAULT (now()),
  updated_at TEXT NOT NULL DEFAULT (now()),
  deleted_at TEXT
) STRICT;
CREATE INDEX ticket_board ON ticket(project_id, column_id);

CREATE TABLE dependency ( -- ticket_id waits until needs_id is done
  ticket_id TEXT NOT NULL REFERENCES ticket(id),
  needs_id TEXT NOT NULL REFERENCES ticket(id),
  kind TEXT NOT NULL DEFAULT 'blocks',
  created_at TEXT NOT NULL DEFAULT (now()),
  PRIMARY KEY (ticket_id, needs_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX dependency_needs ON dependency(needs_id);

CREATE TABLE comment (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  ticket_id TEXT NOT NULL REFERENCES ticket(id),
  author TEXT,
  body TEXT NOT NULL CONSTRAINT body_is_not_blank CHECK (trim(body) <> ''),
  created_at TEXT NOT NULL DEFAULT (now())
) STRICT;
CREATE INDEX comment_ticket ON comment(ticket_id);

CREATE TABLE note (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  project_id TEXT NOT NULL REFERENCES project(id),
  title TEXT CONSTRAINT note_title_has_up_to_255_characters CHECK (length(title) <= 255),
  content TEXT,
  node_ids TEXT NOT NULL DEFAULT '[]' CONSTRAINT node_ids_is_a_list CHECK (json_type(node_ids) = 'array'),
  edge_ids TEXT NOT NULL DEFAULT '[]' CONSTRAINT edge_ids_is_a_list CHECK (json_type(edge_ids) = 'array'),
  version INTEGER NOT NULL DEFAULT 1,
  created_at TEXT NOT NULL DEFAULT (now()),
  updated_at TEXT NOT NULL DEFAULT (now())
) STRICT;
CREATE INDEX note_project ON note(project_id);

CREATE TABLE setting (
  key TEXT PRIMARY KEY CONSTRAINT key_has_1_to_255_characters CHECK (length(key) BETWEEN 1 AND 255),
  value TEXT NOT NULL,   -- encrypted when secret is 1
  secret INTEGER NOT NULL DEFAULT 0 CONSTRAINT secret_is_0_or_1 CHECK (secret IN (0, 1)),
  version INTEGER NOT NULL DEFAULT 1,
  created_at TEXT NOT NULL DEFAULT (now()),
  updated_at TEXT NOT NULL DEFAULT (now())
) STRICT, WITHOUT ROWID;

CREATE TABLE job (
  number INTEGER PRIMARY KEY, -- age: what was queued first has the lower
  id TEXT NOT NULL UNIQUE CONSTRAINT job_id_is_a_uuid CHECK (length(id) = 36),
  ticket_id TEXT NOT NULL REFERENCES ticket(id),
  project_id TEXT NOT NULL REFERENCES project(id),
  kind TEXT NOT NULL REFERENCES kind(name),
  -- a list of IN is a table that each change would make anew
  state TEXT NOT NULL DEFAULT 'pending' CONSTRAINT job_state_is_known CHECK (instr(' pending running completed failed cancelled paused ', ' ' || state || ' ') AND NOT instr(state, ' ')),
  reason TEXT CONSTRAINT job_reason_is_known CHECK (instr(' ok partial error timeout lost user budget stall verify push conflict config ', ' ' || reason || ' ') AND NOT instr(reason, ' ')),
  message TEXT,          -- the reason in a sentence
  priority INTEGER NOT NULL DEFAULT 0,
  run_after TEXT,
  parked INTEGER NOT NULL DEFAULT 0,  -- 1: run_after has not come
  blocked INTEGER NOT NULL DEFAULT 0, -- 1: the ticket waits for another
  tries INTEGER NOT NULL DEFAULT 0,
  max_tries INTEGER NOT NULL DEFAULT 3,
  fence INTEGER NOT NULL DEFAULT 0,
  lease_until TEXT,
  worker TEXT,
  stop TEXT CONSTRAINT stop_is_known CHECK (stop IN ('cancel','pause')), -- asked of the running worker
  pr_number INTEGER,
  comment_body TEXT,
  github_comment_id INTEGER,
  comment_path TEXT,
  comment_line INTEGER,
  created_at TEXT NOT NULL DEFAULT (now()),
  claimed_at TEXT,
  finished_at TEXT,
  CONSTRAINT a_running_job_has_a_lease CHECK (state <> 'running' OR lease_until IS NOT NULL)
) STRICT;
-- One live job a ticket and kind; the ready queue, of each priority by project;
-- leases that may have expired; jobs whose time may have come.  A claim or an end pays for
-- each that its change of state touches: job_live asks for finished_at, which
-- job_changed keeps true to the state, so that a claim leaves it alone.
CREATE UNIQUE INDEX job_live ON job(ticket_id, kind) WHERE finished_at IS NULL;
CREATE INDEX job_ready ON job(priority DESC, project_id) WHERE state = 'pending' AND parked = 0 AND blocked = 0;
CREATE INDEX job_lease ON job(lease_until) WHERE state = 'running';
CREATE INDEX job_parked ON job(run_after) WHERE parked = 1;
CREATE INDEX job_ticket ON job(ticket_id);

CREATE TABLE turn ( -- of a project, for fairness and limits; job_changed keeps it
  project_id TEXT PRIMARY KEY,
  running INTEGER NOT NULL DEFAULT 0, -- jobs
  last INTEGER NOT NULL DEFAULT 0 -- when one was claimed last: the seq of the event before
) STRICT, WITHOUT ROWID;

CREATE TABLE attempt ( -- one claim of a job
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  job_id TEXT NOT NULL REFERENCES job(id),
  project_id TEXT NOT NULL REFERENCES project(id),
  fence INTEGER NOT NULL,
  stage TEXT,
  worker TEXT,
  started_at TEXT NOT NULL DEFAULT (now()),
  ended_at TEXT,
  outcome TEXT,
  reason TEXT,
  exit INTEGER,
  turns INTEGER,
  input_tokens INTEGER,
  output_tokens INTEGER,
  cost_usd REAL,
  verdict TEXT,
  CONSTRAINT one_attempt_a_fence UNIQUE (job_id, fence)
) STRICT;
CREATE TABLE outcome ( -- the record with which it ended; a row of its own, for a job or attempt that grew by it would split its page
  attempt INTEGER PRIMARY KEY REFERENCES attempt(number),
  record TEXT NOT NULL CONSTRAINT outcome_is_json CHECK (json_valid(record))
) STRICT;
-- What a project costs.
CREATE INDEX attempt_cost ON attempt(project_id, started_at) WHERE cost_usd IS NOT NULL;

CREATE TABLE log (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  project_id TEXT NOT NULL REFERENCES project(id),
  ticket_id TEXT NOT NULL REFERENCES ticket(id),
  job_id TEXT REFERENCES job(id),
  session_id TEXT CONSTRAINT session_id_has_up_to_255_characters CHECK (length(session_id) <= 255),
  step TEXT NOT NULL DEFAULT 'step' CONSTRAINT step_has_up_to_100_characters CHECK (length(step) <= 100),
  summary TEXT,
  raw_output TEXT,
  raw_file TEXT,         -- where the whole output is, when raw_output was cut
  success INTEGER NOT NULL DEFAULT 1,
  created_at TEXT NOT NULL DEFAULT (now())
) STRICT;
CREATE INDEX log_ticket ON log(ticket_id);
CREATE INDEX log_job ON log(job_id);

CREATE TABLE pr (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  project_id TEXT NOT NULL REFERENCES project(id),
  ticket_id TEXT NOT NULL REFERENCES ticket(id),
  forge TEXT NOT NULL DEFAULT 'local',
  pr_number INTEGER,     -- on the forge; for the local forge = number
  pr_url TEXT,
  title TEXT NOT NULL,
  body TEXT,
  source TEXT NOT NULL,  -- the repository: URL or path
  head_branch TEXT NOT NULL,
  base_branch TEXT NOT NULL,
  head_oid TEXT,
  base_oid TEXT,
  seen_oid TEXT,         -- the head whose diff somebody looked at last
  merged_oid TEXT,
  verify TEXT CONSTRAINT verify_is_json CHECK (verify IS NULL OR json_valid(verify)),
  state TEXT NOT NULL DEFAULT 'open' CONSTRAINT pr_state_is_known CHECK (state IN ('open','merged','closed')),
  approved_by TEXT,
  merge_method TEXT CONSTRAINT merge_method_is_known CHECK (merge_method IN ('merge','squash','rebase')),
  version INTEGER NOT NULL DEFAULT 1,
  created_at TEXT NOT NULL DEFAULT (now()),
  updated_at TEXT NOT NULL DEFAULT (now())
) STRICT;
CREATE UNIQUE INDEX pr_open ON pr(ticket_id, head_branch) WHERE state = 'open';
CREATE INDEX pr_ticket ON pr(ticket_id);
CREATE INDEX pr_project ON pr(project_id, state);

CREATE TABLE pr_comment (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  pr_id TEXT NOT NULL REFERENCES pr(id),
  author TEXT,
  body TEXT NOT NULL CONSTRAINT comment_is_not_blank CHECK (trim(body) <> ''),
  path TEXT,
  line INTEGER,
  bot INTEGER NOT NULL DEFAULT 0, -- 1: written by the agent
  addressed_at TEXT,
  created_at TEXT NOT NULL DEFAULT (now())
) STRICT;
CREATE INDEX pr_comment_pr ON pr_comment(pr_id);

-- The history.  event says what; seal, written by the same commit, says who
-- and proves it: a row covers the events of the commit (lib/seal.h has the
-- record that is hashed).
CREATE TABLE event (
  seq INTEGER PRIMARY KEY CONSTRAINT event_seq_is_positive CHECK (seq > 0),
  at TEXT NOT NULL DEFAULT (now()),
  noun TEXT NOT NULL,
  what TEXT NOT NULL,
  id TEXT,
  project_id TEXT,
  ticket_id TEXT,
  job_id TEXT,
  data TEXT NOT NULL CONSTRAINT data_is_json CHECK (json_valid(data))
) STRICT;
CREATE TABLE seal (
  seq INTEGER PRIMARY KEY, -- of the last event that it covers
  actor TEXT,
  late INTEGER NOT NULL, -- 1: another program wrote the events
  hash BLOB NOT NULL     -- 32 bytes an event, in their order
) STRICT;
-- REPLACE deletes without the triggers of DELETE: it is refused as it comes.
-- (Before a row that names no seq, NEW.seq is -1.)
CREATE TRIGGER event_is_new BEFORE INSERT ON event WHEN NEW.seq > 0 AND EXISTS (SELECT 1 FROM event WHERE seq = NEW.seq) BEGIN SELECT raise(ABORT, 'an event cannot be changed'); END;
CREATE TRIGGER seal_is_new BEFORE INSERT ON seal WHEN EXISTS (SELECT 1 FROM seal WHERE seq = NEW.seq) BEGIN SELECT raise(ABORT, 'a seal cannot be changed'); END;
CREATE TRIGGER event_stays BEFORE UPDATE ON event BEGIN SELECT raise(ABORT, 'an event cannot be changed'); END;
CREATE TRIGGER event_stays_too BEFORE DELETE ON event BEGIN SELECT raise(ABORT, 'an event cannot be removed'); END;
CREATE TRIGGER seal_stays BEFORE UPDATE ON seal BEGIN SELECT raise(ABORT, 'a seal cannot be changed'); END;
CREATE TRIGGER seal_stays_too BEFORE DELETE ON seal BEGIN SELECT raise(ABORT, 'a seal cannot be removed'); END;

-- project, graph, board
CREATE TRIGGER project_added AFTER INSERT ON project BEGIN
  INSERT INTO graph(id, project_id) VALUES (NEW.id, NEW.id);
  INSERT INTO board(id, project_id) VALUES (NEW.id, NEW.id);
  INSERT INTO turn(project_id) VALUES (NEW.id);
  INSERT INTO event(noun, what, id, project_id, data) VALUES ('project', 'added', NEW.id, NEW.id, json_object('name', NEW.name));
END;
CREATE TRIGGER project_changed AFTER UPDATE ON project BEGIN
  INSERT INTO event(noun, what, id, project_id, data) VALUES ('project',
    CASE WHEN NEW.deleted_at IS OLD.deleted_at THEN 'changed' WHEN NEW.deleted_at IS NULL THEN 'restored' ELSE 'removed' END, NEW.id, NEW.id,
    json_object('name', NEW.name, 'repo_url', NEW.repo_url, 'project_path', NEW.project_path, 'version', NEW.version));
END;
CREATE TRIGGER project_stays BEFORE DELETE ON project BEGIN SELECT raise(ABORT, 'a project is removed by setting deleted_at'); END;
CREATE TRIGGER graph_changed AFTER UPDATE ON graph BEGIN
  INSERT INTO event(noun, what, id, project_id, data) VALUES ('graph', 'changed', NEW.id, NEW.project_id, json_object('version', NEW.version));
END;
CREATE TRIGGER board_changed AFTER UPDATE ON board BEGIN
  INSERT INTO event(noun, what, id, project_id, data) VALUES ('board', 'changed', NEW.id, NEW.project_id, json_object('version', NEW.version));
END;

-- ticket and what hangs on it
CREATE TRIGGER ticket_added AFTER INSERT ON ticket BEGIN
  INSERT INTO event(noun, what, id, project_id, ticket_id, data) VALUES ('ticket', 'added', NEW.id, NEW.project_id, NEW.id, json_object('number', NEW.number, 'title', NEW.title, 'column_id', NEW.column_id, 'status', NEW.status));
END;
CREATE TRIGGER ticket_changed AFTER UPDATE ON ticket BEGIN
  INSERT INTO event(noun, what, id, project_id, ticket_id, data) VALUES ('ticket',
    CASE WHEN NEW.column_id <> OLD.column_id THEN 'moved' WHEN NEW.deleted_at IS OLD.deleted_at THEN 'changed' WHEN NEW.deleted_at IS NULL THEN 'restored' ELSE 'removed' END, NEW.id, NEW.project_id, NEW.id,
    json_object('number', NEW.number, 'title', NEW.title, 'from', OLD.column_id, 'to', NEW.column_id, 'status', NEW.status, 'version', NEW.version));
END;
CREATE VIEW unmet AS SELECT ticket_id FROM dependency JOIN ticket ON id = needs_id WHERE column_id <> 'done' AND deleted_at IS NULL;
CREATE TRIGGER ticket_unblocks AFTER UPDATE OF column_id, deleted_at ON ticket WHEN (NEW.column_id = 'done' OR NEW.deleted_at IS NOT NULL) <> (OLD.column_id = 'done' OR OLD.deleted_at IS NOT NULL) BEGIN
  UPDATE job SET blocked = EXISTS (SELECT 1 FROM unmet u WHERE u.ticket_id = job.ticket_id) WHERE state <> 'completed' AND ticket_id IN (SELECT ticket_id FROM dependency WHERE needs_id = NEW.id);
END;
CREATE TRIGGER ticket_stays BEFORE DELETE ON ticket BEGIN SELECT raise(ABORT, 'a ticket is removed by setting deleted_at'); END;

CREATE TRIGGER dependency_loops BEFORE INSERT ON dependency
WHEN EXISTS (WITH RECURSIVE up(id) AS (SELECT NEW.needs_id UNION SELECT d.needs_id FROM dependency d JOIN up ON d.ticket_id = up.id) SELECT 1 FROM up WHERE id = NEW.ticket_id)
BEGIN SELECT raise(ABORT, 'the dependency would close a cycle'); END;
CREATE TRIGGER dependency_added AFTER INSERT ON dependency BEGIN
  UPDATE job SET blocked = EXISTS (SELECT 1 FROM unmet u WHERE u.ticket_id = job.ticket_id) WHERE state <> 'completed' AND ticket_id = NEW.ticket_id;
  INSERT INTO event(noun, what, id, project_id, ticket_id, data) SELECT 'dependency', 'added', id, project_id, id, json_object('needs_id', NEW.needs_id) FROM ticket WHERE id = NEW.ticket_id;
END;
CREATE TRIGGER dependency_removed AFTER DELETE ON dependency BEGIN
  UPDATE job SET blocked = EXISTS (SELECT 1 FROM unmet u WHERE u.ticket_id = job.ticket_id) WHERE state <> 'completed' AND ticket_id = OLD.ticket_id;
  INSERT INTO event(noun, what, id, project_id, ticket_id, data) SELECT 'dependency', 'removed', id, project_id, id, json_object('needs_id', OLD.needs_id) FROM ticket WHERE id = OLD.ticket_id;
END;
CREATE TRIGGER comment_added AFTER INSERT ON comment BEGIN
  INSERT INTO event(noun, what, id, project_id, ticket_id, data) SELECT 'comment', 'added', NEW.id, project_id, NEW.ticket_id, json_object('author', NEW.author, 'body', NEW.body) FROM ticket WHERE id = NEW.ticket_id;
END;
CREATE TRIGGER note_added AFTER INSERT ON note BEGIN
  INSERT INTO event(noun, what, id, project_id, data) VALUES ('note', 'added', NEW.id, NEW.project_id, json_object('title', NEW.title));
END;
CREATE TRIGGER note_changed AFTER UPDATE ON note BEGIN
  INSERT INTO event(noun, what, id, project_id, data) VALUES ('note', 'changed', NEW.id, NEW.project_id, json_object('title', NEW.title, 'version', NEW.version));
END;
CREATE TRIGGER note_removed AFTER DELETE ON note BEGIN
  INSERT INTO event(noun, what, id, project_id, data) VALUES ('note', 'removed', OLD.id, OLD.project_id, '{}');
END;
-- A setting's event never holds a secret's value.
CREATE TRIGGER setting_added AFTER INSERT ON setting BEGIN
  INSERT INTO event(noun, what, id, data) VALUES ('setting', 'added', NEW.key, json_object('value', iif(NEW.secret, NULL, NEW.value), 'secret', NEW.secret));
END;
CREATE TRIGGER setting_changed AFTER UPDATE ON setting BEGIN
  INSERT INTO event(noun, what, id, data) VALUES ('setting', 'changed', NEW.key, json_object('value', iif(NEW.secret, NULL, NEW.value), 'secret', NEW.secret));
END;
CREATE TRIGGER setting_removed AFTER DELETE ON setting BEGIN
  INSERT INTO event(noun, what, id, data) VALUES ('setting', 'removed', OLD.key, '{}');
END;

-- The states of a job: the moves that are allowed are those of the first CASE
-- of job_changed.  A verb that would break this refuses first, with a message
-- that names both states.
CREATE TRIGGER job_stays BEFORE DELETE ON job BEGIN SELECT raise(ABORT, 'a job is kept: cancel it'); END;
CREATE TRIGGER attempt_stays BEFORE DELETE ON attempt BEGIN SELECT raise(ABORT, 'an attempt is kept'); END;
CREATE TRIGGER job_added AFTER INSERT ON job BEGIN
  SELECT raise(ABORT, 'a new job is pending') WHERE NEW.state <> 'pending' OR NEW.finished_at IS NOT NULL;
  INSERT INTO event(noun, what, id, project_id, ticket_id, job_id, data) VALUES ('job', 'pending', NEW.id, NEW.project_id, NEW.ticket_id, NEW.id, json_object('number', NEW.number, 'kind', NEW.kind, 'priority', NEW.priority));
END;
CREATE TRIGGER job_changed AFTER UPDATE OF state, fence, finished_at, priority, stop, run_after, blocked ON job
WHEN NEW.state <> OLD.state OR NEW.fence < OLD.fence OR NEW.finished_at IS NOT OLD.finished_at OR NEW.priority <> OLD.priority OR NEW.stop IS NOT OLD.stop OR NEW.run_after IS NOT OLD.run_after OR NEW.blocked <> OLD.blocked BEGIN
  SELECT CASE WHEN NEW.state <> OLD.state AND NOT instr(
    ' pending>running pending>cancelled running>completed running>failed running>cancelled running>paused running>pending paused>pending paused>cancelled failed>pending cancelled>pending ',
    ' ' || OLD.state || '>' || NEW.state || ' ') THEN raise(ABORT, 'a job cannot move so') WHEN NEW.fence < OLD.fence THEN raise(ABORT, 'a fence only grows') WHEN (NEW.finished_at IS NULL) <> (instr('pending running paused', NEW.state) > 0) THEN raise(ABORT, 'a job that is over has finished_at, a live one has none') END;
  UPDATE attempt SET ended_at = now(), outcome = NEW.state, reason = NEW.reason WHERE job_id = NEW.id AND fence = OLD.fence AND ended_at IS NULL AND NEW.state <> 'running';
  UPDATE turn SET running = running + iif(NEW.state = 'running', 1, -1), last = iif(NEW.state = 'running', (SELECT max(seq) FROM event), last) WHERE project_id = NEW.project_id AND (NEW.state = 'running') <> (OLD.state = 'running');
  INSERT INTO event(noun, what, id, project_id, ticket_id, job_id, data) VALUES ('job', iif(NEW.state = OLD.state, 'changed', NEW.state), NEW.id, NEW.project_id, NEW.ticket_id, NEW.id,
    iif(NEW.state = OLD.state, json_object('priority', NEW.priority, 'stop', NEW.stop, 'run_after', NEW.run_after, 'blocked', NEW.blocked), json_object('from', OLD.state, 'reason', NEW.reason, 'fence', NEW.fence, 'worker', NEW.worker, 'tries', NEW.tries)));
END;
CREATE TRIGGER attempt_ended AFTER UPDATE OF input_tokens, output_tokens, cost_usd, turns, exit, verdict ON attempt BEGIN
  INSERT INTO event(noun, what, id, project_id, job_id, data) VALUES ('attempt', 'ended', NEW.id, NEW.project_id, NEW.job_id, json_object('fence', NEW.fence, 'exit', NEW.exit, 'turns', NEW.turns, 'input_tokens', NEW.input_tokens, 'output_tokens', NEW.output_tokens, 'cost_usd', NEW.cost_usd, 'verdict', NEW.verdict));
END;
CREATE TRIGGER log_added AFTER INSERT ON log BEGIN
  INSERT INTO event(noun, what, id, project_id, ticket_id, job_id, data) VALUES ('log', 'added', NEW.id, NEW.project_id, NEW.ticket_id, NEW.job_id, json_object('seq', NEW.seq, 'step', NEW.step, 'summary', NEW.summary));
END;
CREATE TRIGGER pr_added AFTER INSERT ON pr BEGIN
  INSERT INTO event(noun, what, id, project_id, ticket_id, data) VALUES ('pr', 'opened', NEW.id, NEW.project_id, NEW.ticket_id, json_object('number', NEW.number, 'title', NEW.title, 'head_oid', NEW.head_oid));
END;
CREATE TRIGGER pr_moves BEFORE UPDATE OF state ON pr WHEN OLD.state = 'merged' AND NEW.state <> 'merged'
BEGIN SELECT raise(ABORT, 'a merged pull request stays merged'); END;
CREATE TRIGGER pr_changed AFTER UPDATE ON pr BEGIN
  INSERT INTO event(noun, what, id, project_id, ticket_id, data) VALUES ('pr',
    CASE WHEN NEW.state <> OLD.state THEN NEW.state WHEN NEW.approved_by IS NOT OLD.approved_by THEN 'approved' ELSE 'changed' END, NEW.id, NEW.project_id, NEW.ticket_id,
    json_object('number', NEW.number, 'head_oid', NEW.head_oid, 'merged_oid', NEW.merged_oid, 'approved_by', NEW.approved_by));
END;
CREATE TRIGGER pr_comment_added AFTER INSERT ON pr_comment BEGIN
  INSERT INTO event(noun, what, id, project_id, ticket_id, data) SELECT 'pr_comment', 'added', NEW.id, project_id, ticket_id, json_object('pr', number, 'author', NEW.author, 'body', NEW.body) FROM pr WHERE id = NEW.pr_id;
END;
CREATE TRIGGER pr_comment_addressed AFTER UPDATE OF addressed_at ON pr_comment WHEN NEW.addressed_at IS NOT OLD.addressed_at BEGIN
  INSERT INTO event(noun, what, id, project_id, ticket_id, data) SELECT 'pr_comment', 'addressed', NEW.id, project_id, ticket_id, json_object('pr', number) FROM pr WHERE id = NEW.pr_id;
END;

-- What the server keeps.  Every start reads the schema, so it is little: the
-- passages that agents wrote down about a project are their own index, and no
-- event tells of them; what is kept for a while (sql/api.sql) is one table.
CREATE VIRTUAL TABLE memory USING fts5(text, project_id UNINDEXED, tokenize = 'unicode61 remove_diacritics 2');
CREATE TABLE kept (number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value TEXT, at TEXT NOT NULL) STRICT;
