/*
 * job: a job that runs here: its directory, its agent under a guard, what the
 * agent says, and what is due when.
 *
 * Nothing waits in here.  The caller polls what job_poll names until the time
 * of job_when, tells what came by job_hear and that time has passed by
 * job_due, and looks after each call whether there is a record to hand on:
 * then the job has ended.
 */
#ifndef TERA_JOB_H
#define TERA_JOB_H

#include <poll.h>

#include "guard.h"
#include "jobrec.h"
#include "mask.h"
#include "outcome.h"
#include "output.h"
#include "rundir.h"
#include "spawn.h"
#include "store.h"

#define JOB_FDS 3

/* What all jobs of a supervisor have. */
struct job_setup {
	const char *const *command;
	struct spawn_env env;
	struct mask mask;
	struct store *store; /* NULL: without one, output goes to stderr */
	int nice;
	long long lease;   /* seconds; 0: what the record says */
	long long seconds; /* limit where the record has none; 0: none */
};

struct job {
	struct job *next; /* the caller's */
	bool running;     /* else it waits for an earlier agent to go */
	char *done;       /* the record to hand on; NULL: it has not ended */

	/* Ours. */
	struct job_setup *with;
	char *rec;
	struct jobrec says; /* rec */
	struct rundir dir;
	struct guard g;
	struct output out;
	enum stop stop;
	long long lock_end, limit_at, kill_at, renew_at, memory_at;
};

/* Makes a job of a record, which has passed json_check, and begins it.  A
 * record that is none, or has an error, is done at once. */
struct job *job_new(struct job_setup *with, const char *rec);
void job_free(struct job *j);

/* Ends it before its time: SIGTERM, and later SIGKILL.  These three leave one
 * that is done alone. */
void job_stop(struct job *j, enum stop why);
/* SIGKILL now. */
void job_kill(struct job *j);
/* Asks the store whether it is to go on. */
void job_watch(struct job *j);

/* What to poll for, and what came of it. */
void job_poll(const struct job *j, struct pollfd p[JOB_FDS]);
void job_hear(struct job *j, const struct pollfd p[JOB_FDS]);

/* The next time for job_due, as clock_ms or CLOCK_NEVER. */
long long job_when(const struct job *j);
void job_due(struct job *j, long long now);

#endif
