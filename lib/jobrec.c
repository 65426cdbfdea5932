/* See jobrec.h. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "jobrec.h"
#include "json.h"

#define LEASE_MAX 86400
#define MEMORY_MAX (1LL << 40) /* megabytes */

static long long
number(const char *text, long long absent)
{
	return text != NULL ? strtoll(text, NULL, 10) : absent;
}

/* A record may have waited for its turn: its lease has begun before. */
static long long
renewal(long long lease, const char *until)
{
	long long third = lease * 1000 / 3, left;
	struct tm tm = { 0 };

	if (until == NULL || strptime(until, "%Y-%m-%dT%H:%M:%S", &tm) == NULL)
		return third;
	left = (timegm(&tm) - time(NULL)) * 1000 - 2 * third;
	if (left >= third)
		return third;
	return left > 0 ? left : 0;
}

void
jobrec_read(
    struct jobrec *j, const char *rec, long long lease, long long fallback)
{
	enum {
		ERROR,
		ID,
		SESSION,
		ATTEMPT,
		FENCE,
		LEASE,
		UNTIL,
		MEMORY,
		TIME,
		TOKEN
	};
	static const char *const paths[] = { [ERROR] = "$.error",
		[ID] = "$.job_id",
		[SESSION] = "$.session_id",
		[ATTEMPT] = "$.attempt",
		[FENCE] = "$.fence",
		[LEASE] = "$.lease_seconds",
		[UNTIL] = "$.lease_until",
		[MEMORY] = "$.limits.memory_mb",
		[TIME] = "$.limits.seconds",
		[TOKEN] = "$.token" };
	enum { N = sizeof(paths) / sizeof(*paths) };
	char *v[N];
	long long mb;

	for (int i = 0; i < N; i++)
		v[i] = json_get(rec, paths[i]);
	mb = number(v[MEMORY], 0);
	if (lease <= 0)
		lease = number(v[LEASE], 0);
	if (lease <= 0 || lease > LEASE_MAX)
		lease = fallback;
	*j = (struct jobrec){ .id = v[ID],
		.token = v[TOKEN],
		.session = v[SESSION],
		.error = v[ERROR] != NULL,
		.fence = number(v[FENCE], -1),
		.lease = lease,
		.renew = renewal(lease, v[UNTIL]),
		.memory = mb <= 0 || mb > MEMORY_MAX ? 0 : mb << 20,
		.seconds = number(v[TIME], 0) };
	if (j->session == NULL)
		j->session = xasprintf("run-%lld", number(v[ATTEMPT], 0));
	for (int i = 0; i < N; i++)
		if (i != ID && i != SESSION && i != TOKEN)
			free(v[i]);
}

void
jobrec_free(struct jobrec *j)
{
	free(j->id);
	free(j->session);
	free(j->token);
	*j = (struct jobrec){ .fence = -1 };
}
