/* See branch.h. */
#include <git2.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "branch.h"
#include "merge.h"

static int
checkout(struct repo *r, const char *oid, struct fault *f)
{
	git_checkout_options o;
	git_commit *c = repo_commit(r, oid);
	int rc;

	git_checkout_options_init(&o, GIT_CHECKOUT_OPTIONS_VERSION);
	if (c == NULL)
		return fail(f, EX_DATAERR, "no commit %s", oid);
	o.checkout_strategy = GIT_CHECKOUT_SAFE;
	rc = git_checkout_tree(repo_git(r), (git_object *)c, &o);
	git_commit_free(c);
	if (rc == GIT_ECONFLICT)
		return fail(f, EX_DATAERR,
		    "files of the work tree are in the way of %.10s", oid);
	return rc < 0 ? repo_trouble(f, EX_IOERR, "checkout") : 0;
}

int
branch_forward(struct repo *r, const char *oid, struct fault *f)
{
	char *branch = repo_branch(r), *ref;
	int code = checkout(r, oid, f);

	if (code == 0) {
		ref = branch != NULL ? xasprintf("refs/heads/%s", branch)
				     : xstrdup("HEAD");
		code = repo_set_ref(r, ref, oid, f);
		free(ref);
	}
	free(branch);
	return code;
}

int
branch_save(
    struct repo *r, const char *branch, const char *oid, struct fault *f)
{
	char *ref = xasprintf("refs/tera/saved/%s/%lld-%.10s", branch,
	    (long long)time(NULL), oid);
	int code = repo_set_ref(r, ref, oid, f);

	free(ref);
	return code;
}

/* The commit that the branch shall have: HEAD's, its own, or a merge. */
static int
reconcile(struct repo *r, const char *branch, const char *tip, const char *head,
    char done[OID_LEN], struct fault *f)
{
	struct strs conflicts = { 0 };
	char *message;
	int code;

	if (repo_contains(r, head, tip) || repo_contains(r, tip, head)) {
		memcpy(done, repo_contains(r, head, tip) ? head : tip, OID_LEN);
		return 0;
	}
	code = branch_save(r, branch, head, f);
	if (code != 0)
		return code;
	message = xasprintf("Merge what was left beside %s\n", branch);
	code = merge_commits(
	    r, MERGE_BOTH, tip, head, message, done, &conflicts, f);
	free(message);
	strs_free(&conflicts);
	return code;
}

int
branch_attach(struct repo *r, const char *branch, struct fault *f)
{
	char *now = repo_branch(r), *ref = xasprintf("refs/heads/%s", branch);
	char head[OID_LEN], tip[OID_LEN], done[OID_LEN];
	int code = 0;

	if (now != NULL && strcmp(now, branch) == 0)
		goto out;
	if (!repo_commit_of(r, "HEAD", head)) /* unborn elsewhere */
		goto link;
	if (!repo_commit_of(r, ref, tip))
		memcpy(tip, head, OID_LEN);
	code = reconcile(r, branch, tip, head, done, f);
	if (code == 0)
		code = checkout(r, done, f);
	if (code == 0)
		code = repo_set_ref(r, ref, done, f);
link:
	if (code == 0 && git_repository_set_head(repo_git(r), ref) < 0)
		code = repo_trouble(f, EX_CANTCREAT, ref);
	git_repository_state_cleanup(repo_git(r));
out:
	free(now);
	free(ref);
	return code;
}
