/*
 * intake: things that come from a Terarchitect installation, on their way into
 * the store.
 *
 * They are collected, put in the order in which they need each other and in
 * which they were made, and handed to the verbs of sql/import.sql, all in one
 * transaction.  One that is refused is left out; what was done is said in
 * lines of JSON, and only when it is done.  A fault that is not the thing's
 * own ends the command, and then nothing was changed.
 */
#ifndef TERA_INTAKE_H
#define TERA_INTAKE_H

#include <stdbool.h>

#include "json.h"
#include "pgdump.h"
#include "store.h"

enum intake_kind { /* in the order in which they need each other */
	INTAKE_PROJECT,
	INTAKE_GRAPH,
	INTAKE_BOARD,
	INTAKE_TICKET,
	INTAKE_COMMENT,
	INTAKE_NOTE,
	INTAKE_JOB,
	INTAKE_LOG,
	INTAKE_PR,
	INTAKE_PR_COMMENT,
	INTAKE_SETTING,
	INTAKE_MEMORY,
	INTAKE_KINDS
};

/* Zero it, set source and perhaps key; intake_end frees all but source. */
struct intake {
	const char *source; /* for messages */
	char *key; /* 64 hex digits: of the secrets in a dump; NULL: as ours */
	struct pgdump dump;
	char *names; /* of settings (the verb import.names) */
	struct {
		long taken, there, left;
		const char *why; /* all of them are left */
	} count[INTAKE_KINDS];
	int worst; /* exit status for what was left */

	/* the module's own */
	struct store *store;
	struct db *db;
	struct intake_item *item;
	size_t items;
	char **log; /* ids of the logs that are there, once looked */
	size_t logs;
	bool looked;
	struct buf said;
};

/* Opens the store, which must be a file here, and fills names. */
void intake_open(struct intake *t);

/* The kind whose rows a table of the installation has, or INTAKE_KINDS. */
enum intake_kind intake_kind(const char *table);
/* Adds the rows of t->dump, which must stay. */
void intake_dump(struct intake *t);
/* Adds an object, which it frees. */
void intake_add(struct intake *t, enum intake_kind kind, char *json);

/* The object json of that kind is left out.  code: what that makes of the exit
 * status; 0: nothing. */
void intake_leave(struct intake *t, enum intake_kind kind, const char *json,
    int code, const char *why);

/* The transaction: begin, put what was added, any steps, end. */
void intake_begin(struct intake *t);
void intake_put(struct intake *t);
/* Runs one verb; its answer, which the caller frees, or NULL with f when it
 * refused. */
char *intake_step(
    struct intake *t, const char *verb, const char *in, struct fault *f);
/* check: as if nothing had been put.  Prints the report, frees everything and
 * returns the exit status. */
int intake_end(struct intake *t, bool check);

#endif
