/*
 * sqlfn: the functions that the scripts of verbs may use (verb.h says what
 * each does), the time that they share, and SQLite's faults in our words.
 */
#ifndef TERA_SQLFN_H
#define TERA_SQLFN_H

#include <stdbool.h>

#include "buf.h"

struct sqlite3;

/* What the functions of a connection know.  Set path, zero the rest. */
struct sqlfn {
	const char *path;     /* of the store: it begins a message, its key is
				 beside it */
	struct fault refused; /* by a function; code 0 when none did */
	bool stale;           /* because an older version was named */
	long long ms;         /* :now, since 1970; 0 before it is asked for */
	char now[32];
	unsigned char random[250]; /* for ids, of which left are unused; no
				      child inherits a connection */
	long left;
	struct buf out;
};

/* Adds the functions to a connection; fn must live as long as it. */
void sqlfn_add(struct sqlite3 *h, struct sqlfn *fn);
/* A verb begins: nothing is refused, and the time is not known. */
void sqlfn_begin(struct sqlfn *fn);
/* When the verb began, RFC 3339 UTC with milliseconds. */
const char *sqlfn_now(struct sqlfn *fn);
void sqlfn_end(struct sqlfn *fn); /* frees its memory */

/* What was refused by a function, or what SQLite says of rc: with our status,
 * which is returned. */
int sqlfn_fault(struct sqlfn *fn, struct sqlite3 *h, int rc, struct fault *f);

#endif
