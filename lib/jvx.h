/*
 * jvx: a few readers and builders over libjq's jv, for text that comes from
 * models and users.  Readers borrow: they leave obj as it was, take anything
 * for obj (not only objects), and what they return lives as long as obj does.
 * Builders consume their jv arguments, as jv's own functions do.
 */
#ifndef TERA_JVX_H
#define TERA_JVX_H

#include <stdbool.h>
#include <stddef.h>

#include <jv.h>

#include "buf.h"

/* The string at key; NULL when it is absent or no string. */
const char *jvx_str(jv obj, const char *key);
/* The number at key, else absent. */
double jvx_num(jv obj, const char *key, double absent);
/* Is the value at key true? */
bool jvx_true(jv obj, const char *key);
/* The value at key as a new reference; JSON null when absent. */
jv jvx_get(jv obj, const char *key);
/* The kind of the value at key; JV_KIND_INVALID when absent. */
jv_kind jvx_kind(jv obj, const char *key);

/* One JSON value; an invalid jv (without a message) when it is not.  What is
 * no UTF-8, half a surrogate pair and U+0000 become U+FFFD. */
jv jvx_parse(const char *text, size_t len);

/* obj with key set; a NULL text leaves obj as it is. */
jv jvx_set(jv obj, const char *key, jv value);
jv jvx_put(jv obj, const char *key, const char *text);
jv jvx_putn(jv obj, const char *key, const char *text, size_t len);
jv jvx_put_num(jv obj, const char *key, double n);

/* Appends the JSON text of v (borrowed), on one line. */
void jvx_add(struct buf *b, jv v);
/* The same with sorted keys: equal values give equal text. */
void jvx_add_sorted(struct buf *b, jv v);

#endif
