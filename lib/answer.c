/* See answer.h. */
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "json.h"

/* The most rows that are asked for, -1: all, which is also what is no number:
 * the verb says what it thinks of that. */
long long
answer_page(const struct call *c)
{
	char *text = json_get(c->request, "$.limit"), *end;
	long long n = -1;

	if (text != NULL && *text != '\0') {
		n = strtoll(text, &end, 10);
		if (*end != '\0')
			n = -1;
		else if (n < 0 || n > LIST_MAX)
			n = LIST_MAX + 1;
	}
	free(text);
	return n;
}

/* The exit status of a verb as a status of HTTP. */
static int
status_of(int code)
{
	switch (code) {
	case EX_USAGE:
	case EX_DATAERR: return 400;
	case EX_NOINPUT: return 404;
	case EX_UNAVAILABLE: return 502;
	case EX_TEMPFAIL:
	case EX_NOPERM: /* the store is not ours to write */
	case EX_CONFIG:
	case EX_IOERR: return 503;
	default: return 500;
	}
}

/* The last row, or NULL. */
const char *
answer_last(const struct task *t)
{
	const char *row = NULL;

	for (size_t at = 0; at < t->text.len; at += strlen(row) + 1)
		row = t->text.s + at;
	return row;
}

void
answer_refusal(const struct call *c, struct resp *r, const struct task *t)
{
	struct buf text = BUF_INIT;
	const char *row = c->program != NULL ? answer_last(t) : NULL;
	char *all;

	r->status = status_of(t->rc);
	/* the remote does not let us, or could not be asked */
	if (c->program != NULL && t->rc == EX_NOPERM)
		r->status = 502;
	/* it, or what it was about, has changed meanwhile */
	if (t->stale || (row != NULL && t->rc == EX_DATAERR))
		r->status = 409;
	json_add(&text, "error", t->msg);
	json_add_int(&text, "code", t->rc);
	if (r->status == 502)
		json_add(&text, "detail", t->msg);
	json_end(&text);
	buf_free(&r->body);
	if (row != NULL) { /* such as the conflicts of a merge */
		all = json_merge(row, text.s);
		buf_str(&r->body, all);
		free(all);
	} else
		buf_str(&r->body, text.s);
	buf_chr(&r->body, '\n');
	buf_free(&text);
	r->type = "application/json";
}

/* The status that a row sets, and the rest of it; 0: none. */
int
answer_status(const char *row, const char **rest)
{
	static const char mark[] = "{\"http\":";
	char *end;
	long n;

	if (strncmp(row, mark, sizeof(mark) - 1) != 0)
		return 0;
	n = strtol(row + sizeof(mark) - 1, &end, 10);
	if (*end == ',')
		end++;
	*rest = end;
	return (int)n;
}

/* The query as it was, without the keys that say where a page begins. */
static void
same_query(struct buf *b, const char *query)
{
	static const char safe[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	    "-._~%=+!$'()*,:@/?";

	for (const char *p = query; *p != '\0'; p += *p == '&') {
		size_t n = strcspn(p, "&");

		if (n > 0 && strspn(p, safe) >= n &&
		    strncmp(p, "after=", 6) != 0 &&
		    strncmp(p, "since=", 6) != 0)
			buf_fmt(b, "%.*s&", (int)n, p);
		p += n;
	}
}

/* Where the next page is, when this one is full: a link relative to the
 * address that was asked, whatever a web server put before our path. */
static void
link_next(const struct call *c, const struct task *t, struct resp *r)
{
	long long limit = answer_page(c), at = -1;
	const char *row = answer_last(t), *key = "after";
	struct buf query = BUF_INIT;

	if (limit <= 0 || t->rows < limit || row == NULL)
		return;
	if (verb_key(c->verb, "after") != NULL)
		at = json_int(row, "$.number", -1);
	else if (verb_key(c->verb, key = "since") != NULL)
		at = json_int(row, "$.seq", -1);
	if (at < 0)
		return;
	same_query(&query, c->q->query);
	resp_head(
	    r, "Link", "<?%s%s=%lld>; rel=\"next\"", buf_text(&query), key, at);
	buf_free(&query);
}

static const char *
type_of(enum shape shape)
{
	switch (shape) {
	case SHAPE_LINES: return "application/x-ndjson";
	case SHAPE_TEXT: return "text/plain; version=0.0.4; charset=utf-8";
	default: return "application/json";
	}
}

static void
add_text(struct buf *b, const char *row)
{
	char *text = json_get(row, "$.text");

	buf_str(b, text != NULL ? text : "");
	buf_chr(b, '\n');
	free(text);
}

void
answer_rows(const struct call *c, const struct task *t, struct resp *r)
{
	const char *row = buf_text(&t->text), *end = row + t->text.len;
	enum shape shape = c->route->shape;
	bool lines = shape == SHAPE_LINES || shape == SHAPE_TEXT;

	r->status = c->route->status;
	/* what the answer shows is not older: a stream goes on from there */
	if (strcmp(c->route->method, "GET") == 0)
		resp_head(r, "Tera-Event", "%lld", c->event);
	r->type = type_of(shape);
	if (shape == SHAPE_LIST && c->verb != NULL)
		link_next(c, t, r);
	if (shape == SHAPE_LIST)
		buf_chr(&r->body, '[');
	for (int i = 0; row < end; row += strlen(row) + 1, i++) {
		const char *rest;
		int status = answer_status(row, &rest);

		if (shape == SHAPE_ONE && i < t->rows - 1)
			continue;
		if (shape == SHAPE_TEXT) {
			add_text(&r->body, row);
			continue;
		}
		if (shape == SHAPE_LIST && i > 0)
			buf_chr(&r->body, ',');
		if (status != 0) {
			r->status = status;
			buf_chr(&r->body, '{');
			row = rest;
		}
		buf_str(&r->body, row);
		if (shape == SHAPE_LINES)
			buf_chr(&r->body, '\n');
	}
	if (shape == SHAPE_LIST)
		buf_chr(&r->body, ']');
	if (!lines && r->body.len > 0)
		buf_chr(&r->body, '\n');
	if (shape == SHAPE_TEXT)
		buf_str(&r->body,
		    "# HELP tera_build_info The program that answers.\n"
		    "# TYPE tera_build_info gauge\n"
		    "tera_build_info{version=\"" TERA_VERSION "\"} 1\n");
	if (shape == SHAPE_ONE && r->body.len == 0)
		r->status = 204;
}
