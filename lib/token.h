/*
 * token: the text of tokens, and what is kept of them.
 *
 * A token is "tera_" and 256 random bits in base64url (RFC 4648, 5).  Of so
 * many bits a plain SHA-256 is kept: nobody can try them all, so there is
 * nothing that salt or a slow hash would make harder; and what is kept can be
 * looked up by an index.  How long that takes says something of the hash of
 * what a stranger sent, and nothing of a token.
 *
 * A job's token is "tera_job_NUMBER_FENCE_" and an HMAC of the job's id and
 * the fence under a key of the store (secret.h), so that nothing is kept of
 * it, and who asks twice for the answer to one claim gets the same.
 */
#ifndef TERA_TOKEN_H
#define TERA_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

#define TOKEN_TEXT 49 /* bytes of a token, its NUL included */
#define TOKEN_HASH 65 /* hex digits and a NUL */
#define TOKEN_JOB 112 /* at most */
#define TOKEN_MARK "tera_"
#define TOKEN_JOB_MARK "tera_job_"

/* A new one. */
void token_new(char text[TOKEN_TEXT]);

/* What is kept of n bytes. */
void token_hash(const char *s, size_t n, char hash[TOKEN_HASH]);

/* The token of a claim of a job.  make: the key may be made.  Returns 0, or an
 * exit status with f: there is no key. */
int token_job(char text[TOKEN_JOB], const char *store, const char *id,
    long long number, long long fence, int make, struct fault *f);

/* Which job's does it say that it is?  False: none's. */
bool token_job_of(const char *s, size_t n, long long *number, long long *fence);

#endif
