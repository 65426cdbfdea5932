/*
 * verb: every question to the store and every change of it.
 *
 * A verb is a name, flags and a script of SQL (sql/NAME.sql, made a table by
 * sql/embed.awk).  Its input is one JSON object.  In the script
 *  - @KEY is what the key of its list holds: text, a number, 1 or 0 for true
 *    or false, an array or object as JSON text; NULL when absent or null.  No
 *    statement looks for it in the object: it is found once, before the first;
 *  - :in is the object whole, as JSON text;
 *  - :now is the time when the verb began, RFC 3339 UTC with milliseconds;
 *  - a result column named json is an answer: one JSON value a row;
 *  - a result column whose name begins with a colon sets that parameter for
 *    the statements after it (SELECT id AS ":job" ...);
 *  - a statement after "-- :if :NAME" or "-- :unless :NAME", or two of them, is
 *    compiled and run only when that parameter is not NULL, or is ("@:NAME "
 *    and "!:NAME " before it in the table; its last line ends with a
 *    semicolon);
 *  - refuse(CODE, MESSAGE) ends the verb with that exit status, stale(MESSAGE)
 *    with 65 because an older version was named than there is, num(TEXT) is
 *    the number that TEXT spells or NULL, uuid7() makes an id (RFC 9562),
 *    soon(SECONDS) is the time so much after :now, encrypt(TEXT) and
 *    decrypt(TEXT) keep secrets (see secret.h);
 *  - record(KEY, VALUE, ...) is json_object at a third of its cost, and leaves
 *    out a key that is written with a question mark before it when its value
 *    is NULL; raw(TEXT) is TEXT as JSON, which the schema has checked; bool(N)
 *    is true or false; without(OBJECT, KEY, ...) is it without these keys.
 */
#ifndef TERA_VERB_H
#define TERA_VERB_H

#include "err.h"

enum {
	VERB_READ = 0,     /* may run on a store that is open for reading */
	VERB_WRITE = 1,    /* runs in BEGIN IMMEDIATE */
	VERB_ONE = 2,      /* no row is the answer "no": exit 1 */
	VERB_WORKER = 4,   /* a worker's key is enough */
	VERB_ADMIN = 8,    /* settings, tokens */
	VERB_HELD = 16,    /* short, and no harm when it is done twice: the
			      process that holds the store may run it for others
			      (hold.h) */
	VERB_KEEP = 32,    /* what it answers follows from its input and the
			      store alone: may be kept (keep.h) */
	VERB_LOCAL = 64,   /* never over HTTP: it tells secrets, or is the
			      server's own */
	VERB_AGENT = 128,  /* the token of a job is enough, for that job */
	VERB_COMMON = 256, /* says nothing of any project: a token that is
			      limited to some may ask it (scope.h) */
};

struct verb {
	const char *name;
	int flags;
	const char *in; /* "key:type key:type! ..." types: text int num bool
			   array object ref (text or int) any */
	const char *sql;
};

extern const struct verb verbs[];      /* ends with a NULL name */
extern const char *const migrations[]; /* ends with NULL */

/* A row's JSON; valid during the call.  Non-zero stops the verb (a read). */
typedef int row_fn(void *arg, const char *json);

/* NULL when there is none. */
const struct verb *verb_find(const char *name);

#endif
