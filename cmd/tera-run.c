/*
 * tera-run: supervises jobs, each through an engine.
 *
 * One process and one poll(2) for all jobs.  A job is a child under a guard
 * (see guard.h), two pipes with what it says, and a few points in time.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "err.h"
#include "guard.h"
#include "jobrec.h"
#include "json.h"
#include "mask.h"
#include "outcome.h"
#include "output.h"
#include "rundir.h"
#include "spawn.h"
#include "store.h"

#define USAGE                                                                  \
	"[-n] [-e engine] [-j jobs] [-l seconds] [-m megabytes] [-t seconds] " \
	"[-w worker] [command [arg ...]]"

#define LEASE 60        /* seconds, where neither -l nor the record says */
#define WATCH_MS 2000   /* at the latest */
#define WATCH_MIN_MS 50 /* at the most often */
#define MEMORY_MS 2000
#define ADMIT_MS 50   /* so long, enough memory is enough */
#define GRACE_MS 3000 /* from TERM to KILL */
#define END_MS 10000  /* the same when we are to end */
#define LOCK_MS 5000  /* for an earlier agent to go */
#define MAX_FILES 65536
#define NEVER LLONG_MAX

struct job {
	struct job *next;
	char *rec;
	struct jobrec says; /* rec */
	struct rundir dir;
	bool running; /* else it waits for the lock */
	struct guard g;
	struct output out;
	enum stop stop;
	long long lock_end, limit_at, kill_at, renew_at, memory_at;
};

static struct job *jobs;
static int running, slots = 1;
static bool no_store;
static struct store *store;
static struct mask mask;
static struct spawn_env env;
static const char **command; /* with the engine in front, if there is one */
static long long own_lease, min_free = 512, seconds;
static const char *worker;
static int niceness = 5;
static long long watch_at = NEVER, watched;
static bool watch_now;
static int ending; /* the signal that ends us */
static int code;

static long long
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void
print(const char *rec)
{
	fputs(rec, stdout);
	fputc('\n', stdout);
	fflush(stdout);
}

/* --- what a job says --- */

static void
say(void *arg, const char *summary, const char *text, size_t n,
    const char *file)
{
	struct job *j = arg;
	struct buf in = BUF_INIT;
	struct fault f;

	if (no_store) {
		fwrite(text, 1, n, stderr);
		return;
	}
	json_add(&in, "job_id", j->says.id);
	json_add_int(&in, "fence", j->says.fence);
	json_add_int(&in, "lease_seconds", j->says.lease);
	json_add(&in, "session_id", j->says.session);
	json_add(&in, "step", "output");
	json_add(&in, "summary", summary);
	json_addn(&in, "raw_output", text, n);
	if (file != NULL)
		json_add(&in, "raw_file", file);
	switch (store_do(store, "log.add", json_end(&in), NULL, NULL, &f)) {
	case 0: break;
	case EX_DATAERR: j->renew_at = 0; break; /* the fence is old? */
	default: warn("%s: log: %s", j->says.id, f.msg);
	}
	buf_free(&in);
}

/* --- the end of a job --- */

static void
forget(struct job *j)
{
	struct job **p = &jobs;

	while (*p != j)
		p = &(*p)->next;
	*p = j->next;
	running--;
	output_free(&j->out);
	rundir_free(&j->dir);
	jobrec_free(&j->says);
	free(j->rec);
	free(j);
}

/* Gives the record out and forgets the job. */
static void
give(struct job *j, char *rec)
{
	print(rec);
	free(rec);
	forget(j);
}

/* With an error of our own. */
static void
give_up(struct job *j, int status, const char *reason, const char *message)
{
	give(j, outcome_not_run(j->rec, status, reason, message));
}

/* With what became of it. */
static void
settle(struct job *j)
{
	struct outcome o = { .stop = j->stop,
		.ran = j->running,
		.status = j->g.status,
		.result = j->out.result.len > 0 ? j->out.result.s : NULL,
		.last = buf_text(&j->out.last) };

	give(j, outcome_record(j->rec, &o));
}

/* After the guard has gone: nothing runs any more. */
static void
ended(struct job *j)
{
	if (!j->g.ended)
		guard_strays(); /* somebody killed the guard */
	output_end(&j->out);
	settle(j);
}

/* --- ending a job before its time --- */

static void
stop(struct job *j, enum stop why)
{
	if (!j->running) {
		j->stop = why;
		settle(j);
		return;
	}
	if (j->stop != STOP_NONE && why != STOP_LOST)
		return;
	j->stop = why;
	guard_kill(&j->g, why == STOP_LOST ? SIGKILL : SIGTERM);
	j->kill_at = now_ms() + (why == STOP_LOST     ? 500
				    : why == STOP_END ? END_MS
						      : GRACE_MS);
}

static int
stop_word(void *arg, const char *json)
{
	char **word = arg;

	free(*word);
	*word = json_get(json, "$.stop");
	return 0;
}

/* Asks the store with a verb whether to go on. */
static void
ask(struct job *j, const char *verb)
{
	struct buf in = BUF_INIT;
	struct fault f = { 0, "" };
	char *word = NULL;
	int rc;

	json_add(&in, "job_id", j->says.id);
	json_add_int(&in, "fence", j->says.fence);
	if (strcmp(verb, "job.renew") == 0) {
		json_add_int(&in, "lease_seconds", j->says.lease);
	}
	rc = store_do(store, verb, json_end(&in), stop_word, &word, &f);
	buf_free(&in);
	if (rc == EX_DATAERR || rc == EX_NOINPUT)
		stop(j, STOP_LOST);
	else if (rc > 1)
		warn("%s: %s: %s", j->says.id, verb, f.msg);
	else if (word != NULL && strcmp(word, "cancel") == 0)
		stop(j, STOP_CANCEL);
	else if (word != NULL && strcmp(word, "pause") == 0)
		stop(j, STOP_PAUSE);
	else if (word != NULL && strcmp(word, "lost") == 0)
		stop(j, STOP_LOST);
	free(word);
}

/* --- the beginning of a job --- */

static void
set_number(const char *name, long long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", value);
	spawn_env_set(&env, name, value > 0 ? text : "");
}

static void
start(struct job *j)
{
	int out[2] = { -1, -1 }, err[2] = { -1, -1 };
	struct spawn sp = { .argv = command,
		.dir = j->dir.path,
		.in = j->dir.record,
		.keep = j->dir.lock,
		.nice = niceness };
	long long now = now_ms(),
		  limit = j->says.seconds > 0 ? j->says.seconds : seconds;

	spawn_env_set(&env, "PWD", j->dir.path);
	spawn_env_set(&env, "TERA_JOB_ID", j->says.id);
	spawn_env_set(&env, "TERA_RUN_DIR", j->dir.path);
	set_number("TERA_LIMIT_SECONDS", limit);
	set_number("TERA_LIMIT_MEMORY_MB", j->says.memory >> 20);
	sp.env = env.v;
	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0 ||
	    (sp.out = out[1], sp.err = err[1], guard_start(&j->g, &sp)) < 0) {
		char *why = xasprintf("cannot start: %s", strerror(errno));

		for (int i = 0; i < 2; i++) {
			if (out[i] >= 0)
				close(out[i]);
			if (err[i] >= 0)
				close(err[i]);
		}
		give_up(j, EX_TEMPFAIL, "error", why);
		free(why);
		return;
	}
	close(out[1]);
	close(err[1]);
	j->out.fd[0] = out[0];
	j->out.fd[1] = err[0];
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	fcntl(err[0], F_SETFL, O_NONBLOCK);
	rundir_close(&j->dir); /* the guard holds the lock now */
	j->running = true;
	if (limit > 0)
		j->limit_at = now + limit * 1000;
	if (j->says.memory > 0)
		j->memory_at = now + MEMORY_MS;
	if (!no_store && watch_at == NEVER)
		watch_at = now + WATCH_MS;
}

/* Takes the directory and starts, or comes again later. */
static void
try_start(struct job *j)
{
	int rc = rundir_take(&j->dir, j->says.id, j->rec);
	char *why;

	if (rc == 0) {
		j->out.dir = j->dir.path;
		start(j);
	} else if (rc < 0) {
		why = xasprintf("%s: %s",
		    j->dir.path != NULL ? j->dir.path : "the run's directory",
		    strerror(errno));
		give_up(j, EX_CANTCREAT, "error", why);
		free(why);
	} else if (now_ms() >= j->lock_end)
		give_up(j, EX_TEMPFAIL, "lost", "an earlier agent still runs");
}

static void
refuse(const char *rec, int status, const char *message)
{
	char *out = json_error(rec, "run", status, message);

	print(out);
	free(out);
}

static void
take(const char *rec)
{
	struct jobrec says;
	struct job *j;

	jobrec_read(&says, rec, own_lease, LEASE);
	if (says.error)
		print(rec);
	else if (says.id == NULL || !rundir_good_id(says.id))
		refuse(rec, EX_DATAERR, "no job_id, or not a good one");
	else if (!no_store && says.fence < 0)
		refuse(rec, EX_DATAERR, "no fence: the job was not claimed");
	else {
		j = xmalloc(sizeof(*j));
		*j = (struct job){ .next = jobs,
			.rec = xstrdup(rec),
			.says = says,
			.dir = RUNDIR_INIT,
			.lock_end = now_ms() + LOCK_MS,
			.limit_at = NEVER,
			.kill_at = NEVER,
			.renew_at = no_store ? NEVER : now_ms() + says.renew,
			.memory_at = NEVER };
		j->out = (struct output){ .fd = { -1, -1 },
			.spill = -1,
			.name = says.id,
			.mask = &mask,
			.say = say,
			.arg = j,
			.plain = no_store,
			.log_at = OUTPUT_NEVER };
		jobs = j;
		running++;
		try_start(j);
		return;
	}
	jobrec_free(&says);
}

/* --- the records on standard input --- */

static struct buf input;
static size_t input_at;
static long input_line;
static bool input_end, input_skip;

/* Is there enough memory for one more?  What was started in the last moments
 * has not taken any yet. */
static bool
admit(void)
{
	static bool told;
	static long long asked;
	struct buf b = BUF_INIT;
	const char *line;
	long long kb = -1, now = now_ms();

	if (min_free == 0 || (asked != 0 && now - asked < ADMIT_MS))
		return true;
	if (buf_file(&b, "/proc/meminfo", 65536) == 0 &&
	    (line = strstr(buf_text(&b), "MemAvailable:")) != NULL)
		kb = strtoll(line + 13, NULL, 10);
	buf_free(&b);
	asked = kb < 0 || kb / 1024 >= min_free ? now : 0;
	if (asked != 0)
		return true;
	if (!told)
		warn("less than %lld MB of memory are free: waiting", min_free);
	told = true;
	return false;
}

/* The next whole line of what was read, NUL-terminated; NULL: none. */
static char *
input_next(size_t *n)
{
	char *s, *nl;

	if (input_at >= input.len) {
		buf_clear(&input);
		input_at = 0;
		return NULL;
	}
	s = input.s + input_at;
	nl = memchr(s, '\n', input.len - input_at);
	if (nl == NULL) {
		if (!input_end) {
			buf_drop(&input, input_at);
			input_at = 0;
			return NULL;
		}
		nl = input.s + input.len;
	}
	*nl = '\0';
	*n = (size_t)(nl - s);
	input_at += *n + 1;
	return s;
}

/* One read.  A line that is too long is cut, so that it is refused. */
static void
input_read(void)
{
	ssize_t n = read(STDIN_FILENO, buf_room(&input, 65536), 65536);

	if (n < 0) {
		if (errno == EINTR || errno == EAGAIN)
			return;
		warn("standard input:");
		code = EX_IOERR;
	}
	if (n <= 0) {
		input_end = true;
		return;
	}
	if (input_skip) { /* the rest of it */
		char *nl = memchr(input.s + input.len, '\n', (size_t)n);

		if (nl == NULL)
			return;
		n -= nl - (input.s + input.len);
		memmove(input.s + input.len, nl, (size_t)n);
		input_skip = false;
	}
	input.len += (size_t)n;
	input.s[input.len] = '\0';
	if (input.len - input_at > JSON_LINE_MAX + 65536 &&
	    memchr(input.s + input_at, '\n', input.len - input_at) == NULL) {
		input.len = input_at + JSON_LINE_MAX + 1;
		input_skip = true;
	}
}

/* Handles one line of input if there is one. */
static bool
input_take(void)
{
	struct fault f;
	size_t n;
	char *s = input_next(&n);

	if (s == NULL)
		return false;
	input_line++;
	if (n > 0 && s[n - 1] == '\r')
		s[--n] = '\0';
	if (strspn(s, " \t") == n)
		return true;
	if (json_check(s, n, &f) != 0) {
		warn("line %ld: %s", input_line, f.msg);
		code = EX_DATAERR;
	} else if (ending != 0) {
		/* Claimed but never begun: back to the queue. */
		char *back;

		if (*json_type(s, "$.error") != '\0')
			back = xstrdup(s);
		else
			back = json_merge(
			    s, "{\"outcome\":\"pending\",\"reason\":\"lost\"}");
		print(back);
		free(back);
	} else
		take(s);
	return true;
}

/* --- the loop --- */

static long long
next_time(bool hungry)
{
	long long t = watch_at;

	for (struct job *j = jobs; j != NULL; j = j->next) {
		long long times[] = { j->limit_at, j->kill_at, j->renew_at,
			j->memory_at, j->out.log_at };

		if (!j->running) {
			if (now_ms() + 20 < t)
				t = now_ms() + 20;
			continue;
		}
		for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++)
			if (times[i] < t)
				t = times[i];
	}
	if (watch_now && watched + WATCH_MIN_MS < t)
		t = watched + WATCH_MIN_MS;
	if (hungry && now_ms() + 1000 < t)
		t = now_ms() + 1000;
	return t;
}

/* What is due for a job.  It may be gone afterwards. */
static void
due(struct job *j, long long now)
{
	if (!j->running) {
		try_start(j);
		return;
	}
	if (now >= j->out.log_at)
		output_flush(
		    &j->out, no_store || j->out.log.len >= OUTPUT_PIECE);
	if (now >= j->kill_at) {
		guard_kill(&j->g, SIGKILL);
		j->kill_at = now + 500;
	}
	if (now >= j->limit_at) {
		j->limit_at = NEVER;
		stop(j, STOP_TIMEOUT);
	}
	if (now >= j->memory_at) {
		j->memory_at = now + MEMORY_MS;
		if (spawn_rss_below(j->g.pid) > j->says.memory)
			stop(j, STOP_MEMORY);
	}
	if (now >= j->renew_at) {
		j->renew_at = now + j->says.lease * 1000 / 3;
		ask(j, "job.renew");
	}
}

static void
signalled(int fd)
{
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			continue; /* guards tell by themselves */
		for (struct job *j = jobs, *next; j != NULL; j = next) {
			next = j->next;
			if (ending != 0 && j->running)
				guard_kill(&j->g, SIGKILL);
			else
				stop(j, STOP_END);
		}
		ending = (int)info.ssi_signo;
	}
}

static void
watch(long long now)
{
	watch_now = false;
	watched = now;
	watch_at = running > 0 ? now + WATCH_MS : NEVER;
	for (struct job *j = jobs, *next; j != NULL; j = next) {
		next = j->next;
		if (j->running && j->stop == STOP_NONE)
			ask(j, "job.watch");
	}
}

/* Waits for whatever comes next.  hungry: a line waits for memory. */
static void
turn(int sigfd, bool hungry)
{
	size_t n = 0, size = 3 + 3 * (size_t)running;
	struct pollfd *p = xmalloc(size * sizeof(*p));
	struct job **who = xmalloc(size * sizeof(struct job *));
	bool want = !input_end && !hungry && running < slots && ending == 0;
	long long now = now_ms(), t = next_time(hungry), left;

	p[n++] = (struct pollfd){ sigfd, POLLIN, 0 };
	p[n++] = (struct pollfd){ want ? STDIN_FILENO : -1, POLLIN, 0 };
	p[n++] =
	    (struct pollfd){ store != NULL && running > 0 ? store_wait_fd(store)
							  : -1,
		    POLLIN, 0 };
	for (struct job *j = jobs; j != NULL; j = j->next) {
		if (!j->running)
			continue;
		for (int i = 0; i < 3; i++) {
			who[n] = j;
			p[n++] =
			    (struct pollfd){ i < 2 ? j->out.fd[i] : j->g.fd,
				    POLLIN, 0 };
		}
	}
	if (running > 0)
		rundir_ahead();
	left = t == NEVER ? -1 : t > now ? t - now : 0;
	if (poll(p, n, left > INT_MAX ? INT_MAX : (int)left) < 0)
		n = 0;
	for (size_t i = 3; i + 2 < n; i += 3) {
		struct job *j = who[i];

		for (int k = 0; k < 2; k++)
			if (p[i + (size_t)k].revents != 0 && j->out.fd[k] >= 0)
				output_hear(&j->out, k);
		if (p[i + 2].revents != 0 && guard_done(&j->g))
			ended(j);
	}
	if (n > 0 && p[2].revents != 0 && store_wait(store, 0) != 0)
		watch_now = true;
	if (n > 0 && p[1].revents != 0)
		input_read();
	if (n > 0 && p[0].revents != 0) {
		signalled(sigfd);
		guard_reap();
	}
	free(p);
	free(who);
	now = now_ms();
	for (struct job *j = jobs, *next; j != NULL; j = next) {
		next = j->next;
		due(j, now);
	}
	if (store != NULL &&
	    (now >= watch_at || (watch_now && now >= watched + WATCH_MIN_MS)))
		watch(now);
}

static void
loop(int sigfd)
{
	for (;;) {
		bool hungry = false;

		while (running < slots && ending == 0) {
			hungry = input_at < input.len && !admit();
			if (hungry || !input_take())
				break;
		}
		if (ending != 0) {
			struct pollfd p = { STDIN_FILENO, POLLIN, 0 };

			if (!input_end && poll(&p, 1, 0) > 0)
				input_read();
			while (input_take())
				continue;
			input_end = true;
		}
		if (running == 0 && input_end && input_at >= input.len)
			return;
		turn(sigfd, hungry);
	}
}

/* --- the environment of the agents --- */

/* A path that holds in another directory, too. */
static char *
absolute(const char *path)
{
	char cwd[PATH_MAX];

	if (*path == '/' || strstr(path, "://") != NULL ||
	    getcwd(cwd, sizeof(cwd)) == NULL)
		return xstrdup(path);
	return xasprintf("%s/%s", cwd, path);
}

static void
set_env(const char *engine_name)
{
	static const char *const names[] = { "PATH", "HOME", "USER", "LOGNAME",
		"LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "XDG_CONFIG_HOME",
		"XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME",
		"XDG_RUNTIME_DIR", "SSH_AUTH_SOCK", "GIT_AUTHOR_NAME",
		"GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL",
		"GIT_SSH_COMMAND", "SSL_CERT_FILE", "SSL_CERT_DIR",
		"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy",
		"https_proxy", "no_proxy", "DOCKER_HOST", "CONTAINER_HOST",
		"KUBECONFIG", "AGENT_PROVIDER", "AGENT_LLM_URL", "AGENT_MODEL",
		"AGENT_API_KEY", "WORKER_LLM_URL", "WORKER_MODEL",
		"WORKER_API_KEY", "TERARCHITECT_API_URL",
		"TERARCHITECT_API_KEY", "TERARCHITECT_WORKER_API_KEY",
		"TERARCHITECT_SECRET_KEY" };
	static const char *const paths[] = { "TERA_STORE", "TERA_STATE",
		"TERA_CONFIG", "TERA_SHARE", "TERA_RECORD", "TERA_REPLAY" };
	const char *more = getenv("TERA_ENGINE_ENV");

	spawn_own_path();
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		spawn_env_keep(&env, names[i]);
	for (char **e = environ; *e != NULL; e++)
		if (strncmp(*e, "TERA_", 5) == 0) {
			char *name = xstrndup(*e, strcspn(*e, "="));

			spawn_env_keep(&env, name);
			free(name);
		}
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		const char *value = getenv(paths[i]);
		char *full;

		if (value == NULL || *value == '\0')
			continue;
		full = absolute(value);
		spawn_env_set(&env, paths[i], full);
		free(full);
	}
	if (more != NULL) {
		char *copy = xstrdup(more), *rest = copy, *name;

		while ((name = strsep(&rest, " ")) != NULL)
			if (*name != '\0')
				spawn_env_keep(&env, name);
		free(copy);
	}
	if (getenv("TERA_STORE") == NULL && store != NULL) {
		char *path = store_path(); /* the one that is ours by default */

		spawn_env_set(&env, "TERA_STORE", path);
		free(path);
	}
	if (getenv("TERA_SHARE") == NULL)
		spawn_env_set(&env, "TERA_SHARE", share_dir());
	spawn_env_set(&env, "TERA_ENGINE", engine_name);
	if (worker != NULL)
		spawn_env_set(&env, "TERA_RUNNER", worker);
}

static long long
number(const char *text, long long low, long long high)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || n < low || n > high)
		die(EX_USAGE, "%s: want a number from %lld to %lld", text, low,
		    high);
	return n;
}

/* The program that runs the jobs; NULL for "local" unless the user has one: it
 * would only execute the command. */
static char *
find_engine(const char *name)
{
	char *below = xasprintf("engine/%s", name), *path, *full;
	bool local = strcmp(name, "local") == 0;

	path = local ? config_path(below) : share_path(below);
	free(below);
	if (path == NULL && !local)
		die(EX_UNAVAILABLE, "engine %s: no such engine", name);
	full = path != NULL ? absolute(path) : NULL;
	free(path);
	return full;
}

/* argv with the engine, if there is one, in front. */
static const char **
with_engine(char *engine, char *argv[], int argc)
{
	const char **v = xmalloc(((size_t)argc + 3) * sizeof(*v));
	int n = 0;

	if (engine != NULL)
		v[n++] = engine;
	if (argc == 0)
		v[n++] = "tera-agent";
	for (int i = 0; i < argc; i++)
		v[n++] = argv[i];
	v[n] = NULL;
	return v;
}

/* For us and all that we start: no core files, in which there may be secrets,
 * and as many descriptors as we may have. */
static void
set_limits(void)
{
	struct rlimit r = { 0, 0 };

	setrlimit(RLIMIT_CORE, &r);
	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return;
	r.rlim_cur = r.rlim_max < MAX_FILES ? r.rlim_max : MAX_FILES;
	setrlimit(RLIMIT_NOFILE, &r);
}

/* Who started us may have said that a signal is not for us (nohup, &). */
static void
add_unless_ignored(sigset_t *set, int sig)
{
	struct sigaction old;

	if (sigaction(sig, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
		sigaddset(set, sig);
}

int
main(int argc, char *argv[])
{
	const char *name = "local", *more;
	char *engine;
	struct fault f;
	sigset_t set;
	int opt, sigfd;

	err_init(argc, argv, USAGE);
	while ((opt = getopt(argc, argv, "+e:j:l:m:nt:w:")) != -1)
		switch (opt) {
		case 'e': name = optarg; break;
		case 'j': slots = (int)number(optarg, 1, 1000); break;
		case 'l': own_lease = number(optarg, 1, 86400); break;
		case 'm': min_free = number(optarg, 0, 1LL << 30); break;
		case 'n': no_store = true; break;
		case 't': seconds = number(optarg, 0, 1LL << 30); break;
		case 'w': worker = optarg; break;
		default: err_usage();
		}
	if (optind < argc && strchr(argv[optind], '/') != NULL)
		argv[optind] = absolute(argv[optind]);
	engine = find_engine(name);
	command = with_engine(engine, argv + optind, argc - optind);
	if (!no_store && (store = store_open(&f)) == NULL)
		die(f.code, "%s", f.msg);
	if (store != NULL)
		store_wait(store, 0); /* begins to watch */
	mask_init(&mask);
	set_env(name);
	if ((more = getenv("TERA_NICE")) != NULL && *more != '\0')
		niceness = (int)number(more, -20, 19);

	set_limits();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	add_unless_ignored(&set, SIGINT);
	add_unless_ignored(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigfd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (sigfd < 0)
		die(EX_OSERR, "signalfd:");
	loop(sigfd);

	guard_rest();
	rundir_end();
	close(sigfd);
	store_close(store);
	mask_free(&mask);
	spawn_env_free(&env);
	buf_free(&input);
	free(command);
	free(engine);
	return out_end(ending != 0 ? 128 + ending : code);
}
