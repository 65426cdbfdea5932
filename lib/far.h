/*
 * far: verbs run by a tera-serve elsewhere, through a tera-http that stays for
 * as long as the command does: no base command links what speaks HTTP.
 *
 * To it goes a line {"verb":NAME,"in":{...}}, or {"get":URL}; from it come the
 * rows, a line each, and then "=STATUS MESSAGE".
 */
#ifndef TERA_FAR_H
#define TERA_FAR_H

#include "db.h"

struct far;

/* Nothing is started before the first call. */
struct far *far_open(void);
void far_close(struct far *r);

/* As db_verb; 69 when the other side is away. */
int far_verb(struct far *r, const struct verb *v, const char *in, row_fn *row,
    void *arg, struct fault *f);

/* What GET answers there: a row for each element of a list, or one.  The key
 * of the environment goes with it.  Returns 0, or an exit status with f. */
int far_get(
    struct far *r, const char *url, row_fn *row, void *arg, struct fault *f);

/* Does a store of that name live elsewhere? */
int far_is(const char *store);

#endif
