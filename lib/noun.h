/*
 * noun: the things of the store that a command line names, and the verbs that
 * are run for them.
 *
 * What is not understood ends the command with 64.
 */
#ifndef TERA_NOUN_H
#define TERA_NOUN_H

#include "cmd.h"
#include "store.h"

/* Does the verb's input name this key? */
bool noun_has(const char *verb, const char *key);

/* As cmd_operands, and a key that the verb does not know, or that is in the
 * object already, ends the command: a misspelt filter must not list all there
 * is. */
void noun_input(const char *verb, struct buf *in, int argc, char *argv[]);

/* Which noun is meant: "tickets" and "ticket" are both ticket.  Ends the
 * command when there is no verb NOUN.what. */
const char *noun_verb(const char *noun, const char *what);

/* What an operand "job" or "ticket=ticket" names: the key, and its name in
 * *name. */
const char *noun_job_or_ticket(char *arg, char **name);

/*
 * Runs verb once for each name, with {key: name} and the keys of the object
 * rest (may be NULL) as input; the name "-" stands for standard input, a name,
 * or a record with key, KEY_id or id, a line.  All of it is one batch: each
 * name that fails is reported and the others still run.  Returns the worst
 * status.
 */
int noun_each(const char *verb, const char *key, char *const names[], int n,
    const char *rest);

#endif
