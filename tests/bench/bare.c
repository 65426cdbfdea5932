/*
 * bare - SQLite without Tera: what fills a store, and the yardstick loops
 *
 *	bare hold STORE                  keeps it open until it is killed
 *	bare strip STORE                 drops the triggers
 *	bare fill STORE from n state     n tickets, and a job each
 *	bare skip STORE n                ends the next n jobs of the queue in
 *bulk bare enqueue STORE n             inserts what n x tera-enqueue insert
 *	bare drain STORE n               changes what n claims and finishes do
 *
 * The loops are as good as we can write them: prepared statements, 500 rows
 * a transaction as in Tera, and the rows and indexes are Tera's own; they do
 * without triggers, checks of input, JSON and hashes.  Each prints how many
 * it did in a second.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BATCH 500
#define AT "strftime('%Y-%m-%dT%H:%M:%fZ','now')"

static sqlite3 *db;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
sql(const char *text)
{
	char *err = NULL;

	if (sqlite3_exec(db, text, NULL, NULL, &err) != SQLITE_OK) {
		fprintf(stderr, "bare: %s: %s\n", text, err);
		exit(1);
	}
}

static sqlite3_stmt *
prepare(const char *text)
{
	sqlite3_stmt *st;

	if (sqlite3_prepare_v3(db, text, -1, SQLITE_PREPARE_PERSISTENT, &st,
		NULL) != SQLITE_OK) {
		fprintf(stderr, "bare: %s: %s\n", text, sqlite3_errmsg(db));
		exit(1);
	}
	return st;
}

/* Runs it once; was there a row? */
static int
step(sqlite3_stmt *st)
{
	int rc = sqlite3_step(st), row = rc == SQLITE_ROW;

	while (rc == SQLITE_ROW)
		rc = sqlite3_step(st);
	if (rc != SQLITE_DONE) {
		fprintf(stderr, "bare: %s\n", sqlite3_errmsg(db));
		exit(1);
	}
	sqlite3_reset(st);
	return row;
}

static void
strip(void)
{
	char *drop[256];
	int n = 0;
	sqlite3_stmt *st = prepare("SELECT 'DROP TRIGGER ' || name FROM "
				   "sqlite_schema WHERE type = 'trigger'");

	while (n < 256 && sqlite3_step(st) == SQLITE_ROW)
		drop[n++] = strdup((const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	while (n-- > 0)
		sql(drop[n]);
}

/* The triggers' texts, to be run again when the filling is over. */
static char *
triggers(void)
{
	sqlite3_stmt *st =
	    prepare("SELECT group_concat(sql, ';' || char(10)) FROM "
		    "sqlite_schema WHERE type = 'trigger'");
	char *text;

	sqlite3_step(st);
	text = strdup((const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	return text;
}

static void
fill(long from, long n, const char *state)
{
	char *back, *text;

	sql("PRAGMA synchronous = OFF; PRAGMA cache_size = -400000;"
	    "BEGIN IMMEDIATE");
	back = triggers();
	strip();
	text = sqlite3_mprintf(
	    "WITH RECURSIVE i(n) AS (SELECT %ld UNION ALL SELECT n + 1 FROM i "
	    "WHERE n < %ld) INSERT INTO ticket(number, id, project_id, title, "
	    "column_id) SELECT n, printf('%%08x-0000-7000-8000-%%012x', n, n), "
	    "(SELECT id FROM project LIMIT 1), 't' || n, %Q FROM i",
	    from, from + n - 1,
	    strcmp(state, "none") != 0 ? "in_progress" : "backlog");
	sql(text);
	sqlite3_free(text);
	text = sqlite3_mprintf(
	    "INSERT INTO job(number, id, ticket_id, project_id, kind, state, "
	    "reason, finished_at) SELECT number, id, id, project_id, 'ticket', "
	    "%Q, %s FROM ticket WHERE number >= %ld AND %d",
	    state,
	    strcmp(state, "completed") == 0 ? "'ok', created_at" : "NULL, NULL",
	    from, strcmp(state, "none") != 0);
	sql(text);
	sqlite3_free(text);
	if (strcmp(state, "completed") == 0)
		sql("INSERT INTO attempt(id, job_id, project_id, fence, "
		    "worker, ended_at, outcome, reason) SELECT id, id, "
		    "project_id, 0, 'bench', created_at, 'completed', 'ok' "
		    "FROM job WHERE state = 'completed'");
	sql(back);
	free(back);
	sql("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
}

#define RUN 62 /* events of a seal, as in lib/seal.h */

static sqlite3_stmt *event, *seal, *turn;
static int unsealed;

static void
seal_them(void)
{
	static const char hashes[RUN * 32];

	if (unsealed == 0)
		return;
	sqlite3_bind_blob(seal, 1, hashes, unsealed * 32, SQLITE_STATIC);
	step(seal);
	unsealed = 0;
}

static void
commit(void)
{
	seal_them();
	sql("COMMIT");
}

static void
record(const char *noun, const char *what, const char *id, const char *data)
{
	sqlite3_bind_text(event, 1, noun, -1, SQLITE_STATIC);
	sqlite3_bind_text(event, 2, what, -1, SQLITE_STATIC);
	sqlite3_bind_text(event, 3, id, -1, SQLITE_STATIC);
	sqlite3_bind_text(event, 4, data, -1, SQLITE_STATIC);
	step(event);
	if (++unsealed == RUN)
		seal_them();
}

static void
prepare_events(void)
{
	event = prepare("INSERT INTO event(noun, what, id, project_id, "
			"ticket_id, job_id, data) VALUES (?1, ?2, ?3, ?3, ?3, "
			"?3, ?4)");
	seal = prepare("INSERT INTO seal VALUES (last_insert_rowid(), "
		       "'bench', 0, ?1)");
}

static void
enqueue(long n)
{
	sqlite3_stmt *job = prepare(
	    "INSERT INTO job(id, ticket_id, project_id, kind) "
	    "SELECT ?2, id, project_id, 'ticket' FROM ticket WHERE number = "
	    "?1");
	char id[64];

	prepare_events();
	for (long i = 1; i <= n; i++) {
		if (i % BATCH == 1)
			sql("BEGIN IMMEDIATE");
		snprintf(id, sizeof(id), "%08lx-0000-7000-9000-%012lx", i, i);
		sqlite3_bind_int64(job, 1, i);
		sqlite3_bind_text(job, 2, id, -1, SQLITE_STATIC);
		step(job);
		record("job", "pending", id,
		    "{\"number\":1234,\"kind\":\"ticket\",\"priority\":0}");
		if (i % BATCH == 0 || i == n)
			commit();
	}
}

/* How many jobs of the project run. */
static void
count(int more, const char *project)
{
	sqlite3_bind_int(turn, 1, more);
	sqlite3_bind_text(turn, 2, project, -1, SQLITE_STATIC);
	step(turn);
}

/* What a finish keeps of the record that it is given. */
static const char outcome[] =
    "{\"job_id\":\"000003e9-0000-7000-8000-0000000003e9\",\"number\":1001,"
    "\"ticket_id\":\"000003e9-0000-7000-8000-0000000003e9\",\"ticket_number\":"
    "1001,\"project_id\":\"01a213a4-240e-787f-afa6-18c20183fa79\","
    "\"project_name\":\"p\",\"kind\":\"ticket\",\"title\":\"t1001\","
    "\"repo_url\":\"/tmp/tera-bench.XXXXXX/stream/none.git\","
    "\"execution_mode\":\"docker\",\"branch\":"
    "\"ticket-000003e9-0000-7000-8000-0000000003e9\",\"attempt\":1,"
    "\"max_tries\":3,\"fence\":1,\"lease_until\":"
    "\"2026-11-25T16:58:41.855Z\",\"lease_seconds\":60,\"pipeline\":"
    "\"ticket\",\"claimed_by\":\"bench\"}";

static void
drain(long n)
{
	sqlite3_stmt *next = prepare(
	    "SELECT number, id, ticket_id, project_id FROM job WHERE state = "
	    "'pending' AND parked = 0 AND blocked = 0 ORDER BY priority DESC, "
	    "project_id, number LIMIT 1");
	sqlite3_stmt *take = prepare(
	    "UPDATE job SET state = 'running', fence = fence + 1, tries = "
	    "tries + 1, worker = 'bench', claimed_at = " AT ", lease_until = "
	    "strftime('%Y-%m-%dT%H:%M:%fZ','now','+60 seconds') WHERE number "
	    "= ?1");
	sqlite3_stmt *attempt = prepare(
	    "INSERT INTO attempt(id, job_id, project_id, fence, worker) VALUES "
	    "(?1, ?1, ?2, 1, 'bench')");
	sqlite3_stmt *ended = prepare(
	    "UPDATE attempt SET ended_at = " AT ", outcome = 'completed', "
	    "reason = 'ok', exit = 0 WHERE number = ?1");
	sqlite3_stmt *keep = prepare("INSERT INTO outcome VALUES (?1, ?2)");
	sqlite3_stmt *done = prepare(
	    "UPDATE job SET state = 'completed', reason = 'ok', lease_until = "
	    "NULL, worker = NULL, finished_at = " AT " WHERE number = ?1");
	sqlite3_stmt *moved = prepare(
	    "UPDATE ticket SET column_id = 'in_review', status = 'completed', "
	    "version = version + 1, updated_at = " AT " WHERE id = ?1");
	char id[64], ticket[64], project[64];

	turn = prepare("UPDATE turn SET running = running + ?1, last = (SELECT "
		       "max(seq) FROM event) WHERE project_id = ?2");
	prepare_events();
	for (long i = 1; i <= n; i++) {
		sqlite3_int64 number, tried;

		if (i % BATCH == 1)
			sql("BEGIN IMMEDIATE");
		if (sqlite3_step(next) != SQLITE_ROW) {
			fputs("bare: the queue is empty\n", stderr);
			exit(1);
		}
		number = sqlite3_column_int64(next, 0);
		snprintf(id, sizeof(id), "%s", sqlite3_column_text(next, 1));
		snprintf(
		    ticket, sizeof(ticket), "%s", sqlite3_column_text(next, 2));
		snprintf(project, sizeof(project), "%s",
		    sqlite3_column_text(next, 3));
		sqlite3_reset(next);
		sqlite3_bind_int64(take, 1, number);
		step(take);
		count(1, project);
		sqlite3_bind_text(attempt, 1, id, -1, SQLITE_STATIC);
		sqlite3_bind_text(attempt, 2, project, -1, SQLITE_STATIC);
		step(attempt);
		tried = sqlite3_last_insert_rowid(db);
		record("job", "running", id,
		    "{\"from\":\"pending\",\"reason\":null,\"fence\":1,"
		    "\"worker\":\"bench\",\"tries\":1}");
		sqlite3_bind_int64(ended, 1, tried);
		step(ended);
		record("attempt", "ended", id,
		    "{\"fence\":1,\"exit\":0,\"turns\":null,\"input_tokens\":"
		    "null,\"output_tokens\":null,\"cost_usd\":null,\"verdict\":"
		    "null}");
		sqlite3_bind_int64(done, 1, number);
		step(done);
		count(-1, project);
		sqlite3_bind_int64(keep, 1, tried);
		sqlite3_bind_text(keep, 2, outcome, -1, SQLITE_STATIC);
		step(keep);
		record("job", "completed", id,
		    "{\"from\":\"running\",\"reason\":\"ok\",\"fence\":1,"
		    "\"worker\":null,\"tries\":1}");
		sqlite3_bind_text(moved, 1, ticket, -1, SQLITE_STATIC);
		step(moved);
		record("ticket", "moved", id,
		    "{\"number\":1,\"title\":\"t1\",\"from\":\"in_progress\","
		    "\"to\":\"in_review\",\"status\":\"completed\","
		    "\"version\":2}");
		if (i % BATCH == 0 || i == n)
			commit();
	}
}

int
main(int argc, char *argv[])
{
	const char *what = argc > 2 ? argv[1] : "";
	const char *sync = getenv("TERA_SYNCHRONOUS");
	long n = argc > 3 ? atol(argv[argc - 1]) : 0;
	double began;

	if (argc < 3 || sqlite3_open(argv[2], &db) != SQLITE_OK) {
		fputs("usage: bare what store ...\n", stderr);
		return 64;
	}
	sqlite3_busy_timeout(db, 10000);
	if (sync != NULL && strcmp(sync, "normal") == 0)
		sql("PRAGMA synchronous = NORMAL");
	began = now();
	if (strcmp(what, "hold") == 0) {
		sql("SELECT 1 FROM event LIMIT 1");
		pause();
	} else if (strcmp(what, "strip") == 0) {
		strip();
	} else if (strcmp(what, "fill") == 0 && argc == 6) {
		fill(atol(argv[3]), atol(argv[4]), argv[5]);
	} else if (strcmp(what, "enqueue") == 0) {
		enqueue(n);
		printf("%.0f\n", (double)n / (now() - began));
	} else if (strcmp(what, "drain") == 0) {
		drain(n);
		printf("%.0f\n", (double)n / (now() - began));
	} else
		return 64;
	sqlite3_close(db);
	return 0;
}
