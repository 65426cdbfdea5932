/*
 * hub: the streams of a listener, many that read what few queries gave.
 *
 * What is new is rendered once for all who have asked for the same and stand
 * at the same place; each holds on to that piece until it is through with it.
 * So a reader costs its place and, when it is slow, one piece, however far
 * behind it is: it goes on from its cursor.  Who does not read at all is the
 * door's to cut off.
 */
#ifndef TERA_HUB_H
#define TERA_HUB_H

#include <stdbool.h>
#include <sys/types.h>

#include "stream.h"

#define HUB_READERS 500 /* at once */

struct hub;
struct reader;

struct hub_door {
	void (*wake)(void *who); /* hub_read has something again */
	bool (*may)(void *who);  /* may it still have it? */
};

struct hub *hub_open(const struct hub_door *door);
void hub_close(struct hub *h); /* when all readers have left */

/* A reader of s, which is the hub's then, for who.  NULL: there are too many,
 * and s stays the caller's. */
struct reader *hub_join(struct hub *h, struct stream *s, void *who);
void hub_leave(struct hub *h, struct reader *r);
int hub_count(const struct hub *h);

/* Up to max bytes of what comes next.  0: nothing now, it will be woken; -1:
 * no more. */
ssize_t hub_read(struct hub *h, struct reader *r, char *to, size_t max);

/*
 * Between two turns, before any hub_read: what the streams are read from.
 * NULL, or other: the store that they are of is gone, and they end.
 */
void hub_store(struct hub *h, struct db *db, bool other);

/* Looks for what is new, if others have committed or stirred says that we have,
 * and wakes who has something to read.  True when there are such. */
bool hub_turn(struct hub *h, bool stirred);

/* The milliseconds after which a turn is due; -1: never. */
int hub_patience(const struct hub *h);

/* Ends one, NULL: all, and says when to come again. */
void hub_end(struct hub *h, struct reader *r);

#endif
