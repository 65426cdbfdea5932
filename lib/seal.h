/*
 * seal: the chain of hashes over the events.
 *
 * hash(n) = SHA-256 of hash(n-1) (32 bytes, zero before the first event)
 * followed by the canonical record of event n: the JSON array
 *   [seq,at,noun,what,id,project_id,ticket_id,job_id,data,actor,late]
 * as SQLite's json_array writes it, data being the stored text as a string.
 */
#ifndef TERA_SEAL_H
#define TERA_SEAL_H

#include <stdbool.h>

#include "err.h"

struct sqlite3;
struct sqlite3_stmt;

/* What a connection keeps between commits; zero it first. */
struct sealer {
	struct sqlite3_stmt *last, *next, *put;
	long long seq; /* of the last seal */
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
