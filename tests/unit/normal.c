/* What two runs have in common, and how an answer gets its values back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "normal.h"

static int tests, bad;

static void
is(const char *name, const char *got, const char *want)
{
	if (strcmp(got, want) == 0) {
		printf("ok %d - %s\n", ++tests, name);
		return;
	}
	bad = 1;
	printf("not ok %d - %s\n# got:  %s\n# want: %s\n", ++tests, name, got,
	    want);
}

static void
text(const char *name, const char *in, const char *want)
{
	struct normal t;
	struct buf b = BUF_INIT;

	normal_init(&t);
	normal_text(&t, &b, in, strlen(in));
	is(name, buf_text(&b), want);
	buf_free(&b);
	normal_free(&t);
}

static void
answer(const char *name, const char *seen, const char *in, const char *want,
    void (*turn)(struct normal *, struct buf *, const char *, size_t))
{
	struct normal t;
	struct buf b = BUF_INIT;

	normal_init(&t);
	normal_text(&t, &b, seen, strlen(seen));
	buf_clear(&b);
	turn(&t, &b, in, strlen(in));
	is(name, buf_text(&b), want);
	buf_free(&b);
	normal_free(&t);
}

static void
give(struct normal *t, struct buf *b, const char *s, size_t n)
{
	normal_live(t, b, s, n);
}

#define U1 "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"
#define U2 "0190a1b2-c3d4-7e5f-8a9b-000000000000"
#define OID "0123456789abcdef0123456789abcdef01234567"

static void
words(void)
{
	text("plain text stays", "int x = 42; /* 1.5 */",
	    "int x = 42; /* 1.5 */");
	text("ids are numbered", "ticket-" U1 " " U2 " " U1,
	    "ticket-<uuid-1> <uuid-2> <uuid-1>");
	text("git ids", OID " abc1234..def5678", "<hash-1> <hash-2>..<hash-3>");
	text("an English word of six", "decade 100644 facade",
	    "decade 100644 facade");
	text("a hash is a word", "xabc1234 abc1234x _abc1234",
	    "xabc1234 abc1234x _abc1234");
	text("RFC 3339",
	    "at 2026-01-31T12:34:56.789Z, 2026-01-31 12:34:56 +0100",
	    "at <time>, <time>");
	text("git date", "Date:   Mon Jan 5 12:34:56 2026 +0000\n",
	    "Date:   <time>\n");
	text("a day", "on 2026-01-31.", "on <date>.");
	text("Unix time", "t=1767225600 1767225600123", "t=<time> <time>");
	text("durations", "in 123 ms, 0.12s, 0m0.012s, 3 seconds; 4 sheep",
	    "in <ms>, <ms>, <ms>, <ms>; 4 sheep");
	text("durations by key", "{\"ms\":12,\"exit\":0} duration_ms 1.25",
	    "{\"ms\":<ms>,\"exit\":0} duration_ms <ms>");
	text("a padded duration",
	    "Tests=3, 12 wallclock secs ( 0.02 usr  0.10 sys",
	    "Tests=3, <ms> secs ( <ms> <ms>");
	text("ports", "http://127.0.0.1:40123/v1 localhost:80 example.org:80",
	    "http://127.0.0.1:<port-1>/v1 localhost:<port-2> example.org:80");
	text("an address", "<X object at 0x7f1234567890>",
	    "<X object at <addr>>");
	text("ls -l", "-rw-r--r-- 1 root  root   580 Nov 21 06:53 a.c\n",
	    "-rw-r--r--<owner> 580 <time> a.c\n");
}

static void
paths(void)
{
	text("a temporary directory", "cd /tmp/tmp.Ab3/x && ls '/tmp/tmp.Ab3'.",
	    "cd <tmp-1>/x && ls '<tmp-1>'.");
	text("a file URL", "file:///tmp/demo/r.git -I/tmp/demo",
	    "file://<tmp-1>/r.git -I<tmp-1>");
	text("not a path", "a/tmp/x ../tmp/x", "a/tmp/x ../tmp/x");
	text("a job's worktree", "/any/where/run/" U1 "/work/src/a.c",
	    "<dir-work>/src/a.c");
	text("home", "/home/ada/p /home/adamant", "<dir-home>/p /home/adamant");
	text("state", "/home/ada/state/mirror", "<dir-state>/mirror");
	text("system paths stay", "/usr/bin/env /dev/null",
	    "/usr/bin/env /dev/null");
}

static void
answers(void)
{
	answer("known values get placeholders", "id " U1 " in /tmp/a/b",
	    "branch " U1 " and " U2 " /tmp/a/b/c 12 ms",
	    "branch <uuid-1> and " U2 " <tmp-1>/b/c 12 ms", normal_known);
	answer("placeholders get live values", "id " U2 " in /tmp/q",
	    "branch <uuid-1> <uuid-2> <tmp-1>/c <dir-home>/x <b>",
	    "branch " U2 " <uuid-2> /tmp/q/c /home/ada/x <b>", give);
	answer("an element of HTML is left alone", "12:00:00 2026-01-31",
	    "<time>now</time> <date>", "<time>now</time> <date>", give);
	answer("worktree", "/s/run/" U1 "/work", "cat <dir-work>/a <",
	    "cat /s/run/" U1 "/work/a <", give);
}

int
main(void)
{
	setenv("HOME", "/home/ada", 1);
	setenv("TERA_STATE", "/home/ada/state/", 1);
	unsetenv("TMPDIR");
	unsetenv("TERA_REPLAY_ROOT");
	words();
	paths();
	answers();
	printf("1..%d\n", tests);
	return bad;
}
