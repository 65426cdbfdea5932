/* See visit.h. */
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "call.h"
#include "etag.h"
#include "heads.h"
#include "static.h"
#include "visit.h"

/* Of a stream: */
#define BLOCK 4096          /* bytes read at a time, */
#define BLOCK_OLD 1024      /* with HTTP/1.0, in memory of its own */
#define UNSENT (128 * 1024) /* bytes that the kernel keeps */
#define UNHEARD (60 * 1000) /* ms: the other end was switched off */

static long long
microseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

/* The first line, before anything else of it is known. */
void *
visit_arrive(void *arg, const char *uri, struct MHD_Connection *conn)
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
size_t
visit_path(void *arg, struct MHD_Connection *conn, char *s)
{
	(void)arg;
	(void)conn;
	return strlen(s);
}

/* The headers are here.  Is the answer known already? */
static void
begin(struct visit *v, const char *method, const char *version)
{
	struct resp r = { .status = 0 };

	v->begun = true;
	v->q.method = xstrdup(method);
	v->max = v->q.path != NULL ? route_body_max(v->q.path) : 0;
	if (v->done) {
		heads_read(v->conn, version, v->max, &v->q, &r);
		resp_free(&r);
	} else
		v->done = !heads_read(v->conn, version, v->max, &v->q, &v->r);
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

void
visit_wake(void *who)
{
	struct visit *v = who;

	MHD_resume_connection(v->conn);
}

/* Its key or its rights may have been taken away since. */
bool
visit_still_may(void *who)
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
struct MHD_Response *
visit_sendable(struct visit *v)
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

void
visit_let_go(void *arg)
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
		m = visit_sendable(v);
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

bool
visit_handle(struct daemon *d, struct visit *v, const char *method,
    const char *version, const char *data, size_t *n)
{
	if (!v->begun) {
		begin(v, method, version);
		/* an answer now refuses the body, and ends the connection */
		return !v->done || send_answer(v) == MHD_YES;
	}
	if (*n > 0) {
		if (!v->over && v->q.body.len + *n <= v->max)
			buf_add(&v->q.body, data, *n);
		else
			v->over = true;
		*n = 0;
		return true;
	}
	if (v->over && !v->done) {
		resp_error(
		    &v->r, 413, "the body is longer than %zu bytes", v->max);
		v->done = true;
	}
	if (!v->done)
		v->done = static_answer(&v->q, &v->r);
	if (v->done)
		return send_answer(v) == MHD_YES;
	MHD_suspend_connection(v->conn);
	v->next = NULL;
	*d->last = v;
	d->last = &v->next;
	return true;
}

void
visit_leave(struct daemon *d, struct visit *v)
{
	if (v == NULL)
		return;
	part(v);
	call_free(&v->call);
	req_free(&v->q);
	stream_free(v->r.stream);
	resp_free(&v->r);
	visit_let_go(v->answer);
	free(v);
	d->busy--;
}
