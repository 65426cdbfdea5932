/*
 * jobrec: what a job's record says to whoever runs it.
 */
#ifndef TERA_JOBREC_H
#define TERA_JOBREC_H

#include <stdbool.h>

struct jobrec {
	char *id;         /* NULL: it has none */
	char *token;      /* of the job, from a store elsewhere; or NULL */
	char *session;    /* what the log calls the run; never NULL */
	bool error;       /* an earlier stage failed */
	long long fence;  /* -1: it was not claimed */
	long long lease;  /* seconds; 0: it does not say */
	long long renew;  /* ms until a third of the lease is over */
	long long memory; /* limits, in bytes and seconds; 0: none */
	long long seconds;
};

/* Reads rec, which has passed json_check.  lease, when not 0, is what counts
 * whatever the record says; where neither says, fallback does. */
void jobrec_read(
    struct jobrec *j, const char *rec, long long lease, long long fallback);
void jobrec_free(struct jobrec *j);

#endif
