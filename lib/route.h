/*
 * route: which request is which verb, who may, and what the answer looks like.
 *
 * One table; tera-serve -r prints it and tera-api(7) is held against it.  A
 * request is one verb or several, one after the other: the input of each is
 * the body, the query and the names in the path put together as one object.
 * The last one's rows are the answer.  A row that begins {"http":N, is the
 * answer with that status, and nothing is done after it when N is an error.
 * A verb that has the key actor gets there who asks.
 *
 * A list is whole, or with limit a page: then Link (RFC 8288) names the next,
 * which begins after the last row's number, or seq.
 *
 * Of a verb job.claim the row is given the token of the job (token.h). "=login"
 * is no verb but login.h.
 */
#ifndef TERA_ROUTE_H
#define TERA_ROUTE_H

#include <stdbool.h>

#include "auth.h"
#include "prog.h"
#include "req.h"
#include "work.h"

enum shape {
	SHAPE_ONE,   /* the last row */
	SHAPE_LIST,  /* an array of the rows */
	SHAPE_LINES, /* a row a line */
	SHAPE_TEXT,  /* what each has as text */
};

struct route {
	const char *method;
	const char *pattern; /* ":name" is a segment that becomes that key */
	/* "a b?key +c $d !e": b when the input has the key; c gets the last
	 * row's keys, too; d the settings that stand in the environment, as
	 * env; e is a program (prog.h), which gets the last row and the names
	 * in the path only.  "=f": what route.c itself answers. */
	const char *verbs;
	enum who who;
	enum shape shape;
	int status;
};

extern const struct route routes[]; /* ends with a NULL method */

#define LIST_MAX 1000 /* rows of a page */

/* The next verb of a route's verbs, past programs; begin with *at = verbs, NULL
 * after the last. */
const struct verb *route_verb(const char **at);

/* Appends the table as an OpenAPI description (openapi.c). */
void route_openapi(struct buf *b);

/* The most bytes that the body of a request may have. */
size_t route_body_max(const char *path);

/* A request on its way.  Zero it; call_free after. */
struct call {
	const struct route *route;
	const struct verb *verb;       /* to be run next, or when it is NULL */
	const struct program *program; /* that, */
	char *in;                      /* with this */
	const char *key; /* what its Idempotency-Key is for us, or NULL */
	const char *actor;
	/* its own */
	struct auth *auth;
	struct caller by;
	char *own_key;
	const struct req *q;
	char *names;   /* those in the path */
	char *request; /* the input that all verbs of it get */
	const char *rest;
	bool asking;           /* whether it was done before */
	bool head;             /* the method is HEAD */
	long long event;       /* the last one before it began: the door's */
	struct stream *stream; /* which the answer begins */
};

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
