/* See commit.h. */
#include <errno.h>
#include <git2.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "calm.h"
#include "commit.h"
#include "leak.h"

/* --- what is to be taken --- */

struct taking {
	struct repo *r;
	struct commit *c;
	git_index *index;
	const char *top; /* ends in "/" */
};

/* Is the path one that a sparse checkout left out? */
static bool
sparse(git_index *index, const char *path)
{
	const git_index_entry *e = git_index_get_bypath(index, path, 0);

	return e != NULL &&
	       (e->flags_extended & GIT_INDEX_ENTRY_SKIP_WORKTREE) != 0;
}

static bool
ours(const char *path)
{
	return strncmp(path, ".terarchitect/", 14) == 0 ||
	       strcmp(path, ".terarchitect") == 0;
}

static void
leave(struct commit *c, const char *path, const char *why)
{
	char *text = xasprintf("%s: %s", path, why);

	strs_add(&c->left, text, strlen(text));
	free(text);
}

/* libgit2 asks for each path that differs: 0 take it, 1 leave it. */
static int
take(const char *path, const char *matched, void *arg)
{
	struct taking *t = arg;
	char *full;
	struct stat st;
	int answer = 0;

	(void)matched;
	if (ours(path))
		return 1;
	full = xasprintf("%s%s", t->top, path);
	if (lstat(full, &st) < 0)
		answer = sparse(t->index, path); /* else deleted */
	else if (path[strlen(path) - 1] == '/') {
		leave(t->c, path, "a repository of its own");
		answer = 1;
	} else if (S_ISREG(st.st_mode) && access(full, R_OK) < 0) {
		leave(t->c, path, "cannot be read");
		answer = 1;
	} else if (S_ISREG(st.st_mode) && st.st_size > t->c->file_max) {
		leave(t->c, path, "too large");
		answer = 1;
	} else if (!S_ISDIR(st.st_mode) &&
		   (leak_text(t->c->secrets, path, strlen(path)) ||
		       leak_file(t->c->secrets, full, &st))) {
		leave(t->c, path, "holds a secret");
		answer = 1;
	}
	free(full);
	return answer;
}

/* --- path by path, where libgit2 stops at one that it refuses --- */

static bool
is_link(const git_index_entry *e)
{
	return e != NULL && e->mode == GIT_FILEMODE_COMMIT;
}

/* Is the file as the index has it? */
static bool
unchanged(const git_index_entry *e, const char *full)
{
	git_oid id;
	struct stat st;

	return e != NULL && lstat(full, &st) == 0 && S_ISREG(st.st_mode) &&
	       S_ISREG(e->mode) &&
	       ((st.st_mode & 0100) != 0) == ((e->mode & 0100) != 0) &&
	       git_odb_hashfile(&id, full, GIT_OBJECT_BLOB) == 0 &&
	       git_oid_equal(&id, &e->id);
}

/* Has the index something below this directory? */
static bool
tracked_below(git_index *index, const char *dir)
{
	char *prefix = xasprintf("%s/", dir);
	size_t pos;
	bool any = git_index_find_prefix(&pos, index, prefix) == 0;

	free(prefix);
	return any;
}

static bool
ignored(struct repo *r, const char *path, bool dir)
{
	char *text = xasprintf("%s%s", path, dir ? "/" : "");
	int is = 0;

	if (git_ignore_path_is_ignored(&is, repo_git(r), text) < 0)
		is = 0;
	free(text);
	return is != 0;
}

static void
take_file(struct taking *t, const char *path)
{
	const git_index_entry *e = git_index_get_bypath(t->index, path, 0);
	char *full = xasprintf("%s%s", t->top, path);
	struct stat st;

	if ((git_index_find(NULL, t->index, path) != 0 &&
		ignored(t->r, path, false)) ||
	    unchanged(e, full) || take(path, NULL, t) != 0)
		;
	else if (git_index_add_bypath(t->index, path) < 0 &&
		 lstat(full, &st) == 0)
		leave(t->c, path, "git refuses it");
	free(full);
}

static bool
take_dir(struct taking *t, const char *path)
{
	char *head = xasprintf("%s%s/.git/HEAD", t->top, path);
	bool own = access(head, F_OK) == 0, into = false;

	free(head);
	if (ours(path) || is_link(git_index_get_bypath(t->index, path, 0)))
		;
	else if (ignored(t->r, path, true) && !tracked_below(t->index, path))
		;
	else if (own)
		leave(t->c, path, "a repository of its own");
	else
		into = true;
	return into;
}

/* A name that git takes for its own directory's, whatever the case. */
static bool
like_git(const char *name)
{
	return strcasecmp(name, ".git") == 0;
}

static bool
take_seen(void *arg, const char *path, const char *name, int type)
{
	struct taking *t = arg;

	if (like_git(name))
		return false; /* see disguised */
	if (type == DT_DIR)
		return take_dir(t, path);
	if (type == DT_UNKNOWN)
		leave(t->c, path, "cannot be read");
	else if (type == DT_REG || type == DT_LNK)
		take_file(t, path);
	return false;
}

/* Entries of the index whose files are gone go too. */
static void
drop_gone(struct taking *t)
{
	for (size_t i = git_index_entrycount(t->index); i-- > 0;) {
		const git_index_entry *e = git_index_get_byindex(t->index, i);
		char *full = xasprintf("%s%s", t->top, e->path);
		struct stat st;

		if (lstat(full, &st) < 0 &&
		    (errno == ENOENT || errno == ENOTDIR) &&
		    (e->flags_extended & GIT_INDEX_ENTRY_SKIP_WORKTREE) == 0)
			git_index_remove(
			    t->index, e->path, GIT_INDEX_ENTRY_STAGE(e));
		free(full);
	}
}

static void
take_each(struct taking *t)
{
	strs_free(&t->c->left);
	drop_gone(t);
	calm_walk(t->top, take_seen, t);
}

/* Is one of the path's names so? */
static bool
below_git(const char *path)
{
	for (size_t n; *path != '\0'; path += n + (path[n] == '/')) {
		n = strcspn(path, "/");
		if (n == 4 && strncasecmp(path, ".git", 4) == 0)
			return true;
	}
	return false;
}

/* ".GIT" and the like, which libgit2 passes over without a word. */
static bool
disguised(void *arg, const char *path, const char *name, int type)
{
	struct taking *t = arg;

	if (strcmp(name, ".git") == 0)
		return false;
	if (type != DT_DIR && type != DT_UNKNOWN && below_git(path) &&
	    !ignored(t->r, path, false))
		leave(t->c, path, "git refuses it");
	return true;
}

/* The index as the work tree is, conflicts resolved to what stands there. */
static int
stage(struct taking *t, git_index *index)
{
	int rc;

	strs_free(&t->c->left);
	if (git_index_read(index, 1) < 0)
		return -1;
	rc = git_index_add_all(index, NULL, GIT_INDEX_ADD_DEFAULT, take, t);
	if (rc < 0)
		take_each(t);
	rc = git_index_has_conflicts(index) ? git_index_conflict_cleanup(index)
					    : 0;
	return rc == 0 ? git_index_write(index) : rc;
}

static void
pause_ms(long ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

/* As stage; files may vanish under us, a lock may be held or left over. */
static int
stage_patiently(struct taking *t, git_index *index)
{
	int rc = -1;

	for (int i = 0; i < 10; i++) {
		rc = stage(t, index);
		if (rc == 0)
			return rc;
		pause_ms(100);
	}
	if (repo_unlock(t->r)) {
		warn("removed a lock that was left in the work tree");
		rc = stage(t, index);
	}
	return rc;
}

struct parents {
	git_repository *git;
	git_commit *v[16];
	size_t n;
};

static int
add_parent(const git_oid *id, void *arg)
{
	struct parents *p = arg;

	if (p->n < sizeof(p->v) / sizeof(*p->v) &&
	    git_commit_lookup(&p->v[p->n], p->git, id) == 0)
		p->n++;
	return 0;
}

/* HEAD's commit, and what a merge that was begun brings in. */
static void
find_parents(struct repo *r, struct parents *p)
{
	git_oid id;

	p->git = repo_git(r);
	p->n = 0;
	if (git_reference_name_to_id(&id, repo_git(r), "HEAD") == 0)
		add_parent(&id, p);
	if (git_repository_state(repo_git(r)) == GIT_REPOSITORY_STATE_MERGE)
		git_repository_mergehead_foreach(repo_git(r), add_parent, p);
}

static void
free_parents(struct parents *p)
{
	for (size_t i = 0; i < p->n; i++)
		git_commit_free(p->v[i]);
}

static size_t
count_changes(struct repo *r, git_commit *parent, git_tree *tree)
{
	git_tree *old = NULL;
	git_diff *diff;
	size_t n = 0;

	if (parent != NULL && git_commit_tree(&old, parent) < 0)
		return 0;
	if (git_diff_tree_to_tree(&diff, repo_git(r), old, tree, NULL) == 0) {
		n = git_diff_num_deltas(diff);
		git_diff_free(diff);
	}
	git_tree_free(old);
	return n;
}

static int
create(struct repo *r, struct commit *c, git_tree *tree,
    const struct parents *p, struct fault *f)
{
	git_signature *sig = repo_signature();
	git_oid id;
	int rc = git_commit_create(&id, repo_git(r), "HEAD", sig, sig, NULL,
	    c->message, tree, p->n, (const git_commit **)p->v);

	git_signature_free(sig);
	if (rc < 0)
		return repo_trouble(f, EX_CANTCREAT, "commit");
	git_oid_tostr(c->head, OID_LEN, &id);
	c->made = true;
	git_repository_state_cleanup(repo_git(r));
	return 0;
}

/* Commits the tree, unless it is the parent's own. */
static int
commit_tree(
    struct repo *r, struct commit *c, const git_oid *id, struct fault *f)
{
	struct parents p;
	git_tree *tree;
	int code = 0;
	bool same;

	if (git_tree_lookup(&tree, repo_git(r), id) < 0)
		return repo_trouble(f, EX_DATAERR, "tree");
	git_oid_tostr(c->tree, OID_LEN, id);
	find_parents(r, &p);
	if (p.n > 0)
		git_oid_tostr(c->head, OID_LEN, git_commit_id(p.v[0]));
	same = p.n == 0 ? git_tree_entrycount(tree) == 0
			: git_oid_equal(git_commit_tree_id(p.v[0]), id);
	if (!same || p.n > 1) {
		c->changed = count_changes(r, p.n > 0 ? p.v[0] : NULL, tree);
		code = create(r, c, tree, &p, f);
	}
	free_parents(&p);
	git_tree_free(tree);
	return code;
}

/* Puts a path of the index back to what the tree has. */
static int
put_back(git_index *index, git_tree *old, const char *path)
{
	git_tree_entry *e = NULL;
	git_index_entry entry = { .path = path };
	int rc;

	if (old == NULL || git_tree_entry_bypath(&e, old, path) < 0)
		return git_index_remove(index, path, 0);
	entry.mode = git_tree_entry_filemode(e);
	entry.id = *git_tree_entry_id(e);
	rc = git_index_add(index, &entry);
	git_tree_entry_free(e);
	return rc;
}

static bool
told(const struct commit *c, const char *path)
{
	size_t n = strlen(path);

	for (size_t i = 0; i < c->left.n; i++)
		if (strncmp(c->left.v[i], path, n) == 0 &&
		    c->left.v[i][n] == ':')
			return true;
	return false;
}

/*
 * What is to be committed is searched as it will be: the worker may have put
 * a secret into the index itself, or changed a file since we looked.
 */
static int
leave_secrets(struct taking *t, git_tree *old, git_oid *id)
{
	const struct mask *m = t->c->secrets;
	git_tree *new = NULL;
	git_diff *diff = NULL;
	size_t n = 0;
	int rc = git_tree_lookup(&new, repo_git(t->r), id);

	if (rc == 0)
		rc = git_diff_tree_to_tree(
		    &diff, repo_git(t->r), old, new, NULL);
	for (size_t i = 0; rc == 0 && i < git_diff_num_deltas(diff); i++) {
		const git_diff_delta *d = git_diff_get_delta(diff, i);
		const char *path = d->new_file.path;

		if (d->status == GIT_DELTA_DELETED ||
		    (!leak_text(m, path, strlen(path)) &&
			!leak_blob(m, t->r, &d->new_file.id)))
			continue;
		n++;
		if (!told(t->c, path))
			leave(t->c, path, "holds a secret");
		rc = put_back(t->index, old, path);
	}
	git_diff_free(diff);
	git_tree_free(new);
	if (rc == 0 && n > 0)
		rc = git_index_write(t->index);
	return rc == 0 && n > 0 ? git_index_write_tree(id, t->index) : rc;
}

static int
write_clean(struct taking *t, git_oid *id)
{
	git_commit *head = NULL;
	git_tree *old = NULL;
	int rc = git_index_write_tree(id, t->index);

	if (rc < 0 || t->c->secrets == NULL || t->c->secrets->n == 0)
		return rc;
	head = repo_commit(t->r, "HEAD");
	if (head != NULL)
		rc = git_commit_tree(&old, head);
	if (rc == 0)
		rc = leave_secrets(t, old, id);
	git_tree_free(old);
	git_commit_free(head);
	return rc;
}

/* No secret is told, not even where it is the name of a file. */
static void
mask_left(struct commit *c)
{
	for (size_t i = 0; c->secrets != NULL && i < c->left.n; i++) {
		struct buf b = BUF_INIT;

		buf_str(&b, c->left.v[i]);
		mask_buf(c->secrets, &b, 0);
		free(c->left.v[i]);
		c->left.v[i] = buf_take(&b);
	}
}

int
commit_all(struct repo *r, struct commit *c, struct fault *f)
{
	struct taking t = { .r = r, .c = c };
	git_index *index;
	git_oid id;
	int code = 0;

	c->head[0] = c->tree[0] = '\0';
	c->made = false;
	c->changed = 0;
	if (git_repository_is_bare(repo_git(r)))
		return fail(f, EX_DATAERR, "no work tree to commit from");
	if (leak_text(c->secrets, c->message, strlen(c->message)))
		return fail(f, EX_DATAERR, "the message holds a secret");
	if (git_repository_index(&index, repo_git(r)) < 0)
		return repo_trouble(f, EX_DATAERR, "index");
	t.index = index;
	t.top = git_repository_workdir(repo_git(r));
	calm_tree(t.top);
	if (stage_patiently(&t, index) < 0)
		code = repo_trouble(f, EX_IOERR, "index");
	else if (write_clean(&t, &id) < 0)
		code = repo_trouble(f, EX_CANTCREAT, "tree");
	calm_walk(t.top, disguised, &t);
	mask_left(c);
	git_index_free(index);
	return code != 0 ? code : commit_tree(r, c, &id, f);
}

int
commit_dirty(struct repo *r, struct strs *paths, struct fault *f)
{
	git_status_options o;
	git_status_list *list;
	git_index *index;

	git_status_options_init(&o, GIT_STATUS_OPTIONS_VERSION);
	o.flags = GIT_STATUS_OPT_INCLUDE_UNTRACKED |
		  GIT_STATUS_OPT_RECURSE_UNTRACKED_DIRS;
	if (git_status_list_new(&list, repo_git(r), &o) < 0 ||
	    git_repository_index(&index, repo_git(r)) < 0)
		return repo_trouble(f, EX_DATAERR, "status");
	for (size_t i = 0; i < git_status_list_entrycount(list); i++) {
		const git_status_entry *e = git_status_byindex(list, i);
		const git_diff_delta *d = e->index_to_workdir != NULL
					      ? e->index_to_workdir
					      : e->head_to_index;
		const char *path = d->new_file.path != NULL ? d->new_file.path
							    : d->old_file.path;

		if (paths->n < 10 && !ours(path) && !sparse(index, path))
			strs_add(paths, path, strlen(path));
	}
	git_index_free(index);
	git_status_list_free(list);
	return 0;
}
