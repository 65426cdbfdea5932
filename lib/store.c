/* See store.h. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "json.h"
#include "store.h"

#define SLOW_POLL 2000 /* ms: finds what a foreign writer committed */
#define BATCH 500      /* lines of a transaction */

struct store {
	struct db *db;
	char *path;
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
	env = getenv("XDG_DATA_HOME");
	if (env != NULL && *env != '\0')
		return xasprintf("%s/tera/tera.db", env);
	home = getenv("HOME");
	return xasprintf(
	    "%s/.local/share/tera/tera.db", home != NULL ? home : "");
}

struct store *
store_open(struct fault *f)
{
	char *path = store_path();
	struct db *db = NULL;
	struct store *s;

	if (strstr(path, "://") != NULL)
		fail(f, EX_CONFIG, "%s: a store is a file", path);
	else
		db = db_open(path, f);
	if (db == NULL) {
		free(path);
		return NULL;
	}
	s = xmalloc(sizeof(*s));
	*s = (struct store){ db, path, -1, -1 };
	return s;
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	db_close(s->db);
	if (s->watch >= 0)
		close(s->watch);
	free(s->path);
	free(s);
}

struct db *
store_db(struct store *s)
{
	return s->db;
}

static const struct verb *
find(const char *name, struct fault *f)
{
	const struct verb *v = verb_find(name);

	if (v == NULL)
		fail(f, EX_NOINPUT, "no such verb: %s", name);
	return v;
}

int
store_do(struct store *s, const char *verb, const char *in, row_fn *row,
    void *arg, struct fault *f)
{
	const struct verb *v = find(verb, f);

	return v == NULL ? EX_NOINPUT : db_verb(s->db, v, in, row, arg, f);
}

int
store_begin(struct store *s, struct fault *f)
{
	return db_begin(s->db, f);
}

int
store_step(struct store *s, const char *verb, const char *in, row_fn *row,
    void *arg, struct fault *f)
{
	const struct verb *v = find(verb, f);

	return v == NULL ? EX_NOINPUT : db_step(s->db, v, in, row, arg, f);
}

int
store_end(struct store *s, struct fault *f)
{
	return db_end(s->db, f);
}

/* --- waiting --- */

int
store_wait_fd(struct store *s)
{
	char *side;

	if (s->watch >= 0)
		return s->watch;
	s->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (s->watch < 0)
		return -1;
	side = xasprintf("%s-wake", s->path);
	/* a store that nobody wrote to yet has no such file: the slow poll
	 * serves until the next call */
	if (inotify_add_watch(s->watch, side, IN_MODIFY) < 0) {
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
	bool is = now != s->seen;

	s->seen = now;
	return is;
}

static long long
ms_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int
store_wait(struct store *s, int ms)
{
	long long end = ms_now() + ms;
	char drop[4096];

	for (;;) {
		struct pollfd p = { store_wait_fd(s), POLLIN, 0 };
		long long left = ms < 0 ? SLOW_POLL : end - ms_now();

		while (p.fd >= 0 && read(p.fd, drop, sizeof(drop)) > 0)
			continue;
		if (changed(s))
			return 1;
		if (left <= 0)
			return 0;
		if (left > SLOW_POLL)
			left = SLOW_POLL;
		if (poll(&p, p.fd >= 0 ? 1 : 0, (int)left) < 0)
			return 0;
	}
}

int
store_follow(struct store *s)
{
	while (!out_gone())
		if (store_wait(s, SLOW_POLL) == 1)
			return 1;
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

int
store_stream(const char *verb,
    char *(*wrap)(const char *line, void *arg, struct fault *f), void *arg)
{
	struct json_lines l = { .fp = stdin };
	struct fault f = { 0, "" };
	struct store *s = store_open(&f);
	const struct verb *v = verb_find(verb);
	bool reads = v != NULL && (v->flags & VERB_WRITE) == 0;
	int worst = 0, got, n = 0, rc;

	if (s == NULL) {
		warn("%s", f.msg);
		return f.code;
	}
	while ((got = json_next_line(&l, &f)) != 0) {
		char *in = NULL;

		if (got == 1) {
			if (wrap != NULL)
				in = wrap(l.line.s, arg, &f);
			else if (json_check(l.line.s, l.line.len, &f) == 0)
				in = xstrdup(l.line.s);
			if (in == NULL) {
				warn("line %ld: %s", l.no, f.msg);
				worst = f.code;
			}
		} else {
			warn("%s", f.msg);
			worst = f.code;
		}
		if (in != NULL && reads) {
			rc = store_do(s, verb, in, store_print, NULL, &f);
			if (rc > 1) {
				warn("line %ld: %s", l.no, f.msg);
				worst = rc;
			}
			free(in);
		} else if (in != NULL) {
			rc = n == 0 ? store_begin(s, &f) : 0;
			if (rc == 0) {
				n++;
				rc = store_step(
				    s, verb, in, store_print, NULL, &f);
			}
			if (rc > 1) {
				warn("line %ld: %s", l.no, f.msg);
				worst = rc;
			}
			free(in);
			if (rc == EX_IOERR || rc == EX_TEMPFAIL ||
			    rc == EX_NOPERM)
				break;
		}
		if (reads && !json_ready(&l))
			fflush(stdout);
		if (n >= BATCH || (n > 0 && !json_ready(&l))) {
			rc = store_end(s, &f);
			n = 0;
			fflush(stdout);
			if (rc != 0) {
				warn("up to line %ld: %s", l.no, f.msg);
				worst = rc;
				break;
			}
		}
	}
	if (n > 0 && store_end(s, &f) != 0) {
		warn("up to line %ld: %s", l.no, f.msg);
		worst = f.code;
	}
	json_lines_free(&l);
	store_close(s);
	return worst;
}
