/*
 * req: a request as a stranger may send it.  The lines of the input are the
 * method, the path, the query and the headers; what is left is the body.
 */
#include <limits.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "call.h"
#include "json.h"
#include "route.h"
#include "spawn.h"
#include "static.h"
#include "stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What a verb gets must be what SQLite takes for JSON. */
static void
agree(const char *text)
{
	static sqlite3 *db;
	static sqlite3_stmt *st;

	if (db == NULL && (sqlite3_open(":memory:", &db) != SQLITE_OK ||
			      sqlite3_prepare_v2(db, "SELECT json_valid(?1)",
				  -1, &st, NULL) != SQLITE_OK))
		abort();
	sqlite3_bind_text(st, 1, text, -1, SQLITE_STATIC);
	if (sqlite3_step(st) != SQLITE_ROW || !sqlite3_column_int(st, 0))
		abort();
	sqlite3_reset(st);
}

/* The next line as a string of its own; NULL: an empty one. */
static char *
line(const char **p, const char *end)
{
	const char *nl = memchr(*p, '\n', (size_t)(end - *p));
	size_t n = (size_t)((nl != NULL ? nl : end) - *p);
	char *s = n > 0 ? xstrndup(*p, n) : NULL;

	*p = nl != NULL ? nl + 1 : end;
	return s;
}

static char *
or_empty(char *s)
{
	return s != NULL ? s : xstrdup("");
}

/* What is sent is a regular file below the pages, and not hidden. */
static void
file(const struct req *q, const struct resp *r)
{
	static char *www;
	char link[64], path[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (www == NULL) {
		char *found = share_path("www");

		www = found != NULL ? realpath(found, NULL) : NULL;
		free(found);
	}
	if (www == NULL)
		abort(); /* it is to be run in the tree */
	if (!r->file) {
		if (r->status != 304 && r->status != 302 &&
		    (r->status < 404 || r->status > 405))
			abort();
		return;
	}
	snprintf(link, sizeof(link), "/proc/self/fd/%d", r->fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0 || r->status != 200 || fstat(r->fd, &st) != 0 ||
	    !S_ISREG(st.st_mode))
		abort();
	path[n] = '\0';
	if (strncmp(path, www, strlen(www)) != 0 || path[strlen(www)] != '/' ||
	    strstr(path + strlen(www), "/.") != NULL)
		abort();
	if (!static_path(q->path) || strstr(q->path, "//") != NULL)
		abort();
}

static void
one(struct auth *a, const uint8_t *data, size_t n)
{
	const char *p = (const char *)data, *end = p + n;
	struct req q = { .method = NULL };
	struct resp r = { .status = 0 };
	struct call c = { .route = NULL };
	char *path;

	q.method = or_empty(line(&p, end));
	path = or_empty(line(&p, end));
	if (!req_decode(path, strlen(path), false, &q.path))
		q.path = xstrdup("/api/v1/ticket.list");
	free(path);
	q.query = or_empty(line(&p, end));
	q.head[HEAD_TYPE] = line(&p, end);
	q.head[HEAD_AUTH] = line(&p, end);
	q.head[HEAD_HOST] = line(&p, end);
	q.head[HEAD_ORIGIN] = line(&p, end);
	q.head[HEAD_KEY] = line(&p, end);
	q.head[HEAD_COOKIE] = line(&p, end);
	q.head[HEAD_ASK_METHOD] = line(&p, end);
	q.user = line(&p, end);
	q.head[HEAD_NONE_MATCH] = line(&p, end);
	q.head[HEAD_ENCODING] = line(&p, end);
	q.head[HEAD_ACCEPT] = line(&p, end);
	q.head[HEAD_LAST_EVENT] = line(&p, end);
	q.local = true;
	buf_add(&q.body, p, (size_t)(end - p));
	(void)route_body_max(q.path);
	if (static_answer(&q, &r))
		file(&q, &r);
	else if (call_begin(&c, a, &q, &r)) {
		if (c.verb == NULL)
			abort();
		if (a->set && !req_bearer(q.head[HEAD_AUTH], &n) &&
		    strcmp(q.path, "/health") != 0)
			abort(); /* nobody comes in without the key */
		agree(c.in);
		agree(c.request);
	} else if (strcmp(q.path, "/login") == 0 ||
		   strcmp(q.path, "/logout") == 0) {
		if (c.verb != NULL || (r.body.len == 0 && r.status != 303))
			abort();
	} else if (r.status == 204) {
		if (a->origins == NULL || strcmp(q.method, "OPTIONS") != 0)
			abort(); /* only a browser's question before */
	} else if (r.status < 400 || r.body.len == 0)
		abort();
	else
		agree(r.body.s);
	call_free(&c);
	req_free(&q);
	stream_free(r.stream);
	resp_free(&r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static char key[] = "k", origins[] = "http://a https://b";
	static struct auth none,
	    some = { .set = true,
		    .key = key,
		    .wanted = true,
		    .origins = origins },
	    lost = { .set = true, .wanted = true };
	static bool begun;

	if (!begun) {
		setenv("TERA_SHARE", "share", 1);
		setenv("TERA_CONFIG", "/nonexistent", 1);
		begun = true;
	}
	one(&none, data, n);
	one(&some, data, n);
	one(&lost, data, n);
	return 0;
}
