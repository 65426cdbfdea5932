/* feed: lines as they come. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "feed.h"
#include "json.h"

static int count, bad;

static void
ok(bool yes, const char *name)
{
	printf("%sok %d - %s\n", yes ? "" : "not ", ++count, name);
	bad += !yes;
}

static int fd[2];

static void
put(struct feed *f, const char *s, size_t n)
{
	while (n > 0) {
		size_t piece = n < 65536 ? n : 65536;

		if (write(fd[1], s, piece) != (ssize_t)piece)
			die(EX_IOERR, "pipe:");
		s += piece;
		n -= piece;
		if (feed_read(f) < 0)
			die(EX_IOERR, "read:");
	}
}

static bool
gives(struct feed *f, const char *want)
{
	size_t n = 0;
	char *s = feed_next(f, &n);

	return want == NULL
		   ? s == NULL
		   : s != NULL && strcmp(s, want) == 0 && n == strlen(want);
}

int
main(int argc, char *argv[])
{
	struct feed f = { 0 };
	size_t size = JSON_LINE_MAX + 300000, n = 0;
	char *big = xmalloc(size), *s;

	err_init(argc, argv, "");
	if (pipe(fd) < 0)
		die(EX_OSERR, "pipe:");
	f.fd = fd[0];
	memset(big, 'x', size);
	ok(gives(&f, NULL) && !feed_more(&f), "nothing yet");
	put(&f, "a\nb\r\n\nc", 7);
	ok(gives(&f, "a") && gives(&f, "b") && gives(&f, ""), "lines");
	ok(f.line == 3 && feed_more(&f) && gives(&f, NULL), "half of one");
	put(&f, "d\ne\n", 4);
	ok(gives(&f, "cd") && gives(&f, "e") && gives(&f, NULL), "its rest");
	big[999999] = '\n';
	put(&f, big, 1000000);
	s = feed_next(&f, &n);
	ok(s != NULL && n == 999999 && gives(&f, NULL), "a long one");
	big[999999] = 'x';
	put(&f, big, size);
	put(&f, "x\nafter\n", 8);
	s = feed_next(&f, &n);
	ok(s != NULL && n == JSON_LINE_MAX + 1, "one that is too long is cut");
	ok(gives(&f, "after"), "the next is whole");
	put(&f, "last", 4);
	ok(gives(&f, NULL), "no end of line");
	close(fd[1]);
	feed_read(&f);
	ok(f.ended && gives(&f, "last") && gives(&f, NULL) && !feed_more(&f),
	    "the end is one");
	feed_free(&f);
	close(fd[0]);
	f = (struct feed){ .fd = fd[0] };
	ok(feed_read(&f) < 0 && f.ended, "trouble ends it");
	feed_free(&f);
	free(big);
	printf("1..%d\n", count);
	return out_end(bad != 0);
}
