/* See cgi.h. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cgi.h"
#include "json.h"
#include "route.h"

#define DRAIN_MAX (64UL << 20) /* bytes */

static char *
variable(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0' ? xstrdup(value) : NULL;
}

/* As CGI names it: HTTP_IF_NONE_MATCH, but CONTENT_TYPE. */
static char *
header(const char *name)
{
	char var[64] = "HTTP_";
	size_t n = strcmp(name, "Content-Type") == 0 ? 0 : 5;

	for (; *name != '\0' && n < sizeof(var) - 1; name++)
		var[n++] = *name == '-' ? '_' : (char)toupper(*name);
	var[n] = '\0';
	return variable(var);
}

static bool
is_set(const char *name, const char *to)
{
	const char *value = getenv(name);

	return value != NULL && strcasecmp(value, to) == 0;
}

/* What the server tells us of the headers, all together. */
static size_t
headers(void)
{
	size_t n = 0;

	for (char **e = environ; *e != NULL; e++)
		if (strncmp(*e, "HTTP_", 5) == 0)
			n += strlen(*e);
	return n;
}

/*
 * Reads the body: CONTENT_LENGTH bytes, or to the end where the server does
 * not say how many there are (a chunked one).  False: r.
 */
static bool
body(struct req *q, size_t max, struct resp *r)
{
	const char *text = getenv("CONTENT_LENGTH");
	size_t want;
	char *end;

	if (text == NULL || *text == '\0') {
		const char *coding = getenv("HTTP_TRANSFER_ENCODING");

		if (coding == NULL && q->head[HEAD_TYPE] == NULL)
			return true; /* nothing was announced */
		switch (buf_read(&q->body, STDIN_FILENO, max)) {
		case 0: return true;
		case 1:
			resp_error(
			    r, 413, "the body is longer than %zu bytes", max);
			return false;
		default:
			resp_error(r, 400, "the body could not be read");
			return false;
		}
	}
	want = strlen(text) < 19 && strspn(text, "0123456789") == strlen(text)
		   ? strtoul(text, &end, 10)
		   : (size_t)-1;
	if (want == (size_t)-1) {
		resp_error(r, 400, "Content-Length is no number");
		return false;
	}
	if (want > max) {
		resp_error(r, 413, "the body is longer than %zu bytes", max);
		return false;
	}
	while (q->body.len < want) {
		size_t left = want - q->body.len;
		ssize_t n = read(STDIN_FILENO, buf_room(&q->body, left), left);

		if (n <= 0)
			break;
		q->body.len += (size_t)n;
		q->body.s[q->body.len] = '\0';
	}
	if (q->body.len < want) {
		resp_error(r, 400, "the body is shorter than Content-Length");
		return false;
	}
	return true;
}

/*
 * What we do not want of the body is read nevertheless, or the server that
 * still writes it drops our answer with the connection (Apache, nginx).  Only
 * so much: no server lets more of it come in.
 */
static void
drain(void)
{
	const char *text = getenv("CONTENT_LENGTH");
	size_t left = text != NULL ? strtoul(text, NULL, 10) : DRAIN_MAX;
	char piece[65536];
	ssize_t n;

	if (text == NULL && getenv("HTTP_TRANSFER_ENCODING") == NULL)
		return; /* nothing was announced */
	if (left > DRAIN_MAX)
		left = DRAIN_MAX;
	while (
	    left > 0 && (n = read(STDIN_FILENO, piece,
			     left < sizeof(piece) ? left : sizeof(piece))) > 0)
		left -= (size_t)n;
}

static bool
understand(struct req *q, struct resp *r)
{
	const char *path = getenv("PATH_INFO"), *peer = getenv("REMOTE_ADDR");

	q->method = variable("REQUEST_METHOD");
	if (q->method == NULL)
		q->method = xstrdup("GET");
	q->path = xstrdup(path != NULL && *path != '\0' ? path : "/");
	q->query = variable("QUERY_STRING");
	if (q->query == NULL)
		q->query = xstrdup("");
	for (int i = 0; i < HEADS; i++)
		q->head[i] = header(req_heads[i]);
	q->forwarded = getenv("HTTP_X_FORWARDED_FOR") != NULL ||
		       getenv("HTTP_FORWARDED") != NULL ||
		       getenv("HTTP_X_REAL_IP") != NULL;
	q->local = peer != NULL && req_loopback(peer);
	req_peer(q, peer, getenv("HTTP_X_FORWARDED_FOR"));
	q->user = variable("REMOTE_USER");
	q->https = is_set("HTTPS", "on") || is_set("HTTPS", "1") ||
		   is_set("REQUEST_SCHEME", "https") ||
		   (q->local && is_set("HTTP_X_FORWARDED_PROTO", "https"));
	if (strlen(q->path) + strlen(q->query) > REQ_LINE_MAX) {
		resp_error(r, 414, "the address is too long");
		return false;
	}
	if (headers() > REQ_HEADERS_MAX) {
		resp_error(r, 431, "the headers are too long");
		return false;
	}
	if (!json_utf8(q->path, strlen(q->path))) {
		resp_error(r, 400, "the path is not UTF-8");
		return false;
	}
	return body(q, route_body_max(q->path), r);
}

bool
cgi_read(struct req *q, struct resp *r)
{
	if (understand(q, r))
		return true;
	drain();
	return false;
}

/* A file that became shorter meanwhile gives less: Content-Length tells. */
static void
copy(int fd, size_t left)
{
	char piece[65536];
	ssize_t n;

	while (left > 0 &&
	       (n = read(fd, piece,
		    left < sizeof(piece) ? left : sizeof(piece))) > 0) {
		fwrite(piece, 1, (size_t)n, stdout);
		left -= (size_t)n;
	}
}

void
cgi_write(struct resp *r)
{
	const char *method = getenv("REQUEST_METHOD");
	size_t n = r->file ? r->size : r->body.len;
	bool known = r->status != 304 && (n > 0 || r->file);

	resp_finish(r);
	printf("Status: %d %s\r\n", r->status, resp_words(r->status));
	for (int i = 0; i < RESP_HEADS && r->head[i].name != NULL; i++)
		printf("%s: %s\r\n", r->head[i].name, r->head[i].value);
	if (known)
		printf("Content-Length: %zu\r\n", n);
	printf("\r\n");
	/* RFC 3875, 4.3.3: HEAD is for the script to mind */
	if (r->status == 304 || (method != NULL && strcmp(method, "HEAD") == 0))
		return;
	if (r->file)
		copy(r->fd, r->size);
	else
		fwrite(buf_text(&r->body), 1, r->body.len, stdout);
}
