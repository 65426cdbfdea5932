/* See repo.h. */
#include <dirent.h>
#include <errno.h>
#include <git2.h>
#include <git2/sys/transport.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "repo.h"

struct repo {
	git_repository *git;
};

/* --- texts --- */

void
strs_add(struct strs *s, const char *text, size_t n)
{
	s->v = xrealloc(s->v, (s->n + 1) * sizeof(*s->v));
	s->v[s->n++] = xstrndup(text, n);
}

void
strs_free(struct strs *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i]);
	free(s->v);
	*s = (struct strs){ 0 };
}

/* --- libgit2 --- */

/* Fills f with libgit2's own words for the call that just failed. */
static int
trouble(struct fault *f, int code, const char *what)
{
	const git_error *e = git_error_last();

	return fail(f, code, "%s: %s", what,
	    e != NULL && e->message != NULL ? e->message : "libgit2 failed");
}

/*
 * libgit2 makes no connection, git makes them; so we take the place of its
 * network.  Linked from the archive, it then needs no TLS, no ssh and no
 * Kerberos; shared and built with mbed TLS, it does not read all certificates
 * of the machine when it starts, four fifths of a tera-clone.
 */
int mbedtls_x509_crt_parse_file(void *chain, const char *path);
int git_mbedtls_stream_global_init(void);
int git_mbedtls_stream_new(void **out, const char *host, const char *port);
int git_mbedtls_stream_wrap(void **out, void *in, const char *host);
int git_transport_ssh_global_init(void);

int
mbedtls_x509_crt_parse_file(void *chain, const char *path)
{
	(void)chain;
	(void)path;
	return 0;
}

int
git_mbedtls_stream_global_init(void)
{
	return 0;
}

int
git_mbedtls_stream_new(void **out, const char *host, const char *port)
{
	(void)out;
	(void)host;
	(void)port;
	return -1;
}

int
git_mbedtls_stream_wrap(void **out, void *in, const char *host)
{
	(void)out;
	(void)in;
	(void)host;
	return -1;
}

int
git_transport_ssh_global_init(void)
{
	return 0;
}

int
git_smart_subtransport_http(
    git_smart_subtransport **out, git_transport *owner, void *arg)
{
	(void)out;
	(void)owner;
	(void)arg;
	return -1;
}

int
git_smart_subtransport_ssh(
    git_smart_subtransport **out, git_transport *owner, void *arg)
{
	(void)out;
	(void)owner;
	(void)arg;
	return -1;
}

static void
init(void)
{
	static const char *const known[] = { "worktreeconfig" };
	static bool done;

	if (done)
		return;
	done = true;
	if (git_libgit2_init() < 0)
		die(EX_SOFTWARE, "cannot start libgit2");
	/* Only directories of ours, or that the caller names, are opened. */
	git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, known, (size_t)1);
}

static struct repo *
open_at(const char *path, unsigned flags, struct fault *f)
{
	struct repo *r;
	git_repository *git;
	int rc;

	init();
	rc = git_repository_open_ext(&git, path, flags, NULL);
	if (rc < 0) {
		trouble(f, rc == GIT_ENOTFOUND ? EX_NOINPUT : EX_DATAERR, path);
		return NULL;
	}
	r = xmalloc(sizeof(*r));
	r->git = git;
	return r;
}

struct repo *
repo_open(const char *path, struct fault *f)
{
	return open_at(path, GIT_REPOSITORY_OPEN_NO_SEARCH, f);
}

struct repo *
repo_find(const char *path, struct fault *f)
{
	return open_at(path, 0, f);
}

void
repo_close(struct repo *r)
{
	if (r == NULL)
		return;
	git_repository_free(r->git);
	free(r);
}

git_repository *
repo_git(struct repo *r)
{
	return r->git;
}

void
repo_hash(const char *text, char oid[OID_LEN])
{
	git_oid id;

	init();
	if (git_odb_hash(&id, text, strlen(text), GIT_OBJECT_BLOB) < 0)
		die(EX_SOFTWARE, "cannot hash");
	git_oid_tostr(oid, OID_LEN, &id);
}

/* --- looking at a work tree without libgit2 --- */

/* Called for each entry below top: its path from there, and its name in it.
 * True: go into it too.  type is DT_UNKNOWN for a directory that cannot be
 * read. */
typedef bool seen_fn(void *arg, const char *path, const char *name, int type);

static int
type_of(const char *full, const struct dirent *e)
{
	struct stat st;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type;
	return lstat(full, &st) == 0 ? IFTODT(st.st_mode) : DT_REG;
}

static bool
walk_dir(const char *top, const char *dir, struct strs *todo, seen_fn *seen,
    void *arg)
{
	char *at = xasprintf("%s/%s", top, dir);
	DIR *d = opendir(at);
	struct dirent *e;

	free(at);
	if (d == NULL)
		return errno == ENOENT || errno == ENOTDIR;
	while ((e = readdir(d)) != NULL) {
		const char *name = e->d_name;
		char *path, *full;
		int type;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		path = xasprintf("%s%s%s", dir, *dir != '\0' ? "/" : "", name);
		full = xasprintf("%s/%s", top, path);
		type = type_of(full, e);
		if (seen(arg, path, path + strlen(path) - strlen(name), type) &&
		    type == DT_DIR)
			strs_add(todo, path, strlen(path));
		free(full);
		free(path);
	}
	closedir(d);
	return true;
}

/* A list of what is to do instead of recursion: nothing is too deep. */
static void
walk(const char *top, seen_fn *seen, void *arg)
{
	struct strs todo = { 0 };

	strs_add(&todo, "", 0);
	while (todo.n > 0) {
		char *dir = todo.v[--todo.n];

		if (!walk_dir(top, dir, &todo, seen, arg))
			seen(arg, dir, dir, DT_UNKNOWN);
		free(dir);
	}
	strs_free(&todo);
}

struct calm {
	const char *top;
	bool all; /* whatever its name */
	struct strs gone;
};

/* Is it what git opens without a look, or inside a repository? */
static bool
opened(const char *path, const char *name)
{
	static const char *const names[] = { ".gitignore", ".gitattributes",
		".gitmodules", ".mailmap", ".git" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return strncmp(path, ".git/", 5) == 0 || strstr(path, "/.git/") != NULL;
}

static bool
calm_one(void *arg, const char *path, const char *name, int type)
{
	struct calm *c = arg;
	char *full;
	struct stat st;

	if (type == DT_REG || type == DT_DIR || type == DT_UNKNOWN ||
	    (!c->all && !opened(path, name)))
		return true;
	full = xasprintf("%s/%s", c->top, path);
	/* A link to one is as bad; a link to nothing is a file like others. */
	if (stat(full, &st) == 0 && !S_ISREG(st.st_mode) &&
	    !S_ISDIR(st.st_mode) && unlink(full) == 0)
		strs_add(&c->gone, path, strlen(path));
	free(full);
	return true;
}

static void
calm_dir(const char *dir, bool all)
{
	struct calm c = { .top = dir, .all = all };

	walk(dir, calm_one, &c);
	if (c.gone.n > 0)
		warn("%s: removed %zu special file%s in git's way: %s%s", dir,
		    c.gone.n, c.gone.n > 1 ? "s" : "", c.gone.v[0],
		    c.gone.n > 1 ? " and others" : "");
	strs_free(&c.gone);
}

void
repo_calm(const char *dir)
{
	calm_dir(dir, false);
}

/* The directory that the file .git in dir names, real; NULL when none. */
static char *
link_of(const char *dir)
{
	char *path = xasprintf("%s/.git", dir), *to = NULL;
	struct buf b = BUF_INIT;
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    buf_file(&b, path, 8192) == 0 &&
	    strncmp(buf_text(&b), "gitdir: /", 9) == 0) {
		b.s[strcspn(b.s, "\r\n")] = '\0';
		to = realpath(b.s + 8, NULL);
	}
	buf_free(&b);
	free(path);
	return to;
}

bool
repo_tied(const char *dir, const char *path)
{
	char *real = realpath(path, NULL), *to = link_of(dir), *info;
	size_t n = real != NULL ? strlen(real) : 0;
	bool tied = n > 0 && to != NULL && strncmp(to, real, n) == 0 &&
		    strncmp(to + n, "/worktrees/", 11) == 0 &&
		    to[n + 11] != '\0' && strchr(to + n + 11, '/') == NULL;

	if (tied) {
		info = xasprintf("%s/info", real);
		calm_dir(to, true);
		calm_dir(info, true);
		free(info);
	}
	free(real);
	free(to);
	return tied;
}

/* --- refs --- */

/* A full name is not tried as a short one too. */
static int
object_of(git_object **any, struct repo *r, const char *rev)
{
	git_oid id;

	if (strncmp(rev, "refs/", 5) != 0 || strpbrk(rev, "^~:@") != NULL)
		return git_revparse_single(any, r->git, rev);
	if (git_reference_name_to_id(&id, r->git, rev) < 0)
		return -1;
	return git_object_lookup(any, r->git, &id, GIT_OBJECT_ANY);
}

static git_commit *
commit_of(struct repo *r, const char *rev)
{
	git_object *any, *commit = NULL;

	if (object_of(&any, r, rev) < 0)
		return NULL;
	if (git_object_peel(&commit, any, GIT_OBJECT_COMMIT) < 0)
		commit = NULL;
	git_object_free(any);
	return (git_commit *)commit;
}

bool
repo_commit_of(struct repo *r, const char *rev, char oid[OID_LEN])
{
	git_commit *c = commit_of(r, rev);

	oid[0] = '\0';
	if (c == NULL)
		return false;
	git_oid_tostr(oid, OID_LEN, git_commit_id(c));
	git_commit_free(c);
	return true;
}

char *
repo_branch(struct repo *r)
{
	git_reference *head;
	char *name = NULL;

	if (git_reference_lookup(&head, r->git, "HEAD") < 0)
		return NULL;
	if (git_reference_type(head) == GIT_REFERENCE_SYMBOLIC) {
		const char *to = git_reference_symbolic_target(head);

		if (strncmp(to, "refs/heads/", 11) == 0)
			name = xstrdup(to + 11);
	}
	git_reference_free(head);
	return name;
}

int
repo_set_ref(struct repo *r, const char *name, const char *oid, struct fault *f)
{
	git_reference *ref;
	git_oid id;

	if (git_oid_fromstr(&id, oid) < 0 ||
	    git_reference_create(&ref, r->git, name, &id, 1, "tera") < 0)
		return trouble(f, EX_CANTCREAT, name);
	git_reference_free(ref);
	return 0;
}

bool
repo_ls_dir(struct repo *r, const char *dir, struct buf *out)
{
	git_remote_create_options o;
	git_remote *remote = NULL;
	const git_remote_head **heads;
	size_t n = 0;
	bool ok;

	/* A path of ours is no short form of another address; and looking
	 * for one leaks in libgit2 1.5. */
	git_remote_create_options_init(&o, GIT_REMOTE_CREATE_OPTIONS_VERSION);
	o.repository = r->git;
	o.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF;
	ok = git_remote_create_with_opts(&remote, dir, &o) == 0 &&
	     git_remote_connect(
		 remote, GIT_DIRECTION_FETCH, NULL, NULL, NULL) == 0 &&
	     git_remote_ls(&heads, &n, remote) == 0;
	for (size_t i = 0; ok && i < n; i++) {
		char oid[OID_LEN];

		git_oid_tostr(oid, sizeof(oid), &heads[i]->oid);
		if (heads[i]->symref_target != NULL)
			buf_fmt(out, "ref: %s\t%s\n", heads[i]->symref_target,
			    heads[i]->name);
		buf_fmt(out, "%s\t%s\n", oid, heads[i]->name);
	}
	git_remote_free(remote);
	return ok;
}

const char *
repo_gitdir(struct repo *r)
{
	return git_repository_path(r->git);
}

static bool
same_file(const char *a, const char *b)
{
	struct stat x, y;

	return a != NULL && b != NULL && stat(a, &x) == 0 && stat(b, &y) == 0 &&
	       x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

bool
repo_hangs_on(struct repo *r, const char *dir, const char *path)
{
	return same_file(git_repository_commondir(r->git), path) &&
	       same_file(git_repository_workdir(r->git), dir);
}

bool
repo_ref_is(struct repo *r, const char *name, const char *oid)
{
	git_oid id;

	return git_reference_name_to_id(&id, r->git, name) == 0 &&
	       git_oid_streq(&id, oid) == 0;
}

size_t
repo_count_refs(struct repo *r, const char *glob)
{
	git_reference_iterator *it;
	const char *name;
	size_t n = 0;

	if (git_reference_iterator_glob_new(&it, r->git, glob) < 0)
		return 0;
	while (git_reference_next_name(&name, it) == 0)
		n++;
	git_reference_iterator_free(it);
	return n;
}

bool
repo_any_ref(struct repo *r, const char *glob)
{
	git_reference_iterator *it;
	const char *name;
	bool any;

	if (git_reference_iterator_glob_new(&it, r->git, glob) < 0)
		return false;
	any = git_reference_next_name(&name, it) == 0;
	git_reference_iterator_free(it);
	return any;
}

/* --- ancestry --- */

static bool
two(git_oid *ida, const char *a, git_oid *idb, const char *b)
{
	return git_oid_fromstr(ida, a) == 0 && git_oid_fromstr(idb, b) == 0;
}

bool
repo_contains(struct repo *r, const char *tip, const char *old)
{
	git_oid t, o;

	if (!two(&t, tip, &o, old))
		return false;
	return git_oid_equal(&t, &o) ||
	       git_graph_descendant_of(r->git, &t, &o) == 1;
}

bool
repo_merge_base(
    struct repo *r, const char *a, const char *b, char base[OID_LEN])
{
	git_oid ida, idb, id;

	base[0] = '\0';
	if (!two(&ida, a, &idb, b) ||
	    git_merge_base(&id, r->git, &ida, &idb) < 0)
		return false;
	git_oid_tostr(base, OID_LEN, &id);
	return true;
}

void
repo_ahead(
    struct repo *r, const char *a, const char *b, size_t *ahead, size_t *behind)
{
	git_oid ida, idb;

	*ahead = *behind = 0;
	if (two(&ida, a, &idb, b))
		git_graph_ahead_behind(ahead, behind, r->git, &ida, &idb);
}

bool
repo_in_refs(struct repo *r, const char *glob, const char *oid)
{
	git_reference_iterator *it;
	const char *name;
	char tip[OID_LEN];
	bool in = false;

	if (git_reference_iterator_glob_new(&it, r->git, glob) < 0)
		return false;
	while (!in && git_reference_next_name(&name, it) == 0)
		in = repo_commit_of(r, name, tip) && repo_contains(r, tip, oid);
	git_reference_iterator_free(it);
	return in;
}

/* --- who commits --- */

static git_signature *
signature(void)
{
	const char *name = getenv("GIT_USER_NAME");
	const char *mail = getenv("GIT_USER_EMAIL");
	git_config *cfg = NULL, *snap = NULL;
	git_signature *sig = NULL;

	/* The user's own configuration only: a worker can write the other. */
	if (git_config_open_default(&cfg) == 0 &&
	    git_config_snapshot(&snap, cfg) == 0) {
		if (name == NULL || *name == '\0')
			if (git_config_get_string(&name, snap, "user.name") < 0)
				name = NULL;
		if (mail == NULL || *mail == '\0')
			if (git_config_get_string(&mail, snap, "user.email") <
			    0)
				mail = NULL;
	}
	if (git_signature_now(&sig, name != NULL && *name ? name : "Tera",
		mail != NULL && *mail ? mail : "tera@localhost") < 0 &&
	    git_signature_now(&sig, "Tera", "tera@localhost") < 0)
		die(EX_SOFTWARE, "cannot make a signature");
	git_config_free(snap);
	git_config_free(cfg);
	return sig;
}

/* --- secrets --- */

static bool
holds(const struct mask *m, const void *text, size_t n)
{
	for (size_t i = 0; m != NULL && i < m->n; i++)
		if (memmem(text, n, m->secret[i], m->len[i]) != NULL)
			return true;
	return false;
}

static bool
file_holds(const struct mask *m, const char *path, const struct stat *st)
{
	struct buf b = BUF_INIT;
	bool found;

	if (m == NULL || m->n == 0)
		return false;
	if (S_ISLNK(st->st_mode)) {
		ssize_t n = readlink(path, buf_room(&b, 4096), 4096);

		b.len = n > 0 ? (size_t)n : 0;
	} else if (buf_file(&b, path, (size_t)st->st_size + 1) < 0)
		b.len = 0;
	found = holds(m, buf_text(&b), b.len);
	buf_free(&b);
	return found;
}

/* --- commit --- */

struct taking {
	struct repo *r;
	struct repo_commit *c;
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
leave(struct repo_commit *c, const char *path, const char *why)
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
		   (holds(t->c->secrets, path, strlen(path)) ||
		       file_holds(t->c->secrets, full, &st))) {
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

	if (git_ignore_path_is_ignored(&is, r->git, text) < 0)
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
	walk(t->top, take_seen, t);
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

bool
repo_unlock(struct repo *r)
{
	static const char *const locks[] = { "index.lock", "HEAD.lock" };
	git_reference *head = NULL;
	bool any = false;

	for (size_t i = 0; i < sizeof(locks) / sizeof(*locks); i++) {
		char *path =
		    xasprintf("%s%s", git_repository_path(r->git), locks[i]);

		any |= unlink(path) == 0;
		free(path);
	}
	/* The branch that is checked out here is nobody else's. */
	if (git_reference_lookup(&head, r->git, "HEAD") == 0 &&
	    git_reference_type(head) == GIT_REFERENCE_SYMBOLIC) {
		char *path =
		    xasprintf("%s%s.lock", git_repository_commondir(r->git),
			git_reference_symbolic_target(head));

		any |= unlink(path) == 0;
		free(path);
	}
	git_reference_free(head);
	return any;
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

	p->git = r->git;
	p->n = 0;
	if (git_reference_name_to_id(&id, r->git, "HEAD") == 0)
		add_parent(&id, p);
	if (git_repository_state(r->git) == GIT_REPOSITORY_STATE_MERGE)
		git_repository_mergehead_foreach(r->git, add_parent, p);
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
	if (git_diff_tree_to_tree(&diff, r->git, old, tree, NULL) == 0) {
		n = git_diff_num_deltas(diff);
		git_diff_free(diff);
	}
	git_tree_free(old);
	return n;
}

static int
create(struct repo *r, struct repo_commit *c, git_tree *tree,
    const struct parents *p, struct fault *f)
{
	git_signature *sig = signature();
	git_oid id;
	int rc = git_commit_create(&id, r->git, "HEAD", sig, sig, NULL,
	    c->message, tree, p->n, (const git_commit **)p->v);

	git_signature_free(sig);
	if (rc < 0)
		return trouble(f, EX_CANTCREAT, "commit");
	git_oid_tostr(c->head, OID_LEN, &id);
	c->made = true;
	git_repository_state_cleanup(r->git);
	return 0;
}

/* Commits the tree, unless it is the parent's own. */
static int
commit_tree(
    struct repo *r, struct repo_commit *c, const git_oid *id, struct fault *f)
{
	struct parents p;
	git_tree *tree;
	int code = 0;
	bool same;

	if (git_tree_lookup(&tree, r->git, id) < 0)
		return trouble(f, EX_DATAERR, "tree");
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

static bool blob_holds(struct repo *r, const git_oid *id, const struct mask *m);

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
told(const struct repo_commit *c, const char *path)
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
	int rc = git_tree_lookup(&new, t->r->git, id);

	if (rc == 0)
		rc = git_diff_tree_to_tree(&diff, t->r->git, old, new, NULL);
	for (size_t i = 0; rc == 0 && i < git_diff_num_deltas(diff); i++) {
		const git_diff_delta *d = git_diff_get_delta(diff, i);
		const char *path = d->new_file.path;

		if (d->status == GIT_DELTA_DELETED ||
		    (!holds(m, path, strlen(path)) &&
			!blob_holds(t->r, &d->new_file.id, m)))
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
	head = commit_of(t->r, "HEAD");
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
mask_left(struct repo_commit *c)
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
repo_commit_all(struct repo *r, struct repo_commit *c, struct fault *f)
{
	struct taking t = { .r = r, .c = c };
	git_index *index;
	git_oid id;
	int code = 0;

	c->head[0] = c->tree[0] = '\0';
	c->made = false;
	c->changed = 0;
	if (git_repository_is_bare(r->git))
		return fail(f, EX_DATAERR, "no work tree to commit from");
	if (holds(c->secrets, c->message, strlen(c->message)))
		return fail(f, EX_DATAERR, "the message holds a secret");
	if (git_repository_index(&index, r->git) < 0)
		return trouble(f, EX_DATAERR, "index");
	t.index = index;
	t.top = git_repository_workdir(r->git);
	repo_calm(t.top);
	if (stage_patiently(&t, index) < 0)
		code = trouble(f, EX_IOERR, "index");
	else if (write_clean(&t, &id) < 0)
		code = trouble(f, EX_CANTCREAT, "tree");
	walk(t.top, disguised, &t);
	mask_left(c);
	git_index_free(index);
	return code != 0 ? code : commit_tree(r, c, &id, f);
}

int
repo_dirty(struct repo *r, struct strs *paths, struct fault *f)
{
	git_status_options o;
	git_status_list *list;
	git_index *index;

	git_status_options_init(&o, GIT_STATUS_OPTIONS_VERSION);
	o.flags = GIT_STATUS_OPT_INCLUDE_UNTRACKED |
		  GIT_STATUS_OPT_RECURSE_UNTRACKED_DIRS;
	if (git_status_list_new(&list, r->git, &o) < 0 ||
	    git_repository_index(&index, r->git) < 0)
		return trouble(f, EX_DATAERR, "status");
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

/* --- moving the branch of a work tree --- */

static int
checkout(struct repo *r, const char *oid, struct fault *f)
{
	git_checkout_options o;
	git_commit *c = commit_of(r, oid);
	int rc;

	git_checkout_options_init(&o, GIT_CHECKOUT_OPTIONS_VERSION);
	if (c == NULL)
		return fail(f, EX_DATAERR, "no commit %s", oid);
	o.checkout_strategy = GIT_CHECKOUT_SAFE;
	rc = git_checkout_tree(r->git, (git_object *)c, &o);
	git_commit_free(c);
	if (rc == GIT_ECONFLICT)
		return fail(f, EX_DATAERR,
		    "files of the work tree are in the way of %.10s", oid);
	return rc < 0 ? trouble(f, EX_IOERR, "checkout") : 0;
}

int
repo_forward(struct repo *r, const char *oid, struct fault *f)
{
	char *branch = repo_branch(r), *ref;
	int code = checkout(r, oid, f);

	if (code == 0) {
		ref = branch != NULL ? xasprintf("refs/heads/%s", branch)
				     : xstrdup("HEAD");
		code = repo_set_ref(r, ref, oid, f);
		free(ref);
	}
	free(branch);
	return code;
}

/* Keeps oid under refs/tera/saved, so that nothing prunes it. */
int
repo_save(struct repo *r, const char *branch, const char *oid, struct fault *f)
{
	char *ref = xasprintf("refs/tera/saved/%s/%lld-%.10s", branch,
	    (long long)time(NULL), oid);
	int code = repo_set_ref(r, ref, oid, f);

	free(ref);
	return code;
}

/* The commit that the branch shall have: HEAD's, its own, or a merge. */
static int
reconcile(struct repo *r, const char *branch, const char *tip, const char *head,
    char done[OID_LEN], struct fault *f)
{
	struct strs conflicts = { 0 };
	char *message;
	int code;

	if (repo_contains(r, head, tip) || repo_contains(r, tip, head)) {
		memcpy(done, repo_contains(r, head, tip) ? head : tip, OID_LEN);
		return 0;
	}
	code = repo_save(r, branch, head, f);
	if (code != 0)
		return code;
	message = xasprintf("Merge what was left beside %s\n", branch);
	code =
	    repo_bring(r, REPO_MERGE, tip, head, message, done, &conflicts, f);
	free(message);
	strs_free(&conflicts);
	return code;
}

int
repo_attach(struct repo *r, const char *branch, struct fault *f)
{
	char *now = repo_branch(r), *ref = xasprintf("refs/heads/%s", branch);
	char head[OID_LEN], tip[OID_LEN], done[OID_LEN];
	int code = 0;

	if (now != NULL && strcmp(now, branch) == 0)
		goto out;
	if (!repo_commit_of(r, "HEAD", head)) /* unborn elsewhere */
		goto link;
	if (!repo_commit_of(r, ref, tip))
		memcpy(tip, head, OID_LEN);
	code = reconcile(r, branch, tip, head, done, f);
	if (code == 0)
		code = checkout(r, done, f);
	if (code == 0)
		code = repo_set_ref(r, ref, done, f);
link:
	if (code == 0 && git_repository_set_head(r->git, ref) < 0)
		code = trouble(f, EX_CANTCREAT, ref);
	git_repository_state_cleanup(r->git);
out:
	free(now);
	free(ref);
	return code;
}

/* --- looking for secrets in what is to be pushed --- */

static bool
blob_holds(struct repo *r, const git_oid *id, const struct mask *m)
{
	git_blob *blob;
	bool found;

	if (git_blob_lookup(&blob, r->git, id) < 0)
		return false;
	found =
	    holds(m, git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob));
	git_blob_free(blob);
	return found;
}

static int
scan_diff(struct repo *r, git_diff *diff, const char *oid, const struct mask *m,
    struct fault *f)
{
	for (size_t i = 0; i < git_diff_num_deltas(diff); i++) {
		const git_diff_delta *d = git_diff_get_delta(diff, i);

		if (d->status != GIT_DELTA_DELETED &&
		    (holds(m, d->new_file.path, strlen(d->new_file.path)) ||
			blob_holds(r, &d->new_file.id, m)))
			return fail(f, EX_DATAERR,
			    "%s in commit %.10s holds a secret: not pushed",
			    d->new_file.path, oid);
	}
	return 0;
}

static int
scan_commit(
    struct repo *r, git_commit *c, const struct mask *m, struct fault *f)
{
	const char *message = git_commit_message(c);
	git_commit *parent = NULL;
	git_tree *old = NULL, *new = NULL;
	git_diff *diff = NULL;
	char oid[OID_LEN];
	int code = 0;

	git_oid_tostr(oid, OID_LEN, git_commit_id(c));
	if (holds(m, message, strlen(message)))
		return fail(f, EX_DATAERR,
		    "the message of commit %.10s holds a secret: not pushed",
		    oid);
	if (git_commit_parentcount(c) > 0 &&
	    git_commit_parent(&parent, c, 0) == 0)
		git_commit_tree(&old, parent);
	if (git_commit_tree(&new, c) < 0 ||
	    git_diff_tree_to_tree(&diff, r->git, old, new, NULL) < 0)
		code = trouble(f, EX_DATAERR, oid);
	else
		code = scan_diff(r, diff, oid, m, f);
	git_diff_free(diff);
	git_tree_free(new);
	git_tree_free(old);
	git_commit_free(parent);
	return code;
}

int
repo_scan(struct repo *r, const char *tip, const char *hide,
    const struct mask *m, struct fault *f)
{
	git_revwalk *walk;
	git_oid id;
	int code = 0;

	if (m->n == 0)
		return 0;
	if (git_oid_fromstr(&id, tip) < 0 || git_revwalk_new(&walk, r->git) < 0)
		return trouble(f, EX_SOFTWARE, "walk");
	git_revwalk_push(walk, &id);
	git_revwalk_hide_glob(walk, hide);
	while (code == 0 && git_revwalk_next(&id, walk) == 0) {
		git_commit *c;

		if (git_commit_lookup(&c, r->git, &id) < 0)
			code = trouble(f, EX_DATAERR, "commit");
		else {
			code = scan_commit(r, c, m, f);
			git_commit_free(c);
		}
	}
	git_revwalk_free(walk);
	return code;
}

/* --- merging in memory --- */

static void
list_conflicts(git_index *index, struct strs *paths)
{
	git_index_conflict_iterator *it;
	const git_index_entry *a, *o, *t;

	if (git_index_conflict_iterator_new(&it, index) < 0)
		return;
	while (git_index_conflict_next(&a, &o, &t, it) == 0) {
		const char *path = o != NULL   ? o->path
				   : t != NULL ? t->path
					       : a->path;

		if (paths->n == 0 || strcmp(paths->v[paths->n - 1], path) != 0)
			strs_add(paths, path, strlen(path));
	}
	git_index_conflict_iterator_free(it);
}

static int
conflicted(const struct strs *paths, struct fault *f)
{
	struct buf b = BUF_INIT;
	int code;

	for (size_t i = 0; i < paths->n && i < 8; i++)
		buf_fmt(&b, "%s%s", i > 0 ? ", " : "", paths->v[i]);
	if (paths->n > 8)
		buf_fmt(&b, " and %zu more", paths->n - 8);
	code = fail(f, EX_DATAERR, "conflict in %s", buf_text(&b));
	buf_free(&b);
	return code;
}

/* One commit of the merged tree, with one parent (squash) or both. */
static int
bring_merge(struct repo *r, bool squash, git_commit *base, git_commit *head,
    const char *message, git_oid *done, struct strs *conflicts, struct fault *f)
{
	const git_commit *parents[2] = { base, head };
	git_signature *sig;
	git_tree *tree = NULL;
	git_index *index;
	git_oid id;
	int code = 0;

	if (git_merge_commits(&index, r->git, base, head, NULL) < 0)
		return trouble(f, EX_DATAERR, "merge");
	if (git_index_has_conflicts(index)) {
		list_conflicts(index, conflicts);
		code = conflicted(conflicts, f);
	} else if (git_index_write_tree_to(&id, index, r->git) < 0 ||
		   git_tree_lookup(&tree, r->git, &id) < 0)
		code = trouble(f, EX_CANTCREAT, "tree");
	git_index_free(index);
	if (code != 0)
		return code;
	sig = signature();
	if (git_commit_create(done, r->git, NULL,
		squash ? git_commit_author(head) : sig, sig, NULL, message,
		tree, squash ? 1 : 2, parents) < 0)
		code = trouble(f, EX_CANTCREAT, "commit");
	git_signature_free(sig);
	git_tree_free(tree);
	return code;
}

/* The commits of a rebase that was begun, one after the other. */
static int
replay(git_rebase *rebase, git_signature *sig, git_oid *done,
    struct strs *conflicts, struct fault *f)
{
	git_rebase_operation *op;
	git_index *index;
	git_oid id;
	int rc;

	while ((rc = git_rebase_next(&op, rebase)) == 0) {
		if (git_rebase_inmemory_index(&index, rebase) < 0)
			return trouble(f, EX_DATAERR, "rebase");
		if (git_index_has_conflicts(index))
			list_conflicts(index, conflicts);
		git_index_free(index);
		if (conflicts->n > 0)
			return conflicted(conflicts, f);
		rc = git_rebase_commit(&id, rebase, NULL, sig, NULL, NULL);
		if (rc == GIT_EAPPLIED)
			continue;
		if (rc < 0)
			return trouble(f, EX_DATAERR, "rebase");
		*done = id;
	}
	return rc == GIT_ITEROVER ? 0 : trouble(f, EX_DATAERR, "rebase");
}

static int
bring_rebase(struct repo *r, git_commit *base, git_commit *head, git_oid *done,
    struct strs *conflicts, struct fault *f)
{
	git_rebase_options o;
	git_annotated_commit *onto = NULL, *from = NULL;
	git_rebase *rebase = NULL;
	git_signature *sig = signature();
	int code;

	git_rebase_options_init(&o, GIT_REBASE_OPTIONS_VERSION);
	o.inmemory = 1;
	*done = *git_commit_id(base);
	if (git_annotated_commit_lookup(&onto, r->git, git_commit_id(base)) <
		0 ||
	    git_annotated_commit_lookup(&from, r->git, git_commit_id(head)) <
		0 ||
	    git_rebase_init(&rebase, r->git, from, onto, NULL, &o) < 0)
		code = trouble(f, EX_DATAERR, "rebase");
	else
		code = replay(rebase, sig, done, conflicts, f);
	git_rebase_free(rebase);
	git_annotated_commit_free(from);
	git_annotated_commit_free(onto);
	git_signature_free(sig);
	return code;
}

int
repo_bring(struct repo *r, enum repo_way way, const char *base,
    const char *head, const char *message, char done[OID_LEN],
    struct strs *conflicts, struct fault *f)
{
	git_commit *b = commit_of(r, base), *h = commit_of(r, head);
	git_oid id;
	int code;

	done[0] = '\0';
	if (b == NULL || h == NULL)
		code = fail(
		    f, EX_NOINPUT, "no commit %s", b == NULL ? base : head);
	else if (way == REPO_REBASE)
		code = bring_rebase(r, b, h, &id, conflicts, f);
	else
		code = bring_merge(
		    r, way == REPO_SQUASH, b, h, message, &id, conflicts, f);
	if (code == 0)
		git_oid_tostr(done, OID_LEN, &id);
	git_commit_free(b);
	git_commit_free(h);
	return code;
}

/* --- differences --- */

static const char *
status_word(git_delta_t status)
{
	switch (status) {
	case GIT_DELTA_ADDED:
	case GIT_DELTA_UNTRACKED: return "added";
	case GIT_DELTA_DELETED: return "deleted";
	case GIT_DELTA_RENAMED: return "renamed";
	case GIT_DELTA_COPIED: return "copied";
	case GIT_DELTA_TYPECHANGE: return "type";
	default: return "modified";
	}
}

static void
give_hunk(git_patch *patch, size_t h, const struct repo_diff *d)
{
	const git_diff_hunk *hunk;
	size_t lines;

	if (git_patch_get_hunk(&hunk, &lines, patch, h) < 0)
		return;
	d->hunk(d->arg, hunk->header, hunk->header_len);
	for (size_t i = 0; i < lines; i++) {
		const git_diff_line *l;
		struct repo_line out;

		if (git_patch_get_line_in_hunk(&l, patch, h, i) < 0)
			continue;
		out.kind = strchr(" +-", l->origin) != NULL ? l->origin : '\\';
		out.old_no = l->old_lineno;
		out.new_no = l->new_lineno;
		out.text = l->content;
		out.len = l->content_len;
		d->line(d->arg, &out);
	}
}

static void
give_text(git_patch *patch, const struct repo_diff *d)
{
	git_buf b = { 0 };

	if (git_patch_to_buf(&b, patch) == 0)
		d->text(d->arg, b.ptr, b.size);
	git_buf_dispose(&b);
}

static int
give_patch(git_diff *diff, size_t i, const struct repo_diff *d)
{
	const git_diff_delta *delta;
	struct repo_file file = { 0 };
	git_patch *patch = NULL;

	if (git_patch_from_diff(&patch, diff, i) < 0)
		return -1;
	delta = git_diff_get_delta(diff, i); /* knows of binary only now */
	file.path = delta->new_file.path;
	file.old_path = delta->old_file.path;
	file.status = status_word(delta->status);
	file.binary = (delta->flags & GIT_DIFF_FLAG_BINARY) != 0;
	if (patch != NULL)
		git_patch_line_stats(
		    NULL, &file.additions, &file.deletions, patch);
	if (d->file != NULL)
		d->file(d->arg, &file);
	if (patch != NULL && d->hunk != NULL)
		for (size_t h = 0; h < git_patch_num_hunks(patch); h++)
			give_hunk(patch, h, d);
	if (patch != NULL && d->text != NULL)
		give_text(patch, d);
	if (d->end != NULL)
		d->end(d->arg);
	git_patch_free(patch);
	return 0;
}

static git_tree *
tree_of(struct repo *r, const char *rev)
{
	git_object *any, *tree = NULL;

	if (git_revparse_single(&any, r->git, rev) < 0)
		return NULL;
	if (git_object_peel(&tree, any, GIT_OBJECT_TREE) < 0)
		tree = NULL;
	git_object_free(any);
	return (git_tree *)tree;
}

static int
make_diff(struct repo *r, git_diff **diff, git_tree *old, git_tree *new,
    unsigned context)
{
	git_diff_options o;
	git_diff_find_options similar;
	int rc;

	git_diff_find_options_init(&similar, GIT_DIFF_FIND_OPTIONS_VERSION);
	git_diff_options_init(&o, GIT_DIFF_OPTIONS_VERSION);
	o.context_lines = context;
	o.flags = GIT_DIFF_INCLUDE_UNTRACKED | GIT_DIFF_RECURSE_UNTRACKED_DIRS |
		  GIT_DIFF_SHOW_UNTRACKED_CONTENT;
	rc = new != NULL
		 ? git_diff_tree_to_tree(diff, r->git, old, new, &o)
		 : git_diff_tree_to_workdir_with_index(diff, r->git, old, &o);
	if (rc == 0)
		rc = git_diff_find_similar(*diff, &similar);
	return rc;
}

int
repo_diff(struct repo *r, const char *base, const char *head,
    const struct repo_diff *d, struct fault *f)
{
	git_tree *old = tree_of(r, base), *new = NULL;
	git_diff *diff = NULL;
	int code = 0;

	if (head != NULL)
		new = tree_of(r, head);
	if (old == NULL || (head != NULL && new == NULL))
		code = fail(f, EX_NOINPUT, "%s: no such revision",
		    old == NULL ? base : head);
	else if (make_diff(r, &diff, old, new, d->context) < 0)
		code = trouble(f, EX_DATAERR, "diff");
	for (size_t i = 0; code == 0 && i < git_diff_num_deltas(diff); i++)
		if (give_patch(diff, i, d) < 0)
			code = trouble(f, EX_DATAERR, "diff");
	git_diff_free(diff);
	git_tree_free(new);
	git_tree_free(old);
	return code;
}
