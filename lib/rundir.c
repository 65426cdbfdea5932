/* See rundir.h. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "rundir.h"
#include "spawn.h"

bool
rundir_good_id(const char *id)
{
	size_t n = strlen(id);

	if (n == 0 || n > 128 || *id == '.')
		return false;
	for (; *id != '\0'; id++)
		if (!isalnum((unsigned char)*id) && strchr("-_.", *id) == NULL)
			return false;
	return true;
}

/* $TERA_STATE/run, made once, as seen from any directory; NULL with errno. */
static const char *
base(void)
{
	static char *dir;
	char *path;

	if (dir != NULL)
		return dir;
	path = state_dir("run");
	if (path != NULL && *path != '/') {
		dir = realpath(path, NULL);
		free(path);
	} else
		dir = path;
	return dir;
}

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* --- the one made ahead --- */

static struct {
	char *path;
	int lock;   /* locked; also job.json, to write */
	int in;     /* job.json, to read */
	bool dirty; /* there may be something in it */
	bool tried; /* since the last record came */
	bool never; /* files have only one name here */
} next = { NULL, -1, -1, false, false, false };

static void
next_forget(bool remove)
{
	static const char *const names[] = { "job.json", "lock" };

	for (int i = 0; i < 2 && remove; i++) {
		char *file = xasprintf("%s/%s", next.path, names[i]);

		unlink(file);
		free(file);
	}
	if (remove)
		rmdir(next.path);
	close_fd(&next.lock);
	close_fd(&next.in);
	free(next.path);
	next.path = NULL;
}

/* Is this one the file that we have locked? */
static bool
same(const char *path)
{
	struct stat ours, there;

	return fstat(next.lock, &ours) == 0 && stat(path, &there) == 0 &&
	       ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

/* Makes next of the directory, if nobody else has it; one that is ours but no
 * good is removed. */
static bool
next_from(const char *dir)
{
	char *lock = xasprintf("%s/lock", dir);
	char *json = xasprintf("%s/job.json", dir);
	bool ours;

	next.path = xstrdup(dir);
	next.lock = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ours = next.lock >= 0 && flock(next.lock, LOCK_EX | LOCK_NB) == 0 &&
	       same(lock);
	if (ours && link(lock, json) < 0)
		next.never = errno == EPERM || errno == EOPNOTSUPP;
	if (ours && same(json))
		next.in = open(json, O_RDONLY | O_CLOEXEC);
	free(lock);
	free(json);
	if (next.in < 0)
		next_forget(ours);
	return next.in >= 0;
}

/* Takes one over whose process was killed. */
static bool
next_left(const char *below)
{
	DIR *d = opendir(below);
	struct dirent *e;
	bool found = false;

	if (d == NULL)
		return false;
	while (!found && (e = readdir(d)) != NULL) {
		char *dir;

		if (*e->d_name == '.')
			continue;
		dir = xasprintf("%s/%s", below, e->d_name);
		found = next_from(dir);
		free(dir);
	}
	closedir(d);
	return found;
}

void
rundir_ahead(void)
{
	static bool looked;
	char *below, *dir;

	if (next.tried || next.never || next.path != NULL || base() == NULL)
		return;
	next.tried = true;
	below = xasprintf("%s/.next", base());
	next.dirty = !looked && next_left(below);
	if (next.path == NULL && make_dirs(below) == 0) {
		dir = xasprintf("%s/XXXXXX", below);
		if (mkdtemp(dir) != NULL && !next_from(dir))
			rmdir(dir);
		free(dir);
	}
	looked = true;
	free(below);
}

void
rundir_end(void)
{
	if (next.path != NULL)
		next_forget(true);
}

/* Writes the record and gives it its name.  false: not possible. */
static bool
next_take(struct rundir *d, const char *rec, size_t len)
{
	if (next.path == NULL)
		return false;
	if ((next.dirty && ftruncate(next.lock, 0) < 0) ||
	    pwrite(next.lock, rec, len, 0) != (ssize_t)len) {
		next_forget(true);
		return false;
	}
	next.dirty = true;
	if (rename(next.path, d->path) < 0) {
		/* An earlier run's is there; or ours was removed. */
		if (errno != ENOTEMPTY && errno != EEXIST)
			next_forget(true);
		return false;
	}
	d->lock = next.lock;
	d->record = next.in;
	next.lock = next.in = -1;
	next_forget(false);
	return true;
}

/* --- one by its name --- */

/* Kills what an earlier run of the job left. */
static void
kill_earlier(const struct rundir *d, const char *id)
{
	char *job = xasprintf("TERA_JOB_ID=%s", id);
	char *dir = xasprintf("TERA_RUN_DIR=%s", d->path);
	const char *entries[] = { job, dir, NULL };

	spawn_kill_env(entries, SIGKILL);
	free(job);
	free(dir);
}

/* Writes job.json in one piece: never half there. */
static int
put(struct rundir *d, const char *text, size_t len)
{
	char *path = xasprintf("%s/job.json", d->path);
	char *tmp = xasprintf("%s.tmp", path);
	int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int rc = -1;

	if (fd >= 0) {
		rc = write(fd, text, len) == (ssize_t)len ? 0 : -1;
		if (close(fd) < 0)
			rc = -1;
		if (rc == 0)
			rc = rename(tmp, path);
	}
	if (rc == 0 && (d->record = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		rc = -1;
	free(tmp);
	free(path);
	return rc;
}

/* Makes the directory and opens its lock. */
static int
enter(struct rundir *d, const char *id)
{
	char *path = xasprintf("%s/job.json", d->path);

	if (make_dirs(d->path) == 0) {
		if (access(path, F_OK) == 0)
			kill_earlier(d, id);
		free(path);
		path = xasprintf("%s/lock", d->path);
		d->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	}
	free(path);
	return d->lock < 0 ? -1 : 0;
}

int
rundir_take(struct rundir *d, const char *id, const char *rec)
{
	struct buf line = BUF_INIT;
	int rc = 0;

	buf_str(&line, rec);
	buf_chr(&line, '\n');
	if (d->path == NULL) {
		next.tried = false;
		if (base() == NULL) {
			buf_free(&line);
			return -1;
		}
		d->path = xasprintf("%s/%s", base(), id);
		if (next_take(d, line.s, line.len)) {
			buf_free(&line);
			return 0;
		}
		rc = enter(d, id);
	}
	if (rc == 0 && flock(d->lock, LOCK_EX | LOCK_NB) < 0) {
		kill_earlier(d, id);
		rc = 1;
	}
	if (rc == 0)
		rc = put(d, line.s, line.len);
	buf_free(&line);
	return rc;
}

void
rundir_close(struct rundir *d)
{
	close_fd(&d->lock);
	close_fd(&d->record);
}

void
rundir_free(struct rundir *d)
{
	rundir_close(d);
	free(d->path);
	*d = (struct rundir)RUNDIR_INIT;
}
