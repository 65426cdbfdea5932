/*
 * resume: the work tree that an earlier try of a job left, taken up again.
 */
#ifndef TERA_RESUME_H
#define TERA_RESUME_H

#include "place.h"

/*
 * Nothing in it is reset or deleted: what is found uncommitted is committed,
 * HEAD is brought back onto the branch, and what the source's branch gained is
 * taken in when we have nothing new.  Files that lost their repository are tied
 * to the mirror again.
 */
int resume_tree(struct place *p, struct fault *f);

#endif
