/*
 * The table of routes as an OpenAPI description (OpenAPI Specification 3.1.0):
 * its parameters and bodies are the keys that the verbs of a route take.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "route.h"

#define KEYS 64 /* of one route */

/* A key of a route's input. */
struct key {
	const char *name, *type;
	int len, type_len;
	bool must;
};

/* --- a type --- */

static const struct {
	const char *ours, *schema;
} types[] = {
	{ "text", "{\"type\":[\"string\",\"null\"]}" },
	{ "int", "{\"type\":[\"integer\",\"null\"]}" },
	{ "num", "{\"type\":[\"number\",\"null\"]}" },
	{ "bool", "{\"type\":[\"boolean\",\"null\"]}" },
	{ "array", "{\"type\":[\"array\",\"null\"],\"items\":{}}" },
	{ "object", "{\"type\":[\"object\",\"null\"]}" },
	{ "ref", "{\"type\":[\"string\",\"integer\",\"null\"],"
		 "\"description\":\"an id, or a number\"}" },
};

static const char *
schema_of(const struct key *k)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strncmp(types[i].ours, k->type, (size_t)k->type_len) == 0 &&
		    types[i].ours[k->type_len] == '\0')
			return types[i].schema;
	return "{}"; /* any */
}

/* --- the keys of a route --- */

/* Does the path name it? */
static bool
in_path(const char *pattern, const char *name, int len)
{
	for (const char *p = strchr(pattern, ':'); p != NULL;
	     p = strchr(p + 1, ':'))
		if (strncmp(p + 1, name, (size_t)len) == 0 &&
		    (p[len + 1] == '/' || p[len + 1] == '\0'))
			return true;
	return false;
}

/* What a door puts in, and no stranger. */
static bool
is_ours(const char *name, int len)
{
	static const char *const ours[] = { "actor", "env", "keyed", "only",
		"token" };

	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		if (strlen(ours[i]) == (size_t)len &&
		    strncmp(ours[i], name, (size_t)len) == 0)
			return true;
	return false;
}

static void
add_keys(const struct route *r, const struct verb *v, bool first,
    struct key keys[KEYS], int *n)
{
	for (const char *p = v->in; *(p += strspn(p, " ")) != '\0';
	     p += strcspn(p, " ")) {
		int len = (int)strcspn(p, ":"), i = 0;
		struct key k = { p, p + len + 1, len,
			(int)strcspn(p + len + 1, "! "), false };

		k.must = first && k.type[k.type_len] == '!';
		while (i < *n && (keys[i].len != len ||
				     strncmp(keys[i].name, p, (size_t)len)))
			i++;
		if (i == *n && i < KEYS && !in_path(r->pattern, p, len) &&
		    !is_ours(p, len))
			keys[(*n)++] = k;
	}
}

/* What comes after the first verb may be that one's to give. */
static int
keys_of(const struct route *r, struct key keys[KEYS])
{
	const char *at = r->verbs;
	const struct verb *v;
	bool first = true;
	int n = 0;

	while ((v = route_verb(&at)) != NULL) {
		add_keys(r, v, first || (v->flags & VERB_WRITE), keys, &n);
		/* rows are handed on from here */
		first = first && strchr(r->verbs, '+') == NULL;
	}
	return n;
}

/* --- an operation --- */

static void
add_parameter(struct buf *list, const char *name, int len, const char *where,
    bool must, const char *schema)
{
	struct buf p = BUF_INIT;

	json_addn(&p, "name", name, (size_t)len);
	json_add(&p, "in", where);
	json_add_bool(&p, "required", must);
	json_add_raw(&p, "schema", schema);
	buf_fmt(list, "%s%s", list->len > 1 ? "," : "", json_end(&p));
	buf_free(&p);
}

/* The verbs that may be asked for by name. */
static void
add_names(struct buf *b)
{
	const char *comma = "";

	buf_str(b, "{\"type\":\"string\",\"enum\":[");
	for (const struct verb *v = verbs; v->name != NULL; v++) {
		if (v->flags & VERB_LOCAL)
			continue;
		buf_fmt(b, "%s\"%s\"", comma, v->name);
		comma = ",";
	}
	buf_str(b, "]}");
}

static void
add_parameters(struct buf *op, const struct route *r, const struct key *keys,
    int n, bool query)
{
	struct buf list = BUF_INIT, names = BUF_INIT;

	buf_chr(&list, '[');
	for (const char *p = strchr(r->pattern, ':'); p != NULL;
	     p = strchr(p + 1, ':')) {
		int len = (int)strcspn(p + 1, "/");
		bool verb = len == 4 && strncmp(p + 1, "verb", 4) == 0;

		if (verb)
			add_names(&names);
		add_parameter(&list, p + 1, len, "path", true,
		    verb ? names.s
			 : "{\"type\":\"string\",\"format\":\"uuid\"}");
	}
	for (int i = 0; query && i < n; i++)
		add_parameter(&list, keys[i].name, keys[i].len, "query",
		    keys[i].must, schema_of(&keys[i]));
	buf_chr(&list, ']');
	if (list.len > 2)
		json_add_raw(op, "parameters", list.s);
	buf_free(&list);
	buf_free(&names);
}

static void
add_form(struct buf *op)
{
	json_add_raw(op, "requestBody",
	    "{\"required\":true,\"content\":{"
	    "\"application/x-www-form-urlencoded\":{\"schema\":{"
	    "\"type\":\"object\",\"required\":[\"token\"],\"properties\":{"
	    "\"token\":{\"type\":\"string\"}}}}}}");
}

static void
add_body(struct buf *op, const struct key *keys, int n)
{
	struct buf all = BUF_INIT, must = BUF_INIT, schema = BUF_INIT;
	struct buf body = BUF_INIT;

	for (int i = 0; i < n; i++) {
		char *name = xstrndup(keys[i].name, (size_t)keys[i].len);

		json_add_raw(&all, name, schema_of(&keys[i]));
		if (keys[i].must)
			buf_fmt(
			    &must, "%s\"%s\"", must.len > 0 ? "," : "[", name);
		free(name);
	}
	json_add(&schema, "type", "object");
	json_add_raw(&schema, "properties", json_end(&all));
	if (must.len > 0) {
		buf_chr(&must, ']');
		json_add_raw(&schema, "required", must.s);
	}
	json_add_bool(&body, "required", must.len > 0);
	buf_fmt(&body, ",\"content\":{\"application/json\":{\"schema\":%s}}",
	    json_end(&schema));
	json_add_raw(op, "requestBody", json_end(&body));
	buf_free(&all);
	buf_free(&must);
	buf_free(&schema);
	buf_free(&body);
}

/* A page for people, and no call (login.h). */
static bool
is_page(const struct route *r)
{
	return strcmp(r->verbs, "=login") == 0;
}

static const char *
content_of(const struct route *r)
{
	if (is_page(r))
		return "{\"text/html\":{\"schema\":{\"type\":\"string\"}}}";
	switch (r->shape) {
	case SHAPE_LIST:
		return "{\"application/json\":{\"schema\":{\"type\":\"array\","
		       "\"items\":{\"type\":\"object\"}}}}";
	case SHAPE_LINES:
		return "{\"application/x-ndjson\":{\"schema\":{\"type\":"
		       "\"string\"}}}";
	case SHAPE_TEXT:
		return "{\"text/plain\":{\"schema\":{\"type\":\"string\"}}}";
	default:
		return "{\"application/json\":{\"schema\":{\"type\":"
		       "\"object\"}}}";
	}
}

static void
add_responses(struct buf *op, const struct route *r)
{
	const char *at = r->verbs;
	const struct verb *v;
	struct buf b = BUF_INIT, fine = BUF_INIT;
	char status[8];
	bool none = false;

	while ((v = route_verb(&at)) != NULL)
		none = none || (v->flags & VERB_ONE);
	json_add(&fine, "description", resp_words(r->status));
	json_add_raw(&fine, "content", content_of(r));
	snprintf(status, sizeof(status), "%d", r->status);
	json_add_raw(&b, status, json_end(&fine));
	if (none)
		json_add_raw(
		    &b, "204", "{\"description\":\"the answer is no\"}");
	json_add_raw(
	    &b, "default", "{\"$ref\":\"#/components/responses/error\"}");
	json_add_raw(op, "responses", json_end(&b));
	buf_free(&b);
	buf_free(&fine);
}

/* get_api_jobs_job of GET /api/jobs/:job */
static void
add_name(struct buf *op, const struct route *r)
{
	struct buf b = BUF_INIT;

	for (const char *p = r->method; *p != '\0'; p++)
		buf_chr(&b, (char)tolower((unsigned char)*p));
	for (const char *p = r->pattern; *p != '\0'; p++)
		if (isalnum((unsigned char)*p) || *p == '/')
			buf_chr(&b, *p == '/' ? '_' : *p);
		else if (*p != ':')
			buf_chr(&b, '_');
	json_add(op, "operationId", b.s);
	buf_free(&b);
}

static void
add_operation(struct buf *item, const struct route *r)
{
	struct buf op = BUF_INIT;
	struct key keys[KEYS];
	int n = keys_of(r, keys);
	bool query =
	    strcmp(r->method, "GET") == 0 || strcmp(r->method, "DELETE") == 0;
	char method[8] = "";

	add_name(&op, r);
	json_add(&op, "x-who", auth_word(r->who));
	json_add(&op, "x-verbs", r->verbs);
	add_parameters(&op, r, keys, n, query);
	if (!query && is_page(r))
		add_form(&op);
	else if (!query)
		add_body(&op, keys, n);
	add_responses(&op, r);
	if (r->who == WHO_ALL)
		json_add_raw(&op, "security", "[]");
	for (size_t i = 0; i < sizeof(method) - 1 && r->method[i] != '\0'; i++)
		method[i] = (char)tolower((unsigned char)r->method[i]);
	json_add_raw(item, method, json_end(&op));
	buf_free(&op);
}

/* --- all of it --- */

/* "/api/jobs/{job}" of "/api/jobs/:job"; the caller frees it. */
static char *
template_of(const char *pattern)
{
	struct buf b = BUF_INIT;

	for (const char *p = pattern; *p != '\0'; p++)
		if (*p == ':') {
			size_t n = strcspn(p + 1, "/");

			buf_fmt(&b, "{%.*s}", (int)n, p + 1);
			p += n;
		} else
			buf_chr(&b, *p);
	return buf_take(&b);
}

static bool
was_before(const struct route *r)
{
	for (const struct route *o = routes; o < r; o++)
		if (strcmp(o->pattern, r->pattern) == 0)
			return true;
	return false;
}

static const char components[] =
    "{\"schemas\":{\"error\":{\"type\":\"object\",\"required\":[\"error\"],"
    "\"properties\":{\"error\":{\"type\":\"string\"},"
    "\"code\":{\"type\":\"integer\",\"description\":"
    "\"the exit status that a command would end with\"},"
    "\"detail\":{\"type\":\"string\"},\"status\":{\"type\":\"string\"}}}},"
    "\"responses\":{\"error\":{\"description\":\"what is wrong\",\"content\":"
    "{\"application/json\":{\"schema\":"
    "{\"$ref\":\"#/components/schemas/error\"}}}}},"
    "\"securitySchemes\":{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\"}"
    "}}";

void
route_openapi(struct buf *b)
{
	struct buf info = BUF_INIT, paths = BUF_INIT;

	json_add(&info, "title", "Tera");
	json_add(&info, "version", TERA_VERSION);
	json_add(&info, "description",
	    "What tera-serve answers; see tera-api(7). What a query says is "
	    "taken like a key of the body, null like a key that is not there.");
	for (const struct route *r = routes; r->method != NULL; r++) {
		struct buf item = BUF_INIT;
		char *path;

		if (was_before(r))
			continue;
		for (const struct route *o = r; o->method != NULL; o++)
			if (strcmp(o->pattern, r->pattern) == 0)
				add_operation(&item, o);
		path = template_of(r->pattern);
		json_add_raw(&paths, path, json_end(&item));
		free(path);
		buf_free(&item);
	}
	json_add(b, "openapi", "3.1.0");
	json_add_raw(b, "info", json_end(&info));
	json_add_raw(b, "security", "[{\"bearer\":[]},{}]");
	json_add_raw(b, "paths", json_end(&paths));
	json_add_raw(b, "components", components);
	json_end(b);
	buf_free(&info);
	buf_free(&paths);
}
