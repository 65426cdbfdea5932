/* rest: who waits is let in early, and its children are as others. */
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rest.h"

static int count, bad;

static void
ok(bool yes, const char *name)
{
	printf("%sok %d - %s\n", yes ? "" : "not ", ++count, name);
	bad += !yes;
}

/* sched_getattr(2): what is of interest here. */
struct seen {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static struct seen
look(void)
{
	struct seen s;

	memset(&s, 0, sizeof(s));
	if (syscall(SYS_sched_getattr, 0, &s, sizeof(s), 0) != 0)
		s.policy = 99;
	return s;
}

/* Runs it in a process of its own; does it say yes? */
static bool
in_child(bool (*it)(const struct seen *), const struct seen *before)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(it(before) ? 0 : 1);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static bool
same(const struct seen *before)
{
	struct seen s = look();

	return s.policy == before->policy && s.flags == before->flags &&
	       s.nice == before->nice && s.runtime == before->runtime;
}

static bool
batch(const struct seen *before)
{
	struct sched_param p = { 0 };
	struct seen s;

	(void)before;
	if (sched_setscheduler(0, SCHED_BATCH, &p) != 0)
		return false;
	s = look();
	rest_ready();
	return same(&s);
}

static bool
nicer(const struct seen *before)
{
	struct seen s;

	if (setpriority(PRIO_PROCESS, 0, before->nice + 3) != 0)
		return false;
	rest_ready();
	s = look();
	return s.nice == before->nice + 3 && s.policy == SCHED_OTHER;
}

int
main(void)
{
	struct seen before = look(), after;

	if (before.policy != SCHED_OTHER || before.nice < 0 ||
	    before.flags != 0) {
		puts("1..0 # SKIP not an ordinary process, or no "
		     "sched_getattr");
		return 0;
	}
	ok(in_child(batch, &before), "a policy that somebody gave it stays");
	ok(in_child(nicer, &before), "so does a lower share");
	rest_ready();
	after = look();
	ok(after.policy == before.policy && after.nice == before.nice,
	    "neither the policy nor the share is another");
	ok(before.runtime == 0 ? after.runtime == 0
			       : after.runtime < before.runtime,
	    "the slice is shorter where the kernel has one");
	ok(in_child(same, &before), "a child has the usual slice");
	rest_ready();
	ok(in_child(same, &before), "a second time, too");
	rest();
	ok(look().runtime == after.runtime, "what was given back comes again");
	printf("1..%d\n", count);
	return bad != 0;
}
