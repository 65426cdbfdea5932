/*
 * guard: a child that can be ended with all that it started.
 *
 * Between us and the child stands a process of our own, the guard: a child
 * subreaper, so that what daemonises under it stays under it.  When the child
 * has ended, the guard kills what is left below.  When we end, SIGKILL
 * included, the guard sees it and kills all.  When the guard is killed, the
 * child is, too, and the strays come to us if we are a subreaper ourselves.
 */
#ifndef TERA_GUARD_H
#define TERA_GUARD_H

#include "spawn.h"

struct guard {
	pid_t pid;  /* of the guard; its parent waits for it */
	int fd;     /* to poll: readable when something happened */
	bool ended; /* the child has ended with status */
	int status; /* as spawn_wait; 137 when the guard was killed */
};

/* Starts sp under a guard.  sp->keep is held by the guard, too.  Returns 0 or
 * -1 with errno. */
int guard_start(struct guard *g, const struct spawn *sp);

/* After fd became readable: returns true when the child and all that it left
 * have ended; fd is closed and the guard waited for. */
bool guard_done(struct guard *g);

/* Signals all below the guard. */
void guard_kill(const struct guard *g, int sig);

#endif
