/* static: which paths are files, and that no route is. */
#include <stdio.h>

#include "route.h"
#include "static.h"

static int count, bad;

static void
ok(bool yes, const char *name)
{
	printf("%sok %d - %s\n", yes ? "" : "not ", ++count, name);
	bad += !yes;
}

int
main(void)
{
	for (const struct route *t = routes; t->method != NULL; t++)
		ok(!static_path(t->pattern), t->pattern);
	ok(static_path("/"), "the root");
	ok(static_path("/apis/x"), "a name that only begins so");
	ok(static_path("/docs/api"), "further down");
	ok(static_path("//api"), "not the first");
	ok(!static_path("/api"), "api");
	ok(!static_path("/api/../index.html"), "what leads out of it");
	ok(!static_path(""), "nothing");
	ok(!static_path("*"), "a star");
	printf("1..%d\n", count);
	return bad != 0;
}
