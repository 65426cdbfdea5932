/* input: what a verb's key holds, and what is refused. */
#include <stdio.h>
#include <string.h>

#include "input.h"

static int count, bad;

static void
ok(bool yes, const char *name)
{
	printf("%sok %d - %s\n", yes ? "" : "not ", ++count, name);
	bad += !yes;
}

static const struct verb verb = { "a.verb", 0,
	"a:text b:int! c:object d:array e:bool f:num g:ref h:any", "" };

/* Takes text; what key a is then, or the message. */
static const char *
take(const char *text)
{
	static char got[1100];
	static struct fault f;
	struct input in;
	struct keys k;
	int rc;

	keys_read(&k, verb.in);
	rc = input_take(&in, &verb, &k, text, &f);
	snprintf(got, sizeof(got), "%s", f.msg);
	for (int i = 0; rc == 0 && i < k.n; i++) {
		size_t n;
		const char *s;

		if (in.value[i].s == NULL ||
		    jscan_kind(in.value[i]) < JSCAN_TEXT)
			continue;
		s = input_text(&in, i, &n);
		snprintf(got, sizeof(got), "%.*s", (int)n, s);
		break;
	}
	input_free(&in, &k);
	return got;
}

static void
is(const char *text, const char *want)
{
	const char *got = take(text);

	ok(strcmp(got, want) == 0, text);
	if (strcmp(got, want) != 0)
		printf("#  got: %s\n# want: %s\n", got, want);
}

int
main(void)
{
	struct keys k;
	struct input in;
	struct fault f;

	is("{\"b\":1,\"a\":\"x\"}", "x");
	is("{\"b\":1,\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "\"\\/\b\f\n\r\t");
	is("{\"b\":1,\"a\":\"\\u0041\\u00e9\\u20ac\\ud83d\\uDE00\"}",
	    "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	is("{\"b\":1,\"a\":\"x\\ud83dy\"}", "a.verb: not a JSON object");
	is("{\"b\":1,\"a\":\"y\\udc00z\"}", "a.verb: not a JSON object");
	is("{\"b\":1,\"a\":\"x\\u0000y\"}", "x\xef\xbf\xbdy");
	is("{\"b\":1,\"a\":\"x\\\\u0000y\"}", "x\\u0000y");
	is("{\"b\":1,\"a\":\"first\",\"a\":\"second\"}", "first");
	is("{\"b\":1,\"c\":{ \"x\" : [ 1 , \" a b \\\" \" ] }}",
	    "{\"x\":[1,\" a b \\\" \"]}");
	is("{\"b\":1,\"d\":[\n1,\t2]}", "[1,2]");
	is("{\"b\":\"-12\"}", "-12");
	is("{\"b\":1,\"zz\":\"nobody asks\",\"a\":\"y\"}", "y");
	is("{\"b\":\"1x\"}", "a.verb: b: want int, got text");
	is("{\"b\":1.5}", "a.verb: b: want int, got real");
	is("{\"b\":1,\"a\":5}", "a.verb: a: want text, got integer");
	is("{\"b\":1,\"c\":[]}", "a.verb: c: want object, got array");
	is("{\"b\":1,\"e\":1}", "a.verb: e: want bool, got integer");
	is("{\"b\":1,\"f\":true}", "a.verb: f: want num, got true");
	is("{\"b\":1,\"g\":{}}", "a.verb: g: want ref, got object");
	is("{\"a\":\"x\"}", "a.verb: b is missing");
	is("{\"b\":null}", "a.verb: b is missing");
	is("[1]", "a.verb: not a JSON object");
	is("{\"b\":1", "a.verb: not a JSON object");
	is("{\"b\":1} x", "a.verb: not a JSON object");

	keys_read(&k, verb.in);
	ok(k.n == 8 && keys_find(&k, "h", 1) == 7 && keys_find(&k, "x", 1) < 0,
	    "keys are found");
	ok(input_take(&in, &verb, &k, "{\"b\":9007199254740993}", &f) == 0 &&
		jscan_kind(in.value[1]) == JSCAN_INTEGER &&
		strncmp(in.value[1].s, "9007199254740993", in.value[1].n) == 0,
	    "a 64-bit number survives");
	input_free(&in, &k);
	printf("1..%d\n", count);
	return bad != 0;
}
