/*
 * daemon: the listener.  With visit and heads, which are its inside, the only
 * include of microhttpd.h.
 *
 * One thread, which also has the store: libmicrohttpd reads and writes when
 * its descriptor says so, a request that is whole waits, and all that wait are
 * run together, writes in one transaction (work.h).  So one commit to the disk
 * serves all who came meanwhile, and nothing needs a lock.  What was answered
 * is kept for who asks the same (keep.h), and given back when nobody asks.
 */
#ifndef TERA_DAEMON_H
#define TERA_DAEMON_H

#include "req.h"
#include "route.h"

#define DAEMON_CONNECTIONS 1000 /* at once; the next ones wait */

struct daemon;

/* Serves the listening socket fd, and closes it in the end.  NULL: it cannot
 * be. */
struct daemon *daemon_open(int fd);
void daemon_close(struct daemon *d);

/* To poll: readable when daemon_turn has something to do. */
int daemon_fd(const struct daemon *d);
/* How long it may wait at most; -1: for ever. */
int daemon_patience(struct daemon *d);

/* Reads and writes without waiting, and runs on db all that is whole.  db NULL:
 * there is no store now, and that is the answer. */
void daemon_turn(struct daemon *d, struct db *db);

/* Must be called when something was committed on the store's own connection,
 * of which db_data_version does not tell, and when the store is another one
 * than at the last turn. */
void daemon_stir(struct daemon *d);
void daemon_other(struct daemon *d);

/* The streams that are open: while there are, a change of others is due a turn
 * at once. */
int daemon_streams(const struct daemon *d);

/* No new connections from now on; streams end. */
void daemon_drain(struct daemon *d);
/* The time is over: who waits for a program is told so (503). */
void daemon_abandon(struct daemon *d);
/* Requests that have begun and are not answered; streams do not count. */
int daemon_busy(const struct daemon *d);

#endif
