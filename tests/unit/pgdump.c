/*
 * pgdump, pglex, pgtime: what rows and times a dump's text has, and what is no
 * dump.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pgdump.h"
#include "pgtime.h"

static int count, bad;

static void
is(const char *name, const char *got, const char *want)
{
	bool yes = strcmp(got, want) == 0;

	printf("%sok %d - %s\n", yes ? "" : "not ", ++count, name);
	if (!yes)
		printf("#  got: %s\n# want: %s\n", got, want);
	bad += !yes;
}

/* The rows of a text, each as TABLE:LINE and its object or fault; or the fault
 * of all of it. */
static void
rows(const char *name, const char *text, const char *want)
{
	size_t n = strlen(text);
	/* an exact copy: a look behind its end is seen by AddressSanitizer */
	char *copy = malloc(n > 0 ? n : 1);
	struct buf all = BUF_INIT;
	struct pgdump d;
	struct fault f;

	memcpy(copy, text, n);
	if (pgdump_read(copy, n, &d, &f) != 0)
		buf_fmt(&all, "%d %s", f.code, f.msg);
	else
		for (size_t i = 0; i < d.rows; i++) {
			struct buf b = BUF_INIT;

			buf_fmt(&all, "%s%s:%ld ", i > 0 ? " | " : "",
			    d.table[d.row[i].table].name, d.row[i].line);
			if (pgdump_object(&d, i, &b, &f) == 0)
				buf_str(&all, buf_text(&b));
			else
				buf_fmt(&all, "%d %s", f.code, f.msg);
			buf_free(&b);
		}
	is(name, buf_text(&all), want);
	pgdump_free(&d);
	buf_free(&all);
	free(copy);
}

static void
copies(void)
{
	rows("COPY", "COPY public.t (a, b) FROM stdin;\n1\t2\n\\N\t\n\\.\n",
	    "t:2 {\"a\":\"1\",\"b\":\"2\"} | t:3 {\"a\":null,\"b\":\"\"}");
	rows("its escapes",
	    "COPY t (a) FROM stdin;\n"
	    "\\b\\f\\n\\r\\t\\v\\\\\\1\\101\\x41\\x4\\q\\N\n\\\\N\n\\.\n",
	    "t:2 "
	    "{\"a\":\"\\u0008\\u000c\\n\\r\\t\\u000b\\\\\\u0001AA\\u0004qN\"} "
	    "| "
	    "t:3 {\"a\":\"\\\\N\"}");
	rows("a backslash at the end", "COPY t (a) FROM stdin;\nx\\\n\\.\n",
	    "t:2 {\"a\":\"x\\\\\"}");
	rows("lines that end in CR LF",
	    "COPY t (a) FROM stdin;\r\nx\\r\r\n\\.\r\n",
	    "t:2 {\"a\":\"x\\r\"}");
	rows("names in quotes",
	    "COPY \"s\".\"T \"\"x\" (\"a b\", s) FROM STDIN;\n1\t2\n\\.\n",
	    "T \"x:2 {\"a b\":\"1\",\"s\":\"2\"}");
	rows("a schema in quotes only",
	    "copy \"s\".t (a) from stdin;\n1\n\\.\n"
	    "COPY s.\"t\" (a) FROM stdin;\n2\n\\.\n",
	    "t:2 {\"a\":\"1\"} | t:5 {\"a\":\"2\"}");
	rows("too few and too many",
	    "COPY t (a, b) FROM stdin;\n1\n1\t2\t3\n\t\n\\.\n",
	    "t:2 65 1 values, and 2 columns | t:3 65 more values than the 2 "
	    "columns | t:4 {\"a\":\"\",\"b\":\"\"}");
	rows("bytes that are not UTF-8, and a NUL",
	    "COPY t (a) FROM stdin;\n\xe9\n\\000\n\\303\\251\n\\.\n",
	    "t:2 65 a: not UTF-8 | t:3 65 a: not UTF-8 | "
	    "t:4 {\"a\":\"\xc3\xa9\"}");
	rows("no rows", "COPY t (a) FROM stdin;\n\\.\n", "");
	rows("cut in the rows", "COPY t (a) FROM stdin;\n1\n2",
	    "65 line 1: COPY without an end: the dump is cut off");
	rows("cut before the rows", "\nCOPY t (a) FROM stdin;",
	    "65 line 2: COPY without an end: the dump is cut off");
	rows("cut in its columns", "COPY t (a,",
	    "65 line 1: no list of columns");
	rows("in another format",
	    "COPY t (a) FROM stdin WITH (FORMAT csv);\n1\n\\.\n",
	    "65 line 1: COPY in another format than pg_dump's");
	rows("from a file, and to one",
	    "COPY t FROM '/f'; COPY t (a) TO stdout;", "");
}

static void
inserts(void)
{
	rows("INSERT",
	    "INSERT INTO public.t (a, b, c) VALUES ('it''s; -- \\n', -1.5, "
	    "NULL);",
	    "t:1 {\"a\":\"it's; -- \\\\n\",\"b\":\"-1.5\",\"c\":null}");
	rows("several rows",
	    "INSERT INTO t (a, b) VALUES\n\t(1, true),\n\t('(,', DEFAULT);",
	    "t:2 {\"a\":\"1\",\"b\":\"true\"} | t:3 {\"a\":\"(,\",\"b\":null}");
	rows("columns from CREATE TABLE",
	    "CREATE TABLE s.t (a uuid DEFAULT f('x, y', (1)) NOT NULL, \"b c\" "
	    "numeric(3,1),\n CONSTRAINT k CHECK ((a > 0)), d int, PRIMARY KEY "
	    "(a));\nINSERT INTO s.t VALUES ('1', 2, 3);",
	    "t:3 {\"a\":\"1\",\"b c\":\"2\",\"d\":\"3\"}");
	rows("of a table that nobody made", "\n\nINSERT INTO t VALUES (1);",
	    "65 line 3: INSERT without columns, and no CREATE TABLE before it");
	rows("escapes", "INSERT INTO t (a) VALUES (E'a\\'b\\\\c\\n');",
	    "t:1 {\"a\":\"a'b\\\\c\\n\"}");
	rows("of old servers",
	    "SET standard_conforming_strings = off;\n"
	    "INSERT INTO t (a) VALUES ('a\\'b\\\\');\n"
	    "SET standard_conforming_strings TO 'on';\n"
	    "INSERT INTO t (a) VALUES ('\\');",
	    "t:2 {\"a\":\"a'b\\\\\"} | t:4 {\"a\":\"\\\\\"}");
	rows("casts, and a conflict",
	    "INSERT INTO t (a, b) OVERRIDING SYSTEM VALUE VALUES ('x'::text, "
	    "f(1, 2)) ON CONFLICT DO NOTHING;",
	    "t:1 {\"a\":\"x\",\"b\":\"f\"}");
	rows("too few, too many, none",
	    "INSERT INTO t (a, b) VALUES (1), (1, 2, 3), (), (1,);",
	    "t:1 65 1 values, and 2 columns | t:1 65 more values than the 2 "
	    "columns | t:1 65 value 1 is none | t:1 65 value 2 is none");
	rows("cut in a text", "INSERT INTO t (a) VALUES\n('x;",
	    "65 line 2: what begins here has no end");
	rows("cut behind it", "INSERT INTO t (a) VALUES ('x')",
	    "65 line 1: a statement without an end");
	rows("from a question", "INSERT INTO t (a) SELECT 1;", "");
}

static void
others(void)
{
	rows("nothing", "", "");
	rows("what only looks like rows",
	    "CREATE FUNCTION f() AS $_$ BEGIN\nINSERT INTO t (a) VALUES (1); "
	    "$$ x $$ END $_$;\n/* COPY t (a) FROM stdin; /* */ */\n"
	    "-- COPY t (a) FROM stdin;\n\\restrict x;'\nCOMMENT ON TABLE t IS "
	    "'COPY t (a) FROM stdin;\n1\n';\nSELECT \"INSERT INTO\", $1, a$b$ "
	    "FROM x;",
	    "");
	rows("a dump that is whole",
	    "--\n-- PostgreSQL database dump\n--\nCOPY t (a) FROM stdin;\n"
	    "-- PostgreSQL database dump\n\\.\n--\n"
	    "-- PostgreSQL database dump complete\n--\n",
	    "t:5 {\"a\":\"-- PostgreSQL database dump\"}");
	rows("and one that is not",
	    "-- PostgreSQL database dump\nSELECT 1;\n-- PostgreSQL",
	    "65 line 3: the end is missing: the dump is cut off");
	rows("another encoding", "SET client_encoding = 'LATIN1';",
	    "65 line 1: in the encoding 'LATIN1': make it with pg_dump -E "
	    "UTF8");
	rows("ours", "SET client_encoding TO utf8; SET x = 1;", "");
	rows("a mark of byte order",
	    "\xef\xbb\xbf"
	    "INSERT INTO t (a) VALUES (1);",
	    "t:1 {\"a\":\"1\"}");
	rows("a comment without an end", "SELECT 1; /* x /* */",
	    "65 line 1: what begins here has no end");
	rows("a body without an end", "SELECT $$ x ;",
	    "65 line 1: what begins here has no end");
}

static void
time_is(const char *text, const char *want)
{
	char got[32] = "none";
	long long us;

	if (pgtime_read(text, strlen(text), &us))
		pgtime_stamp(got, us);
	is(text, got, want);
}

static void
times(void)
{
	long long a, b;

	time_is("2026-02-28 12:34:56.123456+00", "2026-02-28T12:34:56.123Z");
	time_is("2026-02-28T12:34:56.9999+00:00", "2026-02-28T12:34:56.999Z");
	time_is("2026-02-28 12:34:56", "2026-02-28T12:34:56.000Z");
	time_is("2026-02-28T12:34:56.5Z", "2026-02-28T12:34:56.500Z");
	time_is("2026-03-01 00:00:00+05:30", "2026-02-28T18:30:00.000Z");
	time_is("2026-02-28 23:30:00-01", "2026-03-01T00:30:00.000Z");
	time_is("1888-01-01 00:00:00+05:53:28", "1887-12-31T18:06:32.000Z");
	time_is("1969-12-31 23:59:59.9995", "1969-12-31T23:59:59.999Z");
	time_is("0001-01-01 00:00:00", "0001-01-01T00:00:00.000Z");
	time_is("9999-12-31 23:59:59.999", "9999-12-31T23:59:59.999Z");
	time_is("9999-12-31 23:59:59-01", "none");
	time_is("0001-01-01 00:00:00+01", "none");
	time_is("2024-02-29 00:00:00", "2024-02-29T00:00:00.000Z");
	time_is("2026-02-29 00:00:00", "none");
	time_is("2026-13-01 00:00:00", "none");
	time_is("2026-00-01 00:00:00", "none");
	time_is("2026-01-01 24:00:00", "none");
	time_is("2026-01-01", "none");
	time_is("2026-01-01 00:00:00 BC", "none");
	time_is("12026-01-01 00:00:00", "none");
	time_is("2026-01-01 00:00:00+5", "none");
	time_is("infinity", "none");
	time_is("", "none");
	is("microseconds order",
	    pgtime_read("2026-01-01 00:00:00.000001", 26, &a) &&
		    pgtime_read("2026-01-01 00:00:00.000002", 26, &b) &&
		    b == a + 1
		? "yes"
		: "no",
	    "yes");
}

int
main(void)
{
	copies();
	inserts();
	others();
	times();
	printf("1..%d\n", count);
	return bad != 0;
}
