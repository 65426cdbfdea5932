/* See db.h and verb.h. */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "arena.h"
#include "buf.h"
#include "db.h"
#include "json.h"
#include "seal.h"
#include "secret.h"

#define APPLICATION_ID 0x54455241 /* as in sql/migrate/0001-init.sql */
#define STATEMENTS 48             /* of one verb */
#define VARIABLES 24

/* One statement of a verb: compiled when it first runs on a connection, for
 * compiling is most of what a short command does. */
struct statement {
	sqlite3_stmt *st;
	const char *sql;
	int len;       /* -1: to the end of the statement */
	char when;     /* '@' if or '!' unless the variable is set, or '\0' */
	char name[32]; /* of the variable */
};

struct script {
	const struct verb *verb;
	struct statement st[STATEMENTS];
	int n;            /* statements found so far */
	const char *rest; /* where the next one begins */
	struct script *next;
};

struct variable {
	char name[32];
	sqlite3_value *value;
};

/* An answer that waits for the commit. */
struct held {
	row_fn *row;
	void *arg;
	char *json;
	struct held *next;
};

struct db {
	sqlite3 *h;
	char *path;
	int gate, wake;
	bool writing;
	const char *actor; /* NULL: db_actor() */
	long long changes; /* when the transaction began */
	struct sealer sealer;
	struct script *scripts;
	sqlite3_stmt *spec, *version, *save, *release;
	struct variable var[VARIABLES];
	int vars;
	char now[32]; /* when the verb began; "" before it is asked for */
	struct held *held, **held_end;
	struct held **step;   /* where the answers of the last db_step begin */
	struct fault refused; /* by refuse(), 0 when it was not called */
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
	static char name[128];
	const char *env = getenv("TERA_ACTOR");

	/* it is sealed for ever: it must be text */
	if (env != NULL && *env != '\0' && !json_utf8(env, strlen(env)))
		env = "(not UTF-8)";
	if (env != NULL && *env != '\0')
		return env;
	if (name[0] != '\0')
		return name;
	env = getenv("USER");
	if (env == NULL || *env == '\0')
		env = getenv("LOGNAME");
	if (env != NULL && *env != '\0')
		snprintf(name, sizeof(name), "%s", env);
	else
		snprintf(name, sizeof(name), "uid %u", (unsigned)geteuid());
	return name;
}

void
db_as(struct db *db, const char *actor)
{
	db->actor = actor;
}

bool
db_durable(void)
{
	const char *sync = getenv("TERA_SYNCHRONOUS");

	return sync == NULL || strcmp(sync, "normal") != 0;
}

/* --- the functions that scripts may use --- */

static void
fn_refuse(sqlite3_context *c, int n, sqlite3_value **v)
{
	struct db *db = sqlite3_user_data(c);
	const char *text = (const char *)sqlite3_value_text(v[1]);

	(void)n;
	fail(&db->refused, sqlite3_value_int(v[0]), "%s",
	    text != NULL ? text : "refused");
	sqlite3_result_error(c, db->refused.msg, -1);
}

static void
fn_num(sqlite3_context *c, int n, sqlite3_value **v)
{
	const char *s = (const char *)sqlite3_value_text(v[0]);
	size_t len = s != NULL ? strlen(s) : 0;

	(void)n;
	if (len > 0 && *s == '#') {
		s++;
		len--;
	}
	if (len > 0 && len < 19 && strspn(s, "0123456789") == len)
		sqlite3_result_int64(c, strtoll(s, NULL, 10));
}

static void
fn_uuid7(sqlite3_context *c, int n, sqlite3_value **v)
{
	unsigned char r[10];
	struct timespec now;
	unsigned long long ms;
	char id[48];

	(void)n;
	(void)v;
	clock_gettime(CLOCK_REALTIME, &now);
	ms = (unsigned long long)now.tv_sec * 1000 +
	     (unsigned long long)now.tv_nsec / 1000000;
	if (getrandom(r, sizeof(r), 0) != (ssize_t)sizeof(r)) {
		sqlite3_result_error(c, "no random numbers", -1);
		return;
	}
	snprintf(id, sizeof(id),
	    "%08llx-%04llx-7%01x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
	    ms >> 16, ms & 0xffff, r[0] & 15, r[1], 0x80 | (r[2] & 0x3f), r[3],
	    r[4], r[5], r[6], r[7], r[8], r[9]);
	sqlite3_result_text(c, id, -1, SQLITE_TRANSIENT);
}

static void
crypt_fn(sqlite3_context *c, sqlite3_value **v,
    char *(*f)(const char *, const char *, struct fault *))
{
	struct db *db = sqlite3_user_data(c);
	const char *text = (const char *)sqlite3_value_text(v[0]);
	char *out;

	if (text == NULL)
		return;
	out = f(db->path, text, &db->refused);
	if (out == NULL)
		sqlite3_result_error(c, db->refused.msg, -1);
	else
		sqlite3_result_text(c, out, -1, free);
}

static void
fn_encrypt(sqlite3_context *c, int n, sqlite3_value **v)
{
	(void)n;
	crypt_fn(c, v, secret_seal);
}

static void
fn_decrypt(sqlite3_context *c, int n, sqlite3_value **v)
{
	(void)n;
	crypt_fn(c, v, secret_open);
}

static void
add_functions(struct db *db)
{
	static const struct {
		const char *name;
		int args, flags;
		void (*f)(sqlite3_context *, int, sqlite3_value **);
	} fns[] = {
		{ "refuse", 2, SQLITE_DIRECTONLY, fn_refuse },
		{ "num", 1, SQLITE_DETERMINISTIC, fn_num },
		{ "uuid7", 0, SQLITE_INNOCUOUS, fn_uuid7 },
		{ "encrypt", 1, SQLITE_DIRECTONLY, fn_encrypt },
		{ "decrypt", 1, SQLITE_DIRECTONLY, fn_decrypt },
	};

	for (size_t i = 0; i < sizeof(fns) / sizeof(*fns); i++)
		sqlite3_create_function(db->h, fns[i].name, fns[i].args,
		    SQLITE_UTF8 | fns[i].flags, db, fns[i].f, NULL, NULL);
}

/* --- errors --- */

/* Is the file system full, or as good as? */
static bool
no_room(const char *path)
{
	struct statvfs st;

	return statvfs(path, &st) == 0 && st.f_bavail < 65536 / st.f_frsize + 1;
}

/* What SQLite refused, in our words and with our status. */
static int
sql_fault(struct db *db, int rc, struct fault *f)
{
	const char *msg = sqlite3_errmsg(db->h);
	const char *name;

	if (db->refused.code != 0) {
		if (f != NULL)
			*f = db->refused;
		return db->refused.code;
	}
	switch (rc & 0xff) {
	case SQLITE_CONSTRAINT:
		name = strstr(msg, "constraint failed: ");
		if (strncmp(msg, "CHECK", 5) == 0 && name != NULL) {
			char rule[128];

			snprintf(rule, sizeof(rule), "%s",
			    name + strlen("constraint failed: "));
			for (char *p = rule; *p != '\0'; p++)
				if (*p == '_')
					*p = ' ';
			return fail(f, EX_DATAERR, "refused: %s", rule);
		}
		return fail(f, EX_DATAERR, "refused: %s", msg);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return fail(f, EX_TEMPFAIL, "%s: busy, try again", db->path);
	case SQLITE_READONLY:
		return fail(f, EX_NOPERM, "%s: read-only", db->path);
	case SQLITE_PERM:
	case SQLITE_AUTH: return fail(f, EX_NOPERM, "%s: %s", db->path, msg);
	case SQLITE_FULL:
		return fail(f, EX_IOERR, "%s: no space left", db->path);
	case SQLITE_IOERR:
		/* A file beside it could not be made or grow. */
		return fail(f, EX_IOERR, "%s: %s", db->path,
		    no_room(db->path) ? "no space left" : msg);
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		return fail(f, EX_CONFIG, "%s: not a store: %s", db->path, msg);
	case SQLITE_CANTOPEN:
		return fail(f, EX_CONFIG, "%s: cannot be opened", db->path);
	case SQLITE_TOOBIG: return fail(f, EX_DATAERR, "refused: too long");
	case SQLITE_MISMATCH: return fail(f, EX_DATAERR, "refused: wrong type");
	case SQLITE_NOMEM: return fail(f, EX_OSERR, "out of memory");
	default: return fail(f, EX_SOFTWARE, "%s (please report)", msg);
	}
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
	struct db *db = xmalloc(sizeof(*db));
	int rc;

	*db = (struct db){ .path = xstrdup(path), .gate = -1, .wake = -1 };
	db->held_end = &db->held;
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
		if (!db_durable())
			rc = sqlite3_exec(db->h, "PRAGMA synchronous = NORMAL",
			    NULL, NULL, NULL);
		add_functions(db);
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
	while (db->scripts != NULL) {
		struct script *s = db->scripts;

		for (int i = 0; i < s->n; i++)
			sqlite3_finalize(s->st[i].st);
		db->scripts = s->next;
		free(s);
	}
	for (int i = 0; i < db->vars; i++)
		sqlite3_value_free(db->var[i].value);
	seal_close(&db->sealer);
	sqlite3_finalize(db->spec);
	sqlite3_finalize(db->version);
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

static int
gate_enter(struct db *db, struct fault *f)
{
	int rc = side_file(db, "gate", &db->gate, f);

	if (rc != 0)
		return rc;
	while (flock(db->gate, LOCK_EX) != 0)
		if (errno != EINTR)
			return fail(f, EX_OSERR, "%s-gate:", db->path);
	return 0;
}

static void
gate_leave(struct db *db)
{
	if (db->gate >= 0)
		flock(db->gate, LOCK_UN);
}

static void
wake_others(struct db *db)
{
	if (side_file(db, "wake", &db->wake, NULL) == 0 &&
	    pwrite(db->wake, "", 1, 0) < 0)
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

int
db_begin(struct db *db, struct fault *f)
{
	int rc = gate_enter(db, f);

	if (rc != 0)
		return rc;
	db->refused.code = 0;
	rc = sqlite3_exec(db->h, "BEGIN IMMEDIATE", NULL, NULL, NULL);
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

int
db_end(struct db *db, struct fault *f)
{
	int rc;

	if (!db->writing)
		return fail(
		    f, EX_IOERR, "%s: the transaction was lost", db->path);
	rc = seal_end(
	    &db->sealer, db->h, db->actor != NULL ? db->actor : db_actor(), f);
	if (rc == 0) {
		rc = sqlite3_exec(db->h, "COMMIT", NULL, NULL, NULL);
		if (rc != SQLITE_OK) {
			db->refused.code = 0;
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

/* --- running a script --- */

static struct script *
script(struct db *db, const struct verb *v)
{
	struct script *s;

	for (s = db->scripts; s != NULL; s = s->next)
		if (s->verb == v)
			return s;
	s = xmalloc(sizeof(*s));
	s->verb = v;
	s->n = 0;
	s->rest = v->sql;
	s->next = db->scripts;
	db->scripts = s;
	return s;
}

/* Finds the statement of that number.  Returns 1, or 0 when there is none. */
static int
find_statement(struct script *s, int i)
{
	struct statement *t = &s->st[i];
	const char *p = s->rest + strspn(s->rest, " \n\t"), *end;
	size_t n;

	if (i < s->n)
		return 1;
	if (*p == '\0' || i == STATEMENTS)
		return 0;
	*t = (struct statement){ .sql = p, .len = -1 };
	if (*p == '@' || *p == '!') {
		t->when = *p++;
		n = strcspn(p, " ");
		snprintf(t->name, sizeof(t->name), "%.*s", (int)n, p);
		t->sql = p + n;
		end = strstr(t->sql, ";\n");
		t->len = (int)(end != NULL ? (size_t)(end - t->sql) + 1
					   : strlen(t->sql));
		s->rest = t->sql + t->len;
	}
	s->n++;
	return 1;
}

static int
compile(struct db *db, struct script *s, struct statement *t, struct fault *f)
{
	const char *end;
	int rc = sqlite3_prepare_v3(
	    db->h, t->sql, t->len, SQLITE_PREPARE_PERSISTENT, &t->st, &end);

	if (rc != SQLITE_OK)
		return sql_fault(db, rc, f);
	if (t->len < 0)
		s->rest = end;
	t->len = (int)(end - t->sql);
	return 0;
}

static bool
is_set(const struct db *db, const char *name)
{
	for (int i = 0; i < db->vars; i++)
		if (strcmp(db->var[i].name, name) == 0)
			return sqlite3_value_type(db->var[i].value) !=
			       SQLITE_NULL;
	return false;
}

static void
set_variable(struct db *db, const char *name, sqlite3_value *value)
{
	int i;

	for (i = 0; i < db->vars; i++)
		if (strcmp(db->var[i].name, name) == 0)
			break;
	if (i == VARIABLES)
		return; /* the unit test of scripts counts them */
	if (i == db->vars) {
		db->vars++;
		snprintf(db->var[i].name, sizeof(db->var[i].name), "%s", name);
	} else
		sqlite3_value_free(db->var[i].value);
	db->var[i].value = sqlite3_value_dup(value);
}

static void
clear_variables(struct db *db)
{
	for (int i = 0; i < db->vars; i++)
		sqlite3_value_free(db->var[i].value);
	db->vars = 0;
}

static const char *
now(struct db *db)
{
	struct timespec t;
	struct tm tm;
	size_t n;

	if (db->now[0] == '\0') {
		clock_gettime(CLOCK_REALTIME, &t);
		gmtime_r(&t.tv_sec, &tm);
		n = strftime(
		    db->now, sizeof(db->now), "%Y-%m-%dT%H:%M:%S", &tm);
		snprintf(db->now + n, sizeof(db->now) - n, ".%03dZ",
		    (int)(t.tv_nsec / 1000000));
	}
	return db->now;
}

static void
bind(struct db *db, sqlite3_stmt *st, const char *in)
{
	int n = sqlite3_bind_parameter_count(st);

	for (int i = 1; i <= n; i++) {
		const char *name = sqlite3_bind_parameter_name(st, i);

		if (name == NULL)
			continue;
		if (strcmp(name, ":in") == 0) {
			sqlite3_bind_text(st, i, in, -1, SQLITE_STATIC);
			continue;
		}
		if (strcmp(name, ":now") == 0) {
			sqlite3_bind_text(st, i, now(db), -1, SQLITE_STATIC);
			continue;
		}
		sqlite3_bind_null(st, i);
		for (int k = 0; k < db->vars; k++)
			if (strcmp(name, db->var[k].name) == 0)
				sqlite3_bind_value(st, i, db->var[k].value);
	}
}

static void
hold(struct db *db, row_fn *row, void *arg, const char *json)
{
	struct held *h = xmalloc(sizeof(*h));

	*h = (struct held){ row, arg, xstrdup(json), NULL };
	*db->held_end = h;
	db->held_end = &h->next;
}

/* One row: answers out, variables in.  Non-zero: the reader has enough. */
static int
take_row(struct db *db, sqlite3_stmt *st, row_fn *row, void *arg, bool *any)
{
	int n = sqlite3_column_count(st), rc = 0;

	for (int i = 0; i < n && rc == 0; i++) {
		const char *name = sqlite3_column_name(st, i);
		const char *text;

		if (name[0] == ':') {
			set_variable(db, name, sqlite3_column_value(st, i));
		} else if (strcmp(name, "json") == 0) {
			text = (const char *)sqlite3_column_text(st, i);
			if (text == NULL)
				continue;
			*any = true;
			if (db->writing)
				hold(db, row, arg, text);
			else if (row != NULL)
				rc = row(arg, text);
		}
	}
	return rc;
}

/* --- what a verb's input must look like --- */

static bool
is_int(const char *s)
{
	s += *s == '-';
	return *s != '\0' && strlen(s) < 19 &&
	       strspn(s, "0123456789") == strlen(s);
}

static bool
type_fits(const char *want, size_t n, const char *type, const char *atom)
{
	static const struct {
		const char *want, *types;
	} fits[] = {
		{ "text", "text" },
		{ "int", "integer" },
		{ "num", "integer real" },
		{ "bool", "true false" },
		{ "array", "array" },
		{ "object", "object" },
		{ "ref", "text integer" },
		{ "any", "text integer real true false array object" },
	};

	if (strcmp(type, "text") == 0 && atom != NULL && n == 3 &&
	    strncmp(want, "int", 3) == 0)
		return is_int(atom);
	for (size_t i = 0; i < sizeof(fits) / sizeof(*fits); i++)
		if (strlen(fits[i].want) == n &&
		    strncmp(fits[i].want, want, n) == 0)
			return strstr(fits[i].types, type) != NULL;
	return false;
}

/*
 * The next key of a verb's list, "key:int! ...": *key and its length, and
 * what it wants.  NULL after the last.
 */
static const char *
listed(const char **list, const char **key, size_t *n)
{
	const char *want;

	*key = *list + strspn(*list, " ");
	if (**key == '\0')
		return NULL;
	*n = strcspn(*key, ":");
	want = *key + *n + 1;
	*list = want + strcspn(want, " ");
	return want;
}

/* Holds the input against the verb's list of keys. */
static int
check_input(
    struct db *db, const struct verb *v, const char *in, struct fault *f)
{
	unsigned long long seen = 0; /* a bit a key */
	const char *list, *key, *want;
	size_t len;
	int rc = 0, step = SQLITE_DONE;

	if (*v->in == '\0')
		return 0;
	if (db->spec == NULL &&
	    sqlite3_prepare_v3(db->h,
		"SELECT key, type, atom FROM json_each(?1)", -1,
		SQLITE_PREPARE_PERSISTENT, &db->spec, NULL) != SQLITE_OK)
		return sql_fault(db, sqlite3_errcode(db->h), f);
	sqlite3_bind_text(db->spec, 1, in, -1, SQLITE_STATIC);
	while (rc == 0 && (step = sqlite3_step(db->spec)) == SQLITE_ROW) {
		const char *name =
		    (const char *)sqlite3_column_text(db->spec, 0);
		const char *type =
		    (const char *)sqlite3_column_text(db->spec, 1);
		size_t n;

		if (name == NULL || strcmp(type, "null") == 0)
			continue;
		list = v->in;
		for (int i = 0; i < 64; i++) {
			want = listed(&list, &key, &len);
			if (want == NULL)
				break;
			if (strncmp(key, name, len) != 0 || name[len] != '\0')
				continue;
			seen |= 1ULL << i;
			n = strcspn(want, "! ");
			if (!type_fits(want, n, type,
				(const char *)sqlite3_column_text(db->spec, 2)))
				rc = fail(f, EX_DATAERR,
				    "%s: %s: want %.*s, got %s", v->name, name,
				    (int)n, want, type);
			break;
		}
	}
	if (rc == 0 && step != SQLITE_DONE)
		rc = fail(f, EX_DATAERR, "%s: not JSON", v->name);
	sqlite3_reset(db->spec);
	sqlite3_clear_bindings(db->spec);
	list = v->in;
	for (int i = 0; rc == 0 && i < 64; i++) {
		want = listed(&list, &key, &len);
		if (want == NULL)
			break;
		if (want[strcspn(want, "! ")] == '!' && !(seen >> i & 1))
			rc = fail(f, EX_DATAERR, "%s: %.*s is missing", v->name,
			    (int)len, key);
	}
	return rc;
}

/*
 * SQLite ends a text at an escaped NUL and would lose the rest: as every byte
 * that is no text, it becomes U+FFFD.  NULL when there is none.
 */
static char *
without_nul(const char *in)
{
	char *out = NULL;

	for (const char *p = in; (p = strchr(p, '\\')) != NULL; p += 2) {
		if (p[1] == '\0')
			break;
		if (strncmp(p, "\\u0000", 6) != 0)
			continue;
		if (out == NULL)
			out = xstrdup(in);
		memcpy(out + (p - in), "\\ufffd", 6);
	}
	return out;
}

/* Runs the statements in order. */
static int
run_text(struct db *db, const struct verb *v, const char *in, row_fn *row,
    void *arg, struct fault *f)
{
	struct script *s;
	bool any = false;
	int rc = check_input(db, v, in, f), stop = 0;

	if (rc != 0)
		return rc;
	db->refused.code = 0;
	s = script(db, v);
	clear_variables(db);
	db->now[0] = '\0';
	for (int i = 0; rc == 0 && stop == 0 && find_statement(s, i); i++) {
		struct statement *t = &s->st[i];
		int step = SQLITE_DONE;

		if (t->when != '\0' && is_set(db, t->name) != (t->when == '@'))
			continue;
		if (t->st == NULL && (rc = compile(db, s, t, f)) != 0)
			break;
		bind(db, t->st, in);
		while (stop == 0 && (step = sqlite3_step(t->st)) == SQLITE_ROW)
			stop = take_row(db, t->st, row, arg, &any);
		if (stop == 0 && step != SQLITE_DONE)
			rc = sql_fault(db, step, f);
		sqlite3_reset(t->st);
	}
	clear_variables(db);
	if (rc == 0 && !any && (v->flags & VERB_ONE))
		return 1;
	return rc;
}

static int
run(struct db *db, const struct verb *v, const char *in, row_fn *row, void *arg,
    struct fault *f)
{
	char *clean = without_nul(in);
	int rc = run_text(db, v, clean != NULL ? clean : in, row, arg, f);

	free(clean);
	return rc;
}

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

	if (!(v->flags & VERB_WRITE))
		return run(db, v, in, row, arg, f);
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
