/* See push.h. */
#include <stdlib.h>
#include <string.h>

#include "push.h"

static enum push
held(const struct mirror *m, const char *branch, struct fault *f)
{
	fail(f, EX_DATAERR,
	    "%s: branch %s is checked out there: check out another branch in "
	    "it, or merge in it by hand, and try again",
	    m->shown, branch);
	return PUSH_HELD;
}

bool
push_held(struct mirror *m, const char *branch, struct fault *f)
{
	struct repo *r =
	    mirror_is_checkout(m) ? repo_open(m->source, NULL) : NULL;
	char *now = r != NULL ? repo_branch(r) : NULL;
	bool is = now != NULL && strcmp(now, branch) == 0;

	if (is)
		held(m, branch, f);
	free(now);
	repo_close(r);
	return is;
}

/* What git push --porcelain says of our one ref. */
static enum push
verdict(const struct mirror *m, const struct git *g, const char *branch,
    struct fault *f)
{
	const char *out = buf_text(&g->out);
	const char *bang =
	    strncmp(out, "!\t", 2) == 0 ? out : strstr(out, "\n!\t");
	char *words;

	if (bang == NULL) {
		int code = git_fault(g, m->shown, EX_UNAVAILABLE, f);

		return code == EX_NOPERM ? PUSH_REFUSED : PUSH_AWAY;
	}
	bang += *bang == '\n';
	words = xstrndup(bang + 2, strcspn(bang + 2, "\n"));
	fail(f, EX_DATAERR, "%s: %s", m->shown, words);
	free(words);
	if (strstr(f->msg, "[rejected]") != NULL)
		return PUSH_MOVED;
	if (strstr(f->msg, "checked out") != NULL)
		return held(m, branch, f);
	if (strstr(f->msg, "cannot lock ref") != NULL ||
	    strstr(f->msg, "failed to update ref") != NULL)
		return PUSH_MOVED;
	f->code = EX_NOPERM;
	return PUSH_REFUSED;
}

static enum push
read_back(
    struct mirror *m, const char *oid, const char *branch, struct fault *f)
{
	char there[OID_LEN], *ref;
	struct repo *r;

	if (mirror_tip(m, branch, there, f) != 0)
		return PUSH_AWAY;
	if (strcmp(there, oid) != 0) {
		fail(f, EX_UNAVAILABLE, "%s: branch %s is %.10s, not %.10s",
		    m->shown, branch, *there != '\0' ? there : "missing", oid);
		return *there != '\0' ? PUSH_MOVED : PUSH_AWAY;
	}
	r = repo_open(m->path, NULL);
	if (r != NULL) {
		ref = xasprintf("refs/remotes/origin/%s", branch);
		repo_set_ref(r, ref, oid, NULL);
		free(ref);
		repo_close(r);
	}
	return PUSH_DONE;
}

enum push
push_commit(
    struct mirror *m, const char *oid, const char *branch, struct fault *f)
{
	struct git g = { .dir = m->path };
	char *spec = xasprintf("%s:refs/heads/%s", oid, branch);
	enum push p;

	mirror_configure(m);
	if (GIT(&g, GIT_FAR, "push", "--porcelain", "--no-verify",
		"--recurse-submodules=no", "--", git_remote(), spec) != 0)
		p = verdict(m, &g, branch, f);
	else
		p = read_back(m, oid, branch, f);
	git_free(&g);
	free(spec);
	return p;
}
