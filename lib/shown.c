/* See shown.h. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <nettle/memops.h>

#include "json.h"
#include "shown.h"
#include "token.h"

#define KNOWN 256 /* tokens kept at hand, by the first byte of the hash */

/* A token that was looked up. */
struct known {
	char hash[TOKEN_HASH];
	char *name, *role, *only;
	long long until; /* seconds since 1970; 0: for ever */
	bool revoked, old;
};

static int
take(void *arg, const char *json)
{
	char **row = arg;

	free(*row);
	*row = xstrdup(json);
	return 0;
}

/* The last row that a verb of ours answers, NULL when none; *rc is its status.
 * The caller frees it. */
char *
shown_ask(struct auth *a, const char *verb, struct buf *in, int *rc)
{
	struct fault f = { 0, "" };
	char *row = NULL;

	*rc = EX_CONFIG;
	if (a->db != NULL)
		*rc = db_verb(
		    a->db, verb_find(verb), json_end(in), take, &row, &f);
	if (*rc > 1 && a->db != NULL)
		warn("%s: %s", verb, f.msg);
	buf_free(in);
	return row;
}

void
shown_forget(struct auth *a)
{
	for (int i = 0; a->known != NULL && i < KNOWN; i++)
		if (a->known[i] != NULL) {
			free(a->known[i]->name);
			free(a->known[i]->role);
			free(a->known[i]->only);
			free(a->known[i]);
		}
	free(a->known);
}

/* --- who waits --- */

/* Failures are counted by address in the store, for a CGI program has no
 * memory; of IPv6 by its first half, for a stranger has all of the other. */
static void
address_of(const struct req *q, struct buf *in)
{
	const char *peer = q->peer != NULL ? q->peer : "";
	char half[INET6_ADDRSTRLEN];
	struct in6_addr six;

	if (inet_pton(AF_INET6, peer, &six) == 1 &&
	    !IN6_IS_ADDR_V4MAPPED(&six)) {
		memset(six.s6_addr + 8, 0, 8);
		if (inet_ntop(AF_INET6, &six, half, sizeof(half)) != NULL)
			peer = half;
	}
	json_add(in, "address", peer);
}

/* How many seconds it has to wait; 0: none. */
static long long
must_wait(struct auth *a, const struct req *q)
{
	struct buf in = BUF_INIT;
	char *row;
	long long wait = 0;
	int rc;

	if (!a->failures)
		return 0;
	address_of(q, &in);
	row = shown_ask(a, "auth.failures", &in, &rc);
	if (row != NULL) {
		wait = json_int(row, "$.wait", 60);
		wait = wait < 1 ? 1 : wait;
	}
	free(row);
	return wait;
}

static bool
too_often(long long wait, struct resp *r)
{
	if (wait == 0)
		return false;
	resp_error(r, 429, "too many attempts failed: wait %lld s", wait);
	resp_head(r, "Retry-After", "%lld", wait);
	return true;
}

/* Always false. */
static bool
failed(struct auth *a, const struct req *q, struct resp *r, const char *msg)
{
	struct buf in = BUF_INIT;
	int rc;

	address_of(q, &in);
	free(shown_ask(a, "auth.failed", &in, &rc));
	a->failures = true;
	resp_error(r, 401, "%s", msg);
	return false;
}

/* --- what was shown --- */

unsigned
shown_may(const char *role, size_t n)
{
	static const struct {
		const char *role;
		unsigned may;
	} all[] = {
		{ "read", MAY_READ },
		{ "write", MAY_READ | MAY_WRITE },
		{ "worker", MAY_WORK },
		{ "admin", MAY_ALL },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (strlen(all[i].role) == n &&
		    strncmp(all[i].role, role, n) == 0)
			return all[i].may;
	return 0;
}

static struct known *
look_up(struct auth *a, const char *hash)
{
	struct buf in = BUF_INIT;
	struct known *k;
	unsigned at =
	    (unsigned)strtoul((char[3]){ hash[0], hash[1], '\0' }, NULL, 16);
	char *row;
	int rc;

	if (a->known != NULL && a->known[at] != NULL &&
	    strcmp(a->known[at]->hash, hash) == 0)
		return a->known[at];
	json_add(&in, "hash", hash);
	row = shown_ask(a, "auth.token", &in, &rc);
	if (row == NULL)
		return NULL;
	if (a->known == NULL) {
		a->known = xmalloc(KNOWN * sizeof(struct known *));
		memset(a->known, 0, KNOWN * sizeof(struct known *));
	}
	k = a->known[at];
	if (k != NULL) {
		free(k->name);
		free(k->role);
		free(k->only);
	} else
		k = a->known[at] = xmalloc(sizeof(*k));
	*k = (struct known){ .name = json_get(row, "$.name"),
		.role = json_get(row, "$.role"),
		.only = json_get(row, "$.projects"),
		.until = json_int(row, "$.until", 0),
		.revoked = json_int(row, "$.revoked", 1) != 0,
		.old = json_int(row, "$.old", 0) != 0 };
	memcpy(k->hash, hash, sizeof(k->hash));
	free(row);
	return k;
}

/* Once an hour it is written down that a token is in use. */
static void
in_use(struct auth *a, struct known *k)
{
	struct buf in = BUF_INIT;
	int rc;

	if (!k->old)
		return;
	k->old = false;
	json_add(&in, "hash", k->hash);
	free(shown_ask(a, "auth.used", &in, &rc));
}

/* The named token of that hash.  1; 0: there is none; -1: r says no. */
int
shown_named(struct auth *a, const char *hash, struct caller *c, struct resp *r)
{
	struct known *k = look_up(a, hash);

	if (k == NULL)
		return 0;
	/* it was one: no guess, so it does not count as a failure */
	if (k->revoked ||
	    (k->until != 0 && k->until <= (long long)time(NULL))) {
		resp_error(r, 401, "the token %s %s", k->name,
		    k->revoked ? "was revoked" : "has expired");
		return -1;
	}
	in_use(a, k);
	c->name = xasprintf("token %s", k->name);
	c->may = shown_may(k->role, strlen(k->role));
	c->only = k->only != NULL ? xstrdup(k->only) : NULL;
	c->keyed = true;
	return 1;
}

/* The worker key may what it always might: all but administer. */
void
shown_worker_key(struct caller *c)
{
	c->name = xstrdup("worker key");
	c->may = MAY_READ | MAY_WRITE | MAY_WORK;
	c->keyed = true;
}

bool
shown_key(struct auth *a, const struct req *q, const char *s, size_t n,
    char *hash, struct caller *c, struct resp *r)
{
	int found = 0;

	token_hash(s, n, hash);
	/* of 256 bits none is guessed: a right one never waits */
	if (strncmp(s, TOKEN_MARK, sizeof(TOKEN_MARK) - 1) == 0)
		found = shown_named(a, hash, c, r);
	if (found != 0)
		return found > 0;
	if (too_often(must_wait(a, q), r))
		return false;
	if (a->key != NULL && req_same(a->key, s, n)) {
		shown_worker_key(c);
		return true;
	}
	return failed(a, q, r,
	    a->set && a->key == NULL
		? "there is a worker key, and it cannot be read"
		: "no such token");
}

/* It is no token of ours.  Always false. */
static bool
wrong(struct auth *a, const struct req *q, struct resp *r)
{
	return !too_often(must_wait(a, q), r) &&
	       failed(a, q, r, "no such token");
}

/* While it runs under that fence. */
bool
shown_job(struct auth *a, const struct req *q, const char *s, size_t n,
    struct caller *c, struct resp *r)
{
	struct buf in = BUF_INIT;
	struct fault f;
	char want[TOKEN_JOB], *row, *id;
	long long number, fence;
	bool genuine = false, lives = false;
	int rc;

	if (!token_job_of(s, n, &number, &fence))
		return wrong(a, q, r);
	json_add_int(&in, "number", number);
	row = shown_ask(a, "auth.job", &in, &rc);
	id = row != NULL ? json_get(row, "$.id") : NULL;
	if (id != NULL &&
	    token_job(want, db_path(a->db), id, number, fence, 0, &f) == 0)
		genuine = strlen(want) == n && memeql_sec(want, s, n);
	if (genuine)
		lives = json_int(row, "$.runs", 0) != 0 &&
			json_int(row, "$.fence", -1) == fence;
	if (lives) {
		char *project = json_raw(row, "$.project");

		c->name = xasprintf("job %lld", number);
		c->may = MAY_WORK;
		c->keyed = true;
		c->job = id;
		c->ticket = json_get(row, "$.ticket");
		c->fence = fence;
		c->only = xasprintf("[%s]", project);
		free(project);
	} else {
		free(id);
		if (genuine)
			resp_error(r, 401,
			    "job %lld does not run under fence %lld any more",
			    number, fence);
		else
			wrong(a, q, r);
	}
	free(row);
	return lives;
}
