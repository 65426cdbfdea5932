/* See input.h. */
#include <stdlib.h>
#include <string.h>

#include "input.h"

#define BIT(kind) (1U << (kind))

static unsigned
kinds(const char *type, size_t n)
{
	static const struct {
		const char *type;
		unsigned kinds;
	} all[] = {
		{ "text", BIT(JSCAN_TEXT) },
		{ "int", BIT(JSCAN_INTEGER) },
		{ "num", BIT(JSCAN_INTEGER) | BIT(JSCAN_REAL) },
		{ "bool", BIT(JSCAN_TRUE) | BIT(JSCAN_FALSE) },
		{ "array", BIT(JSCAN_ARRAY) },
		{ "object", BIT(JSCAN_OBJECT) },
		{ "ref", BIT(JSCAN_TEXT) | BIT(JSCAN_INTEGER) },
		{ "any", ~0U },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (strlen(all[i].type) == n &&
		    strncmp(all[i].type, type, n) == 0)
			return all[i].kinds;
	return 0;
}

void
keys_read(struct keys *k, const char *list)
{
	k->n = 0;
	for (const char *p = list; *(p += strspn(p, " ")) != '\0';) {
		struct key *e = &k->key[k->n];

		if (k->n == INPUT_KEYS) /* the unit test counts them */
			break;
		e->name = p;
		e->len = strcspn(p, ":");
		e->type = p + e->len + 1;
		e->type_len = strcspn(e->type, "! ");
		e->kinds = kinds(e->type, e->type_len);
		e->digits = e->kinds == BIT(JSCAN_INTEGER);
		p = e->type + e->type_len;
		e->must = *p == '!';
		p += e->must;
		k->n++;
	}
}

int
keys_find(const struct keys *k, const char *name, size_t len)
{
	for (int i = 0; i < k->n; i++)
		if (k->key[i].len == len &&
		    memcmp(k->key[i].name, name, len) == 0)
			return i;
	return -1;
}

/* Does a JSON string spell an integer? */
static bool
is_int(struct slice text)
{
	const char *s = text.s + 1;
	size_t n = text.n - 2;

	if (n > 0 && *s == '-') {
		s++;
		n--;
	}
	return n > 0 && n < 19 && strspn(s, "0123456789") >= n;
}

static bool
fits(const struct key *k, struct slice v)
{
	enum jscan_kind kind = jscan_kind(v);

	return (k->kinds & BIT(kind)) ||
	       (k->digits && kind == JSCAN_TEXT && is_int(v));
}

/*
 * SQLite ends a text at an escaped NUL and would lose the rest: as every byte
 * that is no text, it becomes U+FFFD.  NULL when there is none.
 */
static char *
without_nul(const char *in)
{
	char *out = NULL;

	for (const char *p = in; (p = strchr(p, '\\')) != NULL; p += 2) {
		if (p[1] == '\0')
			break;
		if (strncmp(p, "\\u0000", 6) != 0)
			continue;
		if (out == NULL)
			out = xstrdup(in);
		memcpy(out + (p - in), "\\ufffd", 6);
	}
	return out;
}

int
input_take(struct input *in, const struct verb *v, const struct keys *k,
    const char *text, struct fault *f)
{
	struct slice object, name, value;
	unsigned long seen = 0; /* a bit a key */
	const char *at = NULL;

	in->clean = without_nul(text);
	in->text = in->clean != NULL ? in->clean : text;
	object = (struct slice){ in->text, strlen(in->text) };
	for (int i = 0; i < k->n; i++) {
		in->value[i].s = NULL;
		in->own[i] = NULL;
	}
	if (k->n == 0)
		return 0;
	while (jscan_member(object, &at, &name, &value)) {
		int i = keys_find(k, name.s + 1, name.n - 2);

		if (i < 0 || jscan_kind(value) == JSCAN_NULL)
			continue;
		if (!fits(&k->key[i], value))
			return fail(f, EX_DATAERR,
			    "%s: %.*s: want %.*s, got %s", v->name,
			    (int)k->key[i].len, k->key[i].name,
			    (int)k->key[i].type_len, k->key[i].type,
			    jscan_type(value));
		if (!(seen >> i & 1))
			in->value[i] = value;
		seen |= 1UL << i;
	}
	if (!jscan_ended(object, at))
		return fail(f, EX_DATAERR, "%s: not a JSON object", v->name);
	for (int i = 0; i < k->n; i++)
		if (k->key[i].must && !(seen >> i & 1))
			return fail(f, EX_DATAERR, "%s: %.*s is missing",
			    v->name, (int)k->key[i].len, k->key[i].name);
	return 0;
}

const char *
input_text(struct input *in, int key, size_t *n)
{
	struct slice v = in->value[key];
	struct buf b = BUF_INIT;
	bool text = jscan_kind(v) == JSCAN_TEXT;

	if (text && memchr(v.s, '\\', v.n) == NULL) {
		*n = v.n - 2;
		return v.s + 1;
	}
	if (in->own[key] == NULL) {
		if (text)
			jscan_text(&b, v);
		else
			jscan_copy(&b, v);
		buf_str(&b, "");
		in->own[key] = buf_take(&b);
	}
	*n = strlen(in->own[key]);
	return in->own[key];
}

void
input_free(struct input *in, const struct keys *k)
{
	for (int i = 0; i < k->n; i++)
		free(in->own[i]);
	free(in->clean);
}
