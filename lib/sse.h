/*
 * sse: reads Server-Sent Events from bytes that arrive in any pieces.  Lines
 * end in LF, CR LF or CR; comments, id and retry are skipped; several data
 * lines of one event are joined by a newline.  No line and no event may be
 * longer than SSE_MAX bytes.
 */
#ifndef TERA_SSE_H
#define TERA_SSE_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

#define SSE_MAX (1024 * 1024)

struct sse {
	/* Called for each event that has data, NUL after the text.  name is ""
	 * when the event has none.  Anything but 0 ends the reading. */
	int (*event)(void *arg, const char *name, const char *data, size_t n);
	void *arg;
	struct buf line;
	struct buf data;
	char name[64];
	bool got_data; /* a data line was seen, be it empty */
	bool cr;       /* the last byte was CR */
	int rc;        /* what ended the reading */
};

/* Zero the struct, set event and arg.  Returns 0, -1 when a line or an event
 * is too long, or what event returned; after that all input is refused. */
int sse_feed(struct sse *s, const char *p, size_t n);
/* The stream ended: hands out an event that had no empty line after it. */
int sse_end(struct sse *s);
void sse_free(struct sse *s);

#endif
