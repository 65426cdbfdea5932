/* rundir: names, locks, what is left, and the one that is made ahead. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rundir.h"
#include "spawn.h"

static int count, bad;

static void
ok(bool yes, const char *name)
{
	printf("%sok %d - %s\n", yes ? "" : "not ", ++count, name);
	bad += !yes;
}

static bool
holds(const char *path, const char *want)
{
	struct buf b = BUF_INIT;
	bool yes =
	    buf_file(&b, path, 4096) == 0 && strcmp(buf_text(&b), want) == 0;

	if (!yes)
		printf("# %s: %s\n", path, buf_text(&b));
	buf_free(&b);
	return yes;
}

/* How many are made ahead? */
static int
ahead(void)
{
	DIR *d = opendir("state/run/.next");
	int n = 0;

	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
		n += *e->d_name != '.';
	if (d != NULL)
		closedir(d);
	return n;
}

static bool
mode_is(const char *path, mode_t mode)
{
	struct stat st;

	return stat(path, &st) == 0 && (st.st_mode & 07777) == mode;
}

static bool
locked(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	bool yes = flock(fd, LOCK_EX | LOCK_NB) < 0;

	close(fd);
	return yes;
}

static void
names(void)
{
	char longest[130];

	memset(longest, 'x', 129);
	longest[129] = '\0';
	ok(rundir_good_id("019abc-A_b.c"), "a good id");
	ok(!rundir_good_id("") && !rundir_good_id(".next") &&
		!rundir_good_id("..") && !rundir_good_id("a/b") &&
		!rundir_good_id("a b") && !rundir_good_id(longest),
	    "bad ones");
	longest[128] = '\0';
	ok(rundir_good_id(longest), "the longest");
}

static void
by_name(void)
{
	struct rundir d = RUNDIR_INIT, e = RUNDIR_INIT;
	char text[16] = "";

	ok(rundir_take(&d, "a", "{\"n\":1}") == 0, "take");
	ok(*d.path == '/' && mode_is("state/run/a", 0700), "its directory");
	ok(holds("state/run/a/job.json", "{\"n\":1}\n"), "the record");
	ok(read(d.record, text, sizeof(text)) == 8, "to read");
	ok(locked("state/run/a/lock"), "the lock");
	ok(rundir_take(&e, "a", "{\"n\":2}") == 1, "taken");
	ok(holds("state/run/a/job.json", "{\"n\":1}\n"), "and untouched");
	rundir_close(&d);
	ok(rundir_take(&e, "a", "{}") == 0, "again, when it is free");
	ok(holds("state/run/a/job.json", "{}\n"), "another record");
	rundir_free(&d);
	rundir_free(&e);
}

static void
made_ahead(void)
{
	struct rundir d = RUNDIR_INIT, e = RUNDIR_INIT;
	struct stat a, b;
	char text[64] = "";

	rundir_ahead();
	rundir_ahead();
	ok(ahead() == 1, "one is made, however often one asks");
	ok(rundir_take(&d, "a", "{\"much\":\"longer than the next\"}") == 0 &&
		ahead() == 1 && mode_is("state/run/a/lock", 0600),
	    "where a run was, it is not used");
	ok(rundir_take(&e, "b", "{\"n\":3}") == 0 && ahead() == 0, "used");
	ok(holds("state/run/b/job.json", "{\"n\":3}\n") &&
		mode_is("state/run/b", 0700) &&
		mode_is("state/run/b/lock", 0600) &&
		mode_is("state/run/b/job.json", 0600),
	    "it is like others");
	ok(read(e.record, text, sizeof(text)) == 8 &&
		(fcntl(e.record, F_GETFL) & O_ACCMODE) == O_RDONLY,
	    "the record is to read, and only that");
	ok(fstat(e.lock, &a) == 0 && stat("state/run/b/lock", &b) == 0 &&
		a.st_ino == b.st_ino && locked("state/run/b/lock"),
	    "the lock is its own");
	rundir_free(&d);
	rundir_free(&e);
	ok(!locked("state/run/b/lock"), "and free at last");
	ok(rundir_take(&e, "b", "{}") == 0 &&
		holds("state/run/b/job.json", "{}\n") &&
		locked("state/run/b/lock"),
	    "it runs again");
	rundir_free(&e);
	mkdir("state/run/empty", 0700);
	rundir_ahead();
	ok(rundir_take(&d, "empty", "{}") == 0 &&
		holds("state/run/empty/job.json", "{}\n"),
	    "in the place of an empty one");
	rundir_free(&d);
	rundir_ahead();
	rundir_end();
	ok(ahead() == 0, "none is left behind");

	/* Somebody tidied up. */
	const char *rm[] = { "rm", "-r", "state/run", NULL };

	rundir_ahead();
	spawn_run(rm, NULL, 0, NULL, 0, 0);
	ok(rundir_take(&d, "d", "{}") == 0 &&
		holds("state/run/d/job.json", "{}\n"),
	    "one that was removed is not needed");
	rundir_free(&d);
	rundir_ahead();
	ok(ahead() == 1, "and there is another");
	rundir_end();
}

/* Children end without rundir_end, as if killed. */
static void
left(void)
{
	struct rundir d = RUNDIR_INIT;
	pid_t pid[2];
	int p[2], q[2];
	char c;

	fflush(stdout);
	if (pipe(p) < 0 || pipe(q) < 0)
		die(EX_OSERR, "pipe:");
	for (int i = 0; i < 2; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			close(q[1]);
			rundir_ahead();
			if (write(p[1], "x", 1) < 0 || read(q[0], &c, 1) < 0)
				_exit(1);
			_exit(0);
		}
		if (read(p[0], &c, 1) < 0)
			die(EX_OSERR, "read:");
	}
	ok(ahead() == 2, "two processes have two");
	close(q[1]);
	waitpid(pid[0], NULL, 0);
	waitpid(pid[1], NULL, 0);
	ok(ahead() == 2, "their ends leave both");
	pid[0] = fork();
	if (pid[0] == 0) {
		rundir_ahead();
		_exit(ahead() == 2 && rundir_take(&d, "c", "{\"n\":4}") == 0 &&
			      ahead() == 1 &&
			      holds("state/run/c/job.json", "{\"n\":4}\n")
			  ? 0
			  : 1);
	}
	ok(spawn_wait(pid[0]) == 0, "another process uses one of them");
}

int
main(int argc, char *argv[])
{
	char dir[] = "/tmp/tera-rundir.XXXXXX";
	const char *rm[] = { "rm", "-rf", dir, NULL };

	err_init(argc, argv, "");
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (mkdtemp(dir) == NULL || chdir(dir) < 0)
		die(EX_CANTCREAT, "%s:", dir);
	setenv("TERA_STATE", "state", 1);
	names();
	left();
	by_name();
	made_ahead();
	printf("1..%d\n", count);
	spawn_run(rm, NULL, 0, NULL, 0, 0);
	return out_end(bad != 0);
}
