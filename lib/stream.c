/* See stream.h. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "json.h"
#include "rest.h"
#include "stream.h"

#define LOOK_AGAIN 100 /* ms: the store could not be asked */

/* Which route's list goes on as which verb. */
static const struct {
	const char *list, *verb;
} streams[] = {
	{ "api.events", "stream.events" },
	{ "api.job.logs", "stream.logs" },
	{ "api.logs", "stream.logs" },
};

/* --- what is asked for --- */

static const char *
verb_of(const char *route)
{
	for (size_t i = 0; i < sizeof(streams) / sizeof(*streams); i++)
		if (strcmp(route, streams[i].list) == 0)
			return streams[i].verb;
	return NULL;
}

bool
stream_asked(const char *route, const struct req *q)
{
	static const struct verb query = { .in = "stream:bool" };
	const char *accept = q->head[HEAD_ACCEPT];
	struct buf b = BUF_INIT;
	const char *type;

	if (verb_of(route) == NULL || !req_query(&b, q->query, &query)) {
		buf_free(&b);
		return false;
	}
	type = json_type(json_end(&b), "$.stream");
	buf_free(&b);
	if (*type != '\0')
		return strcmp(type, "true") == 0;
	return accept != NULL &&
	       strcasestr(accept, "text/event-stream") != NULL;
}

static bool
is_number(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n < 19 && strspn(s, "0123456789") == n;
}

/* A key of the object that is a number that is not negative; false: r. */
static bool
number(const char *in, const char *key, long long *n, struct resp *r)
{
	char *path = xasprintf("$.%s", key), *text = json_get(in, path);
	bool fine = text == NULL || is_number(text);

	if (text != NULL && fine)
		*n = strtoll(text, NULL, 10);
	if (!fine)
		resp_error(r, 400, "%s: want a number from 0", key);
	free(text);
	free(path);
	return fine;
}

struct stream *
stream_new(const char *route, enum who who, const struct req *q, const char *in,
    struct resp *r)
{
	static const char *const own[] = { "since", "limit", "none" };
	const char *last = q->head[HEAD_LAST_EVENT];
	struct stream *s = xmalloc(sizeof(*s));
	char *rest;

	*s = (struct stream){ .verb = verb_find(verb_of(route)),
		.at = strcmp(route, "api.events") == 0 ? -1 : 0,
		.left = -1,
		.who = who };
	if (!number(in, "since", &s->at, r) ||
	    !number(in, "limit", &s->left, r)) {
		stream_free(s);
		return NULL;
	}
	if (last != NULL && *last != '\0') {
		if (!is_number(last)) {
			resp_error(r, 400, "Last-Event-ID: want a number");
			stream_free(s);
			return NULL;
		}
		s->at = strtoll(last, NULL, 10);
		s->again = true;
	}
	/* streams of the same share what is rendered: see hub.h */
	s->in = xstrdup(in);
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) {
		rest = json_remove(s->in, own[i]);
		free(s->in);
		s->in = rest;
	}
	return s;
}

void
stream_free(struct stream *s)
{
	if (s != NULL)
		free(s->in);
	free(s);
}

char *
stream_first(const struct stream *s)
{
	return json_merge(s->in, "{\"none\":true}");
}

void
stream_start(struct stream *s, const char *row, bool head, struct resp *r)
{
	bool over = strcmp(json_type(row, "$.over"), "text") == 0;
	long long end = json_int(row, "$.head", 0);
	char *project = json_raw(row, "$.project");
	bool events = strcmp(s->verb->name, "stream.events") == 0;

	if (project != NULL) {
		/* it may have another name later, or be removed */
		struct buf b = BUF_INIT;
		char *in;

		json_add_raw(&b, "project", project);
		in = json_merge(s->in, json_end(&b));
		free(s->in);
		s->in = in;
		buf_free(&b);
		free(project);
	}
	s->reset = s->at > end;
	if (s->at < 0 || s->reset)
		s->at = events ? end : 0;
	if (over && s->again && !s->reset &&
	    s->at >= json_int(row, "$.last", 0)) {
		r->status = 204;
		stream_free(s);
		return;
	}
	r->status = 200;
	r->type = "text/event-stream";
	resp_head(r, "Content-Type", "%s", r->type);
	/* nothing between may keep it back */
	resp_head(r, "Cache-Control", "no-store, no-transform");
	resp_head(r, "X-Accel-Buffering", "no");
	if (head)
		stream_free(s);
	else
		r->stream = s;
}

/* --- what it says --- */

void
stream_begin(const struct stream *s, struct buf *out)
{
	buf_fmt(out, STREAM_RETRY "id: %lld\n", s->at);
	if (s->reset)
		buf_fmt(out, "event: reset\ndata: {\"seq\":%lld}\n", s->at);
	buf_chr(out, '\n');
}

/* The end, for a reason in one word. */
static void
end(struct stream *s, const char *why, struct buf *out)
{
	buf_str(out, "event: end\ndata: {\"why\":");
	json_quote(out, why, strlen(why));
	buf_str(out, "}\n\n");
	s->over = true;
}

struct rendering {
	struct stream *s;
	struct buf *out;
	size_t from;
};

/* A key's value, up to what would end the line. */
static void
word(struct buf *out, const char *json, const char *path)
{
	char *text = json_get(json, path);

	if (text != NULL)
		buf_add(out, text, strcspn(text, "\r\n"));
	free(text);
}

/* The last row: all up to the head has come. */
static int
last(struct rendering *now, const char *json)
{
	struct stream *s = now->s;
	long long head = json_int(json, "$.head", 0);
	char *why = json_get(json, "$.over");

	if (head > s->at)
		s->at = head;
	s->more = false;
	if (why != NULL)
		end(s, why, now->out);
	free(why);
	return 0;
}

static int
record(void *arg, const char *json)
{
	static const char mark[] = "{\"head\":";
	struct rendering *now = arg;
	struct stream *s = now->s;
	struct buf *out = now->out;
	size_t from;

	if (strncmp(json, mark, sizeof(mark) - 1) == 0)
		return last(now, json);
	s->at = json_int(json, "$.seq", s->at);
	buf_str(out, "event: ");
	if (strcmp(s->verb->name, "stream.logs") == 0)
		buf_str(out, "log");
	else {
		word(out, json, "$.noun");
		buf_chr(out, '.');
		word(out, json, "$.what");
	}
	buf_fmt(out, "\nid: %lld\ndata: ", s->at);
	from = out->len;
	buf_str(out, json);
	/* in JSON they can only stand where a blank can */
	for (size_t i = from; i < out->len; i++)
		if (out->s[i] == '\n' || out->s[i] == '\r')
			out->s[i] = ' ';
	buf_str(out, "\n\n");
	if (s->left > 0)
		s->left--;
	return s->left == 0 || out->len - now->from >= STREAM_PIECE;
}

int
stream_more(struct stream *s, struct db *db, struct buf *out)
{
	struct rendering now = { s, out, out->len };
	struct buf in = BUF_INIT;
	struct fault f = { 0, "" };
	char *input;
	int rc = 0;

	if (s->over)
		return 0;
	s->more = true; /* until the last row says that it is not so */
	if (s->left != 0) {
		json_add_int(&in, "since", s->at);
		input = json_merge(s->in, json_end(&in));
		rc = db_verb(db, s->verb, input, record, &now, &f);
		free(input);
		buf_free(&in);
	}
	if (rc == EX_NOINPUT) {
		end(s, "gone", out);
		rc = 0;
	} else if (rc != 0)
		s->more = false;
	if (s->left == 0 && !s->over)
		end(s, "limit", out);
	if (s->over)
		s->more = false;
	return rc;
}

/* --- on standard output --- */

static bool
put(struct buf *out)
{
	bool fine = fwrite(buf_text(out), 1, out->len, stdout) == out->len &&
		    fflush(stdout) == 0;

	buf_clear(out);
	return fine;
}

static bool
still_may(struct stream *s, struct db *db, const struct req *q)
{
	struct auth a = { .db = NULL };
	struct resp no = { .status = 0 };
	struct caller c = { .name = NULL };
	bool may;

	auth_load(&a, db);
	may = auth_may(&a, q, s->who, true, &c, &no);
	caller_free(&c);
	resp_free(&no);
	auth_free(&a);
	return may;
}

/* Waits until something may be new or ms are over.  False: nobody reads. */
static bool
doze(struct store *st, long long ms)
{
	struct pollfd p[2] = { { STDOUT_FILENO, 0, 0 },
		{ store_wait_fd(st), POLLIN, 0 } };

	/* A pipe that nobody reads any more says POLLERR, a socket POLLHUP.
	 * Not POLLRDHUP: Apache closes its half after the request. */
	return poll(p, 2, ms > 0 ? (int)ms : 0) <= 0 || p[0].revents == 0;
}

/* Prints all that is new now, and notes when it spoke.  False: it could not be
 * printed; *again: the store could not be asked. */
static bool
catch_up(struct stream *s, struct db *db, struct buf *out, long long *spoke,
    bool *again)
{
	do {
		*again = stream_more(s, db, out) != 0;
		if (out->len == 0)
			continue;
		if (!put(out))
			return false;
		*spoke = clock_ms();
	} while (s->more);
	return true;
}

void
stream_print(struct stream *s, struct store *st, const struct req *q)
{
	long long spoke = clock_ms(), now, left;
	struct buf out = BUF_INIT;
	struct fault f;
	struct db *db = store_db(st, &f);
	bool rested = false, look = false, on = true;

	stream_begin(s, &out);
	while (on && db != NULL && !store_gone(st)) {
		/* note where we are before we look */
		if (store_wait(st, 0) == 1 || look) {
			on = still_may(s, db, q) &&
			     catch_up(s, db, &out, &spoke, &look) && !s->over;
			rested = false;
		}
		now = clock_ms();
		left = spoke + STREAM_COMMENT - now;
		if (on && left <= 0) {
			buf_str(&out, STREAM_ALIVE);
			on = put(&out);
			spoke = now;
			left = STREAM_COMMENT;
		}
		if (look)
			left = LOOK_AGAIN;
		else if (!rested && left > REST_MS)
			left = REST_MS;
		on = on && doze(st, left < STREAM_LOOK ? left : STREAM_LOOK);
		if (!rested && clock_ms() - now >= REST_MS) {
			rest();
			rested = true;
		}
	}
	buf_free(&out);
}
