/*
 * sql: the functions do what verb.h says; every statement of every verb
 * compiles on the schema, and none scans a table that grows for ever unless it
 * is said here that it may.
 */
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "sqlfn.h"
#include "verb.h"

/* Whole lists are asked for, or counts that a person looks at. */
static const char *const accepted[] = {
	"job.list j",        /* by state, kind or reason: a person's list */
	"log.list l",        /* by seq */
	"event.list e",      /* by seq */
	"event.head event",  /* max(seq): the last row only */
	"attempt.list a",    /* by number */
	"store.info job",    /* counts by state */
	"store.info event",  /* max(seq) */
	"call.keep kept",    /* the first ten rows */
	"import.logged log", /* once an import */
	"rest.metrics job",  /* counts */
	"rest.metrics attempt",
	"rest.metrics pr",
	"rest.metrics event", /* max(seq) */
	"ui.jobs job",        /* the last rows, until a hundred ended */
	"ui.day attempt",     /* max(number): the last row only */
	"auth.login kept",    /* the first ten rows */
	"auth.failed kept",   /* likewise */
	NULL,
};
static const char *const growing[] = { "job", "log", "event", "attempt",
	"outcome", "seal", "pr", "j", "l", "e", "a", "r", "c", "o", "memory",
	"kept", NULL };

static int count, bad;

static void
ok(bool yes, const char *name)
{
	printf("%sok %d - %s\n", yes ? "" : "not ", ++count, name);
	bad += !yes;
}

/* What an expression is, as text. */
static void
is(sqlite3 *h, const char *expression, const char *want)
{
	char *sql = sqlite3_mprintf("SELECT %s", expression);
	sqlite3_stmt *st = NULL;
	const char *got = NULL;

	if (sqlite3_prepare_v2(h, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		got = (const char *)sqlite3_column_text(st, 0);
	ok(got != NULL && strcmp(got, want) == 0, expression);
	if (got == NULL || strcmp(got, want) != 0)
		printf("#  got: %s\n# want: %s\n",
		    got != NULL ? got : sqlite3_errmsg(h), want);
	sqlite3_finalize(st);
	sqlite3_free(sql);
}

/* What may be kept (keep.h) must not follow from the time, the environment,
 * a key or chance. */
static void
kept(const struct verb *v)
{
	static const char *const other[] = { ":now", "'now'", "soon(",
		"current_", "julianday", "uuid7", "random", "crypt(", "env",
		NULL };
	bool fine = !(v->flags & VERB_WRITE);

	for (int i = 0; other[i] != NULL; i++)
		fine = fine && strstr(v->sql, other[i]) == NULL;
	ok(fine, v->name);
}

static void
functions(sqlite3 *h)
{
	is(h, "record('a', 1, 'b', 'x\"y', 'c', NULL, 'd', 1.5)",
	    "{\"a\":1,\"b\":\"x\\\"y\",\"c\":null,\"d\":1.5}");
	is(h, "record('?a', NULL, '?b', 'x')", "{\"b\":\"x\"}");
	is(h, "record()", "{}");
	is(h, "record('n', 9007199254740993)", "{\"n\":9007199254740993}");
	is(h, "record('n', 9e999)", "{\"n\":null}");
	is(h,
	    "record('a', json('[1]'), 'b', raw(' { \"x\" : 1 } '), 'c', '[1]')",
	    "{\"a\":[1],\"b\":{\"x\":1},\"c\":\"[1]\"}");
	is(h, "record('t', bool(1), 'f', bool(0), 'n', bool(NULL))",
	    "{\"t\":true,\"f\":false,\"n\":false}");
	is(h, "json_object('a', record('b', 1))", "{\"a\":{\"b\":1}}");
	is(h, "coalesce(raw(NULL), 'none')", "none");
	is(h, "without('{\"a\":1, \"b\" : [1, 2],\"c\":\"}\"}', 'a', 'x')",
	    "{\"b\" : [1, 2],\"c\":\"}\"}");
	is(h, "without('{\"a\":1}', 'a')", "{}");
	is(h,
	    "num('#12') || num(7) || coalesce(num('x1'), '-') || "
	    "coalesce(num('1234567890123456789'), '-')",
	    "127--");
	is(h,
	    "length(uuid7()) || substr(uuid7(), 15, 1) || (uuid7() <> uuid7())",
	    "3671");
	is(h,
	    "soon(90) > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+89 seconds') "
	    "AND soon(90) < strftime('%Y-%m-%dT%H:%M:%fZ', 'now', "
	    "'+91 seconds') AND length(soon(0.5)) = 24",
	    "1");
}

static bool
in_list(const char *const *list, const char *word)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, word) == 0)
			return true;
	return false;
}

/* Indices that hold only what is live: their size is the queue's. */
static bool
over_partial(const char *line)
{
	static const char *const partial[] = { "INDEX job_ready",
		"INDEX job_lease", "INDEX job_parked", "INDEX job_live" };

	for (size_t i = 0; i < sizeof(partial) / sizeof(*partial); i++)
		if (strstr(line, partial[i]) != NULL)
			return true;
	return false;
}

/* Looks for "SCAN table" that no partial index covers. */
static void
plan(sqlite3 *h, const char *verb, const char *sql, int len)
{
	char *explain = sqlite3_mprintf("EXPLAIN QUERY PLAN %.*s", len, sql);
	sqlite3_stmt *st;

	if (sqlite3_prepare_v2(h, explain, -1, &st, NULL) != SQLITE_OK) {
		ok(false, verb);
		printf("# %s\n# %.*s\n", sqlite3_errmsg(h), len, sql);
		sqlite3_free(explain);
		return;
	}
	while (sqlite3_step(st) == SQLITE_ROW) {
		const char *line = (const char *)sqlite3_column_text(st, 3);
		char table[64], key[160];

		if (strncmp(line, "SCAN ", 5) != 0 ||
		    strstr(line, "VIRTUAL TABLE") != NULL || over_partial(line))
			continue;
		snprintf(table, sizeof(table), "%.*s",
		    (int)strcspn(line + 5, " "), line + 5);
		snprintf(key, sizeof(key), "%s %s", verb, table);
		if (!in_list(growing, table) || in_list(accepted, key))
			continue;
		ok(false, key);
		printf("# %s\n# %.200s\n", line, sql);
	}
	sqlite3_finalize(st);
	sqlite3_free(explain);
}

int
main(void)
{
	struct sqlfn fn = { .path = "none" };
	sqlite3 *h;
	bool made = sqlite3_open(":memory:", &h) == SQLITE_OK;

	sqlfn_add(h, &fn);
	functions(h);
	for (int i = 0; migrations[i] != NULL; i++)
		made = made && sqlite3_exec(h, migrations[i], NULL, NULL,
				   NULL) == SQLITE_OK;
	ok(made, "the schema");
	for (const struct verb *v = verbs; v->name != NULL; v++) {
		int before = bad, statements = 0;

		for (const char *p = v->sql, *end; *p != '\0'; p = end) {
			sqlite3_stmt *st = NULL;

			p += strspn(p, " \n\t");
			while (*p == '@' || *p == '!') { /* -- :if, :unless */
				p += strcspn(p, " ");
				p += strspn(p, " ");
			}
			if (sqlite3_prepare_v2(h, p, -1, &st, &end) !=
			    SQLITE_OK) {
				ok(false, v->name);
				printf("# %s\n", sqlite3_errmsg(h));
				break;
			}
			if (st != NULL) {
				plan(h, v->name, p, (int)(end - p));
				statements++;
			}
			sqlite3_finalize(st);
		}
		ok(bad == before && statements > 0, v->name);
		if (v->flags & VERB_KEEP)
			kept(v);
	}
	sqlite3_close(h);
	sqlfn_end(&fn);
	printf("1..%d\n", count);
	return bad != 0;
}
