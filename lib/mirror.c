/* See mirror.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "calm.h"
#include "json.h"
#include "mirror.h"
#include "remove.h"
#include "spawn.h"
#include "worktree.h"

static int
write_file(const char *path, const char *text)
{
	FILE *fp = fopen(path, "we");

	if (fp == NULL)
		return -1;
	fputs(text, fp);
	return fclose(fp);
}

/* --- which --- */

static char *
absolute(const char *path)
{
	const char *home = getenv("HOME");
	char *full, *real;

	if (path[0] == '~' && path[1] == '/' && home != NULL)
		full = xasprintf("%s%s", home, path + 1);
	else
		full = xstrdup(path);
	real = realpath(full, NULL);
	if (real == NULL)
		return full;
	free(full);
	return real;
}

char *
mirror_source(const char *rec, struct fault *f)
{
	char *mode = json_get(rec, "$.execution_mode");
	char *url = json_get(rec, "$.repo_url"), *path = NULL;

	if (url == NULL || *url == '\0' ||
	    (mode != NULL && strcmp(mode, "local") == 0)) {
		path = json_get(rec, "$.project_path");
		if (path != NULL && *path != '\0') {
			free(url);
			url = path[0] == '-' ? xstrdup(path) : absolute(path);
		}
	} else if (access(url, F_OK) == 0 && *url != '-') {
		path = url;
		url = absolute(path);
	}
	free(path);
	free(mode);
	if (url != NULL && *url != '\0')
		return url;
	free(url);
	fail(f, EX_DATAERR, "the record names no repository");
	return NULL;
}

void
mirror_lock(struct mirror *m)
{
	char *path = xasprintf("%s.lock", m->path);

	if (m->lock < 0) {
		m->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (m->lock < 0)
			die(EX_CANTCREAT, "%s:", path);
		while (flock(m->lock, LOCK_EX) < 0)
			if (errno != EINTR)
				die(EX_OSERR, "%s:", path);
	}
	free(path);
}

void
mirror_unlock(struct mirror *m)
{
	if (m->lock >= 0)
		close(m->lock);
	m->lock = -1;
}

char *
mirror_path(const char *source)
{
	char *plain = git_url_plain(source), *dir = state_dir("mirror"), *path;
	char hash[OID_LEN];

	repo_hash(plain, hash);
	path = dir != NULL ? xasprintf("%s/%.24s.git", dir, hash) : NULL;
	free(plain);
	free(dir);
	return path;
}

int
mirror_tied(const char *rec, const char *dir, struct fault *f)
{
	char *source = mirror_source(rec, f), *path;
	struct repo *r = NULL;
	struct stat st;
	int code = 0;

	if (source == NULL)
		return f->code;
	path = mirror_path(source);
	if (stat(dir, &st) < 0)
		code = fail(f, EX_NOINPUT, "%s:", dir);
	else if (path == NULL || !worktree_tied(dir, path) ||
		 (r = repo_open(dir, f)) == NULL ||
		 !repo_hangs_on(r, dir, path))
		code = fail(f, EX_DATAERR,
		    "%s: its repository is not the mirror: tera-clone ties "
		    "it again",
		    dir);
	repo_close(r);
	free(path);
	free(source);
	return code;
}

int
mirror_open(struct mirror *m, const char *source, struct fault *f)
{
	int code;

	*m = (struct mirror){ .lock = -1 };
	code = git_source(source, f);
	if (code != 0)
		return code;
	m->path = mirror_path(source);
	if (m->path == NULL)
		return fail(f, EX_CANTCREAT, "state directory:");
	m->source = xstrdup(source);
	m->shown = git_mask(source);
	mirror_lock(m);
	return 0;
}

void
mirror_close(struct mirror *m)
{
	repo_close(m->repo);
	if (m->source != NULL)
		mirror_unlock(m);
	free(m->source);
	free(m->shown);
	free(m->path);
	free(m->head);
	*m = (struct mirror){ .lock = -1 };
}

/* --- bringing it up to date --- */

/* Is the file there, and this text? */
static bool
reads(const char *file, const char *text)
{
	struct buf b = BUF_INIT;
	bool same = calm_file(&b, file, strlen(text)) == 0 &&
		    strcmp(buf_text(&b), text) == 0;

	buf_free(&b);
	return same;
}

/*
 * A worker can write the configuration of the repository that its work tree
 * belongs to; ours is put back before git reads it.
 */
static int
configure(const struct mirror *m, const char *path)
{
	char *plain = git_url_plain(m->source);
	char *file = xasprintf("%s/config", path);
	char *tmp = xasprintf("%s.%ld", file, (long)getpid());
	struct buf b = BUF_INIT, q = BUF_INIT;
	int rc = 0;

	json_quote(&q, plain, strlen(plain)); /* git quotes as JSON does */
	buf_fmt(&b,
	    "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n"
	    "\tbare = true\n[gc]\n\tauto = 0\n[remote \"origin\"]\n\turl = %s\n"
	    "\tfetch = +refs/heads/*:refs/remotes/origin/*\n",
	    buf_text(&q));
	if (!reads(file, buf_text(&b))) {
		rc = write_file(tmp, buf_text(&b));
		if (rc == 0)
			rc = rename(tmp, file);
	}
	buf_free(&b);
	buf_free(&q);
	free(tmp);
	free(file);
	free(plain);
	return rc;
}

void
mirror_configure(const struct mirror *m)
{
	configure(m, m->path);
}

static int
fetch(struct git *g)
{
	return GIT(g, GIT_FAR, "fetch", "--quiet", "--prune", "--tags",
	    "--force", "--no-write-fetch-head", "--no-recurse-submodules",
	    "--update-shallow", "--", git_remote(),
	    "+refs/heads/*:refs/remotes/origin/*",
	    "+refs/pull/*/head:refs/pull/*/head");
}

static int
make_at(struct mirror *m, const char *path, struct fault *f)
{
	struct git g = { 0 };
	int code = 0;

	if (remove_aside(path) < 0)
		return fail(f, EX_CANTCREAT, "%s:", path);
	if (GIT(&g, GIT_QUICK, "init", "--quiet", "--bare", "--template=", "--",
		path) != 0)
		code = git_fault(&g, path, EX_CANTCREAT, f);
	else if (configure(m, path) < 0)
		code = fail(f, EX_CANTCREAT, "%s:", path);
	else {
		g.dir = path;
		if (fetch(&g) != 0)
			code = git_fault(&g, m->shown, EX_UNAVAILABLE, f);
	}
	if (code != 0)
		remove_tree(path);
	git_free(&g);
	return code;
}

static int
reopen(struct mirror *m, struct fault *f)
{
	repo_close(m->repo);
	m->repo = repo_open(m->path, f);
	return m->repo != NULL ? 0 : f->code;
}

static int
make(struct mirror *m, struct fault *f)
{
	char *tmp = xasprintf("%s.new", m->path);
	int code = make_at(m, tmp, f);

	if (code == 0 && rename(tmp, m->path) < 0)
		code = fail(f, EX_CANTCREAT, "%s:", m->path);
	free(tmp);
	return code != 0 ? code : reopen(m, f);
}

/* What git wants to see before it reads a repository at all. */
static void
mend(struct mirror *m, const char *old)
{
	static const char *const dirs[] = { "objects", "refs" };
	char *head = xasprintf("%s/HEAD", old), *dir;

	if (write_file(head, "ref: refs/heads/main\n") < 0)
		warn("%s:", head);
	free(head);
	for (size_t i = 0; i < 2; i++) {
		dir = xasprintf("%s/%s", old, dirs[i]);
		make_dirs(dir);
		free(dir);
	}
	configure(m, old);
}

/* Our refs, one by one: a broken one does not keep the others back. */
static bool
save_refs(struct mirror *m, const char *old)
{
	struct git from = { .dir = old }, to = { .dir = m->path };
	bool all = true;
	char *save;

	if (GIT(&from, GIT_QUICK, "for-each-ref", "--format=%(refname)",
		"refs/heads", "refs/tera") != 0)
		all = false;
	buf_str(&from.out, ""); /* there is something to cut up */
	for (char *ref = strtok_r(from.out.s, "\n", &save); ref != NULL;
	     ref = strtok_r(NULL, "\n", &save)) {
		char *spec = xasprintf("+%s:%s", ref, ref);

		all &= GIT(&to, GIT_QUICK, "fetch", "--quiet",
			   "--no-write-fetch-head", "--update-head-ok", "--",
			   old, spec) == 0;
		free(spec);
	}
	git_free(&from);
	git_free(&to);
	return all;
}

/* Our branches and work trees, from the broken mirror into the new one. */
static void
salvage(struct mirror *m, const char *old)
{
	char *from = xasprintf("%s/worktrees", old);
	char *to = xasprintf("%s/worktrees", m->path);

	mend(m, old);
	if (!save_refs(m, old))
		warn("branches of the broken mirror could not all be saved");
	if (rename(from, to) < 0 && errno != ENOENT)
		warn("%s:", from);
	warn("the broken mirror is kept as %s", old);
	free(from);
	free(to);
}

int
mirror_remake(struct mirror *m, struct fault *f)
{
	char *tmp = xasprintf("%s.new", m->path);
	char *old = xasprintf("%s.broken-%lld", m->path, (long long)time(NULL));
	int code = make_at(m, tmp, f);

	if (code == 0) {
		warn("the mirror of %s was broken and is made anew", m->shown);
		if (rename(m->path, old) < 0 && errno != ENOENT)
			code = fail(f, EX_CANTCREAT, "%s:", old);
		else if (rename(tmp, m->path) < 0)
			code = fail(f, EX_CANTCREAT, "%s:", m->path);
		else
			salvage(m, old);
	}
	free(tmp);
	free(old);
	return code != 0 ? code : reopen(m, f);
}

bool
mirror_broken(const struct git *g)
{
	static const char *const words[] = { "bad object", "corrupt",
		"not a git repository", "invalid sha1 pointer",
		"unable to read", "did not send all necessary", "inflate",
		"missing blob", "missing tree", "cannot read existing object",
		"could not parse", "is empty", "not a valid object",
		"invalid object" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strstr(buf_text(&g->err), words[i]) != NULL)
			return true;
	return false;
}

/* What we call a ref of the source; NULL when we do not keep it. */
static char *
our_name(const char *ref)
{
	size_t n = strlen(ref);

	if (strncmp(ref, "refs/heads/", 11) == 0)
		return xasprintf("refs/remotes/origin/%s", ref + 11);
	if (strncmp(ref, "refs/tags/", 10) == 0)
		return strcmp(ref + n - 3, "^{}") == 0 ? NULL : xstrdup(ref);
	if (strncmp(ref, "refs/pull/", 10) == 0)
		return strcmp(ref + n - 5, "/head") == 0 ? xstrdup(ref) : NULL;
	return NULL;
}

/* Does one line of ls-remote say what the mirror has? */
static bool
agrees(struct mirror *m, struct repo *r, char *line, size_t *heads)
{
	char *tab = strchr(line, '\t'), *name;
	bool same;

	if (tab == NULL)
		return true;
	*tab++ = '\0';
	if (strncmp(line, "ref: refs/heads/", 16) == 0) {
		if (strcmp(tab, "HEAD") == 0) {
			free(m->head);
			m->head = xstrdup(line + 16);
		}
		return true;
	}
	*heads += strncmp(tab, "refs/heads/", 11) == 0;
	name = our_name(tab);
	same = name == NULL || repo_ref_is(r, name, line);
	free(name);
	return same;
}

/*
 * Asks the source for all its refs: most often nothing is new, and one
 * connection is enough.  1 the mirror is up to date, 0 it is not, -1 trouble.
 */
static int
compare(struct mirror *m, struct repo *r, struct git *g)
{
	size_t heads = 0;
	bool same = true;
	char *save;

	/* A directory of this machine is read here and now. */
	if ((*m->source != '/' || !repo_ls_dir(r, m->source, &g->out)) &&
	    GIT(g, GIT_FAR, "ls-remote", "--symref", "--", git_remote()) != 0)
		return -1;
	buf_str(&g->out, ""); /* there is something to cut up */
	for (char *line = strtok_r(g->out.s, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		same &= agrees(m, r, line, &heads);
	return same && heads == repo_count_refs(r, "refs/remotes/origin/*");
}

int
mirror_fetch(struct mirror *m, struct fault *f)
{
	struct git g = { .dir = m->path };
	int rc, code;

	if (access(m->path, F_OK) < 0)
		return make(m, f);
	if (configure(m, m->path) < 0 || reopen(m, f) != 0)
		return mirror_remake(m, f);
	rc = compare(m, m->repo, &g);
	if (rc > 0)
		code = 0;
	else if (rc == 0 && fetch(&g) == 0)
		code = reopen(m, f);
	else {
		code = git_fault(&g, m->shown, EX_UNAVAILABLE, f);
		if (mirror_broken(&g))
			code = mirror_remake(m, f);
	}
	git_free(&g);
	return code;
}

/* --- what killed ones left --- */

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

void
mirror_bury(const struct mirror *m)
{
	char *refs = xasprintf("%s/refs", m->path);
	char *packed = xasprintf("%s/packed-refs.lock", m->path);
	struct stat old;

	worktree_bury(m->path);
	unlock_refs(refs);
	if (stat(packed, &old) == 0 && old.st_mtime + 8 < time(NULL))
		unlink(packed);
	free(packed);
	free(refs);
}

/* --- asking the source --- */

int
mirror_default(struct mirror *m, char **branch, struct fault *f)
{
	struct git g = { .dir = m->path };
	const char *s;
	int code = 0;

	*branch = NULL;
	if (m->head != NULL) {
		*branch = xstrdup(m->head);
		return 0;
	}
	if (GIT(&g, GIT_FAR, "ls-remote", "--symref", "--", git_remote(),
		"HEAD") != 0)
		code = git_fault(&g, m->shown, EX_UNAVAILABLE, f);
	else if ((s = strstr(buf_text(&g.out), "ref: refs/heads/")) != NULL)
		*branch = xstrndup(s + 16, strcspn(s + 16, "\t\n"));
	else
		code = fail(f, EX_DATAERR,
		    "%s: its HEAD names no branch: give the record a "
		    "base_branch",
		    m->shown);
	git_free(&g);
	return code;
}

bool
mirror_is_checkout(const struct mirror *m)
{
	char *git = xasprintf("%s/.git", m->source);
	bool is = *m->source == '/' && access(git, F_OK) == 0;

	free(git);
	return is;
}

int
mirror_guard(
    struct mirror *m, const char *branch, const char *base, struct fault *f)
{
	char *head = NULL;
	int code = 0;

	if (base != NULL && strcmp(base, branch) == 0)
		return fail(f, EX_DATAERR,
		    "branch %s is the base itself: a job has its own branch",
		    branch);
	if (mirror_is_checkout(m))
		return 0;
	code = mirror_default(m, &head, f);
	if (code == EX_DATAERR) /* it names none */
		code = 0;
	if (code == 0 && head != NULL && strcmp(head, branch) == 0)
		code = fail(f, EX_DATAERR,
		    "%s: branch %s is the default there: a job has its own "
		    "branch",
		    m->shown, branch);
	free(head);
	return code;
}

int
mirror_tip(
    struct mirror *m, const char *branch, char oid[OID_LEN], struct fault *f)
{
	struct git g = { .dir = m->path };
	char *ref = xasprintf("refs/heads/%s", branch);
	int code = 0;

	oid[0] = '\0';
	if (GIT(&g, GIT_FAR, "ls-remote", "--", git_remote(), ref) != 0)
		code = git_fault(&g, m->shown, EX_UNAVAILABLE, f);
	else if (g.out.len >= OID_LEN) {
		memcpy(oid, g.out.s, OID_LEN - 1);
		oid[OID_LEN - 1] = '\0';
	}
	free(ref);
	git_free(&g);
	return code;
}
