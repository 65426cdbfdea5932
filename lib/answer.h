/*
 * answer: what became of the verbs of a call, as HTTP has it.
 */
#ifndef TERA_ANSWER_H
#define TERA_ANSWER_H

#include "route.h"

/* The last row of t, or NULL. */
const char *answer_last(const struct task *t);

/* The status that a row sets, and the rest of it; 0: none. */
int answer_status(const char *row, const char **rest);

/* How many rows the call asks for, -1: all. */
long long answer_page(const struct call *c);

/* r is that t went wrong, or its rows in the shape of the route. */
void answer_refusal(const struct call *c, struct resp *r, const struct task *t);
void answer_rows(const struct call *c, const struct task *t, struct resp *r);

#endif
