/* See merge.h. */
#include <git2.h>
#include <string.h>

#include "merge.h"

static void
list_conflicts(git_index *index, struct strs *paths)
{
	git_index_conflict_iterator *it;
	const git_index_entry *a, *o, *t;

	if (git_index_conflict_iterator_new(&it, index) < 0)
		return;
	while (git_index_conflict_next(&a, &o, &t, it) == 0) {
		const char *path = o != NULL   ? o->path
				   : t != NULL ? t->path
					       : a->path;

		if (paths->n == 0 || strcmp(paths->v[paths->n - 1], path) != 0)
			strs_add(paths, path, strlen(path));
	}
	git_index_conflict_iterator_free(it);
}

static int
conflicted(const struct strs *paths, struct fault *f)
{
	struct buf b = BUF_INIT;
	int code;

	for (size_t i = 0; i < paths->n && i < 8; i++)
		buf_fmt(&b, "%s%s", i > 0 ? ", " : "", paths->v[i]);
	if (paths->n > 8)
		buf_fmt(&b, " and %zu more", paths->n - 8);
	code = fail(f, EX_DATAERR, "conflict in %s", buf_text(&b));
	buf_free(&b);
	return code;
}

/* One commit of the merged tree, with one parent (squash) or both. */
static int
merge(struct repo *r, bool squash, git_commit *base, git_commit *head,
    const char *message, git_oid *done, struct strs *conflicts, struct fault *f)
{
	const git_commit *parents[2] = { base, head };
	git_signature *sig;
	git_tree *tree = NULL;
	git_index *index;
	git_oid id;
	int code = 0;

	if (git_merge_commits(&index, repo_git(r), base, head, NULL) < 0)
		return repo_trouble(f, EX_DATAERR, "merge");
	if (git_index_has_conflicts(index)) {
		list_conflicts(index, conflicts);
		code = conflicted(conflicts, f);
	} else if (git_index_write_tree_to(&id, index, repo_git(r)) < 0 ||
		   git_tree_lookup(&tree, repo_git(r), &id) < 0)
		code = repo_trouble(f, EX_CANTCREAT, "tree");
	git_index_free(index);
	if (code != 0)
		return code;
	sig = repo_signature();
	if (git_commit_create(done, repo_git(r), NULL,
		squash ? git_commit_author(head) : sig, sig, NULL, message,
		tree, squash ? 1 : 2, parents) < 0)
		code = repo_trouble(f, EX_CANTCREAT, "commit");
	git_signature_free(sig);
	git_tree_free(tree);
	return code;
}

/* The commits of a rebase that was begun, one after the other. */
static int
replay(git_rebase *rebase, git_signature *sig, git_oid *done,
    struct strs *conflicts, struct fault *f)
{
	git_rebase_operation *op;
	git_index *index;
	git_oid id;
	int rc;

	while ((rc = git_rebase_next(&op, rebase)) == 0) {
		if (git_rebase_inmemory_index(&index, rebase) < 0)
			return repo_trouble(f, EX_DATAERR, "rebase");
		if (git_index_has_conflicts(index))
			list_conflicts(index, conflicts);
		git_index_free(index);
		if (conflicts->n > 0)
			return conflicted(conflicts, f);
		rc = git_rebase_commit(&id, rebase, NULL, sig, NULL, NULL);
		if (rc == GIT_EAPPLIED)
			continue;
		if (rc < 0)
			return repo_trouble(f, EX_DATAERR, "rebase");
		*done = id;
	}
	return rc == GIT_ITEROVER ? 0 : repo_trouble(f, EX_DATAERR, "rebase");
}

static int
rebase_onto(struct repo *r, git_commit *base, git_commit *head, git_oid *done,
    struct strs *conflicts, struct fault *f)
{
	git_rebase_options o;
	git_annotated_commit *onto = NULL, *from = NULL;
	git_rebase *rebase = NULL;
	git_signature *sig = repo_signature();
	int code;

	git_rebase_options_init(&o, GIT_REBASE_OPTIONS_VERSION);
	o.inmemory = 1;
	*done = *git_commit_id(base);
	if (git_annotated_commit_lookup(
		&onto, repo_git(r), git_commit_id(base)) < 0 ||
	    git_annotated_commit_lookup(
		&from, repo_git(r), git_commit_id(head)) < 0 ||
	    git_rebase_init(&rebase, repo_git(r), from, onto, NULL, &o) < 0)
		code = repo_trouble(f, EX_DATAERR, "rebase");
	else
		code = replay(rebase, sig, done, conflicts, f);
	git_rebase_free(rebase);
	git_annotated_commit_free(from);
	git_annotated_commit_free(onto);
	git_signature_free(sig);
	return code;
}

int
merge_commits(struct repo *r, enum merge_way way, const char *base,
    const char *head, const char *message, char done[OID_LEN],
    struct strs *conflicts, struct fault *f)
{
	git_commit *b = repo_commit(r, base), *h = repo_commit(r, head);
	git_oid id;
	int code;

	done[0] = '\0';
	if (b == NULL || h == NULL)
		code = fail(
		    f, EX_NOINPUT, "no commit %s", b == NULL ? base : head);
	else if (way == MERGE_REBASE)
		code = rebase_onto(r, b, h, &id, conflicts, f);
	else
		code = merge(
		    r, way == MERGE_SQUASH, b, h, message, &id, conflicts, f);
	if (code == 0)
		git_oid_tostr(done, OID_LEN, &id);
	git_commit_free(b);
	git_commit_free(h);
	return code;
}
