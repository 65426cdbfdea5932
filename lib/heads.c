/* See heads.h. */
#include <arpa/inet.h>
#include <ctype.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "heads.h"

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
look_at_unix(struct MHD_Connection *conn, struct req *q)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct ucred who;
	socklen_t n = sizeof(who);
	char text[32];

	q->local = true;
	if (info == NULL || getsockopt(info->connect_fd, SOL_SOCKET,
				SO_PEERCRED, &who, &n) != 0)
		return;
	q->has_uid = true;
	q->uid = who.uid;
	snprintf(text, sizeof(text), "uid %ld", (long)who.uid);
	req_peer(q, text, NULL);
}

static void
look_at_peer(struct MHD_Connection *conn, struct req *q)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *a = info != NULL ? info->client_addr : NULL;
	char text[INET6_ADDRSTRLEN] = "";
	const void *in = NULL;

	if (a == NULL)
		return;
	if (a->sa_family == AF_UNIX) {
		look_at_unix(conn, q);
		return;
	}
	if (a->sa_family == AF_INET)
		in = &((const struct sockaddr_in *)(const void *)a)->sin_addr;
	else if (a->sa_family == AF_INET6)
		in = &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
	if (in == NULL ||
	    inet_ntop(a->sa_family, in, text, sizeof(text)) == NULL)
		return;
	q->local = req_loopback(text);
	req_peer(q, text, NULL);
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

bool
heads_read(struct MHD_Connection *conn, const char *version, size_t max,
    struct req *q, struct resp *r)
{
	struct heads h = { .q = q };
	const char *why;

	look_at_peer(conn, q);
	MHD_get_connection_values(conn, MHD_HEADER_KIND, header, &h);
	if (h.via != NULL)
		req_peer(q, q->peer, h.via);
	q->https = q->local && h.https;
	why = unclear(&h, version);
	if (h.bytes > REQ_HEADERS_MAX)
		resp_error(r, 431, "the headers are too long");
	else if (why != NULL) {
		resp_error(r, 400, "%s", why);
		resp_head(r, "Connection", "close");
	} else if (h.length != NULL && strtoull(h.length, NULL, 10) > max)
		resp_error(r, 413, "the body is longer than %zu bytes", max);
	else
		return true;
	return false;
}
