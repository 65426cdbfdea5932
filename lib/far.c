/* See far.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "far.h"
#include "json.h"
#include "spawn.h"

#define ROOM 65536

struct far {
	pid_t pid; /* -1: not started */
	int fd;
	struct buf in; /* what came and was not looked at */
};

int
far_is(const char *store)
{
	return strncmp(store, "http://", 7) == 0 ||
	       strncmp(store, "https://", 8) == 0;
}

struct far *
far_open(void)
{
	struct far *r = xmalloc(sizeof(*r));

	*r = (struct far){ .pid = -1, .fd = -1 };
	return r;
}

static void
stop(struct far *r)
{
	if (r->fd >= 0)
		close(r->fd);
	if (r->pid >= 0)
		(void)spawn_wait(r->pid);
	r->pid = -1;
	r->fd = -1;
	buf_free(&r->in);
}

void
far_close(struct far *r)
{
	if (r == NULL)
		return;
	stop(r);
	free(r);
}

static int
start(struct far *r, struct fault *f)
{
	const char *name = getenv("TERA_HTTP");
	const char *argv[3] = { name, "-", NULL };
	int pair[2];
	struct spawn sp = { .argv = argv, .err = -1 };

	if (name == NULL || *name == '\0')
		argv[0] = "tera-http";
	spawn_own_path();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return fail(f, EX_OSERR, "socketpair:");
	sp.in = sp.out = pair[1];
	r->pid = spawn_start(&sp);
	close(pair[1]);
	r->fd = pair[0];
	if (r->pid >= 0)
		return 0;
	stop(r);
	return fail(f, EX_UNAVAILABLE, "%s:", argv[0]);
}

static int
say(struct far *r, const char *s, size_t n)
{
	while (n > 0) {
		ssize_t k = send(r->fd, s, n, MSG_NOSIGNAL);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return -1;
		s += k;
		n -= (size_t)k;
	}
	return 0;
}

/* The next line, its newline a NUL; the length with that.  0: no more. */
static size_t
hear(struct far *r)
{
	size_t looked = 0;

	for (;;) {
		char *end = r->in.len > looked ? memchr(r->in.s + looked, '\n',
						     r->in.len - looked)
					       : NULL;
		ssize_t n;

		if (end != NULL) {
			*end = '\0';
			return (size_t)(end - r->in.s) + 1;
		}
		looked = r->in.len;
		do
			n = recv(r->fd, buf_room(&r->in, ROOM), ROOM, 0);
		while (n < 0 && errno == EINTR);
		if (n <= 0)
			return 0;
		r->in.len += (size_t)n;
	}
}

/* The rows and the end of an answer. */
static int
take(struct far *r, row_fn *row, void *arg, struct fault *f)
{
	int enough = 0;
	size_t n;

	while ((n = hear(r)) > 0) {
		char *line = r->in.s, *text;
		int rc;

		if (*line != '=') {
			if (row != NULL && !enough)
				enough = row(arg, line);
			buf_drop(&r->in, n);
			continue;
		}
		rc = (int)strtol(line + 1, &text, 10);
		if (rc > 1)
			fail(f, rc, "%s", text + (*text == ' '));
		buf_drop(&r->in, n);
		return rc;
	}
	stop(r);
	return fail(f, EX_UNAVAILABLE, "tera-http ended without an answer");
}

/* Sends the line in b, which it frees, and hands on what comes. */
static int
exchange(struct far *r, struct buf *b, row_fn *row, void *arg, struct fault *f)
{
	int rc = r->pid < 0 ? start(r, f) : 0;

	json_end(b);
	buf_chr(b, '\n');
	if (rc == 0 && say(r, b->s, b->len) != 0) {
		stop(r);
		rc = fail(f, EX_UNAVAILABLE, "tera-http ended");
	}
	buf_free(b);
	return rc == 0 ? take(r, row, arg, f) : rc;
}

int
far_verb(struct far *r, const struct verb *v, const char *in, row_fn *row,
    void *arg, struct fault *f)
{
	struct buf b = BUF_INIT;

	json_add(&b, "verb", v->name);
	json_add_raw(&b, "in", in);
	return exchange(r, &b, row, arg, f);
}

int
far_get(struct far *r, const char *url, row_fn *row, void *arg, struct fault *f)
{
	struct buf b = BUF_INIT;

	json_add(&b, "get", url);
	return exchange(r, &b, row, arg, f);
}
