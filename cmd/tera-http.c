/*
 * tera-http - run a verb on a store that is behind HTTP
 *
 * The other commands run it when TERA_STORE is a URL (far.h); it is the only
 * one of them that links an HTTP client.  Each call of a verb that writes has
 * a key of its own, so that it can be sent again when the answer was lost.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "far.h"
#include "http.h"
#include "jscan.h"
#include "json.h"
#include "user.h"

#define ANSWER_MAX (256UL * 1024 * 1024)
#define TOTAL 120 /* seconds for an answer */
#define TRIES 4

static const char *
base_url(void)
{
	const char *url = getenv("TERA_STORE");

	if (url == NULL || !far_is(url))
		url = getenv("TERARCHITECT_API_URL");
	if (url == NULL || !far_is(url))
		die(EX_CONFIG, "TERA_STORE is no URL of http or https");
	return url;
}

/* A random UUID (RFC 9562, version 4). */
static void
new_key(char key[37])
{
	unsigned char r[16];

	if (getrandom(r, sizeof(r), 0) != (ssize_t)sizeof(r))
		die(EX_OSERR, "random numbers:");
	r[6] = (unsigned char)((r[6] & 15) | 0x40);
	r[8] = (unsigned char)((r[8] & 0x3f) | 0x80);
	for (int i = 0, at = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			key[at++] = '-';
		at += snprintf(key + at, (size_t)(37 - at), "%02x", r[i]);
	}
}

/* The exit status that an answer without one stands for. */
static int
code_of(long status)
{
	switch (status) {
	case 400:
	case 409:
	case 413:
	case 422: return EX_DATAERR;
	case 401:
	case 403: return EX_NOPERM;
	case 404: return EX_NOINPUT;
	case 429:
	case 503: return EX_TEMPFAIL;
	default: return EX_UNAVAILABLE;
	}
}

static int
refused(const char *url, const struct http_res *res, struct fault *f)
{
	const char *text = buf_text(&res->body);
	char *msg = NULL;
	struct fault not_json;
	int code = 0;

	if (json_check(text, strlen(text), &not_json) == 0) {
		msg = json_get(text, "$.error");
		code = (int)json_int(text, "$.code", 0);
	}
	if (code <= 1 || code > 78)
		code = code_of(res->status);
	if (msg != NULL)
		fail(f, code, "%s%s", msg,
		    res->status == 401 ? " (TERA_TOKEN, TERA_TOKEN_FILE)" : "");
	else
		fail(f, code, "%s: status %ld", url, res->status);
	free(msg);
	return code;
}

/* Must it be done once?  A verb that we do not know may write. */
static bool
writes(const char *name)
{
	/* not verb_find, which is SQLite's neighbour and not our group's */
	for (const struct verb *v = verbs; v->name != NULL; v++)
		if (strcmp(v->name, name) == 0)
			return v->flags & VERB_WRITE;
	return true;
}

/* Under whose name it is to be sealed there (db_actor). */
static const char *
actor(void)
{
	const char *name = getenv("TERA_ACTOR");

	if (name == NULL || *name == '\0')
		name = user_name();
	return strpbrk(name, "\r\n") == NULL ? name : "(not a line)";
}

static void
pause_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* Sends it until an answer comes. */
static int
ask(const struct http_req *req, struct http_res *res, struct fault *f)
{
	for (int try = 1;; try++) {
		enum http_end end = http_call(req, res);

		if (end == HTTP_DONE)
			return 0;
		if (end == HTTP_BAD || end == HTTP_TOO_BIG || try == TRIES)
			return fail(f,
			    end == HTTP_BAD ? EX_CONFIG : EX_UNAVAILABLE,
			    "%s: %s", req->url, res->err);
		http_free(res);
		pause_ms(50L << 2 * (try - 1)); /* 50 to 800 ms */
	}
}

static int
print_row(void *arg, const char *json)
{
	(void)arg;
	fputs(json, stdout);
	return putchar('\n') == EOF;
}

/* What we show: $TERA_TOKEN, what is in the file $TERA_TOKEN_FILE, or the
 * worker key.  NULL: nothing, or f says what is wrong with the file.  The
 * caller frees it. */
static char *
token(struct fault *f)
{
	const char *text = getenv("TERA_TOKEN");
	const char *path = getenv("TERA_TOKEN_FILE");
	struct buf b = BUF_INIT;
	char *got = NULL;

	f->code = 0;
	if (text != NULL && *text != '\0')
		return xstrdup(text);
	if (path == NULL || *path == '\0') {
		text = getenv("TERARCHITECT_WORKER_API_KEY");
		return text != NULL && *text != '\0' ? xstrdup(text) : NULL;
	}
	if (buf_file(&b, path, 4096) != 0)
		fail(f, EX_CONFIG, "TERA_TOKEN_FILE: %s:", path);
	else if (buf_text(&b)[strspn(buf_text(&b), " \t\r\n")] == '\0')
		fail(f, EX_CONFIG, "TERA_TOKEN_FILE: %s: no token in it", path);
	else {
		text = b.s + strspn(b.s, " \t\r\n");
		got = xstrndup(text, strcspn(text, " \t\r\n"));
		explicit_bzero(b.s, b.len);
	}
	buf_free(&b);
	return got;
}

/* One verb.  Prints its rows; returns its status, with f above 1. */
static int
call(const char *base, const char *verb, const char *in, struct fault *f)
{
	char key[37], *mine, *who, *id, *auth = NULL, *url, *line, *end;
	const char *headers[5] = { "Content-Type: application/json" };
	struct http_req req = { .headers = headers,
		.body = in,
		.len = strlen(in),
		.total = TOTAL,
		.max = ANSWER_MAX };
	struct http_res res;
	int n = 2, rc;

	if (strspn(verb, "abcdefghijklmnopqrstuvwxyz_.") != strlen(verb))
		return fail(f, EX_NOINPUT, "no such verb: %s", verb);
	mine = token(f);
	if (mine == NULL && f->code != 0)
		return f->code;
	headers[1] = who = xasprintf("Tera-Actor: %s", actor());
	new_key(key);
	id = xasprintf("Idempotency-Key: %s", key);
	if (writes(verb))
		headers[n++] = id;
	if (mine != NULL)
		auth = xasprintf("Authorization: Bearer %s", mine);
	headers[n] = auth;
	n = (int)strlen(base);
	while (n > 0 && base[n - 1] == '/')
		n--;
	req.url = url = xasprintf("%.*s/api/v1/%s", n, base, verb);
	rc = ask(&req, &res, f);
	if (rc == 0 && res.status == 204)
		rc = 1;
	else if (rc == 0 && res.status != 200)
		rc = refused(url, &res, f);
	for (line = res.body.s; rc == 0 && line != NULL && *line != '\0';
	     line = end + 1) {
		end = line + strcspn(line, "\n");
		if (*end == '\0') {
			rc = fail(f, EX_UNAVAILABLE, "%s: half an answer", url);
			break;
		}
		*end = '\0';
		if (print_row(NULL, line) != 0)
			break;
	}
	http_free(&res);
	free(id);
	free(who);
	free(auth);
	free(mine);
	free(url);
	return rc;
}

/* What a path of the API answers: a line for each element of a list, or one. */
static int
get(const char *url, struct fault *f)
{
	char *mine = token(f);
	char *auth =
	    mine != NULL ? xasprintf("Authorization: Bearer %s", mine) : NULL;
	const char *headers[] = { "Accept: application/json", auth, NULL },
		   *at = NULL;
	struct http_req req = { .url = url,
		.headers = headers,
		.total = TOTAL,
		.max = ANSWER_MAX };
	struct slice all, one;
	struct http_res res;
	struct buf line = BUF_INIT;
	int rc;

	if (mine == NULL && f->code != 0)
		return f->code;
	rc = ask(&req, &res, f);
	all = (struct slice){ buf_text(&res.body), res.body.len };
	if (rc == 0 && res.status != 200)
		rc = refused(url, &res, f);
	else if (rc == 0 &&
		 jscan_check(all.s, all.n, JSON_DEPTH_MAX) != JSCAN_OK)
		rc = fail(
		    f, EX_UNAVAILABLE, "%s: what it says is not JSON", url);
	else if (rc == 0 && jscan_kind(all) != JSCAN_ARRAY) {
		jscan_copy(&line, all);
		print_row(NULL, buf_text(&line));
	}
	while (rc == 0 && jscan_element(all, &at, &one)) {
		buf_clear(&line);
		jscan_copy(&line, one);
		if (print_row(NULL, buf_text(&line)) != 0)
			break;
	}
	buf_free(&line);
	http_free(&res);
	free(auth);
	free(mine);
	return rc;
}

/* Calls for the command that started us, as long as it lives (far.h). */
static int
stay(void)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	while ((n = getline(&line, &room, stdin)) > 0) {
		char *verb = json_get(line, "$.verb"),
		     *in = json_raw(line, "$.in"),
		     *url = json_get(line, "$.get");
		struct fault f = { 0, "" };
		int rc;

		if (url != NULL)
			rc = get(url, &f);
		else if (verb == NULL || in == NULL)
			rc = fail(&f, EX_DATAERR, "want verb and in");
		else
			rc = call(base_url(), verb, in, &f);
		for (char *p = f.msg; *p != '\0'; p++)
			if (*p == '\n')
				*p = ' ';
		printf("=%d %s\n", rc, rc > 1 ? f.msg : "");
		free(verb);
		free(in);
		free(url);
		if (fflush(stdout) != 0)
			break;
	}
	free(line);
	return 0;
}

/* A call for each line of standard input; of none, one with nothing. */
static int
each(const char *base, const char *verb)
{
	struct json_lines *l = xmalloc(sizeof(*l));
	struct fault f = { 0, "" };
	int worst = 0, got, rc;
	long calls = 0;

	memset(l, 0, sizeof(*l));
	l->fp = stdin;
	while ((got = json_next(l, &f)) != 0) {
		calls++;
		rc = got > 0 ? call(base, verb, l->line.s, &f) : f.code;
		if (rc > 1 && (got < 0 || calls == 1))
			warn("%s", f.msg);
		else if (rc > 1)
			warn("line %ld: %s", l->no, f.msg);
		if (rc != 0)
			worst = rc;
		fflush(stdout);
	}
	if (calls == 0) {
		worst = call(base, verb, "{}", &f);
		if (worst > 1)
			warn("%s", f.msg);
	}
	json_lines_free(l);
	free(l);
	return worst;
}

int
main(int argc, char *argv[])
{
	err_init(argc, argv, "{verb | -}");
	if (getopt(argc, argv, "") != -1 || argc - optind != 1)
		err_usage();
	if (strcmp(argv[optind], "-") == 0)
		return out_end(stay());
	return out_end(each(base_url(), argv[optind]));
}
