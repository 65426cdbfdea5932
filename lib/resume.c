/* See resume.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "branch.h"
#include "calm.h"
#include "commit.h"
#include "fresh.h"
#include "remove.h"
#include "resume.h"
#include "worktree.h"

#define FILE_MAX (50LL * 1024 * 1024)

/* Ties files that lost their repository to the mirror again: the link of an
 * empty work tree is moved in, the files stay as they are. */
static int
adopt(struct place *p, struct fault *f)
{
	char *next = xasprintf("%s/next/work", p->dir);
	char *from = xasprintf("%s/.git", next);
	char *to = xasprintf("%s/.git", p->work);
	char *lost =
	    xasprintf("%s/lost-git-%lld", p->dir, (long long)time(NULL));
	struct git g = { 0 };
	int code = place_choose(p, f);

	warn("%s: the work tree had lost its repository", p->id);
	remove_tree(next);
	if (code == 0)
		code = fresh_tie(p, &g, next, f);
	if (code == 0) {
		if (rename(to, lost) < 0 && errno != ENOENT)
			warn("%s:", to);
		/* The old link's end goes, or two would claim one path. */
		worktree_prune(p->m.path);
		if (rename(from, to) < 0)
			code = fail(f, EX_CANTCREAT, "%s:", to);
	}
	if (code == 0 &&
	    (GIT(&g, GIT_QUICK, "worktree", "repair", "--", p->work) != 0 ||
		(g.dir = p->work,
		    GIT(&g, GIT_FAR, "reset", "--mixed", "--quiet") != 0)))
		code = git_fault(&g, "worktree", EX_CANTCREAT, f);
	git_free(&g);
	rmdir(next);
	next[strlen(next) - 5] = '\0';
	rmdir(next);
	free(lost);
	free(to);
	free(from);
	free(next);
	return code;
}

/* What a killed worker left uncommitted becomes a commit of its own. */
static int
commit_rest(struct place *p, struct repo *r, struct fault *f)
{
	struct commit c = { .file_max = FILE_MAX };
	struct mask m = { 0 };
	char *message = xasprintf("Interrupted turn\n\nFound uncommitted when "
				  "job %s was taken up again.\n",
	    p->id);
	int code;

	mask_init(&m);
	c.message = message;
	c.secrets = &m;
	code = commit_all(r, &c, f);
	if (c.made)
		warn("%s: committed %zu files of an interrupted turn", p->id,
		    c.changed);
	if (c.left.n == 1)
		warn("%s: left uncommitted: %s", p->id, c.left.v[0]);
	else if (c.left.n > 1)
		warn("%s: left uncommitted: %s and %zu more", p->id,
		    c.left.v[0], c.left.n - 1);
	strs_free(&c.left);
	mask_free(&m);
	free(message);
	return code;
}

/* The branch that this work tree was given. */
static char *
own_branch(struct place *p, struct repo *r)
{
	char *own = xasprintf("%s.job-%s", p->branch, p->id);
	char *now = repo_branch(r), oid[OID_LEN];

	if ((now == NULL || strcmp(now, p->branch) != 0) &&
	    place_tip(p, "heads", own, oid)) {
		free(now);
		return own;
	}
	free(now);
	free(own);
	return xstrdup(p->branch);
}

/* Takes in what the remote's branch gained, when we have nothing new. */
static int
catch_up(struct place *p, struct repo *r, struct fault *f)
{
	char head[OID_LEN];

	if (*p->remote_tip == '\0' || !repo_commit_of(r, "HEAD", head) ||
	    !repo_contains(r, p->remote_tip, head) ||
	    strcmp(head, p->remote_tip) == 0)
		return 0;
	return branch_forward(r, p->remote_tip, f);
}

int
resume_tree(struct place *p, struct fault *f)
{
	struct repo *r = NULL;
	char head[OID_LEN];
	int code = 0;

	calm_tree(p->work);
	if (!worktree_tied(p->work, p->m.path) ||
	    (r = repo_open(p->work, NULL)) == NULL ||
	    !repo_hangs_on(r, p->work, p->m.path) ||
	    !repo_commit_of(r, "HEAD", head)) {
		repo_close(r);
		code = adopt(p, f);
		if (code != 0 || (r = repo_open(p->work, f)) == NULL)
			return f->code;
	}
	repo_unlock(r);
	free(p->here);
	p->here = own_branch(p, r);
	code = commit_rest(p, r, f);
	if (code == 0)
		code = branch_attach(r, p->here, f);
	if (code == 0)
		code = catch_up(p, r, f);
	repo_close(r);
	return code;
}
