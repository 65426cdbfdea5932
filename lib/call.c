/* See call.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "call.h"
#include "given.h"
#include "json.h"
#include "login.h"
#include "scope.h"
#include "stream.h"

/* --- the input --- */

/* What a program gets: the names in the path, and the last row; nothing that
 * a stranger said. */
static bool
to_program(struct call *c, const char *name, const char *row)
{
	c->verb = NULL;
	c->program = prog_find(name);
	free(c->in);
	c->in = xstrdup(c->names);
	if (row != NULL)
		c->in = given_more(c->in, row);
	return c->program != NULL;
}

/* Who asks, for a verb that wants to know it. */
static void
add_actor(struct call *c)
{
	struct buf own = BUF_INIT;

	if (verb_key(c->verb, "actor") == NULL)
		return;
	json_add(&own, "actor", c->actor);
	json_end(&own);
	c->in = given_more(c->in, own.s);
	buf_free(&own);
}

/* Sets the next verb or program and its input; false when there is none.  row
 * is the last answer of the one before it, or NULL. */
static bool
advance(struct call *c, const char *row)
{
	char name[64], need[34];
	bool env, add, program;

	do {
		const char *p = c->rest + strspn(c->rest, " ");
		size_t n = strcspn(p, " "), k;

		c->rest = p + n;
		if (n == 0)
			return false;
		env = *p == '$';
		p += env;
		add = *p == '+';
		p += add;
		program = *p == '!';
		p += program;
		k = strcspn(p, "? ");
		snprintf(name, sizeof(name), "%.*s", (int)k, p);
		snprintf(need, sizeof(need), "$.%.*s",
		    p[k] == '?' ? (int)strcspn(p + k + 1, " ") : 0,
		    p[k] == '?' ? p + k + 1 : "");
	} while (need[2] != '\0' &&
		 strstr(" null", json_type(c->request, need)) != NULL);
	if (program)
		return to_program(c, name, row);
	c->program = NULL;
	c->verb = verb_find(name);
	free(c->in);
	c->in = NULL;
	if (c->verb == NULL)
		return false;
	if (!add && !env)
		c->in = xstrdup(c->request);
	else
		c->in = given_picked(c->verb, c->request, add ? row : NULL,
		    env ? given_env() : NULL);
	add_actor(c);
	return true;
}

/* Is what comes next a question only? */
static bool
only_looks(const struct call *c)
{
	if (c->program != NULL)
		return prog_looks(c->program);
	return c->verb != NULL && !(c->verb->flags & VERB_WRITE);
}

/*
 * A call with a key may have been done before: then what only looks before it
 * writes (is the thing there, may it be) has nothing to say any more, and goes
 * out.  So the first question is for that.
 */
static void
ask_first(struct call *c)
{
	struct buf in = BUF_INIT;

	while (only_looks(c))
		if (!advance(c, NULL))
			return;
	if (c->verb == NULL)
		return; /* a merge sees for itself what is done already */
	json_add(&in, "key", c->key);
	json_add(&in, "verb", c->verb->name);
	json_end(&in);
	free(c->in);
	c->in = buf_take(&in);
	c->verb = verb_find("call.show");
	c->asking = true;
}

/* It was, or not: the verb to begin with. */
static void
begin_with(struct call *c, bool done)
{
	c->asking = false;
	c->rest = c->route->verbs;
	advance(c, NULL);
	while (done && only_looks(c))
		advance(c, NULL);
}

/* Who may ask for a verb itself.  One that is given settings of the
 * environment answers with secrets. */
static enum who
who_of(const struct verb *v)
{
	if (v->flags & VERB_ADMIN)
		return WHO_ADMIN;
	if (v->flags & VERB_WORKER)
		return strstr(v->in, "env:") != NULL ? WHO_AGENT : WHO_WORKER;
	return v->flags & VERB_WRITE ? WHO_WRITE : WHO_READ;
}

/* The verb of /api/v1/VERB, and who may; false: r. */
static bool
plain(struct call *c, const char *name, enum who *who, struct resp *r)
{
	c->verb = verb_find(name);
	/* what the server asks itself is nobody's business */
	if (c->verb == NULL || strncmp(name, "call.", 5) == 0 ||
	    strncmp(name, "auth.", 5) == 0) {
		resp_error(r, 404, "no such verb: %s", name);
		return false;
	}
	if (c->verb->flags & VERB_LOCAL) {
		resp_error(r, 403, "%s: not over HTTP", name);
		return false;
	}
	*who = who_of(c->verb);
	return true;
}

/* The flags of all its verbs together; *claims: one is job.claim. */
static int
flags_of(const struct call *c, bool *claims)
{
	int flags = c->verb != NULL ? c->verb->flags : 0;
	const char *p = c->route->verbs;
	char name[64];

	*claims = c->verb != NULL && strcmp(c->verb->name, "job.claim") == 0;
	while (*(p += strspn(p, " $+")) != '\0') {
		bool runs = *p == '!';
		const struct verb *v = NULL;

		p += runs;
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(p, "? "), p);
		if (!runs)
			v = verb_find(name);
		else if (!prog_looks(prog_find(name)))
			flags |= VERB_WRITE;
		flags |= v != NULL ? v->flags : 0;
		*claims = *claims || strcmp(name, "job.claim") == 0;
		p += strcspn(p, " ");
	}
	return flags;
}

/* Is what the next verb is about to get within what the token is for?  False:
 * r. */
static bool
in_scope(struct call *c, struct resp *r)
{
	/* a program gets what a verb before it answered */
	return c->asking || c->verb == NULL ||
	       scope_fits(c->auth, &c->by, c->verb, &c->in, r);
}

/* A key that somebody thought of: 8 to 255 visible characters. */
static bool
good_key(const char *key)
{
	size_t n = strlen(key);

	for (size_t i = 0; i < n; i++)
		if (key[i] <= ' ' || key[i] > '~')
			return false;
	return n >= 8 && n <= 255;
}

/* A page of a list has at most LIST_MAX rows.  False: r. */
static bool
page_fits(const struct call *c, struct resp *r)
{
	if (c->route->shape != SHAPE_LIST || answer_page(c) <= LIST_MAX)
		return true;
	resp_error(r, 400, "limit: want 0 to %d", LIST_MAX);
	return false;
}

/* Adds what the query says to the request: the keys of any of the verbs. */
static bool
asked(struct call *c, const struct req *q)
{
	const char *at = c->route->verbs;
	const struct verb *v = c->verb != NULL ? c->verb : route_verb(&at);
	bool fine = true;

	if (*q->query == '\0')
		return true;
	for (; fine && v != NULL; v = *at != '\0' ? route_verb(&at) : NULL) {
		struct buf b = BUF_INIT;

		fine = req_query(&b, q->query, v);
		json_end(&b);
		c->request = given_more(c->request, b.s);
		buf_free(&b);
	}
	return fine;
}

/* Puts the input together, and finds the verb to begin with.  False: r. */
static bool
understand(struct call *c, struct req *q, const char *names, struct resp *r)
{
	bool one = c->verb != NULL, fine;

	c->request = given_body(q, r);
	if (c->request == NULL)
		return false;
	c->rest = c->route->verbs;
	fine = asked(c, q);
	if (!fine)
		resp_error(r, 400, "the query is not percent-encoded UTF-8");
	if (one) {
		c->in = xstrdup(c->request);
		add_actor(c);
		return fine && in_scope(c, r);
	}
	/* what the path names is what is meant */
	c->request = given_more(c->request, names);
	c->names = xstrdup(names);
	begin_with(c, false);
	if (fine && !page_fits(c, r))
		fine = false;
	if (c->key != NULL)
		ask_first(c);
	if (!c->asking)
		begin_with(c, false);
	return fine && in_scope(c, r);
}

/* Is a stream what is wanted?  Then its verb is the one.  False: r. */
static bool
flow(struct call *c, enum who who, const struct req *q, struct resp *r)
{
	if (!stream_asked(c->route->verbs, q))
		return true;
	c->stream = stream_new(c->route->verbs, who, q, c->request, r);
	if (c->stream == NULL)
		return false;
	if (!scope_fits(c->auth, &c->by, c->stream->verb, &c->stream->in, r)) {
		stream_free(c->stream);
		c->stream = NULL;
		return false;
	}
	c->verb = c->stream->verb;
	free(c->in);
	c->in = stream_first(c->stream);
	return true;
}

/* What needs no store. */
static void
own_answer(struct resp *r)
{
	route_openapi(&r->body);
	buf_chr(&r->body, '\n');
	r->status = 200;
	r->type = "application/json";
}

bool
call_begin(struct call *c, struct auth *a, struct req *q, struct resp *r)
{
	struct buf names = BUF_INIT;
	char *name = NULL;
	enum who who;
	bool go, claims;

	c->auth = a;
	if (auth_cors(a, q, r))
		return false;
	c->head = strcmp(q->method, "HEAD") == 0;
	if (c->head)
		memcpy(q->method, "GET", sizeof("GET"));
	c->route = route_find(q, &names, r);
	json_end(&names);
	go = c->route != NULL;
	if (go && strcmp(c->route->verbs, "=login") == 0) {
		login_answer(a, q, r);
		go = false;
	}
	who = go ? c->route->who : WHO_ADMIN;
	if (go && c->route->verbs[0] == '\0') {
		name = json_get(names.s, "$.verb");
		go = plain(c, name, &who, r);
	}
	c->q = q;
	go = go && auth_may(a, q, who, !(flags_of(c, &claims) & VERB_WRITE),
		       &c->by, r);
	c->actor = c->by.actor;
	go = go && (!claims || auth_can_claim(a, r));
	if (go && c->route->verbs[0] == '=') {
		own_answer(r);
		go = false;
	}
	if (go && q->head[HEAD_KEY] != NULL && !good_key(q->head[HEAD_KEY])) {
		resp_error(r, 400, "Idempotency-Key: want 8 to 255 characters");
		go = false;
	}
	/* two callers may have had the same idea of a key */
	if (go && q->head[HEAD_KEY] != NULL)
		c->key = c->own_key =
		    xasprintf("%zu %s %lld/%s", strlen(c->by.name), c->by.name,
			c->by.number, q->head[HEAD_KEY]);
	go = go && understand(c, q, names.s, r) && flow(c, who, q, r);
	free(name);
	buf_free(&names);
	return go;
}

/* --- one after the other --- */

static bool
next_of(struct call *c, const struct task *t, struct resp *r)
{
	const char *row, *rest;

	if (t->rc > 1) {
		answer_refusal(c, r, t);
		return false;
	}
	if (c->asking) {
		begin_with(c, t->rows > 0);
		return in_scope(c, r);
	}
	if (t->rc == 1) {
		r->status = 204;
		return false;
	}
	row = answer_last(t);
	if (c->stream != NULL) {
		stream_start(c->stream, buf_text(&t->text), c->head, r);
		c->stream = NULL;
		return false;
	}
	if ((row == NULL || answer_status(row, &rest) < 400) && advance(c, row))
		return in_scope(c, r);
	answer_rows(c, t, r);
	return false;
}

bool
call_next(struct call *c, const struct task *t, struct resp *r)
{
	struct task with = *t;
	char *all;
	bool more;

	if (t->rc != 0 || t->rows != 1 || c->asking || c->verb == NULL ||
	    strcmp(c->verb->name, "job.claim") != 0)
		return next_of(c, t, r);
	with.text = (struct buf)BUF_INIT;
	all = auth_claimed(c->auth, t->text.s,
	    c->route->verbs[0] != '\0' && (c->auth->wanted || c->by.keyed));
	buf_add(&with.text, all, strlen(all) + 1);
	free(all);
	more = next_of(c, &with, r);
	buf_free(&with.text);
	return more;
}

void
call_free(struct call *c)
{
	free(c->in);
	free(c->names);
	free(c->request);
	free(c->own_key);
	caller_free(&c->by);
	stream_free(c->stream);
	*c = (struct call){ .route = NULL };
}

static int
see(void *arg, const char *json)
{
	long long *seq = arg;

	*seq = json_int(json, "$.seq", 0);
	return 0;
}

long long
call_event(struct db *db)
{
	long long seq = 0;
	struct fault f;

	db_verb(db, verb_find("event.head"), "{}", see, &seq, &f);
	return seq;
}

void
call_run(struct db *db, struct req *q, struct resp *r, int client)
{
	struct auth a = { .db = NULL };
	struct call c = { .route = NULL };
	bool go;

	auth_load(&a, db);
	if (strcmp(q->method, "GET") == 0 || strcmp(q->method, "HEAD") == 0)
		c.event = call_event(db);
	go = call_begin(&c, &a, q, r);
	while (go) {
		struct work w = { .verb = c.verb, .actor = c.actor };

		work_init(&w, 1);
		w.tasks[0].in = c.in;
		w.tasks[0].key = c.key;
		if (c.program != NULL)
			prog_run(c.program, c.in, c.actor, client, &w.tasks[0]);
		else
			work_run(db, &w, 1);
		go = call_next(&c, &w.tasks[0], r);
		work_free(&w);
	}
	call_free(&c);
	auth_free(&a);
}
