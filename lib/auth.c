/* See auth.h. */
#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "json.h"

#define ACTOR_MAX 128

static int
take_value(void *arg, const char *json)
{
	struct auth *a = arg;

	a->key = json_get(json, "$.value");
	return 0;
}

void
auth_load(struct auth *a, struct db *db)
{
	static const char name[] = "TERARCHITECT_WORKER_API_KEY";
	const char *env = getenv(name);
	struct fault f;
	int rc;

	auth_free(a);
	rc = db_verb(db, verb_find("setting.value"),
	    "{\"setting\":\"TERARCHITECT_WORKER_API_KEY\"}", take_value, a, &f);
	/* whatever else went wrong, there may be one */
	a->set = rc != EX_NOINPUT;
	if (!a->set && env != NULL && *env != '\0') {
		a->set = true;
		a->key = xstrdup(env);
	}
}

void
auth_free(struct auth *a)
{
	if (a->key != NULL)
		explicit_bzero(a->key, strlen(a->key));
	free(a->key);
	*a = (struct auth){ false, NULL };
}

/* How it came in, and who it says that it is: the second is as good as the
 * first. */
static char *
name_actor(const char *how, const struct req *q)
{
	const char *who = q->head[HEAD_ACTOR];

	if (who == NULL || strlen(who) > ACTOR_MAX ||
	    !json_utf8(who, strlen(who)))
		return xstrdup(how);
	return xasprintf("%s: %s", how, who);
}

bool
auth_may(const struct auth *a, const struct req *q, enum who who, char **actor,
    struct resp *r)
{
	const char *token;
	size_t n = 0;

	*actor = NULL;
	if (who == WHO_ALL)
		return true;
	if (a->set) {
		token = req_bearer(q->head[HEAD_AUTH], &n);
		if (a->key == NULL)
			resp_error(r, 401,
			    "there is a worker key, and it cannot be read");
		else if (token == NULL || !req_same(a->key, token, n))
			resp_error(r, 401,
			    "the worker key is wanted: Authorization: Bearer");
		else if (who == WHO_ADMIN)
			resp_error(r, 403,
			    "not with the worker key: on the store's own "
			    "machine, with tera-set");
		else {
			*actor = name_actor("worker key", q);
			return true;
		}
		return false;
	}
	if (!q->local || q->forwarded)
		resp_error(r, 403,
		    "there is no worker key, so only the store's own machine "
		    "may ask");
	else if (!req_own_host(q->head[HEAD_HOST]))
		resp_error(r, 403,
		    "there is no worker key, so Host must be localhost or an "
		    "address");
	else if (strcmp(q->method, "GET") != 0 && req_cross_site(q))
		resp_error(r, 403, "not from a page of another site");
	else {
		*actor = name_actor("loopback", q);
		return true;
	}
	return false;
}
