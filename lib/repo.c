/* See repo.h. */
#include <git2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "offline.h"
#include "repo.h"

struct repo {
	git_repository *git;
};

/* Fills f with libgit2's own words for the call that just failed. */
int
repo_trouble(struct fault *f, int code, const char *what)
{
	const git_error *e = git_error_last();

	return fail(f, code, "%s: %s", what,
	    e != NULL && e->message != NULL ? e->message : "libgit2 failed");
}

static struct repo *
open_at(const char *path, unsigned flags, struct fault *f)
{
	struct repo *r;
	git_repository *git;
	int rc;

	offline_init();
	rc = git_repository_open_ext(&git, path, flags, NULL);
	if (rc < 0) {
		repo_trouble(
		    f, rc == GIT_ENOTFOUND ? EX_NOINPUT : EX_DATAERR, path);
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

	offline_init();
	if (git_odb_hash(&id, text, strlen(text), GIT_OBJECT_BLOB) < 0)
		die(EX_SOFTWARE, "cannot hash");
	git_oid_tostr(oid, OID_LEN, &id);
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

git_commit *
repo_commit(struct repo *r, const char *rev)
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
	git_commit *c = repo_commit(r, rev);

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
		return repo_trouble(f, EX_CANTCREAT, name);
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

/* --- who commits --- */

git_signature *
repo_signature(void)
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
