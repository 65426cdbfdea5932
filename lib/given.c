/* See given.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "given.h"
#include "jscan.h"
#include "json.h"

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
const char *
given_env(void)
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
char *
given_body(struct req *q, struct resp *r)
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

char *
given_more(char *in, const char *with)
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
char *
given_picked(
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
