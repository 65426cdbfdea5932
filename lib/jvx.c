/* See jvx.h. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "jvx.h"

jv
jvx_get(jv obj, const char *key)
{
	jv v;

	if (jv_get_kind(obj) != JV_KIND_OBJECT)
		return jv_null();
	v = jv_object_get(jv_copy(obj), jv_string(key));
	if (jv_is_valid(v))
		return v;
	jv_free(v);
	return jv_null();
}

jv_kind
jvx_kind(jv obj, const char *key)
{
	jv_kind kind;
	jv v;

	if (jv_get_kind(obj) != JV_KIND_OBJECT)
		return JV_KIND_INVALID;
	v = jv_object_get(jv_copy(obj), jv_string(key));
	kind = jv_get_kind(v);
	jv_free(v);
	return kind;
}

const char *
jvx_str(jv obj, const char *key)
{
	jv v = jvx_get(obj, key);
	const char *s = NULL;

	if (jv_get_kind(v) == JV_KIND_STRING)
		s = jv_string_value(v); /* obj holds it too */
	jv_free(v);
	return s;
}

double
jvx_num(jv obj, const char *key, double absent)
{
	jv v = jvx_get(obj, key);
	double n = absent;

	if (jv_get_kind(v) == JV_KIND_NUMBER)
		n = jv_number_value(v);
	jv_free(v);
	return n;
}

bool
jvx_true(jv obj, const char *key)
{
	return jvx_kind(obj, key) == JV_KIND_TRUE;
}

/* The number behind \u at p, -1 when there is none. */
static long
escaped(const char *p, const char *end)
{
	char hex[5] = "";

	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	memcpy(hex, p + 2, 4);
	if (strspn(hex, "0123456789abcdefABCDEF") != 4)
		return -1;
	return strtol(hex, NULL, 16);
}

/* Half a surrogate pair becomes U+FFFD: models that are cut within a
 * character send it, and libjq 1.6 refuses the whole text.  NUL does, too:
 * jvx_str would end there. */
static void
whole_pairs(struct buf *b)
{
	char *end = b->s + b->len;

	for (char *p = b->s; p + 1 < end; p++) {
		long n, low;

		if (*p != '\\')
			continue;
		n = escaped(p, end);
		if (n != 0 && (n < 0xd800 || n > 0xdfff)) {
			p++;
			continue;
		}
		low = escaped(p + 6, end);
		if (n >= 0xd800 && n < 0xdc00 && low >= 0xdc00 && low <= 0xdfff)
			p += 11;
		else {
			memcpy(p + 2, "fffd", 4);
			p += 5;
		}
	}
}

jv
jvx_parse(const char *text, size_t len)
{
	struct buf b = BUF_INIT;
	jv v;

	if (len > INT_MAX / 4)
		return jv_invalid();
	if (memmem(text, len, "\\u0000", 6) == NULL) {
		v = jv_parse_sized(text, (int)len);
		if (jv_is_valid(v))
			return v;
		jv_free(v);
	}
	if (memmem(text, len, "\\u", 2) == NULL)
		return jv_invalid();
	buf_add(&b, text, len);
	whole_pairs(&b);
	v = jv_parse_sized(b.s, (int)b.len);
	buf_free(&b);
	if (jv_is_valid(v))
		return v;
	jv_free(v);
	return jv_invalid();
}

jv
jvx_set(jv obj, const char *key, jv value)
{
	return jv_object_set(obj, jv_string(key), value);
}

jv
jvx_put(jv obj, const char *key, const char *text)
{
	return text != NULL ? jvx_set(obj, key, jv_string(text)) : obj;
}

jv
jvx_putn(jv obj, const char *key, const char *text, size_t len)
{
	return jvx_set(obj, key, jv_string_sized(text, (int)len));
}

jv
jvx_put_num(jv obj, const char *key, double n)
{
	return jvx_set(obj, key, jv_number(n));
}

static void
dump(struct buf *b, jv v, int flags)
{
	jv text = jv_dump_string(jv_copy(v), flags);

	buf_add(b, jv_string_value(text),
	    (size_t)jv_string_length_bytes(jv_copy(text)));
	jv_free(text);
}

void
jvx_add(struct buf *b, jv v)
{
	dump(b, v, 0);
}

void
jvx_add_sorted(struct buf *b, jv v)
{
	dump(b, v, JV_PRINT_SORTED);
}
