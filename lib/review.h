/*
 * review: what a person who reviews a change wants to see first, as
 * Terarchitect's API gives it: what was done, and what the tests are called.
 */
#ifndef TERA_REVIEW_H
#define TERA_REVIEW_H

#include "buf.h"

/* The part of a pull request's body after its last "## What was accomplished",
 * up to a rule ("---"); all of it when it has no such heading.  The caller
 * frees it. */
char *review_summary(const char *body);

/*
 * Appends, as JSON, the files of a unified diff that hold tests, each with the
 * names of those that its lines show: [{"path":...,"test_names":[...]}].  A
 * name is the first string of it(, test( or describe(, or that of an added
 * "def test_..." of Python, with blanks for its underscores.
 */
void review_tests(struct buf *json, const char *patch);

#endif
