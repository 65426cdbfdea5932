/*
 * heads: the headers of a request of libmicrohttpd, and who sent it.
 */
#ifndef TERA_HEADS_H
#define TERA_HEADS_H

#include "req.h"

struct MHD_Connection;

/* Fills q with what conn has; max is the most bytes of its body.  False: r is
 * the answer, as nobody may read the rest. */
bool heads_read(struct MHD_Connection *conn, const char *version, size_t max,
    struct req *q, struct resp *r);

#endif
