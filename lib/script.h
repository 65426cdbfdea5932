/*
 * script: the scripts of verbs (verb.h), on one connection.
 *
 * A statement is compiled when it first runs, and with it what each of its
 * parameters and columns means is looked up, once.
 */
#ifndef TERA_SCRIPT_H
#define TERA_SCRIPT_H

#include "sqlfn.h"
#include "verb.h"

struct script;

/* Zero scripts; h and fn are the connection's. */
struct scripts {
	struct sqlite3 *h;
	struct sqlfn *fn;
	struct script *first;
};

/* Runs a verb with the object in.  Returns 0, 1 (VERB_ONE and no row), or an
 * exit status with f; the transaction is the caller's. */
int script_run(struct scripts *s, const struct verb *v, const char *in,
    row_fn *row, void *arg, struct fault *f);
void script_end(struct scripts *s); /* frees the compiled statements */

#endif
