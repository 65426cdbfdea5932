/*
 * repo: what looks at a repository or decides in it, by libgit2: refs,
 * ancestry, status, commit, merge in memory, differences.  The only module
 * that includes git2.h.
 *
 * Object names are 40 hexadecimal digits and a NUL.  Functions that return
 * int answer 0, or fill f and return the exit status (see err.h).  Not for
 * threads.
 */
#ifndef TERA_REPO_H
#define TERA_REPO_H

#include <stdbool.h>

#include "buf.h"
#include "mask.h"

#define OID_LEN 41

struct repo;

/* Texts that grow; zero is empty. */
struct strs {
	char **v;
	size_t n;
};

void strs_add(struct strs *s, const char *text, size_t n);
void strs_free(struct strs *s);

/* Opens a work tree or a bare repository at exactly this path. */
struct repo *repo_open(const char *path, struct fault *f);
/* As repo_open, but looks in the directories above too. */
struct repo *repo_find(const char *path, struct fault *f);
void repo_close(struct repo *r);
/* libgit2's own, for the modules that include git2.h; r keeps it. */
struct git_repository *repo_git(struct repo *r);

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
/* Where the files of the repository itself are: the directory of this work
 * tree's HEAD and index. */
const char *repo_gitdir(struct repo *r);
/* Is the ref exactly this object? */
bool repo_ref_is(struct repo *r, const char *name, const char *oid);
size_t repo_count_refs(struct repo *r, const char *glob);
/*
 * To be asked before repo_open, which would follow a .git that a worker wrote
 * wherever it leads: is the work tree at dir one of the repository at path?
 */
bool repo_tied(const char *dir, const char *path);
/* Is this the work tree at dir, and does it hang on the repository at path? */
bool repo_hangs_on(struct repo *r, const char *dir, const char *path);
/*
 * Removes from the work tree at dir what would hang its reader: .gitignore,
 * .gitattributes and the like, and files of repositories, that are a FIFO, a
 * socket or a device.  Opens no file.
 */
void repo_calm(const char *dir);
/* Any ref that matches (as "refs/heads/" followed by something)? */
bool repo_any_ref(struct repo *r, const char *glob);

/* Is the commit contained in one of the refs that match? */
bool repo_in_refs(struct repo *r, const char *glob, const char *oid);

/* --- what starting a program would cost more than doing it --- */

/* The refs of a repository in a directory of this machine, in the form of
 * `git ls-remote --symref`.  false: ask git, it has the right words. */
bool repo_ls_dir(struct repo *r, const char *dir, struct buf *out);

/* --- ancestry --- */

/* Is commit old contained in (or the same as) commit tip? */
bool repo_contains(struct repo *r, const char *tip, const char *old);
bool repo_merge_base(
    struct repo *r, const char *a, const char *b, char base[OID_LEN]);
void repo_ahead(struct repo *r, const char *a, const char *b, size_t *ahead,
    size_t *behind);

/* --- work tree and commits --- */

/* Names what is not committed (untracked files too), at most a few. */
int repo_dirty(struct repo *r, struct strs *paths, struct fault *f);

struct repo_commit {
	const char *message;
	long long file_max;         /* bytes; larger files are left */
	const struct mask *secrets; /* a file that holds one is left */
	char head[OID_LEN];         /* "" when there is no commit at all */
	char tree[OID_LEN];
	size_t changed; /* files in the new commit */
	bool made;
	struct strs left; /* paths that were not taken */
};

/* Commits all that git does not ignore onto HEAD, conflicts as they stand;
 * a path that git refuses, or that holds a secret, is left. */
int repo_commit_all(struct repo *r, struct repo_commit *c, struct fault *f);

/*
 * Brings HEAD back onto branch, wherever it was left: the branch is moved
 * forward to HEAD's commit, or merged with it.  Conflict: 65, and HEAD's
 * commit is kept as refs/tera/saved/BRANCH/TIME.
 */
int repo_attach(struct repo *r, const char *branch, struct fault *f);

/* Moves the branch that is checked out here to oid, files and index too;
 * files with changes of their own in the way: 65 and nothing moves. */
int repo_forward(struct repo *r, const char *oid, struct fault *f);

/* Removes the locks that a killed git left in this work tree; any there? */
bool repo_unlock(struct repo *r);

/* Keeps oid as refs/tera/saved/BRANCH/TIME. */
int repo_save(
    struct repo *r, const char *branch, const char *oid, struct fault *f);

/*
 * Names the first commit of tip, not in the refs that match the glob hide,
 * whose files or message hold a secret.  65 when there is one.
 */
int repo_scan(struct repo *r, const char *tip, const char *hide,
    const struct mask *secrets, struct fault *f);

/* --- merging in memory --- */

enum repo_way { REPO_MERGE, REPO_SQUASH, REPO_REBASE };

/*
 * Brings head into base and makes the commits; no ref moves, no work tree is
 * touched.  done is the new tip.  Conflicts: 65, and their paths.
 */
int repo_bring(struct repo *r, enum repo_way way, const char *base,
    const char *head, const char *message, char done[OID_LEN],
    struct strs *conflicts, struct fault *f);

/* --- differences --- */

struct repo_line {
	char kind;          /* ' ', '+', '-', or '\\' for a missing newline */
	int old_no, new_no; /* -1: not on that side */
	const char *text;
	size_t len; /* newline included, when there is one */
};

struct repo_file {
	const char *path, *old_path;
	const char *status; /* added deleted modified renamed copied type */
	bool binary;
	size_t additions, deletions;
};

/* Called for each file; then, unless NULL, for its hunks and lines. */
struct repo_diff {
	void *arg;
	void (*file)(void *arg, const struct repo_file *f);
	void (*hunk)(void *arg, const char *header, size_t n);
	void (*line)(void *arg, const struct repo_line *l);
	void (*end)(void *arg);                           /* of a file */
	void (*text)(void *arg, const char *s, size_t n); /* the patch */
	unsigned context;
};

/* Commits or trees by revision; with head NULL, the work tree and the index
 * are the new side. */
int repo_diff(struct repo *r, const char *base, const char *head,
    const struct repo_diff *d, struct fault *f);

#endif
