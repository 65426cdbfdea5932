/*
 * tera-work: one turn of a worker: a prompt in, events out, a result last.
 *
 * The worker is share/worker/NAME (tera-worker(5)).  Whatever it does, the
 * last line we print is one result: a worker that dies, hangs, floods or says
 * nothing gives one too, with the reason.  When the turn ends nothing of it
 * is left running: we are the reaper of all that descends from the worker,
 * and we end with the agent that started us.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "cmd.h"
#include "mask.h"
#include "spawn.h"
#include "usage.h"

#define PROMPT_MAX (4 * 1024 * 1024)
#define EVENTS_MAX (16 * 1024 * 1024) /* of events that are passed through */
#define TEXT_MAX (128 * 1024)         /* of the result's text */
#define GRACE 2000                    /* ms between TERM and KILL */

struct turn {
	const char *worker, *session, *dir;
	long long seconds;
	bool tell;
	struct mask mask;
	pid_t pid;
	int out, pidfd;
	struct buf raw;  /* what came and is not a line yet */
	struct buf text; /* of the text events, for want of a result */
	struct buf result;
	size_t passed;
	double in_tokens, out_tokens, cost;
	bool spent;         /* a usage event came */
	const char *reason; /* why we ended it */
	int status;
};

static volatile sig_atomic_t told;

static void
on_signal(int sig)
{
	told = sig;
}

static long long
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* --- starting --- */

static void
watch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	/* Nobody reads our events any more: the turn still counts. */
	signal(SIGPIPE, SIG_IGN);
	/* The lock is for us to hold, not for what the worker leaves. */
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	/* In a run the agent holds a lock that says "no worker lives". */
	if (getenv("TERA_RUN_DIR") != NULL) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() == 1)
			told = SIGTERM;
	}
}

/* A file without a name that holds the prompt, read from its beginning. */
static int
prompt_file(const struct buf *prompt)
{
	int fd = memfd_create("prompt", MFD_CLOEXEC);
	size_t done = 0;

	if (fd < 0)
		die(EX_OSERR, "prompt:");
	while (done < prompt->len) {
		ssize_t n = write(fd, prompt->s + done, prompt->len - done);

		if (n < 0)
			die(EX_OSERR, "prompt:");
		done += (size_t)n;
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void
set_path(const char *name, const char *share)
{
	char *path = share_path(share);

	if (path != NULL)
		setenv(name, path, 1);
	free(path);
}

static int
start(struct turn *t, const char *turn)
{
	struct buf prompt = BUF_INIT;
	char *name = xasprintf("worker/%s", t->worker);
	char *path = share_path(name);
	const char *argv[] = { path, NULL };
	struct spawn sp = { .argv = argv,
		.dir = t->dir,
		.err = -1,
		.session = true,
		.die_with_parent = true };
	int pipes[2];

	free(name);
	if (path == NULL)
		return fail(NULL, EX_NOINPUT, "no worker");
	if (buf_file(&prompt, "-", PROMPT_MAX) != 0)
		die(EX_DATAERR, "prompt: cannot be read, or too long");
	mask_buf(&t->mask, &prompt, 0);
	setenv("TERA_WORKSPACE", t->dir, 1);
	setenv("TERA_SESSION", t->session, 1);
	setenv("TERA_TURN", turn, 1);
	set_path("TERA_WORKER_SANDBOX", "sh/sandbox");
	set_path("TERA_WORKER_TOOLS", "worker-tools/shell.json");
	if (pipe2(pipes, O_CLOEXEC) < 0)
		die(EX_OSERR, "pipe:");
	sp.in = prompt_file(&prompt);
	sp.out = pipes[1];
	t->pid = spawn_start(&sp);
	if (t->pid < 0)
		die(EX_OSERR, "%s:", path);
	close(sp.in);
	close(pipes[1]);
	t->out = pipes[0];
	fcntl(t->out, F_SETFL, O_NONBLOCK);
	t->pidfd = (int)syscall(SYS_pidfd_open, t->pid, 0);
	if (t->pidfd < 0)
		die(EX_OSERR, "pidfd_open:");
	buf_free(&prompt);
	free(path);
	return 0;
}

/* --- events --- */

/* A line for people: the first and only line of what, cut. */
static void
tell(const char *mark, const char *what)
{
	size_t n = what != NULL ? strcspn(what, "\n") : 0;

	if (n > 0)
		fprintf(stderr, "%s %.*s%s\n", mark, n > 300 ? 300 : (int)n,
		    what, n > 300 || what[n] != '\0' ? " ..." : "");
}

static void
pass(struct turn *t, const char *line, size_t n)
{
	if (t->passed + n > EVENTS_MAX)
		return;
	t->passed += n + 1;
	fwrite(line, 1, n, stdout);
	putchar('\n');
	fflush(stdout);
}

static void
add_text(struct turn *t, const char *s)
{
	if (s == NULL || t->text.len > TEXT_MAX)
		return;
	if (t->text.len > 0 && t->text.s[t->text.len - 1] != '\n')
		buf_chr(&t->text, '\n');
	buf_str(&t->text, s);
}

/* What is no event is text, so that any program can be a worker. */
static void
plain(struct turn *t, const char *line, size_t n)
{
	struct buf b = BUF_INIT;
	char *text;

	json_add(&b, "event", "text");
	json_addn(&b, "text", line, n);
	json_end(&b);
	pass(t, b.s, b.len);
	/* By way of JSON it is UTF-8 without NUL. */
	text = json_get(b.s, "$.text");
	if (text != NULL) {
		if (t->text.len <= TEXT_MAX) {
			buf_str(&t->text, text);
			buf_chr(&t->text, '\n');
		}
		if (t->tell)
			tell("|", text);
	}
	free(text);
	buf_free(&b);
}

static double
tokens(const char *json, const char *path)
{
	return usage_within(json_real(json, path, 0), USAGE_TOKENS_MAX);
}

static void
event(struct turn *t, const char *line, const char *kind)
{
	char *what;

	if (strcmp(kind, "result") == 0) {
		buf_clear(&t->result);
		buf_str(&t->result, line);
		return;
	}
	pass(t, line, strlen(line));
	if (strcmp(kind, "usage") == 0) {
		t->spent = true;
		t->in_tokens += tokens(line, "$.usage.input_tokens");
		t->out_tokens += tokens(line, "$.usage.output_tokens");
		t->cost += usage_cost(json_real(line, "$.usage.cost_usd", 0));
	} else if (strcmp(kind, "text") == 0) {
		what = json_get(line, "$.text");
		add_text(t, what);
		if (t->tell)
			tell("|", what);
		free(what);
	} else if (t->tell && strcmp(kind, "tool") == 0) {
		what = json_get(line, "$.command");
		tell("$", what);
		free(what);
	} else if (t->tell && strcmp(kind, "output") == 0) {
		what = json_get(line, "$.text");
		tell(" ", what);
		free(what);
	}
}

static void
one_line(struct turn *t, const char *line, size_t n)
{
	struct buf b = BUF_INIT;
	char *kind = NULL;

	buf_add(&b, line, n);
	mask_buf(&t->mask, &b, 0);
	if (b.len > 0 && b.s[0] == '{' && json_check(b.s, b.len, NULL) == 0) {
		mask_json(&t->mask, &b);
		kind = json_get(b.s, "$.event");
	}
	if (kind != NULL)
		event(t, b.s, kind);
	else if (b.len > 0 || t->text.len > 0)
		plain(t, buf_text(&b), b.len);
	free(kind);
	buf_free(&b);
}

/* Takes whole lines off what came; last: also the rest. */
static void
lines(struct turn *t, bool last)
{
	size_t from = 0;

	while (from < t->raw.len) {
		char *s = t->raw.s + from, *nl;
		size_t n = t->raw.len - from;

		nl = memchr(s, '\n', n);
		if (nl == NULL && !last && n <= JSON_LINE_MAX)
			break;
		if (nl != NULL)
			n = (size_t)(nl - s);
		one_line(t, s, n);
		from += n + (nl != NULL ? 1 : 0);
	}
	if (from > 0) {
		memmove(t->raw.s, t->raw.s + from, t->raw.len - from);
		t->raw.len -= from;
	}
}

/* Reads what is there.  Returns false at the end of the pipe. */
static bool
take(struct turn *t)
{
	for (int i = 0; i < 64; i++) {
		ssize_t n = read(t->out, buf_room(&t->raw, 65536), 65536);

		if (n == 0)
			return false;
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		t->raw.len += (size_t)n;
		t->raw.s[t->raw.len] = '\0';
		lines(t, false);
	}
	return true;
}

/* --- ending --- */

/* Kills what still descends from us; its own daemons came to us when their
 * parents died. */
static void
sweep(void)
{
	char path[64], list[4096], *p, *end;

	snprintf(path, sizeof(path), "/proc/self/task/%ld/children",
	    (long)syscall(SYS_gettid));
	for (int round = 0; round < 50; round++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? 0 : read(fd, list, sizeof(list) - 1);

		if (fd >= 0)
			close(fd);
		if (n <= 0)
			return;
		list[n] = '\0';
		for (p = list;; p = end) {
			long pid = strtol(p, &end, 10);

			if (end == p)
				break;
			spawn_kill_tree((pid_t)pid, SIGKILL);
			waitpid((pid_t)pid, NULL, 0);
		}
	}
}

/* Reads until the worker has ended, killing it when its time is over. */
static void
watch(struct turn *t)
{
	long long limit = t->seconds > 0 ? now_ms() + t->seconds * 1000 : 0;
	struct pollfd p[2] = { { t->out, POLLIN, 0 }, { t->pidfd, POLLIN, 0 } };

	for (;;) {
		long long left = limit > 0 ? limit - now_ms() : 3600 * 1000;

		if (t->reason == NULL &&
		    (told != 0 || (limit > 0 && left <= 0))) {
			t->reason = told != 0 ? "killed" : "timeout";
			spawn_kill_tree(t->pid, SIGTERM);
			limit = now_ms() + GRACE;
			continue;
		}
		if (t->reason != NULL && left <= 0) {
			spawn_kill_tree(t->pid, SIGKILL);
			limit = 0;
			left = 1000;
		}
		if (poll(p, 2, left < 0 ? 0 : (int)left) < 0 && errno != EINTR)
			die(EX_OSERR, "poll:");
		if (p[0].revents != 0 && !take(t))
			p[0].fd = -1;
		if (p[1].revents != 0)
			break;
		p[0].revents = p[1].revents = 0;
	}
	t->status = spawn_wait(t->pid);
	if (p[0].fd >= 0)
		take(t);
	lines(t, true);
	sweep();
}

/* The head and the tail of a text that is too long. */
static void
cut(struct buf *b)
{
	struct buf c = BUF_INIT;
	size_t half = TEXT_MAX / 2, from;

	if (b->len <= TEXT_MAX)
		return;
	while (half > 0 && ((unsigned char)b->s[half] & 0xc0) == 0x80)
		half--;
	buf_add(&c, b->s, half);
	buf_str(&c, "\n[...]\n");
	from = b->len - TEXT_MAX / 2;
	while (from < b->len && ((unsigned char)b->s[from] & 0xc0) == 0x80)
		from++;
	buf_add(&c, b->s + from, b->len - from);
	buf_free(b);
	*b = c;
}

static void
add_usage(struct turn *t, struct buf *r)
{
	struct buf u = BUF_INIT;
	const char *result = t->result.len > 0 ? t->result.s : "{}";

	if (!t->spent) {
		t->in_tokens = tokens(result, "$.usage.input_tokens");
		t->out_tokens = tokens(result, "$.usage.output_tokens");
		t->cost = json_real(result, "$.usage.cost_usd", 0);
	}
	json_add_int(&u, "input_tokens", usage_tokens(t->in_tokens));
	json_add_int(&u, "output_tokens", usage_tokens(t->out_tokens));
	json_add_real(&u, "cost_usd", usage_cost(t->cost));
	json_add_raw(r, "usage", json_end(&u));
	buf_free(&u);
}

/* Prints the result.  Returns our exit status. */
static int
settle(struct turn *t)
{
	struct buf r = BUF_INIT, text = BUF_INIT;
	const char *said = t->result.len > 0 ? t->result.s : "{}";
	char *s = json_get(said, "$.text"), *why = json_get(said, "$.reason");
	char *again = json_get(said, "$.run_after"),
	     *ok = json_raw(said, "$.ok");
	char *session = json_get(said, "$.session"), *all;
	const char *reason = t->reason;
	int code;

	buf_str(&text, s != NULL ? s : buf_text(&t->text));
	while (text.len > 0 && text.s[text.len - 1] == '\n')
		text.s[--text.len] = '\0';
	cut(&text);
	if (reason == NULL && ok != NULL && strcmp(ok, "true") != 0)
		reason = why != NULL ? why : "error";
	if (reason == NULL && t->status != 0)
		reason = t->status == EX_TEMPFAIL ? "quota" : "error";
	if (reason == NULL && text.len == 0)
		reason = "empty";
	json_add(&r, "event", "result");
	json_add_bool(&r, "ok", reason == NULL);
	if (reason != NULL) {
		json_add(&r, "reason", reason);
		json_add_int(&r, "exit", t->status);
	}
	json_addn(&r, "text", buf_text(&text), text.len);
	if (session == NULL && *t->session != '\0')
		session = xstrdup(t->session);
	if (session != NULL)
		json_add(&r, "session", session);
	if (again != NULL)
		json_add(&r, "run_after", again);
	add_usage(t, &r);
	all = json_merge(said, json_end(&r));
	if (strcmp(json_type(all, "$.code"), "integer") != 0) {
		char *without = json_remove(all, "code");

		free(all);
		all = without;
	}
	puts(all);
	code = reason == NULL                 ? 0
	       : strcmp(reason, "quota") == 0 ? EX_TEMPFAIL
	       : told != 0                    ? 128 + told
					      : 1;
	free(all);
	free(s);
	free(why);
	free(again);
	free(ok);
	free(session);
	buf_free(&r);
	buf_free(&text);
	return code;
}

/* No turn at all, and yet a result. */
static int
none(struct turn *t)
{
	struct buf text = BUF_INIT;

	warn("%s: no such worker", t->worker);
	buf_fmt(&text, "no such worker: %s", t->worker);
	json_add(&t->result, "text", buf_text(&text));
	json_add_int(&t->result, "code", EX_NOINPUT);
	json_end(&t->result);
	t->reason = "error";
	t->status = 127;
	settle(t);
	buf_free(&text);
	return EX_NOINPUT;
}

int
main(int argc, char *argv[])
{
	struct turn t = { .worker = "shell", .session = "", .seconds = 3600 };
	const char *turn = "1";
	const struct cmd_key keys[] = { { "session", &t.session, NULL },
		{ "turn", &turn, NULL } };
	char *dir;
	int code;

	err_init(argc, argv,
	    "[-v] [-t seconds] [-T tool] -C directory [session=id] [turn=n]");
	for (int c; (c = getopt(argc, argv, "C:t:T:v")) != -1;)
		switch (c) {
		case 'C': t.dir = optarg; break;
		case 't':
			t.seconds = cmd_number("-t", optarg, 0, 100000000);
			break;
		case 'T': t.worker = optarg; break;
		case 'v': t.tell = true; break;
		default: err_usage();
		}
	if (t.dir == NULL)
		err_usage();
	cmd_keys(keys, 2, argc - optind, argv + optind);
	cmd_number("turn", turn, 0, 100000000);
	dir = realpath(t.dir, NULL);
	if (dir == NULL || access(dir, X_OK) < 0)
		die(EX_NOINPUT, "%s:", t.dir);
	t.dir = dir;
	mask_init(&t.mask);
	watch_signals();
	if (start(&t, turn) == 0) {
		watch(&t);
		code = settle(&t);
	} else
		code = none(&t);
	free(dir);
	mask_free(&t.mask);
	buf_free(&t.raw);
	buf_free(&t.text);
	buf_free(&t.result);
	return out_end(code);
}
