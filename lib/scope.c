/* See scope.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "json.h"
#include "scope.h"

/* What a key names. */
static const struct {
	const char *key, *noun;
} nouns[] = {
	{ "project", "project" },
	{ "project_id", "project" },
	{ "projects", "project" },
	{ "ticket", "ticket" },
	{ "ticket_id", "ticket" },
	{ "needs", "ticket" },
	{ "job", "job" },
	{ "job_id", "job" },
	{ "pr", "pr" },
	{ "note", "note" },
};

/* What no token of some projects sets: where on the server, and as whom, work
 * is done is not for one project to say. */
static const char *const fixed[] = { "repo_url", "github_url", "project_path" };

static const char *const all[] = { "project", "ticket", "job", "pr", "note" };
#define NAMES 200 /* at most: each is looked for from the beginning */
#define ALL (sizeof(all) / sizeof(*all))

static bool
has_key(const struct keys *k, const char *name)
{
	return keys_find(k, name, strlen(name)) >= 0;
}

/* The index of the noun in all, -1 when the key names nothing that we know. */
static int
noun_of(const struct key *key)
{
	for (size_t i = 0; i < sizeof(nouns) / sizeof(*nouns); i++)
		if (strlen(nouns[i].key) == key->len &&
		    strncmp(nouns[i].key, key->name, key->len) == 0)
			for (size_t n = 0; n < ALL; n++)
				if (strcmp(all[n], nouns[i].noun) == 0)
					return (int)n;
	return -1;
}

/* Adds a value, or those of a list, as text; returns how many there were.  A
 * blank one names nothing. */
static int
collect(struct buf *list, const char *in, const char *key)
{
	char *path = xasprintf("$.%s", key), *value = json_get(in, path);
	bool many = strcmp(json_type(in, path), "array") == 0;
	int n = 0;

	for (int i = 0; value != NULL && n <= NAMES; i++) {
		char *at = many ? xasprintf("$[%d]", i) : NULL;
		char *one = many ? json_get(value, at) : xstrdup(value);
		bool end = !many || *json_type(value, at) == '\0';

		/* blank ones count: each costs a look, too */
		if (i >= NAMES) {
			n = NAMES + 1;
			end = true;
		}

		free(at);
		if (one != NULL && one[strspn(one, " \t\r\n")] != '\0') {
			buf_chr(list, list->len == 0 ? '[' : ',');
			json_quote(list, one, strlen(one));
			n++;
		}
		free(one);
		if (end)
			break;
	}
	free(path);
	free(value);
	return n;
}

/* Is there a key by which something can be named? */
static bool
names_some(const struct keys *k)
{
	for (int i = 0; i < k->n; i++)
		if (noun_of(&k->key[i]) >= 0)
			return true;
	return false;
}

static bool
sets_fixed(const struct keys *k, const char *in)
{
	char path[32];

	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++) {
		snprintf(path, sizeof(path), "$.%s", fixed[i]);
		if (has_key(k, fixed[i]) && *json_type(in, path) != '\0')
			return true;
	}
	return false;
}

/* All that is named, by noun; returns how many, -1: a key of a kind that names
 * something, and we do not know what. */
static int
named(const struct keys *k, const char *in, struct buf lists[ALL])
{
	int n = 0;

	for (int i = 0; i < k->n; i++) {
		const struct key *key = &k->key[i];
		char *name = xstrndup(key->name, key->len);
		int noun = noun_of(key);
		struct buf none = BUF_INIT;

		if (noun >= 0)
			n += collect(&lists[noun], in, name);
		else if (key->type_len == 3 &&
			 strncmp(key->type, "ref", 3) == 0 &&
			 collect(&none, in, name) > 0)
			n = -1;
		buf_free(&none);
		free(name);
		if (n < 0 || n > NAMES)
			return -1;
	}
	return n;
}

static bool
within(struct auth *a, const struct caller *c, struct buf lists[ALL],
    struct resp *r)
{
	struct buf in = BUF_INIT;
	struct fault f;
	int rc = EX_CONFIG;

	json_add_raw(&in, "only", c->only);
	for (size_t i = 0; i < ALL; i++)
		if (lists[i].len > 0) {
			buf_chr(&lists[i], ']');
			json_add_raw(&in, all[i], lists[i].s);
		}
	if (c->job != NULL) {
		json_add(&in, "job_id", c->job);
		json_add(&in, "ticket_id", c->ticket);
	}
	if (a->db != NULL)
		rc = db_verb(a->db, verb_find("auth.scope"), json_end(&in),
		    NULL, NULL, &f);
	buf_free(&in);
	if (rc == EX_NOPERM)
		resp_error(r, 403, "%s", f.msg);
	else if (rc != 0)
		resp_error(r, 503, "what is named cannot be looked up");
	return rc == 0;
}

/* What a verb that is told nothing is told: false, there is no such key. */
static bool
told(const struct caller *c, const struct keys *k, struct buf *must)
{
	char *first = json_get(c->only, "$[0]");
	bool one = first != NULL && *json_type(c->only, "$[1]") == '\0';
	bool done = true;

	if (has_key(k, "only"))
		json_add_raw(must, "only", c->only);
	else if (has_key(k, "projects"))
		json_add_raw(must, "projects", c->only);
	else if (one && has_key(k, "project"))
		json_add(must, "project", first);
	else if (one && has_key(k, "project_id"))
		json_add(must, "project_id", first);
	else
		done = false;
	free(first);
	return done;
}

/* With the token of a job: it is of that claim, and the agent's. */
static void
of_job(const struct caller *c, const struct keys *k, struct buf *must)
{
	if (has_key(k, "job_id"))
		json_add(must, "job_id", c->job);
	if (has_key(k, "job"))
		json_add(must, "job", c->job);
	if (has_key(k, "fence"))
		json_add_int(must, "fence", c->fence);
	if (has_key(k, "bot"))
		json_add_bool(must, "bot", true);
	/* an agent is nobody else */
	if (has_key(k, "author"))
		json_add(must, "author", "tera");
}

bool
scope_fits(struct auth *a, const struct caller *c, const struct verb *v,
    char **in, struct resp *r)
{
	struct buf lists[ALL] = { BUF_INIT }, must = BUF_INIT;
	struct keys k;
	char *tidy;
	bool fine;
	int n;

	if (c->only == NULL)
		return true;
	keys_read(&k, v->in);
	if (v->flags & VERB_WRITE && sets_fixed(&k, *in)) {
		resp_error(r, 403,
		    "not with a token that is limited to projects: where the "
		    "repository of one is");
		return false;
	}
	if (c->job != NULL && !(v->flags & VERB_AGENT)) {
		resp_error(r, 403, "not with the token of a job: %s", v->name);
		return false;
	}
	/* each key once, so that what is looked at is what is used */
	tidy = json_tidy(*in);
	free(*in);
	*in = tidy;
	n = named(&k, *in, lists);
	fine = n > 0 && within(a, c, lists, r);
	if (c->job != NULL)
		of_job(c, &k, &must);
	else if (n == 0 && (told(c, &k, &must) || v->flags & VERB_COMMON))
		fine = true;
	if (n == 0 && c->job != NULL &&
	    (has_key(&k, "job") || has_key(&k, "job_id")))
		fine = true;
	if (n < 0 || (n == 0 && !fine))
		resp_error(r, 403,
		    names_some(&k)
			? "%s: the token is limited to some projects: name one"
			: "%s: not with a token that is limited to projects",
		    v->name);
	json_end(&must);
	tidy = json_merge(*in, must.s);
	free(*in);
	*in = tidy;
	buf_free(&must);
	for (size_t i = 0; i < ALL; i++)
		buf_free(&lists[i]);
	return fine;
}
