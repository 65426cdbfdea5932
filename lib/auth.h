/*
 * auth: who may ask for what, and in whose name it is done.
 */
#ifndef TERA_AUTH_H
#define TERA_AUTH_H

#include <stdbool.h>

#include "db.h"
#include "req.h"

enum who {
	WHO_ALL,    /* no key is asked for */
	WHO_WORKER, /* the worker key, when there is one */
	WHO_READ,   /* likewise; a call of the people's side that only looks */
	WHO_WRITE,  /* and one that changes something */
	WHO_ADMIN,  /* this machine, while there is no worker key */
};

/* The worker key, from the setting or the environment. */
struct auth {
	bool set;
	char *key; /* NULL while set: it cannot be read, so nobody has it */
};
void auth_load(struct auth *a, struct db *db);
void auth_free(struct auth *a);

/* Then *actor is who it is (the caller frees it; NULL with WHO_ALL).  False: r
 * says no. */
bool auth_may(const struct auth *a, const struct req *q, enum who who,
    char **actor, struct resp *r);

#endif
