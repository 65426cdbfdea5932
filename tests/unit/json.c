/* json: text in, text out, and what is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "jscan.h"
#include "json.h"

static int count, bad;

static void
ok(bool yes, const char *name)
{
	printf("%sok %d - %s\n", yes ? "" : "not ", ++count, name);
	bad += !yes;
}

static void
is(const char *got, const char *want, const char *name)
{
	bool same =
	    got == NULL || want == NULL ? got == want : strcmp(got, want) == 0;

	ok(same, name);
	if (!same)
		printf("#  got: %s\n# want: %s\n", got ? got : "NULL",
		    want ? want : "NULL");
}

/* As is, and frees got. */
static void
took(char *got, const char *want, const char *name)
{
	is(got, want, name);
	free(got);
}

static void
quote(const char *s, size_t n, const char *want, const char *name)
{
	struct buf b = BUF_INIT;

	json_quote(&b, s, n);
	is(buf_text(&b), want, name);
	buf_free(&b);
}

static int
check(const char *s)
{
	struct fault f = { 0, "" };

	return json_check(s, strlen(s), &f);
}

static void
quoting(void)
{
	quote("", 0, "\"\"", "quote: empty");
	quote("a\"b\\c", 5, "\"a\\\"b\\\\c\"", "quote: quotes and backslashes");
	quote("\n\r\t\b\x1f\x7f", 6, "\"\\n\\r\\t\\u0008\\u001f\\u007f\"",
	    "quote: control characters");
	quote("€\xf0\x9f\x98\x80", 7, "\"€\xf0\x9f\x98\x80\"", "quote: UTF-8");
	quote("a\xff"
	      "b",
	    3,
	    "\"a\xef\xbf\xbd"
	    "b\"",
	    "quote: a stray byte");
	quote(
	    "\xe2\x82", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"", "quote: cut short");
	quote("\xc0\xaf", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"", "quote: overlong");
	ok(json_utf8("\xf4\x8f\xbf\xbf", 4), "utf8: U+10FFFF");
	ok(!json_utf8("\xf4\x90\x80\x80", 4), "utf8: past it");
	ok(!json_utf8("\xed\xa0\x80", 3), "utf8: a surrogate");
	ok(!json_utf8("\xf0\x8f\xbf\xbf", 4), "utf8: overlong");
	ok(!json_utf8("a\0b", 3), "utf8: a NUL");
	ok(json_utf8("", 0), "utf8: nothing");
}

/* Each byte at each place of strings of each length: eight are looked at in
 * one. */
static void
every_byte(void)
{
	int wrong = 0;

	for (int c = 1; c < 256; c++) {
		char as[16] = "", text[32], want[64];
		struct buf b = BUF_INIT;

		text[0] = (char)c;
		json_quote(&b, text, 1); /* alone it is looked at alone */
		snprintf(
		    as, sizeof(as), "%.*s", (int)b.len - 2, buf_text(&b) + 1);
		for (int n = 1; n <= 26; n++)
			for (int at = 0; at < n; at++) {
				memset(text, 'a' + n % 3, (size_t)n);
				snprintf(want, sizeof(want), "\"%.*s%s%.*s\"",
				    at, text, as, n - at - 1, text);
				text[at] = (char)c;
				buf_clear(&b);
				json_quote(&b, text, (size_t)n);
				wrong += strcmp(buf_text(&b), want) != 0;
			}
		buf_free(&b);
	}
	ok(wrong == 0, "quote: every byte, everywhere");
}

static void
building(void)
{
	struct buf b = BUF_INIT;

	is(json_end(&b), "{}", "an empty object");
	buf_clear(&b);
	json_add(&b, "a\"", "x");
	json_add(&b, "n", NULL);
	json_add_int(&b, "i", -9223372036854775807LL - 1);
	json_add_real(&b, "r", 0.5);
	json_add_real(&b, "nan", 0.0 / 0.0);
	json_add_bool(&b, "t", true);
	json_add_raw(&b, "o", "{\"x\":1}");
	is(json_end(&b),
	    "{\"a\\\"\":\"x\",\"n\":null,\"i\":-9223372036854775808,\"r\":0.5,"
	    "\"nan\":null,\"t\":true,\"o\":{\"x\":1}}",
	    "an object");
	ok(check(b.s) == 0, "is one");
	buf_free(&b);
}

static void
checking(void)
{
	char deep[200];

	ok(check("{}") == 0, "check: {}");
	ok(check(" {\"a\":[1,2]} ") == 0, "check: blanks around");
	ok(check("") == 65 && check("[]") == 65 && check("1") == 65 &&
		check("null") == 65,
	    "check: not an object");
	ok(check("{") == 65 && check("{\"a\":}") == 65 &&
		check("{'a':1}") == 65 && check("{\"a\":1,}") == 65 &&
		check("{} {}") == 65 && check("{\"a\":01}") == 65 &&
		check("{\"a\":NaN}") == 65,
	    "check: not JSON");
	ok(check("{\"a\":\"\\ud83d\\ude00\"}") == 0, "check: a surrogate pair");
	ok(check("{\"a\":\"\\ud83d\"}") == 65 &&
		check("{\"a\":\"\\ude00\"}") == 65,
	    "check: half of one");
	ok(check("{\"a\":\"\\x\"}") == 65 &&
		check("{\"a\":\"\\u12g4\"}") == 65 &&
		check("{\"a\":\"\t\"}") == 65 && check("{\"a\":\"\\\"}") == 65,
	    "check: strings that are none");
	ok(check("{\"a\":1.}") == 65 && check("{\"a\":.1}") == 65 &&
		check("{\"a\":1e}") == 65 && check("{\"a\":+1}") == 65 &&
		check("{\"a\":-}") == 65 && check("{\"a\":tru}") == 65 &&
		check("{\"a\":[1,]}") == 65 && check("{\"a\" 1}") == 65,
	    "check: values that are none");
	ok(check("{\"a\":[-0.5e-7,1E+2,0,\"\",{},[],true,false,null]}") == 0,
	    "check: values of all kinds");
	memset(deep, '[', 64);
	memset(deep + 64, ']', 64);
	memcpy(deep + 128, "}", 2);
	{
		struct buf b = BUF_INIT;

		buf_str(&b, "{\"a\":");
		buf_str(&b, deep);
		ok(check(b.s) == 65, "check: 65 deep");
		buf_clear(&b);
		buf_str(&b, "{\"a\":");
		buf_add(&b, deep + 1, 126);
		buf_chr(&b, '}');
		ok(check(b.s) == 0, "check: 64 deep");
		buf_clear(&b);
		buf_str(&b,
		    "{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
		    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[\"}");
		ok(check(b.s) == 0, "check: brackets in a string");
		buf_clear(&b);
		buf_str(&b, "{\"a\":\"");
		while (b.len < JSON_LINE_MAX - 2)
			buf_chr(&b, 'x');
		buf_str(&b, "\"}");
		ok(json_check(b.s, b.len, NULL) == 0, "check: 1 MiB");
		buf_chr(&b, ' ');
		ok(json_check(b.s, b.len, NULL) == 65, "check: a byte more");
		buf_free(&b);
	}
}

static void
operand(const char *arg, int want, const char *text)
{
	struct buf b = BUF_INIT;
	struct fault f = { 0, "" };
	int rc = json_operand(&b, arg, &f);

	if (rc == 0)
		json_end(&b);
	is(rc == want ? buf_text(&b) : f.msg, text, arg);
	buf_free(&b);
}

static void
operands(void)
{
	operand("a=b", 0, "{\"a\":\"b\"}");
	operand("a=", 0, "{\"a\":\"\"}");
	operand("a==:=@x", 0, "{\"a\":\"=:=@x\"}");
	operand("_a1:=[1]", 0, "{\"_a1\":[1]}");
	operand("a:=null", 0, "{\"a\":null}");
	operand("a:=", 65, "");
	operand("a:=x", 65, "");
	operand("a:=1 2", 65, "");
	operand("a@/dev/null", 0, "{\"a\":\"\"}");
	operand("a@/nothing/there", 66, "");
	operand("a", 64, "");
	operand("=b", 64, "");
	operand("1=b", 64, "");
	operand("a-b=c", 64, "");
	operand("a:b", 64, "");
	operand("a=\xff", 65, "");
}

static void
reading(void)
{
	const char *rec = "{\"s\":\"a\\\"\\u20ac\",\"n\":9007199254740993,"
			  "\"r\":1.5,\"t\":true,\"z\":null,\"o\":{\"x\":[1,2]},"
			  "\"k.d\":1}";

	took(json_get(rec, "$.s"), "a\"€", "get: a string");
	took(json_raw(rec, "$.s"), "\"a\\\"\\u20ac\"", "raw: a string");
	took(json_get(rec, "$.n"), "9007199254740993", "get: 64 bits");
	took(json_get(rec, "$.o"), "{\"x\":[1,2]}", "get: an object");
	took(json_get(rec, "$.o.x[1]"), "2", "get: a path");
	took(json_get(rec, "$.z"), NULL, "get: null");
	took(json_get(rec, "$.nope"), NULL, "get: absent");
	took(json_get(rec, "$.\"k.d\""), "1", "get: a key with a dot");
	took(json_get(rec, "$["), NULL, "get: a path that is none");
	took(json_get("rubbish", "$.a"), NULL, "get: of rubbish");
	took(json_get(rec, "$.o.x[#-1]"), "2", "get: from the end");
	took(json_get(rec, "$.o.x[2]"), NULL, "get: past the end");
	took(json_get(rec, "$.o.x[#-3]"), NULL, "get: before the beginning");
	took(json_get("{\"a\":[ ]}", "$.a[0]"), NULL, "get: an empty list");
	took(json_get("{\"\\u0061\":1,\"a\":2}", "$.a"), "1",
	    "get: a key with an escape, the first of two");
	took(json_get("{\"a\":\"\\ud83d\\ude00\\/\\u0000.\"}", "$.a"),
	    "\xf0\x9f\x98\x80/\xef\xbf\xbd.", "get: escapes");
	took(json_get("{\"a\":1e3,\"b\":false}", "$.b"), "0", "get: false");
	ok(json_int("{\"a\":\"12\",\"b\":1.9e1,\"c\":1e99}", "$.a", 0) == 12,
	    "int: of a text");
	ok(json_int("{\"a\":1.9e1}", "$.a", 0) == 19, "int: of a real");
	is(json_type("{\"a\":-1.5}", "$.a"), "real", "type: real");
	is(json_type("{\"a\":-15}", "$.a"), "integer", "type: integer");
	took(json_raw("{\"a\": [ 1,\n\"x  \\\" y\" ,{ } ] }", "$.a"),
	    "[1,\"x  \\\" y\",{}]", "raw: on one line");
	took(json_merge("{\"a\":1, \"b\": [ 1 ]}", "{\"c\":2,\"c\":3}"),
	    "{\"a\":1,\"b\":[1],\"c\":3}", "merge: the last of two");
	took(json_tidy("{\"a\":1,\"\\u0061\":2,\"b\":\"\\u00e9\",\"a\":3,"
		       "\"n\":1e999,\"o\":{\"x\": 1}}"),
	    "{\"a\":1,\"b\":\"\xc3\xa9\",\"n\":null,\"o\":{\"x\":1}}",
	    "tidy: each key once, no needless escapes");
	ok(json_int(rec, "$.n", 0) == 9007199254740993LL, "int");
	ok(json_int(rec, "$.nope", 7) == 7, "int: absent");
	ok(json_real(rec, "$.r", 0) == 1.5, "real");
	ok(json_true(rec, "$.t") && !json_true(rec, "$.n"), "true");
	is(json_type(rec, "$.o"), "object", "type");
	is(json_type(rec, "$.z"), "null", "type: null");
	is(json_type(rec, "$.nope"), "", "type: absent");
	took(json_merge(
		 "{\"a\":1,\"b\":{\"x\":1}}", "{\"b\":{\"y\":2},\"c\":[1]}"),
	    "{\"a\":1,\"b\":{\"y\":2},\"c\":[1]}", "merge: top level only");
	took(json_merge("{\"a.b\":1}", "{\"a.b\":2,\"c d\":null}"),
	    "{\"a.b\":2,\"c d\":null}", "merge: odd keys");
	took(json_merge("{\"n\":9007199254740993}", "{}"),
	    "{\"n\":9007199254740993}", "merge: nothing");
	took(json_remove("{\"a\":1,\"b\":2}", "a"), "{\"b\":2}", "remove");
	took(json_remove("{\"a\":1}", "x"), "{\"a\":1}", "remove: absent");
	took(json_error("{\"a\":1}", "s", 65, "m\n"),
	    "{\"a\":1,\"error\":{\"stage\":\"s\",\"code\":65,\"message\":"
	    "\"m\\n\"}}",
	    "error");
}

static void
lines(void)
{
	static const char text[] = "{\"a\":1}\n\n  \nnope\n{\"b\":\"\xff\"}\n"
				   "{\"c\":\0001}\r\n{\"d\":1}\r\n{\"e\":1}";
	struct json_lines l = { .fp = tmpfile() };
	struct fault f = { 0, "" };

	if (l.fp == NULL || write(fileno(l.fp), text, sizeof(text) - 1) !=
				(ssize_t)sizeof(text) - 1)
		return;
	lseek(fileno(l.fp), 0, SEEK_SET);
	ok(json_next(&l, &f) == 1 && l.no == 1, "lines: the first");
	is(l.line.s, "{\"a\":1}", "lines: its text");
	ok(json_next(&l, &f) == -1, "lines: not JSON");
	is(f.msg, "line 4: not JSON", "lines: empty ones are counted");
	ok(json_next(&l, &f) == -1, "lines: not UTF-8");
	is(f.msg, "line 5: not UTF-8", "lines: is named");
	ok(json_next(&l, &f) == -1, "lines: a NUL");
	is(f.msg, "line 6: holds a NUL byte", "lines: is named too");
	ok(json_next(&l, &f) == 1, "lines: a carriage return goes");
	is(l.line.s, "{\"d\":1}", "lines: is gone");
	ok(json_next(&l, &f) == 1 && l.no == 8, "lines: no newline at the end");
	ok(json_next(&l, &f) == 0, "lines: the end");
	ok(json_next(&l, &f) == 0, "lines: stays the end");
	fclose(l.fp);
	json_lines_free(&l);

	l = (struct json_lines){ .fp = tmpfile() };
	if (l.fp == NULL || write(fileno(l.fp), "id-1\n7\n\"x\"\n", 11) != 11)
		return;
	lseek(fileno(l.fp), 0, SEEK_SET);
	ok(json_next_line(&l, &f) == 1, "lines: a bare word");
	is(l.line.s, "id-1", "lines: as it is");
	ok(json_ready(&l), "lines: more is there");
	fclose(l.fp);
	json_lines_free(&l);
}

static void
scanning(void)
{
	static const char *const good[] = { "0", "-1.5e+3", "\"\\u00e9\\n\"",
		" [1, {\"a\" : null} ,true]\n", "{}", "[]", "1E2" };
	static const char *const no[] = { "", "01", "1.", ".5", "-", "1e",
		"\"a", "\"\\x\"", "\"\\u12g4\"", "\"\x01\"", "[1,]", "{\"a\"}",
		"{\"a\":1,}", "{a:1}", "[1}", "nul", "1 2", "'a'" };
	static const char text[] = " {\"a\": \"x\",\"b\":[1, 2] , \"c\":-7 } ";
	struct slice object = { text, sizeof(text) - 1 }, key, v;
	const char *at = NULL;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		ok(jscan_check(good[i], strlen(good[i]), 9) == JSCAN_OK,
		    good[i]);
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		ok(jscan_check(no[i], strlen(no[i]), 9) == JSCAN_NOT_JSON,
		    no[i]);
	ok(jscan_member(object, &at, &key, &v) && key.n == 3 &&
		jscan_kind(v) == JSCAN_TEXT,
	    "member: a text");
	ok(jscan_member(object, &at, &key, &v) && v.n == 6 &&
		jscan_kind(v) == JSCAN_ARRAY,
	    "member: an array");
	ok(jscan_member(object, &at, &key, &v) &&
		jscan_kind(v) == JSCAN_INTEGER,
	    "member: a number");
	ok(!jscan_member(object, &at, &key, &v) && jscan_ended(object, at),
	    "member: the end");
	at = NULL;
	object = (struct slice){ " [ 1 ,\"]\"] x", 11 };
	ok(jscan_element(object, &at, &v) && v.n == 1 && *v.s == '1' &&
		jscan_element(object, &at, &v) && jscan_kind(v) == JSCAN_TEXT &&
		v.n == 3 && !jscan_element(object, &at, &v),
	    "element: each of a list");
	at = NULL;
	ok(!jscan_element((struct slice){ "[]", 2 }, &at, &v) &&
		!jscan_element((struct slice){ "{\"a\":1}", 7 }, &at, &v) &&
		!jscan_element((struct slice){ "[", 1 }, &at, &v) &&
		!jscan_element((struct slice){ "", 0 }, &at, &v),
	    "element: of an empty list, and of what is none");
	at = NULL;
	object = (struct slice){ "{ }", 3 };
	ok(!jscan_member(object, &at, &key, &v) && jscan_ended(object, at),
	    "member: of an empty object");
	object = (struct slice){ "[1]", 3 };
	ok(!jscan_member(object, &at, &key, &v) && !jscan_ended(object, at),
	    "member: of an array");
	object = (struct slice){ "{\"a\":1} x", 9 };
	ok(jscan_member(object, &at, &key, &v) &&
		!jscan_member(object, &at, &key, &v) &&
		!jscan_ended(object, at),
	    "member: something behind it");
	at = NULL;
	object = (struct slice){ "{\"a\":1,}", 8 };
	ok(jscan_member(object, &at, &key, &v) &&
		!jscan_member(object, &at, &key, &v) &&
		!jscan_ended(object, at),
	    "member: a comma too many");
}

int
main(void)
{
	scanning();
	quoting();
	every_byte();
	building();
	checking();
	operands();
	reading();
	lines();
	printf("1..%d\n", count);
	return bad != 0;
}
