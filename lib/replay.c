/*
 * See replay.h.  Several jobs answer from one recording at a time: what was
 * handed out is noted in a side file, line numbers of the recording, and the
 * lock on that file makes looking and noting one step.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "replay.h"

#define RECORDING_MAX (256 * 1024 * 1024)

/* --- every string of a value through one function --- */

typedef void turn_fn(struct normal *, struct buf *, const char *, size_t);

static void
back(struct normal *t, struct buf *out, const char *s, size_t n)
{
	normal_live(t, out, s, n);
}

/* Consumes v.  Arrays in order, so that numbers are given in order. */
static jv
each(jv v, turn_fn *fn, struct normal *t)
{
	struct buf b = BUF_INIT;
	jv out;

	switch (jv_get_kind(v)) {
	case JV_KIND_STRING:
		fn(t, &b, jv_string_value(v),
		    (size_t)jv_string_length_bytes(jv_copy(v)));
		out = jv_string_sized(buf_text(&b), (int)b.len);
		buf_free(&b);
		break;
	case JV_KIND_ARRAY:
		out = jv_array();
		jv_array_foreach (v, i, x)
			out = jv_array_append(out, each(x, fn, t));
		break;
	case JV_KIND_OBJECT:
		out = jv_object();
		jv_object_foreach (v, key, x)
			out = jv_object_set(out, key, each(x, fn, t));
		break;
	default: return v;
	}
	jv_free(v);
	return out;
}

static jv
placed(struct normal *t, const char *s)
{
	return each(jv_string(s != NULL ? s : ""), normal_text, t);
}

/* The keys of a message in one order, whatever order the object has. */
static jv
message(struct normal *t, jv m)
{
	jv out = jvx_put(jv_object(), "role", jvx_str(m, "role"));
	jv calls = jvx_get(m, "tool_calls"), list = jv_array();

	out = jvx_set(
	    out, "content", each(jvx_get(m, "content"), normal_text, t));
	if (jv_get_kind(calls) == JV_KIND_ARRAY) {
		jv_array_foreach (calls, i, c) {
			jv f = jvx_get(c, "function"), o = jv_object();

			o = jvx_set(o, "id", placed(t, jvx_str(c, "id")));
			o = jvx_put(o, "name", jvx_str(f, "name"));
			o = jvx_set(
			    o, "arguments", placed(t, jvx_str(f, "arguments")));
			list = jv_array_append(list, o);
			jv_free(f);
			jv_free(c);
		}
		out = jvx_set(out, "tool_calls", jv_copy(list));
	}
	if (jvx_str(m, "tool_call_id") != NULL)
		out = jvx_set(
		    out, "tool_call_id", placed(t, jvx_str(m, "tool_call_id")));
	jv_free(list);
	jv_free(calls);
	return out;
}

jv
replay_request(struct normal *t, jv messages, jv tools)
{
	jv list = jv_array(), names = jv_array();

	jv_array_foreach (messages, i, m) {
		list = jv_array_append(list, message(t, m));
		jv_free(m);
	}
	jv_array_foreach (tools, k, tool) {
		jv f = jvx_get(tool, "function");
		const char *name = jvx_str(
		    jv_get_kind(f) == JV_KIND_OBJECT ? f : tool, "name");

		names =
		    jv_array_append(names, jv_string(name != NULL ? name : ""));
		jv_free(f);
		jv_free(tool);
	}
	return jvx_set(jvx_set(jv_object(), "messages", list), "tools",
	    jv_sort(jv_copy(names), names));
}

/* --- recording --- */

static int
write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t got = write(fd, p, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

static int
lock(int fd)
{
	int rc;

	do
		rc = flock(fd, LOCK_EX);
	while (rc != 0 && errno == EINTR);
	return rc;
}

/* Lines in the file; *torn: the last one has no end (its writer was killed). */
static long
count_lines(int fd, int *torn)
{
	char block[65536], last = '\n';
	long lines = 0;
	ssize_t n;

	while ((n = read(fd, block, sizeof(block))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			lines += block[i] == '\n';
		last = block[n - 1];
	}
	*torn = last != '\n';
	return n < 0 ? -1 : lines + *torn;
}

int
replay_record(const char *file, struct normal *t, jv request, jv answer)
{
	int fd = open(file, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	struct buf b = BUF_INIT;
	int rc = -1, torn = 0, saved;
	long lines;
	jv line;

	if (fd < 0)
		return -1;
	if (lock(fd) == 0 && (lines = count_lines(fd, &torn)) >= 0) {
		line = jvx_put_num(jv_object(), "seq", (double)lines + 1);
		line = jvx_set(line, "request", jv_copy(request));
		line = jvx_set(
		    line, "response", each(jv_copy(answer), normal_known, t));
		if (torn)
			buf_chr(&b, '\n');
		jvx_add(&b, line);
		buf_chr(&b, '\n');
		jv_free(line);
		rc = write_all(fd, b.s, b.len);
	}
	saved = errno;
	buf_free(&b);
	if (close(fd) != 0 && rc == 0)
		return -1;
	errno = saved;
	return rc;
}

/* --- replaying --- */

/* One exchange of a recording that was asked for, or came nearest. */
struct found {
	jv fresh, again; /* the answer: not yet handed out; handed out before */
	jv near;         /* the nearest request */
	size_t near_score;
	long line; /* of the recording */
};

static size_t
common(const char *a, const char *b)
{
	size_t i = 0;

	while (a[i] != '\0' && a[i] == b[i])
		i++;
	return i;
}

static char *
text_of(jv v)
{
	struct buf b = BUF_INIT;

	jvx_add_sorted(&b, v);
	return buf_take(&b);
}

static char *
nth(jv messages, int i)
{
	struct buf b = BUF_INIT;
	jv m = jv_null();

	if (jv_get_kind(messages) == JV_KIND_ARRAY &&
	    i < jv_array_length(jv_copy(messages)))
		m = jv_array_get(jv_copy(messages), i);
	if (jv_is_valid(m) && jv_get_kind(m) != JV_KIND_NULL)
		jvx_add_sorted(&b, m);
	jv_free(m);
	return buf_take(&b);
}

/* How many messages agree, then how much of the next; *first is that one. */
static size_t
score(jv want, jv got, int *first)
{
	jv a = jvx_get(want, "messages"), b = jvx_get(got, "messages");
	size_t points = 0;

	for (*first = 0;; ++*first) {
		char *x = nth(a, *first), *y = nth(b, *first);
		size_t same = common(x, y);
		int equal = x[same] == y[same], over = x[0] == '\0';

		free(x);
		free(y);
		points += same < (1 << 20) ? same : (1 << 20);
		if (!equal || over)
			break;
		points += 1 << 20;
	}
	jv_free(a);
	jv_free(b);
	return points;
}

static void
excerpt(struct buf *diff, const char *what, const char *s, size_t at)
{
	size_t from = at > 60 ? at - 60 : 0, n = strlen(s), to = at + 60;

	/* Not within a character of several bytes. */
	while (from > 0 && ((unsigned char)s[from] & 0xc0) == 0x80)
		from--;
	if (to > n)
		to = n;
	while (to < n && ((unsigned char)s[to] & 0xc0) == 0x80)
		to++;
	buf_fmt(diff, "%s: %s%.*s[here]%.*s%s\n", what, from > 0 ? "..." : "",
	    (int)(at - from), s + from, (int)(to - at), s + at,
	    to < n         ? "..."
	    : s[0] == '\0' ? "(no more messages)"
			   : "");
}

static void
difference(struct buf *diff, const struct found *near, jv request)
{
	int first = 0;
	jv a, b;
	char *x, *y;
	size_t at;

	score(near->near, request, &first);
	a = jvx_get(near->near, "messages");
	b = jvx_get(request, "messages");
	x = nth(a, first);
	y = nth(b, first);
	if (x[0] == '\0' && y[0] == '\0') {
		jv_free(a);
		jv_free(b);
		free(x);
		free(y);
		a = jvx_get(near->near, "tools");
		b = jvx_get(request, "tools");
		x = text_of(a);
		y = text_of(b);
		buf_fmt(diff, "line %ld is the nearest; the tools differ\n",
		    near->line);
	} else
		buf_fmt(diff, "line %ld is the nearest; message %d differs\n",
		    near->line, first + 1);
	at = common(x, y);
	while (at > 0 && ((unsigned char)x[at] & 0xc0) == 0x80)
		at--;
	excerpt(diff, "recorded", x, at);
	excerpt(diff, "asked", y, at);
	free(x);
	free(y);
	jv_free(a);
	jv_free(b);
}

static void
same_request(
    struct found *f, jv line, long no, const char *want, const char *used)
{
	jv req = jvx_get(line, "request"), *slot;
	char *text = text_of(req), mark[32];

	if (strcmp(text, want) == 0) {
		snprintf(mark, sizeof(mark), "\n%ld\n", no);
		slot = strstr(used, mark) == NULL ? &f->fresh : &f->again;
		jv_free(*slot);
		*slot = jvx_get(line, "response");
		f->line = no;
	}
	free(text);
	jv_free(req);
}

static void
nearer_request(struct found *f, jv line, long no, jv request)
{
	jv req = jvx_get(line, "request");
	int first;
	size_t points = score(req, request, &first);

	if (!jv_is_valid(f->near) || points > f->near_score) {
		jv_free(f->near);
		f->near = jv_copy(req);
		f->line = no;
		f->near_score = points;
	}
	jv_free(req);
}

/* All exchanges in order, until a fresh answer is found.  used NULL: looks
 * for the nearest instead.  A last line without an end whose writer was killed
 * is no JSON and does not count. */
static void
look(struct found *f, const char *all, const char *want, jv request,
    const char *used)
{
	const char *p = all, *end;

	for (long no = 1; *p != '\0' && !jv_is_valid(f->fresh); no++) {
		jv line;

		end = strchrnul(p, '\n');
		line = jvx_parse(p, (size_t)(end - p));
		p = *end != '\0' ? end + 1 : end;
		if (jvx_kind(line, "response") == JV_KIND_OBJECT) {
			if (used != NULL)
				same_request(f, line, no, want, used);
			else
				nearer_request(f, line, no, request);
		}
		jv_free(line);
	}
}

/* The side file, locked; -1: nothing can be noted. */
static int
side_file(const char *file, struct buf *used)
{
	const char *name = getenv("TERA_REPLAY_STATE");
	char *own = NULL;
	int fd;

	if (name == NULL || name[0] == '\0')
		name = own = xasprintf("%s.used", file);
	fd = open(name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	free(own);
	buf_chr(used, '\n');
	if (fd >= 0 && lock(fd) == 0)
		buf_read(used, fd, 1 << 24);
	buf_chr(used, '\n');
	return fd;
}

static void
note_used(int fd, long line)
{
	char mark[32];
	int n = snprintf(mark, sizeof(mark), "\n%ld\n", line);

	if (fd >= 0 && write_all(fd, mark, (size_t)n) != 0)
		warn("noting what was replayed:");
}

jv
replay_answer(const char *file, const struct normal *t, jv request,
    struct buf *diff, struct fault *fault)
{
	struct found f = { .fresh = jv_invalid(),
		.again = jv_invalid(),
		.near = jv_invalid() };
	struct buf all = BUF_INIT, used = BUF_INIT;
	char *want = text_of(request);
	struct normal copy = *t; /* each() takes a table that may grow */
	jv out = jv_invalid();
	int fd;

	if (buf_file(&all, file, RECORDING_MAX) != 0) {
		fail(fault, EX_NOINPUT, "recording %s:", file);
		goto out;
	}
	fd = side_file(file, &used);
	look(&f, buf_text(&all), want, request, buf_text(&used));
	if (jv_is_valid(f.fresh)) {
		note_used(fd, f.line);
		out = each(jv_copy(f.fresh), back, &copy);
	} else if (jv_is_valid(f.again))
		out = each(jv_copy(f.again), back, &copy);
	else {
		fail(fault, EX_DATAERR, "%s has no answer to this", file);
		look(&f, buf_text(&all), want, request, NULL);
		if (jv_is_valid(f.near))
			difference(diff, &f, request);
	}
	if (fd >= 0)
		close(fd);
out:
	jv_free(f.fresh);
	jv_free(f.again);
	jv_free(f.near);
	buf_free(&all);
	buf_free(&used);
	free(want);
	return out;
}
