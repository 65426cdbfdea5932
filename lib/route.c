/* See route.h. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "jscan.h"
#include "json.h"
#include "login.h"
#include "route.h"
#include "scope.h"
#include "stream.h"

/* --- which route --- */

/* Is it the canonical text form of a UUID? */
static bool
is_uuid(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23
			? s[i] != '-'
			: !isxdigit((unsigned char)s[i]))
			return false;
	return n == 36;
}

/* Have they the same segments, but for the names?  Most do not, and to look at
 * a name takes longest. */
static bool
alike(const char *pattern, const char *path)
{
	while (*pattern != '\0')
		if (*pattern == ':') {
			pattern += strcspn(pattern, "/");
			path += strcspn(path, "/");
		} else if (*pattern++ != *path++)
			return false;
	return *path == '\0';
}

/*
 * Does the path fit?  Then the names in it are added to names, when that is
 * not NULL.  A name that is no id fits nothing: there is no such thing.
 */
static bool
fits(const char *pattern, const char *path, struct buf *names)
{
	char key[32], id[64];

	if (!alike(pattern, path))
		return false;
	while (*pattern != '\0') {
		size_t n, k;

		if (*pattern != ':') {
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		k = strcspn(++pattern, "/");
		n = strcspn(path, "/");
		if (n == 0 || n >= sizeof(id) ||
		    (strncmp(pattern, "verb", k) != 0 && !is_uuid(path, n)))
			return false;
		snprintf(key, sizeof(key), "%.*s", (int)k, pattern);
		for (size_t i = 0; i < n; i++)
			id[i] = (char)tolower((unsigned char)path[i]);
		if (names != NULL)
			json_addn(names, key, id, n);
		pattern += k;
		path += n;
	}
	return *path == '\0';
}

/* Finds it, or fills r: 404, 405. */
static const struct route *
find(const struct req *q, struct buf *names, struct resp *r)
{
	char allow[64];
	size_t n = 0;

	for (const struct route *t = routes; t->method != NULL; t++) {
		if (!fits(t->pattern, q->path, NULL))
			continue;
		if (strcmp(t->method, q->method) == 0) {
			fits(t->pattern, q->path, names);
			return t;
		}
		n += (size_t)snprintf(allow + n, sizeof(allow) - n, "%s%s",
		    n > 0 ? ", " : "", t->method);
	}
	if (n > 0) {
		resp_error(r, 405, "%s is not for this path", q->method);
		resp_head(r, "Allow", "%s", allow);
	} else
		resp_error(r, 404, "no such thing: %s", q->path);
	return NULL;
}

size_t
route_body_max(const char *path)
{
	size_t n = strlen(path);

	if (n > 8 && (strcmp(path + n - 5, "/logs") == 0 ||
			 strcmp(path + n - 8, "/log.add") == 0))
		return REQ_LOG_MAX;
	return REQ_BODY_MAX;
}

const struct verb *
route_verb(const char **at)
{
	const char *p = *at;
	char name[64];

	while (*(p += strspn(p, " $+")) != '\0') {
		bool verb = *p != '!' && *p != '=';

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(p, "? "), p);
		p += strcspn(p, " ");
		*at = p;
		if (verb)
			return verb_find(name);
	}
	return NULL;
}

/* --- the input --- */

static const char *const in_env[][2] = {
	{ "github_agent_token", "GITHUB_TOKEN" },
	{ "github_agent_token", "GH_TOKEN" },
	{ "github_agent_token", "GITHUB_AGENT_TOKEN" },
	{ "openai_api_key", "OPENAI_API_KEY" },
	{ "AGENT_API_KEY", NULL },
	{ "AGENT_LLM_URL", NULL },
	{ "AGENT_MODEL", NULL },
	{ "AGENT_PROVIDER", NULL },
	{ "EMBEDDING_API_KEY", NULL },
	{ "EMBEDDING_PROVIDER", NULL },
	{ "EMBEDDING_SERVICE_URL", NULL },
	{ "GIT_USER_EMAIL", NULL },
	{ "GIT_USER_NAME", NULL },
	{ "MEMORY_EMBEDDING_BASE_URL", NULL },
	{ "MEMORY_EMBEDDING_MODEL", NULL },
	{ "MEMORY_LLM_API_KEY", NULL },
	{ "MEMORY_LLM_BASE_URL", NULL },
	{ "MEMORY_LLM_MODEL", NULL },
	{ "MIDDLE_AGENT_DEBUG", NULL },
	{ "TERARCHITECT_WORKER_API_KEY", NULL },
	{ "WORKER_API_KEY", NULL },
	{ "WORKER_LLM_URL", NULL },
	{ "WORKER_MODE", NULL },
	{ "WORKER_MODEL", NULL },
	{ "WORKER_TIMEOUT_SEC", NULL },
};

/* {"env":{...}}: settings that the environment gives, which stays as it is. */
static const char *
environment(void)
{
	static char *found;
	struct buf env = BUF_INIT, b = BUF_INIT;
	const char *before = "";

	if (found != NULL)
		return found;
	for (size_t i = 0; i < sizeof(in_env) / sizeof(*in_env); i++) {
		const char *key = in_env[i][0], *name = in_env[i][1];
		const char *value = getenv(name != NULL ? name : key);

		if (value == NULL || *value == '\0' || strcmp(before, key) == 0)
			continue;
		json_add(&env, key, value);
		before = key;
	}
	json_add_raw(&b, "env", json_end(&env));
	json_end(&b);
	buf_free(&env);
	found = buf_take(&b);
	return found;
}

/* The body as an object: nothing and null are an empty one.  NULL: r. */
static char *
object(struct req *q, struct resp *r)
{
	struct slice whole;
	const char *s = buf_text(&q->body);
	size_t n = q->body.len;

	if (n == 0)
		return xstrdup("{}");
	if (q->head[HEAD_TYPE] != NULL &&
	    strncasecmp(q->head[HEAD_TYPE], "application/json", 16)) {
		resp_error(r, 415, "the body is wanted as application/json");
		return NULL;
	}
	if (!json_utf8(s, n)) {
		resp_error(r, 400, "the body is not UTF-8, or holds a NUL");
		return NULL;
	}
	switch (jscan_check(s, n, JSON_DEPTH_MAX)) {
	case JSCAN_OK: break;
	case JSCAN_DEEP:
		resp_error(r, 400, "the body is nested deeper than %d",
		    JSON_DEPTH_MAX);
		return NULL;
	default: resp_error(r, 400, "the body is not JSON"); return NULL;
	}
	if (!jscan_find(s, "$", &whole)) {
		resp_error(r, 400, "the body is not JSON");
		return NULL;
	}
	if (strcmp(jscan_type(whole), "null") == 0)
		return xstrdup("{}");
	if (strcmp(jscan_type(whole), "object") != 0) {
		resp_error(r, 400, "the body is no object");
		return NULL;
	}
	return xstrndup(whole.s, whole.n);
}

static char *
merged(char *in, const char *with)
{
	char *out;

	if (strcmp(with, "{}") == 0)
		return in;
	out = json_merge(in, with);
	free(in);
	return out;
}

/*
 * What the verb asks for, of what the request holds and of what was found
 * since, which counts more: that may be much, and most of it is for nobody.
 */
static char *
picked(
    const struct verb *v, const char *request, const char *row, const char *env)
{
	const char *from[] = { env, row, request };
	struct buf b = BUF_INIT;
	char path[64];

	for (const char *p = v->in; *p != '\0'; p += strspn(p, " ")) {
		size_t n = strcspn(p, ":");
		struct slice s = { NULL, 0 };
		char *value;

		snprintf(path, sizeof(path), "$.%.*s", (int)n, p);
		p += strcspn(p, " ");
		for (int i = 0; i < 3 && s.s == NULL; i++)
			if (from[i] != NULL && !jscan_find(from[i], path, &s))
				s.s = NULL;
		if (s.s == NULL)
			continue;
		value = xstrndup(s.s, s.n);
		json_add_raw(&b, path + 2, value);
		free(value);
	}
	json_end(&b);
	return buf_take(&b);
}

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
		c->in = merged(c->in, row);
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
	c->in = merged(c->in, own.s);
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
		c->in = picked(c->verb, c->request, add ? row : NULL,
		    env ? environment() : NULL);
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

/* The most rows that are asked for, -1: all, which is also what is no number:
 * the verb says what it thinks of that. */
static long long
page_size(const struct call *c)
{
	char *text = json_get(c->request, "$.limit"), *end;
	long long n = -1;

	if (text != NULL && *text != '\0') {
		n = strtoll(text, &end, 10);
		if (*end != '\0')
			n = -1;
		else if (n < 0 || n > LIST_MAX)
			n = LIST_MAX + 1;
	}
	free(text);
	return n;
}

/* A page of a list has at most LIST_MAX rows.  False: r. */
static bool
page_fits(const struct call *c, struct resp *r)
{
	if (c->route->shape != SHAPE_LIST || page_size(c) <= LIST_MAX)
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
		c->request = merged(c->request, b.s);
		buf_free(&b);
	}
	return fine;
}

/* Puts the input together, and finds the verb to begin with.  False: r. */
static bool
understand(struct call *c, struct req *q, const char *names, struct resp *r)
{
	bool one = c->verb != NULL, fine;

	c->request = object(q, r);
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
	c->request = merged(c->request, names);
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
	c->route = find(q, &names, r);
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
		    xasprintf("%s/%s", c->by.name, q->head[HEAD_KEY]);
	go = go && understand(c, q, names.s, r) && flow(c, who, q, r);
	free(name);
	buf_free(&names);
	return go;
}

/* --- the answer --- */

/* The exit status of a verb as a status of HTTP. */
static int
status_of(int code)
{
	switch (code) {
	case EX_USAGE:
	case EX_DATAERR: return 400;
	case EX_NOINPUT: return 404;
	case EX_UNAVAILABLE: return 502;
	case EX_TEMPFAIL:
	case EX_NOPERM: /* the store is not ours to write */
	case EX_CONFIG:
	case EX_IOERR: return 503;
	default: return 500;
	}
}

/* The last row, or NULL. */
static const char *
last_row(const struct task *t)
{
	const char *row = NULL;

	for (size_t at = 0; at < t->text.len; at += strlen(row) + 1)
		row = t->text.s + at;
	return row;
}

static void
refusal(const struct call *c, struct resp *r, const struct task *t)
{
	struct buf text = BUF_INIT;
	const char *row = c->program != NULL ? last_row(t) : NULL;
	char *all;

	r->status = status_of(t->rc);
	/* the remote does not let us, or could not be asked */
	if (c->program != NULL && t->rc == EX_NOPERM)
		r->status = 502;
	/* it, or what it was about, has changed meanwhile */
	if (t->stale || (row != NULL && t->rc == EX_DATAERR))
		r->status = 409;
	json_add(&text, "error", t->msg);
	json_add_int(&text, "code", t->rc);
	if (r->status == 502)
		json_add(&text, "detail", t->msg);
	json_end(&text);
	buf_free(&r->body);
	if (row != NULL) { /* such as the conflicts of a merge */
		all = json_merge(row, text.s);
		buf_str(&r->body, all);
		free(all);
	} else
		buf_str(&r->body, text.s);
	buf_chr(&r->body, '\n');
	buf_free(&text);
	r->type = "application/json";
}

/* The status that a row sets, and the rest of it; 0: none. */
static int
row_status(const char *row, const char **rest)
{
	static const char mark[] = "{\"http\":";
	char *end;
	long n;

	if (strncmp(row, mark, sizeof(mark) - 1) != 0)
		return 0;
	n = strtol(row + sizeof(mark) - 1, &end, 10);
	if (*end == ',')
		end++;
	*rest = end;
	return (int)n;
}

/* The query as it was, without the keys that say where a page begins. */
static void
same_query(struct buf *b, const char *query)
{
	static const char safe[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "-._~%=+!$'()*,:@/?";

	for (const char *p = query; *p != '\0'; p += *p == '&') {
		size_t n = strcspn(p, "&");

		if (n > 0 && strspn(p, safe) >= n &&
		    strncmp(p, "after=", 6) != 0 &&
		    strncmp(p, "since=", 6) != 0)
			buf_fmt(b, "%.*s&", (int)n, p);
		p += n;
	}
}

/* Where the next page is, when this one is full: a link relative to the
 * address that was asked, whatever a web server put before our path. */
static void
link_next(const struct call *c, const struct task *t, struct resp *r)
{
	long long limit = page_size(c), at = -1;
	const char *row = last_row(t), *key = "after";
	struct buf query = BUF_INIT;

	if (limit <= 0 || t->rows < limit || row == NULL)
		return;
	if (verb_key(c->verb, "after") != NULL)
		at = json_int(row, "$.number", -1);
	else if (verb_key(c->verb, key = "since") != NULL)
		at = json_int(row, "$.seq", -1);
	if (at < 0)
		return;
	same_query(&query, c->q->query);
	resp_head(
	    r, "Link", "<?%s%s=%lld>; rel=\"next\"", buf_text(&query), key, at);
	buf_free(&query);
}

static const char *
type_of(enum shape shape)
{
	switch (shape) {
	case SHAPE_LINES: return "application/x-ndjson";
	case SHAPE_TEXT: return "text/plain; version=0.0.4; charset=utf-8";
	default: return "application/json";
	}
}

static void
add_text(struct buf *b, const char *row)
{
	char *text = json_get(row, "$.text");

	buf_str(b, text != NULL ? text : "");
	buf_chr(b, '\n');
	free(text);
}

static void
answer(const struct call *c, const struct task *t, struct resp *r)
{
	const char *row = buf_text(&t->text), *end = row + t->text.len;
	enum shape shape = c->route->shape;
	bool lines = shape == SHAPE_LINES || shape == SHAPE_TEXT;

	r->status = c->route->status;
	/* what the answer shows is not older: a stream goes on from there */
	if (strcmp(c->route->method, "GET") == 0)
		resp_head(r, "Tera-Event", "%lld", c->event);
	r->type = type_of(shape);
	if (shape == SHAPE_LIST && c->verb != NULL)
		link_next(c, t, r);
	if (shape == SHAPE_LIST)
		buf_chr(&r->body, '[');
	for (int i = 0; row < end; row += strlen(row) + 1, i++) {
		const char *rest;
		int status = row_status(row, &rest);

		if (shape == SHAPE_ONE && i < t->rows - 1)
			continue;
		if (shape == SHAPE_TEXT) {
			add_text(&r->body, row);
			continue;
		}
		if (shape == SHAPE_LIST && i > 0)
			buf_chr(&r->body, ',');
		if (status != 0) {
			r->status = status;
			buf_chr(&r->body, '{');
			row = rest;
		}
		buf_str(&r->body, row);
		if (shape == SHAPE_LINES)
			buf_chr(&r->body, '\n');
	}
	if (shape == SHAPE_LIST)
		buf_chr(&r->body, ']');
	if (!lines && r->body.len > 0)
		buf_chr(&r->body, '\n');
	if (shape == SHAPE_TEXT)
		buf_str(&r->body,
		    "# HELP tera_build_info The program that answers.\n"
		    "# TYPE tera_build_info gauge\n"
		    "tera_build_info{version=\"" TERA_VERSION "\"} 1\n");
	if (shape == SHAPE_ONE && r->body.len == 0)
		r->status = 204;
}

static bool
next_of(struct call *c, const struct task *t, struct resp *r)
{
	const char *row, *rest;

	if (t->rc > 1) {
		refusal(c, r, t);
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
	row = last_row(t);
	if (c->stream != NULL) {
		stream_start(c->stream, buf_text(&t->text), c->head, r);
		c->stream = NULL;
		return false;
	}
	if ((row == NULL || row_status(row, &rest) < 400) && advance(c, row))
		return in_scope(c, r);
	answer(c, t, r);
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
