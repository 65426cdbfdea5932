/* See token.h. */
#include <ctype.h>
#include <nettle/base64.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "secret.h"
#include "token.h"

#define RAW 32

/* 32 bytes as 43 characters and a NUL. */
static void
url64(char text[48], const unsigned char raw[RAW])
{
	struct base64_encode_ctx c;
	size_t n;

	base64url_encode_init(&c);
	n = base64_encode_update(&c, text, RAW, raw);
	base64_encode_final(&c, text + n);
	text[43] = '\0'; /* where the padding begins */
}

void
token_new(char text[TOKEN_TEXT])
{
	unsigned char raw[RAW];
	char end[48];

	if (getrandom(raw, sizeof(raw), 0) != (ssize_t)sizeof(raw))
		die(EX_OSERR, "random numbers:");
	url64(end, raw);
	snprintf(text, TOKEN_TEXT, TOKEN_MARK "%.43s", end);
	explicit_bzero(raw, sizeof(raw));
	explicit_bzero(end, sizeof(end));
}

void
token_hash(const char *s, size_t n, char hash[TOKEN_HASH])
{
	unsigned char sum[SHA256_DIGEST_SIZE];
	struct sha256_ctx c;

	sha256_init(&c);
	sha256_update(&c, n, (const unsigned char *)s);
	sha256_digest(&c, sizeof(sum), sum);
	for (size_t i = 0; i < sizeof(sum); i++)
		snprintf(hash + 2 * i, 3, "%02x", sum[i]);
}

int
token_job(char text[TOKEN_JOB], const char *store, const char *id,
    long long number, long long fence, int make, struct fault *f)
{
	unsigned char mac[32];
	char end[48], *what = xasprintf("%s %lld", id, fence);
	int rc = secret_mac(store, "token of a job", what, make, mac, f);

	free(what);
	if (rc != 0)
		return rc;
	url64(end, mac);
	snprintf(text, TOKEN_JOB, TOKEN_JOB_MARK "%lld_%lld_%.43s", number,
	    fence, end);
	return 0;
}

/* A number without a sign, as it is written by us. */
static bool
number_at(const char **p, const char *end, long long *n)
{
	const char *from = *p;

	for (*n = 0; *p < end && isdigit((unsigned char)**p); ++*p) {
		if (*p - from == 18)
			return false;
		*n = *n * 10 + (**p - '0');
	}
	return *p > from && *p < end && *(*p)++ == '_';
}

bool
token_job_of(const char *s, size_t n, long long *number, long long *fence)
{
	const char *p = s + sizeof(TOKEN_JOB_MARK) - 1, *end = s + n;

	return n > sizeof(TOKEN_JOB_MARK) - 1 &&
	       strncmp(s, TOKEN_JOB_MARK, sizeof(TOKEN_JOB_MARK) - 1) == 0 &&
	       number_at(&p, end, number) && number_at(&p, end, fence) &&
	       end - p == 43;
}
