/* See keep.h. */
#include <stdlib.h>
#include <string.h>

#include "keep.h"

static void
forget(struct keep *k, struct kept *e)
{
	if (e->answer == NULL)
		return;
	k->drop(e->answer);
	k->bytes -= e->bytes;
	free(e->in);
	free(e->actor);
	*e = (struct kept){ .answer = NULL };
}

void
keep_free(struct keep *k)
{
	for (int i = 0; i < KEEP_ANSWERS; i++)
		forget(k, &k->all[i]);
}

static bool
same_mark(struct db_mark a, struct db_mark b)
{
	return a.file == b.file && a.others == b.others && a.own == b.own;
}

bool
keep_look(struct keep *k, struct db *db)
{
	struct db_mark now = db_mark(db);

	if (same_mark(now, k->mark))
		return false;
	keep_free(k);
	k->mark = now;
	return true;
}

bool
keep_may(const struct call *c)
{
	return c->verb != NULL && (c->verb->flags & VERB_KEEP) != 0 &&
	       strcmp(c->route->verbs, c->verb->name) == 0 &&
	       strcmp(c->route->method, "GET") == 0;
}

static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool
keep_same(const struct call *a, const struct call *b)
{
	return a->route == b->route && keep_may(a) &&
	       strcmp(a->in, b->in) == 0 && same(a->actor, b->actor);
}

void *
keep_find(const struct keep *k, const struct call *c)
{
	for (int i = 0; i < KEEP_ANSWERS; i++) {
		const struct kept *e = &k->all[i];

		if (e->answer != NULL && e->route == c->route &&
		    strcmp(e->in, c->in) == 0 && same(e->actor, c->actor))
			return e->answer;
	}
	return NULL;
}

bool
keep_put(struct keep *k, struct db *db, const struct call *c, void *answer,
    size_t bytes)
{
	struct kept *e = &k->all[k->next];

	bytes += strlen(c->in) + sizeof(*e);
	if (bytes > KEEP_BYTES / 2 || !same_mark(db_mark(db), k->mark))
		return false;
	forget(k, e);
	for (int i = k->next; k->bytes + bytes > KEEP_BYTES;)
		forget(k, &k->all[i = (i + 1) % KEEP_ANSWERS]);
	*e = (struct kept){ c->route, xstrdup(c->in),
		c->actor != NULL ? xstrdup(c->actor) : NULL, answer, bytes };
	k->bytes += bytes;
	k->next = (k->next + 1) % KEEP_ANSWERS;
	return true;
}
