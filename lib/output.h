/*
 * output: what a job says, from its two pipes to where it is kept.
 *
 * All of it is masked before anybody sees it.  On standard output the last
 * line that is a JSON object is the result and no output; everything else is
 * handed on in pieces that end behind a line, or at least between characters.
 * After a megabyte the rest goes to the file "output" of the run's directory,
 * up to a limit, so that an agent that floods fills neither store nor disk.
 */
#ifndef TERA_OUTPUT_H
#define TERA_OUTPUT_H

#include "buf.h"
#include "mask.h"

#define OUTPUT_PIECE 32768 /* bytes that are handed on at once */

/* Takes a piece; file, when not NULL, is where the rest will be. */
typedef void output_say(void *arg, const char *summary, const char *text,
    size_t n, const char *file);

struct output {
	/* Set by the caller; fd: stdout and stderr, not blocking, or -1. */
	int fd[2];
	int spill;        /* -1 */
	const char *name; /* for messages */
	const char *dir;  /* of the run */
	const struct mask *mask;
	output_say *say;
	void *arg;
	bool plain; /* hand on at once and all */

	/* To read. */
	struct buf result; /* the last object on stdout */
	struct buf last;   /* the last line of stderr */
	long long log_at;  /* monotonic ms when to flush, or CLOCK_NEVER */

	/* Ours. */
	struct buf hold[2]; /* not yet masked */
	struct buf line;    /* of stdout */
	struct buf log;     /* not yet handed on */
	bool last_whole;
	long long logged, spilled;
};

/* Reads once from fd[i].  Returns whether there may be more now; at its end
 * the descriptor is closed and -1. */
bool output_hear(struct output *o, int i);

/* Hands on what there is; last: also what ends amid a line. */
void output_flush(struct output *o, bool last);

/* Nobody writes any more: takes and hands on all. */
void output_end(struct output *o);

void output_free(struct output *o);

#endif
