/* See buf.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"

char *
buf_room(struct buf *b, size_t n)
{
	size_t want = b->len + n + 1;

	if (want > b->cap) {
		b->cap = want > 2 * b->cap ? want : 2 * b->cap;
		if (b->cap < 64)
			b->cap = 64;
		b->s = xrealloc(b->s, b->cap);
	}
	return b->s + b->len;
}

void
buf_add(struct buf *b, const void *p, size_t n)
{
	char *to = buf_room(b, n);

	if (n > 0)
		memcpy(to, p, n);
	b->len += n;
	b->s[b->len] = '\0';
}

void
buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_chr(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void
buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	buf_room(b, (size_t)n);
	va_start(ap, fmt);
	vsnprintf(b->s + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
	if (b->s != NULL)
		b->s[0] = '\0';
}

void
buf_drop(struct buf *b, size_t n)
{
	if (n == 0)
		return;
	memmove(b->s, b->s + n, b->len - n + 1);
	b->len -= n;
}

void
buf_free(struct buf *b)
{
	free(b->s);
	*b = (struct buf)BUF_INIT;
}

const char *
buf_text(const struct buf *b)
{
	return b->s != NULL ? b->s : "";
}

char *
buf_take(struct buf *b)
{
	char *s = b->s != NULL ? b->s : xstrdup("");

	*b = (struct buf)BUF_INIT;
	return s;
}

int
buf_read(struct buf *b, int fd, size_t max)
{
	size_t got = 0;

	for (;;) {
		size_t want = max - got < 65536 ? max - got : 65536;
		char probe;
		ssize_t n;

		if (want == 0) {
			n = read(fd, &probe, 1);
			if (n < 0 && errno == EINTR)
				continue;
			return n > 0 ? 1 : (int)n;
		}
		n = read(fd, buf_room(b, want), want);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			b->s[b->len] = '\0';
			return (int)n;
		}
		b->len += (size_t)n;
		b->s[b->len] = '\0';
		got += (size_t)n;
	}
}

int
buf_file(struct buf *b, const char *name, size_t max)
{
	int fd, rc, saved;

	if (strcmp(name, "-") == 0)
		return buf_read(b, STDIN_FILENO, max);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	rc = buf_read(b, fd, max);
	saved = errno;
	close(fd);
	errno = saved;
	return rc;
}
