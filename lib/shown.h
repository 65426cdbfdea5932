/*
 * shown: what a request shows of itself: tokens and keys, looked up, and the
 * wrong ones counted.  For auth and login.
 *
 * What is looked up of named tokens is kept until auth_load: of thousands of
 * them only those that ask cost anything.  A job is looked up each time.
 */
#ifndef TERA_SHOWN_H
#define TERA_SHOWN_H

#include "auth.h"

/* Whose is the text of n bytes?  A named token's or the worker key's.  False:
 * r says no, and it counts as a failure of q's address.  hash (token.h) is
 * what is kept of it. */
bool shown_key(struct auth *a, const struct req *q, const char *s, size_t n,
    char *hash, struct caller *c, struct resp *r);

/* The same of the token of a job. */
bool shown_job(struct auth *a, const struct req *q, const char *s, size_t n,
    struct caller *c, struct resp *r);

/* The named token of that hash.  1; 0: there is none; -1: r says no. */
int shown_named(
    struct auth *a, const char *hash, struct caller *c, struct resp *r);

/* Who shows the worker key: he may what it always might, all but administer. */
void shown_worker_key(struct caller *c);

/* What a role, a word of n bytes, may: bits; 0: it is none. */
unsigned shown_may(const char *role, size_t n);

/* The last row that a verb of ours answers, NULL when none; *rc is its status.
 * Ends the object in.  The caller frees it. */
char *shown_ask(struct auth *a, const char *verb, struct buf *in, int *rc);

/* Frees what was kept. */
void shown_forget(struct auth *a);

#endif
