/*
 * calm: looking where a worker can write, without being hung or led astray.
 */
#ifndef TERA_CALM_H
#define TERA_CALM_H

#include "buf.h"

/*
 * Appends a regular file of at most max bytes; what is no file (a FIFO would
 * keep its reader waiting for ever) or larger is never read.  Returns 0, or
 * -1 with errno.
 */
int calm_file(struct buf *b, const char *path, size_t max);

#endif
