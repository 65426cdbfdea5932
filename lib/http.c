/* See http.h. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <curl/curl.h>

#include "http.h"

struct call {
	const struct http_req *req;
	struct http_res *res;
	CURL *curl;
	size_t got;
	bool events; /* the answer is an event stream */
	bool too_big;
	bool stopped;
};

double
http_retry_after(const char *text)
{
	char *end;
	double n;
	time_t at;

	while (isspace((unsigned char)*text))
		text++;
	if (isdigit((unsigned char)*text)) {
		n = strtod(text, &end);
		while (isspace((unsigned char)*end))
			end++;
		return *end == '\0' && n < 1e9 ? n : -1;
	}
	at = curl_getdate(text, NULL);
	if (at == (time_t)-1)
		return -1;
	n = difftime(at, time(NULL));
	return n > 0 ? n : 0;
}

static size_t
on_body(char *p, size_t size, size_t n, void *arg)
{
	struct call *c = arg;
	long status = 0;

	n *= size;
	c->got += n;
	if (c->got > c->req->max) {
		c->too_big = true;
		return 0;
	}
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	if (c->events && c->req->chunk != NULL && status / 100 == 2) {
		if (c->req->chunk(c->req->arg, p, n) != 0) {
			c->stopped = true;
			return 0;
		}
		return n;
	}
	buf_add(&c->res->body, p, n);
	return n;
}

/* The value when line is the header name, trimmed into out. */
static bool
header(const char *line, size_t n, const char *name, char *out, size_t max)
{
	size_t len = strlen(name);

	if (n <= len || line[len] != ':' || strncasecmp(line, name, len) != 0)
		return false;
	line += len + 1;
	n -= len + 1;
	while (n > 0 && isspace((unsigned char)*line)) {
		line++;
		n--;
	}
	while (n > 0 && isspace((unsigned char)line[n - 1]))
		n--;
	if (n >= max)
		n = max - 1;
	memcpy(out, line, n);
	out[n] = '\0';
	return true;
}

static size_t
on_header(char *p, size_t size, size_t n, void *arg)
{
	struct call *c = arg;
	struct http_res *res = c->res;
	char value[128];

	n *= size;
	if (n > 5 && strncmp(p, "HTTP/", 5) == 0) {
		c->events = false; /* an interim answer is forgotten */
		res->retry_after = -1;
	} else if (header(p, n, "content-type", value, sizeof(value)))
		c->events = strncasecmp(value, "text/event-stream", 17) == 0;
	else if (header(p, n, "retry-after", value, sizeof(value)))
		res->retry_after = http_retry_after(value);
	else if (header(p, n, "x-request-id", value, sizeof(value)) ||
		 header(p, n, "request-id", value, sizeof(value)))
		memcpy(res->request_id, value, sizeof(value));
	return n;
}

static bool
loopback(const char *url)
{
	CURLU *u = curl_url();
	char *host = NULL;
	bool yes = false;

	if (u != NULL && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK)
		yes = strcasecmp(host, "localhost") == 0 ||
		      strncmp(host, "127.", 4) == 0 ||
		      strcmp(host, "[::1]") == 0;
	curl_free(host);
	curl_url_cleanup(u);
	return yes;
}

static enum http_end
verdict(const struct call *c, CURLcode rc)
{
	if (c->too_big)
		return HTTP_TOO_BIG;
	if (c->stopped)
		return HTTP_STOPPED;
	switch (rc) {
	case CURLE_OK: return HTTP_DONE;
	case CURLE_OPERATION_TIMEDOUT: return HTTP_TIMEOUT;
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_BAD_FUNCTION_ARGUMENT: return HTTP_BAD;
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_WEIRD_SERVER_REPLY: return HTTP_BROKEN;
	default: return HTTP_CONNECT;
	}
}

static void
setup(struct call *c, struct curl_slist *headers, char *errbuf)
{
	const struct http_req *req = c->req;
	CURL *h = c->curl;

	curl_easy_setopt(h, CURLOPT_URL, req->url);
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(h, CURLOPT_USERAGENT, "tera/" TERA_VERSION);
	curl_easy_setopt(h, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(h, CURLOPT_ERRORBUFFER, errbuf);
	curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, 20L);
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)(req->total * 1000) + 1);
	if (req->idle > 0) {
		curl_easy_setopt(h, CURLOPT_LOW_SPEED_LIMIT, 1L);
		curl_easy_setopt(h, CURLOPT_LOW_SPEED_TIME, req->idle);
	}
	if (loopback(req->url))
		curl_easy_setopt(h, CURLOPT_NOPROXY, "*");
	if (req->body != NULL) {
		curl_easy_setopt(h, CURLOPT_POSTFIELDS, req->body);
		curl_easy_setopt(
		    h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->len);
	}
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(h, CURLOPT_HEADERDATA, c);
}

enum http_end
http_call(const struct http_req *req, struct http_res *res)
{
	/* one handle, so that the connection is there for the next call */
	static CURL *handle;
	struct call c = { .req = req, .res = res };
	struct curl_slist *headers = NULL;
	char errbuf[CURL_ERROR_SIZE] = "";
	enum http_end end;
	CURLcode rc;

	memset(res, 0, sizeof(*res));
	res->retry_after = -1;
	if (handle != NULL)
		curl_easy_reset(handle);
	else if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		die(EX_SOFTWARE, "libcurl does not start");
	else
		handle = curl_easy_init();
	c.curl = handle;
	if (c.curl == NULL)
		die(EX_OSERR, "out of memory");
	for (size_t i = 0; req->headers != NULL && req->headers[i] != NULL; i++)
		headers = curl_slist_append(headers, req->headers[i]);
	/* A body of a few megabytes must not wait for a 100 that some servers
	 * never send. */
	headers = curl_slist_append(headers, "Expect:");
	setup(&c, headers, errbuf);
	rc = curl_easy_perform(c.curl);
	curl_easy_getinfo(c.curl, CURLINFO_RESPONSE_CODE, &res->status);
	end = verdict(&c, rc);
	if (end == HTTP_TOO_BIG)
		snprintf(res->err, sizeof(res->err),
		    "the answer is longer than %zu bytes", req->max);
	else if (end != HTTP_DONE)
		snprintf(res->err, sizeof(res->err), "%s",
		    errbuf[0] != '\0' ? errbuf : curl_easy_strerror(rc));
	curl_slist_free_all(headers);
	return end;
}

void
http_free(struct http_res *res)
{
	buf_free(&res->body);
}
