/* See static.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "etag.h"
#include "spawn.h"
#include "static.h"

#define NAME_SEGMENT_MAX 255

/* What the routes begin with (routes.c); tests/unit/static.c compares. */
static const char *const taken[] = { "api", "health", "login", "logout",
	"metrics", "v1" };

static const struct {
	const char *suffix, *type;
} types[] = {
	{ "css", "text/css; charset=utf-8" },
	{ "html", "text/html; charset=utf-8" },
	{ "ico", "image/x-icon" },
	{ "js", "text/javascript; charset=utf-8" },
	{ "json", "application/json" },
	{ "map", "application/json" },
	{ "mjs", "text/javascript; charset=utf-8" },
	{ "png", "image/png" },
	{ "svg", "image/svg+xml" },
	{ "txt", "text/plain; charset=utf-8" },
	{ "wasm", "application/wasm" },
	{ "woff2", "font/woff2" },
};

bool
static_path(const char *path)
{
	size_t n;

	if (*path++ != '/')
		return false;
	n = strcspn(path, "/");
	for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++)
		if (strlen(taken[i]) == n && memcmp(taken[i], path, n) == 0)
			return false;
	return true;
}

/* --- finding it --- */

/* A name that needs no escaping anywhere, and is not hidden. */
static bool
good_name(const char *s, size_t n)
{
	static const char may[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	    "._-+@";

	return n > 0 && n <= NAME_SEGMENT_MAX && *s != '.' &&
	       strspn(s, may) >= n;
}

/* Opens the n bytes at s below the directory dir; -1. */
static int
below(int dir, const char *s, size_t n)
{
	char name[NAME_SEGMENT_MAX + 1];

	if (!good_name(s, n))
		return -1;
	memcpy(name, s, n);
	name[n] = '\0';
	/* not to wait for who writes to a pipe */
	return openat(
	    dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

struct found {
	int fd;
	struct stat st;
	char name[NAME_SEGMENT_MAX + 1]; /* the last segment */
	bool packed;                     /* it is its .gz */
	bool bare; /* a directory whose path lacks the slash at the end */
};

/* Is it a regular file?  Else fd is closed and -1. */
static void
regular(struct found *f)
{
	if (f->fd < 0)
		return;
	if (fstat(f->fd, &f->st) == 0 && S_ISREG(f->st.st_mode))
		return;
	close(f->fd);
	f->fd = -1;
}

/* Takes the .gz beside it instead, when that is as new. */
static void
pack(struct found *f, int dir)
{
	struct found gz = *f;
	size_t n = strlen(gz.name);

	if (n + 3 > NAME_SEGMENT_MAX)
		return;
	memcpy(gz.name + n, ".gz", 4);
	gz.fd = below(dir, gz.name, n + 3);
	regular(&gz);
	if (gz.fd < 0)
		return;
	if (gz.st.st_mtim.tv_sec < f->st.st_mtim.tv_sec) {
		close(gz.fd);
		return;
	}
	close(f->fd);
	f->fd = gz.fd;
	f->st = gz.st;
	f->packed = true;
}

/* path without its first slash, below dir, which is closed. */
static void
find(struct found *f, int dir, const char *path, bool gzip)
{
	const char *name;
	struct stat st;
	size_t n;

	*f = (struct found){ .fd = -1 };
	for (; path[n = strcspn(path, "/")] == '/'; path += n + 1) {
		int fd = below(dir, path, n);

		close(dir);
		dir = fd;
		if (dir < 0)
			return;
	}
	name = n > 0 ? path : "index.html";
	n = strlen(name);
	f->fd = below(dir, name, n);
	if (f->fd >= 0) {
		memcpy(f->name, name, n + 1);
		f->bare = name == path && fstat(f->fd, &st) == 0 &&
			  S_ISDIR(st.st_mode);
	}
	regular(f);
	if (f->fd >= 0 && gzip)
		pack(f, dir);
	close(dir);
}

/* --- answering --- */

static const char *
type_of(const char *name)
{
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (dot != NULL && strcmp(dot + 1, types[i].suffix) == 0)
			return types[i].type;
	return "application/octet-stream";
}

/* Does a list of Accept-Encoding take gzip?  "gzip;q=0" does not. */
static bool
takes_gzip(const char *list)
{
	while (list != NULL && *list != '\0') {
		size_t n, name;
		const char *q;

		list += strspn(list, ", \t");
		n = strcspn(list, ",");
		name = strcspn(list, ",; \t");
		if (name == 4 && strncasecmp(list, "gzip", 4) == 0) {
			q = list + name + strspn(list + name, "; \t");
			if ((size_t)(q - list) >= n ||
			    strncasecmp(q, "q=", 2) != 0)
				return true;
			q += 2;
			return strcspn(q, "123456789") < strcspn(q, ",");
		}
		list += n;
	}
	return false;
}

/* What a browser may do with it: only what comes from here. */
static void
guard(struct resp *r)
{
	resp_head(r, "Content-Security-Policy", "%s",
	    "default-src 'self'; img-src 'self' data:; object-src 'none'; "
	    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'");
	resp_head(r, "Referrer-Policy", "same-origin");
}

/* A person gets a page, whoever else an object as everywhere. */
static void
missing(const struct req *q, struct resp *r)
{
	const char *accept = q->head[HEAD_ACCEPT];

	resp_error(r, 404, "no such file: %s", q->path);
	resp_head(r, "Vary", "Accept");
	if (accept == NULL || strstr(accept, "text/html") == NULL)
		return;
	buf_clear(&r->body);
	buf_str(&r->body, "<!DOCTYPE html>\n<title>Not found</title>\n"
			  "<p>There is no such page.\n");
	r->type = "text/html; charset=utf-8";
	guard(r);
}

static void
answer(const struct req *q, struct found *f, struct resp *r)
{
	char *etag = xasprintf("\"%llx-%llx-%llx.%lx\"",
	    (unsigned long long)f->st.st_ino, (unsigned long long)f->st.st_size,
	    (unsigned long long)f->st.st_mtim.tv_sec,
	    (unsigned long)f->st.st_mtim.tv_nsec);

	/* kept, but asked for each time: an update is seen at once */
	resp_head(r, "Cache-Control", "no-cache");
	resp_head(r, "ETag", "%s", etag);
	resp_head(r, "Vary", "Accept-Encoding");
	guard(r);
	if (etag_known(q, etag)) {
		r->status = 304;
		close(f->fd);
	} else {
		r->status = 200;
		r->type = type_of(f->name);
		if (f->packed)
			resp_head(r, "Content-Encoding", "gzip");
		r->file = true;
		r->fd = f->fd;
		r->size = (size_t)f->st.st_size;
	}
	free(etag);
}

bool
static_answer(const struct req *q, struct resp *r)
{
	struct found f;
	char *root;
	int dir;

	if (!static_path(q->path))
		return false;
	if (strcmp(q->method, "GET") != 0 && strcmp(q->method, "HEAD") != 0) {
		resp_error(r, 405, "%s is not for this path", q->method);
		resp_head(r, "Allow", "GET, HEAD");
		return true;
	}
	root = share_path("www");
	dir =
	    root != NULL ? open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	free(root);
	if (dir < 0) {
		missing(q, r);
		return true;
	}
	find(&f, dir, q->path + 1, takes_gzip(q->head[HEAD_ENCODING]));
	if (f.bare) {
		r->status = 302;
		/* relative: we may be below another path (RFC 9110, 10.2.2) */
		resp_head(r, "Location", "%s/", f.name);
	} else if (f.fd < 0)
		missing(q, r);
	else
		answer(q, &f, r);
	return true;
}
