/*
 * cmd: what plain commands share: flags and operands into one object, things
 * named on the command line or on standard input, and the end.
 */
#ifndef TERA_CMD_H
#define TERA_CMD_H

#include "json.h"
#include "store.h"

/* Adds the operands key=value ... to in; a bad one ends the command. */
void cmd_operands(struct buf *in, int argc, char *argv[]);

/* Does the verb's input name this key? */
bool cmd_has(const char *verb, const char *key);

/* As cmd_operands, and a key that the verb does not know ends the command
 * with 64: a misspelt filter must not list all there is. */
void cmd_input(const char *verb, struct buf *in, int argc, char *argv[]);

/* A number of a flag, within limits; another one ends the command with 64. */
long long cmd_number(
    char flag, const char *text, long long least, long long most);

/* Which noun is meant: "tickets" and "ticket" are both ticket.  Ends the
 * command with 64 when there is no verb NOUN.what; which says it in words. */
const char *cmd_verb(const char *noun, const char *what);

/*
 * Runs verb once for each name, with {key: name} and the keys of the object
 * rest (may be NULL) as input; the name "-" stands for standard input, a name,
 * or a record with key, KEY_id or id, a line.  All of it is one batch: each
 * name that fails is reported and the others still run.  Returns the worst
 * status.
 */
int cmd_each(const char *verb, const char *key, char *const names[], int n,
    const char *rest);

#endif
