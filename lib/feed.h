/*
 * feed: lines from a descriptor, for a program that never waits for one.
 *
 * One feed_read for each time that poll(2) says so; then feed_next until there
 * is none.  Nothing is read ahead of that: who does not ask leaves the rest to
 * whoever shares the pipe.
 */
#ifndef TERA_FEED_H
#define TERA_FEED_H

#include <stdbool.h>

#include "buf.h"

struct feed {
	int fd;
	long line;  /* of the one last given, from 1 */
	bool ended; /* nothing more will be read */
	/* the reader's own */
	struct buf in;
	size_t at;
	bool skip;
};

/* Reads once.  Returns 0, or -1 with errno: the feed has ended by trouble. */
int feed_read(struct feed *f);

/* The next whole line, NUL-terminated and without its end, n bytes long, good
 * until the next call; NULL: none.  One that is longer than JSON_LINE_MAX is
 * cut to one byte more, so that it is refused. */
char *feed_next(struct feed *f, size_t *n);

/* Is there more that was read but not given? */
bool feed_more(const struct feed *f);

void feed_free(struct feed *f);

#endif
