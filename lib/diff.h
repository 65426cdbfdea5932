/*
 * diff: what changed between two trees, or a tree and the work tree, file by
 * file, in the order of their paths.
 */
#ifndef TERA_DIFF_H
#define TERA_DIFF_H

#include "repo.h"

struct diff_line {
	char kind;          /* ' ', '+', '-', or '\\' for a missing newline */
	int old_no, new_no; /* -1: not on that side */
	const char *text;
	size_t len; /* newline included, when there is one */
};

struct diff_file {
	const char *path, *old_path;
	const char *status; /* added deleted modified renamed copied type */
	bool binary;
	size_t additions, deletions;
};

/* Called for each file; then, unless NULL, for its hunks and lines. */
struct diff {
	void *arg;
	void (*file)(void *arg, const struct diff_file *f);
	void (*hunk)(void *arg, const char *header, size_t n);
	void (*line)(void *arg, const struct diff_line *l);
	void (*end)(void *arg);                           /* of a file */
	void (*text)(void *arg, const char *s, size_t n); /* the patch */
	unsigned context;
};

/* Commits or trees by revision; with head NULL, the work tree and the index
 * are the new side. */
int diff_show(struct repo *r, const char *base, const char *head,
    const struct diff *d, struct fault *f);

struct diff_commit {
	const char *oid, *subject, *author;
	long long at; /* seconds since 1970: when it was committed */
};

/* The commits that head has and base lacks, the oldest first, at most max: the
 * newest are left out then. */
int diff_commits(struct repo *r, const char *base, const char *head, size_t max,
    void (*one)(void *arg, const struct diff_commit *c), void *arg,
    struct fault *f);

#endif
