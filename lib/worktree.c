/* See worktree.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calm.h"
#include "remove.h"
#include "worktree.h"

/* The first line of a small regular file; NULL when there is none. */
static char *
line_of(const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name), *line = NULL;
	struct buf b = BUF_INIT;

	if (calm_file(&b, path, PATH_MAX + 32) == 0) {
		line = buf_take(&b);
		line[strcspn(line, "\n")] = '\0';
	}
	buf_free(&b);
	free(path);
	return line;
}

static bool
put(const char *dir, const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	size_t n = strlen(text);
	bool ok = fd >= 0 && write(fd, text, n) == (ssize_t)n;

	if (fd >= 0)
		ok = close(fd) == 0 && ok;
	free(path);
	return ok;
}

/* Calls see for each directory below worktrees/ until it says true. */
static bool
each(const char *repo, bool (*see)(const char *dir, void *arg), void *arg)
{
	char *all = xasprintf("%s/worktrees", repo), *dir;
	DIR *d = opendir(all);
	struct dirent *e;
	bool found = false;

	while (d != NULL && !found && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		dir = xasprintf("%s/%s", all, e->d_name);
		found = see(dir, arg);
		free(dir);
	}
	if (d != NULL)
		closedir(d);
	free(all);
	return found;
}

static bool
same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

/* --- making one --- */

/* path by its real name, but for the last part; NULL and errno. */
static char *
real_path(const char *path)
{
	const char *last = strrchr(path, '/') + 1;
	char *above = xstrndup(path, (size_t)(last - path));
	char *real = realpath(above, NULL), *full = NULL;

	if (real != NULL)
		full = xasprintf("%s/%s", real, last);
	free(real);
	free(above);
	return full;
}

/* Is what has our name an older tie to our path?  Then it goes. */
static bool
give_way(const char *admin, const char *link)
{
	struct stat st;
	char *to;
	bool ours;

	if (lstat(admin, &st) < 0)
		return errno == ENOENT;
	to = line_of(admin, "gitdir");
	ours = to != NULL && strcmp(to, link) == 0;
	free(to);
	return ours && remove_tree(admin) == 0;
}

/* "locked" first and until all is there, so that no prune takes it away. */
static bool
tie(const char *admin, const char *path, const char *link, const char *branch)
{
	char *head = xasprintf("ref: refs/heads/%s\n", branch);
	char *back = xasprintf("%s\n", link);
	char *to = xasprintf("gitdir: %s\n", admin);
	char *lock = xasprintf("%s/locked", admin);
	bool ok =
	    mkdir(admin, 0777) == 0 && put(admin, "locked", "initializing") &&
	    put(admin, "HEAD", head) && put(admin, "gitdir", back) &&
	    put(admin, "commondir", "../..\n") && mkdir(path, 0777) == 0 &&
	    put(path, ".git", to) && unlink(lock) == 0;

	free(head);
	free(back);
	free(to);
	free(lock);
	return ok;
}

/* git uses the names in those of refs. */
static bool
good_name(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && strstr(name, "..") == NULL && name[n - 1] != '.' &&
	       (n < 5 || strcmp(name + n - 5, ".lock") != 0);
}

static char *
add(const char *repo, const char *name, const char *path, const char *branch)
{
	char *admin = xasprintf("%s/worktrees/%s", repo, name);
	char *all = xasprintf("%s/worktrees", repo);
	char *link = xasprintf("%s/.git", path);
	struct stat st;
	int saved;

	if (!good_name(name) || (mkdir(all, 0777) < 0 && errno != EEXIST) ||
	    lstat(all, &st) < 0 || !S_ISDIR(st.st_mode) ||
	    !give_way(admin, link) || lstat(path, &st) == 0) {
		free(admin);
		admin = NULL;
	} else if (!tie(admin, path, link, branch)) {
		saved = errno;
		remove_tree(admin);
		remove_tree(path);
		errno = saved;
		free(admin);
		admin = NULL;
	}
	free(link);
	free(all);
	return admin;
}

char *
worktree_add(
    const char *repo, const char *name, const char *path, const char *branch)
{
	char *real = realpath(repo, NULL), *to = real_path(path);
	char *admin = NULL;

	if (real != NULL && to != NULL)
		admin = add(real, name, to, branch);
	free(to);
	free(real);
	return admin;
}

/* --- looking at those that are there --- */

/* The directory that the file .git in dir names, real; NULL when none. */
static char *
link_of(const char *dir)
{
	char *path = xasprintf("%s/.git", dir), *to = NULL;
	struct buf b = BUF_INIT;
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    calm_file(&b, path, 8192) == 0 &&
	    strncmp(buf_text(&b), "gitdir: /", 9) == 0) {
		b.s[strcspn(b.s, "\r\n")] = '\0';
		to = realpath(b.s + 8, NULL);
	}
	buf_free(&b);
	free(path);
	return to;
}

bool
worktree_tied(const char *dir, const char *path)
{
	char *real = realpath(path, NULL), *to = link_of(dir), *info;
	size_t n = real != NULL ? strlen(real) : 0;
	bool tied = n > 0 && to != NULL && strncmp(to, real, n) == 0 &&
		    strncmp(to + n, "/worktrees/", 11) == 0 &&
		    to[n + 11] != '\0' && strchr(to + n + 11, '/') == NULL;

	if (tied) {
		info = xasprintf("%s/info", real);
		calm_all(to);
		calm_all(info);
		free(info);
	}
	free(real);
	free(to);
	return tied;
}

struct sought {
	char *head;
	const char *path;
};

static bool
holds(const char *dir, void *arg)
{
	const struct sought *s = arg;
	char *head = line_of(dir, "HEAD"), *at = NULL;
	size_t n = 0;
	bool is = false;

	if (head != NULL && strcmp(head, s->head) == 0 &&
	    (at = line_of(dir, "gitdir")) != NULL)
		n = strlen(at);
	if (n > 5 && strcmp(at + n - 5, "/.git") == 0) {
		at[n - 5] = '\0';
		is = access(at, F_OK) == 0 && !same_file(at, s->path);
	}
	free(head);
	free(at);
	return is;
}

bool
worktree_holds(const char *repo, const char *branch, const char *path)
{
	struct sought s = { xasprintf("ref: refs/heads/%s", branch), path };
	bool is = each(repo, holds, &s);

	free(s.head);
	return is;
}

static bool
prune(const char *dir, void *arg)
{
	char *locked = xasprintf("%s/locked", dir);
	char *link = line_of(dir, "gitdir");
	struct stat st;

	(void)arg;
	if (lstat(locked, &st) < 0 && errno == ENOENT &&
	    (link == NULL || *link != '/' ||
		(lstat(link, &st) < 0 &&
		    (errno == ENOENT || errno == ENOTDIR))))
		remove_tree(dir);
	free(link);
	free(locked);
	return false;
}

void
worktree_prune(const char *repo)
{
	each(repo, prune, NULL);
}

static bool
bury(const char *dir, void *arg)
{
	char *common = xasprintf("%s/commondir", dir);
	char *locked = line_of(dir, "locked");
	struct stat st;

	(void)arg;
	if ((locked != NULL && strcmp(locked, "initializing") == 0) ||
	    lstat(common, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
		remove_tree(dir);
	free(locked);
	free(common);
	return false;
}

void
worktree_bury(const char *repo)
{
	each(repo, bury, NULL);
}
