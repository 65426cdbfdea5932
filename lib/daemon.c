/* See daemon.h. */
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "daemon.h"
#include "json.h"
#include "meter.h"

#define BATCH 256 /* requests of one turn of the store */

/* A request from its first line to the last byte of its answer. */
struct visit {
	struct MHD_Connection *conn;
	struct req q;
	struct resp r;
	struct call call;
	size_t max;     /* of its body */
	bool begun;     /* its headers were seen */
	bool over;      /* its body is longer than max */
	bool done;      /* r is the answer */
	long long came; /* us */
	struct daemon *d;
	struct visit *next;
};

struct daemon {
	struct MHD_Daemon *mhd;
	int polls; /* what there is to wait for, as one descriptor */
	struct progs *progs;
	struct meter *meter;
	int fd, quiet; /* quiet: the socket after the drain, -1 before */
	struct auth auth;
	long long seen; /* data_version when auth was read */
	bool stale;
	int busy;
	struct visit *wait, **last; /* whole, and to be run */
};

/* --- a request --- */

static long long
microseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

/* The first line, before anything else of it is known. */
static void *
arrive(void *arg, const char *uri, struct MHD_Connection *conn)
{
	struct daemon *d = arg;
	struct visit *v = xmalloc(sizeof(*v));
	size_t path = strcspn(uri, "?");

	*v = (struct visit){ .conn = conn, .came = microseconds(), .d = d };
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
	bool twice; /* a header that counts came twice */
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
	return MHD_YES;
}

static bool
is_local(struct MHD_Connection *conn)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *a = info != NULL ? info->client_addr : NULL;
	struct in6_addr six;

	if (a == NULL)
		return false;
	if (a->sa_family == AF_UNIX)
		return true;
	if (a->sa_family == AF_INET) {
		struct in_addr four =
		    ((const struct sockaddr_in *)(const void *)a)->sin_addr;

		return ntohl(four.s_addr) >> 24 == 127;
	}
	if (a->sa_family != AF_INET6)
		return false;
	six = ((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
	return IN6_IS_ADDR_LOOPBACK(&six) ||
	       (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == 127);
}

/* The headers are here.  Is the answer known already? */
static void
begin(struct visit *v, const char *method)
{
	struct heads h = { &v->q, 0, false };
	const char *length;

	v->begun = true;
	v->q.method = xstrdup(method);
	v->q.local = is_local(v->conn);
	MHD_get_connection_values(v->conn, MHD_HEADER_KIND, header, &h);
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
	size_t n;
	enum MHD_Result sent;
	char *body;

	meter_count(
	    v->d->meter, v->call.route, r->status, microseconds() - v->came);
	resp_finish(r);
	n = r->body.len;
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

static bool
watch(struct daemon *d, int fd)
{
	struct epoll_event e = { .events = EPOLLIN };

	return epoll_ctl(d->polls, EPOLL_CTL_ADD, fd, &e) == 0;
}

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
	d->progs = progs_open(PROG_SECONDS);
	d->meter = meter_open();
	d->polls = epoll_create1(EPOLL_CLOEXEC);
	if (d->mhd == NULL || d->progs == NULL || d->polls < 0 ||
	    !watch(d, MHD_get_daemon_info(d->mhd, MHD_DAEMON_INFO_EPOLL_FD)
			  ->epoll_fd) ||
	    !watch(d, progs_fd(d->progs))) {
		daemon_close(d);
		return NULL;
	}
	return d;
}

void
daemon_close(struct daemon *d)
{
	struct visit *v;

	if (d == NULL)
		return;
	while (d->wait != NULL) {
		v = d->wait;
		d->wait = v->next;
		MHD_resume_connection(v->conn);
	}
	while ((v = progs_end(d->progs)) != NULL)
		MHD_resume_connection(v->conn);
	progs_close(d->progs);
	meter_close(d->meter);
	if (d->mhd != NULL)
		MHD_stop_daemon(d->mhd);
	if (d->polls >= 0)
		close(d->polls);
	if (d->quiet >= 0)
		close(d->quiet);
	auth_free(&d->auth);
	free(d);
}

int
daemon_fd(const struct daemon *d)
{
	return d->polls;
}

int
daemon_patience(struct daemon *d)
{
	MHD_UNSIGNED_LONG_LONG ms;
	int programs = progs_patience(d->progs), most;

	if (d->wait != NULL)
		return 0;
	if (MHD_get_timeout(d->mhd, &ms) != MHD_YES)
		return programs;
	most = ms < 60000 ? (int)ms : 60000;
	return programs >= 0 && programs < most ? programs : most;
}

/* The worker key as it is now: somebody may have changed it. */
static void
look_at_key(struct daemon *d, struct db *db)
{
	long long now = db_data_version(db);

	if (!d->stale && now == d->seen)
		return;
	d->seen = now;
	d->stale = false;
	auth_load(&d->auth, db);
}

/* The answer is there. */
static void
answered(struct daemon *d, struct visit *v)
{
	const struct route *r = v->call.route;

	v->done = true;
	if (r != NULL && r->shape == SHAPE_TEXT && v->r.status == 200)
		meter_text(d->meter, &v->r.body,
		    MHD_get_daemon_info(
			d->mhd, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
			->num_connections,
		    0);
	MHD_resume_connection(v->conn);
}

/* Starts the program that comes next of it; who asks may go away meanwhile. */
static void
run_program(struct daemon *d, struct visit *v)
{
	const struct call *c = &v->call;

	progs_add(d->progs, c->program, c->in, c->actor,
	    MHD_get_connection_info(v->conn, MHD_CONNECTION_INFO_CONNECTION_FD)
		->connect_fd,
	    v);
}

/* One round: each one's next verb, all together.  Who has its answer goes, and
 * who needs a program waits for that. */
static void
round_of(struct daemon *d, struct db *db, struct visit **list, size_t n)
{
	static struct work works[BATCH];
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		struct call *c = &list[i]->call;

		if (c->program != NULL) {
			run_program(d, list[i]);
			continue;
		}
		works[kept] = (struct work){
			.who = list[i], .verb = c->verb, .actor = c->actor
		};
		work_init(&works[kept], 1);
		works[kept].tasks[0].in = c->in;
		works[kept++].tasks[0].key = c->key;
	}
	n = kept;
	if (n > 0 && work_run(db, works, n))
		d->stale = true;
	kept = 0;
	for (size_t i = 0; i < n; i++) {
		struct visit *v = works[i].who;
		bool more = call_next(&v->call, &works[i].tasks[0], &v->r);

		work_free(&works[i]);
		if (more)
			list[kept++] = v;
		else
			answered(d, v);
	}
	if (kept > 0)
		round_of(d, db, list, kept);
}

/* Takes those whose program has ended.  True: there was one. */
static bool
take_programs(struct daemon *d, struct db *db)
{
	struct work w;
	struct visit *v;
	bool any = false, more;

	work_init(&w, 1);
	while ((v = progs_next(d->progs, &w.tasks[0])) != NULL) {
		any = true;
		more = call_next(&v->call, &w.tasks[0], &v->r);
		if (more && db == NULL) {
			resp_error(&v->r, 503, "there is no store now");
			more = false;
		}
		if (more)
			round_of(d, db, &v, 1);
		else
			answered(d, v);
		work_free(&w);
		work_init(&w, 1);
	}
	work_free(&w);
	return any;
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
		answered(d, v);
	}
	if (n > 0)
		round_of(d, db, list, n);
	return true;
}

void
daemon_turn(struct daemon *d, struct db *db)
{
	MHD_run(d->mhd);
	while (serve(d, db) || take_programs(d, db))
		MHD_run(d->mhd);
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
