/*
 * scope: what a token that is limited to projects, or to a job, may name.
 *
 * A verb's list of keys (verb.h) says by which it is told what it is about:
 * project, ticket, job, pr, note, and the like.  What they name is looked up,
 * and all of it must be within.  A verb that is told nothing gets the projects
 * as the keys projects or only, or its one project; when it has no such key it
 * is refused, unless it is VERB_COMMON.  So a new verb is refused until it
 * says what it is about.
 */
#ifndef TERA_SCOPE_H
#define TERA_SCOPE_H

#include "auth.h"

/* Looks at what a verb is about to get, and puts what must be so into *in,
 * which is ours.  False: r says no. */
bool scope_fits(struct auth *a, const struct caller *c, const struct verb *v,
    char **in, struct resp *r);

#endif
