/*
 * place: where a job works: its directory below $TERA_STATE/run, the mirror
 * of its repository, and the branch of its work tree.
 *
 * The work tree is work/ in the directory.  The file "ready" beside it is
 * written when the checkout is complete and removed before a removal begins:
 * without it no worker was ever let in, with it what is there may be a worker's
 * and is never reset or deleted without a proof that it is elsewhere.
 */
#ifndef TERA_PLACE_H
#define TERA_PLACE_H

#include "mirror.h"

struct place {
	const char *rec; /* names the repository */
	char *own_rec;   /* the same, when it is ours to free */
	char *id, *dir, *work, *ready;
	int run;         /* the lock of the run, when it is held; else -1 */
	struct mirror m; /* once it was reached */
	char *branch;    /* the job's, as at the source */
	char *base;      /* that it starts from and goes back to */
	char *here;      /* the local one, which the work tree has */
	char base_tip[OID_LEN], remote_tip[OID_LEN]; /* "": none */
};

/* Names the place of the job id (which it takes over, with branch); makes
 * nothing but $TERA_STATE/run.  place_close in any case. */
int place_name(
    struct place *p, const char *rec, char *id, char *branch, struct fault *f);
void place_close(struct place *p);

/* The mirror, locked and as the source is now. */
int place_reach(struct place *p, struct fault *f);
/* The base, its tip and the branch's at the source, all of which must be fit
 * for a job. */
int place_base(struct place *p, struct fault *f);
/*
 * The branch of the work tree, and the commit that it starts with: the
 * source's branch; our own where it has more; the base where there is
 * neither.  What ours has and the source has not is kept aside.  Two work
 * trees never share a branch: one would undo the other's commits with its
 * older files.
 */
int place_choose(struct place *p, struct fault *f);

/* The commit of refs/KIND/NAME in the mirror; false and "" when there is none.
 */
bool place_tip(
    struct place *p, const char *kind, const char *name, char oid[OID_LEN]);
/* May a worker have been in it? */
bool place_used(const struct place *p);
int place_ready(const struct place *p, struct fault *f);

/* Holds the run's lock, which tera-run and all that it starts hold as long as
 * they live: 75 when one does. */
int place_lock_run(struct place *p, struct fault *f);

#endif
