/*
 * store: where the verbs run.
 *
 * $TERA_STORE is a path (default $XDG_DATA_HOME/tera/tera.db, else
 * ~/.local/share/tera/tera.db): the verb runs in this process.  It is a URL,
 * http or https (as is $TERARCHITECT_API_URL when $TERA_STORE is not set): the
 * verb runs there (far.h).
 */
#ifndef TERA_STORE_H
#define TERA_STORE_H

#include <stdbool.h>

#include "db.h"

struct store;

/* The path, or the URL.  The caller frees it. */
char *store_path(void);

/* Opens the store, or finds the process that holds it (hold.h).  NULL and f
 * when neither can be. */
struct store *store_open(struct fault *f);
void store_close(struct store *s);

/* Runs the verb of that name with the JSON object in.  Returns 0, 1 (the
 * answer is no), or an exit status with f. */
int store_do(struct store *s, const char *verb, const char *in, row_fn *row,
    void *arg, struct fault *f);

/* The file behind it, for what is not a verb (tera-audit).  NULL and f when it
 * cannot be opened, or is not here. */
struct db *store_db(struct store *s, struct fault *f);

/*
 * For a process that stays: opens the file in any case and, unless another
 * process does, holds the store for others.  From then on it polls
 * store_hold_fd (-1: somebody else holds it, or nobody can) and calls
 * store_serve when that is readable, and now and then when it is -1: the
 * holder may have gone.
 */
struct store *store_hold(struct fault *f);
int store_hold_fd(const struct store *s);
void store_serve(struct store *s);

/*
 * Sleeps until another process has committed, at most ms milliseconds
 * (negative: for ever).  Returns 1 when something may have changed, 0 when
 * the time is over or a signal came.  What was committed since the last call
 * counts, so that nothing is missed between a look and a wait; the first call
 * only begins to watch and returns 1.
 */
int store_wait(struct store *s, int ms);

/* For who follows: waits for a change as store_wait; 0 when nobody reads our
 * standard output any more, or, with a word on standard error, the store was
 * removed. */
int store_follow(struct store *s);

/* Was the file removed, or another put in its place?  What we have open then
 * is a store that nobody else sees. */
bool store_gone(const struct store *s);

/* The descriptor that becomes readable when somebody commits, for poll(2);
 * store_wait(s, 0) then takes note.  -1 when there is none: ask now and then.
 */
int store_wait_fd(struct store *s);

/*
 * The whole of a plain command: open, run one verb, print its answers,
 * return the exit status for out_end.  Frees nothing.
 */
int store_main(const char *verb, const char *in);

/*
 * One verb for each record on standard input, in batches of one transaction.
 * A broken or refused line is named on standard error and the rest still
 * runs; the status is that of the last fault, or 0.  wrap, when not NULL,
 * makes the verb's input of a line (freed by us); it may fill f instead.
 */
int store_stream(const char *verb,
    char *(*wrap)(const char *line, void *arg, struct fault *f), void *arg);

/* Prints one answer line; a row_fn. */
int store_print(void *arg, const char *json);

#endif
