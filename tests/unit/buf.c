/* buf: bytes that grow. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"

static int count, bad;

static void
ok(int yes, const char *name)
{
	printf("%sok %d - %s\n", yes ? "" : "not ", ++count, name);
	bad += !yes;
}

int
main(void)
{
	struct buf b = BUF_INIT;
	char *s;
	int fds[2];

	ok(strcmp(buf_text(&b), "") == 0, "empty text is not NULL");
	buf_add(&b, NULL, 0);
	ok(b.len == 0 && b.s != NULL && b.s[0] == '\0', "adding nothing");
	buf_str(&b, "ab");
	buf_chr(&b, 'c');
	buf_fmt(&b, "%d-%s", 42, "x");
	ok(strcmp(b.s, "abc42-x") == 0 && b.len == 7, "text grows");
	buf_add(&b, "\0z", 2);
	ok(b.len == 9 && b.s[7] == '\0' && b.s[8] == 'z' && b.s[9] == '\0',
	    "a NUL is a byte, the end has one more");
	buf_clear(&b);
	ok(b.len == 0 && strcmp(b.s, "") == 0 && b.cap > 0,
	    "clear keeps memory");
	for (int i = 0; i < 100000; i++)
		buf_fmt(&b, "%d", i % 10);
	ok(b.len == 100000 && strlen(b.s) == 100000,
	    "a hundred thousand bytes");
	s = buf_take(&b);
	ok(s[99999] == '9' && b.s == NULL && b.len == 0, "take empties");
	free(s);
	s = buf_take(&b);
	ok(s != NULL && *s == '\0', "take of nothing is an empty text");
	free(s);

	ok(pipe(fds) == 0 && write(fds[1], "0123456789", 10) == 10, "a pipe");
	close(fds[1]);
	ok(buf_read(&b, fds[0], 4) == 1 && strcmp(b.s, "0123") == 0,
	    "read stops at the limit and says that there was more");
	close(fds[0]);
	buf_clear(&b);
	ok(pipe(fds) == 0 && write(fds[1], "0123", 4) == 4, "another");
	close(fds[1]);
	ok(buf_read(&b, fds[0], 4) == 0 && b.len == 4, "just the limit is all");
	close(fds[0]);
	ok(buf_read(&b, fds[0], 4) == -1 && errno == EBADF && b.len == 4,
	    "a closed descriptor");
	ok(buf_file(&b, "/nothing/there", 9) == -1 && errno == ENOENT,
	    "a file that is not there");
	ok(buf_file(&b, "/", 9) == -1 && errno == EISDIR, "a directory");
	buf_clear(&b);
	ok(buf_file(&b, "/dev/null", 9) == 0 && b.len == 0, "an empty file");
	buf_free(&b);
	ok(b.s == NULL && b.cap == 0, "free empties");
	printf("1..%d\n", count);
	return bad != 0;
}
