/* See daemon.h. */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon.h"
#include "json.h"

#define BATCH 256 /* requests of one turn of the store */

/* A request from its first line to the last byte of its answer. */
struct visit {
	struct MHD_Connection *conn;
	struct req q;
	struct resp r;
	struct call call;
	size_t max; /* of its body */
	bool begun; /* its headers were seen */
	bool over;  /* its body is longer than max */
	bool done;  /* r is the answer */
	struct visit *next;
};

struct daemon {
	struct MHD_Daemon *mhd;
	int fd, quiet; /* quiet: the socket after the drain, -1 before */
	struct auth auth;
	long long seen; /* data_version when auth was read */
	bool stale;
	int busy;
	struct visit *wait, **last; /* whole, and to be run */
};

/* --- a request --- */

/* The first line, before anything else of it is known. */
static void *
arrive(void *arg, const char *uri, struct MHD_Connection *conn)
{
	struct daemon *d = arg;
	struct visit *v = xmalloc(sizeof(*v));
	size_t path = strcspn(uri, "?");

	*v = (struct visit){ .conn = conn };
	d->busy++;
	if (strlen(uri) > REQ_LINE_MAX) {
		resp_error(&v->r, 414, "the address is too long");
		v->done = true;
	} else if (!req_decode(uri, path, false, &v->q.path)) {
		resp_error(&v->r, 400, "the path is not percent-encoded UTF-8");
		v->done = true;
	}
	v->q.query = xstrdup(uri[path] == '?' ? uri + path + 1 : "");
	return v;
}

/* We decode the path ourselves. */
static size_t
as_it_is(void *arg, struct MHD_Connection *conn, char *s)
{
	(void)arg;
	(void)conn;
	return strlen(s);
}

struct heads {
	struct req *q;
	size_t bytes;
	bool twice;      /* a header that counts came twice */
	const char *via; /* X-Forwarded-For, the last one */
	bool https;
};

static enum MHD_Result
header(void *arg, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct heads *h = arg;
	(void)kind;
	if (value == NULL)
		value = "";
	h->bytes += strlen(key) + strlen(value) + 4;
	for (int i = 0; i < HEADS; i++) {
		char **to = &h->q->head[i];

		if (strcasecmp(key, req_heads[i]) != 0)
			continue;
		if (*to != NULL)
			h->twice = true;
		else
			*to = xstrdup(value);
	}
	if (strcasecmp(key, "X-Forwarded-For") == 0 ||
	    strcasecmp(key, "Forwarded") == 0 ||
	    strcasecmp(key, "X-Real-IP") == 0)
		h->q->forwarded = true;
	if (strcasecmp(key, "X-Forwarded-For") == 0)
		h->via = value;
	if (strcasecmp(key, "X-Forwarded-Proto") == 0)
		h->https = strcasecmp(value, "https") == 0;
	return MHD_YES;
}

/* The other end of a Unix socket is a process of this machine, of some user. */
static void
look_at_unix(struct visit *v)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(v->conn, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct ucred who;
	socklen_t n = sizeof(who);
	char text[32];

	v->q.local = true;
	if (info == NULL || getsockopt(info->connect_fd, SOL_SOCKET,
				SO_PEERCRED, &who, &n) != 0)
		return;
	v->q.has_uid = true;
	v->q.uid = who.uid;
	snprintf(text, sizeof(text), "uid %ld", (long)who.uid);
	req_peer(&v->q, text, NULL);
}

static void
look_at_peer(struct visit *v)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    v->conn, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *a = info != NULL ? info->client_addr : NULL;
	char text[INET6_ADDRSTRLEN] = "";
	const void *in = NULL;

	if (a == NULL)
		return;
	if (a->sa_family == AF_UNIX) {
		look_at_unix(v);
		return;
	}
	if (a->sa_family == AF_INET)
		in = &((const struct sockaddr_in *)(const void *)a)->sin_addr;
	else if (a->sa_family == AF_INET6)
		in = &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
	if (in == NULL ||
	    inet_ntop(a->sa_family, in, text, sizeof(text)) == NULL)
		return;
	v->q.local = req_loopback(text);
	req_peer(&v->q, text, NULL);
}

/* The headers are here.  Is the answer known already? */
static void
begin(struct visit *v, const char *method)
{
	struct heads h = { .q = &v->q };
	const char *length;

	v->begun = true;
	v->q.method = xstrdup(method);
	look_at_peer(v);
	MHD_get_connection_values(v->conn, MHD_HEADER_KIND, header, &h);
	if (h.via != NULL)
		req_peer(&v->q, v->q.peer, h.via);
	v->q.https = v->q.local && h.https;
	if (v->done)
		return;
	v->max = route_body_max(v->q.path);
	length = MHD_lookup_connection_value(
	    v->conn, MHD_HEADER_KIND, "Content-Length");
	if (h.bytes > REQ_HEADERS_MAX)
		resp_error(&v->r, 431, "the headers are too long");
	else if (h.twice)
		resp_error(&v->r, 400, "a header came twice");
	else if (length != NULL && strtoull(length, NULL, 10) > v->max)
		resp_error(
		    &v->r, 413, "the body is longer than %zu bytes", v->max);
	else
		return;
	v->done = true;
}

static enum MHD_Result
send_answer(struct visit *v)
{
	struct resp *r = &v->r;
	struct MHD_Response *m;
	size_t n = r->body.len;
	enum MHD_Result sent;
	char *body;

	resp_finish(r);
	body = buf_take(&r->body);
	m = MHD_create_response_from_buffer(n, body, MHD_RESPMEM_MUST_FREE);
	if (m == NULL) {
		free(body);
		return MHD_NO;
	}
	for (int i = 0; i < RESP_HEADS && r->head[i].name != NULL; i++)
		MHD_add_response_header(m, r->head[i].name, r->head[i].value);
	sent = MHD_queue_response(v->conn, (unsigned)r->status, m);
	MHD_destroy_response(m);
	return sent;
}

/* Called for the headers, each piece of the body, its end, and once more when
 * the answer is there. */
static enum MHD_Result
handle(void *arg, struct MHD_Connection *conn, const char *url,
    const char *method, const char *version, const char *data, size_t *n,
    void **state)
{
	struct daemon *d = arg;
	struct visit *v = *state;

	(void)conn;
	(void)url;
	(void)version;
	if (!v->begun) {
		begin(v, method);
		/* an answer now refuses the body, and ends the connection */
		return v->done ? send_answer(v) : MHD_YES;
	}
	if (*n > 0) {
		if (!v->over && v->q.body.len + *n <= v->max)
			buf_add(&v->q.body, data, *n);
		else
			v->over = true;
		*n = 0;
		return MHD_YES;
	}
	if (v->over && !v->done) {
		resp_error(
		    &v->r, 413, "the body is longer than %zu bytes", v->max);
		v->done = true;
	}
	if (v->done)
		return send_answer(v);
	MHD_suspend_connection(v->conn);
	v->next = NULL;
	*d->last = v;
	d->last = &v->next;
	return MHD_YES;
}

static void
leave(void *arg, struct MHD_Connection *conn, void **state,
    enum MHD_RequestTerminationCode why)
{
	struct daemon *d = arg;
	struct visit *v = *state;

	(void)conn;
	(void)why;
	if (v == NULL)
		return;
	call_free(&v->call);
	req_free(&v->q);
	resp_free(&v->r);
	free(v);
	*state = NULL;
	d->busy--;
}

/* What libmicrohttpd has to say is about clients that misbehave. */
static void
silent(void *arg, const char *fmt, va_list ap)
{
	(void)arg;
	(void)fmt;
	(void)ap;
}

/* --- all of them --- */

struct daemon *
daemon_open(int fd)
{
	struct daemon *d = xmalloc(sizeof(*d));

	*d = (struct daemon){ .fd = fd, .quiet = -1, .stale = true };
	d->last = &d->wait;
	d->mhd = MHD_start_daemon(
	    MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0,
	    NULL, NULL, handle, d, MHD_OPTION_EXTERNAL_LOGGER, silent, NULL,
	    MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_TIMEOUT,
	    (unsigned)REQ_TIME, MHD_OPTION_CONNECTION_LIMIT,
	    (unsigned)DAEMON_CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    (size_t)2 * REQ_HEADERS_MAX, MHD_OPTION_URI_LOG_CALLBACK, arrive, d,
	    MHD_OPTION_UNESCAPE_CALLBACK, as_it_is, NULL,
	    MHD_OPTION_NOTIFY_COMPLETED, leave, d, MHD_OPTION_END);
	if (d->mhd == NULL) {
		free(d);
		return NULL;
	}
	return d;
}

void
daemon_close(struct daemon *d)
{
	if (d == NULL)
		return;
	while (d->wait != NULL) {
		struct visit *v = d->wait;

		d->wait = v->next;
		MHD_resume_connection(v->conn);
	}
	MHD_stop_daemon(d->mhd);
	if (d->quiet >= 0)
		close(d->quiet);
	auth_free(&d->auth);
	free(d);
}

int
daemon_fd(const struct daemon *d)
{
	return MHD_get_daemon_info(d->mhd, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

int
daemon_patience(struct daemon *d)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (d->wait != NULL)
		return 0;
	if (MHD_get_timeout(d->mhd, &ms) != MHD_YES)
		return -1;
	return ms < 60000 ? (int)ms : 60000;
}

/* Keys and tokens as they are now: somebody may have changed them. */
static void
look_at_key(struct daemon *d, struct db *db)
{
	long long now = db_data_version(db);

	if (!d->stale && now == d->seen && d->auth.db == db)
		return;
	d->seen = now;
	d->stale = false;
	auth_load(&d->auth, db);
}

/* One round: each one's next verb, all together.  Who has its answer goes. */
static void
round_of(struct daemon *d, struct db *db, struct visit **list, size_t n)
{
	static struct work works[BATCH];
	size_t kept = 0;
	bool admin = false; /* a key or token may be another now */

	for (size_t i = 0; i < n; i++) {
		struct call *c = &list[i]->call;

		admin = admin || (c->verb->flags & VERB_ADMIN);

		works[i] = (struct work){
			.who = list[i], .verb = c->verb, .actor = c->actor
		};
		work_init(&works[i], 1);
		works[i].tasks[0].in = c->in;
		works[i].tasks[0].key = c->key;
	}
	if (work_run(db, works, n) && admin)
		d->stale = true;
	for (size_t i = 0; i < n; i++) {
		struct visit *v = works[i].who;

		v->done = !call_next(&v->call, &works[i].tasks[0], &v->r);
		work_free(&works[i]);
		if (v->done)
			MHD_resume_connection(v->conn);
		else
			list[kept++] = v;
	}
	if (kept > 0)
		round_of(d, db, list, kept);
}

/* Takes up to BATCH of those who wait.  False: nobody does. */
static bool
serve(struct daemon *d, struct db *db)
{
	struct visit *list[BATCH];
	size_t n = 0;

	if (d->wait == NULL)
		return false;
	if (db != NULL)
		look_at_key(d, db);
	for (int i = 0; i < BATCH && d->wait != NULL; i++) {
		struct visit *v = d->wait;

		d->wait = v->next;
		if (d->wait == NULL)
			d->last = &d->wait;
		if (db == NULL)
			resp_error(&v->r, 503, "there is no store now");
		if (db != NULL &&
		    call_begin(&v->call, &d->auth, &v->q, &v->r)) {
			list[n++] = v;
			continue;
		}
		v->done = true;
		MHD_resume_connection(v->conn);
	}
	if (n > 0)
		round_of(d, db, list, n);
	return true;
}

void
daemon_turn(struct daemon *d, struct db *db)
{
	MHD_run(d->mhd);
	while (serve(d, db))
		MHD_run(d->mhd);
}

void
daemon_forget(struct daemon *d)
{
	d->stale = true;
	auth_free(&d->auth);
}

void
daemon_drain(struct daemon *d)
{
	if (d->quiet < 0)
		d->quiet = MHD_quiesce_daemon(d->mhd);
}

int
daemon_busy(const struct daemon *d)
{
	return d->busy;
}
