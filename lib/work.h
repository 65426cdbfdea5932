/*
 * work: verbs that several askers wait for, done in the order in which they
 * came; writes that stand next to each other share one transaction, so that a
 * commit to the disk is paid once for all of them (group commit).
 */
#ifndef TERA_WORK_H
#define TERA_WORK_H

#include <stdbool.h>

#include "buf.h"
#include "db.h"

/* One input of a verb, and what became of it. */
struct task {
	const char *in;  /* the asker's */
	const char *key; /* a write with the same key is done once: it gets
			    the answer that the first one got; NULL: none */
	int rc;          /* 0, 1 (the answer is no) or an exit status */
	int rows;
	struct buf text; /* the rows, each ended by a NUL */
	char *msg;       /* what went wrong when rc > 1 */
	bool stale;      /* it is that an older version was named */
};

/* What one asker wants: a verb for each of n inputs. */
struct work {
	void *who;
	const struct verb *verb;
	const char *actor; /* under whose name it is sealed; NULL: our own */
	struct task *tasks;
	size_t n;
};

/* Makes the tasks of w, n of them, without inputs. */
void work_init(struct work *w, size_t n);
void work_free(struct work *w);

/* Does them all.  A task that fails undoes itself only; when a transaction
 * cannot be committed, all of it has failed.  Returns 1 when something was
 * written, 0 when not. */
int work_run(struct db *db, struct work *works, size_t n);

#endif
