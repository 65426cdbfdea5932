/*
 * usage: tokens and money as models and workers tell them, which may be
 * anything.  What is no number of either is 0, what is too much the most.
 */
#ifndef TERA_USAGE_H
#define TERA_USAGE_H

#define USAGE_TOKENS_MAX 1e12
#define USAGE_COST_MAX 1e6

static inline double
usage_within(double n, double most)
{
	if (!(n > 0)) /* NaN, too */
		return 0;
	return n < most ? n : most;
}

static inline long long
usage_tokens(double n)
{
	return (long long)usage_within(n, USAGE_TOKENS_MAX);
}

static inline double
usage_cost(double n)
{
	return usage_within(n, USAGE_COST_MAX);
}

#endif
