/* See work.h. */
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "work.h"

void
work_init(struct work *w, size_t n)
{
	w->n = n;
	w->tasks = xmalloc(n * sizeof(*w->tasks));
	memset(w->tasks, 0, n * sizeof(*w->tasks));
}

void
work_free(struct work *w)
{
	for (size_t i = 0; i < w->n; i++) {
		buf_free(&w->tasks[i].text);
		free(w->tasks[i].msg);
	}
	free(w->tasks);
	w->tasks = NULL;
	w->n = 0;
}

static int
keep_row(void *arg, const char *json)
{
	struct task *t = arg;

	buf_add(&t->text, json, strlen(json) + 1);
	t->rows++;
	return 0;
}

static int
join_row(void *arg, const char *json)
{
	struct buf *b = arg;

	buf_str(b, json);
	buf_chr(b, '\n');
	return 0;
}

/*
 * What a write with a key answered is kept in the transaction that did it
 * (call.keep): whoever did not hear the answer asks again and gets that one.
 * Returns 1 when it was done before, 0 when not, or the exit status.
 */
static int
done_before(
    struct db *db, const struct verb *v, struct task *t, struct fault *f)
{
	struct buf in = BUF_INIT, kept = BUF_INIT;
	char *rows, *end;
	int rc;

	json_add(&in, "key", t->key);
	json_add(&in, "verb", v->name);
	rc = db_step(db, verb_find("call.show"), json_end(&in), NULL, NULL, f);
	if (rc == 0)
		db_peek(db, join_row, &kept);
	buf_free(&in);
	if (rc != 0 || kept.len == 0)
		return rc;
	rows = json_get(kept.s, "$.rows");
	for (char *p = rows; p != NULL && *p != '\0'; p = end + 1) {
		end = p + strcspn(p, "\n");
		*end = '\0';
		keep_row(t, p);
	}
	free(rows);
	buf_free(&kept);
	return 1;
}

static int
remember(
    struct db *db, const struct verb *v, const struct task *t, struct fault *f)
{
	struct buf in = BUF_INIT, rows = BUF_INIT;
	int rc;

	db_peek(db, join_row, &rows);
	json_add(&in, "key", t->key);
	json_add(&in, "verb", v->name);
	json_add(&in, "rows", buf_text(&rows));
	rc = db_step(db, verb_find("call.keep"), json_end(&in), NULL, NULL, f);
	buf_free(&in);
	buf_free(&rows);
	return rc;
}

/* One write, within the transaction that was begun. */
static void
write_one(struct db *db, const struct verb *v, struct task *t, struct fault *f)
{
	int before = t->key != NULL ? done_before(db, v, t, f) : 0;

	if (before != 0) {
		t->rc = before == 1 ? 0 : before;
		return;
	}
	t->rc = db_step(db, v, t->in, keep_row, t, f);
	if (t->rc == 0 && t->key != NULL)
		t->rc = remember(db, v, t, f);
}

/* Each input of it; a write within the transaction that was begun. */
static void
perform(struct db *db, struct work *w)
{
	for (size_t i = 0; i < w->n; i++) {
		struct task *t = &w->tasks[i];
		struct fault f;

		if (w->verb->flags & VERB_WRITE)
			write_one(db, w->verb, t, &f);
		else
			t->rc = db_verb(db, w->verb, t->in, keep_row, t, &f);
		if (t->rc > 1) {
			t->msg = xstrdup(f.msg);
			t->stale = db_stale(db);
		}
	}
}

/* Nothing of it stands. */
static void
fail_all(struct work *w, int rc, const char *msg)
{
	for (size_t i = 0; i < w->n; i++) {
		struct task *t = &w->tasks[i];

		if (t->rc > 1)
			continue;
		t->rc = rc;
		t->rows = 0;
		t->msg = xstrdup(msg);
		buf_clear(&t->text);
	}
}

static bool
same_actor(const struct work *a, const struct work *b)
{
	if (a->actor == NULL || b->actor == NULL)
		return a->actor == b->actor;
	return strcmp(a->actor, b->actor) == 0;
}

/* Writes in one transaction, each sealed under its actor. */
static void
transact(struct db *db, struct work *works, size_t n)
{
	struct fault f = { 0, "" };
	int rc;

	db_as(db, works[0].actor, &f);
	rc = db_begin(db, &f);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (i > 0 && !same_actor(&works[i - 1], &works[i]))
			rc = db_as(db, works[i].actor, &f);
		if (rc == 0)
			perform(db, &works[i]);
	}
	if (rc == 0)
		rc = db_end(db, &f);
	db_as(db, NULL, &f);
	for (size_t i = 0; rc != 0 && i < n; i++)
		fail_all(&works[i], rc, f.msg);
}

int
work_run(struct db *db, struct work *works, size_t n)
{
	int wrote = 0;

	for (size_t from = 0, to; from < n; from = to) {
		struct work *w = &works[from];

		to = from + 1;
		if (!(w->verb->flags & VERB_WRITE)) {
			db_look(db);
			perform(db, w);
			while (to < n && !(works[to].verb->flags & VERB_WRITE))
				perform(db, &works[to++]);
			db_looked(db);
			continue;
		}
		while (to < n && (works[to].verb->flags & VERB_WRITE))
			to++;
		transact(db, w, to - from);
		wrote = 1;
	}
	return wrote;
}
