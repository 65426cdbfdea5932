/*
 * step: a stage of a job's pipeline as a filter.
 *
 * One job record a line comes in, the same record with a few keys more goes
 * out, at once.  A record that has an error already is handed through
 * untouched; one that the stage cannot serve gets error{stage,code,message}
 * and perhaps error.reason, and goes out too.
 */
#ifndef TERA_STEP_H
#define TERA_STEP_H

#include <stdbool.h>

#include "json.h"

struct step {
	const char *stage; /* as in error.stage: "clone" */
	bool failed_too;   /* serve records with an error as well */
	bool strict;       /* exit with the code of the last failure */

	/* For the record at hand: */
	const char *rec;
	struct buf add;     /* the object of keys to add */
	const char *reason; /* a word for error.reason, or NULL */
};

/* Serves one record: 0, or fills f and returns the code. */
typedef int step_fn(struct step *s, struct fault *f);

/* Serves all of standard input; returns the exit status. */
int step_run(struct step *s, step_fn *serve);

/* The record's job_id, fit for a file name; NULL and f when it is not. */
char *step_job(const struct step *s, struct fault *f);
/* As step_job; where there is none, the record's job, else its id, as records
 * of tera-ls have it. */
char *step_any_job(const struct step *s, struct fault *f);
/* The record's branch, or work_branch where the work tree has its own. */
char *step_branch(const struct step *s, bool here, struct fault *f);

#endif
