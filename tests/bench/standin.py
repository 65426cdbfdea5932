"""The stand-in: the system that our users come from, as well as its stack allows.

Flask, SQLAlchemy and PostgreSQL, with the tables and the questions that Tera
answers: projects, a board's tickets, a move that queues a job, a claim, a log.
The original asks 87 statements for a claim and 1,004 for a board; here each
is one, with the indexes that it needs, in a transaction of its own
(AUTOCOMMIT spares BEGIN and COMMIT), and no key is looked at.  It keeps no
history of events.

    python3 standin.py          makes the tables
    gunicorn standin:app        serves them
"""
from flask import Flask, abort, request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = "postgresql+psycopg2://"  # PGHOST and so on
app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
    "isolation_level": "AUTOCOMMIT",
    "pool_size": 4,
    "pool_reset_on_return": None,
}
app.json.sort_keys = False
app.json.compact = True
db = SQLAlchemy(app)

now = text("now()")
new_id = text("gen_random_uuid()")
empty = text("'[]'")


def key():
    return db.Column(UUID(as_uuid=False), primary_key=True, server_default=new_id)


def to(table, **kw):
    return db.Column(UUID(as_uuid=False), db.ForeignKey(table + ".id"), nullable=False, **kw)


def time(**kw):
    return db.Column(db.DateTime(timezone=True), **kw)


class Project(db.Model):
    id = key()
    number = db.Column(db.BigInteger, db.Identity(), unique=True)
    name = db.Column(db.Text, nullable=False)
    description = db.Column(db.Text)
    repo_url = db.Column(db.Text)
    execution_mode = db.Column(db.Text, nullable=False, server_default="docker")
    project_path = db.Column(db.Text)
    base_branch = db.Column(db.Text)
    limits = db.Column(JSONB, nullable=False, server_default=text("'{}'"))
    nodes = db.Column(JSONB, nullable=False, server_default=empty)  # of its graph
    created_at = time(server_default=now)
    updated_at = time(server_default=now)
    deleted_at = time()


class Ticket(db.Model):
    id = key()
    number = db.Column(db.BigInteger, db.Identity())
    project_id = to("project")
    column_id = db.Column(db.Text, nullable=False)
    title = db.Column(db.Text, nullable=False)
    description = db.Column(db.Text)
    associated_node_ids = db.Column(JSONB, nullable=False, server_default=empty)
    associated_edge_ids = db.Column(JSONB, nullable=False, server_default=empty)
    priority = db.Column(db.Text, nullable=False, server_default="medium")
    status = db.Column(db.Text, nullable=False, server_default="todo")
    created_at = time(server_default=now)
    updated_at = time(server_default=now)
    deleted_at = time()
    __table_args__ = (Index("ticket_project", "project_id", "number"),)


class Job(db.Model):
    id = key()
    number = db.Column(db.BigInteger, db.Identity())
    ticket_id = to("ticket")
    project_id = to("project")
    kind = db.Column(db.Text, nullable=False, server_default="ticket")
    state = db.Column(db.Text, nullable=False, server_default="pending")
    priority = db.Column(db.Integer, nullable=False, server_default="0")
    run_after = time()
    tries = db.Column(db.Integer, nullable=False, server_default="0")
    fence = db.Column(db.BigInteger, nullable=False, server_default="0")
    lease_until = time()
    worker = db.Column(db.Text)
    created_at = time(server_default=now)
    claimed_at = time()
    finished_at = time()
    __table_args__ = (
        Index("job_ready", text("priority DESC"), "number", postgresql_where=text("state = 'pending'")),
        Index("job_live", "ticket_id", "kind", unique=True, postgresql_where=text("finished_at IS NULL")),
    )


class Attempt(db.Model):
    id = key()
    job_id = to("job")
    project_id = to("project")
    fence = db.Column(db.BigInteger, nullable=False)
    worker = db.Column(db.Text)
    started_at = time(server_default=now)
    ended_at = time()


class Log(db.Model):
    seq = db.Column(db.BigInteger, db.Identity(), primary_key=True)
    id = db.Column(UUID(as_uuid=False), server_default=new_id, nullable=False)
    project_id = to("project")
    ticket_id = to("ticket", index=True)
    job_id = db.Column(UUID(as_uuid=False), db.ForeignKey("job.id"))
    session_id = db.Column(db.Text, nullable=False)
    step = db.Column(db.Text, nullable=False)
    summary = db.Column(db.Text)
    raw_output = db.Column(db.Text)
    created_at = time(server_default=now)


class Pr(db.Model):
    id = key()
    number = db.Column(db.BigInteger, db.Identity())
    ticket_id = to("ticket", index=True)
    pr_number = db.Column(db.Integer)
    pr_url = db.Column(db.Text)


class Setting(db.Model):
    key = db.Column(db.Text, primary_key=True)
    value = db.Column(db.Text, nullable=False)


def ask(statement, **given):
    return db.session.execute(statement, given)


def shape(row):
    answer = dict(row._mapping)
    answer["created_at"] = row.created_at.isoformat(timespec="milliseconds")
    answer["updated_at"] = row.updated_at.isoformat(timespec="milliseconds")
    return answer


PROJECTS = text("""
SELECT id::text, name, description, repo_url AS github_url, execution_mode, project_path, created_at, updated_at
FROM project WHERE deleted_at IS NULL ORDER BY number""")

TICKET = """t.id::text, t.project_id::text, t.column_id, t.title, t.description, t.associated_node_ids,
  t.associated_edge_ids, t.priority, t.status, t.created_at, t.updated_at, pr.pr_url, pr.pr_number"""
LAST_PR = """LEFT JOIN LATERAL (SELECT pr_url, pr_number FROM pr WHERE ticket_id = t.id
  ORDER BY number DESC LIMIT 1) pr ON true"""
TICKETS = text(f"""
SELECT {TICKET} FROM ticket t {LAST_PR}
WHERE t.project_id = :project AND t.deleted_at IS NULL ORDER BY t.number""")

GET_TICKET = text(f"""
SELECT {TICKET} FROM ticket t {LAST_PR}
WHERE t.id = :ticket AND t.project_id = :project AND t.deleted_at IS NULL""")

MOVE = text(f"""
WITH may AS (
  SELECT t.id, :column = 'in_progress' AND t.column_id <> 'in_progress' AS run
  FROM ticket t JOIN project p ON p.id = t.project_id
  WHERE t.id = :ticket AND p.id = :project AND t.deleted_at IS NULL AND p.deleted_at IS NULL
    AND p.repo_url IS NOT NULL AND p.nodes <> '[]' FOR UPDATE OF t),
t AS (
  UPDATE ticket SET column_id = :column, status = CASE WHEN may.run THEN :column ELSE status END, updated_at = now() FROM may
  WHERE ticket.id = may.id RETURNING ticket.*),
j AS (
  INSERT INTO job(ticket_id, project_id, priority)
  SELECT t.id, t.project_id, CASE t.priority WHEN 'high' THEN 1 WHEN 'low' THEN -1 ELSE 0 END
  FROM t JOIN may ON may.run ON CONFLICT DO NOTHING)
SELECT {TICKET} FROM t {LAST_PR}""")

CLAIM = text("""
WITH c AS (
  UPDATE job SET state = 'running', tries = tries + 1, fence = fence + 1, worker = :worker, claimed_at = now(),
    lease_until = now() + interval '90 minutes'
  WHERE id = (SELECT id FROM job WHERE state = 'pending' AND (run_after IS NULL OR run_after <= now())
    ORDER BY priority DESC, number LIMIT 1 FOR UPDATE SKIP LOCKED)
  RETURNING *),
a AS (INSERT INTO attempt(job_id, project_id, fence, worker) SELECT id, project_id, fence, worker FROM c)
SELECT c.id::text AS job_id, c.ticket_id::text, c.project_id::text, c.kind, coalesce(p.repo_url, '') AS repo_url,
  p.execution_mode, coalesce(p.project_path, '') AS project_path, c.number, 'ticket-' || c.ticket_id AS branch,
  c.tries AS attempt, c.fence, c.lease_until, p.limits, p.base_branch,
  (SELECT json_object_agg(key, value) FROM setting) AS agent_env
FROM c JOIN project p ON p.id = c.project_id""")

LOG = text("""
INSERT INTO log(project_id, ticket_id, job_id, session_id, step, summary, raw_output)
SELECT t.project_id, t.id, (SELECT id FROM job WHERE ticket_id = t.id AND state = 'running' AND finished_at IS NULL),
  :session_id, :step, :summary, :raw_output
FROM ticket t WHERE t.id = :ticket AND t.project_id = :project AND t.deleted_at IS NULL RETURNING id::text, seq""")


@app.get("/api/projects")
def projects():
    return [shape(row) for row in ask(PROJECTS)]


@app.get("/api/projects/<uuid:project>/tickets")
def tickets(project):
    return [shape(row) for row in ask(TICKETS, project=str(project))]


def one(row):
    if row is None:
        abort(404)
    return row


@app.get("/api/projects/<uuid:project>/tickets/<uuid:ticket>")
def ticket(project, ticket):
    return shape(one(ask(GET_TICKET, project=str(project), ticket=str(ticket)).first()))


@app.patch("/api/projects/<uuid:project>/tickets/<uuid:ticket>")
def move(project, ticket):
    given = request.get_json()
    row = ask(MOVE, project=str(project), ticket=str(ticket), column=given["column_id"]).first()
    return shape(one(row))


@app.post("/api/worker/jobs/start")
def claim():
    row = ask(CLAIM, worker=(request.get_json() or {}).get("worker", "api")).first()
    if row is None:
        return "", 204
    job = dict(row._mapping)
    job["lease_until"] = row.lease_until.isoformat()
    return job


@app.post("/api/projects/<uuid:project>/tickets/<uuid:ticket>/logs")
def log(project, ticket):
    given = request.get_json()
    row = ask(
        LOG,
        project=str(project),
        ticket=str(ticket),
        session_id=given["session_id"],
        step=given.get("step", "step"),
        summary=given.get("summary"),
        raw_output=given.get("raw_output"),
    ).first()
    row = one(row)
    return {"id": row.id, "message": "logged", "seq": row.seq}


if __name__ == "__main__":
    with app.app_context():
        db.create_all()
