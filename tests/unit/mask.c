/* mask: whole, cut anywhere, overlapping. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mask.h"

static int count, bad;

static void
is(const char *got, const char *want, const char *name)
{
	bool yes = strcmp(got, want) == 0;

	printf("%sok %d - %s\n", yes ? "" : "not ", ++count, name);
	if (!yes)
		printf("# got  %s\n# want %s\n", got, want);
	bad += !yes;
}

/* The text fed in pieces of n bytes. */
static char *
pieces(const struct mask *m, const char *text, size_t n)
{
	struct buf hold = BUF_INIT, out = BUF_INIT;
	size_t len = strlen(text), ready;

	for (size_t i = 0; i < len; i += n) {
		buf_add(&hold, text + i, n < len - i ? n : len - i);
		ready = mask_ready(m, &hold, i + n >= len);
		buf_add(&out, hold.s, ready);
		memmove(hold.s, hold.s + ready, hold.len - ready + 1);
		hold.len -= ready;
	}
	buf_free(&hold);
	return buf_take(&out);
}

int
main(int argc, char *argv[])
{
	static const char text[] =
	    "a swordfish-1 b swordfish-1-long c swordfish swordfish-1";
	struct buf b = BUF_INIT;
	struct mask m;
	int wrong = 0;

	err_init(argc, argv, "");
	for (size_t i = 0; mask_names[i] != NULL; i++)
		unsetenv(mask_names[i]);
	setenv("TERA_MODEL_KEY", "swordfish-1", 1);
	setenv("GH_TOKEN", "short", 1);
	setenv("TERA_SECRETS", "swordfish-1-long\ntiny\n\nsecond secret\n", 1);
	mask_init(&m);
	is(m.n == 3 ? "3" : "other", "3", "short values are no secrets");
	buf_str(&b, text);
	mask_buf(&m, &b, 0);
	is(buf_text(&b), "a *** b *** c swordfish ***", "the longest wins");
	buf_clear(&b);
	buf_str(&b, "swordfish-1 swordfish-1 short");
	mask_buf(&m, &b, 4);
	is(buf_text(&b), "swordfish-1 *** short", "from a byte on");
	buf_free(&b);
	for (size_t n = 1; n < sizeof(text); n++) {
		char *got = pieces(&m, text, n);

		wrong += strcmp(got, "a *** b *** c swordfish ***") != 0;
		free(got);
	}
	is(wrong == 0 ? "all" : "not all", "all", "cut at any place");
	mask_add(&m, "another one");
	buf_str(&b, "x another one second secret");
	mask_buf(&m, &b, 0);
	is(buf_text(&b), "x *** ***", "mask_add");
	buf_free(&b);
	mask_buf(&m, &b, 0);
	is(buf_text(&b), "", "nothing");
	mask_add(&m, "a\"quoted\\one");
	buf_str(&b, "a\"quoted\\one a\\\"quoted\\\\one "
		    "a\\\\\\\"quoted\\\\\\\\one a\\\"quoted");
	mask_buf(&m, &b, 0);
	is(buf_text(&b), "*** *** *** a\\\"quoted", "as JSON strings have it");
	buf_free(&b);
	mask_add(&m, "gr\xc3\xbc\xc3\x9f/e-\xf0\x9d\x84\x9e");
	buf_str(&b,
	    "{\"a\":\"swordfi\\u0073h-1 \\ud800 \\n\\u000a\\u0022\\\\u0041"
	    " gr\\u00fc\\u00DF\\/e-\\ud834\\udd1e\\u20ac\","
	    "\"b\":\"a\\u0022quoted\\u005cone\"}");
	mask_json(&m, &b);
	is(buf_text(&b),
	    "{\"a\":\"*** \\ud800 \\n\\u000a\\\"\\\\u0041 ***\xe2\x82\xac\","
	    "\"b\":\"***\"}",
	    "mask_json");
	buf_free(&b);
	mask_free(&m);
	printf("1..%d\n", count);
	return out_end(bad != 0);
}
