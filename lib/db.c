/* See db.h and verb.h. */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "arena.h"
#include "buf.h"
#include "clock.h"
#include "db.h"
#include "json.h"
#include "script.h"
#include "seal.h"
#include "user.h"

/* 32 MiB.  The same pages are written again and again, so a checkpoint that
 * comes eight times as seldom as SQLite's own writes little more, and is what
 * the slowest of a thousand changes waits for. */
#define WAL_PAGES 8000

#define APPLICATION_ID 0x54455241 /* as in sql/migrate/0001-init.sql */

/* An answer that waits for the commit. */
struct held {
	row_fn *row;
	void *arg;
	char *json;
	struct held *next;
};

/* Who gets an answer. */
struct asker {
	struct db *db;
	row_fn *row;
	void *arg;
};

struct db {
	sqlite3 *h;
	char *path;
	int gate, wake;
	bool writing;
	int read_ms, lock_ms; /* see db_patience; 0: as long as it takes */
	long long until;   /* when a read must have ended; 0: there is none */
	const char *actor; /* NULL: db_actor() */
	long long changes; /* when the transaction began */
	long long opening; /* the number of it */
	struct sealer sealer;
	struct scripts scripts;
	struct sqlfn fn;
	sqlite3_stmt *version, *look, *begin, *commit, *save, *release;
	struct held *held, **held_end;
	struct held **step; /* where the answers of the last db_step begin */
};

const struct verb *
verb_find(const char *name)
{
	for (const struct verb *v = verbs; v->name != NULL; v++)
		if (strcmp(v->name, name) == 0)
			return v;
	return NULL;
}

int
db_schema(void)
{
	int n = 0;

	while (migrations[n] != NULL)
		n++;
	return n;
}

const char *
db_actor(void)
{
	const char *name = getenv("TERA_ACTOR");

	if (name == NULL || *name == '\0')
		name = user_name();
	/* it is sealed for ever: it must be text */
	return json_utf8(name, strlen(name)) ? name : "(not UTF-8)";
}

bool
db_durable(void)
{
	const char *sync = getenv("TERA_SYNCHRONOUS");

	return sync == NULL || strcmp(sync, "normal") != 0;
}

static int
sql_fault(struct db *db, int rc, struct fault *f)
{
	return sqlfn_fault(&db->fn, db->h, rc, f);
}

/* --- opening --- */

static int
pragma_int(sqlite3 *h, const char *sql, long long *value)
{
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(h, sql, -1, &st, NULL);

	if (rc != SQLITE_OK)
		return rc;
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*value = sqlite3_column_int64(st, 0);
	rc = sqlite3_finalize(st);
	return rc;
}

static struct db *
open_file(const char *path, int flags, struct fault *f)
{
	static long long openings;
	struct db *db = xmalloc(sizeof(*db));
	int rc;

	*db = (struct db){ .path = xstrdup(path), .gate = -1, .wake = -1 };
	db->opening = ++openings;
	db->held_end = &db->held;
	db->fn.path = db->path;
	arena_sqlite();
	rc = sqlite3_open_v2(path, &db->h, flags, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_busy_timeout(db->h, 10000);
		sqlite3_extended_result_codes(db->h, 1);
		sqlite3_db_config(db->h, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
		sqlite3_db_config(db->h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
		/* CHECKs and triggers are our own and use JSON functions */
		sqlite3_db_config(
		    db->h, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 1, NULL);
		sqlite3_limit(db->h, SQLITE_LIMIT_LENGTH, 64 * 1024 * 1024);
		sqlite3_wal_autocheckpoint(db->h, WAL_PAGES);
		if (!db_durable())
			rc = sqlite3_exec(db->h, "PRAGMA synchronous = NORMAL",
			    NULL, NULL, NULL);
		sqlfn_add(db->h, &db->fn);
		db->scripts = (struct scripts){ db->h, &db->fn, NULL };
	}
	if (rc != SQLITE_OK) {
		sql_fault(db, rc, f);
		db_close(db);
		return NULL;
	}
	return db;
}

struct db *
db_open(const char *path, struct fault *f)
{
	long long id = 0, version = 0;
	int want = db_schema(), flags, rc;
	struct db *db;

	if (access(path, F_OK) != 0 && errno == EACCES) {
		fail(f, EX_NOPERM, "%s:", path);
		return NULL;
	}
	if (access(path, F_OK) != 0) {
		fail(f, EX_CONFIG, "%s: no store there: make it with tera-init",
		    path);
		return NULL;
	}
	flags = access(path, W_OK) == 0 ? SQLITE_OPEN_READWRITE
					: SQLITE_OPEN_READONLY;
	db = open_file(path, flags, f);
	if (db == NULL)
		return NULL;
	rc = pragma_int(db->h, "PRAGMA application_id", &id);
	if (rc == SQLITE_OK)
		rc = pragma_int(db->h, "PRAGMA user_version", &version);
	if ((rc & 0xff) == SQLITE_CANTOPEN && flags == SQLITE_OPEN_READONLY)
		/* the -shm of WAL mode cannot be made there */
		rc = fail(f, EX_NOPERM,
		    "%s: read-only, and its directory too: read a copy", path);
	else if (rc != SQLITE_OK)
		sql_fault(db, rc, f);
	else if (id != APPLICATION_ID)
		rc = fail(f, EX_CONFIG,
		    "%s: not a store of Tera: tera-init makes one", path);
	else if (version < want)
		rc = fail(f, EX_CONFIG,
		    "%s: schema version %lld, want %d: run tera-init", path,
		    version, want);
	else if (version > want)
		rc = fail(f, EX_CONFIG,
		    "%s: schema version %lld is newer than %d, which this "
		    "program and its tera-init know",
		    path, version, want);
	if (rc != 0) {
		db_close(db);
		return NULL;
	}
	return db;
}

void
db_close(struct db *db)
{
	if (db == NULL)
		return;
	script_end(&db->scripts);
	sqlfn_end(&db->fn);
	seal_close(&db->sealer);
	sqlite3_finalize(db->version);
	sqlite3_finalize(db->look);
	sqlite3_finalize(db->begin);
	sqlite3_finalize(db->commit);
	sqlite3_finalize(db->save);
	sqlite3_finalize(db->release);
	sqlite3_close(db->h);
	if (db->gate >= 0)
		close(db->gate);
	if (db->wake >= 0)
		close(db->wake);
	free(db->path);
	free(db);
}

const char *
db_path(const struct db *db)
{
	return db->path;
}

/* FILE-gate and FILE-wake, with the store's own mode. */
static int
side_file(struct db *db, const char *suffix, int *fd, struct fault *f)
{
	struct stat st;
	char *name;
	int rc = 0;

	if (*fd >= 0)
		return 0;
	name = xasprintf("%s-%s", db->path, suffix);
	*fd = open(name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (*fd >= 0) {
		free(name);
		return 0;
	}
	*fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*fd < 0)
		rc = fail(f,
		    errno == EACCES || errno == EROFS ? EX_NOPERM
						      : EX_CANTCREAT,
		    "%s:", name);
	else if (stat(db->path, &st) == 0 && st.st_uid == geteuid())
		(void)fchmod(*fd, st.st_mode & 0666);
	free(name);
	return rc;
}

/* --- transactions --- */

/* Runs a statement that is compiled once. */
static int
again(struct db *db, sqlite3_stmt **st, const char *sql)
{
	int rc = SQLITE_OK;

	if (*st == NULL)
		rc = sqlite3_prepare_v3(
		    db->h, sql, -1, SQLITE_PREPARE_PERSISTENT, st, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_step(*st);
		rc = sqlite3_reset(*st);
	}
	return rc;
}

static int
gate_enter(struct db *db, struct fault *f)
{
	static const struct timespec moment = { 0, 200 * 1000 };
	int rc = side_file(db, "gate", &db->gate, f);
	int way = LOCK_EX | (db->lock_ms > 0 ? LOCK_NB : 0);
	long long end = clock_ms() + db->lock_ms;

	if (rc != 0)
		return rc;
	while (flock(db->gate, way) != 0) {
		if (errno == EWOULDBLOCK && clock_ms() > end)
			return fail(
			    f, EX_TEMPFAIL, "%s: busy, try again", db->path);
		if (errno == EWOULDBLOCK)
			nanosleep(&moment, NULL);
		else if (errno != EINTR)
			return fail(f, EX_OSERR, "%s-gate:", db->path);
	}
	return 0;
}

static void
gate_leave(struct db *db)
{
	if (db->gate >= 0)
		flock(db->gate, LOCK_UN);
}

/* A byte is read: who watches sees that as well as a write, which would cost
 * the file system a new time of the file.  An empty one gets its byte first. */
static void
wake_others(struct db *db)
{
	char c;

	if (side_file(db, "wake", &db->wake, NULL) == 0 &&
	    pread(db->wake, &c, 1, 0) != 1 && pwrite(db->wake, "", 1, 0) < 0)
		return; /* who waits has a slow poll as well */
}

static void
drop_held(struct db *db, bool hand_out)
{
	while (db->held != NULL) {
		struct held *h = db->held;

		if (hand_out && h->row != NULL)
			h->row(h->arg, h->json);
		db->held = h->next;
		free(h->json);
		free(h);
	}
	db->held_end = &db->held;
}

static void
roll_back(struct db *db)
{
	if (!sqlite3_get_autocommit(db->h))
		sqlite3_exec(db->h, "ROLLBACK", NULL, NULL, NULL);
	db->writing = false;
	drop_held(db, false);
	gate_leave(db);
}

void
db_undo(struct db *db)
{
	if (db->writing)
		roll_back(db);
}

int
db_begin(struct db *db, struct fault *f)
{
	int rc = gate_enter(db, f);

	if (rc != 0)
		return rc;
	sqlfn_begin(&db->fn);
	rc = again(db, &db->begin, "BEGIN IMMEDIATE");
	if (rc != SQLITE_OK) {
		rc = sql_fault(db, rc, f);
		gate_leave(db);
		return rc;
	}
	db->writing = true;
	db->changes = sqlite3_total_changes64(db->h);
	rc = seal_begin(&db->sealer, db->h, f);
	if (rc != 0)
		roll_back(db);
	return rc;
}

static int
seal(struct db *db, struct fault *f)
{
	return seal_end(
	    &db->sealer, db->h, db->actor != NULL ? db->actor : db_actor(), f);
}

int
db_as(struct db *db, const char *actor, struct fault *f)
{
	int rc = db->writing ? seal(db, f) : 0;

	if (rc != 0)
		roll_back(db);
	db->actor = actor;
	return rc;
}

int
db_end(struct db *db, struct fault *f)
{
	int rc;

	if (!db->writing)
		return fail(
		    f, EX_IOERR, "%s: the transaction was lost", db->path);
	rc = seal(db, f);
	if (rc == 0) {
		rc = again(db, &db->commit, "COMMIT");
		if (rc != SQLITE_OK) {
			sqlfn_begin(&db->fn);
			rc = sql_fault(db, rc, f);
		}
	}
	if (rc != 0) {
		roll_back(db);
		return rc;
	}
	db->writing = false;
	gate_leave(db);
	/* a claim that found nothing must not wake those who wait likewise */
	if (sqlite3_total_changes64(db->h) != db->changes)
		wake_others(db);
	drop_held(db, true);
	return 0;
}

/* --- running --- */

/* An answer of a change waits for the commit. */
static int
hold(void *arg, const char *json)
{
	struct asker *a = arg;
	struct held *h = xmalloc(sizeof(*h));

	*h = (struct held){ a->row, a->arg, xstrdup(json), NULL };
	*a->db->held_end = h;
	a->db->held_end = &h->next;
	return 0;
}

static int
run(struct db *db, const struct verb *v, const char *in, row_fn *row, void *arg,
    struct fault *f)
{
	struct asker a = { db, row, arg };

	if (!db->writing)
		return script_run(&db->scripts, v, in, row, arg, f);
	return script_run(&db->scripts, v, in, hold, &a, f);
}

int
db_step(struct db *db, const struct verb *v, const char *in, row_fn *row,
    void *arg, struct fault *f)
{
	struct held **mark = db->held_end, *undo;
	int rc;

	if (!db->writing)
		return fail(
		    f, EX_IOERR, "%s: the transaction was lost", db->path);
	db->step = mark;
	rc = again(db, &db->save, "SAVEPOINT step");
	if (rc != SQLITE_OK)
		return sql_fault(db, rc, f);
	rc = run(db, v, in, row, arg, f);
	if (rc > 1) {
		while ((undo = *mark) != NULL) {
			*mark = undo->next;
			free(undo->json);
			free(undo);
		}
		db->held_end = mark;
		if (sqlite3_get_autocommit(db->h)) { /* a full disk */
			roll_back(db);
			return rc;
		}
		sqlite3_exec(db->h, "ROLLBACK TO step", NULL, NULL, NULL);
	}
	again(db, &db->release, "RELEASE step");
	return rc;
}

void
db_peek(struct db *db, row_fn *row, void *arg)
{
	if (!db->writing)
		return;
	for (const struct held *h = *db->step; h != NULL; h = h->next)
		row(arg, h->json);
}

int
db_verb(struct db *db, const struct verb *v, const char *in, row_fn *row,
    void *arg, struct fault *f)
{
	int rc, ended;

	if (!(v->flags & VERB_WRITE)) {
		db->until = db->read_ms > 0 ? clock_ms() + db->read_ms : 0;
		rc = run(db, v, in, row, arg, f);
		db->until = 0;
		return rc;
	}
	rc = db_begin(db, f);
	if (rc != 0)
		return rc;
	rc = run(db, v, in, row, arg, f);
	if (rc > 1) {
		roll_back(db);
		return rc;
	}
	ended = db_end(db, f);
	return ended != 0 ? ended : rc;
}

/* SQLite asks now and then whether to go on. */
static int
too_long(void *arg)
{
	const struct db *db = arg;

	return db->until != 0 && clock_ms() > db->until;
}

void
db_patience(struct db *db, int read_ms, int lock_ms)
{
	db->read_ms = read_ms;
	db->lock_ms = lock_ms;
	sqlite3_busy_timeout(db->h, lock_ms);
	sqlite3_progress_handler(db->h, 10000, too_long, db);
}

void
db_look(struct db *db)
{
	if (!db->writing)
		again(db, &db->look, "BEGIN");
}

void
db_looked(struct db *db)
{
	if (!db->writing && !sqlite3_get_autocommit(db->h))
		again(db, &db->commit, "COMMIT");
}

bool
db_fits(struct db *db)
{
	long long version = 0;

	return pragma_int(db->h, "PRAGMA user_version", &version) ==
		   SQLITE_OK &&
	       version == db_schema();
}

bool
db_stale(const struct db *db)
{
	return db->fn.stale;
}

long long
db_data_version(struct db *db)
{
	long long version = 0;

	if (db->version == NULL &&
	    sqlite3_prepare_v3(db->h, "PRAGMA data_version", -1,
		SQLITE_PREPARE_PERSISTENT, &db->version, NULL) != SQLITE_OK)
		return 0;
	if (sqlite3_step(db->version) == SQLITE_ROW)
		version = sqlite3_column_int64(db->version, 0);
	sqlite3_reset(db->version);
	return version;
}

void
db_rest(struct db *db)
{
	sqlite3_wal_checkpoint_v2(
	    db->h, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	sqlite3_db_release_memory(db->h);
}

struct db_mark
db_mark(struct db *db)
{
	return (struct db_mark){ db->opening, db_data_version(db),
		sqlite3_total_changes64(db->h) };
}

int
db_audit(struct db *db, row_fn *row, void *arg, struct fault *f)
{
	long long bad, n, open;
	char head[65];
	struct buf b = BUF_INIT;
	int rc = sqlite3_exec(db->h, "BEGIN", NULL, NULL, NULL);

	if (rc != SQLITE_OK)
		return sql_fault(db, rc, f);
	rc = seal_check(db->h, &bad, &n, &open, head, f);
	sqlite3_exec(db->h, "COMMIT", NULL, NULL, NULL);
	if (rc != 0)
		return rc;
	buf_fmt(&b,
	    "{\"holds\":%s,\"events\":%lld,\"unsealed\":%lld,"
	    "\"first_bad\":",
	    bad == 0 ? "true" : "false", n, open);
	if (bad == 0)
		buf_str(&b, "null");
	else
		buf_fmt(&b, "%lld", bad);
	buf_fmt(&b, ",\"head\":\"%s\"}", head);
	row(arg, buf_text(&b));
	buf_free(&b);
	return bad == 0 ? 0 : 1;
}

/* --- making and upgrading --- */

static int
migrate(struct db *db, int from, struct fault *f)
{
	int rc = SQLITE_OK, to = db_schema();
	char set[64];

	for (int i = from; i < to && rc == SQLITE_OK; i++) {
		rc = sqlite3_exec(db->h, migrations[i], NULL, NULL, NULL);
		snprintf(set, sizeof(set), "PRAGMA user_version = %d", i + 1);
		if (rc == SQLITE_OK)
			rc = sqlite3_exec(db->h, set, NULL, NULL, NULL);
	}
	return rc == SQLITE_OK ? 0 : sql_fault(db, rc, f);
}

/* Looks at what is there: 0 and *made, or what is wrong with it. */
static int
judge(struct db *db, int *made, struct fault *f)
{
	long long id = 0, version = 0, objects = 0;
	int rc = pragma_int(db->h, "PRAGMA application_id", &id);

	if (rc == SQLITE_OK)
		rc = pragma_int(db->h, "PRAGMA user_version", &version);
	if (rc == SQLITE_OK)
		rc = pragma_int(
		    db->h, "SELECT count(*) FROM sqlite_schema", &objects);
	if (rc != SQLITE_OK)
		return sql_fault(db, rc, f);
	if (id != APPLICATION_ID && objects > 0)
		return fail(f, EX_CONFIG, "%s: holds something else", db->path);
	if (version > db_schema())
		return fail(f, EX_CONFIG,
		    "%s: schema version %lld is newer than %d, which this "
		    "program knows",
		    db->path, version, db_schema());
	*made = id == APPLICATION_ID ? (int)version : 0;
	return 0;
}

int
db_init(const char *path, int *made, struct fault *f)
{
	mode_t mask = umask(077);
	struct db *db =
	    open_file(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, f);
	int rc;

	if (db == NULL) {
		umask(mask);
		return f->code;
	}
	rc = gate_enter(db, f);
	if (rc == 0)
		rc = judge(db, made, f);
	if (rc == 0 && *made < db_schema()) {
		rc = sqlite3_exec(db->h,
		    "PRAGMA journal_mode = WAL; BEGIN IMMEDIATE", NULL, NULL,
		    NULL);
		if (rc != SQLITE_OK)
			rc = sql_fault(db, rc, f);
		else
			rc = migrate(db, *made, f);
		if (rc == 0)
			rc = seal_begin(&db->sealer, db->h, f);
		if (rc == 0 && sqlite3_exec(db->h, "COMMIT", NULL, NULL,
				   NULL) != SQLITE_OK)
			rc = sql_fault(db, sqlite3_errcode(db->h), f);
		if (rc != 0 && !sqlite3_get_autocommit(db->h))
			sqlite3_exec(db->h, "ROLLBACK", NULL, NULL, NULL);
	}
	if (rc == 0)
		wake_others(db); /* who waits can watch it from now on */
	gate_leave(db);
	db_close(db);
	umask(mask);
	return rc;
}
