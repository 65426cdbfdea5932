/* token: its text, and what is taken for one; the address of who asks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "req.h"
#include "token.h"

static int count, bad;

static void
ok(bool yes, const char *name)
{
	printf("%sok %d - %s\n", yes ? "" : "not ", ++count, name);
	bad += !yes;
}

static bool
is_jobs(const char *s)
{
	long long number, fence;

	return token_job_of(s, strlen(s), &number, &fence);
}

/* Who asks, when peer does and says that it is for others. */
static const char *
asks(const char *peer, bool local, const char *value)
{
	static char got[64];
	struct req q = { .local = local };

	req_peer(&q, peer, value);
	snprintf(got, sizeof(got), "%s", q.peer != NULL ? q.peer : "nobody");
	req_free(&q);
	return got;
}

#define MAC "0123456789012345678901234567890123456789012"

int
main(void)
{
	char a[TOKEN_TEXT], b[TOKEN_TEXT], hash[TOKEN_HASH], job[TOKEN_JOB];
	char other[TOKEN_JOB];
	long long number, fence;
	struct fault f;

	token_new(a);
	token_new(b);
	ok(strlen(a) == TOKEN_TEXT - 1 && strncmp(a, TOKEN_MARK, 5) == 0,
	    "a token is as long as it should be");
	ok(strspn(a + 5, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			 "0123456789_-") == 43,
	    "of letters for URLs");
	ok(strcmp(a, b) != 0, "and each is another");
	token_hash("abc", 3, hash); /* FIPS 180-2, B.1 */
	ok(strcmp(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff"
			"61f20015ad") == 0,
	    "SHA-256");

	setenv("TERARCHITECT_SECRET_KEY",
	    "0000000000000000000000000000000000000000000000000000000000000000",
	    1);
	ok(token_job(job, "x", "id", 12, 3, 0, &f) == 0 &&
		strncmp(job, "tera_job_12_3_", 14) == 0 &&
		token_job_of(job, strlen(job), &number, &fence) &&
		number == 12 && fence == 3,
	    "that of a job");
	ok(token_job(other, "x", "id", 12, 3, 0, &f) == 0 &&
		strcmp(job, other) == 0,
	    "is the same again");
	ok(token_job(other, "x", "id", 12, 4, 0, &f) == 0 &&
		strcmp(job + 14, other + 14) != 0,
	    "of another fence another");
	ok(token_job(other, "x", "ie", 12, 3, 0, &f) == 0 &&
		strcmp(job + 14, other + 14) != 0,
	    "of another job, too");
	ok(token_job(other, "x", "id", 999999999999999999, 999999999999999999,
	       0, &f) == 0 &&
		is_jobs(other),
	    "the longest");
	setenv("TERARCHITECT_SECRET_KEY", "nonsense", 1);
	ok(token_job(other, "x", "id", 1, 1, 0, &f) == EX_CONFIG,
	    "without a key there is none");
	ok(is_jobs("tera_job_1_2_" MAC), "a job's");
	ok(!is_jobs("tera_job_") && !is_jobs("tera_job_1") &&
		!is_jobs("tera_job_1_") && !is_jobs("tera_job_1_2") &&
		!is_jobs("tera_job_1_2_") && !is_jobs("tera_job__2_" MAC) &&
		!is_jobs("tera_job_-1_2_" MAC) &&
		!is_jobs("tera_job_1_2_" MAC "0") &&
		!is_jobs("tera_job_1_2_3_" MAC) &&
		!is_jobs("tera_job_9999999999999999999_2_" MAC) &&
		!is_jobs("Tera_job_1_2_" MAC) && !is_jobs(a),
	    "and what is none");

	ok(strcmp(asks("10.0.0.1", false, NULL), "10.0.0.1") == 0, "a peer");
	ok(strcmp(asks("10.0.0.1", false, "1.2.3.4"), "10.0.0.1") == 0,
	    "from elsewhere nobody is believed");
	ok(strcmp(asks("127.0.0.1", true, "9.9.9.9, 1.2.3.4 "), "1.2.3.4") == 0,
	    "of a proxy here the last one");
	ok(strcmp(asks("127.0.0.1", true, "2001:db8::1"), "2001:db8::1") == 0,
	    "IPv6");
	ok(strcmp(asks("127.0.0.1", true, "unknown"), "127.0.0.1") == 0,
	    "which must be an address");
	ok(strcmp(asks("", true, NULL), "nobody") == 0, "nobody");
	printf("1..%d\n", count);
	return bad != 0;
}
