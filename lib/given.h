/*
 * given: what a verb is given of a request: its body, what verbs before it
 * found, and settings of the environment.  All objects are JSON as text; the
 * caller frees what he gets, unless it is const.
 */
#ifndef TERA_GIVEN_H
#define TERA_GIVEN_H

#include "req.h"

/* The body as an object: nothing and null are an empty one.  NULL: r. */
char *given_body(struct req *q, struct resp *r);

/* in, which it frees, with the keys of another object. */
char *given_more(char *in, const char *with);

/*
 * What the verb asks for, of what the request holds and of what was found
 * since, which counts more: that may be much, and most of it is for nobody.
 * row and env may be NULL.
 */
char *given_picked(const struct verb *v, const char *request, const char *row,
    const char *env);

/* {"env":{...}}: settings that the environment gives, which stays as it is. */
const char *given_env(void);

#endif
