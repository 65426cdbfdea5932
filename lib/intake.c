/* See intake.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intake.h"
#include "jscan.h"
#include "pgtime.h"
#include "secret.h"

static const struct {
	const char *name, *table, *verb;
} kinds[INTAKE_KINDS] = {
	[INTAKE_PROJECT] = { "project", "projects", "import.project" },
	[INTAKE_GRAPH] = { "graph", "graphs", "import.graph" },
	[INTAKE_BOARD] = { "board", "kanban_boards", "import.board" },
	[INTAKE_TICKET] = { "ticket", "tickets", "import.ticket" },
	[INTAKE_COMMENT] = { "comment", "ticket_comments", "import.comment" },
	[INTAKE_NOTE] = { "note", "notes", "import.note" },
	[INTAKE_JOB] = { "job", "agent_jobs", "import.job" },
	[INTAKE_LOG] = { "log", "execution_logs", "import.log" },
	[INTAKE_PR] = { "pr", "prs", "import.pr" },
	[INTAKE_PR_COMMENT] = { "pr_comment", "pr_review_comments",
	    "import.pr_comment" },
	[INTAKE_SETTING] = { "setting", "app_settings", "import.setting" },
	[INTAKE_MEMORY] = { "memory", NULL, "import.memory" },
};

/* What is to be taken: a row of the dump, or an object. */
struct intake_item {
	enum intake_kind kind;
	bool late;    /* after the others of its kind */
	long long at; /* us: when it was made, which is the order */
	size_t order; /* as it came, when that is the same */
	size_t row;   /* of the dump, when there is no json */
	char *json;
};

/* --- what is said --- */

static void
say(struct intake *t, struct buf *line)
{
	buf_str(&t->said, json_end(line));
	buf_chr(&t->said, '\n');
	buf_free(line);
}

/* Begins the record of one thing, which it names. */
static void
name_it(struct buf *b, const struct intake *t, const struct intake_item *it,
    const char *json)
{
	char *id =
	    json_get(json, it->kind == INTAKE_SETTING ? "$.key" : "$.id");

	json_add(b, "kind", kinds[it->kind].name);
	json_add(b, "id", id);
	if (it->json == NULL)
		json_add_int(b, "line", t->dump.row[it->row].line);
	free(id);
}

static void
leave(struct intake *t, const struct intake_item *it, const char *json,
    int code, const char *why)
{
	struct buf b = BUF_INIT;

	t->count[it->kind].left++;
	if (code != 0)
		t->worst = code;
	name_it(&b, t, it, json);
	json_add_int(&b, "left", 1);
	json_add(&b, "reason", why);
	say(t, &b);
}

void
intake_leave(struct intake *t, enum intake_kind kind, const char *json,
    int code, const char *why)
{
	char none[] = "";

	leave(t, &(struct intake_item){ .kind = kind, .json = none }, json,
	    code, why);
}

static void
sum_up(struct intake *t)
{
	for (int k = 0; k < INTAKE_KINDS; k++) {
		struct buf b = BUF_INIT;

		if (t->count[k].taken + t->count[k].there + t->count[k].left ==
			0 &&
		    t->count[k].why == NULL)
			continue;
		json_add(&b, "kind", kinds[k].name);
		json_add_int(&b, "taken", t->count[k].taken);
		json_add_int(&b, "there", t->count[k].there);
		json_add_int(&b, "left", t->count[k].left);
		if (t->count[k].why != NULL)
			json_add(&b, "reason", t->count[k].why);
		say(t, &b);
	}
}

/* --- what comes --- */

/* The object with its times as our stores have them, which the caller frees.
 * *at: when the thing was made, 0 when that is not said. */
static char *
with_times(const char *json, long long *at)
{
	static const char first[] = "\"comment_created_at\"",
			  second[] = "\"created_at\"";
	struct slice all = { json, strlen(json) }, key, v;
	struct buf b = BUF_INIT;
	const char *pos = NULL;
	bool sure = false;

	*at = 0;
	while (jscan_member(all, &pos, &key, &v)) {
		char text[32];
		long long us;

		buf_chr(&b, b.len == 0 ? '{' : ',');
		buf_add(&b, key.s, key.n);
		buf_chr(&b, ':');
		if (key.n < 5 || memcmp(key.s + key.n - 4, "_at\"", 4) != 0 ||
		    v.n < 2 || *v.s != '"' ||
		    !pgtime_read(v.s + 1, v.n - 2, &us)) {
			buf_add(&b, v.s, v.n);
			continue;
		}
		pgtime_stamp(text, us);
		buf_fmt(&b, "\"%s\"", text);
		if (jscan_same(key, (struct slice){ first, sizeof(first) - 1 }))
			sure = true;
		else if (sure || !jscan_same(key, (struct slice){ second,
						      sizeof(second) - 1 }))
			continue;
		*at = us;
	}
	json_end(&b);
	return buf_take(&b);
}

static struct intake_item *
new_item(struct intake *t, enum intake_kind kind)
{
	if ((t->items & (t->items - 1)) == 0)
		t->item = xrealloc(t->item,
		    (t->items > 0 ? t->items * 2 : 1) * sizeof(*t->item));
	t->item[t->items] = (struct intake_item){
		.kind = kind, .order = t->items, .json = NULL
	};
	return &t->item[t->items++];
}

/* Is the setting of that name so, in names? */
static bool
is(const struct intake *t, const char *name, const char *what)
{
	char *path = xasprintf("$.\"%s\".%s", name, what);
	bool yes = json_true(t->names, path);

	free(path);
	return yes;
}

/* Jobs that wait come after those that are over, for a ticket has one of them
 * only; settings with a name of today before those with an old one. */
static bool
is_late(const struct intake *t, enum intake_kind kind, const char *json)
{
	char *text;
	bool late = false;

	if (kind != INTAKE_JOB && kind != INTAKE_SETTING)
		return false;
	text = json_get(json, kind == INTAKE_JOB ? "$.status" : "$.key");
	if (text != NULL)
		late = kind == INTAKE_JOB ? strcmp(text, "pending") == 0
					  : is(t, text, "old");
	free(text);
	return late;
}

void
intake_add(struct intake *t, enum intake_kind kind, char *json)
{
	struct intake_item *it = new_item(t, kind);

	it->json = with_times(json, &it->at);
	it->late = is_late(t, kind, it->json);
	free(json);
}

/* The object of an item, which the caller frees; NULL and f. */
static char *
object(const struct intake *t, const struct intake_item *it, long long *at,
    struct fault *f)
{
	struct buf b = BUF_INIT;
	char *json = NULL;

	if (it->json != NULL)
		return xstrdup(it->json);
	if (pgdump_object(&t->dump, it->row, &b, f) == 0)
		json = with_times(b.s, at);
	buf_free(&b);
	return json;
}

/* Why the rows of a table without a kind are left. */
static const char *
why_not(const char *table)
{
	if (strcmp(table, "rag_embeddings") == 0)
		return "passages are found by their words here";
	if (strcmp(table, "settings") == 0)
		return "no program read them";
	return "no table of Terarchitect";
}

enum intake_kind
intake_kind(const char *table)
{
	int k = 0;

	while (k < INTAKE_KINDS &&
	       (kinds[k].table == NULL || strcmp(kinds[k].table, table) != 0))
		k++;
	return (enum intake_kind)k;
}

/* How many rows have that table; each is counted once. */
static void
pass_over(struct intake *t, const char *table, bool *done)
{
	struct buf b = BUF_INIT;
	long n = 0;

	for (size_t i = 0; i < t->dump.rows; i++)
		if (!done[t->dump.row[i].table] &&
		    strcmp(t->dump.table[t->dump.row[i].table].name, table) ==
			0)
			n++;
	for (size_t i = 0; i < t->dump.tables; i++)
		if (strcmp(t->dump.table[i].name, table) == 0)
			done[i] = true;
	json_add(&b, "table", table);
	json_add_int(&b, "taken", 0);
	json_add_int(&b, "left", n);
	json_add(&b, "reason", why_not(table));
	say(t, &b);
}

void
intake_dump(struct intake *t)
{
	bool *done = xmalloc(t->dump.tables + 1);

	memset(done, 0, t->dump.tables + 1);
	for (size_t i = 0; i < t->dump.rows; i++) {
		size_t table = t->dump.row[i].table;
		const char *name = t->dump.table[table].name;
		enum intake_kind kind = intake_kind(name);
		struct intake_item *it;
		struct fault f;
		char *json;

		if (kind == INTAKE_KINDS) {
			if (!done[table])
				pass_over(t, name, done);
			continue;
		}
		it = new_item(t, kind);
		it->row = i;
		json = object(t, it, &it->at, &f);
		if (json == NULL) {
			leave(t, it, "{}", f.code, f.msg);
			t->items--;
			continue;
		}
		it->late = is_late(t, kind, json);
		free(json);
	}
	free(done);
}

/* --- into the store --- */

static int
keep(void *arg, const char *json)
{
	char **text = arg;

	free(*text);
	*text = xstrdup(json);
	return 0;
}

void
intake_open(struct intake *t)
{
	struct fault f;

	t->store = store_open(&f);
	t->db = t->store != NULL ? store_db(t->store, &f) : NULL;
	if (t->db == NULL ||
	    db_verb(t->db, verb_find("import.names"), "{}", keep, &t->names,
		&f) != 0 ||
	    db_as(t->db, "import", &f) != 0)
		die(f.code, "%s", f.msg);
}

char *
intake_step(struct intake *t, const char *verb, const char *in, struct fault *f)
{
	char *answer = NULL;
	int rc = db_step(t->db, verb_find(verb), in, NULL, NULL, f);

	if (rc == 0)
		db_peek(t->db, keep, &answer);
	else if (rc != EX_DATAERR && rc != EX_NOINPUT) {
		db_undo(t->db);
		die(rc, "%s", f->msg);
	}
	return answer;
}

/* The value of a secret in clear, which the caller frees.  NULL: it was left.
 */
static char *
reveal(struct intake *t, const struct intake_item *it, const char *json,
    const char *value)
{
	char *store = store_path(), *clear;
	struct fault f;

	clear = t->key != NULL ? secret_open_with(t->key, value, &f)
			       : secret_open(store, value, &f);
	free(store);
	if (clear == NULL)
		leave(t, it, json, f.code, f.msg);
	else if (!json_utf8(clear, strlen(clear))) {
		leave(t, it, json, EX_DATAERR, "not UTF-8");
		free(clear);
		clear = NULL;
	}
	return clear;
}

/* What the verb wants of a setting: its value in clear.  NULL: it was left. */
static char *
setting(struct intake *t, const struct intake_item *it, const char *json)
{
	char *name = json_get(json, "$.key"),
	     *value = json_get(json, "$.value"), *clear = NULL, *out = NULL;
	struct buf b = BUF_INIT;

	if (name == NULL || strchr(name, '"') != NULL || !is(t, name, "known"))
		leave(t, it, json, 0, "no such setting here");
	else if (value != NULL && it->json == NULL && is(t, name, "secret") &&
		 !is(t, name, "there"))
		clear = reveal(t, it, json, value);
	else
		clear = xstrdup(value != NULL ? value : "");
	if (clear != NULL) {
		json_add(&b, "name", name);
		json_add(&b, "value", clear);
		out = json_merge(json, json_end(&b));
		explicit_bzero(clear, strlen(clear));
		explicit_bzero(b.s, b.len);
	}
	free(clear);
	free(name);
	free(value);
	buf_free(&b);
	return out;
}

/* --- logs --- */

static int
add_id(void *arg, const char *json)
{
	struct intake *t = arg;

	if ((t->logs & (t->logs - 1)) == 0)
		t->log = xrealloc(
		    t->log, (t->logs > 0 ? t->logs * 2 : 1) * sizeof(*t->log));
	t->log[t->logs++] = xstrdup(json);
	return 0;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The ids of the logs that are in the store. */
static void
find_logs(struct intake *t)
{
	struct fault f;

	free(intake_step(t, "import.logged", "{}", &f));
	db_peek(t->db, add_id, t);
	if (t->logs > 0)
		qsort(t->log, t->logs, sizeof(*t->log), by_text);
	t->looked = true;
}

/* Is the log in the store? */
static bool
logged(struct intake *t, const char *json)
{
	char *id = json_raw(json, "$.id");
	bool is_there;

	if (!t->looked)
		find_logs(t);
	is_there = id != NULL && t->logs > 0 &&
		   bsearch(&id, t->log, t->logs, sizeof(*t->log), by_text);
	free(id);
	return is_there;
}

/* Puts one thing, and counts what became of it. */
static void
put(struct intake *t, const struct intake_item *it)
{
	struct fault f;
	long long at;
	char *json = object(t, it, &at, &f), *in, *answer, *note;
	struct buf b = BUF_INIT;

	if (json == NULL) /* it was good before */
		die(EX_DATAERR, "%s: changed while it was read", t->source);
	if (it->kind == INTAKE_LOG && logged(t, json)) {
		t->count[INTAKE_LOG].there++;
		free(json);
		return;
	}
	in = it->kind == INTAKE_SETTING ? setting(t, it, json)
	     : it->kind == INTAKE_LOG   ? json_merge(json, "{\"fresh\":true}")
					: xstrdup(json);
	answer =
	    in != NULL ? intake_step(t, kinds[it->kind].verb, in, &f) : NULL;
	if (in != NULL && answer == NULL)
		leave(t, it, json, f.code, f.msg);
	else if (answer != NULL && json_true(answer, "$.new"))
		t->count[it->kind].taken++;
	else if (answer != NULL)
		t->count[it->kind].there++;
	note = answer != NULL ? json_get(answer, "$.note") : NULL;
	if (note != NULL) {
		name_it(&b, t, it, json);
		json_add(&b, "note", note);
		say(t, &b);
	}
	if (in != NULL && it->kind == INTAKE_SETTING)
		explicit_bzero(in, strlen(in));
	free(note);
	free(answer);
	free(in);
	free(json);
}

static int
by_order(const void *a, const void *b)
{
	const struct intake_item *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->late != y->late)
		return x->late ? 1 : -1;
	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

void
intake_begin(struct intake *t)
{
	struct fault f;

	if (db_begin(t->db, &f) != 0)
		die(f.code, "%s", f.msg);
}

void
intake_put(struct intake *t)
{
	if (t->items > 0)
		qsort(t->item, t->items, sizeof(*t->item), by_order);
	for (size_t i = 0; i < t->items; i++)
		put(t, &t->item[i]);
}

int
intake_end(struct intake *t, bool check)
{
	struct fault f;

	if (check)
		db_undo(t->db);
	else if (db_end(t->db, &f) != 0)
		die(f.code, "%s", f.msg);
	sum_up(t);
	fwrite(buf_text(&t->said), 1, t->said.len, stdout);
	for (size_t i = 0; i < t->items; i++)
		free(t->item[i].json);
	for (size_t i = 0; i < t->logs; i++)
		free(t->log[i]);
	if (t->key != NULL)
		explicit_bzero(t->key, strlen(t->key));
	free(t->item);
	free(t->log);
	free(t->names);
	free(t->key);
	pgdump_free(&t->dump);
	buf_free(&t->said);
	store_close(t->store);
	return t->worst;
}
