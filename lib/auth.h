/*
 * auth: who may ask for what, and in whose name it is done.
 *
 * The first of these that there is says who asks: a bearer (a named token, the
 * token of a job, the worker key), the cookie of a log-in, a user whom the web
 * server knows, the uid at the other end of a Unix socket, this machine while
 * nobody has made a key.  tera-serve(8) has the table.
 */
#ifndef TERA_AUTH_H
#define TERA_AUTH_H

#include <stdbool.h>

#include "db.h"
#include "req.h"

/* Who is wanted.  looks: nothing is changed by the call. */
enum who {
	WHO_ALL,    /* anybody */
	WHO_WORKER, /* a worker; who may read when it looks, else write */
	WHO_READ,   /* a call of the people's side that only looks */
	WHO_WRITE,  /* and one that changes something */
	WHO_ADMIN,  /* settings, tokens */
	WHO_AGENT,  /* a worker: the answer carries keys that agents use */
};

/* The word for it, as the pages have it. */
const char *auth_word(enum who who);

#define COOKIE "tera" /* its name */

/* What of it somebody may: bits. */
enum { MAY_READ = 1, MAY_WRITE = 2, MAY_WORK = 4, MAY_ALL = 15 };

/* Who asks. */
struct caller {
	char *name;   /* "token ci", "loopback": found by us */
	char *actor;  /* that and what he says himself: what is sealed */
	unsigned may; /* MAY_... */
	char *only;   /* a JSON list of ids: these projects; NULL: all */
	char *job;    /* with the token of a job: its id, */
	char *ticket; /* its ticket */
	long long fence;
	bool keyed;   /* something was shown that others do not have */
	bool ambient; /* which a browser shows by itself */
};
void caller_free(struct caller *c);

struct known;

/* What holds for all requests, as it stood at auth_load, and tokens that were
 * looked up since.  Zero it; auth_free after. */
struct auth {
	struct db *db; /* NULL: no token is known */
	bool set;      /* there is a worker key */
	char *key;     /* NULL while set: it cannot be read: nobody has it */
	bool wanted;   /* a key is wanted of everybody */
	bool failures; /* somebody may have to wait */
	bool any;      /* there is a key or token: others may reach us */
	char *origins; /* whose pages may ask, parted by blanks */
	char *users;   /* of the web server: "name=role *=role" */
	struct known **known;
};
void auth_load(struct auth *a, struct db *db);
void auth_free(struct auth *a);

/* Then *c is who it is (zero it; caller_free after; nobody with WHO_ALL).
 * False: r says no. */
bool auth_may(struct auth *a, const struct req *q, enum who who, bool looks,
    struct caller *c, struct resp *r);

/* The session of q's cookie, by its hash; false: there is none. */
bool auth_session(const struct req *q, char *hash);

/* Lets pages of the origins that are listed read the answer (CORS).  True: it
 * was their browser's question whether it may ask, and r is the answer. */
bool auth_cors(const struct auth *a, const struct req *q, struct resp *r);

/* Can the answer of a claim carry the token of the job?  For before the claim:
 * none is made whose answer cannot be given.  False: r says no. */
bool auth_can_claim(const struct auth *a, struct resp *r);

/* The row of a claim with the token; keyed: and that the agent has to show it.
 * The caller frees it. */
char *auth_claimed(const struct auth *a, const char *row, bool keyed);

#endif
