/* prog: programs that take too long, and those that wait for them. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "prog.h"

static int count, bad;

static void
ok(bool yes, const char *name)
{
	printf("%sok %d - %s\n", yes ? "" : "not ", ++count, name);
	bad += !yes;
}

/* Makes a tera-diff of our own, where it is found first. */
static void
script(const char *dir, const char *text)
{
	char *path = xasprintf("%s/tera-diff", dir);
	FILE *fp = fopen(path, "w");

	if (fp == NULL)
		die(EX_IOERR, "%s:", path);
	fprintf(fp, "#!/bin/sh\n%s\n", text);
	fclose(fp);
	chmod(path, 0700);
	free(path);
}

/* Until one has ended, which is who. */
static void *
wait_for(struct progs *ps, struct task *t)
{
	void *who;

	while ((who = progs_next(ps, t)) == NULL) {
		struct pollfd fd = { progs_fd(ps), POLLIN, 0 };

		poll(&fd, 1, progs_patience(ps));
	}
	return who;
}

static void
forget(struct task *t)
{
	buf_free(&t->text);
	free(t->msg);
	*t = (struct task){ .rc = 0 };
}

/* Apache's mod_cgid shuts its end of the one socket after the body: the answer
 * is wanted all the same, until the socket is closed. */
static void
standard_output(struct progs *ps, const struct program *p, struct task *t)
{
	int ends[2], own, me;
	bool waits, gone;

	fflush(stdout);
	own = dup(STDOUT_FILENO);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		die(EX_OSERR, "socketpair:");
	dup2(ends[0], STDOUT_FILENO);
	close(ends[0]);
	shutdown(ends[1], SHUT_WR);
	progs_add(ps, p, "{}", "me", STDOUT_FILENO, &me);
	waits = progs_next(ps, t) == NULL && progs_next(ps, t) == NULL;
	usleep(300000); /* one that was ended is gone by now */
	waits = waits && progs_next(ps, t) == NULL;
	close(ends[1]);
	gone = waits && wait_for(ps, t) == &me && t->rc == EX_UNAVAILABLE;
	dup2(own, STDOUT_FILENO);
	close(own);
	ok(waits, "a server that has said all still listens");
	ok(gone, "until it does not");
}

int
main(void)
{
	char dir[] = "/tmp/tera-prog.XXXXXX";
	const struct program *diff = prog_find("diff");
	const struct program *files = prog_find("files");
	struct task t = { .rc = 0 };
	int a, b, ends[2];
	long long began;
	struct progs *ps;
	char *path;

	if (mkdtemp(dir) == NULL)
		die(EX_IOERR, "%s:", dir);
	path = xasprintf("%s:%s", dir, getenv("PATH"));
	setenv("PATH", path, 1);
	/* the directory of this test comes first in it, and has no tera-diff */
	ps = progs_open(1);
	ok(diff != NULL && files != NULL && prog_find("sh") == NULL,
	    "the programs are those of the table");

	script(dir, "cat; echo >&2 tera-diff: words");
	progs_add(ps, diff, "{\"a\":1}", "me", -1, &a);
	ok(wait_for(ps, &t) == &a && t.rc == 0 && t.rows == 1 &&
		strcmp(t.text.s, "{\"a\":1}") == 0,
	    "what it reads and says");
	forget(&t);

	progs_add(ps, files, "{\"pr\":\"-x\"}", "me", -1, &a);
	ok(wait_for(ps, &t) == &a && t.rc == EX_SOFTWARE && t.rows == 0,
	    "an id that would be an option");
	forget(&t);
	progs_add(ps, files, "{\"pr\":\"a;b\"}", "me", -1, &a);
	ok(wait_for(ps, &t) == &a && t.rc == EX_SOFTWARE, "or anything else");
	forget(&t);
	progs_add(ps, files, "{}", "me", -1, &a);
	ok(wait_for(ps, &t) == &a && t.rc == EX_SOFTWARE, "or is not there");
	forget(&t);

	script(dir, "trap '' TERM; echo '{}'; while :; do sleep 0.1; done");
	began = clock_ms();
	progs_add(ps, diff, "{}", "me", -1, &a);
	ok(wait_for(ps, &t) == &a && t.rc == EX_TEMPFAIL && t.rows == 0 &&
		strstr(t.msg, "too long") != NULL,
	    "one that takes too long");
	ok(clock_ms() - began > 2500, "gets TERM, and KILL later");
	forget(&t);

	script(dir, "sleep 30");
	standard_output(ps, diff, &t);
	forget(&t);

	script(dir, "trap '' TERM; while :; do sleep 0.1; done");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		die(EX_OSERR, "socketpair:");
	for (int i = 0; i < PROG_RUNNING; i++)
		progs_add(ps, diff, "{}", "me", -1, &a);
	progs_add(ps, diff, "{}", "me", ends[0], &b);
	ok(progs_next(ps, &t) == NULL, "they run");
	close(ends[1]);
	ok(wait_for(ps, &t) == &b && t.rc == EX_UNAVAILABLE,
	    "who waits for its turn can go away");
	forget(&t);
	for (int i = 0; i < PROG_RUNNING; i++)
		ok(progs_end(ps) == &a, "ended from outside");
	ok(progs_end(ps) == NULL, "all of them");
	ok(progs_patience(ps) == -1, "nothing to wait for");
	progs_close(ps);
	progs_close(NULL);
	close(ends[0]);
	free(path);
	path = xasprintf("%s/tera-diff", dir);
	unlink(path);
	rmdir(dir);
	free(path);
	printf("1..%d\n", count);
	return bad != 0;
}
