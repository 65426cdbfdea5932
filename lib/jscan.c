/* See jscan.h. */
#include <stdlib.h>
#include <string.h>

#include "jscan.h"

/* Where we are in a text that ends at end. */
struct at {
	const char *s, *end;
	int left; /* levels */
	enum jscan_fault fault;
};

static char
peek(const struct at *a)
{
	return a->s < a->end ? *a->s : '\0';
}

static void
blanks(struct at *a)
{
	while (a->s < a->end && (*a->s == ' ' || *a->s == '\t' ||
				    *a->s == '\n' || *a->s == '\r'))
		a->s++;
}

/* Takes the character when it is the next one. */
static bool
take(struct at *a, char c)
{
	if (a->s == a->end || *a->s != c)
		return false;
	a->s++;
	return true;
}

static bool
bad(struct at *a, enum jscan_fault fault)
{
	if (a->fault == JSCAN_OK)
		a->fault = fault;
	return false;
}

/* --- strings --- */

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The code unit of a \uXXXX at s, or -1. */
static int
unit(const char *s, const char *end)
{
	int u = 0;

	if (end - s < 6 || s[0] != '\\' || s[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		if (hex(s[i]) < 0)
			return -1;
		u = u * 16 + hex(s[i]);
	}
	return u;
}

static bool
is_high(int u)
{
	return u >= 0xd800 && u <= 0xdbff;
}

static bool
is_low(int u)
{
	return u >= 0xdc00 && u <= 0xdfff;
}

/* Behind the backslash sequence at a->s. */
static bool
escape(struct at *a)
{
	int u;

	if (a->end - a->s < 2)
		return bad(a, JSCAN_NOT_JSON);
	if (a->s[1] != 'u') {
		if (strchr("\"\\/bfnrt", a->s[1]) == NULL)
			return bad(a, JSCAN_NOT_JSON);
		a->s += 2;
		return true;
	}
	u = unit(a->s, a->end);
	if (u < 0)
		return bad(a, JSCAN_NOT_JSON);
	a->s += 6;
	if (is_high(u)) {
		if (!is_low(unit(a->s, a->end)))
			return bad(a, JSCAN_HALF_PAIR);
		a->s += 6;
	} else if (is_low(u))
		return bad(a, JSCAN_HALF_PAIR);
	return true;
}

/* Behind the string at a->s. */
static bool
string(struct at *a)
{
	if (!take(a, '"'))
		return bad(a, JSCAN_NOT_JSON);
	while (a->s < a->end) {
		if (*a->s == '"') {
			a->s++;
			return true;
		}
		if (*a->s == '\\') {
			if (!escape(a))
				return false;
		} else if ((unsigned char)*a->s < 0x20)
			return bad(a, JSCAN_NOT_JSON);
		else
			a->s++;
	}
	return bad(a, JSCAN_NOT_JSON);
}

/* --- values --- */

static size_t
digits(struct at *a)
{
	const char *from = a->s;

	while (a->s < a->end && *a->s >= '0' && *a->s <= '9')
		a->s++;
	return (size_t)(a->s - from);
}

static bool
number(struct at *a)
{
	take(a, '-');
	if (!take(a, '0') && digits(a) == 0)
		return bad(a, JSCAN_NOT_JSON);
	if (take(a, '.') && digits(a) == 0)
		return bad(a, JSCAN_NOT_JSON);
	if (take(a, 'e') || take(a, 'E')) {
		if (!take(a, '+'))
			take(a, '-');
		if (digits(a) == 0)
			return bad(a, JSCAN_NOT_JSON);
	}
	return true;
}

static bool
word(struct at *a, const char *w)
{
	size_t n = strlen(w);

	if ((size_t)(a->end - a->s) < n || memcmp(a->s, w, n) != 0)
		return bad(a, JSCAN_NOT_JSON);
	a->s += n;
	return true;
}

static bool value(struct at *a);

/* Behind the object or list at a->s. */
static bool
container(struct at *a)
{
	bool object = *a->s == '{';
	char close = object ? '}' : ']';

	if (a->left-- == 0)
		return bad(a, JSCAN_DEEP);
	a->s++;
	blanks(a);
	if (!take(a, close)) {
		do {
			blanks(a);
			if (object) {
				if (!string(a))
					return false;
				blanks(a);
				if (!take(a, ':'))
					return bad(a, JSCAN_NOT_JSON);
				blanks(a);
			}
			if (!value(a))
				return false;
			blanks(a);
		} while (take(a, ','));
		if (!take(a, close))
			return bad(a, JSCAN_NOT_JSON);
	}
	a->left++;
	return true;
}

/* Behind the value at a->s. */
static bool
value(struct at *a)
{
	switch (peek(a)) {
	case '{':
	case '[': return container(a);
	case '"': return string(a);
	case 't': return word(a, "true");
	case 'f': return word(a, "false");
	case 'n': return word(a, "null");
	default: return number(a);
	}
}

enum jscan_fault
jscan_check(const char *s, size_t n, int depth)
{
	struct at a = { s, s + n, depth, JSCAN_OK };

	blanks(&a);
	if (!value(&a))
		return a.fault;
	blanks(&a);
	return a.s == a.end ? JSCAN_OK : JSCAN_NOT_JSON;
}

/* --- looking --- */

#define DEEPEST 512 /* of what nobody checked: a bound for the stack */

bool
jscan_member(
    struct slice object, const char **at, struct slice *key, struct slice *v)
{
	struct at a = { object.s, object.s + object.n, DEEPEST, JSCAN_OK };

	if (*at == NULL) {
		blanks(&a);
		if (!take(&a, '{'))
			return false;
		blanks(&a);
	} else {
		a.s = *at;
		blanks(&a);
		if (!take(&a, ','))
			return false;
		blanks(&a);
	}
	key->s = a.s;
	if (!string(&a))
		return false;
	key->n = (size_t)(a.s - key->s);
	blanks(&a);
	if (!take(&a, ':'))
		return false;
	blanks(&a);
	v->s = a.s;
	if (!value(&a))
		return false;
	v->n = (size_t)(a.s - v->s);
	*at = a.s;
	return true;
}

bool
jscan_element(struct slice array, const char **at, struct slice *v)
{
	struct at a = { *at != NULL ? *at : array.s, array.s + array.n, DEEPEST,
		JSCAN_OK };

	blanks(&a);
	if (!take(&a, *at != NULL ? ',' : '['))
		return false;
	blanks(&a);
	v->s = a.s;
	if (!value(&a))
		return false;
	v->n = (size_t)(a.s - v->s);
	*at = a.s;
	return true;
}

bool
jscan_ended(struct slice object, const char *at)
{
	struct at a = { at != NULL ? at : object.s, object.s + object.n, 0,
		JSCAN_OK };

	blanks(&a);
	if (at == NULL) { /* it may be an empty one */
		if (!take(&a, '{'))
			return false;
		blanks(&a);
	}
	if (!take(&a, '}'))
		return false;
	blanks(&a);
	return a.s == a.end;
}

/* The n-th element of a list; n < 0: counted from the end. */
static bool
element(struct slice list, long n, struct slice *v)
{
	struct at a = { list.s, list.s + list.n, DEEPEST, JSCAN_OK };
	long count = 0;

	for (int pass = n < 0 ? 0 : 1; pass < 2; pass++) {
		long i = 0;

		a.s = list.s;
		blanks(&a);
		if (!take(&a, '['))
			return false;
		blanks(&a);
		if (peek(&a) == ']')
			return false;
		do {
			blanks(&a);
			v->s = a.s;
			if (!value(&a))
				return false;
			v->n = (size_t)(a.s - v->s);
			if (pass == 1 && i == n + (n < 0 ? count : 0))
				return true;
			i++;
			blanks(&a);
		} while (take(&a, ','));
		count = i;
	}
	return false;
}

/* The text of a string, in place where it has no escapes. */
static struct slice
plain(struct slice string_, struct buf *b)
{
	struct slice t = { string_.s + 1, string_.n - 2 };

	if (memchr(t.s, '\\', t.n) == NULL)
		return t;
	jscan_text(b, string_);
	return (struct slice){ buf_text(b), b->len };
}

static bool
named(struct slice object, struct slice name, struct slice *v)
{
	const char *at = NULL;
	struct slice key;

	while (jscan_member(object, &at, &key, v)) {
		struct buf b = BUF_INIT;
		struct slice t = plain(key, &b);
		bool same = t.n == name.n && memcmp(t.s, name.s, t.n) == 0;

		buf_free(&b);
		if (same)
			return true;
	}
	return false;
}

bool
jscan_find(const char *text, const char *path, struct slice *v)
{
	struct at a = { text, text + strlen(text), DEEPEST, JSCAN_OK };

	blanks(&a);
	v->s = a.s;
	if (*path++ != '$' || !value(&a))
		return false;
	v->n = (size_t)(a.s - v->s);
	while (*path != '\0') {
		struct slice in = *v, name;

		if (*path == '.') {
			bool quoted = *++path == '"';

			name.s = path += quoted;
			name.n = strcspn(path, quoted ? "\"" : ".[");
			path += name.n;
			if (name.n == 0 || (quoted && *path++ != '"') ||
			    !named(in, name, v))
				return false;
		} else if (*path == '[') {
			bool end = *++path == '#';
			char *rest;
			long n;

			path += end;
			if (end ? *path != '-' : *path < '0' || *path > '9')
				return false;
			n = strtol(path, &rest, 10);
			if (rest == path || *rest != ']' || !element(in, n, v))
				return false;
			path = rest + 1;
		} else
			return false;
	}
	return true;
}

enum jscan_kind
jscan_kind(struct slice v)
{
	switch (v.n > 0 ? *v.s : 'n') {
	case '{': return JSCAN_OBJECT;
	case '[': return JSCAN_ARRAY;
	case '"': return JSCAN_TEXT;
	case 't': return JSCAN_TRUE;
	case 'f': return JSCAN_FALSE;
	case 'n': return JSCAN_NULL;
	default: break;
	}
	for (size_t i = 0; i < v.n; i++)
		if (strchr(".eE", v.s[i]) != NULL)
			return JSCAN_REAL;
	return JSCAN_INTEGER;
}

const char *
jscan_type(struct slice v)
{
	static const char *const names[] = { "null", "false", "true", "integer",
		"real", "text", "array", "object" };

	return names[jscan_kind(v)];
}

int
jscan_order(struct slice x, struct slice y)
{
	struct buf bx = BUF_INIT, by = BUF_INIT;
	struct slice a = plain(x, &bx), b = plain(y, &by);
	int rc = memcmp(a.s, b.s, a.n < b.n ? a.n : b.n);

	if (rc == 0)
		rc = a.n < b.n ? -1 : a.n > b.n;
	buf_free(&bx);
	buf_free(&by);
	return rc;
}

bool
jscan_same(struct slice x, struct slice y)
{
	if (x.n == y.n && memcmp(x.s, y.s, x.n) == 0)
		return true;
	return (memchr(x.s, '\\', x.n) != NULL ||
		   memchr(y.s, '\\', y.n) != NULL) &&
	       jscan_order(x, y) == 0;
}

/* --- writing --- */

/* Appends a code point as UTF-8. */
static void
utf8(struct buf *b, unsigned u)
{
	char s[4];
	size_t n = 0;

	if (u < 0x80) {
		s[n++] = (char)u;
	} else if (u < 0x800) {
		s[n++] = (char)(0xc0 | u >> 6);
		s[n++] = (char)(0x80 | (u & 0x3f));
	} else if (u < 0x10000) {
		s[n++] = (char)(0xe0 | u >> 12);
		s[n++] = (char)(0x80 | (u >> 6 & 0x3f));
		s[n++] = (char)(0x80 | (u & 0x3f));
	} else {
		s[n++] = (char)(0xf0 | u >> 18);
		s[n++] = (char)(0x80 | (u >> 12 & 0x3f));
		s[n++] = (char)(0x80 | (u >> 6 & 0x3f));
		s[n++] = (char)(0x80 | (u & 0x3f));
	}
	buf_add(b, s, n);
}

void
jscan_text(struct buf *b, struct slice v)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *s = v.s + 1, *end = v.s + v.n - 1;

	while (s < end) {
		const char *esc = memchr(s, '\\', (size_t)(end - s));
		const char *p;
		int u, low;

		buf_add(b, s, (size_t)((esc != NULL ? esc : end) - s));
		if (esc == NULL || end - esc < 2)
			break;
		s = esc;
		u = unit(s, end);
		if (u < 0) {
			p = strchr(from, s[1]);
			buf_chr(b, p != NULL ? to[p - from] : s[1]);
			s += 2;
			continue;
		}
		s += 6;
		if (is_high(u)) {
			low = unit(s, end);
			utf8(b, 0x10000 + ((unsigned)(u - 0xd800) << 10) +
				    (unsigned)(low - 0xdc00));
			s += 6;
		} else
			utf8(b, u == 0 ? 0xfffd : (unsigned)u);
	}
}

void
jscan_copy(struct buf *b, struct slice v)
{
	const char *s = v.s, *end = v.s + v.n;

	while (s < end) {
		const char *from = s;

		while (s < end && strchr(" \t\n\r\"", *s) == NULL)
			s++;
		if (s < end && *s == '"') {
			for (s++; s < end && *s != '"'; s++)
				s += *s == '\\' && s + 1 < end;
			s += s < end;
		}
		buf_add(b, from, (size_t)(s - from));
		while (s < end && strchr(" \t\n\r", *s) != NULL)
			s++;
	}
}
