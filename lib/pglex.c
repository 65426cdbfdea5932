/* See pglex.h. */
#include <string.h>
#include <strings.h>

#include "pglex.h"

long
pglex_line(struct pglex *r, const char *at)
{
	const char *nl;

	if (r->counted == NULL || at < r->counted) {
		r->counted = r->begin;
		r->line = 1;
	}
	while ((nl = memchr(r->counted, '\n', (size_t)(at - r->counted)))) {
		r->line++;
		r->counted = nl + 1;
	}
	return r->line;
}

static bool
in_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '$' || c == '.' ||
	       (unsigned char)c >= 0x80;
}

/* Up to behind the next c, or the end. */
const char *
pglex_behind(const char *s, const char *end, char c)
{
	const char *at = s < end ? memchr(s, c, (size_t)(end - s)) : NULL;

	return at != NULL ? at + 1 : end;
}

static bool
is_line(const char *s, size_t n, const char *text)
{
	while (n > 0 && (s[n - 1] == '\n' || s[n - 1] == '\r'))
		n--;
	return n == strlen(text) && memcmp(s, text, n) == 0;
}

/* A comment to the end of its line: two of pg_dump's say that it is whole. */
static void
remark(struct pglex *r)
{
	const char *s = r->s;

	r->s = pglex_behind(s, r->end, '\n');
	if (is_line(s, (size_t)(r->s - s), "-- PostgreSQL database dump"))
		r->begun++;
	if (is_line(
		s, (size_t)(r->s - s), "-- PostgreSQL database dump complete"))
		r->ended++;
}

/* A comment in slashes, which may hold others. */
static void
block(struct pglex *r)
{
	const char *s = r->s + 2, *from = r->s;
	int depth = 1;

	for (; depth > 0 && r->end - s >= 2; s++) {
		if (s[0] == '*' && s[1] == '/')
			depth--;
		else if (s[0] == '/' && s[1] == '*')
			depth++;
		else
			continue;
		s++;
	}
	if (depth > 0) {
		r->broken = from;
		s = r->end;
	}
	r->s = s;
}

/* What is in quotes: behind the closing one.  escapes: a backslash takes the
 * next character with it. */
static const char *
quoted(struct pglex *r, const char *s, char quote, bool escapes)
{
	const char *from = s++;

	for (; s < r->end; s++) {
		if (escapes && *s == '\\')
			s++;
		else if (*s == quote && (s + 1 >= r->end || s[1] != quote))
			return s + 1;
		else if (*s == quote)
			s++;
	}
	r->broken = from;
	return r->end;
}

/* $tag$ ... $tag$; NULL: it is none. */
static const char *
dollar(struct pglex *r)
{
	const char *s = r->s + 1, *at;
	size_t n;

	while (s < r->end && in_word(*s) && *s != '$' && *s != '.')
		s++;
	if (s >= r->end || *s != '$')
		return NULL;
	n = (size_t)(s + 1 - r->s);
	at = memmem(s + 1, (size_t)(r->end - s - 1), r->s, n);
	if (at != NULL)
		return at + n;
	r->broken = r->s;
	return r->end;
}

enum pglex_token
pglex_next(struct pglex *r)
{
	for (;;) {
		size_t left;

		while (r->s < r->end && strchr(" \t\r\n\f\v", *r->s) != NULL &&
		       *r->s != '\0')
			r->s++;
		left = (size_t)(r->end - r->s);
		if (left >= 2 && memcmp(r->s, "--", 2) == 0)
			remark(r);
		else if (left >= 2 && memcmp(r->s, "/*", 2) == 0)
			block(r);
		else if (left > 0 && *r->s == '\\') /* a word for psql */
			r->s = pglex_behind(r->s, r->end, '\n');
		else
			break;
	}
	r->at = r->s;
	if (r->s >= r->end)
		r->token = PGLEX_END;
	else if (*r->s == '\'') {
		r->token = PGLEX_TEXT;
		r->s = quoted(r, r->s, '\'', !r->plain);
	} else if (r->end - r->s >= 2 && (*r->s == 'E' || *r->s == 'e') &&
		   r->s[1] == '\'') {
		r->token = PGLEX_TEXT;
		r->s = quoted(r, r->s + 1, '\'', true);
	} else if (*r->s == '"') {
		r->token = PGLEX_NAME;
		r->s = quoted(r, r->s, '"', false);
	} else if (*r->s == '$' && (r->s = dollar(r)) != NULL)
		r->token = PGLEX_OTHER;
	else {
		r->s = r->at;
		r->token = in_word(*r->s) ? PGLEX_WORD : PGLEX_OTHER;
		do
			r->s++;
		while (
		    r->token == PGLEX_WORD && r->s < r->end && in_word(*r->s));
	}
	r->n = (size_t)(r->s - r->at);
	return r->token;
}

bool
pglex_is(const struct pglex *r, const char *word)
{
	return r->token == PGLEX_WORD && r->n == strlen(word) &&
	       strncasecmp(r->at, word, r->n) == 0;
}

bool
pglex_is_char(const struct pglex *r, char c)
{
	return r->token == PGLEX_OTHER && *r->at == c && r->n == 1;
}

/* --- texts --- */

static int
digit(const char *s, const char *end, int base)
{
	int v;

	if (s >= end)
		return -1;
	if (*s >= '0' && *s <= '9')
		v = *s - '0';
	else if ((*s | 0x20) >= 'a' && (*s | 0x20) <= 'f')
		v = (*s | 0x20) - 'a' + 10;
	else
		return -1;
	return v < base ? v : -1;
}

/* A byte in digits: at most so many, of that base. */
static const char *
number(struct buf *b, const char *s, const char *end, int most, int base)
{
	int v = 0, d;

	for (; most > 0 && (d = digit(s, end, base)) >= 0; most--, s++)
		v = v * base + d;
	buf_chr(b, (char)v);
	return s;
}

/* What a backslash stands for, at s behind it.  Returns where to go on. */
const char *
pglex_escape(struct buf *b, const char *s, const char *end)
{
	static const char from[] = "bfnrtv", to[] = "\b\f\n\r\t\v";
	const char *at;

	if (s >= end) {
		buf_chr(b, '\\');
		return s;
	}
	if (digit(s, end, 8) >= 0)
		return number(b, s, end, 3, 8);
	if (*s == 'x' && digit(s + 1, end, 16) >= 0)
		return number(b, s + 1, end, 2, 16);
	at = *s != '\0' ? strchr(from, *s) : NULL;
	buf_chr(b, at != NULL ? to[at - from] : *s);
	return s + 1;
}

void
pglex_text(const struct pglex *r, struct buf *text)
{
	const char *s = r->at, *end = s + r->n - 1;
	bool escapes = !r->plain;

	if (*s != '\'') {
		escapes = true;
		s++;
	}
	for (s++; s < end;)
		if (escapes && *s == '\\')
			s = pglex_escape(text, s + 1, end);
		else {
			buf_chr(text, *s);
			s += *s == '\'' ? 2 : 1;
		}
}
