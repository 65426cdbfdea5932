/* See fill.h. */
#include <errno.h>
#include <fcntl.h>
#include <git2.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fill.h"
#include "index.h"
#include "plain.h"
#include "remove.h"

#define DEPTH 200   /* of directories */
#define ALONE 256   /* files that are written before a process started */
#define AT_ONCE 128 /* files that a process takes at a time */
#define PROCESSES 8 /* at most */
#define CHUNK 32768 /* bytes of paths that are taken at once */
#define HEAP (1024 * 1024)

struct dir {
	const char *path; /* "" is the top */
	size_t up;
	bool in;   /* its files are wanted */
	bool here; /* so it is to be made */
};

struct file {
	size_t dir;
	bool here;
};

/* A run of files in one directory. */
struct piece {
	size_t from, to;
};

/* Room for paths: they come one after the other and go together. */
struct chunk {
	struct chunk *last;
	char text[];
};

struct plan {
	git_repository *git;
	git_odb *odb;
	const struct strs *only; /* NULL: everything */
	size_t n_dirs, n_files, n_pieces;
	size_t written; /* files that are here */
	struct piece *pieces;
	struct chunk *paths; /* where each is, those of dirs too */
	size_t room;         /* that is left in it */
	/* What the index says of each, and what we add to it. */
	struct index_dir *index_dirs;
	struct dir *dirs;
	struct index_file *index_files;
	struct file *files;
};

/* What all processes see. */
struct shared {
	atomic_size_t next;
	atomic_bool failed;
	struct index_stat stats[]; /* of each file that was written */
};

/* --- what is to be written --- */

static bool
wanted(const struct plan *p, const char *dir)
{
	for (size_t i = 0; p->only != NULL && i < p->only->n; i++) {
		size_t n = strlen(p->only->v[i]);

		if (strncmp(dir, p->only->v[i], n) == 0 &&
		    (dir[n] == '\0' || dir[n] == '/'))
			return true;
	}
	return p->only == NULL || *dir == '\0';
}

/* Room for one more, doubled when it is full. */
static void *
grown(void *v, size_t n, size_t size)
{
	if ((n & (n - 1)) != 0 || (n > 0 && n < 64))
		return v;
	return xrealloc(v, (n > 0 ? 2 * n : 64) * size);
}

static const char *
last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static size_t
add_dir(struct plan *p, const char *path, size_t up, const git_oid *id)
{
	size_t i = p->n_dirs++;

	p->dirs = grown(p->dirs, i, sizeof(*p->dirs));
	p->index_dirs = grown(p->index_dirs, i, sizeof(*p->index_dirs));
	p->dirs[i] = (struct dir){ path, up, wanted(p, path), i == 0 };
	p->index_dirs[i] = (struct index_dir){ .name = last_part(path) };
	memcpy(p->index_dirs[i].id, id->id, INDEX_ID);
	return i;
}

static void
add_file(struct plan *p, const char *path, size_t dir, const git_tree_entry *e)
{
	size_t i = p->n_files++;
	bool here = p->dirs[dir].in;

	p->files = grown(p->files, i, sizeof(*p->files));
	p->index_files = grown(p->index_files, i, sizeof(*p->index_files));
	p->files[i] = (struct file){ dir, here };
	p->index_files[i] = (struct index_file){ .path = path,
		.mode = (uint32_t)git_tree_entry_filemode(e) };
	memcpy(p->index_files[i].id, git_tree_entry_id(e)->id, INDEX_ID);
	if (!here)
		return;
	p->written++;
	for (; !p->dirs[dir].here; dir = p->dirs[dir].up)
		p->dirs[dir].here = true;
}

/* Files in the order of an index, each once? */
static bool
in_order(const struct plan *p)
{
	const struct index_file *last = p->index_files + p->n_files - 1;

	return p->n_files < 2 || strcmp(last[-1].path, last->path) < 0;
}

/* The path of what has that name in the directory above; the plan's own.  It
 * is no longer than PATH_MAX. */
static const char *
join(struct plan *p, const char *above, const char *name)
{
	size_t n = strlen(above), len = strlen(name), size = n + len + 2;
	char *path;

	if (p->room < size) {
		struct chunk *c = xmalloc(sizeof(*c) + CHUNK);

		c->last = p->paths;
		p->paths = c;
		p->room = CHUNK;
	}
	path = p->paths->text + CHUNK - p->room;
	p->room -= size;
	memcpy(path, above, n);
	if (n > 0)
		path[n++] = '/';
	memcpy(path + n, name, len + 1);
	return path;
}

static bool
plain_blob(struct plan *p, const git_oid *id)
{
	git_blob *blob;
	bool ok;

	if (git_blob_lookup(&blob, p->git, id) < 0)
		return false;
	ok = plain_attributes(
	    git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob));
	git_blob_free(blob);
	return ok;
}

static bool add_tree(struct plan *p, const git_oid *id, size_t dir, int depth);

static bool
add_entry(struct plan *p, const git_tree_entry *e, size_t dir, int depth)
{
	const char *name = git_tree_entry_name(e), *above = p->dirs[dir].path;
	git_filemode_t mode = git_tree_entry_filemode(e);
	const git_oid *id = git_tree_entry_id(e);

	if (!plain_name(name, mode == GIT_FILEMODE_LINK) ||
	    strlen(above) + strlen(name) + 2 > PATH_MAX)
		return false;
	if (mode == GIT_FILEMODE_TREE) {
		p->index_dirs[dir].dirs++;
		return add_tree(p, id,
		    add_dir(p, join(p, above, name), dir, id), depth + 1);
	}
	add_file(p, join(p, above, name), dir, e);
	if (!in_order(p))
		return false;
	/* A sparse checkout has words of its own for submodules. */
	if (mode == GIT_FILEMODE_COMMIT)
		return p->only == NULL;
	if (strcmp(name, ".gitattributes") == 0)
		return mode != GIT_FILEMODE_LINK && plain_blob(p, id);
	return true;
}

static bool
add_tree(struct plan *p, const git_oid *id, size_t dir, int depth)
{
	size_t before = p->n_files;
	git_tree *tree;
	bool ok = true;

	if (depth > DEPTH || git_tree_lookup(&tree, p->git, id) < 0)
		return false;
	for (size_t i = 0; ok && i < git_tree_entrycount(tree); i++)
		ok = add_entry(p, git_tree_entry_byindex(tree, i), dir, depth);
	git_tree_free(tree);
	p->index_dirs[dir].files = p->n_files - before;
	return ok;
}

static void
add_pieces(struct plan *p)
{
	struct piece *last = NULL;

	p->pieces = xmalloc(p->written * sizeof(*p->pieces));
	for (size_t i = 0; i < p->n_files; i++) {
		if (!p->files[i].here)
			continue;
		if (last != NULL && last->to == i && i - last->from < AT_ONCE &&
		    p->files[last->from].dir == p->files[i].dir) {
			last->to++;
			continue;
		}
		last = &p->pieces[p->n_pieces++];
		*last = (struct piece){ i, i + 1 };
	}
}

static bool
make_plan(struct plan *p, const char *rev)
{
	git_object *tree = NULL;
	char *spec = xasprintf("%s^{tree}", rev);
	bool ok = git_repository_odb(&p->odb, p->git) == 0 &&
		  git_revparse_single(&tree, p->git, spec) == 0;

	if (ok) {
		const git_oid *id = git_object_id(tree);

		ok = add_tree(p, id, add_dir(p, "", 0, id), 0);
	}
	git_object_free(tree);
	free(spec);
	if (ok)
		add_pieces(p);
	return ok;
}

static void
free_plan(struct plan *p)
{
	while (p->paths != NULL) {
		struct chunk *last = p->paths->last;

		free(p->paths);
		p->paths = last;
	}
	free(p->dirs);
	free(p->index_dirs);
	free(p->files);
	free(p->index_files);
	free(p->pieces);
	git_odb_free(p->odb);
}

/* --- writing --- */

static bool
make_directories(const struct plan *p, int top)
{
	for (size_t i = 1; i < p->n_dirs; i++)
		if (p->dirs[i].here && mkdirat(top, p->dirs[i].path, 0777) < 0)
			return false;
	return true;
}

static bool
write_all(int fd, const char *s, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, s, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return false;
		s += done;
		n -= (size_t)done;
	}
	return true;
}

static bool
write_file(int dir, const char *name, bool executable, git_odb_object *o,
    struct stat *st)
{
	mode_t mode = executable ? 0777 : 0666;
	int fd = openat(dir, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	bool ok;

	if (fd < 0)
		return false;
	ok = write_all(fd, git_odb_object_data(o), git_odb_object_size(o)) &&
	     fstat(fd, st) == 0;
	return close(fd) == 0 && ok;
}

static bool
write_link(int dir, const char *name, git_odb_object *o, struct stat *st)
{
	const char *to = git_odb_object_data(o); /* a NUL follows */

	return strlen(to) == git_odb_object_size(o) &&
	       symlinkat(to, dir, name) == 0 &&
	       fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool
write_one(
    const struct plan *p, int dir, const struct index_file *f, struct stat *st)
{
	const char *name = last_part(f->path);
	git_odb_object *o;
	git_oid id;
	bool ok;

	if (f->mode == GIT_FILEMODE_COMMIT) /* a submodule, not fetched */
		return mkdirat(dir, name, 0777) == 0 &&
		       fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW) == 0;
	git_oid_fromraw(&id, f->id);
	if (git_odb_read(&o, p->odb, &id) < 0)
		return false;
	ok = git_odb_object_type(o) == GIT_OBJECT_BLOB &&
	     (f->mode == GIT_FILEMODE_LINK
		     ? write_link(dir, name, o, st)
		     : write_file(dir, name,
			   f->mode == GIT_FILEMODE_BLOB_EXECUTABLE, o, st));
	git_odb_object_free(o);
	return ok;
}

static bool
write_piece(const struct plan *p, int top, struct piece at, struct shared *s)
{
	const char *path = p->dirs[p->files[at.from].dir].path;
	int dir = openat(top, *path != '\0' ? path : ".",
	    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool ok = dir >= 0;
	struct stat st;

	for (size_t i = at.from; ok && i < at.to; i++) {
		ok = write_one(p, dir, &p->index_files[i], &st);
		if (ok)
			s->stats[i] = index_stat_of(&st);
	}
	if (dir >= 0)
		close(dir);
	return ok;
}

/* Whichever piece is next, until none is left: the work of one process. */
static void
work_off(const struct plan *p, int top, struct shared *s)
{
	size_t i;

	while (!s->failed && (i = atomic_fetch_add(&s->next, 1)) < p->n_pieces)
		if (!write_piece(p, top, p->pieces[i], s))
			s->failed = true;
}

static pid_t
helper(const struct plan *p, int top, struct shared *s)
{
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent)
		work_off(p, top, s);
	_exit(0);
}

static size_t
helpers(const struct plan *p)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	size_t most = n < 1 ? 1 : n > PROCESSES ? PROCESSES : (size_t)n;

	return (p->written / ALONE < most ? p->written / ALONE : most - 1);
}

static bool
write_files(const struct plan *p, int top, struct shared *s)
{
	pid_t pids[PROCESSES];
	size_t n = 0, want = helpers(p);
	int status;

	if (!make_directories(p, top))
		return false;
	while (n < want && (pids[n] = helper(p, top, s)) > 0)
		n++;
	work_off(p, top, s);
	for (size_t i = 0; i < n; i++) {
		int rc;

		while (
		    (rc = waitpid(pids[i], &status, 0)) < 0 && errno == EINTR)
			continue;
		if (rc < 0 || status != 0)
			s->failed = true;
	}
	return !s->failed;
}

/* --- all of it --- */

static bool
write_index(struct plan *p, const struct shared *s, const char *path)
{
	for (size_t i = 0; i < p->n_files; i++)
		if (p->files[i].here)
			p->index_files[i].stat = &s->stats[i];
	return index_write(
	    path, p->index_files, p->n_files, p->index_dirs, p->n_dirs);
}

static bool
fill(struct plan *p, int top, const char *index)
{
	size_t size =
	    sizeof(struct shared) + p->n_files * sizeof(struct index_stat);
	struct shared *s = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bool ok;

	if (s == MAP_FAILED)
		return false;
	ok = write_files(p, top, s) && write_index(p, s, index);
	munmap(s, size);
	return ok;
}

bool
fill_tree(struct repo *r, const char *rev, const struct strs *dirs,
    const char *work, const char *index)
{
	struct plan p = { .git = repo_git(r), .only = dirs };
	int top = open(work, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool ok;

	if (top < 0)
		return false;
	/* Else the heap grows and shrinks with each object of some size. */
	mallopt(M_TOP_PAD, HEAP);
	mallopt(M_TRIM_THRESHOLD, 64 * HEAP);
	/* As git: zlib's sum is enough to read by, and hashing all again is
	 * two thirds of the work. */
	git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 0);
	ok = plain_settings(r) && make_plan(&p, rev);
	if (ok && !fill(&p, top, index)) {
		ok = false;
		remove_all_but(work, ".git");
		unlink(index);
	}
	git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 1);
	free_plan(&p);
	close(top);
	return ok;
}
