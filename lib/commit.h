/*
 * commit: all that a worker left in a work tree, as a commit.
 *
 * What git does not ignore is taken, conflicts as they stand.  A path is left,
 * and named, when it is too large, cannot be read, is a repository of its own,
 * holds a secret or is one that git refuses; never is all given up for one.
 */
#ifndef TERA_COMMIT_H
#define TERA_COMMIT_H

#include "mask.h"
#include "repo.h"

struct commit {
	const char *message;
	long long file_max;         /* bytes; larger files are left */
	const struct mask *secrets; /* a file that holds one is left */
	char head[OID_LEN];         /* "" when there is no commit at all */
	char tree[OID_LEN];
	size_t changed; /* files in the new commit */
	bool made;
	struct strs left; /* paths that were not taken, and why */
};

/* Onto HEAD, unless nothing changed; the caller frees left. */
int commit_all(struct repo *r, struct commit *c, struct fault *f);

/* Names what is not committed (untracked files too), at most a few. */
int commit_dirty(struct repo *r, struct strs *paths, struct fault *f);

#endif
