/*
 * tera-push: brings a job's commits to where they are safe.
 *
 * Never with force.  A branch that moved on the remote is merged in memory
 * and pushed again, a few times.  Pushed is only what the remote names when
 * it is asked afterwards.  What cannot be pushed is written to a bundle, so
 * that the work tree is not the only place that has it.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mirror.h"
#include "spawn.h"
#include "step.h"

#define USAGE "[-E]"
#define TRIES 5

static bool must; /* -E */

struct job {
	struct step *step;
	struct mirror m;
	struct repo *work;
	char *id, *branch; /* the remote's */
	char *here;        /* the work tree's */
	char head[OID_LEN];
};

static void
done(struct job *j)
{
	repo_close(j->work);
	mirror_close(&j->m);
	free(j->id);
	free(j->branch);
	free(j->here);
}

/* The work tree, on its branch, and the mirror that it hangs on. */
static int
find(struct job *j, struct step *s, struct fault *f)
{
	char *dir, *source = NULL;
	int code = 0;

	*j = (struct job){ .step = s, .m.lock = -1 };
	if ((j->id = step_job(s, f)) == NULL ||
	    (j->branch = step_branch(s, false, f)) == NULL ||
	    (j->here = step_branch(s, true, f)) == NULL)
		return f->code;
	dir = json_get(s->rec, "$.workspace");
	if (dir == NULL)
		code = fail(f, EX_DATAERR, "the record has no workspace");
	else
		code = mirror_tied(s->rec, dir, f);
	if (code == 0 && ((j->work = repo_open(dir, f)) == NULL ||
			     (source = mirror_source(s->rec, f)) == NULL))
		code = f->code;
	if (code == 0)
		code = mirror_open(&j->m, source, f);
	if (code == 0) {
		mirror_unlock(&j->m);
		code = repo_attach(j->work, j->here, f);
	}
	if (code == 0 && !repo_commit_of(j->work, "HEAD", j->head))
		code = fail(f, EX_DATAERR, "%s: no commit to push", dir);
	free(source);
	free(dir);
	return code;
}

/* --- a branch that moved --- */

/* Merges the remote's commits into ours; 65 and the reason for a conflict. */
static int
merge(struct job *j, const char *theirs, struct fault *f)
{
	char *message = xasprintf("Merge the remote's %s\n", j->branch);
	struct strs conflicts = { 0 };
	char merged[OID_LEN];
	int code = repo_bring(j->work, REPO_MERGE, j->head, theirs, message,
	    merged, &conflicts, f);

	if (conflicts.n > 0) {
		char *paths = xstrdup(f->msg);

		j->step->reason = "conflict";
		code = fail(f, EX_DATAERR, "%s moved on the remote: %s",
		    j->branch, paths);
		free(paths);
	}
	if (code == 0)
		code = repo_forward(j->work, merged, f);
	strs_free(&conflicts);
	free(message);
	return code;
}

static int
take_in(struct job *j, struct fault *f)
{
	char *ref = xasprintf("refs/remotes/origin/%s", j->branch);
	char theirs[OID_LEN];
	int code;

	mirror_lock(&j->m);
	code = mirror_fetch(&j->m, f);
	mirror_unlock(&j->m);
	if (code == 0 && repo_commit_of(j->work, ref, theirs) &&
	    !repo_contains(j->work, j->head, theirs))
		code = repo_contains(j->work, theirs, j->head)
			   ? repo_forward(j->work, theirs, f)
			   : merge(j, theirs, f);
	repo_commit_of(j->work, "HEAD", j->head);
	free(ref);
	return code;
}

/* --- a bundle --- */

static int
sync_path(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

/* Writes and reads back; the commits after the base, or all of them. */
static int
write_bundle(struct job *j, const char *tmp, struct fault *f)
{
	char *base = json_get(j->step->rec, "$.base_oid");
	char *ref = xasprintf("refs/heads/%s", j->here);
	char *not = xasprintf("^%s", base != NULL ? base : "");
	struct git g = { .dir = j->m.path };
	char oid[OID_LEN];
	int code = 0;

	if (base == NULL || !repo_commit_of(j->work, base, oid) ||
	    strcmp(oid, j->head) == 0)
		not [0] = '\0';
	if (GIT(&g, GIT_FAR, "bundle", "create", "--quiet", tmp, ref,
		*not != '\0' ? not : NULL) != 0 ||
	    GIT(&g, GIT_FAR, "bundle", "verify", "--quiet", tmp) != 0 ||
	    GIT(&g, GIT_QUICK, "bundle", "list-heads", tmp) != 0)
		code = git_fault(&g, "bundle", EX_CANTCREAT, f);
	else if (strstr(buf_text(&g.out), j->head) == NULL)
		code = fail(
		    f, EX_CANTCREAT, "bundle: %.10s is not in it", j->head);
	git_free(&g);
	free(not );
	free(ref);
	free(base);
	return code;
}

static int
bundle(struct job *j, char **path, struct fault *f)
{
	char *dir = state_dir("bundle");
	char *tmp;
	int code;

	if (dir == NULL)
		return fail(f, EX_CANTCREAT, "state directory:");
	tmp = xasprintf("%s/.%s.%ld", dir, j->id, (long)getpid());
	*path = xasprintf("%s/%s.bundle", dir, j->id);
	code = write_bundle(j, tmp, f);
	if (code == 0 && (sync_path(tmp) < 0 || rename(tmp, *path) < 0 ||
			     sync_path(dir) < 0))
		code = fail(f, EX_CANTCREAT, "%s:", *path);
	if (code != 0)
		unlink(tmp);
	free(tmp);
	free(dir);
	return code;
}

/* --- the stage --- */

/* Is there nothing that the base does not have, and no branch to move? */
static bool
nothing(struct job *j)
{
	char *base = json_get(j->step->rec, "$.base_branch");
	char *theirs = xasprintf("refs/remotes/origin/%s", j->branch);
	char *ref = xasprintf("refs/remotes/origin/%s", base ? base : "");
	char oid[OID_LEN];
	bool none = base != NULL && !repo_commit_of(j->work, theirs, oid) &&
		    repo_commit_of(j->work, ref, oid) &&
		    repo_contains(j->work, oid, j->head);

	free(ref);
	free(theirs);
	free(base);
	return none;
}

static void
report(struct job *j, const char *result, const char *message)
{
	struct buf *b = &j->step->add, push = BUF_INIT;

	json_add(b, "head_oid", j->head);
	json_add_bool(b, "pushed", strcmp(result, "done") == 0);
	json_add(&push, "result", result);
	json_add(&push, "message", message);
	json_add_raw(b, "push", json_end(&push));
	buf_free(&push);
}

/* Nothing reaches the base or the default branch without a person.  A branch
 * that is not there is neither, and the source need not be asked. */
static int
guard(struct job *j, struct fault *f)
{
	char *base = json_get(j->step->rec, "$.base_branch");
	char *ref = xasprintf("refs/remotes/origin/%s", j->branch);
	char oid[OID_LEN];
	int code = 0;

	if ((base != NULL && strcmp(base, j->branch) == 0) ||
	    repo_commit_of(j->work, ref, oid))
		code = mirror_guard(&j->m, j->branch, base, f);
	free(ref);
	free(base);
	return code;
}

/* Pushes; MOVED only when the merge failed, f and reason say how. */
static enum push
push_it(struct job *j, struct fault *f)
{
	enum push p = PUSH_MOVED;

	if (mirror_held(&j->m, j->branch, f))
		return PUSH_HELD;
	for (int i = 0; i < TRIES && p == PUSH_MOVED; i++) {
		p = mirror_push(&j->m, j->head, j->branch, f);
		if (p == PUSH_MOVED && take_in(j, f) != 0)
			break;
	}
	return p;
}

static int
settle(struct job *j, enum push p, struct fault *f)
{
	static const char *const words[] = { "done", "moved", "held", "refused",
		"away" };
	struct fault why = { 0 };
	char *path = NULL;
	int code = 0;

	report(j, words[p], p == PUSH_DONE ? NULL : f->msg);
	if (p == PUSH_DONE)
		return 0;
	if (bundle(j, &path, &why) != 0) {
		warn("%s: %s", j->id, why.msg);
		code = f->code; /* nowhere safe: that is an error */
	} else {
		json_add(&j->step->add, "bundle", path);
		if (!must && p != PUSH_MOVED)
			warn("%s: not pushed: %s; saved as %s", j->id, f->msg,
			    path);
	}
	free(path);
	return must || p == PUSH_MOVED ? f->code : code;
}

/* Trouble in asking the source ends as trouble in pushing would. */
static int
bring(struct job *j, struct fault *f)
{
	int code = guard(j, f);

	if (code == EX_DATAERR)
		return code;
	return settle(j, code != 0 ? PUSH_AWAY : push_it(j, f), f);
}

static int
push(struct step *s, struct fault *f)
{
	struct mask m = { 0 };
	struct job j;
	int code;

	mask_init(&m);
	code = find(&j, s, f);
	for (size_t i = 0; code == 0 && i < m.n; i++)
		if (strstr(j.branch, m.secret[i]) != NULL)
			code = fail(f, EX_DATAERR,
			    "the branch's name holds a secret: not pushed");
	if (code == 0)
		code =
		    repo_scan(j.work, j.head, "refs/remotes/origin/*", &m, f);
	if (code == 0 && nothing(&j))
		report(&j, "nothing", "no commit that the base does not have");
	else if (code == 0)
		code = bring(&j, f);
	done(&j);
	mask_free(&m);
	return code;
}

int
main(int argc, char *argv[])
{
	struct step s = { .stage = "push" };
	int c;

	err_init(argc, argv, USAGE);
	while ((c = getopt(argc, argv, "E")) != -1)
		switch (c) {
		case 'E': must = true; break;
		default: err_usage();
		}
	if (optind != argc)
		err_usage();
	return out_end(step_run(&s, push));
}
