/*
 * call: a request on its way through the verbs and programs of its route
 * (route.h).  Who runs them is the door: one for itself, or many together.
 * Zero a struct call before call_begin, and call_free it after.
 */
#ifndef TERA_CALL_H
#define TERA_CALL_H

#include "route.h"

/* Understands a request.  False: r is the answer already. */
bool call_begin(struct call *c, struct auth *a, struct req *q, struct resp *r);

/* Takes what became of c->verb or c->program.  True: there is another one to
 * run; false: r is the answer. */
bool call_next(struct call *c, const struct task *t, struct resp *r);

void call_free(struct call *c);

/* The last event now: call.event, which must not be younger than what the
 * call sees. */
long long call_event(struct db *db);

/* All of it, for who serves one request; client as in prog.h. */
void call_run(struct db *db, struct req *q, struct resp *r, int client);

#endif
