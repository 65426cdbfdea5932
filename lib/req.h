/*
 * req: a request and its answer, whichever door it came through.
 *
 * The door (cgi.h, daemon.h) fills a struct req and writes out a struct resp;
 * what is between does not know which it was.  Everything in a request comes
 * from strangers; the functions here take any bytes.
 */
#ifndef TERA_REQ_H
#define TERA_REQ_H

#include <stdbool.h>
#include <sys/types.h>

#include "buf.h"
#include "verb.h"

#define REQ_LINE_MAX 8192                /* method, path and query */
#define REQ_HEADERS_MAX 32768            /* all headers */
#define REQ_BODY_MAX (1024 * 1024 + 512) /* a record, and what is around it */
#define REQ_LOG_MAX (8 * 1024 * 1024)    /* a piece of log */
#define REQ_TIME 10                      /* seconds of silence of a client */

/* The headers that count; the doors look for no others. */
enum head {
	HEAD_TYPE,   /* Content-Type */
	HEAD_AUTH,   /* Authorization */
	HEAD_COOKIE, /* Cookie */
	HEAD_HOST,
	HEAD_ORIGIN,
	HEAD_SITE, /* Sec-Fetch-Site */
	HEAD_ACCEPT,
	HEAD_ENCODING,    /* Accept-Encoding */
	HEAD_NONE_MATCH,  /* If-None-Match */
	HEAD_LAST_EVENT,  /* Last-Event-ID */
	HEAD_ASK_METHOD,  /* Access-Control-Request-Method */
	HEAD_ASK_HEADERS, /* Access-Control-Request-Headers */
	HEAD_KEY,         /* Idempotency-Key */
	HEAD_ACTOR,       /* Tera-Actor: who it says that it is */
	HEADS
};
extern const char *const req_heads[HEADS]; /* their names */

struct req {
	char *method, *path,
	    *query;        /* path: decoded; query: as it came, or "" */
	char *head[HEADS]; /* values; NULL: it did not come */
	bool forwarded;    /* a proxy says that it asks for somebody else */
	bool local;        /* the other end is on this machine */
	char *peer;        /* the address of who asks, NULL: not known */
	char *user;        /* whom the web server knows (REMOTE_USER) */
	bool has_uid;      /* the other end of a Unix socket is */
	uid_t uid;         /* a process of this user */
	bool https;        /* between the browser and us, or our web server */
	struct buf body;
};

#define RESP_HEADS 16

struct stream;

struct resp {
	int status;
	const char *type; /* of the body */
	struct {
		const char *name;
		char *value;
	} head[RESP_HEADS]; /* ends with a NULL name, or is full */
	struct buf body;
	/* or a file instead of it: the first size bytes of fd, which is ours
	 * until somebody takes it and sets file to false */
	bool file;
	int fd;
	size_t size;
	struct stream *stream; /* goes on after it: the door frees it with
				  stream_free; NULL: it does not */
};

void req_free(struct req *q);
void resp_free(struct resp *r);

/* Sets the answer {"error":message}. */
void resp_error(struct resp *r, int status, const char *fmt, ...) PRINTF(3, 4);

/* Sets a header; name is a literal.  What would end the line is cut off. */
void resp_head(struct resp *r, const char *name, const char *fmt, ...)
    PRINTF(3, 4);

/* Sets the headers that every answer has, or all of a status or with a body.
 * For the doors, when the rest is there. */
void resp_finish(struct resp *r);

/* The words of a status. */
const char *resp_words(int status);

/*
 * Undoes percent encoding.  False: a % that is none, a NUL, or what is not
 * UTF-8; plus: a plus is a blank (in a query, not in a path).  The caller
 * frees *out, which is NULL then.
 */
bool req_decode(const char *s, size_t n, bool plus, char **out);

/*
 * Adds to the object in b what the query asks of the verb: keys that it knows,
 * with the type that it wants.  False: an encoding that is none.
 */
bool req_query(struct buf *b, const char *query, const struct verb *v);

/* What the verb wants of that key: text that begins with its type.  NULL: it
 * does not know the key. */
const char *verb_key(const struct verb *v, const char *key);

/* Is the address this machine itself? */
bool req_loopback(const char *address);

/* Who asks: peer, the other end, or when that is this machine the last one of
 * those for whom it asks (X-Forwarded-For: value, may be NULL), for that is
 * what it has seen itself. */
void req_peer(struct req *q, const char *peer, const char *value);

/* Does a Host name this machine, whatever a name server says: an address in
 * digits, or localhost?  Then no page of somebody else's can have that name. */
bool req_own_host(const char *host);

/* Did a page of another host send it?  By Origin and Sec-Fetch-Site. */
bool req_cross_site(const struct req *q);

/* The token of "Bearer TOKEN", with its length; NULL when it is none. */
const char *req_bearer(const char *auth, size_t *n);

/* Are they the same?  Takes as long, whatever they are. */
bool req_same(const char *secret, const char *s, size_t n);

#endif
