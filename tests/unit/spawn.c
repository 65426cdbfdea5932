/* spawn: children, their ends, trees, and where share/ is. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "spawn.h"

static int count, bad;

static void
ok(bool yes, const char *name)
{
	printf("%sok %d - %s\n", yes ? "" : "not ", ++count, name);
	bad += !yes;
}

static int
run(struct buf *out, size_t max, const char *in, const char *script, int s)
{
	const char *argv[] = { "sh", "-c", script, NULL };

	buf_clear(out);
	return spawn_run(argv, in, strlen(in), out, max, s);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
test_run(void)
{
	struct buf out = BUF_INIT;
	char *big = xmalloc(1000001);
	double start;
	const char *none[] = { "no-such-program-at-all", NULL };
	const char *dir[] = { "/", NULL };

	ok(run(&out, 100, "", "exit 7", 0) == 7, "the child's own status");
	ok(run(&out, 100, "", "kill -9 $$", 0) == 137, "128 + signal");
	ok(run(&out, 100, "", "wc -c", 0) == 0 && atol(buf_text(&out)) == 0,
	    "no input is an empty input");
	memset(big, 'x', 1000000);
	big[1000000] = '\0';
	ok(run(&out, 2000000, big, "cat", 0) == 0 && out.len == 1000000,
	    "a megabyte there and back");
	ok(run(&out, 10, big, "cat", 0) == 0 && out.len == 10,
	    "output is cut and drained");
	ok(run(&out, 10, big, "exit 3", 0) == 3, "a child that reads nothing");
	start = now();
	ok(run(&out, 10, "", "sleep 20", 1) == 124 && now() - start < 3,
	    "the time limit");
	ok(run(&out, 10, "", "trap '' TERM; while :; do sleep 0.2; done", 1) ==
		124,
	    "the time limit for one that ignores TERM");
	start = now();
	ok(run(&out, 10, "", "sleep 20 & echo x", 0) == 0 && out.len == 2 &&
		now() - start < 2,
	    "a background child that holds the output does not hold us");
	int err = dup(2), null = open("/dev/null", O_WRONLY);
	dup2(null, 2);
	ok(spawn_run(none, NULL, 0, &out, 9, 0) == 127, "127 not found");
	ok(spawn_run(dir, NULL, 0, &out, 9, 0) == 126, "126 not executable");
	dup2(err, 2);
	close(err);
	close(null);
	free(big);
	buf_free(&out);
}

static void
test_start(void)
{
	const char *argv[] = { "sh", "-c",
		"pwd; echo \"$A-$B\"; echo e >&2; ls /proc/self/fd | wc -l",
		NULL };
	struct spawn_env env = { 0 };
	struct spawn sp = { .argv = argv, .dir = "/", .in = -1 };
	struct buf out = BUF_INIT;
	int p[2], leak = open("/dev/null", O_RDONLY);

	setenv("KEPT", "k", 1);
	spawn_env_set(&env, "A", "old");
	spawn_env_set(&env, "A", "1");
	spawn_env_set(&env, "B", NULL);
	spawn_env_keep(&env, "KEPT");
	spawn_env_keep(&env, "PATH");
	ok(env.n == 3 && strcmp(env.v[0], "A=1") == 0 &&
		strcmp(env.v[1], "KEPT=k") == 0,
	    "spawn_env");
	if (pipe2(p, O_CLOEXEC) < 0)
		die(EX_OSERR, "pipe:");
	sp.out = sp.err = p[1];
	sp.env = env.v;
	pid_t pid = spawn_start(&sp);
	close(p[1]);
	buf_read(&out, p[0], 1000);
	close(p[0]);
	close(leak);
	ok(spawn_wait(pid) == 0 && strcmp(buf_text(&out), "/\n1-\ne\n4\n") == 0,
	    "directory, environment, descriptors");
	buf_free(&out);
	spawn_env_free(&env);
}

/* Is one there that was started with this word as an argument? */
static bool
alive(const char *word)
{
	const char *argv[] = { "sh", "-c",
		"for p in /proc/[0-9]*; do "
		"tr '\\0' ' ' 2>/dev/null <\"$p/cmdline\" | "
		"grep -q \"^sleep $1\" && exit 0; done 2>/dev/null; exit 1",
		"sh", word, NULL };

	return spawn_run(argv, NULL, 0, NULL, 0, 0) == 0;
}

static void
test_tree(void)
{
	char word[32], script[256];
	const char *argv[] = { "sh", "-c", script, NULL };
	struct spawn sp = {
		.argv = argv, .in = -1, .out = -1, .err = -1, .session = true
	};

	/* One in the group, one in a session of its own, one a grandchild. */
	snprintf(word, sizeof(word), "9%d.5", (int)getpid());
	snprintf(script, sizeof(script),
	    "sleep %s & setsid sleep %s & (setsid sleep %s; :) & wait", word,
	    word, word);
	pid_t pid = spawn_start(&sp);
	usleep(300000);
	ok(alive(word), "a tree is alive");
	ok(spawn_kill_tree(pid, SIGKILL) >= 3, "it is hit");
	ok(spawn_wait(pid) == 137, "its root is killed");
	usleep(50000);
	ok(!alive(word), "nothing is left of it");

	/* An orphan comes to the subreaper. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	snprintf(script, sizeof(script), "setsid sleep %s & exit 0", word);
	ok(spawn_wait(spawn_start(&sp)) == 0, "a root that leaves a stray");
	usleep(100000);
	ok(spawn_kill_below(getpid(), SIGKILL) == 1, "the stray is hit");
	usleep(50000);
	ok(!alive(word), "the stray is gone");
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static void
test_parent(void)
{
	char word[32];
	const char *argv[] = { "sleep", word, NULL };
	struct spawn sp = { .argv = argv,
		.in = -1,
		.out = -1,
		.err = -1,
		.session = true,
		.die_with_parent = true };

	snprintf(word, sizeof(word), "8%d.5", (int)getpid());
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		spawn_start(&sp);
		pause();
		_exit(0);
	}
	usleep(200000);
	ok(alive(word), "a grandchild lives");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	usleep(100000);
	ok(!alive(word), "and dies with its parent");
}

static void
put(const char *path)
{
	FILE *f = fopen(path, "w");

	if (f == NULL)
		die(EX_CANTCREAT, "%s:", path);
	fclose(f);
}

static bool
same(char *got, const char *want)
{
	bool yes =
	    got == NULL ? want == NULL : want != NULL && strcmp(got, want) == 0;

	if (!yes)
		printf("# got %s want %s\n", got != NULL ? got : "(none)",
		    want != NULL ? want : "(none)");
	free(got);
	return yes;
}

static void
test_paths(void)
{
	struct stat st;

	ok(make_dirs("a/b/c") == 0 && stat("a/b", &st) == 0 &&
		(st.st_mode & 0777) == 0700,
	    "make_dirs");
	ok(make_dirs("a/b/c") == 0, "make_dirs again");
	put("file");
	ok(make_dirs("file") < 0 && make_dirs("file/x") < 0,
	    "make_dirs over a file");
	unsetenv("TERA_STATE");
	setenv("XDG_STATE_HOME", "/nowhere/x", 1);
	setenv("HOME", "home", 1);
	unsetenv("XDG_STATE_HOME");
	ok(same(state_dir("run/x"), "home/.local/state/tera/run/x"),
	    "state_dir by HOME");
	setenv("TERA_STATE", "st", 1);
	ok(same(state_dir(NULL), "st"), "state_dir by TERA_STATE");

	unsetenv("TERA_SHARE");
	unsetenv("XDG_CONFIG_HOME");
	setenv("TERA_CONFIG", "conf", 1);
	char *engine = share_path("engine");
	ok(engine != NULL && access(engine, R_OK) == 0,
	    "share_path finds the tree's");
	free(engine);
	make_dirs("sh/worker");
	make_dirs("conf/worker");
	put("sh/worker/one");
	setenv("TERA_SHARE", "sh", 1);
	ok(same(share_path("worker/one"), "sh/worker/one"), "TERA_SHARE");
	put("conf/worker/one");
	ok(same(share_path("worker/one"), "conf/worker/one"), "TERA_CONFIG");
	ok(same(share_path("worker/two"), NULL), "none");
	ok(same(share_path("../conf/worker/one"), NULL) &&
		same(share_path("worker/../worker/one"), NULL) &&
		same(share_path("/etc/passwd"), NULL) &&
		same(share_path(""), NULL),
	    "no way out of share/");
}

int
main(int argc, char *argv[])
{
	char dir[] = "/tmp/tera-spawn.XXXXXX";

	err_init(argc, argv, "");
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (mkdtemp(dir) == NULL || chdir(dir) < 0)
		die(EX_CANTCREAT, "%s:", dir);
	test_run();
	test_start();
	test_tree();
	test_parent();
	test_paths();
	printf("1..%d\n", count);
	const char *rm[] = { "rm", "-rf", dir, NULL };
	spawn_run(rm, NULL, 0, NULL, 0, 0);
	return out_end(bad != 0);
}
