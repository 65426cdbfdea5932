/*
 * outcome: what became of a job, from the way its agent ended.
 *
 * The last object that the agent printed is its result.  Its own outcome
 * counts, but no word of it that we do not know, and never "completed" with
 * an exit status that says otherwise.
 */
#ifndef TERA_OUTCOME_H
#define TERA_OUTCOME_H

#include <stdbool.h>

/* Why the supervisor ended a job itself. */
enum stop {
	STOP_NONE,
	STOP_CANCEL,
	STOP_PAUSE,
	STOP_LOST,
	STOP_TIMEOUT,
	STOP_MEMORY,
	STOP_END /* it is itself told to end */
};

struct outcome {
	enum stop stop;
	bool ran;           /* else it was stopped before it began */
	int status;         /* of the agent */
	const char *result; /* NULL: none */
	const char *last;   /* the last line of its standard error, or "" */
};

/*
 * The record with the agent's result in it, outcome, reason, exit, and what
 * else they need (run_after, error).  What the queue gave (ids, attempt,
 * fence, lease) stays as it was.  rec has no error.  The caller frees it.
 */
char *outcome_record(const char *rec, const struct outcome *o);

/* The record of a job that we could not run: an error of ours, and whether
 * another may try (75). */
char *outcome_not_run(
    const char *rec, int status, const char *reason, const char *message);

#endif
