/*
 * branch: the branch that a work tree has checked out, moved with its files.
 */
#ifndef TERA_BRANCH_H
#define TERA_BRANCH_H

#include "repo.h"

/*
 * Brings HEAD back onto branch, wherever it was left: the branch is moved
 * forward to HEAD's commit, or merged with it.  Conflict: 65, and HEAD's
 * commit is kept as branch_save does.
 */
int branch_attach(struct repo *r, const char *branch, struct fault *f);

/* Moves the branch that is checked out here to oid, files and index too;
 * files with changes of their own in the way: 65 and nothing moves. */
int branch_forward(struct repo *r, const char *oid, struct fault *f);

/* Keeps oid as refs/tera/saved/BRANCH/TIME, so that nothing prunes it. */
int branch_save(
    struct repo *r, const char *branch, const char *oid, struct fault *f);

#endif
