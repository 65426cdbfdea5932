/* See guard.h. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guard.h"

#define KILL_TRIES 500 /* of 20 ms: what sleeps in the kernel is left */

/* Kills and reaps until nothing is left below. */
static void
clear_out(void)
{
	for (int i = 0; i < KILL_TRIES; i++) {
		struct timespec t = { 0, i < 10 ? 1000000 : 20000000 };
		pid_t pid;

		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			continue;
		if (pid < 0)
			return;
		spawn_kill_below(getpid(), SIGKILL);
		nanosleep(&t, NULL);
	}
}

/* Reaps; whether the child is among them. */
static bool
reap(pid_t child, int *wstatus)
{
	bool ended = false;
	int ws;
	pid_t pid;

	while ((pid = waitpid(-1, &ws, WNOHANG)) > 0)
		if (pid == child) {
			ended = true;
			*wstatus = ws;
		}
	return ended;
}

/* Closes all but the descriptors a < b (either may be -1). */
static void
close_but(int a, int b)
{
	int keep[2] = { a < b ? a : b, a < b ? b : a };
	unsigned from = 0;

	for (int i = 0; i < 2; i++) {
		if (keep[i] < 0)
			continue;
		if ((unsigned)keep[i] > from)
			syscall(
			    SYS_close_range, from, (unsigned)keep[i] - 1, 0U);
		from = (unsigned)keep[i] + 1;
	}
	syscall(SYS_close_range, from, ~0U, 0U);
}

_Noreturn static void
guard(const struct spawn *sp, int fd)
{
	struct spawn with = *sp;
	struct pollfd p[2] = { { fd, POLLIN, 0 }, { -1, POLLIN, 0 } };
	sigset_t set;
	pid_t child;
	int ws = 0;

	setsid();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_NAME, "tera-guard");
	/* Only SIGKILL ends a guard: signals are for those below. */
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	with.session = true;
	with.die_with_parent = true;
	child = spawn_start(&with);
	if (child < 0)
		_exit(125);
	close_but(fd, sp->keep > 2 ? sp->keep : -1);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	p[1].fd = signalfd(-1, &set, SFD_CLOEXEC);
	for (;;) {
		struct signalfd_siginfo info;

		if (p[1].fd < 0 || reap(child, &ws))
			break;
		if (poll(p, 2, -1) < 0)
			continue;
		if (p[0].revents != 0) { /* nobody is there any more */
			clear_out();
			_exit(0);
		}
		if (p[1].revents != 0 && read(p[1].fd, &info, sizeof(info)) < 0)
			break;
	}
	ws = spawn_status(ws);
	/* A reader that is gone has no use for it. */
	if (send(fd, &ws, sizeof(ws), MSG_NOSIGNAL) < 0)
		ws = 125;
	clear_out();
	_exit(0);
}

int
guard_start(struct guard *g, const struct spawn *sp)
{
	int fd[2], saved;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) < 0)
		return -1;
	*g = (struct guard){ .fd = fd[0], .status = 137 };
	g->pid = fork();
	if (g->pid == 0) {
		close(fd[0]);
		guard(sp, fd[1]);
	}
	saved = errno;
	close(fd[1]);
	if (g->pid > 0)
		return 0;
	close(fd[0]);
	errno = saved;
	return -1;
}

bool
guard_done(struct guard *g)
{
	for (;;) {
		int ws;
		ssize_t n = recv(g->fd, &ws, sizeof(ws), MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return false;
		if (n != (ssize_t)sizeof(ws))
			break;
		g->ended = true;
		g->status = ws;
	}
	close(g->fd);
	g->fd = -1;
	spawn_wait(g->pid);
	return true;
}

void
guard_kill(const struct guard *g, int sig)
{
	spawn_kill_below(g->pid, sig);
}
