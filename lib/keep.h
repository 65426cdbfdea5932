/*
 * keep: answers that were given, for who asks the same while the store stands
 * as it stood.
 *
 * Only of verbs with VERB_KEEP: what they answer follows from their input and
 * the store, and from nothing else, neither the time nor the environment.  An
 * answer is found by its route, the verb's input and the actor, after it is
 * known that he may have it: who may not comes never here, and what he may see
 * must be in the input.  No refusal is kept.
 *
 * An answer is whatever the caller makes of it; its memory counts as it says.
 */
#ifndef TERA_KEEP_H
#define TERA_KEEP_H

#include "route.h"

#define KEEP_ANSWERS 64
#define KEEP_BYTES (4 * 1024 * 1024)

struct keep {
	struct kept {
		const struct route *route;
		char *in, *actor;
		void *answer; /* NULL: the place is free */
		size_t bytes;
	} all[KEEP_ANSWERS];
	size_t bytes;
	int next; /* the place to be used next: the oldest */
	struct db_mark mark;
	void (*drop)(void *answer); /* it is not kept any more */
};

/* Call it before keep_find: when the store has changed since the last time
 * all is forgotten. Returns true then. */
bool keep_look(struct keep *k, struct db *db);

/* May the answer to c be kept? */
bool keep_may(const struct call *c);

/* Has one answer to both, which may be kept? */
bool keep_same(const struct call *a, const struct call *b);

/* The answer, or NULL. */
void *keep_find(const struct keep *k, const struct call *c);

/* Keeps it, unless it is too big for that or the store has changed since
 * keep_look: then false. */
bool keep_put(struct keep *k, struct db *db, const struct call *c, void *answer,
    size_t bytes);

void keep_free(struct keep *k);

#endif
