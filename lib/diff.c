/* See diff.h. */
#include <git2.h>
#include <string.h>

#include "diff.h"

static const char *
status_word(git_delta_t status)
{
	switch (status) {
	case GIT_DELTA_ADDED:
	case GIT_DELTA_UNTRACKED: return "added";
	case GIT_DELTA_DELETED: return "deleted";
	case GIT_DELTA_RENAMED: return "renamed";
	case GIT_DELTA_COPIED: return "copied";
	case GIT_DELTA_TYPECHANGE: return "type";
	default: return "modified";
	}
}

static void
give_hunk(git_patch *patch, size_t h, const struct diff *d)
{
	const git_diff_hunk *hunk;
	size_t lines;

	if (git_patch_get_hunk(&hunk, &lines, patch, h) < 0)
		return;
	d->hunk(d->arg, hunk->header, hunk->header_len);
	for (size_t i = 0; i < lines; i++) {
		const git_diff_line *l;
		struct diff_line out;

		if (git_patch_get_line_in_hunk(&l, patch, h, i) < 0)
			continue;
		out.kind = strchr(" +-", l->origin) != NULL ? l->origin : '\\';
		out.old_no = l->old_lineno;
		out.new_no = l->new_lineno;
		out.text = l->content;
		out.len = l->content_len;
		d->line(d->arg, &out);
	}
}

static void
give_text(git_patch *patch, const struct diff *d)
{
	git_buf b = { 0 };

	if (git_patch_to_buf(&b, patch) == 0)
		d->text(d->arg, b.ptr, b.size);
	git_buf_dispose(&b);
}

static int
give_patch(git_diff *diff, size_t i, const struct diff *d)
{
	const git_diff_delta *delta;
	struct diff_file file = { 0 };
	git_patch *patch = NULL;

	if (git_patch_from_diff(&patch, diff, i) < 0)
		return -1;
	delta = git_diff_get_delta(diff, i); /* knows of binary only now */
	file.path = delta->new_file.path;
	file.old_path = delta->old_file.path;
	file.status = status_word(delta->status);
	file.binary = (delta->flags & GIT_DIFF_FLAG_BINARY) != 0;
	if (patch != NULL)
		git_patch_line_stats(
		    NULL, &file.additions, &file.deletions, patch);
	if (d->file != NULL)
		d->file(d->arg, &file);
	if (patch != NULL && d->hunk != NULL)
		for (size_t h = 0; h < git_patch_num_hunks(patch); h++)
			give_hunk(patch, h, d);
	if (patch != NULL && d->text != NULL)
		give_text(patch, d);
	if (d->end != NULL)
		d->end(d->arg);
	git_patch_free(patch);
	return 0;
}

static git_tree *
tree_of(struct repo *r, const char *rev)
{
	git_object *any, *tree = NULL;

	if (git_revparse_single(&any, repo_git(r), rev) < 0)
		return NULL;
	if (git_object_peel(&tree, any, GIT_OBJECT_TREE) < 0)
		tree = NULL;
	git_object_free(any);
	return (git_tree *)tree;
}

static int
make_diff(struct repo *r, git_diff **diff, git_tree *old, git_tree *new,
    unsigned context)
{
	git_diff_options o;
	git_diff_find_options similar;
	int rc;

	git_diff_find_options_init(&similar, GIT_DIFF_FIND_OPTIONS_VERSION);
	git_diff_options_init(&o, GIT_DIFF_OPTIONS_VERSION);
	o.context_lines = context;
	o.flags = GIT_DIFF_INCLUDE_UNTRACKED | GIT_DIFF_RECURSE_UNTRACKED_DIRS |
		  GIT_DIFF_SHOW_UNTRACKED_CONTENT;
	rc = new != NULL
		 ? git_diff_tree_to_tree(diff, repo_git(r), old, new, &o)
		 : git_diff_tree_to_workdir_with_index(
		       diff, repo_git(r), old, &o);
	if (rc == 0)
		rc = git_diff_find_similar(*diff, &similar);
	return rc;
}

int
diff_show(struct repo *r, const char *base, const char *head,
    const struct diff *d, struct fault *f)
{
	git_tree *old = tree_of(r, base), *new = NULL;
	git_diff *diff = NULL;
	int code = 0;

	if (head != NULL)
		new = tree_of(r, head);
	if (old == NULL || (head != NULL && new == NULL))
		code = fail(f, EX_NOINPUT, "%s: no such revision",
		    old == NULL ? base : head);
	else if (make_diff(r, &diff, old, new, d->context) < 0)
		code = repo_trouble(f, EX_DATAERR, "diff");
	for (size_t i = 0; code == 0 && i < git_diff_num_deltas(diff); i++)
		if (give_patch(diff, i, d) < 0)
			code = repo_trouble(f, EX_DATAERR, "diff");
	git_diff_free(diff);
	git_tree_free(new);
	git_tree_free(old);
	return code;
}

int
diff_commits(struct repo *r, const char *base, const char *head, size_t max,
    void (*one)(void *arg, const struct diff_commit *c), void *arg,
    struct fault *f)
{
	git_commit *from = repo_commit(r, base), *to = repo_commit(r, head);
	git_revwalk *walk = NULL;
	git_oid id;
	int code = 0;

	if (from == NULL || to == NULL)
		code = fail(f, EX_NOINPUT, "no such revision: %s",
		    from == NULL ? base : head);
	else if (git_revwalk_new(&walk, repo_git(r)) < 0 ||
		 git_revwalk_sorting(
		     walk, GIT_SORT_TOPOLOGICAL | GIT_SORT_REVERSE) < 0 ||
		 git_revwalk_push(walk, git_commit_id(to)) < 0 ||
		 git_revwalk_hide(walk, git_commit_id(from)) < 0)
		code = repo_trouble(f, EX_SOFTWARE, "the commits");
	while (code == 0 && max-- > 0 && git_revwalk_next(&id, walk) == 0) {
		char oid[OID_LEN];
		git_commit *c;

		if (git_commit_lookup(&c, repo_git(r), &id) < 0)
			continue;
		git_oid_tostr(oid, sizeof(oid), &id);
		one(arg, &(struct diff_commit){ oid, git_commit_summary(c),
			     git_commit_author(c)->name, git_commit_time(c) });
		git_commit_free(c);
	}
	git_revwalk_free(walk);
	git_commit_free(from);
	git_commit_free(to);
	return code;
}
