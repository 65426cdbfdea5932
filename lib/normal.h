/*
 * normal: makes texts of two runs comparable.  What differs between machines
 * and runs is replaced by a placeholder, and the first value behind each is
 * remembered, so that a recorded answer can be given its live values back.
 *
 *   <uuid-N>   a UUID
 *   <hash-N>   7 to 64 lower-case hex digits
 *   <port-N>   the port of a loopback address
 *   <tmp-N>    the first directory below a temporary directory
 *   <dir-work> .../run/JOB/work, and <dir-run> .../run/JOB
 *   <dir-root> <dir-state> <dir-home> <dir-cwd>
 *              the directories of the environment, longest first
 *   <time>     RFC 3339, git's dates, the time of ls -l, Unix time of 10 or
 *              13 digits
 *   <date>     2026-01-31
 *   <ms>       a number with a unit of time
 *   <addr>     0x and 6 or more hex digits
 *   <owner>    links, owner and group of ls -l
 *
 * N counts different values from 1 in order of their first appearance, so
 * the table of one conversation must see its messages in order.  The last
 * five are not numbered: whether two times are equal is chance.  They stand
 * for nothing in an answer.
 */
#ifndef TERA_NORMAL_H
#define TERA_NORMAL_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

struct normal_pair {
	char *name; /* "<uuid-1>" */
	char *live; /* what stood there first */
};

struct normal {
	struct normal_pair *pairs;
	size_t n;
	/* Directories that have a placeholder of their own, longest first. */
	struct normal_pair dirs[8];
	size_t ndirs;
	char *tmp; /* $TMPDIR, NULL when it is unset or a usual one */
};

/* The directories come from $TERA_REPLAY_ROOT, $TERA_STATE, $HOME, $TMPDIR
 * and the working directory. */
void normal_init(struct normal *t);
void normal_free(struct normal *t);

/* Appends s with placeholders; new values enter the table. */
void normal_text(struct normal *t, struct buf *out, const char *s, size_t n);

/* The same for an answer: only values that the table knows are replaced, all
 * else stays, and nothing enters the table. */
void normal_known(struct normal *t, struct buf *out, const char *s, size_t n);

/* Appends s with the live values for the placeholders that the table knows. */
void normal_live(
    const struct normal *t, struct buf *out, const char *s, size_t n);

#endif
