/* See route.h. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "route.h"

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
const struct route *
route_find(const struct req *q, struct buf *names, struct resp *r)
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
