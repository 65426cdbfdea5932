/* See retire.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calm.h"
#include "commit.h"
#include "json.h"
#include "remove.h"
#include "retire.h"
#include "spawn.h"
#include "worktree.h"

/* A record of tera-ls says which job it is; the one that the job was run with
 * is in its directory, and says where the repository is. */
static int
complete_record(struct place *p, struct fault *f)
{
	static const char *const keys[] = { "$.repo_url", "$.project_path" };
	char *file = xasprintf("%s/job.json", p->dir);
	struct buf b = BUF_INIT;
	struct fault why;

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (*json_type(p->rec, keys[i]) == 't') {
			free(file);
			return 0;
		}
	if (calm_file(&b, file, JSON_LINE_MAX) < 0)
		fail(f, EX_DATAERR,
		    "%s: neither the record nor %s names the repository", p->id,
		    file);
	else if (json_check(buf_text(&b), b.len, &why) != 0)
		fail(f, EX_DATAERR, "%s: %s", file, why.msg);
	else
		p->rec = p->own_rec = buf_take(&b);
	buf_free(&b);
	free(file);
	return p->own_rec != NULL ? 0 : f->code;
}

/* Is the commit in a ref of the remote, as it is now? */
static bool
on_remote(struct place *p, const char *oid)
{
	struct fault why = { 0 };

	if (place_reach(p, &why) != 0) {
		warn("%s: %s", p->id, why.msg);
		return false;
	}
	return repo_in_refs(p->m.repo, "refs/remotes/origin/*", oid) ||
	       repo_in_refs(p->m.repo, "refs/pull/*", oid);
}

static bool
in_bundle(struct place *p, const char *oid)
{
	char *dir = state_dir("bundle");
	char *file = xasprintf("%s/%s.bundle", dir, p->id);
	struct git g = { .dir = p->work };
	bool there =
	    access(file, R_OK) == 0 &&
	    GIT(&g, GIT_FAR, "bundle", "verify", "--quiet", file) == 0 &&
	    GIT(&g, GIT_QUICK, "bundle", "list-heads", file) == 0 &&
	    strstr(buf_text(&g.out), oid) != NULL;

	git_free(&g);
	free(file);
	free(dir);
	return there;
}

/* Refuses unless all that is in the work tree is known to be elsewhere. */
static int
prove(struct place *p, struct fault *f)
{
	struct strs dirty = { 0 };
	struct repo *r;
	char head[OID_LEN];
	int code;

	calm_tree(p->work);
	code = mirror_tied(p->rec, p->work, f);
	if (code != 0 || (r = repo_open(p->work, f)) == NULL)
		return f->code;
	code = commit_dirty(r, &dirty, f);
	if (code == 0 && dirty.n > 0)
		code = fail(f, EX_DATAERR, "%s: %s%s would be lost: commit it",
		    p->work, dirty.v[0], dirty.n > 1 ? " and more" : "");
	else if (code == 0 && repo_commit_of(r, "HEAD", head) &&
		 !in_bundle(p, head) && !on_remote(p, head))
		code = fail(f, EX_DATAERR,
		    "%s: commit %.10s would be lost: it is neither on the "
		    "remote nor in a bundle",
		    p->work, head);
	strs_free(&dirty);
	repo_close(r);
	return code;
}

/* The tie goes, and what is too much in the mirror. */
static void
tidy_mirror(struct place *p)
{
	char *source = p->m.path == NULL ? mirror_source(p->rec, NULL) : NULL;
	struct git g = { 0 };

	if (source != NULL)
		mirror_open(&p->m, source, NULL);
	free(source);
	if (p->m.path == NULL || access(p->m.path, F_OK) < 0)
		return;
	worktree_prune(p->m.path);
	g.dir = p->m.path;
	/* Elsewhere it is off: here nobody waits for it. */
	GIT(&g, GIT_QUICK, "-c", "gc.auto=6700", "gc", "--auto", "--quiet");
	git_free(&g);
}

static int
drop(struct place *p, struct fault *f)
{
	unlink(p->ready); /* first: from here on it is half again */
	if (remove_tree(p->work) < 0)
		return fail(f, EX_CANTCREAT, "%s:", p->work);
	tidy_mirror(p);
	return 0;
}

int
retire_tree(struct place *p, struct fault *f)
{
	struct fault why;
	int code = place_lock_run(p, f);

	if (code != 0)
		return code;
	/* One that a worker was let into goes only with a proof. */
	if (place_used(p)) {
		code = complete_record(p, f);
		if (code == 0)
			code = prove(p, f);
	} else
		complete_record(p, &why); /* for the mirror's sake */
	return code != 0 ? code : drop(p, f);
}
