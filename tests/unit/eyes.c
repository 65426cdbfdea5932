/* eyes: columns, cutting, wrapping, and what must not reach a terminal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eyes.h"

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

static void
added(const char *s, int max, const char *want, int cols, const char *name)
{
	struct buf b = BUF_INIT;
	int got = eyes_add(&b, s, max);

	is(buf_text(&b), want, name);
	printf(
	    "%sok %d - %d columns\n", got == cols ? "" : "not ", ++count, got);
	bad += got != cols;
	buf_free(&b);
}

static void
wrapped(const char *s, int width, int n, const char *want, const char *name)
{
	struct buf b = BUF_INIT;

	eyes_wrap(&b, s, width, n);
	is(buf_text(&b), want, name);
	buf_free(&b);
}

int
main(void)
{
	setenv("LC_ALL", "C.UTF-8", 1);
	eyes_init();
	added("abc", -1, "abc", 3, "all");
	added("abc", 3, "abc", 3, "just enough");
	added("abcd", 3, "ab…", 3, "cut");
	added("abcd", 1, "…", 1, "to nothing");
	added("abcd", 0, "", 0, "no room");
	added("", 5, "", 0, "empty");
	added("日本語", 6, "日本語", 6, "wide");
	added("日本語", 5, "日本…", 5, "wide, cut");
	added("日本語", 4, "日…", 3, "wide, cut before a whole one");
	added("e\xcc\x81x", 2, "e\xcc\x81x", 2, "combining");
	added("a\nb\tc\033[0m", -1, "a\\nb\\tc\\x1b[0m", 14, "control");
	added("\xc2\x9b", -1, "\\x9b", 4, "C1 control");
	added("\xe2\x80\xae", -1, "\\u202e", 6, "direction");
	added("\xff\xc3", -1, "\\xff\\xc3", 8, "not UTF-8");
	added("\033", 3, "…", 1, "an escape is not cut in the middle");
	wrapped("one two three", 7, 3, "one two\nthree\n", "words");
	wrapped("  one \n two ", 20, 3, "one two\n", "white space");
	wrapped("abcdefghij", 4, 3, "abcd\nefgh\nij\n", "a long word");
	wrapped("ab cdefghij k", 4, 4, "ab\ncdef\nghij\nk\n", "after a short");
	wrapped("one two three", 7, 1, "one tw…\n", "too many lines");
	wrapped("日本語日本語", 5, 3, "日本\n語日\n本語\n", "wide");
	wrapped("", 5, 3, "", "nothing");
	wrapped("a", 1, 1, "a\n", "one column");
	wrapped("日", 1, 2, "…\n", "a column is not enough");
	printf("1..%d\n", count);
	return bad != 0;
}
