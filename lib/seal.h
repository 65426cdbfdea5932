/*
 * seal: the chain of hashes over the events.
 *
 * hash(n) = SHA-256 of hash(n-1) (32 bytes, zero before the first event)
 * followed by the record of event n: the eleven fields
 *   seq at noun what id project_id ticket_id job_id data actor late
 * one after the other, each as its length in bytes (decimal, no leading zero),
 * a colon and its bytes; a number is written in decimal, NULL is "-" alone.
 * Fields 10 and 11 are those of the seal that covers the event.
 *
 * A row of seal covers a run of events that one commit wrote, of at most
 * SEAL_RUN: seq is the last of them, hash their hashes, 32 bytes each, in
 * their order.
 */
#ifndef TERA_SEAL_H
#define TERA_SEAL_H

#include <stdbool.h>

#include "err.h"

#define SEAL_RUN 62 /* two rows of that many hashes fill a page */

struct sqlite3;
struct sqlite3_stmt;

/* What a connection keeps between commits; zero it first. */
struct sealer {
	struct sqlite3_stmt *last, *next, *put;
	long long seq; /* of the last event that is sealed */
	unsigned char hash[32];
};

/* First thing in a transaction: where the chain ends; what another program
 * wrote since then is sealed now, and marked late. */
int seal_begin(struct sealer *s, struct sqlite3 *h, struct fault *f);
/* Last thing in a transaction: seals its events. */
int seal_end(
    struct sealer *s, struct sqlite3 *h, const char *actor, struct fault *f);
void seal_close(struct sealer *s);

/*
 * Recomputes the chain.  *bad is the seq of the first record that does not
 * fit (0: none), *n the number of events, *head the last hash as 64 hex
 * digits and NUL, *open the number of events that are not sealed yet.
 */
int seal_check(struct sqlite3 *h, long long *bad, long long *n, long long *open,
    char head[65], struct fault *f);

#endif
