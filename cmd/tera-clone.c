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
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "branch.h"
#include "calm.h"
#include "commit.h"
#include "fill.h"
#include "mirror.h"
#include "remove.h"
#include "spawn.h"
#include "step.h"
#include "worktree.h"

#define USAGE "[-u]"
#define FILE_MAX (50LL * 1024 * 1024)

struct job {
	const char *rec; /* names the repository */
	char *own_rec;   /* the same, when it is ours to free */
	struct mirror m;
	char *id, *branch, *base;
	char *dir, *work, *ready;
	int run;    /* the lock of the run, when it is held; else -1 */
	char *here; /* the branch of the work tree */
	char base_tip[OID_LEN], remote_tip[OID_LEN];
};

/* --- where --- */

static int
name_places(struct job *j, struct fault *f)
{
	char *runs = state_dir("run");

	if (runs == NULL)
		return fail(f, EX_CANTCREAT, "state directory:");
	j->dir = xasprintf("%s/%s", runs, j->id);
	j->work = xasprintf("%s/work", j->dir);
	j->ready = xasprintf("%s/ready", j->dir);
	free(runs);
	return 0;
}

static int
find(struct job *j, const struct step *s, struct fault *f)
{
	*j = (struct job){ .rec = s->rec, .run = -1, .m.lock = -1 };
	j->id = step_job(s, f);
	if (j->id == NULL || (j->branch = step_branch(s, false, f)) == NULL ||
	    name_places(j, f) != 0)
		return f->code;
	return make_dirs(j->dir) < 0 ? fail(f, EX_CANTCREAT, "%s:", j->dir) : 0;
}

/* Removes the locks of refs that were left: nobody holds one for seconds. */
static void
unlock_refs(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		size_t n = strlen(e->d_name);
		bool lock = n > 5 && strcmp(e->d_name + n - 5, ".lock") == 0;
		struct stat st;
		char *p;

		if (e->d_name[0] == '.' || (e->d_type == DT_REG && !lock))
			continue;
		p = xasprintf("%s/%s", path, e->d_name);
		if (lstat(p, &st) < 0)
			;
		else if (S_ISDIR(st.st_mode))
			unlock_refs(p);
		else if (lock && st.st_mtime + 8 < time(NULL))
			unlink(p);
		free(p);
	}
	if (d != NULL)
		closedir(d);
}

/* What a killed git or one of us left, which all later ones fail at.  The
 * mirror is ours: nobody is making one now. */
static void
bury(struct job *j)
{
	char *refs = xasprintf("%s/refs", j->m.path);
	char *packed = xasprintf("%s/packed-refs.lock", j->m.path);
	struct stat old;

	worktree_bury(j->m.path);
	unlock_refs(refs);
	if (stat(packed, &old) == 0 && old.st_mtime + 8 < time(NULL))
		unlink(packed);
	free(packed);
	free(refs);
}

static void
done(struct job *j)
{
	mirror_close(&j->m);
	if (j->run >= 0)
		close(j->run);
	free(j->own_rec);
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
	char *source = mirror_source(j->rec, f);
	int code;

	if (source == NULL)
		return f->code;
	code = mirror_open(&j->m, source, f);
	free(source);
	if (code == 0) {
		bury(j);
		code = mirror_fetch(&j->m, f);
	}
	return code;
}

static bool
tip_of(struct job *j, const char *kind, const char *name, char oid[OID_LEN])
{
	char *ref = xasprintf("refs/%s/%s", kind, name);
	bool there = repo_commit_of(j->m.repo, ref, oid);

	free(ref);
	return there;
}

/* Which branch the work starts from and goes back to. */
static int
find_base(struct job *j, struct fault *f)
{
	int code;

	if (!repo_any_ref(j->m.repo, "refs/remotes/origin/*"))
		return fail(f, EX_DATAERR,
		    "%s: the repository is empty: it needs a first commit",
		    j->m.shown);
	j->base = json_get(j->rec, "$.base_branch");
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
		theirs = repo_contains(j->m.repo, j->base_tip, ours)
			     ? j->base_tip
			     : ours;
	memcpy(oid, repo_contains(j->m.repo, ours, theirs) ? ours : theirs,
	    OID_LEN);
	if (repo_contains(j->m.repo, oid, ours))
		return 0;
	warn("%s: the remote's %s went another way: ours is kept in "
	     "refs/tera/saved",
	    j->id, j->branch);
	return branch_save(j->m.repo, j->branch, ours, f);
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
	j->here = worktree_holds(j->m.path, j->branch, j->work)
		      ? xasprintf("%s.job-%s", j->branch, j->id)
		      : xstrdup(j->branch);
	if (tip_of(j, "heads", j->here, old) &&
	    !repo_contains(j->m.repo, oid, old))
		code = branch_save(j->m.repo, j->here, old, f);
	ref = xasprintf("refs/heads/%s", j->here);
	if (code == 0)
		code = repo_set_ref(j->m.repo, ref, oid, f);
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

/* The directories that the record wants; none for all. */
static int
sparse_dirs(struct job *j, struct strs *dirs, struct fault *f)
{
	char path[40], *dir;

	for (int i = 0;; i++) {
		size_t from, n;

		snprintf(path, sizeof(path), "$.sparse[%d]", i);
		dir = json_get(j->rec, path);
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
write_patterns_of(struct job *j, const struct strs *dirs, struct fault *f)
{
	struct repo *r = repo_open(j->work, f);
	int code;

	if (r == NULL)
		return f->code;
	code = write_patterns(repo_gitdir(r), dirs, f);
	repo_close(r);
	return code;
}

/* git writes the files, with as many hands as the machine has. */
static int
fill(struct job *j, struct git *g, const struct strs *dirs, struct fault *f)
{
	char *workers = xasprintf("checkout.workers=%s", git_workers());
	const char *sparse = dirs->n > 0 ? "core.sparseCheckout=true"
					 : "core.sparseCheckout=false";
	int code = 0;

	g->dir = j->work;
	if (dirs->n > 0)
		code = write_patterns_of(j, dirs, f);
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
	unlink(j->ready);
	if (access(j->work, F_OK) == 0) {
		if (remove_aside(j->work) < 0)
			return fail(f, EX_CANTCREAT, "%s:", j->work);
		worktree_prune(j->m.path);
	}
	return 0;
}

/*
 * Most trees need nothing that only git knows, and are there before it would
 * have compared the first files.  The mirror is free for others meanwhile.
 * false: nothing is left, and git is to do it, or to say what is wrong.
 */
static bool
quick(struct job *j, const struct strs *dirs)
{
	char *gitdir = worktree_add(j->m.path, j->id, j->work, j->here);
	char *index;
	struct fault why;
	bool ok;

	if (gitdir == NULL)
		return false;
	mirror_unlock(&j->m);
	index = xasprintf("%s/index", gitdir);
	ok = fill_tree(j->m.repo, j->here, dirs->n > 0 ? dirs : NULL, j->work,
		 index) &&
	     (dirs->n == 0 || write_patterns(gitdir, dirs, &why) == 0);
	if (!ok)
		mirror_lock(&j->m);
	free(index);
	free(gitdir);
	return ok;
}

static int
make_once(
    struct job *j, struct git *g, const struct strs *dirs, struct fault *f)
{
	int code = clear(j, f);

	if (code == 0 && quick(j, dirs))
		return touch(j->ready, f);
	if (code == 0)
		code = clear(j, f);
	if (code == 0)
		code = add(j, g, j->work, f);
	mirror_unlock(&j->m);
	if (code == 0)
		code = fill(j, g, dirs, f);
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
	free(j->here);
	j->here = NULL;
	return choose(j, f);
}

static int
make(struct job *j, struct fault *f)
{
	struct strs sparse = { 0 };
	struct git g = { 0 };
	int code = sparse_dirs(j, &sparse, f);

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
	strs_free(&sparse);
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
		worktree_prune(j->m.path);
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
	struct commit c = { .file_max = FILE_MAX };
	struct mask m = { 0 };
	char *message = xasprintf("Interrupted turn\n\nFound uncommitted when "
				  "job %s was taken up again.\n",
	    j->id);
	int code;

	mask_init(&m);
	c.message = message;
	c.secrets = &m;
	code = commit_all(r, &c, f);
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
	return branch_forward(r, j->remote_tip, f);
}

static int
resume(struct job *j, struct fault *f)
{
	struct repo *r = NULL;
	char head[OID_LEN];
	int code = 0;

	calm_tree(j->work);
	if (!worktree_tied(j->work, j->m.path) ||
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
		code = branch_attach(r, j->here, f);
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
	    !repo_merge_base(j->m.repo, tip, j->base_tip, base))
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

/* A record of tera-ls says which job it is; the one that the job was run with
 * is in its directory, and says where the repository is. */
static int
complete_record(struct job *j, struct fault *f)
{
	static const char *const keys[] = { "$.repo_url", "$.project_path" };
	char *file = xasprintf("%s/job.json", j->dir);
	struct buf b = BUF_INIT;
	struct fault why;

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (*json_type(j->rec, keys[i]) == 't') {
			free(file);
			return 0;
		}
	if (calm_file(&b, file, JSON_LINE_MAX) < 0)
		fail(f, EX_DATAERR,
		    "%s: neither the record nor %s names the repository", j->id,
		    file);
	else if (json_check(buf_text(&b), b.len, &why) != 0)
		fail(f, EX_DATAERR, "%s: %s", file, why.msg);
	else
		j->rec = j->own_rec = buf_take(&b);
	buf_free(&b);
	free(file);
	return j->own_rec != NULL ? 0 : f->code;
}

/* tera-run and all that it starts hold this lock as long as they live. */
static int
lock_run(struct job *j, struct fault *f)
{
	char *path = xasprintf("%s/lock", j->dir);
	int code = 0;

	j->run = open(path, O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600);
	if (j->run < 0)
		code = fail(f, EX_CANTCREAT, "%s:", path);
	else if (flock(j->run, LOCK_EX | LOCK_NB) < 0)
		code =
		    errno == EWOULDBLOCK
			? fail(f, EX_TEMPFAIL, "%s: the job still runs", j->id)
			: fail(f, EX_OSERR, "%s:", path);
	free(path);
	return code;
}

/* Is the commit in a ref of the remote, as it is now? */
static bool
on_remote(struct job *j, const char *oid)
{
	struct fault why = { 0 };

	if (reach(j, &why) != 0) {
		warn("%s: %s", j->id, why.msg);
		return false;
	}
	return repo_in_refs(j->m.repo, "refs/remotes/origin/*", oid) ||
	       repo_in_refs(j->m.repo, "refs/pull/*", oid);
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

	calm_tree(j->work);
	code = mirror_tied(j->rec, j->work, f);
	if (code != 0 || (r = repo_open(j->work, f)) == NULL)
		return f->code;
	code = commit_dirty(r, &dirty, f);
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

/* The tie goes, and what is too much in the mirror. */
static void
tidy_mirror(struct job *j)
{
	char *source = j->m.path == NULL ? mirror_source(j->rec, NULL) : NULL;
	struct git g = { 0 };

	if (source != NULL)
		mirror_open(&j->m, source, NULL);
	free(source);
	if (j->m.path == NULL || access(j->m.path, F_OK) < 0)
		return;
	worktree_prune(j->m.path);
	g.dir = j->m.path;
	/* Elsewhere it is off: here nobody waits for it. */
	GIT(&g, GIT_QUICK, "-c", "gc.auto=6700", "gc", "--auto", "--quiet");
	git_free(&g);
}

static int
drop(struct job *j, struct fault *f)
{
	unlink(j->ready); /* first: from here on it is half again */
	if (remove_tree(j->work) < 0)
		return fail(f, EX_CANTCREAT, "%s:", j->work);
	tidy_mirror(j);
	return 0;
}

static int
take_away(struct job *j, struct fault *f)
{
	struct fault why;
	int code = lock_run(j, f);

	if (code != 0)
		return code;
	/* One that a worker was let into goes only with a proof. */
	if (access(j->ready, F_OK) == 0 && has_files(j->work)) {
		code = complete_record(j, f);
		if (code == 0)
			code = prove(j, f);
	} else
		complete_record(j, &why); /* for the mirror's sake */
	return code != 0 ? code : drop(j, f);
}

static int
removed(struct step *s, struct fault *f)
{
	struct job j = { .rec = s->rec, .run = -1, .m.lock = -1 };
	int code = 0;

	j.id = step_any_job(s, f);
	if (j.id == NULL || name_places(&j, f) != 0)
		code = f->code;
	else if (access(j.work, F_OK) == 0) /* else it was done before */
		code = take_away(&j, f);
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
			serve = removed;
			s.failed_too = s.strict = true;
			break;
		default: err_usage();
		}
	if (optind != argc)
		err_usage();
	return out_end(step_run(&s, serve));
}
