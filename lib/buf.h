/*
 * buf: bytes that grow.  The text is always followed by a NUL that len does
 * not count, so that s can be used as a C string.  BUF_INIT or all zero bytes
 * is an empty buffer; buf_free empties it again.  Out of memory ends the
 * process (see err.h).
 */
#ifndef TERA_BUF_H
#define TERA_BUF_H

#include <stddef.h>

#include "err.h"

struct buf {
	char *s; /* NULL until the first byte arrives */
	size_t len;
	size_t cap;
};

#define BUF_INIT                                                               \
	{                                                                      \
		NULL, 0, 0                                                     \
	}

void buf_add(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_chr(struct buf *b, char c);
void buf_fmt(struct buf *b, const char *fmt, ...) PRINTF(2, 3);

/* Makes room for n more bytes (and the NUL) and returns where they go. */
char *buf_room(struct buf *b, size_t n);

/* Forgets the text, keeps the memory. */
void buf_clear(struct buf *b);
void buf_drop(struct buf *b, size_t n); /* the first n bytes */
void buf_free(struct buf *b);

/* The text, never NULL; owned by the buffer. */
const char *buf_text(const struct buf *b);

/* Hands the text over to the caller, who frees it; b is empty afterwards. */
char *buf_take(struct buf *b);

/*
 * Appends all that fd still gives, at most max bytes.  Returns 0, 1 when
 * there was more than max (the rest is left unread), -1 with errno.
 */
int buf_read(struct buf *b, int fd, size_t max);

/* Appends a whole file; name "-" is standard input.  As buf_read. */
int buf_file(struct buf *b, const char *name, size_t max);

#endif
