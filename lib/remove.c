/* See remove.h. */
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "err.h"
#include "remove.h"

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *w)
{
	(void)st;
	(void)w;
	return type == FTW_DP ? rmdir(path) : unlink(path);
}

/* A directory that a worker made unreadable or read-only is in the way. */
static int
open_up(const char *path, const struct stat *st, int type, struct FTW *w)
{
	(void)w;
	if ((type == FTW_D || type == FTW_DNR) && (st->st_mode & 0700) != 0700)
		chmod(path, 0700);
	return 0;
}

int
remove_tree(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -1;
	if (nftw(path, remove_one, 64, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) == 0)
		return 0;
	nftw(path, open_up, 64, FTW_PHYS | FTW_MOUNT);
	return nftw(path, remove_one, 64, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

int
remove_aside(const char *path)
{
	char *dead = xasprintf("%s.dead", path);
	int rc;

	remove_tree(dead);
	rc = rename(path, dead) < 0 && errno != ENOENT ? -1 : 0;
	for (int i = 0; i < 20 && remove_tree(dead) < 0; i++)
		nanosleep(&(struct timespec){ 0, 50000000 }, NULL);
	free(dead);
	return rc;
}

int
remove_all_but(const char *dir, const char *name)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int rc = 0;

	if (d == NULL)
		return errno == ENOENT ? 0 : -1;
	while ((e = readdir(d)) != NULL) {
		char *path;

		if (strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0 ||
		    strcmp(e->d_name, name) == 0)
			continue;
		path = xasprintf("%s/%s", dir, e->d_name);
		if (remove_tree(path) < 0)
			rc = -1;
		free(path);
	}
	closedir(d);
	return rc;
}
