/*
 * etag: the strong validator of an answer, a hash of its body (RFC
 * 9110, 8.8.3), so that who polls is told in a line that nothing is new.
 */
#ifndef TERA_ETAG_H
#define TERA_ETAG_H

#include "req.h"

/* Gives an answer its ETag and its Cache-Control: may be stored, and is asked
 * about each time.  Returns the ETag as it stands in the header, which r owns;
 * one that is there already stays. */
const char *etag_add(struct resp *r);

/* Does If-None-Match name it?  Then who asks has it. */
bool etag_known(const struct req *q, const char *etag);

/* Both, for the answer 200 of a GET; others stay as they are.  It becomes 304
 * where it is known, and the door leaves out the body, which stays. */
void etag_answer(const struct req *q, struct resp *r);

#endif
