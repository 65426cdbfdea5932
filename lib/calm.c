/* See calm.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calm.h"
#include "strs.h"

int
calm_file(struct buf *b, const char *path, size_t max)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int rc = -1, saved;
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0) {
		errno = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
		if (S_ISREG(st.st_mode) && st.st_size <= (off_t)max)
			rc = buf_read(b, fd, max) == 0 ? 0 : -1;
	}
	saved = errno;
	close(fd);
	errno = saved;
	return rc;
}

/* --- walking --- */

static int
type_of(const char *full, const struct dirent *e)
{
	struct stat st;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type;
	return lstat(full, &st) == 0 ? IFTODT(st.st_mode) : DT_REG;
}

static bool
walk_dir(const char *top, const char *dir, struct strs *todo, calm_seen *seen,
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
void
calm_walk(const char *top, calm_seen *seen, void *arg)
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

/* --- what would hang --- */

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

	calm_walk(dir, calm_one, &c);
	if (c.gone.n > 0)
		warn("%s: removed %zu special file%s in git's way: %s%s", dir,
		    c.gone.n, c.gone.n > 1 ? "s" : "", c.gone.v[0],
		    c.gone.n > 1 ? " and others" : "");
	strs_free(&c.gone);
}

void
calm_tree(const char *dir)
{
	calm_dir(dir, false);
}

void
calm_all(const char *dir)
{
	calm_dir(dir, true);
}
