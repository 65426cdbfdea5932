/* See store.h. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "far.h"
#include "hold.h"
#include "json.h"
#include "rest.h"
#include "store.h"

#define SLOW_POLL 2000  /* ms: finds what a foreign writer committed */
#define FAR_POLL 500    /* ms: looks for what was committed elsewhere */
#define LOOK_AGAIN 1000 /* ms: for a holder */
#define BATCH 500       /* lines of a transaction */
#define BATCH_BYTES (2 * 1024 * 1024)

struct store {
	struct db *db; /* NULL while another process holds the store for us */
	char *path;
	struct far *far;   /* it is elsewhere; NULL: here */
	int holder;        /* the connection to it, -1: there is none */
	bool alone;        /* it left us: we do not look for another */
	long long looked;  /* ms: when we looked for one */
	struct hold *hold; /* we hold it ourselves */
	bool keep;         /* or would */
	bool wrote;        /* for others, since the last wait */
	dev_t dev;         /* the file that is open as db */
	ino_t ino;
	int watch; /* inotify descriptor, -1 before the first wait */
	long long seen;
};

char *
store_path(void)
{
	const char *env = getenv("TERA_STORE"), *home;

	/* Names that mean something else to SQLite are files here. */
	if (env != NULL && (*env == ':' || strncmp(env, "file:", 5) == 0))
		return xasprintf("./%s", env);
	if (env != NULL && *env != '\0')
		return xstrdup(env);
	env = getenv("TERARCHITECT_API_URL");
	if (env != NULL && far_is(env))
		return xstrdup(env);
	env = getenv("XDG_DATA_HOME");
	if (env != NULL && *env != '\0')
		return xasprintf("%s/tera/tera.db", env);
	home = getenv("HOME");
	return xasprintf(
	    "%s/.local/share/tera/tera.db", home != NULL ? home : "");
}

/* False and f when it cannot be opened. */
static bool
need_db(struct store *s, struct fault *f)
{
	struct stat st;

	if (s->far != NULL)
		fail(f, EX_CONFIG,
		    "%s: not on this machine, and this needs the file",
		    s->path);
	else if (s->db == NULL) {
		s->db = db_open(s->path, f);
		if (s->db != NULL && stat(s->path, &st) == 0) {
			s->dev = st.st_dev;
			s->ino = st.st_ino;
		}
	}
	return s->db != NULL;
}

static struct store *
begin(bool keep, struct fault *f)
{
	struct store *s = xmalloc(sizeof(*s));

	*s = (struct store){ .path = store_path(),
		.holder = -1,
		.keep = keep,
		.watch = -1,
		.seen = -1 };
	if (far_is(s->path)) {
		s->keep = false;
		s->far = far_open();
		return s;
	}
	if (strstr(s->path, "://") != NULL) {
		fail(f, EX_CONFIG, "%s: a store is a file, or http or https",
		    s->path);
		store_close(s);
		return NULL;
	}
	if (!keep)
		s->holder = hold_connect(s->path);
	if (s->holder < 0 && !need_db(s, f)) {
		store_close(s);
		return NULL;
	}
	return s;
}

struct store *
store_open(struct fault *f)
{
	return begin(false, f);
}

struct store *
store_hold(struct fault *f)
{
	struct store *s = begin(true, f);

	if (s != NULL && s->keep)
		s->hold = hold_open(s->path, s->db, s->dev, s->ino);
	return s;
}

int
store_hold_fd(const struct store *s)
{
	return s->hold != NULL ? hold_fd(s->hold) : -1;
}

void
store_serve(struct store *s)
{
	if (s->hold == NULL && s->keep)
		s->hold = hold_open(s->path, s->db, s->dev, s->ino);
	else if (s->hold != NULL && hold_serve(s->hold))
		s->wrote = true;
}

/* The holder is gone, or of no use to us. */
static void
leave_holder(struct store *s)
{
	close(s->holder);
	s->holder = -1;
	s->alone = true;
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	hold_close(s->hold);
	far_close(s->far);
	if (s->holder >= 0)
		leave_holder(s);
	db_close(s->db);
	if (s->watch >= 0)
		close(s->watch);
	free(s->path);
	free(s);
}

struct db *
store_db(struct store *s, struct fault *f)
{
	return need_db(s, f) ? s->db : NULL;
}

static const struct verb *
find(const char *name, struct fault *f)
{
	const struct verb *v = verb_find(name);

	if (v == NULL)
		fail(f, EX_NOINPUT, "no such verb: %s", name);
	return v;
}

/*
 * Is there a holder?  Who stays for long (tera-run, a stream) may have been
 * here first, and looks again from time to time.
 */
static bool
find_holder(struct store *s)
{
	if (s->holder < 0 && !s->keep && !s->alone && s->far == NULL &&
	    clock_ms() - s->looked >= LOOK_AGAIN) {
		s->looked = clock_ms();
		s->holder = hold_connect(s->path);
	}
	return s->holder >= 0;
}

/* The holder does it.  False: it does not, we have to. */
static bool
held(struct store *s, const struct verb *v, struct item *items, size_t n,
    row_fn *row, void *arg)
{
	if (!(v->flags & VERB_HELD) || !find_holder(s))
		return false;
	if (hold_ask(s->holder, s->path, v, items, n, row, arg) == 0)
		return true;
	leave_holder(s);
	return false;
}

int
store_do(struct store *s, const char *verb, const char *in, row_fn *row,
    void *arg, struct fault *f)
{
	const struct verb *v = find(verb, f);
	struct item item = { .in = in };

	if (v == NULL)
		return EX_NOINPUT;
	if (s->far != NULL)
		return far_verb(s->far, v, in, row, arg, f);
	if (held(s, v, &item, 1, row, arg)) {
		if (item.rc > 1)
			fail(f, item.rc, "%s", item.msg);
		free(item.msg);
		return item.rc;
	}
	if (!need_db(s, f))
		return f->code;
	return db_verb(s->db, v, in, row, arg, f);
}

/* --- waiting --- */

int
store_wait_fd(struct store *s)
{
	char *side;

	if (s->watch >= 0 || s->far != NULL)
		return s->watch;
	s->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (s->watch < 0)
		return -1;
	rest_ready();
	side = xasprintf("%s-wake", s->path);
	/* a store that nobody wrote to yet has no such file: the slow poll
	 * serves until the next call */
	if (inotify_add_watch(s->watch, side, IN_ACCESS | IN_MODIFY) < 0) {
		close(s->watch);
		s->watch = -1;
	}
	free(side);
	return s->watch;
}

static bool
changed(struct store *s)
{
	long long now = db_data_version(s->db);
	bool is = now != s->seen || s->wrote;

	s->seen = now;
	s->wrote = false;
	return is;
}

static int
see_head(void *arg, const char *json)
{
	long long *seq = arg;

	*seq = json_int(json, "$.seq", *seq);
	return 0;
}

/* As store_wait, for a store elsewhere: asks for the last event. */
static int
wait_far(struct store *s, int ms)
{
	long long end = clock_ms() + ms, left, head = s->seen;
	struct fault f;

	for (;;) {
		if (store_do(s, "event.head", "{}", see_head, &head, &f) != 0 ||
		    head != s->seen) {
			s->seen = head;
			return 1; /* a fault, too: who looks will see it */
		}
		left = ms < 0 ? FAR_POLL : end - clock_ms();
		if (left <= 0 ||
		    poll(NULL, 0, left < FAR_POLL ? (int)left : FAR_POLL) < 0)
			return 0;
	}
}

int
store_wait(struct store *s, int ms)
{
	long long end = clock_ms() + ms;
	char drop[4096];
	/* who has not opened the file takes each touch for a change */
	bool touched = s->db == NULL && s->watch < 0;

	if (s->far != NULL)
		return wait_far(s, ms);
	for (;;) {
		struct pollfd p = { store_wait_fd(s), POLLIN, 0 };
		long long left = ms < 0 ? SLOW_POLL : end - clock_ms();

		while (p.fd >= 0 && read(p.fd, drop, sizeof(drop)) > 0)
			touched = true;
		if (s->db == NULL ? touched : changed(s))
			return 1;
		if (left <= 0)
			return 0;
		if (left > SLOW_POLL)
			left = SLOW_POLL;
		if (poll(&p, p.fd >= 0 ? 1 : 0, (int)left) < 0)
			return 0;
		/* who waits for it comes first; what woke us can be read
		 * before the next wait */
		if (s->db != NULL && changed(s))
			return 1;
		if (left == SLOW_POLL)
			touched = true;
	}
}

bool
store_gone(const struct store *s)
{
	struct stat st;

	return s->db != NULL && (stat(s->path, &st) != 0 ||
				    st.st_dev != s->dev || st.st_ino != s->ino);
}

int
store_follow(struct store *s)
{
	while (!out_gone()) {
		if (store_wait(s, SLOW_POLL) == 1)
			return 1;
		if (store_gone(s)) {
			warn("%s: the store was removed", s->path);
			return 0;
		}
	}
	return 0;
}

/* --- whole commands --- */

int
store_print(void *arg, const char *json)
{
	(void)arg;
	fputs(json, stdout);
	return putchar('\n') == EOF;
}

int
store_main(const char *verb, const char *in)
{
	struct fault f = { 0, "" };
	struct store *s = store_open(&f);
	int rc;

	if (s == NULL) {
		warn("%s", f.msg);
		return f.code;
	}
	rc = store_do(s, verb, in, store_print, NULL, &f);
	if (rc > 1)
		warn("%s", f.msg);
	store_close(s);
	return rc;
}

/* The inputs of a stream that wait for their transaction. */
struct batch {
	struct item items[BATCH];
	char *in[BATCH]; /* theirs */
	long line[BATCH];
	size_t n, bytes;
	long last; /* the line last read */
};

/* The write verb for each, in one transaction.  Returns 0, or the status when
 * nothing of it stands. */
static int
transact(
    struct store *s, const struct verb *v, struct batch *b, struct fault *f)
{
	int rc;

	if (held(s, v, b->items, b->n, store_print, NULL))
		return 0;
	for (size_t i = 0; s->far != NULL && i < b->n; i++) {
		struct item *it = &b->items[i];

		if (i > 0 && it[-1].rc == EX_UNAVAILABLE) {
			it->rc = EX_UNAVAILABLE; /* said once */
			continue;
		}
		it->rc = far_verb(s->far, v, it->in, store_print, NULL, f);
		if (it->rc > 1)
			it->msg = xstrdup(f->msg);
	}
	if (s->far != NULL)
		return 0;
	if (!need_db(s, f))
		return f->code;
	rc = db_begin(s->db, f);
	for (size_t i = 0; rc == 0 && i < b->n; i++) {
		struct item *it = &b->items[i];

		it->rc = db_step(s->db, v, it->in, store_print, NULL, f);
		if (it->rc > 1)
			it->msg = xstrdup(f->msg);
	}
	return rc != 0 ? rc : db_end(s->db, f);
}

/* Does what waits.  *worst gets the status of what failed; false: the stream
 * cannot go on. */
static bool
flush_batch(struct store *s, const struct verb *v, struct batch *b, int *worst)
{
	struct fault f = { 0, "" };
	bool on = true;
	int rc = transact(s, v, b, &f);

	for (size_t i = 0; i < b->n; i++) {
		struct item *it = &b->items[i];

		if (it->msg != NULL)
			warn("line %ld: %s", b->line[i], it->msg);
		if (it->rc > 1)
			*worst = it->rc;
		if (it->rc == EX_IOERR || it->rc == EX_TEMPFAIL ||
		    it->rc == EX_NOPERM || it->rc == EX_UNAVAILABLE)
			on = false;
		free(it->msg);
		free(b->in[i]);
	}
	if (rc != 0) {
		warn("up to line %ld: %s", b->last, f.msg);
		*worst = rc;
		on = false;
	}
	fflush(stdout);
	b->n = b->bytes = 0;
	return on;
}

/* One input of a read verb: it needs no batch. */
static void
look(struct store *s, const char *verb, const char *in, long line, int *worst)
{
	struct fault f;
	int rc = store_do(s, verb, in, store_print, NULL, &f);

	if (rc > 1) {
		warn("line %ld: %s", line, f.msg);
		*worst = rc;
	}
}

int
store_stream(const char *verb,
    char *(*wrap)(const char *line, void *arg, struct fault *f), void *arg)
{
	struct json_lines l = { .fp = stdin };
	struct fault f = { 0, "" };
	struct store *s = store_open(&f);
	const struct verb *v = s != NULL ? find(verb, &f) : NULL;
	struct batch b = { .n = 0 };
	bool on = true;
	int worst = 0, got;

	if (v == NULL) {
		warn("%s", f.msg);
		store_close(s);
		return f.code;
	}
	while (on && (got = json_next_line(&l, &f)) != 0) {
		char *in = NULL;

		if (got == 1 && wrap != NULL)
			in = wrap(l.line.s, arg, &f);
		else if (got == 1 && json_check(l.line.s, l.line.len, &f) == 0)
			in = xstrdup(l.line.s);
		if (in == NULL) {
			if (got == 1)
				warn("line %ld: %s", l.no, f.msg);
			else
				warn("%s", f.msg);
			worst = f.code;
		} else if (v->flags & VERB_WRITE) {
			b.line[b.n] = b.last = l.no;
			b.bytes += strlen(in);
			b.in[b.n] = in;
			b.items[b.n++] = (struct item){ .in = in };
		} else {
			look(s, verb, in, l.no, &worst);
			free(in);
		}
		if (b.n == BATCH || b.bytes >= BATCH_BYTES ||
		    (b.n > 0 && !json_ready(&l)))
			on = flush_batch(s, v, &b, &worst);
		else if (!json_ready(&l))
			fflush(stdout);
	}
	if (b.n > 0)
		flush_batch(s, v, &b, &worst);
	json_lines_free(&l);
	store_close(s);
	return worst;
}
