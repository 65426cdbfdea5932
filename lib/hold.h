/*
 * hold: one process that has the store open runs short verbs for the others.
 *
 * A command that asks one thing pays for opening the store what several such
 * things cost: SQLite parses the schema and compiles the statements anew.  A
 * process that has it open anyway (tera-claim -w, tera-hold) therefore
 * listens on FILE-hold, a Unix socket beside the store, and runs the verbs
 * with VERB_HELD for who asks; writes that wait at the same time share one
 * transaction.  The kernel's lock on FILE-hold-lock says who holds: one at a
 * time, and nobody after a kill.
 *
 * It is an offer and never a need.  A command opens the store itself when
 * nobody listens, when the one who listens is another user, of another schema
 * or durability or has another file open, when no answer comes for a second,
 * or when the holder dies.  A verb may so be done twice; those with VERB_HELD
 * are the ones that bear it: a claim that was not heard of comes back when its
 * lease ends, as one does whose claimer died.
 *
 * The socket has mode 0600 and the kernel says who is at the other end, both
 * ways.  A sandbox that does not see the store does not see the socket.
 */
#ifndef TERA_HOLD_H
#define TERA_HOLD_H

#include <sys/types.h>

#include "buf.h"
#include "db.h"

#define HOLD_SILENCE 1000 /* ms without an answer, then we do it ourselves */

/* --- who asks --- */

/* One input of a verb, and what became of it. */
struct item {
	const char *in; /* the caller's */
	int rc;         /* 0, 1 (the answer is no) or an exit status */
	char *msg;      /* what went wrong when rc > 1; the caller frees it */
};

/* A connection to the holder of the store at path, -1 when there is none. */
int hold_connect(const char *path);

/*
 * Runs the verb for each item, writes in one transaction.  Returns 0 with all
 * rc filled and the answers given to row in order, or -1: no answer came, and
 * the connection is of no use any more (the caller closes it).
 */
int hold_ask(int fd, const char *path, const struct verb *v, struct item *items,
    size_t n, row_fn *row, void *arg);

/* --- who holds --- */

struct hold;

/* Begins to listen for the store at path, open as db, which is the file dev
 * and ino.  NULL when another process does, when it cannot be, or when another
 * file has that path now. */
struct hold *hold_open(const char *path, struct db *db, dev_t dev, ino_t ino);
void hold_close(struct hold *h);

/* To poll: readable when hold_serve has something to do. */
int hold_fd(const struct hold *h);

/* Serves what has come, without waiting.  Returns 1 when something was
 * written to the store, 0 when not. */
int hold_serve(struct hold *h);

#endif
