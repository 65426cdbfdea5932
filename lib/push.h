/*
 * push: a commit to a branch of the source, and what came of it.
 */
#ifndef TERA_PUSH_H
#define TERA_PUSH_H

#include "mirror.h"

enum push {
	PUSH_DONE,    /* and read back */
	PUSH_MOVED,   /* the branch has commits that we lack */
	PUSH_HELD,    /* it is checked out there */
	PUSH_REFUSED, /* by a rule or for want of rights */
	PUSH_AWAY,    /* not to be reached, or it did something else */
};

/* Pushes oid to the source's branch without force, and reads the answer
 * back.  f is filled unless it is PUSH_DONE. */
enum push push_commit(
    struct mirror *m, const char *oid, const char *branch, struct fault *f);

/* Is the branch checked out in a source that is a person's work tree?  git
 * may be set to change the files there. */
bool push_held(struct mirror *m, const char *branch, struct fault *f);

#endif
