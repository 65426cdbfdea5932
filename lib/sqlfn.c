/* See sqlfn.h and verb.h. */
#include <math.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/statvfs.h>
#include <time.h>

#include "jscan.h"
#include "json.h"
#include "secret.h"
#include "sqlfn.h"

#define JSON_SUBTYPE 'J' /* as SQLite's own functions mark what is JSON */
#ifndef SQLITE_RESULT_SUBTYPE
#define SQLITE_RESULT_SUBTYPE 0 /* before 3.45 nobody asked for it */
#endif

/* --- time --- */

static long long
clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The last n digits of value, with zeros before them. */
static char *
digits(char *to, int value, int n, char after)
{
	for (int i = n - 1; i >= 0; i--, value /= 10)
		to[i] = (char)('0' + value % 10);
	to[n] = after;
	return to + n + 1;
}

/* As strftime('%Y-%m-%dT%H:%M:%fZ') of SQLite; to has room for 25. */
static void
stamp(char *to, long long ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm t;

	gmtime_r(&seconds, &t);
	to = digits(to, t.tm_year + 1900, 4, '-');
	to = digits(to, t.tm_mon + 1, 2, '-');
	to = digits(to, t.tm_mday, 2, 'T');
	to = digits(to, t.tm_hour, 2, ':');
	to = digits(to, t.tm_min, 2, ':');
	to = digits(to, t.tm_sec, 2, '.');
	*digits(to, (int)(ms % 1000), 3, 'Z') = '\0';
}

void
sqlfn_begin(struct sqlfn *fn)
{
	fn->refused.code = 0;
	fn->stale = false;
	fn->ms = 0;
}

const char *
sqlfn_now(struct sqlfn *fn)
{
	if (fn->ms == 0) {
		fn->ms = clock_ms();
		stamp(fn->now, fn->ms);
	}
	return fn->now;
}

void
sqlfn_end(struct sqlfn *fn)
{
	buf_free(&fn->out);
}

/* --- the functions --- */

static void
fn_refuse(sqlite3_context *c, int n, sqlite3_value **v)
{
	struct sqlfn *fn = sqlite3_user_data(c);
	const char *text = (const char *)sqlite3_value_text(v[1]);

	(void)n;
	fail(&fn->refused, sqlite3_value_int(v[0]), "%s",
	    text != NULL ? text : "refused");
	sqlite3_result_error(c, fn->refused.msg, -1);
}

static void
fn_stale(sqlite3_context *c, int n, sqlite3_value **v)
{
	struct sqlfn *fn = sqlite3_user_data(c);
	const char *text = (const char *)sqlite3_value_text(v[0]);

	(void)n;
	fn->stale = true;
	fail(&fn->refused, EX_DATAERR, "%s", text != NULL ? text : "stale");
	sqlite3_result_error(c, fn->refused.msg, -1);
}

static void
fn_num(sqlite3_context *c, int n, sqlite3_value **v)
{
	const char *s = (const char *)sqlite3_value_text(v[0]);
	size_t len = s != NULL ? strlen(s) : 0;

	(void)n;
	if (len > 0 && *s == '#') {
		s++;
		len--;
	}
	if (len > 0 && len < 19 && strspn(s, "0123456789") == len)
		sqlite3_result_int64(c, strtoll(s, NULL, 10));
}

static void
fn_uuid7(sqlite3_context *c, int n, sqlite3_value **v)
{
	static const char hex[] = "0123456789abcdef";
	struct sqlfn *fn = sqlite3_user_data(c);
	unsigned char id[16];
	char text[36], *p = text;
	unsigned long long ms = (unsigned long long)clock_ms();

	(void)n;
	(void)v;
	/* a call of the kernel for each would be a tenth of an enqueue */
	if (fn->left < 10) {
		fn->left = getrandom(fn->random, sizeof(fn->random), 0);
		if (fn->left < 10) {
			sqlite3_result_error(c, "no random numbers", -1);
			return;
		}
	}
	fn->left -= 10;
	memcpy(id + 6, fn->random + fn->left, 10);
	for (int i = 5; i >= 0; i--, ms >>= 8)
		id[i] = (unsigned char)(ms & 0xff);
	id[6] = 0x70 | (id[6] & 0x0f);
	id[8] = 0x80 | (id[8] & 0x3f);
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = hex[id[i] >> 4];
		*p++ = hex[id[i] & 15];
	}
	sqlite3_result_text(c, text, sizeof(text), SQLITE_TRANSIENT);
}

static void
fn_soon(sqlite3_context *c, int n, sqlite3_value **v)
{
	struct sqlfn *fn = sqlite3_user_data(c);
	double ms = sqlite3_value_double(v[0]) * 1000;
	char text[32];

	(void)n;
	sqlfn_now(fn);
	if (!(fabs(ms) < 1e14)) { /* the year has four digits */
		sqlite3_result_error(c, "no such time", -1);
		return;
	}
	stamp(text, fn->ms + llround(ms));
	sqlite3_result_text(c, text, -1, SQLITE_TRANSIENT);
}

/* "key":value of the record in b. */
static int
member(struct buf *b, const char *key, sqlite3_value *v)
{
	int type = sqlite3_value_type(v);
	const char *text;

	if (type == SQLITE_BLOB)
		return -1;
	buf_chr(b, b->len == 0 ? '{' : ',');
	json_quote(b, key, strlen(key));
	buf_chr(b, ':');
	text = (const char *)sqlite3_value_text(v);
	if (text == NULL ||
	    (type == SQLITE_FLOAT && !isfinite(sqlite3_value_double(v))))
		buf_add(b, "null", 4);
	else if (type == SQLITE_TEXT &&
		 sqlite3_value_subtype(v) != JSON_SUBTYPE)
		json_quote(b, text, (size_t)sqlite3_value_bytes(v));
	else
		buf_add(b, text, (size_t)sqlite3_value_bytes(v));
	return 0;
}

static void
fn_record(sqlite3_context *c, int n, sqlite3_value **v)
{
	struct sqlfn *fn = sqlite3_user_data(c);
	struct buf *b = &fn->out;

	buf_clear(b);
	for (int i = 0; i + 1 < n; i += 2) {
		const char *key = (const char *)sqlite3_value_text(v[i]);

		if (key != NULL && *key == '?') {
			if (sqlite3_value_type(v[i + 1]) == SQLITE_NULL)
				continue;
			key++;
		}
		if (key == NULL || member(b, key, v[i + 1]) != 0) {
			sqlite3_result_error(c,
			    "record: a key is no text or a value a blob", -1);
			return;
		}
	}
	json_end(b);
	sqlite3_result_text(c, b->s, (int)b->len, SQLITE_TRANSIENT);
	sqlite3_result_subtype(c, JSON_SUBTYPE);
}

static void
fn_raw(sqlite3_context *c, int n, sqlite3_value **v)
{
	struct sqlfn *fn = sqlite3_user_data(c);
	const char *text = (const char *)sqlite3_value_text(v[0]);

	(void)n;
	if (text == NULL)
		return;
	buf_clear(&fn->out);
	jscan_copy(&fn->out,
	    (struct slice){ text, (size_t)sqlite3_value_bytes(v[0]) });
	sqlite3_result_text(
	    c, buf_text(&fn->out), (int)fn->out.len, SQLITE_TRANSIENT);
	sqlite3_result_subtype(c, JSON_SUBTYPE);
}

static void
fn_without(sqlite3_context *c, int n, sqlite3_value **v)
{
	struct sqlfn *fn = sqlite3_user_data(c);
	struct buf *b = &fn->out;
	const char *text = (const char *)sqlite3_value_text(v[0]), *at = NULL;
	struct slice object = { text, (size_t)sqlite3_value_bytes(v[0]) };
	struct slice name, value;

	buf_clear(b);
	while (text != NULL && jscan_member(object, &at, &name, &value)) {
		bool drop = false;

		for (int i = 1; i < n && !drop; i++)
			drop =
			    (size_t)sqlite3_value_bytes(v[i]) == name.n - 2 &&
			    memcmp(sqlite3_value_text(v[i]), name.s + 1,
				name.n - 2) == 0;
		if (drop)
			continue;
		/* as it is written, from the quote of the key on */
		buf_chr(b, b->len == 0 ? '{' : ',');
		buf_add(b, name.s, (size_t)(at - name.s));
	}
	if (text == NULL || !jscan_ended(object, at)) {
		sqlite3_result_error(c, "without: not an object", -1);
		return;
	}
	json_end(b);
	sqlite3_result_text(c, b->s, (int)b->len, SQLITE_TRANSIENT);
	sqlite3_result_subtype(c, JSON_SUBTYPE);
}

static void
fn_bool(sqlite3_context *c, int n, sqlite3_value **v)
{
	(void)n;
	sqlite3_result_text(c,
	    sqlite3_value_double(v[0]) != 0 ? "true" : "false", -1,
	    SQLITE_STATIC);
	sqlite3_result_subtype(c, JSON_SUBTYPE);
}

static void
crypt_fn(sqlite3_context *c, sqlite3_value **v,
    char *(*f)(const char *, const char *, struct fault *))
{
	struct sqlfn *fn = sqlite3_user_data(c);
	const char *text = (const char *)sqlite3_value_text(v[0]);
	char *out;

	if (text == NULL)
		return;
	out = f(fn->path, text, &fn->refused);
	if (out == NULL)
		sqlite3_result_error(c, fn->refused.msg, -1);
	else
		sqlite3_result_text(c, out, -1, free);
}

static void
fn_encrypt(sqlite3_context *c, int n, sqlite3_value **v)
{
	(void)n;
	crypt_fn(c, v, secret_seal);
}

static void
fn_decrypt(sqlite3_context *c, int n, sqlite3_value **v)
{
	(void)n;
	crypt_fn(c, v, secret_open);
}

void
sqlfn_add(sqlite3 *h, struct sqlfn *fn)
{
	static const int json = SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS |
				SQLITE_SUBTYPE | SQLITE_RESULT_SUBTYPE;
	const struct {
		const char *name;
		int args, flags;
		void (*f)(sqlite3_context *, int, sqlite3_value **);
	} fns[] = {
		{ "refuse", 2, SQLITE_DIRECTONLY, fn_refuse },
		{ "stale", 1, SQLITE_DIRECTONLY, fn_stale },
		{ "num", 1, SQLITE_DETERMINISTIC, fn_num },
		{ "uuid7", 0, SQLITE_INNOCUOUS, fn_uuid7 },
		{ "soon", 1, SQLITE_DIRECTONLY, fn_soon },
		{ "record", -1, json, fn_record },
		{ "raw", 1, json, fn_raw },
		{ "bool", 1, json, fn_bool },
		{ "without", -1, json, fn_without },
		{ "encrypt", 1, SQLITE_DIRECTONLY, fn_encrypt },
		{ "decrypt", 1, SQLITE_DIRECTONLY, fn_decrypt },
	};

	for (size_t i = 0; i < sizeof(fns) / sizeof(*fns); i++)
		sqlite3_create_function(h, fns[i].name, fns[i].args,
		    SQLITE_UTF8 | fns[i].flags, fn, fns[i].f, NULL, NULL);
}

/* --- faults --- */

/* Is the file system full, or as good as? */
static int
no_room(const char *path)
{
	struct statvfs st;

	return statvfs(path, &st) == 0 && st.f_bavail < 65536 / st.f_frsize + 1;
}

/* A rule's name is its message: title_has_1_to_255_characters. */
static int
rule_fault(const char *msg, struct fault *f)
{
	static const char failed[] = "constraint failed: ";
	const char *name = strstr(msg, failed);
	int code;

	if (strncmp(msg, "CHECK", 5) != 0 || name == NULL)
		return fail(f, EX_DATAERR, "refused: %s", msg);
	code =
	    fail(f, EX_DATAERR, "refused: %.127s", name + sizeof(failed) - 1);
	for (char *p = f != NULL ? f->msg : NULL; p != NULL && *p != '\0'; p++)
		if (*p == '_')
			*p = ' ';
	return code;
}

int
sqlfn_fault(struct sqlfn *fn, sqlite3 *h, int rc, struct fault *f)
{
	const char *msg = sqlite3_errmsg(h), *path = fn->path;

	if (fn->refused.code != 0) {
		if (f != NULL)
			*f = fn->refused;
		return fn->refused.code;
	}
	switch (rc & 0xff) {
	case SQLITE_CONSTRAINT: return rule_fault(msg, f);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return fail(f, EX_TEMPFAIL, "%s: busy, try again", path);
	case SQLITE_INTERRUPT:
		return fail(f, EX_TEMPFAIL, "it took too long: ask for less");
	case SQLITE_READONLY: return fail(f, EX_NOPERM, "%s: read-only", path);
	case SQLITE_PERM:
	case SQLITE_AUTH: return fail(f, EX_NOPERM, "%s: %s", path, msg);
	case SQLITE_FULL: return fail(f, EX_IOERR, "%s: no space left", path);
	case SQLITE_IOERR:
		/* A file beside it could not be made or grow. */
		return fail(f, EX_IOERR, "%s: %s", path,
		    no_room(path) ? "no space left" : msg);
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		return fail(f, EX_CONFIG, "%s: not a store: %s", path, msg);
	case SQLITE_CANTOPEN:
		return fail(f, EX_CONFIG, "%s: cannot be opened", path);
	case SQLITE_TOOBIG: return fail(f, EX_DATAERR, "refused: too long");
	case SQLITE_MISMATCH: return fail(f, EX_DATAERR, "refused: wrong type");
	case SQLITE_NOMEM: return fail(f, EX_OSERR, "out of memory");
	default: return fail(f, EX_SOFTWARE, "%s (please report)", msg);
	}
}
