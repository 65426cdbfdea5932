/*
 * pgtime: times as PostgreSQL and Python write them.
 */
#ifndef TERA_PGTIME_H
#define TERA_PGTIME_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Reads ISO 8601: a blank or a T between day and hour, up to nine digits of a
 * fraction, an offset (+00, +05:30, Z) or none, which is UTC.  *us are the
 * microseconds since 1970.  False when it is no time, or one of a year that
 * has not four digits.
 */
bool pgtime_read(const char *s, size_t n, long long *us);
/* The same as our stores have it: RFC 3339, UTC, milliseconds. */
void pgtime_stamp(char to[32], long long us);

#endif
