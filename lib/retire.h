/*
 * retire: the work tree of a job that is done with goes, when nothing is lost.
 */
#ifndef TERA_RETIRE_H
#define TERA_RETIRE_H

#include "place.h"

/*
 * Removes the work tree of a place, and its tie to the mirror.  Kept, and 65
 * with what would be lost: one with uncommitted files; one with a commit that
 * is neither in a ref of the source, read now, nor in the job's bundle; one
 * that is tied to another repository.  75: the job still runs.  The record may
 * lack the repository if the directory has the job's own, job.json.
 */
int retire_tree(struct place *p, struct fault *f);

#endif
