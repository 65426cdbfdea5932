/*
 * tera-hold - keep the store open and run short verbs for other commands
 *
 * For who starts many commands and has no coordinator waiting, which does the
 * same (hold.h).  With a command it holds while that runs and ends with its
 * status; without one it holds until it is told to end.
 */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spawn.h"
#include "store.h"

#define LOOK_MS                                                                \
	2000 /* how soon we follow another holder, or a store that goes */

/* Signals that end us come as bytes of a descriptor. */
static int
signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* Serves until a signal comes, and returns it; 0 when the store is gone. */
static int
hold(struct store *s, int sigfd)
{
	struct signalfd_siginfo info;

	for (;;) {
		struct pollfd p[2] = { { sigfd, POLLIN, 0 },
			{ store_hold_fd(s), POLLIN, 0 } };

		if (poll(p, 2, LOOK_MS) < 0)
			continue;
		if (store_gone(s))
			return 0;
		if (p[0].revents != 0 &&
		    read(sigfd, &info, sizeof(info)) == (ssize_t)sizeof(info))
			return (int)info.ssi_signo;
		if (p[1].fd < 0 || p[1].revents != 0)
			store_serve(s);
	}
}

int
main(int argc, char *argv[])
{
	struct fault f;
	struct store *s;
	pid_t child = -1;
	int sig, sigfd, rc = 0;

	err_init(argc, argv, "[command [arg ...]]");
	if (getopt(argc, argv, "+") != -1)
		err_usage();
	s = store_hold(&f);
	if (s == NULL || store_db(s, &f) == NULL) {
		store_close(s);
		die(f.code, "%s", f.msg);
	}
	sigfd = signals();
	if (sigfd < 0)
		die(EX_OSERR, "signalfd:");
	if (optind < argc) {
		struct spawn sp = {
			.argv = (const char *const *)(void *)(argv + optind),
			.in = -1,
			.out = -1,
			.err = -1
		};

		spawn_own_path();
		child = spawn_start(&sp);
		if (child < 0)
			die(125, "%s:", argv[optind]);
	}
	while ((sig = hold(s, sigfd)) != 0) {
		if (child < 0 && sig != SIGCHLD)
			break;
		if (child >= 0 && sig == SIGCHLD) {
			int ws;

			/* it may have stopped, or be a child we were given */
			if (waitpid(child, &ws, WNOHANG) != child)
				continue;
			rc = spawn_status(ws);
			break;
		}
		if (sig != SIGCHLD)
			kill(child, sig); /* it decides */
	}
	if (sig == 0) {
		warn("the store was removed");
		rc = child >= 0 ? spawn_wait(child) : EX_CONFIG;
	}
	store_close(s);
	return out_end(rc);
}
