/*
 * guard: a child that can be ended with all that it started.
 *
 * Between us and the child stands a process of our own, the guard: a child
 * subreaper, so that what daemonises under it stays under it.  When the child
 * has ended, the guard kills what is left below.  When we end, SIGKILL
 * included, the guard sees it and kills all.  When the guard is killed, the
 * child is, too, and the strays come to us if we are a subreaper ourselves.
 *
 * To make a guard costs as much as a small child, so one that is done waits
 * for the next.  It never has more than one child and what came from it: as
 * long as anything is below it, it takes no other, and neither when its limits
 * or its priority were changed.  A guard that is stopped goes on.
 */
#ifndef TERA_GUARD_H
#define TERA_GUARD_H

#include "spawn.h"

struct guard {
	pid_t pid;  /* of the guard */
	int fd;     /* to poll: readable when something happened */
	bool ended; /* the child has ended with status */
	int status; /* as spawn_wait; 137 when the guard was killed */
};

/* Starts sp in a session of its own under a guard, which holds sp->keep until
 * nothing is left.  sp->in, out and err are descriptors: a guard has none to
 * hand on.  Returns 0 or -1 with errno. */
int guard_start(struct guard *g, const struct spawn *sp);

/* After fd became readable: returns true when the child and all that it left
 * have ended; fd is not to be polled any more.  When the guard was killed
 * (ended is false), strays may be left: guard_strays. */
bool guard_done(struct guard *g);

/* Signals all below the guard. */
void guard_kill(const struct guard *g, int sig);

/* Ends the guards that wait for a child.  guard_start makes others. */
void guard_rest(void);

/*
 * For a subreaper: what a killed guard left to us.  Each child has a session
 * of its own, so what is in ours is another's child, who sees to it.
 */

/* After SIGCHLD: waits for what has ended. */
void guard_reap(void);
/* Kills it. */
void guard_strays(void);

#endif
