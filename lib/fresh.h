/*
 * fresh: a new work tree for a job, and all of its files.
 */
#ifndef TERA_FRESH_H
#define TERA_FRESH_H

#include "place.h"

/*
 * Makes the work tree of a place whose base is known, in the place of what was
 * there, on a branch that place_choose gives.  With an array sparse of
 * directories in the record, only these and the files at the top are written.
 * Where the mirror turns out to be broken, it is made anew first.  The mirror's
 * lock is given back.
 */
int fresh_tree(struct place *p, struct fault *f);

/* git ties path to the mirror, on the branch p->here, with no files yet. */
int fresh_tie(
    struct place *p, struct git *g, const char *path, struct fault *f);

#endif
