/* See leak.h. */
#include <git2.h>
#include <string.h>
#include <unistd.h>

#include "leak.h"

bool
leak_text(const struct mask *m, const void *text, size_t n)
{
	for (size_t i = 0; m != NULL && i < m->n; i++)
		if (memmem(text, n, m->secret[i], m->len[i]) != NULL)
			return true;
	return false;
}

bool
leak_file(const struct mask *m, const char *path, const struct stat *st)
{
	struct buf b = BUF_INIT;
	bool found;

	if (m == NULL || m->n == 0)
		return false;
	if (S_ISLNK(st->st_mode)) {
		ssize_t n = readlink(path, buf_room(&b, 4096), 4096);

		b.len = n > 0 ? (size_t)n : 0;
	} else if (buf_file(&b, path, (size_t)st->st_size + 1) < 0)
		b.len = 0;
	found = leak_text(m, buf_text(&b), b.len);
	buf_free(&b);
	return found;
}

bool
leak_blob(const struct mask *m, struct repo *r, const git_oid *id)
{
	git_blob *blob;
	bool found;

	if (git_blob_lookup(&blob, repo_git(r), id) < 0)
		return false;
	found = leak_text(
	    m, git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob));
	git_blob_free(blob);
	return found;
}

/* --- what is to be pushed --- */

static int
scan_diff(struct repo *r, git_diff *diff, const char *oid, const struct mask *m,
    struct fault *f)
{
	for (size_t i = 0; i < git_diff_num_deltas(diff); i++) {
		const git_diff_delta *d = git_diff_get_delta(diff, i);

		if (d->status != GIT_DELTA_DELETED &&
		    (leak_text(m, d->new_file.path, strlen(d->new_file.path)) ||
			leak_blob(m, r, &d->new_file.id)))
			return fail(f, EX_DATAERR,
			    "%s in commit %.10s holds a secret: not pushed",
			    d->new_file.path, oid);
	}
	return 0;
}

static int
scan_commit(
    struct repo *r, git_commit *c, const struct mask *m, struct fault *f)
{
	const char *message = git_commit_message(c);
	git_commit *parent = NULL;
	git_tree *old = NULL, *new = NULL;
	git_diff *diff = NULL;
	char oid[OID_LEN];
	int code = 0;

	git_oid_tostr(oid, OID_LEN, git_commit_id(c));
	if (leak_text(m, message, strlen(message)))
		return fail(f, EX_DATAERR,
		    "the message of commit %.10s holds a secret: not pushed",
		    oid);
	if (git_commit_parentcount(c) > 0 &&
	    git_commit_parent(&parent, c, 0) == 0)
		git_commit_tree(&old, parent);
	if (git_commit_tree(&new, c) < 0 ||
	    git_diff_tree_to_tree(&diff, repo_git(r), old, new, NULL) < 0)
		code = repo_trouble(f, EX_DATAERR, oid);
	else
		code = scan_diff(r, diff, oid, m, f);
	git_diff_free(diff);
	git_tree_free(new);
	git_tree_free(old);
	git_commit_free(parent);
	return code;
}

int
leak_scan(struct repo *r, const char *tip, const char *hide,
    const struct mask *m, struct fault *f)
{
	git_revwalk *walk;
	git_oid id;
	int code = 0;

	if (m->n == 0)
		return 0;
	if (git_oid_fromstr(&id, tip) < 0 ||
	    git_revwalk_new(&walk, repo_git(r)) < 0)
		return repo_trouble(f, EX_SOFTWARE, "walk");
	git_revwalk_push(walk, &id);
	git_revwalk_hide_glob(walk, hide);
	while (code == 0 && git_revwalk_next(&id, walk) == 0) {
		git_commit *c;

		if (git_commit_lookup(&c, repo_git(r), &id) < 0)
			code = repo_trouble(f, EX_DATAERR, "commit");
		else {
			code = scan_commit(r, c, m, f);
			git_commit_free(c);
		}
	}
	git_revwalk_free(walk);
	return code;
}
