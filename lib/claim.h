/*
 * claim: what a supervisor tells and asks the store about a job that it holds.
 */
#ifndef TERA_CLAIM_H
#define TERA_CLAIM_H

#include <stddef.h>

#include "jobrec.h"
#include "outcome.h"
#include "store.h"

/* Adds a piece of the agent's output to the log; file, when not NULL, is where
 * the rest will be.  Returns 0, or 65 when the claim may be an old one (ask!);
 * anything else was told on standard error. */
int claim_log(struct store *s, const struct jobrec *j, const char *summary,
    const char *text, size_t n, const char *file);

/* Is the job to go on?  STOP_NONE, or why not.  renew also extends the lease.
 * A store that does not answer is told on standard error, and no reason. */
enum stop claim_watch(struct store *s, const struct jobrec *j);
enum stop claim_renew(struct store *s, const struct jobrec *j);

#endif
