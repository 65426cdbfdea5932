/* See daemon.h. */
#include <arpa/inet.h>
#include <ctype.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "daemon.h"
#include "etag.h"
#include "hub.h"
#include "json.h"
#include "keep.h"
#include "meter.h"
#include "rest.h"
#include "static.h"

#define BATCH 256 /* requests of one turn of the store */

/* Of a stream: */
#define BLOCK 4096          /* bytes read at a time, */
#define BLOCK_OLD 1024      /* with HTTP/1.0, in memory of its own */
#define UNSENT (128 * 1024) /* bytes that the kernel keeps */
#define UNHEARD (60 * 1000) /* ms: the other end was switched off */

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

	*v = (struct visit){ .conn = conn, .d = d, .fd = -1 };
	v->came = microseconds();
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
	const char *length, *coding; /* of the body */
	const char *via;             /* X-Forwarded-For, the last one */
	bool https;
	bool twice; /* a header that counts came twice */
	bool odd; /* a name that is none, so another may read it in another way
		   */
};

/*
 * A header's name is a token (RFC 9110, 5.6.2).  Of a header that goes on in a
 * second line libmicrohttpd 0.9.75 puts that line behind the name: what could
 * be said of the body in this way is none, too.
 */
static bool
good_name(const char *s)
{
	static const char marks[] = "!#$%&'*+-.^_`|~";
	static const char length[] = "Content-Length",
			  coding[] = "Transfer-Encoding";
	const size_t n = sizeof(length) - 1, k = sizeof(coding) - 1;

	if ((strncasecmp(s, length, n) == 0 && s[n] != '\0') ||
	    (strncasecmp(s, coding, k) == 0 && s[k] != '\0'))
		return false;
	for (const char *p = s; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && strchr(marks, *p) == NULL)
			return false;
	return *s != '\0';
}

/* One that must not come twice; false: it has. */
static bool
once(const char **to, const char *value)
{
	bool first = *to == NULL;

	*to = value;
	return first;
}

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
	h->odd = h->odd || !good_name(key);
	if (strcasecmp(key, "Content-Length") == 0 && !once(&h->length, value))
		h->twice = true;
	if (strcasecmp(key, "Transfer-Encoding") == 0 &&
	    !once(&h->coding, value))
		h->twice = true;
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

/*
 * Where does the request end?  Whoever stands between a client and us must not
 * come to another answer than libmicrohttpd, which takes more than it should
 * (RFC 9112, 6.3): what could be read in two ways is refused, and the
 * connection ends.
 */
static const char *
unclear(const struct heads *h, const char *version)
{
	if (h->odd)
		return "a header has no proper name";
	if (h->twice)
		return "a header came twice";
	if (h->length != NULL &&
	    strspn(h->length, "0123456789") != strlen(h->length))
		return "Content-Length is no number";
	if (h->coding == NULL)
		return NULL;
	if (h->length != NULL)
		return "Transfer-Encoding and Content-Length";
	if (strcasecmp(h->coding, "chunked") != 0 ||
	    strcmp(version, MHD_HTTP_VERSION_1_1) != 0)
		return "this Transfer-Encoding is not understood";
	return NULL;
}

/* The headers are here.  Is the answer known already? */
static void
begin(struct visit *v, const char *method, const char *version)
{
	struct heads h = { .q = &v->q };
	const char *why;

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
	why = unclear(&h, version);
	if (h.bytes > REQ_HEADERS_MAX)
		resp_error(&v->r, 431, "the headers are too long");
	else if (why != NULL) {
		resp_error(&v->r, 400, "%s", why);
		resp_head(&v->r, "Connection", "close");
	} else if (h.length != NULL && strtoull(h.length, NULL, 10) > v->max)
		resp_error(
		    &v->r, 413, "the body is longer than %zu bytes", v->max);
	else
		return;
	v->done = true;
}

/* --- streams --- */

/* libmicrohttpd has written to each page of the buffer that it gives us: in a
 * stream that sleeps they are most of what it holds. */
static void
give_back(char *to, size_t max)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t skip = (page - (uintptr_t)to % page) % page;

	if (max > skip)
		madvise(to + skip, (max - skip) / page * page, MADV_DONTNEED);
}

/* More of a stream is wanted; a connection of which there is none sleeps. */
static ssize_t
more(void *arg, uint64_t pos, char *to, size_t max)
{
	struct visit *v = arg;
	ssize_t n;

	(void)pos;
	n = hub_read(v->d->hub, v->reader, to, max < BLOCK ? max : BLOCK);
	if (n < 0)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (n == 0) {
		if (!v->lean)
			give_back(to, max);
		v->lean = true;
		MHD_suspend_connection(v->conn);
	}
	return n;
}

static void
wake(void *who)
{
	struct visit *v = who;

	MHD_resume_connection(v->conn);
}

/* Its key or its rights may have been taken away since. */
static bool
still_may(void *who)
{
	struct visit *v = who;
	struct resp no = { .status = 0 };
	struct caller c = { .name = NULL };
	bool may =
	    auth_may(&v->d->auth, &v->q, v->call.route->who, true, &c, &no);

	caller_free(&c);
	resp_free(&no);
	return may;
}

/* Begins one, or r says why not. */
static void
join(struct visit *v)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(v->conn, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct epoll_event e = { .events = EPOLLRDHUP, .data.ptr = v };
	unsigned unheard = UNHEARD;
	int unsent = UNSENT;

	v->reader = hub_join(v->d->hub, v->r.stream, v);
	if (v->reader == NULL) {
		stream_free(v->r.stream);
		resp_free(&v->r);
		resp_error(
		    &v->r, 503, "%d streams are open: too many", HUB_READERS);
		return;
	}
	v->r.stream = NULL;
	v->fd = info != NULL ? info->connect_fd : -1;
	/* not for a Unix socket, which needs neither */
	setsockopt(
	    v->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
	setsockopt(
	    v->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unheard, sizeof(unheard));
	/* libmicrohttpd does not look at a connection that sleeps */
	epoll_ctl(v->d->poll, EPOLL_CTL_ADD, v->fd, &e);
}

static void
part(struct visit *v)
{
	if (v->reader == NULL)
		return;
	epoll_ctl(v->d->poll, EPOLL_CTL_DEL, v->fd, NULL);
	hub_leave(v->d->hub, v->reader);
	v->reader = NULL;
}

/* Those whose readers have gone. */
static void
see_off(struct daemon *d)
{
	struct epoll_event events[64];
	int n = epoll_wait(d->poll, events, 64, 0);

	for (int i = 0; i < n; i++) {
		struct visit *v = events[i].data.ptr;

		if (v == NULL)
			continue; /* libmicrohttpd has something to do */
		epoll_ctl(d->poll, EPOLL_CTL_DEL, v->fd, NULL);
		hub_end(d->hub, v->reader);
	}
}

int
daemon_streams(const struct daemon *d)
{
	return hub_count(d->hub);
}

void
daemon_stir(struct daemon *d)
{
	d->stirred = true;
}

void
daemon_other(struct daemon *d)
{
	d->other = true;
}

/* --- an answer --- */

/* What goes out after the headers: a stream, a file or the text. */
static struct MHD_Response *
payload(struct visit *v)
{
	struct resp *r = &v->r;
	struct MHD_Response *m;
	size_t n;
	char *body;

	if (v->reader != NULL)
		return MHD_create_response_from_callback(
		    MHD_SIZE_UNKNOWN, BLOCK_OLD, more, v, NULL);
	if (r->file) {
		m = MHD_create_response_from_fd64(r->size, r->fd);
		r->file = m == NULL; /* it is closed with m */
		return m;
	}
	n = r->body.len;
	body = buf_take(&r->body);
	m = MHD_create_response_from_buffer(n, body, MHD_RESPMEM_MUST_FREE);
	if (m == NULL)
		free(body);
	return m;
}

/* What is sent, or NULL.  Takes the body. */
static struct MHD_Response *
sendable(struct visit *v)
{
	struct resp *r = &v->r;
	struct MHD_Response *m;

	resp_finish(r);
	m = payload(v);
	for (int i = 0; m != NULL && i < RESP_HEADS && r->head[i].name != NULL;
	     i++)
		MHD_add_response_header(m, r->head[i].name, r->head[i].value);
	return m;
}

static void
let_go(void *arg)
{
	struct answer *a = arg;

	if (a == NULL || --a->holders > 0)
		return;
	MHD_destroy_response(a->m);
	free(a->etag);
	free(a);
}

static enum MHD_Result
send_answer(struct visit *v)
{
	struct MHD_Response *m = NULL;
	enum MHD_Result sent;
	int status;

	if (v->answer != NULL) {
		/* of a 304 libmicrohttpd leaves out the body */
		status = etag_known(&v->q, v->answer->etag) ? 304 : 200;
	} else {
		if (v->r.stream != NULL)
			join(v);
		else if (!v->r.file)
			etag_answer(&v->q, &v->r);
		status = v->r.status;
		m = sendable(v);
		if (m == NULL)
			return MHD_NO;
	}
	meter_count(
	    v->d->meter, v->call.route, status, microseconds() - v->came);
	sent = MHD_queue_response(
	    v->conn, (unsigned)status, m != NULL ? m : v->answer->m);
	if (m != NULL)
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
	if (!v->begun) {
		begin(v, method, version);
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
	if (!v->done)
		v->done = static_answer(&v->q, &v->r);
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
	part(v);
	call_free(&v->call);
	req_free(&v->q);
	stream_free(v->r.stream);
	resp_free(&v->r);
	let_go(v->answer);
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

	return epoll_ctl(d->poll, EPOLL_CTL_ADD, fd, &e) == 0;
}

struct daemon *
daemon_open(int fd)
{
	static const struct hub_door door = { wake, still_may };
	struct daemon *d = xmalloc(sizeof(*d));

	*d = (struct daemon){ .fd = fd, .quiet = -1 };
	d->keep.drop = let_go;
	d->poll = epoll_create1(EPOLL_CLOEXEC);
	d->hub = hub_open(&door);
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
	if (d->mhd == NULL || d->progs == NULL || d->poll < 0 ||
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
	hub_end(d->hub, NULL);
	while ((v = progs_end(d->progs)) != NULL)
		MHD_resume_connection(v->conn);
	progs_close(d->progs);
	meter_close(d->meter);
	if (d->mhd != NULL)
		MHD_stop_daemon(d->mhd);
	hub_close(d->hub);
	keep_free(&d->keep);
	if (d->poll >= 0)
		close(d->poll);
	if (d->quiet >= 0)
		close(d->quiet);
	auth_free(&d->auth);
	free(d);
}

int
daemon_fd(const struct daemon *d)
{
	return d->poll;
}

/* The shorter one of two times, of which one below 0 is none. */
static int
sooner(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

int
daemon_patience(struct daemon *d)
{
	MHD_UNSIGNED_LONG_LONG ms;
	int own = -1;

	if (d->wait != NULL)
		return 0;
	if (MHD_get_timeout(d->mhd, &ms) == MHD_YES)
		own = ms < 60000 ? (int)ms : 60000;
	if (d->asked != 0)
		own = sooner(own, REST_MS);
	own = sooner(own, progs_patience(d->progs));
	return sooner(own, hub_patience(d->hub));
}

/* What is known of the store, after it has changed. */
static void
look_at_store(struct daemon *d, struct db *db)
{
	if (!keep_look(&d->keep, db))
		return;
	auth_load(&d->auth, db);
	d->event = call_event(db);
}

/* Has it no header but the one that all answers have while the store stands as
 * it stands?  Another one is for who asked. */
static bool
common(const struct resp *r)
{
	for (int i = 0; i < RESP_HEADS && r->head[i].name != NULL; i++)
		if (strcmp(r->head[i].name, "Tera-Event") != 0)
			return false;
	return true;
}

/* Is the answer here already? */
static bool
find_kept(const struct daemon *d, struct visit *v)
{
	if (!keep_may(&v->call) || !common(&v->r))
		return false;
	v->answer = keep_find(&d->keep, &v->call);
	if (v->answer != NULL)
		v->answer->holders++;
	return v->answer != NULL;
}

/* Keeps it, when it may be. */
static void
keep_it(struct daemon *d, struct db *db, struct visit *v)
{
	struct answer *a;
	size_t n = v->r.body.len;

	if (v->r.status != 200 || v->r.stream != NULL || !keep_may(&v->call) ||
	    !common(&v->r))
		return;
	a = xmalloc(sizeof(*a));
	*a = (struct answer){ .etag = xstrdup(etag_add(&v->r)), .holders = 1 };
	a->m = sendable(v);
	resp_free(&v->r);
	v->answer = a;
	if (keep_put(&d->keep, db, &v->call, a, n))
		a->holders++;
}

/* The answer is there. */
static void
answered(struct daemon *d, struct db *db, struct visit *v)
{
	const struct route *r = v->call.route;

	v->done = true;
	if (r != NULL && r->shape == SHAPE_TEXT && v->r.status == 200)
		meter_text(d->meter, &v->r.body,
		    MHD_get_daemon_info(
			d->mhd, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
			->num_connections,
		    (unsigned)hub_count(d->hub));
	else if (db != NULL)
		keep_it(d, db, v);
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
		d->stirred = true;
	kept = 0;
	for (size_t i = 0; i < n; i++) {
		struct visit *v = works[i].who;
		bool more = call_next(&v->call, &works[i].tasks[0], &v->r);

		work_free(&works[i]);
		if (more)
			list[kept++] = v;
		else
			answered(d, db, v);
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
			answered(d, db, v);
		work_free(&w);
		work_init(&w, 1);
	}
	work_free(&w);
	return any;
}

/* Those who ask what somebody in the last round did: mostly it is kept now. */
static void
serve_rest(struct daemon *d, struct db *db, struct visit *list)
{
	if (list != NULL)
		look_at_store(d, db);
	while (list != NULL) {
		struct visit *v = list;

		list = v->next;
		if (!find_kept(d, v)) {
			round_of(d, db, &v, 1);
			continue;
		}
		answered(d, db, v);
	}
}

/* Asks one of them the same?  A change brings everybody who has the board
 * open. */
static bool
asked_by(struct visit *const *list, size_t n, const struct visit *v)
{
	if (!keep_may(&v->call))
		return false;
	for (size_t i = 0; i < n; i++)
		if (keep_same(&list[i]->call, &v->call))
			return true;
	return false;
}

/* Takes up to BATCH of those who wait.  False: nobody does. */
static bool
serve(struct daemon *d, struct db *db)
{
	struct visit *list[BATCH], *rest = NULL;
	size_t n = 0;

	if (d->wait == NULL)
		return false;
	d->asked = clock_ms();
	if (db != NULL)
		look_at_store(d, db);
	for (int i = 0; i < BATCH && d->wait != NULL; i++) {
		struct visit *v = d->wait;

		d->wait = v->next;
		if (d->wait == NULL)
			d->last = &d->wait;
		if (db == NULL)
			resp_error(&v->r, 503, "there is no store now");
		v->call.event = d->event;
		if (db != NULL &&
		    call_begin(&v->call, &d->auth, &v->q, &v->r) &&
		    !find_kept(d, v)) {
			if (asked_by(list, n, v)) {
				v->next = rest;
				rest = v;
			} else
				list[n++] = v;
			continue;
		}
		answered(d, db, v);
	}
	if (n > 0)
		round_of(d, db, list, n);
	serve_rest(d, db, rest);
	return true;
}

void
daemon_turn(struct daemon *d, struct db *db)
{
	if (hub_count(d->hub) > 0)
		see_off(d);
	hub_store(d->hub, db, d->other);
	d->other = false;
	MHD_run(d->mhd);
	while (serve(d, db) || take_programs(d, db))
		MHD_run(d->mhd);
	if (hub_count(d->hub) > 0 && db != NULL) {
		look_at_store(d, db);
		if (hub_turn(d->hub, d->stirred))
			MHD_run(d->mhd);
		d->stirred = false;
	}
	if (d->asked != 0 && clock_ms() - d->asked >= REST_MS) {
		d->asked = 0;
		keep_free(&d->keep);
		if (db != NULL)
			db_rest(db);
		rest();
	}
}

void
daemon_drain(struct daemon *d)
{
	if (d->quiet < 0)
		d->quiet = MHD_quiesce_daemon(d->mhd);
	hub_end(d->hub, NULL);
}

int
daemon_busy(const struct daemon *d)
{
	return d->busy - hub_count(d->hub);
}
