/* See prog.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "jscan.h"
#include "json.h"
#include "prog.h"
#include "spawn.h"

#define ARGS 8
#define ERR_MAX 4096
#define GRACE 2000 /* ms between TERM and KILL */

struct program {
	const char *name;
	const char *argv[ARGS];
	bool looks; /* it changes nothing that matters */
	bool reads; /* the object is its standard input */
	bool no;    /* status 1 is an answer: its rows say no */
};

static const struct program programs[] = {
	{ "audit", { "tera-audit" }, true, false, true },
	{ "diff", { "tera-diff", "-" }, true, true, false },
	{ "files", { "tera-pr", "files", ":pr" }, true, false, false },
	{ "look", { "tera-pr", "look", ":pr" }, true, false, false },
	{ "merge", { "tera-pr", "-M", ":method", "merge", ":pr" }, false, false,
	    false },
	{ "review", { "tera-pr", "review", ":pr" }, true, false, false },
};

/* What a program finds in its environment.  Not what a web server puts there
 * of the request (HTTP_PROXY could be a stranger's), and no key of the store.
 */
static const char *const kept[] = { "PATH", "HOME", "USER", "LOGNAME", "TMPDIR",
	"LANG", "LC_ALL", "TERA_STORE", "TERA_STATE", "TERA_SHARE",
	"TERA_CONFIG", "TERA_SYNCHRONOUS", "XDG_CONFIG_HOME", "XDG_DATA_HOME",
	"XDG_STATE_HOME", "XDG_RUNTIME_DIR", "SSH_AUTH_SOCK", "GIT_SSH",
	"GIT_SSH_COMMAND", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_GLOBAL",
	"GIT_USER_NAME", "GIT_USER_EMAIL", "GIT_AUTHOR_NAME",
	"GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL",
	"GH_TOKEN", "GITHUB_TOKEN", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"http_proxy", "https_proxy", "no_proxy" };

struct prog {
	const struct program *program;
	void *who;
	char *in, *actor;
	int client; /* -1: nobody, or it is gone */
	/* once it runs */
	pid_t pid; /* 0: not yet; -1: it has ended */
	int pidfd, to, from, err;
	size_t fed;
	struct buf out, said;
	long long limit; /* when to signal next, ms */
	int sent;        /* the last signal */
	const char *why; /* it was ended */
	int code;        /* its exit status, or why it did not start */
	struct prog *next;
};

struct progs {
	int epoll;
	int running, seconds;
	struct prog *first; /* in the order in which they came */
};

const struct program *
prog_find(const char *name)
{
	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
		if (strcmp(programs[i].name, name) == 0)
			return &programs[i];
	return NULL;
}

bool
prog_looks(const struct program *p)
{
	return p->looks;
}

/* --- its start --- */

/* An id, a number or a word? */
static bool
harmless(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= 64 && *s != '-' &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz"
			 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == n;
}

/* The arguments, of which those from the object are the caller's to free
 * (own).  False: one is missing, or could be anything. */
static bool
arguments(const struct prog *p, const char *argv[ARGS + 1], char *own[ARGS])
{
	for (int i = 0; i < ARGS; i++) {
		const char *arg = p->program->argv[i];

		argv[i] = arg;
		if (arg == NULL)
			break;
		if (*arg == ':') {
			char *path = xasprintf("$.%s", arg + 1);

			own[i] = json_get(p->in, path);
			free(path);
			if (own[i] == NULL || !harmless(own[i]))
				return false;
			argv[i] = own[i];
		}
	}
	argv[ARGS] = NULL;
	return true;
}

static char *const *
environment(const char *actor)
{
	static struct spawn_env env;

	spawn_env_free(&env);
	env = (struct spawn_env){ .v = NULL };
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		spawn_env_keep(&env, kept[i]);
	spawn_env_set(&env, "TERA_ACTOR", actor);
	return env.v;
}

static void
shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Ours of the two ends does not wait. */
static bool
make_pipe(int fd[2], int ours)
{
	return pipe2(fd, O_CLOEXEC) == 0 &&
	       fcntl(fd[ours], F_SETFL, O_NONBLOCK) == 0;
}

static void
listen_to(const struct progs *ps, int fd, uint32_t events)
{
	struct epoll_event e = { .events = events };

	/* a file cannot be watched, and does not go away */
	if (fd >= 0)
		epoll_ctl(ps->epoll, EPOLL_CTL_ADD, fd, &e);
}

static bool
launch(struct progs *ps, struct prog *p, const char *const *argv)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, err[2] = { -1, -1 };
	bool fine = make_pipe(in, 1) && make_pipe(out, 0) && make_pipe(err, 0);

	if (fine) {
		struct spawn sp = { .argv = argv,
			.env = environment(p->actor),
			.in = in[0],
			.out = out[1],
			.err = err[1],
			.session = true,
			.die_with_parent = true };

		p->pid = spawn_start(&sp);
		fine = p->pid > 0;
	}
	shut(&in[0]);
	shut(&out[1]);
	shut(&err[1]);
	p->to = in[1];
	p->from = out[0];
	p->err = err[0];
	if (!fine)
		return false;
	p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0U);
	p->limit = clock_ms() + 1000LL * ps->seconds;
	if (!p->program->reads)
		shut(&p->to);
	listen_to(ps, p->to, EPOLLOUT);
	listen_to(ps, p->from, EPOLLIN);
	listen_to(ps, p->err, EPOLLIN);
	listen_to(ps, p->pidfd, EPOLLIN);
	return true;
}

static void
start(struct progs *ps, struct prog *p)
{
	const char *argv[ARGS + 1] = { NULL };
	char *own[ARGS] = { NULL };

	if (!arguments(p, argv, own)) {
		p->pid = -1;
		p->code = EX_SOFTWARE;
		p->why = "what it should be about is no id";
	} else if (launch(ps, p, argv))
		ps->running++;
	else {
		p->pid = -1;
		p->code = EX_TEMPFAIL;
		p->why = "it could not be started";
	}
	for (int i = 0; i < ARGS; i++)
		free(own[i]);
}

/* --- while it runs --- */

static void
feed(struct prog *p)
{
	size_t len = strlen(p->in);

	while (p->to >= 0) {
		/* the record, and the newline that ends it */
		const char *s = p->fed < len ? p->in + p->fed : "\n";
		size_t n = p->fed < len ? len - p->fed : 1;
		ssize_t k = write(p->to, s, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0 && errno == EAGAIN)
			return;
		if (k > 0)
			p->fed += (size_t)k;
		if (k <= 0 || p->fed > len)
			shut(&p->to);
	}
}

/* Reads what is there.  Of more than max bytes the first are forgotten. */
static void
take(int *fd, struct buf *b, size_t max)
{
	char piece[16384];

	while (*fd >= 0 && b->len <= max) {
		ssize_t n = read(*fd, piece, sizeof(piece));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0)
			shut(fd);
		else
			buf_add(b, piece, (size_t)n);
	}
}

/* Of what it says the end counts. */
static void
take_words(struct prog *p)
{
	while (p->err >= 0) {
		size_t before = p->said.len;

		take(&p->err, &p->said, ERR_MAX);
		if (p->said.len > ERR_MAX) {
			struct buf end = BUF_INIT;

			buf_add(&end, p->said.s + p->said.len - ERR_MAX / 2,
			    ERR_MAX / 2);
			buf_free(&p->said);
			p->said = end;
		} else if (p->said.len == before)
			return;
	}
}

static void
end_it(struct prog *p, int code, const char *why)
{
	if (p->why == NULL) {
		p->why = why;
		p->code = code;
	}
	spawn_kill_tree(p->pid, p->sent == 0 ? SIGTERM : SIGKILL);
	p->sent = p->sent == 0 ? SIGTERM : SIGKILL;
	p->limit = clock_ms() + GRACE;
	shut(&p->from); /* what it says now counts no more */
}

/*
 * What says that nobody waits any more: on a connection that its other end
 * says no more; on standard output only that nobody reads it, for a web server
 * may give CGI one socket for both ways and end the other one (Apache's
 * mod_cgid does).
 */
static uint32_t
signs(int client)
{
	return client == STDOUT_FILENO ? 0 : EPOLLRDHUP;
}

static bool
went_away(struct progs *ps, struct prog *p)
{
	struct pollfd c = { p->client, (short)signs(p->client), 0 };

	if (p->client < 0 || poll(&c, 1, 0) <= 0 ||
	    (c.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) == 0)
		return false;
	epoll_ctl(ps->epoll, EPOLL_CTL_DEL, p->client, NULL);
	p->client = -1;
	return true;
}

/* One that runs: hear it, and see whether it goes on. */
static void
look_after(struct progs *ps, struct prog *p)
{
	siginfo_t info = { .si_pid = 0 };
	bool over = waitid(P_PID, (id_t)p->pid, &info,
			WEXITED | WNOHANG | WNOWAIT) != 0 ||
		    info.si_pid != 0;

	feed(p);
	take(&p->from, &p->out, PROG_OUT_MAX);
	take_words(p);
	if (over) {
		int status;

		if (p->why != NULL) /* what it started may have stayed */
			spawn_kill_tree(p->pid, SIGKILL);
		status = spawn_wait(p->pid);
		if (p->why == NULL)
			p->code = status;
		p->pid = -1;
		ps->running--;
	}
	if (p->out.len > PROG_OUT_MAX && p->why == NULL) {
		p->code = EX_UNAVAILABLE;
		p->why = "the answer is too long";
		if (!over)
			end_it(p, p->code, p->why);
	} else if (!over && went_away(ps, p))
		end_it(p, EX_UNAVAILABLE, "who asked has gone away");
	else if (!over && clock_ms() >= p->limit)
		end_it(p, EX_TEMPFAIL, "it takes too long");
}

/* --- its end --- */

/* The last line, without the name of who says it. */
static char *
last_words(const struct prog *p)
{
	size_t end = p->said.len, from, name = strlen(p->program->argv[0]);
	const char *s = buf_text(&p->said);

	while (end > 0 && s[end - 1] == '\n')
		end--;
	for (from = end; from > 0 && s[from - 1] != '\n';)
		from--;
	/* a program of ours may hand on what another of ours said */
	while (end - from > 5 && strncmp(s + from, "tera-", 5) == 0) {
		const char *colon = memchr(s + from, ':', end - from);

		if (colon == NULL || colon + 2 > s + end || colon[1] != ' ' ||
		    (size_t)(colon - s) - from > name + 8)
			break;
		from = (size_t)(colon - s) + 2;
	}
	return end > from ? xstrndup(s + from, end - from) : NULL;
}

/* Each line a row.  False: one is no JSON. */
static bool
rows(struct prog *p, struct task *t)
{
	char *line = p->out.s, *end;

	for (; line != NULL && *line != '\0'; line = end) {
		size_t n = strcspn(line, "\n");

		end = line + n + (line[n] == '\n');
		line[n] = '\0';
		if (n == 0)
			continue;
		if (!json_utf8(line, n) ||
		    jscan_check(line, n, JSON_DEPTH_MAX) != JSCAN_OK)
			return false;
		buf_add(&t->text, line, n + 1);
		t->rows++;
	}
	return true;
}

/* Statuses of env(1) are not ours. */
static int
code_of(int status)
{
	if (status == 127 || status == 126)
		return EX_UNAVAILABLE;
	return status > 78 || status == 1 ? EX_SOFTWARE : status;
}

static void
become(struct prog *p, struct task *t)
{
	if (p->why != NULL)
		t->rc = p->code;
	else if (p->program->no && p->code == 1 && p->out.len > 0)
		t->rc = 0;
	else
		t->rc = code_of(p->code);
	if (p->why == NULL && !rows(p, t) && t->rc == 0) {
		p->why = "it said what is no JSON";
		t->rc = EX_SOFTWARE;
	}
	if (t->rc == 0)
		return;
	if (p->why != NULL)
		t->msg = xasprintf("%s: %s", p->program->argv[0], p->why);
	else if ((t->msg = last_words(p)) == NULL)
		t->msg = xasprintf("%s: it ended with status %d",
		    p->program->argv[0], p->code);
}

static void
drop(struct prog *p)
{
	shut(&p->to);
	shut(&p->from);
	shut(&p->err);
	shut(&p->pidfd);
	buf_free(&p->out);
	buf_free(&p->said);
	free(p->in);
	free(p->actor);
	free(p);
}

/* --- all of them --- */

struct progs *
progs_open(int seconds)
{
	struct progs *ps = xmalloc(sizeof(*ps));

	*ps = (struct progs){ .epoll = epoll_create1(EPOLL_CLOEXEC),
		.seconds = seconds };
	if (ps->epoll >= 0) {
		spawn_own_path();
		return ps;
	}
	free(ps);
	return NULL;
}

void *
progs_end(struct progs *ps)
{
	struct prog *p = ps != NULL ? ps->first : NULL;
	void *who;

	if (p == NULL)
		return NULL;
	ps->first = p->next;
	if (p->pid > 0) {
		ps->running--;
		spawn_kill_tree(p->pid, SIGKILL);
		spawn_wait(p->pid);
	}
	who = p->who;
	drop(p);
	return who;
}

void
progs_close(struct progs *ps)
{
	if (ps == NULL)
		return;
	while (ps->first != NULL)
		progs_end(ps);
	close(ps->epoll);
	free(ps);
}

int
progs_fd(const struct progs *ps)
{
	return ps->epoll;
}

int
progs_patience(const struct progs *ps)
{
	long long now = clock_ms(), least = -1;

	for (const struct prog *p = ps->first; p != NULL; p = p->next) {
		long long left = p->pid > 0 ? p->limit - now : 0;

		if (p->pid == 0 && ps->running >= PROG_RUNNING)
			continue;
		if (least < 0 || left < least)
			least = left > 0 ? left : 0;
	}
	return least > 60000 ? 60000 : (int)least;
}

void
progs_add(struct progs *ps, const struct program *program, const char *in,
    const char *actor, int client, void *who)
{
	struct prog *p = xmalloc(sizeof(*p)), **last = &ps->first;

	*p = (struct prog){ .program = program,
		.who = who,
		.in = xstrdup(in),
		.actor = actor != NULL ? xstrdup(actor) : NULL,
		.client = client,
		.pidfd = -1,
		.to = -1,
		.from = -1,
		.err = -1 };
	while (*last != NULL)
		last = &(*last)->next;
	*last = p;
	listen_to(ps, client, signs(client));
}

void *
progs_next(struct progs *ps, struct task *t)
{
	for (struct prog **at = &ps->first, *p; (p = *at) != NULL;) {
		void *who = p->who;

		if (p->pid > 0)
			look_after(ps, p);
		else if (p->pid == 0 && went_away(ps, p)) {
			p->pid = -1;
			p->code = EX_UNAVAILABLE;
			p->why = "who asked has gone away";
		} else if (p->pid == 0 && ps->running < PROG_RUNNING)
			start(ps, p);
		if (p->pid >= 0) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		if (p->client >= 0)
			epoll_ctl(ps->epoll, EPOLL_CTL_DEL, p->client, NULL);
		become(p, t);
		drop(p);
		return who;
	}
	return NULL;
}

void
prog_run(const struct program *p, const char *in, const char *actor, int client,
    struct task *t)
{
	struct progs *ps = progs_open(PROG_SECONDS);
	int one;

	if (ps == NULL) {
		t->rc = EX_TEMPFAIL;
		t->msg = xstrdup("no descriptors are left");
		return;
	}
	progs_add(ps, p, in, actor, client, &one);
	while (progs_next(ps, t) == NULL) {
		struct pollfd fd = { ps->epoll, POLLIN, 0 };

		poll(&fd, 1, progs_patience(ps));
	}
	progs_close(ps);
}
