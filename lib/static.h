/*
 * static: the files of the pages, share/www (share_path in spawn.h).
 *
 * Everything that no route begins with is a file: they hold nothing of the
 * store, so no key is asked for and no store is opened.  A name is taken
 * segment by segment, each one opened below the last and never through a
 * symbolic link, and none may begin with a dot: nothing outside the directory
 * is reached whatever the path says.
 */
#ifndef TERA_STATIC_H
#define TERA_STATIC_H

#include <stdbool.h>

#include "req.h"

/* Is the path (decoded) a file's, and no route's? */
bool static_path(const char *path);

/*
 * Answers a request for one; false: it is for a route.  GET and HEAD, 405 for
 * others.  A directory is its index.html; NAME.gz beside NAME, and not older,
 * is sent to who takes gzip. ETag and If-None-Match (RFC 9110, 8.8.3
 * and 13.1.2) are understood; ranges are not, which a server may do (RFC
 * 9110, 14.2).
 */
bool static_answer(const struct req *q, struct resp *r);

#endif
