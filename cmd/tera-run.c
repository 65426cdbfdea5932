/*
 * tera-run: supervises jobs, each through an engine.
 *
 * One process and one poll(2) for all jobs: take a line, start its agent,
 * watch it, hand its record on.  What a job is, is in job.h; nothing in here
 * waits for one of them.
 */
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "agent.h"
#include "clock.h"
#include "cmd.h"
#include "feed.h"
#include "job.h"
#include "rest.h"

#define USAGE                                                                  \
	"[-N] [-e engine] [-F megabytes] [-j jobs] [-l lease_seconds] "        \
	"[-t seconds] [-T tool] [command [arg ...]]"

#define WATCH_MS 2000   /* the store, at the latest */
#define WATCH_MIN_MS 50 /* at the most often */
#define ADMIT_MS 50     /* so long, enough memory is enough */
#define HUNGRY_MS 1000  /* too little is too little */
#define NEVER CLOCK_NEVER

static struct job_setup setup;
static struct job *jobs;
static int running, slots = 1;
static struct feed input = { .fd = STDIN_FILENO };
static long long free_mb = 512;
static long long watch_at = NEVER, watched;
static bool watch_now;
static long long rest_at; /* nothing runs: when to rest */
static int ending;        /* the signal that ends us */
static int code;

static void
print(const char *rec)
{
	fputs(rec, stdout);
	fputc('\n', stdout);
	fflush(stdout);
}

/* Hands on the records of the jobs that have ended, and forgets them. */
static void
settle(void)
{
	for (struct job **p = &jobs, *j; (j = *p) != NULL;) {
		if (j->done == NULL) {
			p = &j->next;
			continue;
		}
		print(j->done);
		*p = j->next;
		job_free(j);
		if (--running == 0)
			rest_at = clock_ms() + REST_MS;
	}
}

/* --- take --- */

/* Is there enough memory for one more?  What was started in the last moments
 * has not taken any yet. */
static bool
admit(void)
{
	static bool told;
	static long long asked;
	struct buf b = BUF_INIT;
	const char *line;
	long long kb = -1, now = clock_ms();

	if (free_mb == 0 || (asked != 0 && now - asked < ADMIT_MS))
		return true;
	if (buf_file(&b, "/proc/meminfo", 65536) == 0 &&
	    (line = strstr(buf_text(&b), "MemAvailable:")) != NULL)
		kb = strtoll(line + 13, NULL, 10);
	buf_free(&b);
	asked = kb < 0 || kb / 1024 >= free_mb ? now : 0;
	if (asked != 0)
		return true;
	if (!told)
		warn("less than %lld MB of memory are free: waiting", free_mb);
	told = true;
	return false;
}

/* Claimed but never begun: back to the queue. */
static void
give_back(const char *rec)
{
	char *back = *json_type(rec, "$.error") != '\0'
			 ? xstrdup(rec)
			 : json_merge(rec,
			       "{\"outcome\":\"pending\",\"reason\":\"lost\"}");

	print(back);
	free(back);
}

static void
hear(void)
{
	if (feed_read(&input) < 0) {
		warn("standard input:");
		code = EX_IOERR;
	}
}

static void
take(const char *rec)
{
	struct job *j = job_new(&setup, rec);

	j->next = jobs;
	jobs = j;
	running++;
	if (j->done != NULL)
		settle();
	else if (setup.store != NULL && watch_at == NEVER)
		watch_at = clock_ms() + WATCH_MS;
}

/* Handles one line of input if there is one. */
static bool
take_line(void)
{
	struct fault f;
	size_t n;
	char *s = feed_next(&input, &n);

	if (s == NULL)
		return false;
	if (strspn(s, " \t") == n)
		return true;
	if (json_check(s, n, &f) != 0) {
		warn("line %ld: %s", input.line, f.msg);
		code = EX_DATAERR;
	} else if (ending != 0)
		give_back(s);
	else
		take(s);
	return true;
}

/* --- watch --- */

/* When to look again if nothing comes.  hungry: a line waits for memory. */
static long long
next_time(bool hungry)
{
	long long t = watch_at;

	for (struct job *j = jobs; j != NULL; j = j->next) {
		long long its = job_when(j);

		if (its < t)
			t = its;
	}
	if (watch_now && watched + WATCH_MIN_MS < t)
		t = watched + WATCH_MIN_MS;
	if (hungry && clock_ms() + HUNGRY_MS < t)
		t = clock_ms() + HUNGRY_MS;
	if (running == 0 && rest_at < t)
		t = rest_at;
	return t;
}

static void
signalled(int fd)
{
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			continue; /* guards tell by themselves */
		for (struct job *j = jobs; j != NULL; j = j->next)
			if (ending != 0 && j->running)
				job_kill(j);
			else
				job_stop(j, STOP_END);
		ending = (int)info.ssi_signo;
	}
}

/* Asks the store for all jobs, when it is time to. */
static void
watch(long long now)
{
	bool soon = watch_now && now >= watched + WATCH_MIN_MS;

	if (setup.store == NULL || (now < watch_at && !soon))
		return;
	watch_now = false;
	watched = now;
	watch_at = running > 0 ? now + WATCH_MS : NEVER;
	for (struct job *j = jobs; j != NULL; j = j->next)
		job_watch(j);
}

/* Waits for whatever comes next, and sees to it. */
static void
turn(int sigfd, bool hungry)
{
	enum { SIGNALS, INPUT, STORE, JOBS };
	size_t n = JOBS + JOB_FDS * (size_t)running;
	struct pollfd *p = xmalloc(n * sizeof(*p)), *its = p + JOBS;
	long long now, t = next_time(hungry), left = -1;
	bool want = !input.ended && !hungry && running < slots && ending == 0;

	p[SIGNALS] = (struct pollfd){ sigfd, POLLIN, 0 };
	p[INPUT] = (struct pollfd){ want ? input.fd : -1, POLLIN, 0 };
	p[STORE] = (struct pollfd){ -1, POLLIN, 0 };
	if (setup.store != NULL && running > 0)
		p[STORE].fd = store_wait_fd(setup.store);
	for (struct job *j = jobs; j != NULL; j = j->next, its += JOB_FDS)
		job_poll(j, its);
	if (running > 0)
		rundir_ahead();
	now = clock_ms();
	if (t != NEVER)
		left = t <= now ? 0 : t - now < INT_MAX ? t - now : INT_MAX;
	if (poll(p, n, (int)left) > 0) {
		its = p + JOBS;
		for (struct job *j = jobs; j != NULL; j = j->next) {
			job_hear(j, its);
			its += JOB_FDS;
		}
		if (p[STORE].revents != 0 && store_wait(setup.store, 0) != 0)
			watch_now = true;
		if (p[INPUT].revents != 0)
			hear();
		if (p[SIGNALS].revents != 0) {
			signalled(sigfd);
			guard_reap();
		}
	}
	free(p);
	settle();
	now = clock_ms();
	for (struct job *j = jobs; j != NULL; j = j->next)
		job_due(j, now);
	settle();
	watch(now);
	settle();
	if (running == 0 && now >= rest_at) {
		rest_at = NEVER;
		guard_rest();
		rest();
	}
}

static void
loop(int sigfd)
{
	rest_at = clock_ms() + REST_MS;
	for (;;) {
		bool hungry = false;

		while (running < slots && ending == 0) {
			hungry = feed_more(&input) && !admit();
			if (hungry || !take_line())
				break;
		}
		if (ending != 0) {
			struct pollfd p = { input.fd, POLLIN, 0 };

			if (!input.ended && poll(&p, 1, 0) > 0)
				hear();
			while (take_line())
				continue;
			input.ended = true;
		}
		if (running == 0 && input.ended && !feed_more(&input))
			return;
		turn(sigfd, hungry);
	}
}

/* --- the whole --- */

/* Who started us may have said that a signal is not for us (nohup, &). */
static void
add_unless_ignored(sigset_t *set, int sig)
{
	struct sigaction old;

	if (sigaction(sig, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
		sigaddset(set, sig);
}

/* The signals that we read from a descriptor. */
static int
signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	add_unless_ignored(&set, SIGINT);
	add_unless_ignored(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		die(EX_OSERR, "signalfd:");
	return fd;
}

int
main(int argc, char *argv[])
{
	const char *engine = "local", *tool = NULL;
	bool no_store = false;
	struct fault f;
	char *path = NULL;
	int opt, sigfd;

	err_init(argc, argv, USAGE);
	while ((opt = getopt(argc, argv, "+e:F:j:l:Nt:T:")) != -1)
		switch (opt) {
		case 'e': engine = optarg; break;
		case 'F': free_mb = cmd_number("-F", optarg, 0, 1 << 30); break;
		case 'j': slots = (int)cmd_number("-j", optarg, 1, 1000); break;
		case 'l':
			setup.lease = cmd_number("-l", optarg, 1, 86400);
			break;
		case 'N': no_store = true; break;
		case 't':
			setup.seconds = cmd_number("-t", optarg, 0, 1 << 30);
			break;
		case 'T': tool = optarg; break;
		default: err_usage();
		}
	setup.command = agent_command(engine, argv + optind, argc - optind);
	setup.nice = agent_nice();
	if (!no_store) {
		setup.store = store_open(&f);
		if (setup.store == NULL)
			die(f.code, "%s", f.msg);
		store_wait(setup.store, 0); /* begins to watch */
		path = store_path();
	}
	agent_env(&setup.env, engine, tool, path);
	free(path);
	mask_init(&setup.mask);
	agent_limits();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigfd = signals();
	loop(sigfd);

	guard_rest();
	rundir_end();
	close(sigfd);
	store_close(setup.store);
	mask_free(&setup.mask);
	spawn_env_free(&setup.env);
	feed_free(&input);
	return out_end(ending != 0 ? 128 + ending : code);
}
