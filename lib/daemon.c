/* See daemon.h. */
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "call.h"
#include "clock.h"
#include "daemon.h"
#include "etag.h"
#include "rest.h"
#include "visit.h"

#define BATCH 256 /* requests of one turn of the store */

static enum MHD_Result
handle(void *arg, struct MHD_Connection *conn, const char *url,
    const char *method, const char *version, const char *data, size_t *n,
    void **state)
{
	(void)conn;
	(void)url;
	return visit_handle(arg, *state, method, version, data, n) ? MHD_YES
								   : MHD_NO;
}

static void
leave(void *arg, struct MHD_Connection *conn, void **state,
    enum MHD_RequestTerminationCode why)
{
	(void)conn;
	(void)why;
	visit_leave(arg, *state);
	*state = NULL;
}

/* What libmicrohttpd has to say is about clients that misbehave. */
static void
silent(void *arg, const char *fmt, va_list ap)
{
	(void)arg;
	(void)fmt;
	(void)ap;
}

static bool
watch(struct daemon *d, int fd)
{
	struct epoll_event e = { .events = EPOLLIN };

	return epoll_ctl(d->poll, EPOLL_CTL_ADD, fd, &e) == 0;
}

struct daemon *
daemon_open(int fd)
{
	static const struct hub_door door = { visit_wake, visit_still_may };
	struct daemon *d = xmalloc(sizeof(*d));

	*d = (struct daemon){ .fd = fd, .quiet = -1 };
	d->keep.drop = visit_let_go;
	d->poll = epoll_create1(EPOLL_CLOEXEC);
	d->hub = hub_open(&door);
	d->last = &d->wait;
	d->mhd = MHD_start_daemon(
	    MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0,
	    NULL, NULL, handle, d, MHD_OPTION_EXTERNAL_LOGGER, silent, NULL,
	    MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_TIMEOUT,
	    (unsigned)REQ_TIME, MHD_OPTION_CONNECTION_LIMIT,
	    (unsigned)DAEMON_CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    (size_t)2 * REQ_HEADERS_MAX, MHD_OPTION_URI_LOG_CALLBACK,
	    visit_arrive, d, MHD_OPTION_UNESCAPE_CALLBACK, visit_path, NULL,
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
	a->m = visit_sendable(v);
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

void
daemon_abandon(struct daemon *d)
{
	struct visit *v;

	while ((v = progs_end(d->progs)) != NULL) {
		resp_error(&v->r, 503, "the server ends");
		answered(d, NULL, v);
	}
}

int
daemon_busy(const struct daemon *d)
{
	return d->busy - hub_count(d->hub);
}

/* --- streams --- */

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
