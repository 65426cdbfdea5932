/*
 * sql: every statement of every verb compiles on the schema, and none scans a
 * table that grows for ever unless it is said here that it may.
 */
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "verb.h"

/* Whole lists are asked for, or counts that a person looks at. */
static const char *const accepted[] = {
	"job.list j",       /* by state, kind or reason: a person's list */
	"log.list l",       /* by seq */
	"event.list e",     /* by seq */
	"event.head event", /* max(seq): the last row only */
	"attempt.list a",   /* by number */
	"store.info job",   /* counts by state */
	"store.info event", /* max(seq) */
	"call.keep kept",   /* the first ten rows */
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

static void
nothing(sqlite3_context *c, int n, sqlite3_value **v)
{
	(void)n;
	(void)v;
	sqlite3_result_null(c);
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
	static const struct {
		const char *name;
		int args;
	} fns[] = { { "refuse", 2 }, { "num", 1 }, { "uuid7", 0 },
		{ "soon", 1 }, { "record", -1 }, { "raw", 1 }, { "bool", 1 },
		{ "without", -1 }, { "encrypt", 1 }, { "decrypt", 1 } };
	sqlite3 *h;
	bool made = sqlite3_open(":memory:", &h) == SQLITE_OK;

	for (size_t i = 0; i < sizeof(fns) / sizeof(*fns); i++)
		sqlite3_create_function(h, fns[i].name, fns[i].args,
		    SQLITE_UTF8, NULL, nothing, NULL, NULL);
	for (int i = 0; migrations[i] != NULL; i++)
		made = made && sqlite3_exec(h, migrations[i], NULL, NULL,
				   NULL) == SQLITE_OK;
	ok(made, "the schema");
	for (const struct verb *v = verbs; v->name != NULL; v++) {
		int before = bad, statements = 0;

		for (const char *p = v->sql, *end; *p != '\0'; p = end) {
			sqlite3_stmt *st = NULL;

			p += strspn(p, " \n\t");
			if (*p == '@' || *p == '!') /* -- :if, :unless */
				p += strcspn(p, " ");
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
	}
	sqlite3_close(h);
	printf("1..%d\n", count);
	return bad != 0;
}
