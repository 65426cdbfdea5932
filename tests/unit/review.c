/* review: what a reviewer sees first. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "review.h"

static int count, bad;

static void
is(const char *got, const char *want, const char *name)
{
	bool yes = strcmp(got, want) == 0;

	printf("%sok %d - %s\n", yes ? "" : "not ", ++count, name);
	if (!yes)
		printf("# %s\n# %s\n", got, want);
	bad += !yes;
}

static void
summary(const char *body, const char *want, const char *name)
{
	char *got = review_summary(body);

	is(got, want, name);
	free(got);
}

static void
tests(const char *patch, const char *want, const char *name)
{
	struct buf b = BUF_INIT;

	review_tests(&b, patch);
	is(buf_text(&b), want, name);
	buf_free(&b);
}

#define FILE(path)                                                             \
	"diff --git a/" path " b/" path "\n--- a/" path "\n+++ b/" path "\n"

int
main(void)
{
	summary("", "", "nothing");
	summary("just so", "just so", "no heading");
	summary("a\n## What was accomplished\n\nit\n\n---\nb", "it",
	    "up to a rule");
	summary("## What was accomplished\none\n## What was accomplished\ntwo",
	    "two", "the last");
	summary("## What was accomplished", "", "a heading only");
	summary("## What was accomplished\n---", "", "and a rule");

	tests("", "[]", "no patch");
	tests(FILE("src/a.c") "@@ -1 +1 @@\n-it('x')\n+it('y')\n", "[]",
	    "no test by its name");
	tests(FILE("a.test.js") "@@ -1,2 +1,3 @@\n it('x')\n-test(\"y\")\n"
				"+describe( `z` , f)\n+it.only('no')\n",
	    "[{\"path\":\"a.test.js\",\"test_names\":[\"x\",\"y\",\"z\"]}]",
	    "calls, whichever side");
	tests(
	    FILE("p/test_a.py") "@@ -0,0 +1,2 @@\n+  def test_one_two(self):\n"
				"+def testing(): submit('x')\n",
	    "[{\"path\":\"p/test_a.py\",\"test_names\":[\"test one two\"]}]",
	    "functions that came");
	tests(FILE("p/test_a.py") "@@ -1 +0,0 @@\n-def test_gone():\n",
	    "[{\"path\":\"p/test_a.py\",\"test_names\":[]}]", "or went");
	tests(FILE("tests/__init__.py") "@@ -0,0 +1 @@\n+it('x')\n", "[]",
	    "an empty one of Python");
	tests(FILE("x/a.c") "@@ -0,0 +1,3 @@\n+diff --git a/t b/t\n"
			    "+++ b/tests/a\n+it('x')\n",
	    "[]", "a line is no header");
	tests(FILE("tests/a") "@@ -0,0 +1 @@\n+it(\"\n" FILE(
		  "b/c_test.go") "@@ -0,0 +1 @@\n+it('\\u0001\"')\n",
	    "[{\"path\":\"tests/a\",\"test_names\":[]},{\"path\":"
	    "\"b/c_test.go\",\"test_names\":[\"\\\\u0001\\\"\"]}]",
	    "two files, and quotes");
	tests("@@ -x +y @@\n+it('a')\n+++ b/", "[]", "no patch at all");
	tests(FILE("tests/a") "@@ -1,99999999999999999999 +1 @@\n+it('a')",
	    "[{\"path\":\"tests/a\",\"test_names\":[\"a\"]}]",
	    "numbers that are none");
	printf("1..%d\n", count);
	return bad != 0;
}
