/*
 * mirror: the bare repository that we keep of each source, under
 * $TERA_STATE/mirror, and what is asked of the source itself.
 *
 * The source's branches are refs/remotes/origin/NAME and follow it; its tags
 * and pull heads are as they are there.  refs/heads are ours: the branches of
 * the work trees, never touched by a fetch.  Whoever fetches or moves refs
 * holds the lock.  A mirror comes to be under another name and is renamed, so
 * a half one is never seen; one that is broken is set aside, not deleted.
 */
#ifndef TERA_MIRROR_H
#define TERA_MIRROR_H

#include "git.h"
#include "repo.h"

struct mirror {
	char *source; /* may hold a password */
	char *shown;  /* for messages */
	char *path;
	struct repo *repo; /* open once it was fetched; the mirror's own */
	char *head; /* the branch of the source's HEAD, once it was seen */
	int lock;   /* -1: not held */
};

/* Where a job record's repository is: repo_url, or the project_path of the
 * local mode.  NULL and f when there is none; the caller frees it. */
char *mirror_source(const char *rec, struct fault *f);

/* Where the mirror of source is; the caller frees it. */
char *mirror_path(const char *source);
/* Is the work tree at dir one of the record's mirror?  Else 65; no file of
 * another repository is opened. */
int mirror_tied(const char *rec, const char *dir, struct fault *f);

/* Names and locks the mirror of source; nothing is fetched yet. */
int mirror_open(struct mirror *m, const char *source, struct fault *f);
void mirror_lock(struct mirror *m);
void mirror_unlock(struct mirror *m);
void mirror_close(struct mirror *m);

/* Removes what a killed git, or one of us, left in it and all later ones would
 * fail at; under the lock: nobody is making one now. */
void mirror_bury(const struct mirror *m);
/* Makes it, or brings it up to date, and opens it; under the lock. */
int mirror_fetch(struct mirror *m, struct fault *f);
/* Did the last run of g stumble over a broken repository of ours? */
bool mirror_broken(const struct git *g);
/* Makes and opens it anew; work trees and branches come along where they can.
 */
int mirror_remake(struct mirror *m, struct fault *f);

/* The branch that the source's HEAD names; 65 when it names none. */
int mirror_default(struct mirror *m, char **branch, struct fault *f);
/* A branch that is to be written to: 65 when it is the base, or the default
 * of the source; a person's checkout has none.  The source may be asked. */
int mirror_guard(
    struct mirror *m, const char *branch, const char *base, struct fault *f);
/* The source's branch, asked now; oid is "" when it has none. */
int mirror_tip(
    struct mirror *m, const char *branch, char oid[OID_LEN], struct fault *f);
/* Is the source somebody's work tree on this machine? */
bool mirror_is_checkout(const struct mirror *m);
/* Puts the configuration back that is ours, before git reads it. */
void mirror_configure(const struct mirror *m);

#endif
