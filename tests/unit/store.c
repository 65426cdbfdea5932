/* store: every verb's script compiles, answers or refuses, and is small. */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "db.h"
#include "input.h"
#include "json.h"

#define VARIABLES 24 /* as in lib/script.c */

static int count, bad;

static void
ok(bool yes, const char *what, const char *name)
{
	printf("%sok %d - %s: %s\n", yes ? "" : "not ", ++count, name, what);
	bad += !yes;
}

/* How many different :names a script has. */
static int
variables(const char *sql)
{
	char names[64][32];
	int n = 0;

	for (const char *p = sql; (p = strchr(p, ':')) != NULL;) {
		size_t len = 0;
		int i;

		p++;
		while (isalnum((unsigned char)p[len]) || p[len] == '_')
			len++;
		if (len == 0 || len >= sizeof(names[0]) || n == 64 ||
		    isdigit((unsigned char)*p))
			continue;
		for (i = 0; i < n; i++)
			if (strlen(names[i]) == len &&
			    strncmp(names[i], p, len) == 0)
				break;
		if (i == n)
			snprintf(
			    names[n++], sizeof(names[0]), "%.*s", (int)len, p);
	}
	return n;
}

/* Is every @KEY of a script in its verb's list? */
static bool
listed(const struct verb *v)
{
	struct keys k;
	bool quoted = false, all = true;

	keys_read(&k, v->in);
	for (const char *p = v->sql; *p != '\0'; p++) {
		size_t len = 0;

		quoted ^= *p == '\'';
		if (*p != '@' || quoted || p[1] == ':')
			continue;
		while (isalnum((unsigned char)p[len + 1]) || p[len + 1] == '_')
			len++;
		if (keys_find(&k, p + 1, len) < 0) {
			printf("# %.*s\n", (int)len + 1, p);
			all = false;
		}
	}
	return all && k.n < INPUT_KEYS;
}

/* An input that passes the verb's list of keys, with values that name
 * nothing, so that each statement is at least compiled. */
static void
some_input(struct buf *b, const char *spec)
{
	buf_clear(b);
	for (const char *p = spec; *(p += strspn(p, " ")) != '\0';) {
		size_t k = strcspn(p, ":");
		const char *type = p + k + 1;
		size_t t = strcspn(type, "! ");
		char key[64];

		snprintf(key, sizeof(key), "%.*s", (int)k, p);
		if (strncmp(type, "text", t) == 0 ||
		    strncmp(type, "ref", t) == 0 ||
		    strncmp(type, "any", t) == 0)
			json_add(b, key, "1");
		else if (strncmp(type, "int", t) == 0 ||
			 strncmp(type, "num", t) == 0)
			json_add_int(b, key, 1);
		else if (strncmp(type, "bool", t) == 0)
			json_add_bool(b, key, false);
		else
			json_add_raw(b, key, *type == 'a' ? "[]" : "{}");
		p = type + t + (type[t] == '!');
	}
	json_end(b);
}

static int
count_row(void *arg, const char *json)
{
	struct fault f;

	/* every answer is an object */
	if (json_check(json, strlen(json), &f) != 0)
		*(int *)arg = -1;
	return 0;
}

static void
all(struct db *db, const char *when)
{
	struct buf in = BUF_INIT;

	for (const struct verb *v = verbs; v->name != NULL; v++) {
		struct fault f = { 0, "" };
		int rows = 0, rc = db_verb(db, v, "{}", count_row, &rows, &f);

		ok(rc != EX_SOFTWARE && rows >= 0, when, v->name);
		if (rc == EX_SOFTWARE)
			printf("# with {}: %s\n", f.msg);
		some_input(&in, v->in);
		rows = 0;
		rc = db_verb(db, v, in.s, count_row, &rows, &f);
		ok(rc != EX_SOFTWARE && rows >= 0, "with every key", v->name);
		if (rc == EX_SOFTWARE)
			printf("# with %s: %s\n", in.s, f.msg);
		rc = db_verb(db, v, "[1]", count_row, &rows, &f);
		ok(rc != EX_SOFTWARE, "with no object", v->name);
	}
	buf_free(&in);
}

static void
fill(struct db *db, const char *verb, const char *in)
{
	struct fault f = { 0, "" };

	if (db_verb(db, verb_find(verb), in, NULL, NULL, &f) > 1)
		printf("# %s: %s\n", verb, f.msg);
}

/* What SQLite does not take is refused, and not left out. */
static void
too_big(struct db *db)
{
	const size_t n = 65 * 1024 * 1024;
	struct buf in = BUF_INIT;
	struct fault f = { 0, "" };
	char *text = xmalloc(n + 1);

	memset(text, 'x', n);
	text[n] = '\0';
	json_add(&in, "project", "p");
	json_add(&in, "description", text);
	ok(db_verb(db, verb_find("project.set"), json_end(&in), NULL, NULL,
	       &f) == EX_DATAERR,
	    "is refused", "65 MiB of text");
	free(text);
	buf_free(&in);
}

/* Who serves many waits for none for long. */
static void
patient(struct db *db)
{
	static const struct verb endless = { "endless", VERB_READ, "",
		"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 "
		"FROM c) SELECT count(*) AS json FROM c;\n" };
	const char *one = "{\"project\":\"p\",\"title\":\"t\"}";
	struct fault f = { 0, "" };
	int other = open("s.db-gate", O_RDWR | O_CLOEXEC);

	db_patience(db, 50, 50);
	ok(db_verb(db, &endless, "{}", NULL, NULL, &f) == EX_TEMPFAIL,
	    "is ended", "a read without an end");
	ok(db_verb(db, verb_find("project.list"), "{}", NULL, NULL, &f) == 0,
	    "reads", "the next one");
	ok(other >= 0 && flock(other, LOCK_EX) == 0, "is taken", "the gate");
	ok(db_verb(db, verb_find("ticket.add"), one, NULL, NULL, &f) ==
		EX_TEMPFAIL,
	    "does not wait for ever", "a write");
	close(other);
	ok(db_verb(db, verb_find("ticket.add"), one, NULL, NULL, &f) == 0,
	    "writes", "the next one");
}

int
main(void)
{
	char dir[] = "/tmp/tera-unit.XXXXXX";
	struct fault f = { 0, "" };
	struct db *db;
	int made = -1;

	if (mkdtemp(dir) == NULL || chdir(dir) != 0)
		return 1;
	ok(db_init("s.db", &made, &f) == 0 && made == 0, "is made", "store");
	ok(db_init("s.db", &made, &f) == 0 && made > 0, "is there", "store");
	db = db_open("s.db", &f);
	ok(db != NULL, "opens", "store");
	if (db == NULL)
		return 1;
	for (const struct verb *v = verbs; v->name != NULL; v++) {
		ok(variables(v->sql) <= VARIABLES, "few variables", v->name);
		ok(listed(v), "lists its keys", v->name);
		ok(verb_find(v->name) == v, "is found", v->name);
	}
	ok(verb_find("nothing") == NULL, "is none", "nothing");
	all(db, "of an empty store");
	fill(db, "project.add", "{\"name\":\"p\",\"repo_url\":\"/r\"}");
	fill(db, "ticket.add", "{\"project\":\"p\",\"title\":\"t\"}");
	fill(db, "job.add", "{\"ticket\":1}");
	fill(db, "job.claim", "{}");
	fill(db, "pr.open",
	    "{\"ticket_id\":1,\"title\":\"t\",\"source\":\"/r\","
	    "\"head_branch\":\"b\",\"base_branch\":\"m\"}");
	all(db, "of a full store");
	too_big(db);
	patient(db);
	ok(db_audit(db, count_row, &made, &f) == 0, "holds", "chain");
	db_close(db);
	for (const char *s = "\0-wal\0-shm\0-gate\0-wake\0-key\0!"; *s != '!';
	     s += strlen(s) + 1) {
		char name[32];

		snprintf(name, sizeof(name), "s.db%s", s);
		unlink(name);
	}
	if (chdir("/") == 0)
		rmdir(dir);
	printf("1..%d\n", count);
	return bad != 0;
}
