/* See fresh.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fill.h"
#include "fresh.h"
#include "json.h"
#include "remove.h"
#include "spawn.h"
#include "worktree.h"

/* The directories that the record wants; none for all. */
static int
sparse_dirs(struct place *p, struct strs *dirs, struct fault *f)
{
	char path[40], *dir;

	for (int i = 0;; i++) {
		size_t from, n;

		snprintf(path, sizeof(path), "$.sparse[%d]", i);
		dir = json_get(p->rec, path);
		if (dir == NULL)
			return 0;
		if (*dir == '\0' || strpbrk(dir, "\n*?[\\!") != NULL) {
			free(dir);
			return fail(f, EX_DATAERR,
			    "the record's sparse[%d] is no directory", i);
		}
		from = strspn(dir, "/");
		n = strlen(dir + from);
		strs_add(dirs, dir + from,
		    n > 0 && dir[from + n - 1] == '/' ? n - 1 : n);
		free(dir);
	}
}

/* Tells git what was left out; gitdir is where the work tree's index is. */
static int
write_patterns(const char *gitdir, const struct strs *dirs, struct fault *f)
{
	char *info = xasprintf("%s/info", gitdir);
	char *file = xasprintf("%s/sparse-checkout", info);
	FILE *fp;
	bool ok;

	make_dirs(info);
	fp = fopen(file, "we");
	ok = fp != NULL && fputs("/*\n!/*/\n", fp) != EOF;
	for (size_t i = 0; ok && i < dirs->n; i++)
		ok = fprintf(fp, "/%s/\n", dirs->v[i]) > 0;
	if (fp != NULL)
		ok = fclose(fp) == 0 && ok;
	if (!ok)
		fail(f, EX_CANTCREAT, "%s:", file);
	free(file);
	free(info);
	return ok ? 0 : f->code;
}

/* git writes the files, with as many hands as the machine has. */
static int
fill_by_git(
    struct place *p, struct git *g, const struct strs *dirs, struct fault *f)
{
	char *workers = xasprintf("checkout.workers=%s", git_workers());
	const char *sparse = dirs->n > 0 ? "core.sparseCheckout=true"
					 : "core.sparseCheckout=false";
	int code = 0;

	g->dir = p->work;
	if (GIT(g, GIT_FAR, "-c", workers, "-c", sparse, "-c",
		"core.sparseCheckoutCone=false", "reset", "--hard",
		"--quiet") != 0)
		code = git_fault(g, "checkout", EX_CANTCREAT, f);
	free(workers);
	return code;
}

int
fresh_tie(struct place *p, struct git *g, const char *path, struct fault *f)
{
	g->dir = p->m.path;
	/* Twice: a killed one left a lock on its name. */
	if (GIT(g, GIT_QUICK, "worktree", "add", "--force", "--force",
		"--no-checkout", "--", path, p->here) != 0)
		return git_fault(g, "worktree", EX_CANTCREAT, f);
	return 0;
}

/* No worker was let in yet: what is there is half of our own making. */
static int
clear(struct place *p, struct fault *f)
{
	unlink(p->ready);
	if (access(p->work, F_OK) == 0) {
		if (remove_aside(p->work) < 0)
			return fail(f, EX_CANTCREAT, "%s:", p->work);
		worktree_prune(p->m.path);
	}
	return 0;
}

/* Ties the work tree to the mirror.  What is in the way of us, git's own
 * --force knows how to handle.  Where its index is; the caller frees it. */
static char *
tie(struct place *p, struct git *g, struct fault *f)
{
	char *dir = worktree_add(p->m.path, p->id, p->work, p->here);
	struct repo *r;

	if (dir != NULL || clear(p, f) != 0 ||
	    fresh_tie(p, g, p->work, f) != 0 ||
	    (r = repo_open(p->work, f)) == NULL)
		return dir;
	dir = xstrdup(repo_gitdir(r));
	repo_close(r);
	return dir;
}

/* Most trees need nothing that only git knows, and are there before it would
 * have compared the first files. */
static int
fill(struct place *p, struct git *g, const char *gitdir,
    const struct strs *dirs, struct fault *f)
{
	char *index = xasprintf("%s/index", gitdir);
	int code = 0;

	if (dirs->n > 0)
		code = write_patterns(gitdir, dirs, f);
	if (code == 0 && !fill_tree(p->m.repo, p->here,
			     dirs->n > 0 ? dirs : NULL, p->work, index))
		code = fill_by_git(p, g, dirs, f);
	free(index);
	return code;
}

static int
make_once(
    struct place *p, struct git *g, const struct strs *dirs, struct fault *f)
{
	int code = clear(p, f);
	char *gitdir = NULL;

	if (code == 0 && (gitdir = tie(p, g, f)) == NULL)
		code = f->code;
	mirror_unlock(&p->m); /* it is free for others meanwhile */
	if (code == 0)
		code = fill(p, g, gitdir, dirs, f);
	if (code == 0)
		code = place_ready(p, f);
	free(gitdir);
	return code;
}

/* The mirror turned out to be broken: anew, and the branch with it. */
static int
again(struct place *p, struct fault *f)
{
	int code;

	mirror_lock(&p->m);
	code = mirror_remake(&p->m, f);
	if (code != 0)
		return code;
	free(p->here);
	p->here = NULL;
	return place_choose(p, f);
}

int
fresh_tree(struct place *p, struct fault *f)
{
	struct strs sparse = { 0 };
	struct git g = { 0 };
	int code = sparse_dirs(p, &sparse, f);

	if (code == 0)
		code = place_choose(p, f);
	if (code == 0) {
		code = make_once(p, &g, &sparse, f);
		if (code != 0 && mirror_broken(&g)) {
			code = again(p, f);
			if (code == 0)
				code = make_once(p, &g, &sparse, f);
		}
	}
	git_free(&g);
	strs_free(&sparse);
	return code;
}
