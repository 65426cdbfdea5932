/*
 * http: one POST (or GET) and its answer.  The only include of curl/curl.h.
 *
 * No redirect is followed (a key would follow it too), only http and https
 * are spoken, a proxy of the environment is used except towards this machine.
 * Blocks until the answer is whole, or a limit ends it.  The connection is kept
 * for the next call, which must not come from the chunk function.
 */
#ifndef TERA_HTTP_H
#define TERA_HTTP_H

#include <stddef.h>

#include "buf.h"

enum http_end {
	HTTP_DONE,    /* an answer came, whatever its status */
	HTTP_CONNECT, /* no connection: refused, unknown host, TLS */
	HTTP_TIMEOUT, /* too slow, silent for too long, or the total limit */
	HTTP_BROKEN,  /* the connection broke in the answer */
	HTTP_TOO_BIG, /* more than max bytes */
	HTTP_STOPPED, /* the chunk function wanted no more */
	HTTP_BAD      /* the URL or header is no good */
};

struct http_req {
	const char *url;
	const char *const *headers; /* "Name: value", NULL-terminated */
	const char *body;           /* NULL: GET */
	size_t len;
	double total; /* seconds for all */
	long idle;    /* seconds without a byte, 0: no such limit */
	size_t max;   /* bytes of the answer */
	/* Gets the bytes of a 2xx answer of type text/event-stream; any other
	 * answer is collected in body.  Not 0 stops.  May be NULL. */
	int (*chunk)(void *arg, const char *p, size_t n);
	void *arg;
};

struct http_res {
	long status;
	struct buf body;
	double retry_after; /* seconds from now, -1: not said */
	char request_id[128];
	char err[256]; /* why, when http_call did not return HTTP_DONE */
};

enum http_end http_call(const struct http_req *req, struct http_res *res);
void http_free(struct http_res *res);

/* Seconds from now of a Retry-After text (a number or an HTTP date), or -1. */
double http_retry_after(const char *text);

#endif
