/*
 * rundir: the directory of a run, $TERA_STATE/run/JOB_ID.
 *
 * It holds job.json, the record; lock, which is locked with flock(2) as long
 * as anything of the job runs; and what the agent keeps there.  job.json is
 * never half there, and where one is, an earlier run of the job may have left
 * processes behind.
 *
 * A file system takes long to make a directory and a file.  So one is made
 * ahead, in run/.next, while a job runs, and gets its name when the next
 * record comes.  One that a killed process left there is used again.  In it
 * lock and job.json are one file with two names, until the job runs again and
 * job.json is replaced.
 */
#ifndef TERA_RUNDIR_H
#define TERA_RUNDIR_H

#include <stdbool.h>

struct rundir {
	char *path; /* absolute; NULL before the first rundir_take */
	int lock;   /* locked after rundir_take returned 0; -1 */
	int record; /* job.json, to read from its beginning; -1 */
};

#define RUNDIR_INIT                                                            \
	{                                                                      \
		NULL, -1, -1                                                   \
	}

/* May this be the name of a directory? */
bool rundir_good_id(const char *id);

/*
 * Makes the directory of the job, locks it and writes the record.  Returns 0,
 * or -1 with errno, or 1 when an earlier agent of the job holds the lock: all
 * processes that have its TERA_JOB_ID and TERA_RUN_DIR in their environment
 * have got SIGKILL, so come again.
 */
int rundir_take(struct rundir *d, const char *id, const char *rec);

/* Closes lock and record; path stays. */
void rundir_close(struct rundir *d);
void rundir_free(struct rundir *d);

/* Makes one ahead if there is none; for moments in which nobody waits. */
void rundir_ahead(void);
/* Removes it. */
void rundir_end(void);

#endif
