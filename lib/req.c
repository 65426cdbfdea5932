/* See req.h. */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "json.h"
#include "req.h"

const char *const req_heads[HEADS] = {
	[HEAD_TYPE] = "Content-Type",
	[HEAD_AUTH] = "Authorization",
	[HEAD_COOKIE] = "Cookie",
	[HEAD_HOST] = "Host",
	[HEAD_ORIGIN] = "Origin",
	[HEAD_SITE] = "Sec-Fetch-Site",
	[HEAD_ACCEPT] = "Accept",
	[HEAD_ENCODING] = "Accept-Encoding",
	[HEAD_NONE_MATCH] = "If-None-Match",
	[HEAD_LAST_EVENT] = "Last-Event-ID",
	[HEAD_ASK_METHOD] = "Access-Control-Request-Method",
	[HEAD_ASK_HEADERS] = "Access-Control-Request-Headers",
	[HEAD_KEY] = "Idempotency-Key",
	[HEAD_ACTOR] = "Tera-Actor",
};

void
req_free(struct req *q)
{
	free(q->method);
	free(q->path);
	free(q->query);
	free(q->peer);
	free(q->user);
	for (int i = 0; i < HEADS; i++) {
		if (q->head[i] != NULL)
			explicit_bzero(q->head[i], strlen(q->head[i]));
		free(q->head[i]);
	}
	buf_free(&q->body);
	*q = (struct req){ .method = NULL };
}

void
resp_free(struct resp *r)
{
	for (int i = 0; i < RESP_HEADS; i++)
		free(r->head[i].value);
	buf_free(&r->body);
	if (r->file)
		close(r->fd);
	*r = (struct resp){ .status = 0 };
}

void
resp_error(struct resp *r, int status, const char *fmt, ...)
{
	struct buf text = BUF_INIT;
	struct fault f;
	va_list ap;

	va_start(ap, fmt);
	vfail(&f, 0, fmt, ap);
	va_end(ap);
	json_add(&text, "error", f.msg);
	json_end(&text);
	buf_chr(&text, '\n');
	buf_free(&r->body);
	r->body = text;
	r->status = status;
	r->type = "application/json";
}

void
resp_head(struct resp *r, const char *name, const char *fmt, ...)
{
	char *value;
	va_list ap;
	int i = 0;

	va_start(ap, fmt);
	if (vasprintf(&value, fmt, ap) < 0)
		die(EX_OSERR, "no memory");
	va_end(ap);
	value[strcspn(value, "\r\n")] = '\0';
	while (i < RESP_HEADS - 1 && r->head[i].name != NULL &&
	       strcmp(r->head[i].name, name) != 0)
		i++;
	free(r->head[i].value);
	r->head[i].name = name;
	r->head[i].value = value;
}

void
resp_finish(struct resp *r)
{
	bool kept = false;

	for (int i = 0; i < RESP_HEADS && r->head[i].name != NULL; i++)
		kept = kept || strcmp(r->head[i].name, "Cache-Control") == 0;
	if (r->body.len > 0 || r->file)
		resp_head(r, "Content-Type", "%s", r->type);
	if (!kept)
		resp_head(r, "Cache-Control", "no-store");
	resp_head(r, "X-Content-Type-Options", "nosniff");
	if (r->status == 401)
		resp_head(r, "WWW-Authenticate", "Bearer");
	if (r->status == 503)
		resp_head(r, "Retry-After", "1");
}

const char *
resp_words(int status)
{
	static const struct {
		int status;
		const char *words;
	} all[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 204, "No Content" },
		{ 302, "Found" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 409, "Conflict" },
		{ 411, "Length Required" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i].status == status)
			return all[i].words;
	return "Status";
}

static int
hex(char c)
{
	const char *digits = "0123456789abcdef", *at;

	at = c != '\0' ? strchr(digits, c | 0x20) : NULL;
	return at != NULL ? (int)(at - digits) : -1;
}

bool
req_decode(const char *s, size_t n, bool plus, char **out)
{
	char *text = xmalloc(n + 1), *to = text;

	*out = NULL;
	for (size_t i = 0; i < n; i++) {
		int hi, lo;

		if (s[i] != '%') {
			*to++ = plus && s[i] == '+' ? ' ' : s[i];
			continue;
		}
		hi = n - i > 2 ? hex(s[i + 1]) : -1;
		lo = hi >= 0 ? hex(s[i + 2]) : -1;
		if (lo < 0) {
			free(text);
			return false;
		}
		*to++ = (char)(hi << 4 | lo);
		i += 2;
	}
	*to = '\0';
	if (!json_utf8(text, (size_t)(to - text))) {
		free(text);
		return false;
	}
	*out = text;
	return true;
}

const char *
verb_key(const struct verb *v, const char *key)
{
	size_t len = strlen(key);

	for (const char *p = v->in; *p != '\0'; p += strcspn(p, " ")) {
		p += strspn(p, " ");
		if (len > 0 && strncmp(p, key, len) == 0 && p[len] == ':')
			return p + len + 1;
	}
	return NULL;
}

static void
add_typed(struct buf *b, const char *key, const char *value, const char *type,
    size_t n)
{
	size_t len = strlen(value);
	bool digits = len > 0 && len < 19 &&
		      strspn(value, "0123456789") == len &&
		      (value[0] != '0' || len == 1);

	if (n == 3 &&
	    (strncmp(type, "int", n) == 0 || strncmp(type, "num", n) == 0) &&
	    digits)
		json_add_raw(b, key, value);
	else if (n == 4 && strncmp(type, "bool", n) == 0 &&
		 (strcmp(value, "1") == 0 || strcmp(value, "true") == 0))
		json_add_bool(b, key, true);
	else if (n == 4 && strncmp(type, "bool", n) == 0 &&
		 (strcmp(value, "0") == 0 || strcmp(value, "false") == 0))
		json_add_bool(b, key, false);
	else
		json_add(b, key, value); /* the verb says what it wants */
}

bool
req_query(struct buf *b, const char *query, const struct verb *v)
{
	bool fine = true;

	for (const char *p = query; fine && *p != '\0'; p += *p == '&') {
		size_t n = strcspn(p, "&"), k = strcspn(p, "=&");
		char *key, *value = NULL;
		const char *type;

		fine =
		    req_decode(p, k, true, &key) &&
		    req_decode(p + k + (k < n), n - k - (k < n), true, &value);
		type = fine ? verb_key(v, key) : NULL;
		if (type != NULL)
			add_typed(b, key, value, type, strcspn(type, "! "));
		free(key);
		free(value);
		p += n;
	}
	return fine;
}

bool
req_loopback(const char *address)
{
	return strncmp(address, "127.", 4) == 0 ||
	       strcmp(address, "::1") == 0 ||
	       strncmp(address, "::ffff:127.", 11) == 0;
}

void
req_peer(struct req *q, const char *peer, const char *value)
{
	const char *last = value != NULL ? strrchr(value, ',') : NULL;
	unsigned char raw[sizeof(struct in6_addr)];
	char text[64], *old = q->peer; /* which peer may be */

	q->peer = peer != NULL && *peer != '\0' ? xstrdup(peer) : NULL;
	free(old);
	if (value == NULL || !q->local)
		return;
	last = last != NULL ? last + 1 : value;
	last += strspn(last, " \t");
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(last, " \t"), last);
	if (inet_pton(AF_INET, text, raw) != 1 &&
	    inet_pton(AF_INET6, text, raw) != 1)
		return;
	free(q->peer);
	q->peer = xstrdup(text);
}

bool
req_own_host(const char *host)
{
	char name[64], *end;
	struct in_addr four;
	struct in6_addr six;

	if (host == NULL || strlen(host) >= sizeof(name))
		return false;
	memcpy(name, host, strlen(host) + 1);
	if (name[0] == '[') {
		end = strchr(name, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return false;
		*end = '\0';
		return inet_pton(AF_INET6, name + 1, &six) == 1;
	}
	end = strchr(name, ':');
	if (end != NULL)
		*end = '\0';
	return strcasecmp(name, "localhost") == 0 ||
	       inet_pton(AF_INET, name, &four) == 1;
}

bool
req_cross_site(const struct req *q)
{
	const char *from;

	if (q->head[HEAD_SITE] != NULL &&
	    strcasecmp(q->head[HEAD_SITE], "cross-site") == 0)
		return true;
	if (q->head[HEAD_ORIGIN] == NULL)
		return false; /* no browser: they name it with each write */
	from = strstr(q->head[HEAD_ORIGIN], "://");
	return from == NULL || q->head[HEAD_HOST] == NULL ||
	       strcasecmp(from + 3, q->head[HEAD_HOST]) != 0;
}

const char *
req_bearer(const char *auth, size_t *n)
{
	static const char blank[] = " \t";

	if (auth == NULL || strncasecmp(auth, "Bearer ", 7) != 0)
		return NULL;
	auth += 7 + strspn(auth + 7, blank);
	*n = strlen(auth);
	while (*n > 0 && strchr(blank, auth[*n - 1]) != NULL)
		--*n;
	return *n > 0 ? auth : NULL;
}

bool
req_same(const char *secret, const char *s, size_t n)
{
	size_t len = strlen(secret);
	volatile unsigned char diff = len != n || n == 0;

	/* as many steps as the stranger's text has bytes */
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)secret[len > 0 ? i % len : 0];

		diff = (unsigned char)(diff | (c ^ (unsigned char)s[i]));
	}
	return diff == 0;
}
