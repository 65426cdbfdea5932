/*
 * json: JSON as text, for commands of the base link group.
 *
 * Text is taken apart and put together by SQLite, on one in-memory connection
 * that is opened at the first need: eleven times faster than libjq, and a
 * 64-bit number survives.  The few lines that write a string or look at the
 * nesting are our own because they run for every line of a stream and SQLite
 * offers neither a limit of 64 levels nor a check of UTF-8.
 *
 * All functions that return char * hand over memory that the caller frees.
 */
#ifndef TERA_JSON_H
#define TERA_JSON_H

#include <stdbool.h>
#include <stdio.h>

#include "buf.h"

#define JSON_LINE_MAX (1024 * 1024) /* bytes of a record, newline excluded */
#define JSON_DEPTH_MAX 64

/* --- writing: an object is begun by the first add and ended by json_end --- */

/* Appends s as a JSON string.  Bytes that are not UTF-8 become U+FFFD. */
void json_quote(struct buf *b, const char *s, size_t n);

/* Appends "key":value to the object in b.  A NULL value is JSON null. */
void json_add(struct buf *b, const char *key, const char *value);
void json_addn(struct buf *b, const char *key, const char *value, size_t n);
void json_add_int(struct buf *b, const char *key, long long value);
void json_add_real(struct buf *b, const char *key, double value);
void json_add_bool(struct buf *b, const char *key, bool value);
/* value is JSON text already. */
void json_add_raw(struct buf *b, const char *key, const char *value);
/* Closes the object ("{}" when nothing was added) and returns its text. */
const char *json_end(struct buf *b);

/*
 * Adds one operand of a command line to the object in b:
 *   key=text   a string        key:=json  any JSON value
 *   key@file   the file's text, as a string ("-" is standard input)
 * Returns 0, or fills f and returns the exit status.  A key is a letter or
 * underscore and then letters, digits and underscores.
 */
int json_operand(struct buf *b, const char *arg, struct fault *f);

/* --- checking --- */

/* Is it UTF-8 (RFC 3629) without a NUL byte? */
bool json_utf8(const char *s, size_t n);

/*
 * Is it one JSON object within the limits?  Returns 0, or fills f with 65 and
 * a reason that fits after "line 2: ".
 */
int json_check(const char *s, size_t n, struct fault *f);

/* --- reading; rec is JSON text, path an SQLite path such as "$.a.b[0]" --- */

/* The value as text (a string unquoted, an object as JSON); NULL when it is
 * absent or null. */
char *json_get(const char *rec, const char *path);
/* Several at once, at most JSON_PICK: values[i] as json_get of paths[i]. */
#define JSON_PICK 10
void json_pick(
    const char *rec, const char *const *paths, char **values, size_t n);
/* As JSON text (a string quoted); NULL when absent. */
char *json_raw(const char *rec, const char *path);
long long json_int(const char *rec, const char *path, long long absent);
double json_real(const char *rec, const char *path, double absent);
bool json_true(const char *rec, const char *path);
/* "object", "array", "text", "integer", "real", "true", "false", "null";
 * "" when absent.  Static text. */
const char *json_type(const char *rec, const char *path);

/* rec with every key of the object with set in it (top level, not deep). */
char *json_merge(const char *rec, const char *with);
/* The same where rec is known to have none of the keys: both are only put one
 * behind the other. */
char *json_append(const char *rec, const char *with);
/* rec from hands that are not ours, with each key once (the first counts) and
 * written without escapes that it does not need, so that all readers see the
 * same. */
char *json_tidy(const char *rec);
/* rec without the top-level key. */
char *json_remove(const char *rec, const char *key);

/* The error object that a stage adds: rec with error{stage,code,message}. */
char *json_error(const char *rec, const char *stage, int code, const char *msg);

/* --- lines --- */

/* Reads records line by line.  Zero it and set fp, which nobody else reads
 * from then on; json_lines_free after. */
struct json_lines {
	FILE *fp;
	long no; /* of the line last read, from 1 */
	struct buf line;
	/* the reader's own */
	char in[65536];
	size_t pos, end;
	bool ended, failed;
};

/*
 * The next line that is not empty.  Returns 1 with the object in l->line, 0
 * at the end, -1 when the line is no good: f says why and names the line, the
 * next call goes on with the line after it.
 */
int json_next(struct json_lines *l, struct fault *f);
/* As json_next, but the line may be any JSON or a bare word (ids on stdin). */
int json_next_line(struct json_lines *l, struct fault *f);
/* Would json_next return without waiting: is a whole line here, or the end?
 * A batch ends when it would not. */
bool json_ready(struct json_lines *l);
void json_lines_free(struct json_lines *l);

#endif
