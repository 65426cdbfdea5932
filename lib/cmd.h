/*
 * cmd: what a command line says: numbers, and operands key=value (fields).
 *
 * It needs no store.  What it does not understand ends the command with 64.
 */
#ifndef TERA_CMD_H
#define TERA_CMD_H

#include "json.h"

/* Adds the operands key=value ... to in; a bad one ends the command. */
void cmd_operands(struct buf *in, int argc, char *argv[]);

/* A number within limits; what is its flag ("-n") or its key. */
long long cmd_number(
    const char *what, const char *text, long long least, long long most);

/* Is it written like a field: key=text, key:=json or key@file? */
bool cmd_is_field(const char *arg);

/* Brings the fields behind the other operands, each in the order in which they
 * came, and returns how many of the others there are. */
int cmd_fields(int argc, char *argv[]);

/* A field of a command that is no verb: where its text goes, or the name of
 * its file.  NULL where it does not have that form. */
struct cmd_key {
	const char *name;
	const char **text; /* of key=text, or of key:=json that is no string */
	const char **file; /* of key@file */
};

/* Takes operands that are all fields, each with one of n keys.  What it sets
 * points into argv. */
void cmd_keys(const struct cmd_key *keys, size_t n, int argc, char *argv[]);

#endif
