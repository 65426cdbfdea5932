/*
 * db: the store's file, and verbs run on it: opening, the gate, transactions.
 * What runs inside of one is script's, sqlfn's and seal's; these, json and
 * arena are the modules that know sqlite3.h.
 *
 * A writer takes the gate (flock on FILE-gate) before BEGIN IMMEDIATE: the
 * kernel wakes the next writer in turn, where SQLite's own waiting starves
 * some for seconds.  After COMMIT it touches FILE-wake, which whoever waits
 * watches.  Answers of a write verb are handed out after the COMMIT only.
 */
#ifndef TERA_DB_H
#define TERA_DB_H

#include <stdbool.h>

#include "verb.h"

struct db;

/* Opens an existing store of our schema version.  NULL and f (78: not there,
 * not a store, of another version; the message names tera-init). */
struct db *db_open(const char *path, struct fault *f);

/* Makes the store or brings its schema up to date.  *made says which
 * version it had before (0: it is new).  Returns 0 or the exit status. */
int db_init(const char *path, int *made, struct fault *f);

void db_close(struct db *db);

/* Where it is. */
const char *db_path(const struct db *db);

/* Runs one verb in a transaction of its own.  Returns 0, 1 (VERB_ONE and no
 * row) or an exit status with f. */
int db_verb(struct db *db, const struct verb *v, const char *in, row_fn *row,
    void *arg, struct fault *f);

/* For who serves many, which one verb must not keep waiting for long: a read
 * ends with 75 after read_ms, and so does a write that has waited lock_ms for
 * who else writes.  Without it, the first may take for ever and the second
 * waits as long as it takes (for a foreign writer 10 s). */
void db_patience(struct db *db, int read_ms, int lock_ms);

/* Between these two all that is read is of one state, and costs fewer locks.
 * Nothing is written there. */
void db_look(struct db *db);
void db_looked(struct db *db);

/*
 * Several verbs in one transaction: begin, any number of db_step, then end.
 * A step that fails undoes itself only.  Answers come after the commit in
 * db_end; the row function gets arg of its own step.
 */
int db_begin(struct db *db, struct fault *f);
int db_step(struct db *db, const struct verb *v, const char *in, row_fn *row,
    void *arg, struct fault *f);
int db_end(struct db *db, struct fault *f);
/* Instead of db_end: as if it had not begun, and no answers. */
void db_undo(struct db *db);

/* The answers of the last db_step as they stand before the commit: for who
 * keeps them in the same transaction.  Not for eyes outside. */
void db_peek(struct db *db, row_fn *row, void *arg);

/* Was the last verb refused because it named an older version? */
bool db_stale(const struct db *db);

/* Is it still of our schema?  A newer tera-init may have upgraded it. */
bool db_fits(struct db *db);

/* Rises when another connection has committed. */
long long db_data_version(struct db *db);

/* What the store holds: where two marks are equal in all, it is the same. */
struct db_mark {
	long long file;   /* which opening of it */
	long long others; /* db_data_version */
	long long own;    /* rows that this connection has changed */
};
struct db_mark db_mark(struct db *db);

/* For who has time: what is in the WAL goes where it belongs, unless somebody
 * is in the way, and the memory of pages is given back. */
void db_rest(struct db *db);

/* Recomputes the chain of seals.  See seal.h; calls row once for the result,
 * an object, and returns 0 (it holds) or 1. */
int db_audit(struct db *db, row_fn *row, void *arg, struct fault *f);

/* The name under which changes are sealed: $TERA_ACTOR, else the user's. */
const char *db_actor(void);

/* Seals under that name (NULL: our own again), which must live as long.  In a
 * transaction what was done until now is sealed under the name before it;
 * when that cannot be, the transaction is lost: an exit status with f, else 0.
 */
int db_as(struct db *db, const char *actor, struct fault *f);

/* The schema that this program knows. */
int db_schema(void);

/* Must a commit survive the power?  No with TERA_SYNCHRONOUS=normal. */
bool db_durable(void);

#endif
