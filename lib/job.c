/* See job.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "claim.h"
#include "clock.h"
#include "job.h"
#include "json.h"

#define LEASE 60     /* seconds, where nobody says */
#define AGAIN_MS 20  /* to try for the lock of an earlier agent */
#define LOCK_MS 5000 /* for it to go */
#define MEMORY_MS 2000
#define GRACE_MS 3000 /* from TERM to KILL */
#define END_MS 10000  /* the same when we are to end */
#define KILL_MS 500   /* from KILL to KILL */
#define NEVER CLOCK_NEVER

/* --- what it says --- */

static void
say(void *arg, const char *summary, const char *text, size_t n,
    const char *file)
{
	struct job *j = arg;
	struct store *store = j->with->store;

	if (store == NULL)
		fwrite(text, 1, n, stderr);
	else if (claim_log(store, &j->says, summary, text, n, file) ==
		 EX_DATAERR)
		j->renew_at = 0; /* is the fence old? */
}

/* --- its end --- */

/* With an error of our own. */
static void
give_up(struct job *j, int status, const char *reason, const char *message)
{
	j->done = outcome_not_run(j->rec, status, reason, message);
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

	j->done = outcome_record(j->rec, &o);
}

/* Nothing of it runs any more. */
static void
ended(struct job *j)
{
	if (!j->g.ended)
		guard_strays(); /* somebody killed the guard */
	output_end(&j->out);
	settle(j);
}

void
job_stop(struct job *j, enum stop why)
{
	long long grace = GRACE_MS;

	if (j->done != NULL)
		return;
	if (!j->running) {
		j->stop = why;
		settle(j);
		return;
	}
	if (j->stop != STOP_NONE && why != STOP_LOST)
		return;
	j->stop = why;
	if (why == STOP_END)
		grace = END_MS;
	else if (why == STOP_LOST)
		grace = KILL_MS;
	guard_kill(&j->g, why == STOP_LOST ? SIGKILL : SIGTERM);
	j->kill_at = clock_ms() + grace;
}

void
job_kill(struct job *j)
{
	if (!j->running || j->done != NULL)
		return;
	guard_kill(&j->g, SIGKILL);
	j->kill_at = clock_ms() + KILL_MS;
}

/* --- its beginning --- */

static void
close_both(int fd[2])
{
	for (int i = 0; i < 2; i++)
		if (fd[i] >= 0)
			close(fd[i]);
}

/* Starts the agent under a guard.  Returns 0 or -1 with errno. */
static int
launch(struct job *j, long long limit)
{
	struct job_setup *with = j->with;
	int out[2] = { -1, -1 }, err[2] = { -1, -1 }, saved;
	struct spawn sp = { .argv = with->command,
		.dir = j->dir.path,
		.in = j->dir.record,
		.keep = j->dir.lock,
		.nice = with->nice };

	agent_env_job(&with->env, j->says.id, j->dir.path, j->says.token, limit,
	    j->says.memory >> 20);
	sp.env = with->env.v;
	if (pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0) {
		sp.out = out[1];
		sp.err = err[1];
		if (guard_start(&j->g, &sp) == 0) {
			close(out[1]);
			close(err[1]);
			j->out.fd[0] = out[0];
			j->out.fd[1] = err[0];
			fcntl(out[0], F_SETFL, O_NONBLOCK);
			fcntl(err[0], F_SETFL, O_NONBLOCK);
			return 0;
		}
	}
	saved = errno;
	close_both(out);
	close_both(err);
	errno = saved;
	return -1;
}

static void
start(struct job *j)
{
	long long now = clock_ms(), limit = j->says.seconds;
	char *why;

	if (limit <= 0)
		limit = j->with->seconds;
	if (launch(j, limit) < 0) {
		why = xasprintf("cannot start: %s", strerror(errno));
		give_up(j, EX_TEMPFAIL, "error", why);
		free(why);
		return;
	}
	rundir_close(&j->dir); /* the guard holds the lock now */
	j->running = true;
	if (limit > 0)
		j->limit_at = now + limit * 1000;
	if (j->says.memory > 0)
		j->memory_at = now + MEMORY_MS;
}

/* Takes the directory and starts, or comes again later. */
static void
try(struct job *j)
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
	} else if (clock_ms() >= j->lock_end)
		give_up(j, EX_TEMPFAIL, "lost", "an earlier agent still runs");
}

static char *
refusal(const char *rec, const char *message)
{
	return json_error(rec, "run", EX_DATAERR, message);
}

struct job *
job_new(struct job_setup *with, const char *rec)
{
	struct job *j = xmalloc(sizeof(*j));
	long long now = clock_ms();

	*j = (struct job){ .with = with,
		.rec = xstrdup(rec),
		.dir = RUNDIR_INIT,
		.lock_end = now + LOCK_MS,
		.limit_at = NEVER,
		.kill_at = NEVER,
		.renew_at = NEVER,
		.memory_at = NEVER };
	jobrec_read(&j->says, rec, with->lease, LEASE);
	j->out = (struct output){ .fd = { -1, -1 },
		.spill = -1,
		.name = j->says.id,
		.mask = &with->mask,
		.say = say,
		.arg = j,
		.plain = with->store == NULL,
		.log_at = NEVER };
	if (with->store != NULL)
		j->renew_at = now + j->says.renew;
	if (j->says.error)
		j->done = xstrdup(rec);
	else if (j->says.id == NULL || !rundir_good_id(j->says.id))
		j->done = refusal(rec, "no job_id, or not a good one");
	else if (with->store != NULL && j->says.fence < 0)
		j->done = refusal(rec, "no fence: the job was not claimed");
	else
		try(j);
	return j;
}

void
job_free(struct job *j)
{
	output_free(&j->out);
	rundir_free(&j->dir);
	jobrec_free(&j->says);
	free(j->rec);
	free(j->done);
	free(j);
}

/* --- what comes and what is due --- */

void
job_poll(const struct job *j, struct pollfd p[JOB_FDS])
{
	int fd[JOB_FDS] = { -1, -1, -1 };

	if (j->running) {
		fd[0] = j->out.fd[0];
		fd[1] = j->out.fd[1];
		fd[2] = j->g.fd;
	}
	for (int i = 0; i < JOB_FDS; i++)
		p[i] = (struct pollfd){ fd[i], POLLIN, 0 };
}

void
job_hear(struct job *j, const struct pollfd p[JOB_FDS])
{
	for (int i = 0; i < 2; i++)
		if (p[i].revents != 0 && j->out.fd[i] >= 0)
			output_hear(&j->out, i);
	if (p[2].revents != 0 && guard_done(&j->g))
		ended(j);
}

long long
job_when(const struct job *j)
{
	long long times[] = { j->limit_at, j->kill_at, j->renew_at,
		j->memory_at, j->out.log_at };
	long long t = NEVER;

	if (!j->running)
		return clock_ms() + AGAIN_MS;
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++)
		if (times[i] < t)
			t = times[i];
	return t;
}

void
job_due(struct job *j, long long now)
{
	if (j->done != NULL)
		return;
	if (!j->running) {
		try(j);
		return;
	}
	if (now >= j->out.log_at)
		output_flush(&j->out,
		    j->with->store == NULL || j->out.log.len >= OUTPUT_PIECE);
	if (now >= j->kill_at)
		job_kill(j);
	if (now >= j->limit_at) {
		j->limit_at = NEVER;
		job_stop(j, STOP_TIMEOUT);
	}
	if (now >= j->memory_at) {
		j->memory_at = now + MEMORY_MS;
		if (spawn_rss_below(j->g.pid) > j->says.memory)
			job_stop(j, STOP_MEMORY);
	}
	if (now >= j->renew_at) {
		enum stop why = claim_renew(j->with->store, &j->says);

		j->renew_at = now + j->says.lease * 1000 / 3;
		if (why != STOP_NONE)
			job_stop(j, why);
	}
}

void
job_watch(struct job *j)
{
	enum stop why = STOP_NONE;

	if (j->running && j->done == NULL && j->stop == STOP_NONE)
		why = claim_watch(j->with->store, &j->says);
	if (why != STOP_NONE)
		job_stop(j, why);
}
