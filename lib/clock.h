/*
 * clock: milliseconds that only go forward, for what is due when.
 */
#ifndef TERA_CLOCK_H
#define TERA_CLOCK_H

#include <limits.h>

#define CLOCK_NEVER LLONG_MAX

long long clock_ms(void);

#endif
