/*
 * tera-clone: a work tree for each job.
 *
 * The source is mirrored once and fetched every time; the work tree hangs on
 * the mirror, so that it costs no copy of the objects.  What makes it safe to
 * be killed anywhere: the mirror appears by rename; the file "ready" beside
 * the work tree is written when the checkout is complete and removed before
 * a removal begins.  Without "ready" no worker was ever let in, and the tree
 * is made anew; with it nothing is ever reset or deleted: what is found
 * uncommitted is committed first.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "mirror.h"
#include "spawn.h"
#include "step.h"

#define USAGE "[-u]"
#define FILE_MAX (50LL * 1024 * 1024)

/* Entries of a tree that one process writes as fast as git's many. */
#define SMALL 500

struct job {
	const struct step *step;
	struct mirror m;
	struct repo *repo; /* the mirror's */
	char *id, *branch, *base;
	char *dir, *work, *ready;
	char *here; /* the branch of the work tree */
	char base_tip[OID_LEN], remote_tip[OID_LEN];
};

/* --- where --- */

static int
find(struct job *j, const struct step *s, struct fault *f)
{
	char *below;

	*j = (struct job){ .step = s, .m.lock = -1 };
	j->id = step_job(s, f);
	if (j->id == NULL || (j->branch = step_branch(s, false, f)) == NULL)
		return f->code;
	below = xasprintf("run/%s", j->id);
	j->dir = state_dir(below);
	free(below);
	if (j->dir == NULL)
		return fail(f, EX_CANTCREAT, "state directory:");
	j->work = xasprintf("%s/work", j->dir);
	j->ready = xasprintf("%s/ready", j->dir);
	return 0;
}

/* Removes the locks of refs that were left: nobody holds one for seconds. */
static void
unlock_refs(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		char *p = xasprintf("%s/%s", path, e->d_name);
		size_t n = strlen(e->d_name);
		struct stat st;

		if (e->d_name[0] == '.' || lstat(p, &st) < 0)
			;
		else if (S_ISDIR(st.st_mode))
			unlock_refs(p);
		else if (n > 5 && strcmp(e->d_name + n - 5, ".lock") == 0 &&
			 st.st_mtime + 8 < time(NULL))
			unlink(p);
		free(p);
	}
	if (d != NULL)
		closedir(d);
}

/* A "worktree add" that was killed leaves a name that is locked, and perhaps
 * files without content, which all later ones fail at.  The mirror is ours:
 * nobody is making one now. */
static void
bury(struct job *j)
{
	char *all = xasprintf("%s/worktrees", j->m.path);
	DIR *d = opendir(all);
	struct dirent *e;
	struct stat old;

	while (d != NULL && (e = readdir(d)) != NULL) {
		char *dir = xasprintf("%s/%s", all, e->d_name);
		char *locked = xasprintf("%s/locked", dir);
		char *common = xasprintf("%s/commondir", dir);
		struct buf why = BUF_INIT;
		struct stat st;

		if (e->d_name[0] != '.' &&
		    ((buf_file(&why, locked, 4096) == 0 &&
			 strncmp(buf_text(&why), "initializing", 12) == 0) ||
			stat(common, &st) < 0 || st.st_size == 0))
			remove_tree(dir);
		buf_free(&why);
		free(common);
		free(locked);
		free(dir);
	}
	if (d != NULL)
		closedir(d);
	free(all);
	all = xasprintf("%s/refs", j->m.path);
	unlock_refs(all);
	free(all);
	all = xasprintf("%s/packed-refs.lock", j->m.path);
	if (stat(all, &old) == 0 && old.st_mtime + 8 < time(NULL))
		unlink(all);
	free(all);
}

static void
done(struct job *j)
{
	repo_close(j->repo);
	mirror_close(&j->m);
	free(j->id);
	free(j->branch);
	free(j->base);
	free(j->dir);
	free(j->work);
	free(j->ready);
	free(j->here);
}

/* The mirror, locked and as the source is now. */
static int
reach(struct job *j, struct fault *f)
{
	char *source = mirror_source(j->step->rec, f);
	int code;

	if (source == NULL)
		return f->code;
	code = mirror_open(&j->m, source, f);
	free(source);
	if (code == 0) {
		bury(j);
		code = mirror_fetch(&j->m, f);
	}
	if (code == 0 && (j->repo = repo_open(j->m.path, f)) == NULL)
		code = f->code;
	return code;
}

static bool
tip_of(struct job *j, const char *kind, const char *name, char oid[OID_LEN])
{
	char *ref = xasprintf("refs/%s/%s", kind, name);
	bool there = repo_commit_of(j->repo, ref, oid);

	free(ref);
	return there;
}

/* Which branch the work starts from and goes back to. */
static int
find_base(struct job *j, struct fault *f)
{
	int code;

	if (!repo_any_ref(j->repo, "refs/remotes/origin/*"))
		return fail(f, EX_DATAERR,
		    "%s: the repository is empty: it needs a first commit",
		    j->m.shown);
	j->base = json_get(j->step->rec, "$.base_branch");
	if (j->base == NULL || *j->base == '\0') {
		free(j->base);
		code = mirror_default(&j->m, &j->base, f);
		if (code != 0)
			return code;
	}
	if (!git_branch_ok(j->base))
		return fail(f, EX_DATAERR,
		    "the record's base_branch is no name for a branch");
	if (!tip_of(j, "remotes/origin", j->base, j->base_tip))
		return fail(f, EX_NOINPUT, "%s: no branch %s there", j->m.shown,
		    j->base);
	tip_of(j, "remotes/origin", j->branch, j->remote_tip);
	return mirror_guard(&j->m, j->branch, j->base, f);
}

/* --- the branch --- */

/* Does another work tree that still exists have this branch? */
static bool
held(struct job *j, const char *branch)
{
	struct git g = { .dir = j->m.path };
	char oid[OID_LEN], *ref;
	bool other;

	if (!tip_of(j, "heads", branch, oid))
		return false;
	ref = xasprintf("refs/heads/%s", branch);
	GIT(&g, GIT_QUICK, "for-each-ref", "--format=%(worktreepath)", "--",
	    ref);
	if (g.out.len > 0 && g.out.s[g.out.len - 1] == '\n')
		g.out.s[--g.out.len] = '\0';
	other = g.out.len > 0 && strcmp(g.out.s, j->work) != 0 &&
		access(g.out.s, F_OK) == 0;
	git_free(&g);
	free(ref);
	return other;
}

/*
 * The commit to begin with: the remote's branch; our own where it has more;
 * the base where there is neither.  Ours is kept aside when they differ.
 */
static int
start(struct job *j, char oid[OID_LEN], struct fault *f)
{
	char ours[OID_LEN];
	const char *theirs = j->remote_tip;

	if (!tip_of(j, "heads", j->branch, ours)) {
		memcpy(oid, *theirs != '\0' ? theirs : j->base_tip, OID_LEN);
		return 0;
	}
	if (*theirs == '\0')
		theirs = repo_contains(j->repo, j->base_tip, ours) ? j->base_tip
								   : ours;
	memcpy(
	    oid, repo_contains(j->repo, ours, theirs) ? ours : theirs, OID_LEN);
	if (repo_contains(j->repo, oid, ours))
		return 0;
	warn("%s: the remote's %s went another way: ours is kept in "
	     "refs/tera/saved",
	    j->id, j->branch);
	return repo_save(j->repo, j->branch, ours, f);
}

/* Two work trees never share a branch: one would undo the other's commits
 * with its older files. */
static int
choose(struct job *j, struct fault *f)
{
	char oid[OID_LEN], old[OID_LEN], *ref;
	int code = start(j, oid, f);

	if (code != 0)
		return code;
	j->here = held(j, j->branch) ? xasprintf("%s.job-%s", j->branch, j->id)
				     : xstrdup(j->branch);
	if (tip_of(j, "heads", j->here, old) &&
	    !repo_contains(j->repo, oid, old))
		code = repo_save(j->repo, j->here, old, f);
	ref = xasprintf("refs/heads/%s", j->here);
	if (code == 0)
		code = repo_set_ref(j->repo, ref, oid, f);
	free(ref);
	return code;
}

/* --- a new work tree --- */

static int
touch(const char *path, struct fault *f)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return fail(f, EX_CANTCREAT, "%s:", path);
	close(fd);
	return 0;
}

/* The directories that the record wants, one pattern a line; "" for all. */
static int
sparse_patterns(struct job *j, struct buf *b, struct fault *f)
{
	char path[40], *dir;

	for (int i = 0;; i++) {
		snprintf(path, sizeof(path), "$.sparse[%d]", i);
		dir = json_get(j->step->rec, path);
		if (dir == NULL)
			return 0;
		if (*dir == '\0' || strpbrk(dir, "\n*?[\\!") != NULL) {
			free(dir);
			return fail(f, EX_DATAERR,
			    "the record's sparse[%d] is no directory", i);
		}
		if (i == 0)
			buf_str(b, "/*\n!/*/\n");
		buf_fmt(b, "/%s/\n", dir + strspn(dir, "/"));
		if (b->s[b->len - 3] == '/') /* it ended in one already */
			b->s[--b->len - 1] = '\n';
		free(dir);
	}
}

static int
write_patterns(struct job *j, const struct buf *patterns, struct fault *f)
{
	struct repo *r = repo_open(j->work, f);
	char *info, *file;
	FILE *fp;
	int code = 0;

	if (r == NULL)
		return f->code;
	info = xasprintf("%sinfo", repo_gitdir(r));
	file = xasprintf("%s/sparse-checkout", info);
	make_dirs(info);
	fp = fopen(file, "we");
	if (fp == NULL || fputs(patterns->s, fp) == EOF || fclose(fp) != 0)
		code = fail(f, EX_CANTCREAT, "%s:", file);
	free(file);
	free(info);
	repo_close(r);
	return code;
}

/* Writes the files, with as many hands as the machine has. */
static int
fill(struct job *j, struct git *g, const struct buf *patterns, struct fault *f)
{
	char *workers = xasprintf("checkout.workers=%s", git_workers());
	const char *sparse = patterns->len > 0 ? "core.sparseCheckout=true"
					       : "core.sparseCheckout=false";
	int code = 0;

	g->dir = j->work;
	if (patterns->len > 0)
		code = write_patterns(j, patterns, f);
	if (code == 0 && GIT(g, GIT_FAR, "-c", workers, "-c", sparse, "-c",
			     "core.sparseCheckoutCone=false", "reset", "--hard",
			     "--quiet") != 0)
		code = git_fault(g, "checkout", EX_CANTCREAT, f);
	free(workers);
	return code;
}

static int
add(struct job *j, struct git *g, const char *path, struct fault *f)
{
	g->dir = j->m.path;
	/* Twice: a killed one left a lock on its name. */
	if (GIT(g, GIT_QUICK, "worktree", "add", "--force", "--force",
		"--no-checkout", "--", path, j->here) != 0)
		return git_fault(g, "worktree", EX_CANTCREAT, f);
	return 0;
}

/* No worker was let in yet: what is there is half of our own making. */
static int
clear(struct job *j, struct fault *f)
{
	struct git g = { .dir = j->m.path };

	unlink(j->ready);
	if (access(j->work, F_OK) == 0) {
		if (discard(j->work) < 0)
			return fail(f, EX_CANTCREAT, "%s:", j->work);
		GIT(&g, GIT_QUICK, "worktree", "prune");
		git_free(&g);
	}
	return 0;
}

static int
make_once(
    struct job *j, struct git *g, const struct buf *sparse, struct fault *f)
{
	int code = clear(j, f);

	if (code != 0) {
		mirror_unlock(&j->m);
		return code;
	}
	/* A small tree is there before git would have started. */
	if (sparse->len == 0 && repo_plain(j->repo, j->here, SMALL) &&
	    repo_worktree(j->repo, j->id, j->work, j->here)) {
		mirror_unlock(&j->m);
		return touch(j->ready, f);
	}
	code = clear(j, f);
	if (code == 0)
		code = add(j, g, j->work, f);
	mirror_unlock(&j->m);
	if (code == 0)
		code = fill(j, g, sparse, f);
	return code != 0 ? code : touch(j->ready, f);
}

/* The mirror turned out to be broken: anew, and the branch with it. */
static int
again(struct job *j, struct fault *f)
{
	int code;

	mirror_lock(&j->m);
	code = mirror_remake(&j->m, f);
	if (code != 0)
		return code;
	repo_close(j->repo);
	j->repo = repo_open(j->m.path, f);
	if (j->repo == NULL)
		return f->code;
	free(j->here);
	j->here = NULL;
	return choose(j, f);
}

static int
make(struct job *j, struct fault *f)
{
	struct buf sparse = BUF_INIT;
	struct git g = { 0 };
	int code = sparse_patterns(j, &sparse, f);

	if (code == 0)
		code = choose(j, f);
	if (code == 0) {
		code = make_once(j, &g, &sparse, f);
		if (code != 0 && mirror_broken(&g)) {
			code = again(j, f);
			if (code == 0)
				code = make_once(j, &g, &sparse, f);
		}
	}
	git_free(&g);
	buf_free(&sparse);
	return code;
}

/* --- a work tree that was left --- */

/* Is there anything but .git in it? */
static bool
has_files(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	bool any = false;

	while (d != NULL && !any && (e = readdir(d)) != NULL)
		any = strcmp(e->d_name, ".") != 0 &&
		      strcmp(e->d_name, "..") != 0 &&
		      strcmp(e->d_name, ".git") != 0;
	if (d != NULL)
		closedir(d);
	return any;
}

/* Ties files that lost their repository to the mirror again: the link of an
 * empty work tree is moved in, the files stay as they are. */
static int
adopt(struct job *j, struct fault *f)
{
	char *next = xasprintf("%s/next/work", j->dir);
	char *from = xasprintf("%s/.git", next);
	char *to = xasprintf("%s/.git", j->work);
	char *lost =
	    xasprintf("%s/lost-git-%lld", j->dir, (long long)time(NULL));
	struct git g = { 0 };
	int code = choose(j, f);

	warn("%s: the work tree had lost its repository", j->id);
	remove_tree(next);
	if (code == 0)
		code = add(j, &g, next, f);
	if (code == 0) {
		if (rename(to, lost) < 0 && errno != ENOENT)
			warn("%s:", to);
		/* The old link's end goes, or two would claim one path. */
		GIT(&g, GIT_QUICK, "worktree", "prune");
		if (rename(from, to) < 0)
			code = fail(f, EX_CANTCREAT, "%s:", to);
	}
	if (code == 0 &&
	    (GIT(&g, GIT_QUICK, "worktree", "repair", "--", j->work) != 0 ||
		(g.dir = j->work,
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
commit_rest(struct job *j, struct repo *r, struct fault *f)
{
	struct repo_commit c = { .file_max = FILE_MAX };
	struct mask m = { 0 };
	char *message = xasprintf("Interrupted turn\n\nFound uncommitted when "
				  "job %s was taken up again.\n",
	    j->id);
	int code;

	mask_init(&m);
	c.message = message;
	c.secrets = &m;
	code = repo_commit_all(r, &c, f);
	if (c.made)
		warn("%s: committed %zu files of an interrupted turn", j->id,
		    c.changed);
	if (c.left.n == 1)
		warn("%s: left uncommitted: %s", j->id, c.left.v[0]);
	else if (c.left.n > 1)
		warn("%s: left uncommitted: %s and %zu more", j->id,
		    c.left.v[0], c.left.n - 1);
	strs_free(&c.left);
	mask_free(&m);
	free(message);
	return code;
}

/* The branch that this work tree was given. */
static char *
own_branch(struct job *j, struct repo *r)
{
	char *own = xasprintf("%s.job-%s", j->branch, j->id);
	char *now = repo_branch(r), oid[OID_LEN];

	if ((now == NULL || strcmp(now, j->branch) != 0) &&
	    tip_of(j, "heads", own, oid)) {
		free(now);
		return own;
	}
	free(now);
	free(own);
	return xstrdup(j->branch);
}

/* Takes in what the remote's branch gained, when we have nothing new. */
static int
catch_up(struct job *j, struct repo *r, struct fault *f)
{
	char head[OID_LEN];

	if (*j->remote_tip == '\0' || !repo_commit_of(r, "HEAD", head) ||
	    !repo_contains(r, j->remote_tip, head) ||
	    strcmp(head, j->remote_tip) == 0)
		return 0;
	return repo_forward(r, j->remote_tip, f);
}

static int
resume(struct job *j, struct fault *f)
{
	struct repo *r = NULL;
	char head[OID_LEN];
	int code = 0;

	repo_calm(j->work);
	if (!repo_tied(j->work, j->m.path) ||
	    (r = repo_open(j->work, NULL)) == NULL ||
	    !repo_hangs_on(r, j->work, j->m.path) ||
	    !repo_commit_of(r, "HEAD", head)) {
		repo_close(r);
		code = adopt(j, f);
		if (code != 0 || (r = repo_open(j->work, f)) == NULL)
			return f->code;
	}
	repo_unlock(r);
	free(j->here);
	j->here = own_branch(j, r);
	code = commit_rest(j, r, f);
	if (code == 0)
		code = repo_attach(r, j->here, f);
	if (code == 0)
		code = catch_up(j, r, f);
	repo_close(r);
	return code;
}

/* --- the stage --- */

static void
report(struct job *j, struct buf *b)
{
	char tip[OID_LEN], base[OID_LEN];

	json_add(b, "workspace", j->work);
	json_add(b, "base_branch", j->base);
	if (!tip_of(j, "heads", j->here, tip) ||
	    !repo_merge_base(j->repo, tip, j->base_tip, base))
		memcpy(base, j->base_tip, OID_LEN);
	json_add(b, "base_oid", base);
	if (strcmp(j->here, j->branch) != 0)
		json_add(b, "work_branch", j->here);
}

static int
clone(struct step *s, struct fault *f)
{
	struct job j;
	int code = find(&j, s, f);

	if (code == 0)
		code = reach(&j, f);
	if (code == 0)
		code = find_base(&j, f);
	if (code == 0)
		code = access(j.ready, F_OK) == 0 && has_files(j.work)
			   ? resume(&j, f)
			   : make(&j, f);
	if (code == 0)
		report(&j, &s->add);
	done(&j);
	return code;
}

/* --- removing --- */

/* Is the commit in a ref of the remote, as it is now? */
static bool
on_remote(struct job *j, const char *oid)
{
	struct fault why = { 0 };

	if (reach(j, &why) != 0) {
		warn("%s: %s", j->id, why.msg);
		return false;
	}
	return repo_in_refs(j->repo, "refs/remotes/origin/*", oid) ||
	       repo_in_refs(j->repo, "refs/pull/*", oid);
}

static bool
in_bundle(struct job *j, const char *oid)
{
	char *dir = state_dir("bundle");
	char *file = xasprintf("%s/%s.bundle", dir, j->id);
	struct git g = { .dir = j->work };
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
prove(struct job *j, struct fault *f)
{
	struct strs dirty = { 0 };
	struct repo *r;
	char head[OID_LEN];
	int code;

	repo_calm(j->work);
	r = repo_open(j->work, f);
	if (r == NULL)
		return f->code;
	code = repo_dirty(r, &dirty, f);
	if (code == 0 && dirty.n > 0)
		code = fail(f, EX_DATAERR, "%s: %s%s would be lost: commit it",
		    j->work, dirty.v[0], dirty.n > 1 ? " and more" : "");
	else if (code == 0 && repo_commit_of(r, "HEAD", head) &&
		 !in_bundle(j, head) && !on_remote(j, head))
		code = fail(f, EX_DATAERR,
		    "%s: commit %.10s would be lost: it is neither on the "
		    "remote nor in a bundle",
		    j->work, head);
	strs_free(&dirty);
	repo_close(r);
	return code;
}

static int
drop(struct job *j, struct fault *f)
{
	struct git g = { 0 };

	unlink(j->ready); /* first: from here on it is half again */
	if (remove_tree(j->work) < 0)
		return fail(f, EX_CANTCREAT, "%s:", j->work);
	if (j->m.path != NULL) {
		g.dir = j->m.path;
		GIT(&g, GIT_QUICK, "worktree", "prune");
		/* Elsewhere it is off: here nobody waits for it. */
		GIT(&g, GIT_QUICK, "-c", "gc.auto=6700", "gc", "--auto",
		    "--quiet");
		git_free(&g);
	}
	return 0;
}

static int
take_away(struct step *s, struct fault *f)
{
	struct job j;
	int code = find(&j, s, f);

	if (code == 0 && access(j.ready, F_OK) == 0 && has_files(j.work))
		code = prove(&j, f);
	if (code == 0)
		code = drop(&j, f);
	if (code == 0)
		json_add(&s->add, "workspace", NULL);
	done(&j);
	return code;
}

int
main(int argc, char *argv[])
{
	struct step s = { .stage = "clone" };
	step_fn *serve = clone;
	int c;

	err_init(argc, argv, USAGE);
	while ((c = getopt(argc, argv, "u")) != -1)
		switch (c) {
		case 'u':
			serve = take_away;
			s.failed_too = s.strict = true;
			break;
		default: err_usage();
		}
	if (optind != argc)
		err_usage();
	return out_end(step_run(&s, serve));
}
