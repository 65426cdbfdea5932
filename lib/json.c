/* See json.h. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "jscan.h"
#include "json.h"

/* --- writing --- */

/* Length of the well-formed UTF-8 sequence at s, 0 when there is none. */
static size_t
sequence(const unsigned char *s, size_t n)
{
	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		return n >= 2 && (s[1] & 0xc0) == 0x80 ? 2 : 0;
	if (s[0] >= 0xe0 && s[0] <= 0xef) {
		if (n < 3 || (s[1] & 0xc0) != 0x80 || (s[2] & 0xc0) != 0x80)
			return 0;
		if (s[0] == 0xe0 && s[1] < 0xa0) /* overlong */
			return 0;
		if (s[0] == 0xed && s[1] > 0x9f) /* surrogates */
			return 0;
		return 3;
	}
	if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		if (n < 4 || (s[1] & 0xc0) != 0x80 || (s[2] & 0xc0) != 0x80 ||
		    (s[3] & 0xc0) != 0x80)
			return 0;
		if (s[0] == 0xf0 && s[1] < 0x90)
			return 0;
		if (s[0] == 0xf4 && s[1] > 0x8f) /* past U+10FFFF */
			return 0;
		return 4;
	}
	return 0;
}

#define EACH(c) (0x0101010101010101u * (c))

/* Do eight bytes stand for themselves in a string?  The high bit of a sum below
 * is set where a byte does not; a borrow or carry comes only from such a one.
 */
static inline bool
plain8(const unsigned char *p)
{
	uint64_t w, odd;

	memcpy(&w, p, sizeof(w));
	odd = w | (w - EACH(0x20)) | (w + EACH(1)) /* 0x7f */ |
	      ((w ^ EACH('"')) - EACH(1)) | ((w ^ EACH('\\')) - EACH(1));
	return (odd & EACH(0x80)) == 0;
}

/* How many of the bytes do? */
static size_t
plain(const unsigned char *p, size_t n)
{
	size_t i = 0;

	while (n - i >= 8 && plain8(p + i))
		i += 8;
	if (n >= 8 && n - i < 8 && plain8(p + n - 8))
		return n;
	while (
	    i < n && p[i] >= 0x20 && p[i] < 0x7f && p[i] != '"' && p[i] != '\\')
		i++;
	return i;
}

void
json_quote(struct buf *b, const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	char *to = buf_room(b, n + 2);
	size_t i = plain(p, n), len;

	*to++ = '"';
	memcpy(to, s, i);
	b->len += i + 1;
	for (; i < n; i++) {
		size_t same = plain(p + i, n - i);

		buf_add(b, s + i, same);
		i += same;
		if (i == n)
			break;
		switch (p[i]) {
		case '"': buf_str(b, "\\\""); break;
		case '\\': buf_str(b, "\\\\"); break;
		case '\n': buf_str(b, "\\n"); break;
		case '\r': buf_str(b, "\\r"); break;
		case '\t': buf_str(b, "\\t"); break;
		default:
			if (p[i] < 0x20 || p[i] == 0x7f) {
				buf_fmt(b, "\\u%04x", p[i]);
				break;
			}
			len = sequence(p + i, n - i);
			if (len == 0)
				buf_str(b, "\xef\xbf\xbd");
			else
				buf_add(b, s + i, len);
			i += len > 0 ? len - 1 : 0;
		}
	}
	buf_chr(b, '"');
}

static void
key(struct buf *b, const char *name)
{
	buf_chr(b, b->len == 0 ? '{' : ',');
	json_quote(b, name, strlen(name));
	buf_chr(b, ':');
}

void
json_addn(struct buf *b, const char *name, const char *value, size_t n)
{
	key(b, name);
	if (value == NULL)
		buf_str(b, "null");
	else
		json_quote(b, value, n);
}

void
json_add(struct buf *b, const char *name, const char *value)
{
	json_addn(b, name, value, value != NULL ? strlen(value) : 0);
}

void
json_add_int(struct buf *b, const char *name, long long value)
{
	key(b, name);
	buf_fmt(b, "%lld", value);
}

void
json_add_real(struct buf *b, const char *name, double value)
{
	key(b, name);
	if (isfinite(value))
		buf_fmt(b, "%.12g", value);
	else
		buf_str(b, "null");
}

void
json_add_bool(struct buf *b, const char *name, bool value)
{
	key(b, name);
	buf_str(b, value ? "true" : "false");
}

void
json_add_raw(struct buf *b, const char *name, const char *value)
{
	key(b, name);
	buf_str(b, value);
}

const char *
json_end(struct buf *b)
{
	buf_str(b, b->len == 0 ? "{}" : "}");
	return b->s;
}

/* --- reading --- */

/* Its text: a string's own, 1 and 0 for true and false, a number as it is
 * written, an object or a list as JSON. */
static char *
text_of(struct slice v)
{
	struct buf b = BUF_INIT;

	switch (*v.s) {
	case 'n': return NULL;
	case 't': return xstrdup("1");
	case 'f': return xstrdup("0");
	case '"': jscan_text(&b, v); break;
	default: jscan_copy(&b, v);
	}
	buf_str(&b, ""); /* there, even when empty */
	return buf_take(&b);
}

char *
json_get(const char *rec, const char *path)
{
	struct slice v;

	return jscan_find(rec, path, &v) ? text_of(v) : NULL;
}

char *
json_raw(const char *rec, const char *path)
{
	struct buf b = BUF_INIT;
	struct slice v;

	if (!jscan_find(rec, path, &v))
		return NULL;
	jscan_copy(&b, v);
	return buf_take(&b);
}

long long
json_int(const char *rec, const char *path, long long absent)
{
	char *text = json_get(rec, path);
	double d;

	if (text == NULL)
		return absent;
	errno = 0;
	absent = strtoll(text, NULL, 10);
	if (text[strspn(text, "-0123456789")] != '\0') {
		d = strtod(text, NULL);
		if (d >= -9.2e18 && d <= 9.2e18)
			absent = (long long)d;
	}
	free(text);
	return absent;
}

double
json_real(const char *rec, const char *path, double absent)
{
	char *text = json_get(rec, path);

	if (text == NULL)
		return absent;
	absent = strtod(text, NULL);
	free(text);
	return absent;
}

const char *
json_type(const char *rec, const char *path)
{
	struct slice v;

	return jscan_find(rec, path, &v) ? jscan_type(v) : "";
}

bool
json_true(const char *rec, const char *path)
{
	return strcmp(json_type(rec, path), "true") == 0;
}

/* --- records in, records out --- */

struct member {
	struct slice key, value;
};

/* All members of the object, in an array that the caller frees. */
static struct member *
members(const char *rec, size_t *n)
{
	struct slice whole = { rec, strlen(rec) };
	struct member *list = NULL, m;
	const char *at = NULL;
	size_t room = 0;

	*n = 0;
	while (jscan_member(whole, &at, &m.key, &m.value)) {
		if (*n == room) {
			room = room != 0 ? 2 * room : 32;
			list = xrealloc(list, room * sizeof(*list));
		}
		list[(*n)++] = m;
	}
	return list;
}

/* Appends a member to the object in b. */
static void
put(struct buf *b, const struct member *m)
{
	buf_chr(b, b->len == 0 ? '{' : ',');
	jscan_copy(b, m->key);
	buf_chr(b, ':');
	jscan_copy(b, m->value);
}

/* By the key, and those of one key as they came. */
static int
by_key(const void *a, const void *b)
{
	const struct member *const *x = a, *const *y = b;
	int rc = jscan_order((*x)->key, (*y)->key);

	return rc != 0 ? rc : *x < *y ? -1 : *x > *y;
}

/* Of members with the same key only the first or the last keeps its value. */
static void
single(struct member *list, size_t n, bool last)
{
	struct member **order = xmalloc((n + 1) * sizeof(*order));

	for (size_t i = 0; i < n; i++)
		order[i] = &list[i];
	qsort(order, n, sizeof(*order), by_key);
	if (last)
		for (size_t i = 0; i + 1 < n; i++) {
			if (jscan_same(order[i]->key, order[i + 1]->key))
				order[i]->value.s = NULL;
		}
	else
		for (size_t i = n; i-- > 1;)
			if (jscan_same(order[i]->key, order[i - 1]->key))
				order[i]->value.s = NULL;
	free(order);
}

/* The one of that key that has a value, NULL when there is none. */
static const struct member *
find(const struct member *list, size_t n, struct slice name)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].value.s != NULL && jscan_same(list[i].key, name))
			return &list[i];
	return NULL;
}

char *
json_merge(const char *rec, const char *with)
{
	struct buf b = BUF_INIT;
	size_t n, k;
	struct member *old = members(rec, &n), *new = members(with, &k);

	single(new, k, true);
	for (size_t i = 0; i < n; i++) {
		const struct member *m = find(new, k, old[i].key);

		put(&b, m != NULL ? m : &old[i]);
	}
	for (size_t i = 0; i < k; i++)
		if (new[i].value.s != NULL && find(old, n, new[i].key) == NULL)
			put(&b, &new[i]);
	json_end(&b);
	free(old);
	free(new);
	return buf_take(&b);
}

/* Appends it without escapes that it does not need. */
static void
put_tidy(struct buf *b, const struct member *m)
{
	struct buf t = BUF_INIT;

	jscan_text(&t, m->key);
	key(b, buf_text(&t));
	buf_clear(&t);
	if (*m->value.s == '"') {
		jscan_text(&t, m->value);
		json_quote(b, buf_text(&t), t.len);
	} else if (strcmp(jscan_type(m->value), "real") == 0 ||
		   strcmp(jscan_type(m->value), "integer") == 0) {
		jscan_copy(&t, m->value);
		/* what no double holds is no number to other readers */
		buf_str(b, isfinite(strtod(t.s, NULL)) ? t.s : "null");
	} else
		jscan_copy(b, m->value);
	buf_free(&t);
}

char *
json_tidy(const char *rec)
{
	struct buf b = BUF_INIT;
	size_t n;
	struct member *list = members(rec, &n);

	single(list, n, false);
	for (size_t i = 0; i < n; i++)
		if (list[i].value.s != NULL)
			put_tidy(&b, &list[i]);
	json_end(&b);
	free(list);
	return buf_take(&b);
}

char *
json_remove(const char *rec, const char *name)
{
	struct buf b = BUF_INIT, quoted = BUF_INIT;
	size_t n;
	struct member *list = members(rec, &n);

	json_quote(&quoted, name, strlen(name));
	for (size_t i = 0; i < n; i++)
		if (!jscan_same(
			list[i].key, (struct slice){ quoted.s, quoted.len }))
			put(&b, &list[i]);
	json_end(&b);
	buf_free(&quoted);
	free(list);
	return buf_take(&b);
}

char *
json_error(const char *rec, const char *stage, int code, const char *msg)
{
	struct buf e = BUF_INIT, with = BUF_INIT;
	char *sum;

	json_add(&e, "stage", stage);
	json_add_int(&e, "code", code);
	json_add(&e, "message", msg);
	json_add_raw(&with, "error", json_end(&e));
	sum = json_merge(rec, json_end(&with));
	buf_free(&e);
	buf_free(&with);
	return sum;
}

/* --- checking --- */

bool
json_utf8(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;

	for (size_t i = 0; i < n;) {
		size_t len = p[i] == '\0' ? 0 : sequence(p + i, n - i);

		if (len == 0)
			return false;
		i += len;
	}
	return true;
}

static int
well_formed(const char *s, size_t n, bool object, struct fault *f)
{
	if (n > JSON_LINE_MAX)
		return fail(
		    f, EX_DATAERR, "longer than %d bytes", JSON_LINE_MAX);
	if (memchr(s, '\0', n) != NULL)
		return fail(f, EX_DATAERR, "holds a NUL byte");
	if (!json_utf8(s, n))
		return fail(f, EX_DATAERR, "not UTF-8");
	switch (jscan_check(s, n, JSON_DEPTH_MAX)) {
	case JSCAN_OK: break;
	case JSCAN_DEEP:
		return fail(
		    f, EX_DATAERR, "nested deeper than %d", JSON_DEPTH_MAX);
	case JSCAN_HALF_PAIR:
		return fail(f, EX_DATAERR, "holds half a surrogate pair");
	default: return fail(f, EX_DATAERR, "not JSON");
	}
	if (object && s[strspn(s, " \t\n\r")] != '{')
		return fail(f, EX_DATAERR, "not a JSON object");
	return 0;
}

int
json_check(const char *s, size_t n, struct fault *f)
{
	return well_formed(s, n, true, f);
}

int
json_operand(struct buf *b, const char *arg, struct fault *f)
{
	size_t len = 0;
	char name[64];
	const char *rest;

	while (isalnum((unsigned char)arg[len]) || arg[len] == '_')
		len++;
	rest = arg + len;
	if (len == 0 || len >= sizeof(name) || isdigit((unsigned char)*arg) ||
	    (*rest != '=' && *rest != '@' &&
		!(rest[0] == ':' && rest[1] == '=')))
		return fail(f, EX_USAGE,
		    "%.60s: want key=text, key:=json or key@file", arg);
	memcpy(name, arg, len);
	name[len] = '\0';
	if (*rest == '=') {
		if (!json_utf8(rest + 1, strlen(rest + 1)))
			return fail(f, EX_DATAERR, "%s: not UTF-8", name);
		json_add(b, name, rest + 1);
	} else if (*rest == ':') {
		struct fault why;

		if (well_formed(rest + 2, strlen(rest + 2), false, &why) != 0)
			return fail(f, EX_DATAERR, "%s: %s", name, why.msg);
		json_add_raw(b, name, rest + 2);
	} else {
		struct buf text = BUF_INIT;
		int rc = buf_file(&text, rest + 1, JSON_LINE_MAX), code = 0;

		if (rc < 0)
			code = fail(f, EX_NOINPUT, "%s:", rest + 1);
		else if (rc > 0)
			code = fail(f, EX_DATAERR, "%s: longer than %d bytes",
			    rest + 1, JSON_LINE_MAX);
		else if (!json_utf8(buf_text(&text), text.len))
			code = fail(f, EX_DATAERR, "%s: not UTF-8", rest + 1);
		else
			json_addn(b, name, buf_text(&text), text.len);
		buf_free(&text);
		return code;
	}
	return 0;
}

/* --- lines --- */

/* More into l->in, behind what is there.  0 at the end, -1 trouble. */
static ssize_t
refill(struct json_lines *l)
{
	ssize_t n;

	if (l->pos > 0)
		memmove(l->in, l->in + l->pos, l->end - l->pos);
	l->end -= l->pos;
	l->pos = 0;
	do
		n = read(fileno(l->fp), l->in + l->end, sizeof(l->in) - l->end);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		l->end += (size_t)n;
	else if (n == 0)
		l->ended = true;
	else
		l->failed = true;
	return n;
}

/* The next byte, EOF at the end or when reading failed. */
static int
next_byte(struct json_lines *l)
{
	if (l->pos == l->end && (l->ended || refill(l) <= 0))
		return EOF;
	return (unsigned char)l->in[l->pos++];
}

bool
json_ready(struct json_lines *l)
{
	while (l->fp != NULL && !l->ended && !l->failed) {
		struct pollfd p = { fileno(l->fp), POLLIN, 0 };

		if (memchr(l->in + l->pos, '\n', l->end - l->pos) != NULL)
			return true;
		/* a line that is longer than the buffer, or only begun */
		if (l->end - l->pos == sizeof(l->in) || poll(&p, 1, 0) <= 0)
			return false;
		refill(l);
	}
	return l->fp != NULL;
}

/* One line into l->line.  1 read, 0 end, -1 too long. */
static int
line(struct json_lines *l, struct fault *f)
{
	int c;
	bool long_line = false, any = false;

	buf_clear(&l->line);
	while ((c = next_byte(l)) != EOF) {
		any = true;
		if (c == '\n')
			break;
		if (l->line.len < JSON_LINE_MAX)
			buf_chr(&l->line, (char)c);
		else
			long_line = true;
	}
	if (l->failed) {
		fail(f, EX_IOERR, "standard input:");
		l->fp = NULL;
		return -1;
	}
	if (!any)
		return 0;
	l->no++;
	if (l->line.len > 0 && l->line.s[l->line.len - 1] == '\r')
		l->line.s[--l->line.len] = '\0';
	if (long_line) {
		fail(f, EX_DATAERR, "line %ld: longer than %d bytes", l->no,
		    JSON_LINE_MAX);
		return -1;
	}
	return 1;
}

static bool
blank(const struct buf *b)
{
	return strspn(buf_text(b), " \t") == b->len;
}

int
json_next_line(struct json_lines *l, struct fault *f)
{
	int rc;

	if (l->fp == NULL)
		return 0;
	do
		rc = line(l, f);
	while (rc == 1 && blank(&l->line));
	if (rc != 1)
		return rc;
	if (!json_utf8(l->line.s, l->line.len)) {
		fail(f, EX_DATAERR, "line %ld: %s", l->no,
		    memchr(l->line.s, '\0', l->line.len) != NULL
			? "holds a NUL byte"
			: "not UTF-8");
		return -1;
	}
	return 1;
}

int
json_next(struct json_lines *l, struct fault *f)
{
	struct fault why;
	int rc = json_next_line(l, f);

	if (rc != 1)
		return rc;
	if (json_check(l->line.s, l->line.len, &why) != 0) {
		fail(f, EX_DATAERR, "line %ld: %s", l->no, why.msg);
		return -1;
	}
	return 1;
}

void
json_lines_free(struct json_lines *l)
{
	buf_free(&l->line);
}
