/*
 * repo: a repository through libgit2: opening one, its refs, which commit
 * contains which.
 *
 * Object names are 40 hexadecimal digits and a NUL.  Functions that return
 * int answer 0, or fill f and return the exit status (see err.h).  Not for
 * threads.
 */
#ifndef TERA_REPO_H
#define TERA_REPO_H

#include <stdbool.h>

#include "buf.h"
#include "strs.h"

#define OID_LEN 41

struct repo;

/* Opens a work tree or a bare repository at exactly this path. */
struct repo *repo_open(const char *path, struct fault *f);
/* As repo_open, but looks in the directories above too. */
struct repo *repo_find(const char *path, struct fault *f);
void repo_close(struct repo *r);

/* A name for text, fit for a file: its SHA-1 as a blob. */
void repo_hash(const char *text, char oid[OID_LEN]);

/* --- refs --- */

/* The commit that a revision names; false when there is none. */
bool repo_commit_of(struct repo *r, const char *rev, char oid[OID_LEN]);
/* The branch that HEAD is on ("ticket-1"), NULL when it is detached; the
 * caller frees it. */
char *repo_branch(struct repo *r);
/* Makes or moves a ref, with no look at what it was. */
int repo_set_ref(
    struct repo *r, const char *name, const char *oid, struct fault *f);
/* Is the ref exactly this object? */
bool repo_ref_is(struct repo *r, const char *name, const char *oid);
/* Globs are as "refs/heads/" followed by something. */
size_t repo_count_refs(struct repo *r, const char *glob);
bool repo_any_ref(struct repo *r, const char *glob);
/* Is the commit contained in one of the refs that match? */
bool repo_in_refs(struct repo *r, const char *glob, const char *oid);

/* The refs of a repository in a directory of this machine, in the form of
 * `git ls-remote --symref`, without the start of a program.  false: ask git,
 * it has the right words. */
bool repo_ls_dir(struct repo *r, const char *dir, struct buf *out);

/* --- a work tree's own --- */

/* Where the files of the repository itself are: the directory of this work
 * tree's HEAD and index. */
const char *repo_gitdir(struct repo *r);
/* Is this the work tree at dir, and does it hang on the repository at path? */
bool repo_hangs_on(struct repo *r, const char *dir, const char *path);
/* Removes the locks that a killed git left in this work tree; any there? */
bool repo_unlock(struct repo *r);

/* --- ancestry --- */

/* Is commit old contained in (or the same as) commit tip? */
bool repo_contains(struct repo *r, const char *tip, const char *old);
bool repo_merge_base(
    struct repo *r, const char *a, const char *b, char base[OID_LEN]);
void repo_ahead(struct repo *r, const char *a, const char *b, size_t *ahead,
    size_t *behind);

/* --- for the modules that include git2.h --- */

/* libgit2's own, which r keeps. */
struct git_repository *repo_git(struct repo *r);
/* As repo_commit_of, NULL when there is none; the caller frees it. */
struct git_commit *repo_commit(struct repo *r, const char *rev);
/* Who commits, now: $GIT_USER_NAME and $GIT_USER_EMAIL, else the user's own
 * configuration, else Tera; the caller frees it. */
struct git_signature *repo_signature(void);
/* Fills f with libgit2's own words for the call that just failed. */
int repo_trouble(struct fault *f, int code, const char *what);

#endif
