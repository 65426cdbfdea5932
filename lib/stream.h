/*
 * stream: an answer that goes on: events or pieces of log as they come, as
 * Server-Sent Events (WHATWG HTML, "Server-sent events").
 *
 * A record is
 *	event: NOUN.WHAT or log
 *	id: SEQ
 *	data: the record, JSON on one line
 * and an empty line.  What came with id N, and all before it, has come: who
 * asks with Last-Event-ID: N, or since=N, gets what is after it, nothing twice
 * and nothing left out.  A stream begins with the time after which to come
 * again and the id at which it stands, so that this is so before the first
 * record, too.  Besides records there are
 *	event: reset	the cursor is beyond the end: the store is another one;
 *			what is known of it should be asked for anew
 *	event: end	nothing more comes: {"why":WORD}, which is limit, the
 *			state of a job that is over, or gone when what was
 *			asked for was removed
 * and after 15 s in which nothing came a comment.
 *
 * Nothing is kept of what came before: a stream is a cursor, and what is new
 * is asked of the store.
 */
#ifndef TERA_STREAM_H
#define TERA_STREAM_H

#include <stdbool.h>

#include "auth.h"
#include "buf.h"
#include "db.h"
#include "req.h"
#include "store.h"

#define STREAM_COMMENT 15000 /* ms of silence */
#define STREAM_LOOK 2000     /* ms: finds what a foreign writer committed */
#define STREAM_PIECE 65536   /* bytes, and one record, rendered at a time */

#define STREAM_RETRY "retry: 2000\n" /* ms, after which to come again */
#define STREAM_ALIVE ": \n\n"        /* it is still there */

struct stream {
	const struct verb *verb;
	char *in;       /* of the verb, without the cursor */
	long long at;   /* all up to here has come; -1: from now on */
	long long left; /* so many records more; -1: no limit */
	enum who who;   /* may have it */
	bool again;     /* it was asked for with a Last-Event-ID */
	bool reset;     /* which was beyond the end */
	bool more;      /* the last piece was cut: there is more now */
	bool over;      /* nothing more comes */
};

/* Does the request want a stream, and is there one of this route (its verbs,
 * see route.h)?  By stream=1 in the query, else by Accept. */
bool stream_asked(const char *route, const struct req *q);

/* A stream of the route for the request, whose input is the object in.  NULL:
 * r says why not. */
struct stream *stream_new(const char *route, enum who who, const struct req *q,
    const char *in, struct resp *r);
void stream_free(struct stream *s);

/* The input of the verb's first run, in which it has no records: is there what
 * is asked for, and where does it stand?  The caller frees it. */
char *stream_first(const struct stream *s);

/* With the last row of that run: sets the answer's head, and hands the stream
 * over to r unless only the head is wanted or nothing more will come (204, at
 * which a browser does not come again). */
void stream_start(struct stream *s, const char *row, bool head, struct resp *r);

/* Appends how it begins. */
void stream_begin(const struct stream *s, struct buf *out);

/* Appends what is new, a piece of it, and moves on.  Returns 0, or the exit
 * status of what is the matter: the stream may be asked again. */
int stream_more(struct stream *s, struct db *db, struct buf *out);

/*
 * Prints all of it on standard output, as it comes: until nobody reads that
 * any more, the stream is over, the store is gone or q may not have it any
 * longer.
 */
void stream_print(struct stream *s, struct store *st, const struct req *q);

#endif
