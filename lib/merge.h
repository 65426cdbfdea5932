/*
 * merge: bringing the commits of one branch into another in memory: no ref
 * moves, no work tree is touched.
 */
#ifndef TERA_MERGE_H
#define TERA_MERGE_H

#include "repo.h"

enum merge_way { MERGE_BOTH, MERGE_SQUASH, MERGE_REBASE };

/*
 * Brings the commit head into base and makes the commits; done is the new
 * tip.  Conflicts: 65, and their paths.
 */
int merge_commits(struct repo *r, enum merge_way way, const char *base,
    const char *head, const char *message, char done[OID_LEN],
    struct strs *conflicts, struct fault *f);

#endif
