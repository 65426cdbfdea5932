/* See feed.h. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "feed.h"
#include "json.h"

#define PIECE 65536

int
feed_read(struct feed *f)
{
	struct buf *in = &f->in;
	ssize_t n = read(f->fd, buf_room(in, PIECE), PIECE);
	char *nl;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n <= 0) {
		f->ended = true;
		return (int)n;
	}
	if (f->skip) { /* the rest of a line that was cut */
		nl = memchr(in->s + in->len, '\n', (size_t)n);
		if (nl == NULL)
			return 0;
		n -= nl - (in->s + in->len);
		memmove(in->s + in->len, nl, (size_t)n);
		f->skip = false;
	}
	in->len += (size_t)n;
	in->s[in->len] = '\0';
	if (in->len - f->at > JSON_LINE_MAX + PIECE &&
	    memchr(in->s + f->at, '\n', in->len - f->at) == NULL) {
		in->len = f->at + JSON_LINE_MAX + 1;
		f->skip = true;
	}
	return 0;
}

char *
feed_next(struct feed *f, size_t *n)
{
	char *s, *nl;

	if (!feed_more(f)) {
		if (f->in.cap > 4 * PIECE)
			buf_free(&f->in); /* a long line's */
		buf_clear(&f->in);
		f->at = 0;
		return NULL;
	}
	s = f->in.s + f->at;
	nl = memchr(s, '\n', f->in.len - f->at);
	if (nl == NULL) {
		if (!f->ended) {
			buf_drop(&f->in, f->at);
			f->at = 0;
			return NULL;
		}
		nl = f->in.s + f->in.len;
	}
	*nl = '\0';
	*n = (size_t)(nl - s);
	f->at += *n + 1;
	f->line++;
	if (*n > 0 && s[*n - 1] == '\r')
		s[--*n] = '\0';
	return s;
}

bool
feed_more(const struct feed *f)
{
	return f->at < f->in.len;
}

void
feed_free(struct feed *f)
{
	buf_free(&f->in);
}
