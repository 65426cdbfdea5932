/* route, req: the table, and what is made of a stranger's text. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "route.h"

static int count, bad;

static void
ok(bool yes, const char *name)
{
	printf("%sok %d - %s\n", yes ? "" : "not ", ++count, name);
	bad += !yes;
}

/* Is each word of a route's verbs one? */
static void
table(void)
{
	for (const struct route *t = routes; t->method != NULL; t++) {
		const char *p = t->verbs;
		char name[64];
		bool all = true;

		if (strcmp(p, "=login") == 0)
			continue;
		while (*(p += strspn(p, " $+")) != '\0') {
			snprintf(name, sizeof(name), "%.*s",
			    (int)strcspn(p, " ?"), p);
			if (*name == '!')
				all = all && prog_find(name + 1) != NULL;
			else if (*name != '=')
				all = all && verb_find(name) != NULL;
			p += strcspn(p, " ");
		}
		ok(all, t->pattern);
	}
}

static void
decodes(const char *text, bool plus, const char *want)
{
	char *out;
	bool fine = req_decode(text, strlen(text), plus, &out);

	ok(fine == (want != NULL) && (!fine || strcmp(out, want) == 0), text);
	free(out);
}

static void
queries(const char *query, const char *want)
{
	static const struct verb v = { "v", 0,
		"a:text n:int! b:bool r:ref x:num", "" };
	struct buf b = BUF_INIT;
	bool fine = req_query(&b, query, &v);

	ok(fine == (want != NULL) && (!fine || strcmp(json_end(&b), want) == 0),
	    query);
	buf_free(&b);
}

static bool
cross(const char *host, const char *origin, const char *site)
{
	char h[64], o[64], s[64];
	struct req q = { .method = NULL };

	snprintf(h, sizeof(h), "%s", host);
	q.head[HEAD_HOST] = h;
	if (origin != NULL) {
		snprintf(o, sizeof(o), "%s", origin);
		q.head[HEAD_ORIGIN] = o;
	}
	if (site != NULL) {
		snprintf(s, sizeof(s), "%s", site);
		q.head[HEAD_SITE] = s;
	}
	return req_cross_site(&q);
}

static bool
bearer(const char *auth, const char *want)
{
	size_t n = 0;
	const char *token = req_bearer(auth, &n);

	if (token == NULL || want == NULL)
		return token == want;
	return n == strlen(want) && memcmp(token, want, n) == 0;
}

int
main(void)
{
	table();
	decodes("/a/b", false, "/a/b");
	decodes("%41%2f%C3%a4", false, "A/ä");
	decodes("a+b%2B", true, "a b+");
	decodes("a+b", false, "a+b");
	decodes("%", false, NULL);
	decodes("%4", false, NULL);
	decodes("%4x", false, NULL);
	decodes("%00", false, NULL);
	decodes("%ff", false, NULL);
	decodes("%c0%af", false, NULL);
	queries("", "{}");
	queries("a=1&n=7&b=true&r=7&x=3",
	    "{\"a\":\"1\",\"n\":7,\"b\":true,\"r\":\"7\",\"x\":3}");
	queries("n=07&n=x", "{\"n\":\"07\",\"n\":\"x\"}");
	queries("&&a&unknown=%zz", NULL);
	queries("&&a&unknown=1&a%3d=2", "{\"a\":\"\"}");
	queries("a=x+y%26z", "{\"a\":\"x y&z\"}");
	ok(req_loopback("127.0.0.1") && req_loopback("127.8.8.8") &&
		req_loopback("::1") && req_loopback("::ffff:127.0.0.1"),
	    "loopback");
	ok(!req_loopback("128.0.0.1") && !req_loopback("") &&
		!req_loopback("::2") && !req_loopback("::ffff:10.0.0.1"),
	    "others");
	ok(req_own_host("localhost") && req_own_host("LOCALHOST:80") &&
		req_own_host("127.0.0.1:5010") && req_own_host("[::1]:80") &&
		req_own_host("10.0.0.1"),
	    "hosts that nobody else can have");
	ok(!req_own_host("evil.example") && !req_own_host(NULL) &&
		!req_own_host("localhost.evil.example") &&
		!req_own_host("127.0.0.1.evil.example") &&
		!req_own_host("[::1") && !req_own_host("[::1]x") &&
		!req_own_host(""),
	    "hosts that somebody may");
	ok(!cross("h:1", NULL, NULL) && !cross("h:1", "http://h:1", NULL) &&
		!cross("h:1", NULL, "same-origin"),
	    "its own pages");
	ok(cross("h:1", "http://h:2", NULL) && cross("h:1", "null", NULL) &&
		cross("h:1", "http://h:1", "cross-site"),
	    "others' pages");
	ok(bearer("Bearer x", "x") && bearer("bearer  x y \t", "x y") &&
		bearer("Bearer ", NULL) && bearer("Basic x", NULL) &&
		bearer("Bearerx", NULL) && bearer(NULL, NULL),
	    "bearer");
	ok(req_same("key", "key", 3) && !req_same("key", "kez", 3) &&
		!req_same("key", "ke", 2) && !req_same("key", "keyk", 4) &&
		!req_same("key", "", 0) && !req_same("", "", 0) &&
		!req_same("", "x", 1),
	    "the same");
	printf("1..%d\n", count);
	return bad != 0;
}
