/*
 * jscan: JSON text (RFC 8259) checked and looked at where it stands.
 *
 * No tree is made: a value is a slice of the text.  This is our own because
 * every step of a job looks at a record: opening SQLite's engine for that
 * costs half of a program's start, linking libjq a quarter, and libjq loses
 * numbers of 64 bits.  What asks more of JSON than this is SQL or jq.
 *
 * Nothing here trusts the text: what is not JSON is "not there".
 */
#ifndef TERA_JSCAN_H
#define TERA_JSCAN_H

#include <stdbool.h>

#include "buf.h"

struct slice {
	const char *s;
	size_t n;
};

enum jscan_fault { JSCAN_OK, JSCAN_NOT_JSON, JSCAN_DEEP, JSCAN_HALF_PAIR };

/* Is the text, UTF-8 without a NUL, one JSON value nested at most so deep? */
enum jscan_fault jscan_check(const char *s, size_t n, int depth);

/* The value at an SQLite path: "$", then any of .name ."na me" [0] [#-1].  The
 * first of keys that are the same counts.  False when it is absent, or the
 * path none. */
bool jscan_find(const char *text, const char *path, struct slice *value);

enum jscan_kind {
	JSCAN_NULL,
	JSCAN_FALSE,
	JSCAN_TRUE,
	JSCAN_INTEGER,
	JSCAN_REAL,
	JSCAN_TEXT,
	JSCAN_ARRAY,
	JSCAN_OBJECT,
};

enum jscan_kind jscan_kind(struct slice value);
/* The same in the words of SQLite's json_type: "null", "false", "true",
 * "integer", "real", "text", "array", "object". */
const char *jscan_type(struct slice value);

/*
 * The members of an object one by one: begin with *at = NULL.  key is a JSON
 * string.  False after the last, and for what is no object.
 */
bool jscan_member(struct slice object, const char **at, struct slice *key,
    struct slice *value);

/* The same for the elements of an array. */
bool jscan_element(struct slice array, const char **at, struct slice *value);

/* After jscan_member said false: was it an object, to the end of the text? */
bool jscan_ended(struct slice object, const char *at);

/* Are two JSON strings the same text? */
bool jscan_same(struct slice a, struct slice b);
/* Orders JSON strings by their text. */
int jscan_order(struct slice a, struct slice b);

/* Appends the text of a JSON string, as those above give it; NUL becomes
 * U+FFFD. */
void jscan_text(struct buf *b, struct slice string);
/* Appends a value without the blanks between its parts: one line. */
void jscan_copy(struct buf *b, struct slice value);

#endif
