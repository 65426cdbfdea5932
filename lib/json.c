/* See json.h. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arena.h"
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

void
json_quote(struct buf *b, const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;

	buf_chr(b, '"');
	for (size_t i = 0; i < n;) {
		size_t plain = i, len;

		while (i < n && p[i] >= 0x20 && p[i] < 0x7f && p[i] != '"' &&
		       p[i] != '\\')
			i++;
		if (i > plain)
			buf_add(b, s + plain, i - plain);
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
		i++;
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

/* --- SQLite as the JSON library --- */

#define CACHED 16

static sqlite3 *db;
static struct {
	const char *sql; /* a literal: its address is its name */
	sqlite3_stmt *st;
} asked[CACHED];

/* One statement of one parameter or two; the caller steps it, and then says
 * answered().  It is compiled when it is first asked. */
static sqlite3_stmt *
ask(const char *sql, const char *a, const char *b)
{
	sqlite3_stmt *st;
	int i;

	if (db == NULL) {
		arena_sqlite();
		if (sqlite3_open(":memory:", &db) != SQLITE_OK)
			die(EX_OSERR, "out of memory");
	}
	for (i = 0; i < CACHED && asked[i].sql != NULL; i++)
		if (asked[i].sql == sql && !sqlite3_stmt_busy(asked[i].st))
			break;
	if (i < CACHED && asked[i].sql != NULL)
		st = asked[i].st;
	else if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		die(EX_SOFTWARE, "json: %s", sqlite3_errmsg(db));
	else if (i < CACHED) {
		asked[i].sql = sql;
		asked[i].st = st;
	}
	sqlite3_bind_text(st, 1, a, -1, SQLITE_STATIC);
	if (b != NULL)
		sqlite3_bind_text(st, 2, b, -1, SQLITE_STATIC);
	return st;
}

static void
answered(sqlite3_stmt *st)
{
	for (int i = 0; i < CACHED; i++)
		if (asked[i].st == st) {
			sqlite3_reset(st);
			sqlite3_clear_bindings(st);
			return;
		}
	sqlite3_finalize(st);
}

/* The one answer as text; NULL when there is none or it is null. */
static char *
answer(const char *sql, const char *a, const char *b)
{
	sqlite3_stmt *st = ask(sql, a, b);
	char *s = NULL;

	if (sqlite3_step(st) == SQLITE_ROW &&
	    sqlite3_column_type(st, 0) != SQLITE_NULL)
		s = xstrndup((const char *)sqlite3_column_text(st, 0),
		    (unsigned long)sqlite3_column_bytes(st, 0));
	answered(st);
	return s;
}

char *
json_get(const char *rec, const char *path)
{
	return answer("SELECT ?1 ->> ?2", rec, path);
}

void
json_pick(const char *rec, const char *const *paths, char **values, size_t n)
{
	/* The text is parsed once for all of them. */
	sqlite3_stmt *st = ask("SELECT ?1 ->> ?2, ?1 ->> ?3, ?1 ->> ?4, "
			       "?1 ->> ?5, ?1 ->> ?6, ?1 ->> ?7, ?1 ->> ?8, "
			       "?1 ->> ?9, ?1 ->> ?10, ?1 ->> ?11",
	    rec, NULL);
	bool row;

	for (size_t i = 0; i < n; i++)
		sqlite3_bind_text(st, (int)i + 2, paths[i], -1, SQLITE_STATIC);
	row = sqlite3_step(st) == SQLITE_ROW;
	for (size_t i = 0; i < n; i++) {
		int c = (int)i;

		values[i] = NULL;
		if (row && sqlite3_column_type(st, c) != SQLITE_NULL)
			values[i] =
			    xstrndup((const char *)sqlite3_column_text(st, c),
				(unsigned long)sqlite3_column_bytes(st, c));
	}
	answered(st);
}

char *
json_raw(const char *rec, const char *path)
{
	return answer("SELECT ?1 -> ?2", rec, path);
}

long long
json_int(const char *rec, const char *path, long long absent)
{
	sqlite3_stmt *st = ask("SELECT CAST(?1 ->> ?2 AS INTEGER)", rec, path);

	if (sqlite3_step(st) == SQLITE_ROW &&
	    sqlite3_column_type(st, 0) != SQLITE_NULL)
		absent = sqlite3_column_int64(st, 0);
	answered(st);
	return absent;
}

double
json_real(const char *rec, const char *path, double absent)
{
	sqlite3_stmt *st = ask("SELECT CAST(?1 ->> ?2 AS REAL)", rec, path);

	if (sqlite3_step(st) == SQLITE_ROW &&
	    sqlite3_column_type(st, 0) != SQLITE_NULL)
		absent = sqlite3_column_double(st, 0);
	answered(st);
	return absent;
}

const char *
json_type(const char *rec, const char *path)
{
	static const char *const names[] = { "object", "array", "text",
		"integer", "real", "true", "false", "null" };
	char *type = answer("SELECT json_type(?1, ?2)", rec, path);
	const char *found = "";

	for (size_t i = 0; type != NULL && i < sizeof(names) / sizeof(*names);
	     i++)
		if (strcmp(type, names[i]) == 0)
			found = names[i];
	free(type);
	return found;
}

bool
json_true(const char *rec, const char *path)
{
	return strcmp(json_type(rec, path), "true") == 0;
}

char *
json_merge(const char *rec, const char *with)
{
	static sqlite3_stmt *set; /* a record grows by many keys, often */
	sqlite3_stmt *st =
	    ask("SELECT key, ?1 -> ('$.\"' || key || '\"') FROM json_each(?1)",
		with, NULL);
	char *sum = xstrdup(rec);

	if (set == NULL)
		set = ask("SELECT json_set(?1, '$.\"' || ?2 || '\"', json(?3))",
		    "{}", NULL);
	while (sqlite3_step(st) == SQLITE_ROW) {
		sqlite3_bind_text(set, 1, sum, -1, SQLITE_STATIC);
		sqlite3_bind_value(set, 2, sqlite3_column_value(st, 0));
		sqlite3_bind_value(set, 3, sqlite3_column_value(st, 1));
		if (sqlite3_step(set) != SQLITE_ROW ||
		    sqlite3_column_text(set, 0) == NULL)
			die(EX_SOFTWARE, "json: cannot merge: %s",
			    sqlite3_errmsg(db));
		char *next = xstrdup((const char *)sqlite3_column_text(set, 0));
		sqlite3_reset(set);
		sqlite3_clear_bindings(set);
		free(sum);
		sum = next;
	}
	answered(st);
	return sum;
}

char *
json_append(const char *rec, const char *with)
{
	size_t len = strlen(rec);

	while (len > 0 && rec[len - 1] != '}')
		len--;
	if (len == 0)
		return xstrdup(rec);
	for (len--; len > 0 && strchr(" \t\r\n", rec[len - 1]) != NULL; len--)
		continue;
	return xasprintf("%.*s%s%s", (int)len, rec,
	    rec[len - 1] == '{' || with[1] == '}' ? "" : ",", with + 1);
}

/* Is the name of this row one that came before? */
#define TIDY                                                                   \
	"SELECT key, CASE WHEN type IN ('object', 'array') THEN value "        \
	"WHEN type = 'text' THEN NULL WHEN type IN ('integer', 'real') "       \
	"THEN iif(abs(atom) < 9e999, CAST(atom AS TEXT), 'null') "             \
	"ELSE type END, value FROM json_each(?1) e WHERE NOT EXISTS "          \
	"(SELECT 1 FROM json_each(?1) o WHERE o.key = e.key AND o.id < e.id)"

char *
json_tidy(const char *rec)
{
	sqlite3_stmt *st = ask(TIDY, rec, NULL);
	struct buf b = BUF_INIT;

	while (sqlite3_step(st) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(st, 0);
		const char *raw = (const char *)sqlite3_column_text(st, 1);

		if (raw != NULL)
			json_add_raw(&b, name, raw);
		else
			json_addn(&b, name,
			    (const char *)sqlite3_column_text(st, 2),
			    (size_t)sqlite3_column_bytes(st, 2));
	}
	answered(st);
	json_end(&b);
	return buf_take(&b);
}

char *
json_remove(const char *rec, const char *name)
{
	char *left =
	    answer("SELECT json_remove(?1, '$.\"' || ?2 || '\"')", rec, name);

	return left != NULL ? left : xstrdup(rec);
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

/* The deepest nesting; strings are skipped. */
static int
depth(const char *s, size_t n)
{
	int now = 0, most = 0;
	bool in = false;

	for (size_t i = 0; i < n; i++) {
		if (in) {
			if (s[i] == '\\')
				i++;
			else if (s[i] == '"')
				in = false;
		} else if (s[i] == '"')
			in = true;
		else if (s[i] == '{' || s[i] == '[') {
			if (++now > most)
				most = now;
		} else if (s[i] == '}' || s[i] == ']')
			now--;
	}
	return most;
}

/* The code unit of a \\uXXXX at s, or -1. */
static int
unit(const char *s, size_t n)
{
	int u = 0;

	if (n < 6 || s[0] != '\\' || s[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		if (!isxdigit((unsigned char)s[i]))
			return -1;
		u = u * 16 + (isdigit((unsigned char)s[i])
				     ? s[i] - '0'
				     : (s[i] | 0x20) - 'a' + 10);
	}
	return u;
}

/* Is every escaped surrogate one of a pair (RFC 8259, 7)?  SQLite would make
 * bytes of half a pair that are no UTF-8. */
static bool
pairs(const char *s, size_t n)
{
	for (size_t i = 0; i + 1 < n; i++) {
		int u, low;

		if (s[i] != '\\')
			continue;
		u = unit(s + i, n - i);
		if (u >= 0xdc00 && u <= 0xdfff)
			return false;
		if (u >= 0xd800 && u <= 0xdbff) {
			low = unit(s + i + 6, n - i - 6);
			if (low < 0xdc00 || low > 0xdfff)
				return false;
			i += 11;
		} else
			i++;
	}
	return true;
}

static int
well_formed(const char *s, size_t n, bool object, struct fault *f)
{
	sqlite3_stmt *st;
	int valid = 0, is_object = 0;

	if (n > JSON_LINE_MAX)
		return fail(
		    f, EX_DATAERR, "longer than %d bytes", JSON_LINE_MAX);
	if (memchr(s, '\0', n) != NULL)
		return fail(f, EX_DATAERR, "holds a NUL byte");
	if (!json_utf8(s, n))
		return fail(f, EX_DATAERR, "not UTF-8");
	if (!pairs(s, n))
		return fail(f, EX_DATAERR, "holds half a surrogate pair");
	if (depth(s, n) > JSON_DEPTH_MAX)
		return fail(
		    f, EX_DATAERR, "nested deeper than %d", JSON_DEPTH_MAX);
	st = ask("SELECT json_valid(?1), "
		 "CASE WHEN json_valid(?1) THEN json_type(?1) = 'object' END",
	    s, NULL);
	if (sqlite3_step(st) == SQLITE_ROW) {
		valid = sqlite3_column_int(st, 0);
		is_object = sqlite3_column_int(st, 1);
	}
	answered(st);
	if (!valid)
		return fail(f, EX_DATAERR, "not JSON");
	if (object && !is_object)
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
