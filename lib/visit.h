/*
 * visit: a request of the listener on its way, from its first line to the last
 * byte of its answer.  For daemon.c, whose inside this is: what libmicrohttpd
 * calls, and what is sent.  A visit that waits for the store is in the
 * daemon's list.
 */
#ifndef TERA_VISIT_H
#define TERA_VISIT_H

#include "daemon.h"
#include "hub.h"
#include "keep.h"
#include "meter.h"

struct MHD_Connection;
struct MHD_Daemon;
struct MHD_Response;

/* One that is kept, and whoever it is sent to. */
struct answer {
	struct MHD_Response *m;
	char *etag;
	int holders;
};

/* A request from its first line to the last byte of its answer. */
struct visit {
	struct MHD_Connection *conn;
	struct daemon *d;
	struct req q;
	struct resp r;
	struct answer *answer; /* instead of r; NULL: r */
	struct call call;
	size_t max;            /* of its body */
	bool begun;            /* its headers were seen */
	bool over;             /* its body is longer than max */
	bool done;             /* r is the answer */
	struct reader *reader; /* of the stream that it is; NULL: none */
	int fd;                /* and its socket */
	bool lean;             /* it has given back what it can */
	long long came;        /* us */
	struct visit *next;
};

struct daemon {
	struct MHD_Daemon *mhd;
	struct progs *progs;
	struct meter *meter;
	int fd, quiet; /* quiet: the socket after the drain, -1 before */
	int poll;      /* all that there is to wait for */
	struct hub *hub;
	bool stirred, other; /* see daemon_stir, daemon_other */
	struct auth auth;
	long long event; /* the last one when auth was read */
	struct keep keep;
	long long asked; /* when somebody did; 0: it has rested since */
	int busy;
	struct visit *wait, **last; /* whole, and to be run */
};

/* --- called by libmicrohttpd --- */

/* The first line, before anything else of it is known. */
void *visit_arrive(void *arg, const char *uri, struct MHD_Connection *conn);
/* We decode the path ourselves. */
size_t visit_path(void *arg, struct MHD_Connection *conn, char *s);
/* For the headers, each piece of the body, its end, and once more when the
 * answer is there.  False: the connection is of no use any more. */
bool visit_handle(struct daemon *d, struct visit *v, const char *method,
    const char *version, const char *data, size_t *n);
/* The last of it; frees v, which may be NULL. */
void visit_leave(struct daemon *d, struct visit *v);

/* --- called by the hub --- */

void visit_wake(void *who);
bool visit_still_may(void *who);

/* --- the answer --- */

/* What is sent, or NULL.  Takes the body. */
struct MHD_Response *visit_sendable(struct visit *v);
/* One less has it (struct answer, NULL: nothing). */
void visit_let_go(void *answer);

#endif
