/* See place.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "branch.h"
#include "json.h"
#include "place.h"
#include "spawn.h"
#include "worktree.h"

int
place_name(
    struct place *p, const char *rec, char *id, char *branch, struct fault *f)
{
	char *runs = state_dir("run");

	*p = (struct place){
		.rec = rec, .id = id, .branch = branch, .run = -1, .m.lock = -1
	};
	if (runs == NULL)
		return fail(f, EX_CANTCREAT, "state directory:");
	p->dir = xasprintf("%s/%s", runs, p->id);
	p->work = xasprintf("%s/work", p->dir);
	p->ready = xasprintf("%s/ready", p->dir);
	free(runs);
	return 0;
}

void
place_close(struct place *p)
{
	mirror_close(&p->m);
	if (p->run >= 0)
		close(p->run);
	free(p->own_rec);
	free(p->id);
	free(p->branch);
	free(p->base);
	free(p->dir);
	free(p->work);
	free(p->ready);
	free(p->here);
}

/* --- the directory --- */

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

bool
place_used(const struct place *p)
{
	return access(p->ready, F_OK) == 0 && has_files(p->work);
}

int
place_ready(const struct place *p, struct fault *f)
{
	int fd = open(p->ready, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return fail(f, EX_CANTCREAT, "%s:", p->ready);
	close(fd);
	return 0;
}

int
place_lock_run(struct place *p, struct fault *f)
{
	char *path = xasprintf("%s/lock", p->dir);
	int code = 0;

	p->run = open(path, O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600);
	if (p->run < 0)
		code = fail(f, EX_CANTCREAT, "%s:", path);
	else if (flock(p->run, LOCK_EX | LOCK_NB) < 0)
		code =
		    errno == EWOULDBLOCK
			? fail(f, EX_TEMPFAIL, "%s: the job still runs", p->id)
			: fail(f, EX_OSERR, "%s:", path);
	free(path);
	return code;
}

/* --- the mirror --- */

int
place_reach(struct place *p, struct fault *f)
{
	char *source = mirror_source(p->rec, f);
	int code;

	if (source == NULL)
		return f->code;
	code = mirror_open(&p->m, source, f);
	free(source);
	if (code == 0) {
		mirror_bury(&p->m);
		code = mirror_fetch(&p->m, f);
	}
	return code;
}

bool
place_tip(
    struct place *p, const char *kind, const char *name, char oid[OID_LEN])
{
	char *ref = xasprintf("refs/%s/%s", kind, name);
	bool there = repo_commit_of(p->m.repo, ref, oid);

	free(ref);
	return there;
}

int
place_base(struct place *p, struct fault *f)
{
	int code;

	if (!repo_any_ref(p->m.repo, "refs/remotes/origin/*"))
		return fail(f, EX_DATAERR,
		    "%s: the repository is empty: it needs a first commit",
		    p->m.shown);
	p->base = json_get(p->rec, "$.base_branch");
	if (p->base == NULL || *p->base == '\0') {
		free(p->base);
		code = mirror_default(&p->m, &p->base, f);
		if (code != 0)
			return code;
	}
	if (!git_branch_ok(p->base))
		return fail(f, EX_DATAERR,
		    "the record's base_branch is no name for a branch");
	if (!place_tip(p, "remotes/origin", p->base, p->base_tip))
		return fail(f, EX_NOINPUT, "%s: no branch %s there", p->m.shown,
		    p->base);
	place_tip(p, "remotes/origin", p->branch, p->remote_tip);
	return mirror_guard(&p->m, p->branch, p->base, f);
}

/* --- the branch --- */

/* The commit to begin with.  Ours is kept aside when they differ. */
static int
start(struct place *p, char oid[OID_LEN], struct fault *f)
{
	char ours[OID_LEN];
	const char *theirs = p->remote_tip;

	if (!place_tip(p, "heads", p->branch, ours)) {
		memcpy(oid, *theirs != '\0' ? theirs : p->base_tip, OID_LEN);
		return 0;
	}
	if (*theirs == '\0')
		theirs = repo_contains(p->m.repo, p->base_tip, ours)
			     ? p->base_tip
			     : ours;
	memcpy(oid, repo_contains(p->m.repo, ours, theirs) ? ours : theirs,
	    OID_LEN);
	if (repo_contains(p->m.repo, oid, ours))
		return 0;
	warn("%s: the remote's %s went another way: ours is kept in "
	     "refs/tera/saved",
	    p->id, p->branch);
	return branch_save(p->m.repo, p->branch, ours, f);
}

int
place_choose(struct place *p, struct fault *f)
{
	char oid[OID_LEN], old[OID_LEN], *ref;
	int code = start(p, oid, f);

	if (code != 0)
		return code;
	p->here = worktree_holds(p->m.path, p->branch, p->work)
		      ? xasprintf("%s.job-%s", p->branch, p->id)
		      : xstrdup(p->branch);
	if (place_tip(p, "heads", p->here, old) &&
	    !repo_contains(p->m.repo, oid, old))
		code = branch_save(p->m.repo, p->here, old, f);
	ref = xasprintf("refs/heads/%s", p->here);
	if (code == 0)
		code = repo_set_ref(p->m.repo, ref, oid, f);
	free(ref);
	return code;
}
