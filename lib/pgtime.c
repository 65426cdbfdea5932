/* See pgtime.h. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "pgtime.h"

static int
digit(const char *s, const char *end)
{
	return s < end && *s >= '0' && *s <= '9' ? *s - '0' : -1;
}

/* Exactly n digits; -1 when they are not. */
static int
digits(const char **s, const char *end, int n)
{
	int v = 0, d;

	while (n-- > 0) {
		if ((d = digit(*s, end)) < 0)
			return -1;
		v = v * 10 + d;
		(*s)++;
	}
	return v;
}

static bool
take(const char **s, const char *end, const char *any)
{
	if (*s >= end || **s == '\0' || strchr(any, **s) == NULL)
		return false;
	(*s)++;
	return true;
}

/* Seconds of "+05:30"; false: no offset. */
static bool
offset(const char **s, const char *end, long *seconds)
{
	bool west = *s < end && **s == '-';
	int part[3] = { 0, 0, 0 };

	*seconds = 0;
	if (take(s, end, "Zz") || *s == end)
		return true;
	if (!take(s, end, "+-"))
		return false;
	for (int i = 0; i < 3; i++) {
		part[i] = digits(s, end, 2);
		if (part[i] < 0 || part[i] > 59)
			return false;
		if (*s == end)
			break;
		take(s, end, ":");
	}
	*seconds = part[0] * 3600L + part[1] * 60L + part[2];
	if (west)
		*seconds = -*seconds;
	return true;
}

bool
pgtime_read(const char *s, size_t n, long long *us)
{
	const char *end = s + n;
	struct tm t = { .tm_year = digits(&s, end, 4) - 1900 }, back;
	long fraction = 0, scale = 100000, seconds;
	long long at;
	time_t day;
	int d;

	if (t.tm_year < 1 - 1900 || !take(&s, end, "-") ||
	    (t.tm_mon = digits(&s, end, 2) - 1) < 0 || !take(&s, end, "-") ||
	    (t.tm_mday = digits(&s, end, 2)) < 1 || !take(&s, end, " Tt") ||
	    (t.tm_hour = digits(&s, end, 2)) < 0 || !take(&s, end, ":") ||
	    (t.tm_min = digits(&s, end, 2)) < 0 || !take(&s, end, ":") ||
	    (t.tm_sec = digits(&s, end, 2)) < 0 || t.tm_hour > 23 ||
	    t.tm_min > 59 || t.tm_sec > 59)
		return false;
	if (take(&s, end, "."))
		for (; (d = digit(s, end)) >= 0; s++, scale /= 10)
			fraction += d * scale;
	if (!offset(&s, end, &seconds) || s != end)
		return false;
	back = t;
	day = timegm(&back);
	if (back.tm_mon != t.tm_mon || back.tm_mday != t.tm_mday)
		return false; /* the 30th of February */
	at = (long long)day - seconds;
	if (at < -62135596800 || at > 253402300799)
		return false;
	*us = at * 1000000 + fraction;
	return true;
}

void
pgtime_stamp(char to[32], long long us)
{
	long long ms = us / 1000 - (us % 1000 < 0);
	time_t at = (time_t)(ms / 1000 - (ms % 1000 < 0));
	size_t n;
	struct tm t;

	gmtime_r(&at, &t);
	/* strftime's year has no zeros before it everywhere */
	n = (size_t)snprintf(to, 6, "%04d-", (t.tm_year + 1900) % 10000);
	n += strftime(to + n, 32 - n, "%m-%dT%H:%M:%S", &t);
	snprintf(to + n, 32 - n, ".%03dZ", (int)(ms - (long long)at * 1000));
}
