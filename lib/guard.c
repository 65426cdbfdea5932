/* See guard.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guard.h"

#define KILL_TRIES 500 /* of 20 ms: what sleeps in the kernel is left */
#define PIECE 32768    /* bytes of an order that are sent at once */
#define SOCKET 10      /* in a guard; those of the child are below */

/*
 * What goes to a guard: an order with the descriptors, in, out, err and, when
 * there is one, keep; its text (the directory, the arguments, the environment,
 * each with its NUL) begins in the same message.  Or it is a signal for all
 * that is below.  What comes back, once or twice: a report.
 */
struct order {
	int sig;    /* 0: it is none */
	size_t len; /* of the text */
	size_t args, vars;
	bool own_env; /* else ours */
	int nice;
};

struct report {
	int status;
	bool gone; /* nothing is left below; the guard waits for an order */
};

union rights {
	struct cmsghdr head; /* for its alignment */
	char space[CMSG_SPACE(4 * sizeof(int))];
};

/* --- in the guard --- */

/* What a child inherits and may change in a guard by its process id. */
struct own {
	struct rlimit limits[RLIM_NLIMITS];
	cpu_set_t cpus;
	int nice;
	char oom[16];
};

static void
look_at(struct own *o)
{
	int fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);

	memset(o, 0, sizeof(*o));
	for (int i = 0; i < RLIM_NLIMITS; i++)
		getrlimit((__rlimit_resource_t)i, &o->limits[i]);
	sched_getaffinity(0, sizeof(o->cpus), &o->cpus);
	o->nice = getpriority(PRIO_PROCESS, 0);
	if (fd >= 0 && read(fd, o->oom, sizeof(o->oom)) < 0)
		o->oom[0] = '\0';
	if (fd >= 0)
		close(fd);
}

static struct own as_made;

/* Are we still as we were made?  Else the next child is to have another. */
static bool
is_as_made(void)
{
	struct own now;

	look_at(&now);
	return memcmp(&now, &as_made, sizeof(now)) == 0;
}

/* Kills and reaps until nothing is left below; false when something is. */
static bool
clear_out(void)
{
	for (int i = 0; i < KILL_TRIES; i++) {
		struct timespec t = { 0, i < 10 ? 1000000 : 20000000 };
		pid_t pid;

		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			continue;
		if (pid < 0)
			return true;
		spawn_kill_below(getpid(), SIGKILL);
		nanosleep(&t, NULL);
	}
	return false;
}

/* Reaps; whether the child is among them.  none: nothing is left below. */
static bool
reap(pid_t child, int *wstatus, bool *none)
{
	bool ended = false;
	int ws;
	pid_t pid;

	while ((pid = waitpid(-1, &ws, WNOHANG)) > 0)
		if (pid == child) {
			ended = true;
			*wstatus = ws;
		}
	*none = pid < 0;
	return ended;
}

/* Waits for an order.  false: there will be none. */
static bool
receive(struct order *o, struct buf *text, int files[4])
{
	union rights rights;
	struct iovec io[2] = { { o, sizeof(*o) } };
	struct msghdr m = {
		.msg_iov = io, .msg_iovlen = 2, .msg_control = &rights
	};
	struct cmsghdr *c;
	ssize_t n;

	buf_clear(text);
	io[1] = (struct iovec){ buf_room(text, PIECE), PIECE };
	do {
		m.msg_controllen = sizeof(rights);
		n = recvmsg(SOCKET, &m, MSG_CMSG_CLOEXEC);
	} while (n == (ssize_t)sizeof(*o) && o->sig != 0); /* too late */
	if (n < (ssize_t)sizeof(*o) || (c = CMSG_FIRSTHDR(&m)) == NULL)
		return false;
	files[3] = -1;
	memcpy(files, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
	for (text->len = (size_t)n - sizeof(*o); text->len < o->len;
	     text->len += (size_t)n) {
		n = recv(SOCKET, buf_room(text, PIECE), PIECE, 0);
		if (n <= 0)
			return false;
	}
	return true;
}

/* The strings of the text as a list; frees nothing of it. */
static char **
list(char **s, size_t n)
{
	char **v = xmalloc((n + 1) * sizeof(*v));

	for (size_t i = 0; i < n; i++) {
		v[i] = *s;
		*s += strlen(*s) + 1;
	}
	v[n] = NULL;
	return v;
}

static pid_t
begin(const struct order *o, struct buf *text, const int files[4])
{
	struct spawn sp = { .in = files[0],
		.out = files[1],
		.err = files[2],
		.keep = files[3] > 2 ? files[3] : 0,
		.session = true,
		.die_with_parent = true,
		.default_signals = true,
		.nice = o->nice };
	char *s = text->s, **argv, **env;
	pid_t child;

	sp.dir = *s != '\0' ? s : NULL;
	s += strlen(s) + 1;
	argv = list(&s, o->args);
	env = list(&s, o->vars);
	sp.argv = (const char *const *)argv;
	sp.env = o->own_env ? env : NULL;
	child = spawn_start(&sp);
	if (child < 0)
		dprintf(files[2], "%s: cannot start: %s\n", err_name,
		    strerror(errno));
	free(argv);
	free(env);
	return child;
}

static void
report(int status, bool gone)
{
	struct report r = { status, gone };

	/* A reader that has gone is seen when we wait for the next order. */
	send(SOCKET, &r, sizeof(r), MSG_NOSIGNAL);
}

/* A signal for those below, or nobody is there any more. */
static void
signalled(void)
{
	struct order o;

	if (recv(SOCKET, &o, sizeof(o), 0) != (ssize_t)sizeof(o)) {
		clear_out();
		_exit(0);
	}
	spawn_kill_below(getpid(), o.sig);
}

/* A child from its order to when nothing is left of it. */
static void
serve(const struct order *o, struct buf *text, const int files[4], int sigfd)
{
	struct pollfd p[2] = { { SOCKET, POLLIN, 0 }, { sigfd, POLLIN, 0 } };
	struct signalfd_siginfo info;
	pid_t child = begin(o, text, files);
	bool none = child < 0;
	int ws = 125 << 8;

	while (child >= 0) {
		if (poll(p, 2, -1) < 0)
			continue;
		if (p[0].revents != 0)
			signalled();
		/* the signals of several are one: all are reaped */
		if (p[1].revents == 0 || read(sigfd, &info, sizeof(info)) < 0)
			continue;
		if (reap(child, &ws, &none))
			break;
	}
	if (!none) {
		report(spawn_status(ws), false);
		/* Whoever waits for us sees that we are gone, and so do those
		 * that cannot be killed: they are not the next child's. */
		if (!clear_out())
			_exit(0);
	}
	if (!is_as_made()) {
		if (none)
			report(spawn_status(ws), false);
		_exit(0);
	}
	if (files[3] >= 0)
		close(files[3]);
	report(spawn_status(ws), true);
	/* Held until now, so that the end of the output did not wake up our
	 * reader a moment before the report does. */
	syscall(SYS_close_range, 0U, SOCKET - 1U, 0U);
}

_Noreturn static void
guard(int fd)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	struct buf text = BUF_INIT;
	struct order o;
	sigset_t set;
	int files[4], sigfd;

	/* Nothing of ours is held by a guard but its socket. */
	if (fd != SOCKET && dup3(fd, SOCKET, O_CLOEXEC) < 0)
		_exit(125);
	syscall(SYS_close_range, 0U, SOCKET - 1U, 0U);
	syscall(SYS_close_range, SOCKET + 1U, ~0U, 0U);
	setsid();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_NAME, "tera-guard");
	/* one that a child stopped is to see that nobody is there any more */
	prctl(PR_SET_PDEATHSIG, SIGCONT);
	/* Only SIGKILL ends a guard: signals are for those below. */
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	for (int sig = 1; sig < NSIG; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			sigaction(sig, &dfl, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	/* The child's descriptors take the lowest numbers, where they belong.
	 */
	sigfd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (sigfd < 0 || dup3(sigfd, SOCKET + 1, O_CLOEXEC) < 0)
		_exit(125);
	close(sigfd);
	look_at(&as_made);
	while (receive(&o, &text, files))
		serve(&o, &text, files, SOCKET + 1);
	_exit(0);
}

/* --- ours --- */

/* The guards that we have. */
static struct ward {
	struct ward *next;
	pid_t pid;
	int fd;
	bool busy;
} * wards;

static struct ward *
find(pid_t pid)
{
	struct ward *w = wards;

	while (w != NULL && w->pid != pid)
		w = w->next;
	return w;
}

/* Ends a guard that is idle or dead, and waits for it. */
static void
drop(struct ward *w)
{
	struct ward **p = &wards;

	while (*p != w)
		p = &(*p)->next;
	*p = w->next;
	close(w->fd);
	spawn_wait(w->pid);
	free(w);
}

static struct ward *
make(void)
{
	struct ward *w;
	int fd[2], saved;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) < 0)
		return NULL;
	pid = fork();
	if (pid == 0)
		guard(fd[1]);
	saved = errno;
	close(fd[1]);
	if (pid < 0) {
		close(fd[0]);
		errno = saved;
		return NULL;
	}
	w = xmalloc(sizeof(*w));
	*w = (struct ward){ wards, pid, fd[0], false };
	wards = w;
	return w;
}

/* Appends the strings of a list; returns how many. */
static size_t
add_list(struct buf *b, char *const *v)
{
	size_t n = 0;

	for (; v != NULL && v[n] != NULL; n++)
		buf_add(b, v[n], strlen(v[n]) + 1);
	return n;
}

static int
order(int fd, const struct spawn *sp)
{
	static struct buf text; /* of the same size again and again */
	union rights rights = { .space = "" };
	int files[4] = { sp->in, sp->out, sp->err, sp->keep };
	size_t n = (sp->keep > 2 ? 4 : 3) * sizeof(int), done;
	struct order o = { .nice = sp->nice, .own_env = sp->env != NULL };
	struct iovec io[2] = { { &o, sizeof(o) } };
	struct msghdr m = { .msg_iov = io,
		.msg_iovlen = 2,
		.msg_control = &rights,
		.msg_controllen = CMSG_SPACE(n) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	buf_clear(&text);
	buf_str(&text, sp->dir != NULL ? sp->dir : "");
	buf_chr(&text, '\0');
	o.args = add_list(&text, (char *const *)(void *)sp->argv);
	o.vars = add_list(&text, sp->env);
	o.len = text.len;
	done = text.len < PIECE ? text.len : PIECE;
	io[1] = (struct iovec){ text.s, done };
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n);
	memcpy(CMSG_DATA(c), files, n);
	if (sendmsg(fd, &m, MSG_NOSIGNAL) < 0)
		return -1;
	while (done < text.len) {
		size_t piece =
		    text.len - done < PIECE ? text.len - done : PIECE;

		if (send(fd, text.s + done, piece, MSG_NOSIGNAL) < 0)
			return -1;
		done += piece;
	}
	return 0;
}

int
guard_start(struct guard *g, const struct spawn *sp)
{
	if (sp->in < 0 || sp->out < 0 || sp->err < 0) {
		errno = EINVAL;
		return -1;
	}
	for (;;) {
		struct ward *w = wards;
		bool new = false;

		while (w != NULL && w->busy)
			w = w->next;
		if (w == NULL) {
			new = true;
			w = make();
		}
		if (w == NULL)
			return -1;
		if (order(w->fd, sp) == 0) {
			w->busy = true;
			*g = (struct guard){
				.pid = w->pid, .fd = w->fd, .status = 137
			};
			return 0;
		}
		/* Somebody killed it while it was idle. */
		int saved = errno;

		kill(w->pid, SIGKILL);
		drop(w);
		errno = saved;
		if (new)
			return -1;
	}
}

bool
guard_done(struct guard *g)
{
	for (;;) {
		struct report r;
		ssize_t n = recv(g->fd, &r, sizeof(r), MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return false;
		if (n != (ssize_t)sizeof(r)) {
			drop(find(g->pid));
			break;
		}
		g->ended = true;
		g->status = r.status;
		if (r.gone) {
			find(g->pid)->busy = false;
			break;
		}
	}
	g->fd = -1;
	return true;
}

void
guard_kill(const struct guard *g, int sig)
{
	struct order o = { .sig = sig };

	kill(g->pid, SIGCONT); /* a child may have stopped it */
	/* Where the child is not there yet, the guard does it when it is. */
	if (spawn_kill_below(g->pid, sig) == 0)
		send(g->fd, &o, sizeof(o), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void
guard_rest(void)
{
	for (struct ward *w = wards, *next; w != NULL; w = next) {
		next = w->next;
		if (!w->busy)
			drop(w);
	}
}

/* Guards that a child stopped go on. */
static void
wake_stopped(void)
{
	for (struct ward *w = wards; w != NULL; w = w->next) {
		siginfo_t info = { .si_pid = 0 };

		if (waitid(P_PID, (id_t)w->pid, &info, WSTOPPED | WNOHANG) ==
			0 &&
		    info.si_pid != 0)
			kill(w->pid, SIGCONT);
	}
}

void
guard_reap(void)
{
	wake_stopped();
	for (;;) {
		siginfo_t info = { .si_pid = 0 };
		struct ward *w;

		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
		    info.si_pid == 0)
			return;
		w = find(info.si_pid);
		if (w != NULL && !w->busy)
			drop(w);
		else if (w == NULL && getsid(info.si_pid) != getsid(0))
			spawn_wait(info.si_pid);
		else
			return; /* guard_done will, or whose child it is */
	}
}

void
guard_strays(void)
{
	size_t n = 0;
	pid_t *ours;

	for (struct ward *w = wards; w != NULL; w = w->next)
		n++;
	ours = xmalloc((n + 1) * sizeof(*ours));
	n = 0;
	for (struct ward *w = wards; w != NULL; w = w->next)
		ours[n++] = w->pid;
	for (int i = 0; i < 100 && spawn_kill_strays(ours, n) > 0; i++) {
		struct timespec t = { 0, 2000000 };

		nanosleep(&t, NULL);
	}
	free(ours);
}
