/* See auth.h. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "auth.h"
#include "json.h"
#include "shown.h"
#include "token.h"

#define ACTOR_MAX 128

const char *
auth_word(enum who who)
{
	switch (who) {
	case WHO_ALL: return "all";
	case WHO_WORKER: return "worker";
	case WHO_READ: return "read";
	case WHO_WRITE: return "write";
	case WHO_AGENT: return "agent";
	default: return "admin";
	}
}

/* --- what holds for all --- */

static int
take(void *arg, const char *json)
{
	char **row = arg;

	free(*row);
	*row = xstrdup(json);
	return 0;
}

/* The worker key, from the setting or the environment. */
static void
load_key(struct auth *a)
{
	static const char name[] = "TERARCHITECT_WORKER_API_KEY";
	const char *env = getenv(name);
	struct fault f;
	char *row = NULL;
	int rc;

	rc = db_verb(a->db, verb_find("setting.value"),
	    "{\"setting\":\"TERARCHITECT_WORKER_API_KEY\"}", take, &row, &f);
	/* whatever else went wrong, there may be one */
	a->set = rc != EX_NOINPUT;
	if (row != NULL) {
		a->key = json_get(row, "$.value");
		explicit_bzero(row, strlen(row));
	}
	free(row);
	if (!a->set && env != NULL && *env != '\0') {
		a->set = true;
		a->key = xstrdup(env);
	}
}

void
auth_load(struct auth *a, struct db *db)
{
	struct buf in = BUF_INIT;
	char *row;
	int rc;

	auth_free(a);
	a->db = db;
	load_key(a);
	row = shown_ask(a, "auth.state", &in, &rc);
	/* who cannot look wants one */
	a->wanted = a->set || row == NULL || json_int(row, "$.admin", 1) != 0;
	a->any = a->set || (row != NULL && json_int(row, "$.any", 0) != 0);
	if (row != NULL) {
		a->failures = json_int(row, "$.failures", 1) != 0;
		a->origins = json_get(row, "$.origins");
		a->users = json_get(row, "$.users");
	}
	free(row);
}

void
auth_free(struct auth *a)
{
	if (a->key != NULL)
		explicit_bzero(a->key, strlen(a->key));
	free(a->key);
	free(a->origins);
	free(a->users);
	shown_forget(a);
	*a = (struct auth){ .db = NULL };
}

/* --- who it is --- */

void
caller_free(struct caller *c)
{
	free(c->name);
	free(c->actor);
	free(c->only);
	free(c->job);
	free(c->ticket);
	*c = (struct caller){ .name = NULL };
}

bool
auth_session(const struct req *q, char *hash)
{
	const char *p = q->head[HEAD_COOKIE];

	for (; p != NULL && *p != '\0'; p += *p == ';') {
		size_t n;

		p += strspn(p, " \t");
		n = strcspn(p, ";");
		if (n > sizeof(COOKIE) &&
		    strncmp(p, COOKIE "=", sizeof(COOKIE)) == 0) {
			token_hash(
			    p + sizeof(COOKIE), n - sizeof(COOKIE), hash);
			return true;
		}
		p += n;
	}
	return false;
}

/* A cookie counts under the name of this server under which it was given, so
 * that no other name that leads here has it, and as long as what was shown for
 * it.  What is no session is nothing. */
static bool
logged_in(struct auth *a, const struct req *q, struct caller *c)
{
	struct buf in = BUF_INIT;
	struct resp no = { .status = 0 };
	char hash[TOKEN_HASH], key[TOKEN_HASH], *row, *of, *host;
	bool is = false;
	int rc;

	if (!auth_session(q, hash))
		return false;
	json_add(&in, "hash", hash);
	row = shown_ask(a, "auth.session", &in, &rc);
	of = row != NULL ? json_get(row, "$.hash") : NULL;
	host = row != NULL ? json_get(row, "$.host") : NULL;
	if (of != NULL && host != NULL && q->head[HEAD_HOST] != NULL &&
	    strcasecmp(host, q->head[HEAD_HOST]) == 0) {
		is = shown_named(a, of, c, &no) > 0;
		if (!is && a->key != NULL) {
			token_hash(a->key, strlen(a->key), key);
			is = strcmp(key, of) == 0;
			if (is)
				shown_worker_key(c);
		}
	}
	c->ambient = is;
	resp_free(&no);
	free(row);
	free(of);
	free(host);
	return is;
}

/* "name=role ..." of the setting; a star is everybody. */
static bool
known_user(const struct auth *a, const struct req *q, struct caller *c)
{
	unsigned may = 0;

	/* it is sealed for ever: it must be text */
	if (a->users == NULL || q->user == NULL || *q->user == '\0' ||
	    strlen(q->user) > ACTOR_MAX || !json_utf8(q->user, strlen(q->user)))
		return false;
	for (const char *p = a->users; *(p += strspn(p, " \t\n")) != '\0';) {
		size_t n = strcspn(p, " \t\n"), k = n;

		while (k > 0 && p[k - 1] != '=')
			k--;
		if (k > 1 && strlen(q->user) == k - 1 &&
		    strncmp(p, q->user, k - 1) == 0) {
			may = shown_may(p + k, n - k);
			break;
		}
		if (k == 2 && *p == '*')
			may = shown_may(p + k, n - k);
		p += n;
	}
	if (may == 0)
		return false;
	c->name = xasprintf("user %s", q->user);
	c->may = may;
	c->keyed = c->ambient = true;
	return true;
}

/* The owner of the store may all, and so may root, who can anyhow. */
static bool
owner(const struct auth *a, const struct req *q, struct caller *c)
{
	struct stat st;

	if (!q->has_uid || q->forwarded || a->db == NULL ||
	    (q->uid != 0 &&
		(stat(db_path(a->db), &st) != 0 || st.st_uid != q->uid)))
		return false;
	c->name = xasprintf("uid %ld", (long)q->uid);
	c->may = MAY_ALL;
	c->keyed = c->ambient = true;
	return true;
}

/* Nobody made a key: this machine may all. */
static bool
here(const struct req *q, struct caller *c, struct resp *r)
{
	if (!q->local || q->forwarded)
		resp_error(r, 403,
		    "there is no key and no admin's token, so only the "
		    "store's own machine may ask");
	else if (!q->has_uid && !req_own_host(q->head[HEAD_HOST]))
		resp_error(r, 403,
		    "there is no key and no admin's token, so Host must be "
		    "localhost or an address");
	else {
		c->name = q->has_uid ? xasprintf("uid %ld", (long)q->uid)
				     : xstrdup("loopback");
		c->may = MAY_ALL;
		c->ambient = true;
		return true;
	}
	return false;
}

static bool
identify(struct auth *a, const struct req *q, struct caller *c, struct resp *r)
{
	char hash[TOKEN_HASH];
	size_t n = 0;
	const char *s = req_bearer(q->head[HEAD_AUTH], &n);
	bool ours =
	    s != NULL && strncmp(s, TOKEN_MARK, sizeof(TOKEN_MARK) - 1) == 0;

	if (ours && strncmp(s, TOKEN_JOB_MARK, sizeof(TOKEN_JOB_MARK) - 1) == 0)
		return shown_job(a, q, s, n, c, r);
	/* while no key is wanted, what old clients send is nothing */
	if (s != NULL && (ours || a->wanted))
		return shown_key(a, q, s, n, hash, c, r);
	if (logged_in(a, q, c) || known_user(a, q, c) || owner(a, q, c))
		return true;
	if (!a->wanted)
		return here(q, c, r);
	resp_error(r, 401,
	    a->set && a->key == NULL
		? "there is a worker key, and it cannot be read"
		: "a token is wanted: Authorization: Bearer");
	return false;
}

/* How it came in, and who it says that it is: nobody checks the second. */
static char *
name_actor(const char *how, const struct req *q)
{
	const char *who = q->head[HEAD_ACTOR];

	if (who == NULL || strlen(who) > ACTOR_MAX ||
	    !json_utf8(who, strlen(who)))
		return xstrdup(how);
	return xasprintf("%s: %s", how, who);
}

static bool
enough(unsigned may, enum who who, bool looks)
{
	switch (who) {
	case WHO_ALL: return true;
	case WHO_READ: return may & MAY_READ;
	case WHO_WRITE: return may & MAY_WRITE;
	case WHO_WORKER:
		return may & (MAY_WORK | (looks ? MAY_READ : MAY_WRITE));
	case WHO_AGENT: return may & MAY_WORK;
	default: return may == MAY_ALL;
	}
}

/* Is it one of the pages that the setting names? */
static bool
listed(const struct auth *a, const char *origin)
{
	size_t len = origin != NULL ? strlen(origin) : 0;

	if (len == 0 || a->origins == NULL)
		return false;
	for (const char *p = a->origins; *(p += strspn(p, " \t\n,")) != '\0';) {
		size_t n = strcspn(p, " \t\n,");

		if (n == len && strncasecmp(p, origin, n) == 0)
			return true;
		p += n;
	}
	return false;
}

bool
auth_may(struct auth *a, const struct req *q, enum who who, bool looks,
    struct caller *c, struct resp *r)
{
	if (who == WHO_ALL)
		return true;
	if (!identify(a, q, c, r)) {
		caller_free(c);
		return false;
	}
	if (!enough(c->may, who, looks))
		resp_error(r, 403, "%s may not do that", c->name);
	else if (c->ambient && strcmp(q->method, "GET") != 0 &&
		 req_cross_site(q) &&
		 (c->keyed || !listed(a, q->head[HEAD_ORIGIN])))
		resp_error(r, 403, "not from a page of another site");
	else {
		c->actor = name_actor(c->name, q);
		return true;
	}
	caller_free(c);
	return false;
}

bool
auth_cors(const struct auth *a, const struct req *q, struct resp *r)
{
	const char *origin = q->head[HEAD_ORIGIN];

	if (a->origins == NULL)
		return false;
	resp_head(r, "Vary", "Origin");
	if (!listed(a, origin))
		return false;
	resp_head(r, "Access-Control-Allow-Origin", "%s", origin);
	if (strcmp(q->method, "OPTIONS") != 0 ||
	    q->head[HEAD_ASK_METHOD] == NULL) {
		resp_head(
		    r, "Access-Control-Expose-Headers", "ETag, Retry-After");
		return false;
	}
	resp_head(
	    r, "Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE");
	resp_head(r, "Access-Control-Allow-Headers",
	    "Authorization, Content-Type, Idempotency-Key, If-None-Match, "
	    "Last-Event-ID, Tera-Actor");
	resp_head(r, "Access-Control-Max-Age", "600");
	r->status = 204;
	return true;
}

bool
auth_can_claim(const struct auth *a, struct resp *r)
{
	char text[TOKEN_JOB];
	struct fault f;

	if (a->db == NULL ||
	    token_job(text, db_path(a->db), "", 0, 0, 1, &f) == 0)
		return true;
	warn("%s", f.msg);
	resp_error(r, 503, "there is no key for the token of a job");
	return false;
}

char *
auth_claimed(const struct auth *a, const char *row, bool keyed)
{
	char token[TOKEN_JOB], *id = json_get(row, "$.job_id"), *all;
	struct buf more = BUF_INIT;
	struct fault f;

	if (id != NULL && a->db != NULL &&
	    token_job(token, db_path(a->db), id, json_int(row, "$.number", 0),
		json_int(row, "$.fence", 0), 1, &f) == 0) {
		json_add(&more, "token", token);
		if (keyed)
			json_add_bool(&more, "keyed", true);
	}
	all = json_merge(row, json_end(&more));
	free(id);
	buf_free(&more);
	return all;
}
