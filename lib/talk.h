/*
 * talk: the conversation of an agent's run, and its state (tera-talk(5)).
 *
 * One JSON object a line, only ever appended, each with one write under a
 * lock and then fsync.  Every line carries the totals up to itself, so the
 * last complete line that is not a summary is the whole state of the run; a
 * line that a dying writer left half written is cut off by the next one.
 */
#ifndef TERA_TALK_H
#define TERA_TALK_H

#include <stdbool.h>

#include "buf.h"
#include "err.h"

#define TALK_SAME 3 /* the same thing this often in a row is a stall */

/* Appends the complete lines of the file to b; none when it is not there.
 * "-" is standard input.  Returns 0, or fills f and returns the status. */
int talk_load(struct buf *b, const char *path, struct fault *f);

/* The state line of a loaded talk, which the caller frees; NULL: no line. */
char *talk_state(const struct buf *b);

/*
 * Appends one line: the JSON object fields with n, at, and for all but a
 * summary the totals sum{}, tries{}, same{}.  The line without its newline
 * is put in line.  Returns 0, or fills f and returns the status.
 */
int talk_add(
    const char *path, const char *fields, struct buf *line, struct fault *f);

/*
 * Which guard does the state hit?  limits is the record's object.  Returns
 * NULL for none, else one of "stall", "seconds", "cost_usd", "tokens",
 * "turns", with the sentence that says so appended to why.
 */
const char *talk_guard(const char *state, const char *limits, struct buf *why);

#endif
