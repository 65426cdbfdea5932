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

/* The same where git made the tie. */
static int
write_patterns_of(struct place *p, const struct strs *dirs, struct fault *f)
{
	struct repo *r = repo_open(p->work, f);
	int code;

	if (r == NULL)
		return f->code;
	code = write_patterns(repo_gitdir(r), dirs, f);
	repo_close(r);
	return code;
}

/* git writes the files, with as many hands as the machine has. */
static int
fill(struct place *p, struct git *g, const struct strs *dirs, struct fault *f)
{
	char *workers = xasprintf("checkout.workers=%s", git_workers());
	const char *sparse = dirs->n > 0 ? "core.sparseCheckout=true"
					 : "core.sparseCheckout=false";
	int code = 0;

	g->dir = p->work;
	if (dirs->n > 0)
		code = write_patterns_of(p, dirs, f);
	if (code == 0 && GIT(g, GIT_FAR, "-c", workers, "-c", sparse, "-c",
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

/*
 * Most trees need nothing that only git knows, and are there before it would
 * have compared the first files.  The mirror is free for others meanwhile.
 * false: nothing is left, and git is to do it, or to say what is wrong.
 */
static bool
quick(struct place *p, const struct strs *dirs)
{
	char *gitdir = worktree_add(p->m.path, p->id, p->work, p->here);
	char *index;
	struct fault why;
	bool ok;

	if (gitdir == NULL)
		return false;
	mirror_unlock(&p->m);
	index = xasprintf("%s/index", gitdir);
	ok = fill_tree(p->m.repo, p->here, dirs->n > 0 ? dirs : NULL, p->work,
		 index) &&
	     (dirs->n == 0 || write_patterns(gitdir, dirs, &why) == 0);
	if (!ok)
		mirror_lock(&p->m);
	free(index);
	free(gitdir);
	return ok;
}

static int
make_once(
    struct place *p, struct git *g, const struct strs *dirs, struct fault *f)
{
	int code = clear(p, f);

	if (code == 0 && quick(p, dirs))
		return place_ready(p, f);
	if (code == 0)
		code = clear(p, f);
	if (code == 0)
		code = fresh_tie(p, g, p->work, f);
	mirror_unlock(&p->m);
	if (code == 0)
		code = fill(p, g, dirs, f);
	return code != 0 ? code : place_ready(p, f);
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
