/*
 * outcome: what became of a job, from the way its agent ended.
 *
 * The last object that the agent printed is its result.  Its own outcome
 * counts, but no word of it that we do not know, and never "completed" with
 * an exit status that says otherwise.
 */
#ifndef TERA_OUTCOME_H
#define TERA_OUTCOME_H

#include "buf.h"

/* The record with the agent's result (NULL: none) in it; what the queue gave
 * (ids, attempt, fence, lease) stays as it was.  The caller frees it. */
char *outcome_merge(const char *rec, const char *result);

/* Adds outcome and reason, and run_after where the error has it, of an agent
 * that ended by itself with this exit status.  rec is the merged record. */
void outcome_judge(
    struct buf *with, const char *rec, bool has_result, int status);

/* Adds the error of an agent that ended without a result; last is the last
 * line of its standard error, or "". */
void outcome_why(struct buf *with, int status, const char *last);

#endif
