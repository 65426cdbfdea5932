/* guard: one child after the other, what they leave, and who is killed. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guard.h"

static int count, bad;
static char word[32]; /* an argument of sleep that is ours */

static void
ok(bool yes, const char *name)
{
	printf("%sok %d - %s\n", yes ? "" : "not ", ++count, name);
	bad += !yes;
}

/* Starts a script with its output in a pipe, whose end is returned. */
static int
start(struct guard *g, const char *script, int keep, char *const *env)
{
	const char *argv[] = { "sh", "-c", script, NULL };
	struct spawn sp = {
		.argv = argv, .dir = "/", .env = env, .keep = keep
	};
	int p[2], null = open("/dev/null", O_RDONLY | O_CLOEXEC), rc;

	if (null < 0 || pipe2(p, O_CLOEXEC) < 0)
		die(EX_OSERR, "pipe:");
	sp.in = null;
	sp.out = sp.err = p[1];
	rc = guard_start(g, &sp);
	close(null);
	close(p[1]);
	if (rc == 0)
		return p[0];
	close(p[0]);
	return -1;
}

/* Waits for the end, at most ms. */
static bool
end(struct guard *g, int ms)
{
	for (;;) {
		struct pollfd p = { g->fd, POLLIN, 0 };

		if (poll(&p, 1, ms) <= 0)
			return false;
		if (guard_done(g))
			return true;
	}
}

static bool
says(int fd, const char *want)
{
	struct buf out = BUF_INIT;
	bool yes;

	buf_read(&out, fd, 1 << 20);
	close(fd);
	yes = strcmp(buf_text(&out), want) == 0;
	if (!yes)
		printf("# got %s\n", buf_text(&out));
	buf_free(&out);
	return yes;
}

/* Is a "sleep WORD" there? */
static bool
alive(void)
{
	const char *argv[] = { "sh", "-c",
		"for p in /proc/[0-9]*; do "
		"tr '\\0' ' ' 2>/dev/null <\"$p/cmdline\" | "
		"grep -q \"^sleep $1\" && exit 0; done 2>/dev/null; exit 1",
		"sh", word, NULL };

	return spawn_run(argv, NULL, 0, NULL, 0, 0) == 0;
}

static bool
gone(void)
{
	for (int i = 0; i < 40 && alive(); i++)
		usleep(50000);
	return !alive();
}

static void
test_one_after_another(void)
{
	struct guard a, b;
	int out;
	pid_t first;

	out = start(&a, "echo one; exit 3", 0, NULL);
	ok(out >= 0 && end(&a, 5000) && a.ended && a.status == 3, "a child");
	ok(says(out, "one\n"), "what it said");
	first = a.pid;
	out = start(&b, "kill -9 $$", 0, NULL);
	ok(end(&b, 5000) && b.status == 137, "another");
	close(out);
	ok(b.pid == first, "under the same guard");
	out = start(
	    &a, "ls /proc/self/fd | wc -l; pwd; ulimit -n >/dev/null", 0, NULL);
	ok(end(&a, 5000) && says(out, "4\n/\n"), "no descriptor leaks");
	out = start(&a, "trap", 0, NULL);
	ok(end(&a, 5000) && says(out, ""), "no signal is ignored");
	/* the C library keeps two for itself */
	out = start(&a,
	    "set -- $(grep -E 'Sig(Blk|Ign)' /proc/self/status)\n"
	    "echo $2 $((0x$4 & ~0x180000000))",
	    0, NULL);
	ok(end(&a, 5000) && says(out, "0000000000000000 0\n"), "or blocked");

	out = start(&a, "sleep 5", 0, NULL);
	int out2 = start(&b, "echo two", 0, NULL);
	ok(a.pid != b.pid && end(&b, 4000) && says(out2, "two\n"),
	    "two at once have two");
	guard_kill(&a, SIGTERM);
	b = a;
	ok(end(&a, 3000) && a.status == 143, "a signal, however early");
	close(out);
	guard_kill(&b, SIGTERM);
	out = start(&a, "sleep 0.1; echo three", 0, NULL);
	out2 = start(&b, "sleep 0.1; echo four", 0, NULL);
	ok(end(&a, 3000) && end(&b, 3000) && says(out, "three\n") &&
		says(out2, "four\n"),
	    "one that comes too late is not the next child's");
	guard_rest();
	ok(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD,
	    "at rest there is none");
	out = start(&a, "echo again", 0, NULL);
	ok(end(&a, 5000) && says(out, "again\n"), "and then another one");
}

static void
test_large(void)
{
	struct spawn_env env = { 0 };
	struct guard g;
	char *big = xmalloc(100001);
	int out;

	memset(big, 'x', 100000);
	big[100000] = '\0';
	spawn_env_keep(&env, "PATH");
	spawn_env_set(&env, "A", big);
	spawn_env_set(&env, "B", big);
	spawn_env_set(&env, "EMPTY", "");
	out = start(&g, "echo ${#A} ${#B} ${EMPTY-none}.", 0, env.v);
	ok(end(&g, 5000) && says(out, "100000 100000 .\n"),
	    "an environment of many pieces");
	out = start(&g, "echo ${A-none}; echo $KEPT", 0, NULL);
	ok(end(&g, 5000) && says(out, "none\nk\n"), "and then ours");
	spawn_env_free(&env);
	free(big);
}

/* The lock is held until nothing is left, and no longer. */
static void
test_strays(void)
{
	struct guard g;
	char script[128];
	int out, lock = open("lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600), other;
	pid_t first;

	flock(lock, LOCK_EX);
	snprintf(script, sizeof(script),
	    "exec 3>&-; (trap '' TERM; setsid setsid sleep %s &) ; exit 0",
	    word);
	out = start(&g, script, lock, NULL);
	first = g.pid;
	close(lock);
	other = open("lock", O_RDWR | O_CLOEXEC);
	ok(flock(other, LOCK_EX | LOCK_NB) < 0, "the lock is held");
	ok(end(&g, 5000) && g.ended && g.status == 0 && !alive(),
	    "what the child left is killed");
	ok(flock(other, LOCK_EX | LOCK_NB) == 0, "and the lock is free");
	close(out);
	close(other);
	out = start(&g, "ls -d /proc/$PPID/fd/3", 0, NULL);
	ok(end(&g, 5000) && g.pid == first && g.status != 0,
	    "the next has the same guard, and no lock");
	close(out);
}

static void
test_killed(void)
{
	struct guard g;
	char script[128];
	const char *other[] = { "sleep", "20", NULL };
	struct spawn sp = { .argv = other, .in = -1, .out = -1, .err = -1 };
	int out;
	pid_t first, own = spawn_start(&sp);

	out = start(&g, "echo x", 0, NULL);
	ok(end(&g, 5000) && says(out, "x\n"), "a guard waits");
	first = g.pid;
	kill(first, SIGKILL);
	out = start(&g, "echo y", 0, NULL);
	/* it may not be dead yet when the order comes */
	if (end(&g, 5000) && !g.ended) {
		close(out);
		out = start(&g, "echo y", 0, NULL);
		end(&g, 5000);
	}
	ok(g.ended && g.status == 0 && g.pid != first && says(out, "y\n"),
	    "it was killed: there is another one");

	kill(g.pid, SIGKILL);
	usleep(50000);
	guard_reap();
	ok(waitpid(-1, NULL, WNOHANG) == 0, "a dead one is reaped");

	snprintf(script, sizeof(script),
	    "(setsid setsid sleep %s &) ; sleep %s; :", word, word);
	out = start(&g, script, 0, NULL);
	for (int i = 0; i < 40 && !alive(); i++)
		usleep(50000);
	kill(g.pid, SIGKILL);
	ok(end(&g, 5000) && !g.ended && g.status == 137, "amid a child");
	guard_strays();
	ok(gone(), "the strays are ours to kill");
	close(out);
	guard_reap();
	ok(kill(own, SIGKILL) == 0, "a child that no guard has is left alone");
	usleep(50000);
	guard_reap();
	ok(spawn_wait(own) == 137, "also when it has ended");
}

/* SIGKILL to whoever has the guards, one with a child and one without. */
static void
test_parent(void)
{
	char script[128];
	int p[2];
	pid_t pid, pids[3] = { 0 };

	if (pipe(p) < 0)
		die(EX_OSERR, "pipe:");
	snprintf(script, sizeof(script),
	    "(setsid setsid sleep %s &) ; sleep %s; :", word, word);
	fflush(stdout);
	guard_rest();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid = fork();
	if (pid == 0) {
		struct guard a, b;

		start(&b, script, 0, NULL);
		start(&a, "exit 0", 0, NULL);
		end(&a, 5000);
		pids[0] = a.pid;
		pids[1] = b.pid;
		if (write(p[1], pids, sizeof(pids)) < 0)
			_exit(1);
		pause();
		_exit(0);
	}
	if (read(p[0], pids, sizeof(pids)) < 0)
		die(EX_OSERR, "read:");
	for (int i = 0; i < 40 && !alive(); i++)
		usleep(50000);
	ok(alive(), "a grandchild lives");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ok(gone(), "and dies with our end");
	waitpid(pids[0], NULL, 0);
	waitpid(pids[1], NULL, 0);
	ok(waitpid(-1, NULL, WNOHANG) < 0, "the guards have gone, too");
	close(p[0]);
	close(p[1]);
}

int
main(int argc, char *argv[])
{
	char dir[] = "/tmp/tera-guard.XXXXXX";
	const char *rm[] = { "rm", "-rf", dir, NULL };
	struct spawn sp = { .argv = rm, .in = -1, .out = 1, .err = 2 };
	struct guard g;

	err_init(argc, argv, "");
	setvbuf(stdout, NULL, _IOLBF, 0);
	snprintf(word, sizeof(word), "7%d.5", (int)getpid());
	setenv("KEPT", "k", 1);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	if (mkdtemp(dir) == NULL || chdir(dir) < 0)
		die(EX_CANTCREAT, "%s:", dir);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	ok(guard_start(&g, &sp) < 0 && errno == EINVAL,
	    "no descriptor to give");
	test_one_after_another();
	test_large();
	test_strays();
	test_killed();
	test_parent();
	printf("1..%d\n", count);
	spawn_run(rm, NULL, 0, NULL, 0, 0);
	return out_end(bad != 0);
}
