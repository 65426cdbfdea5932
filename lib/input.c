/* See input.h. */
#include <stdlib.h>
#include <string.h>

#include "input.h"

#define BIT(kind) (1U << (kind))

/* As messages say it. */
static const char *const kind_name[] = { "null", "false", "true", "integer",
	"real", "text", "array", "object" };

static unsigned
kinds(const char *type, size_t n)
{
	static const struct {
		const char *type;
		unsigned kinds;
	} all[] = {
		{ "text", BIT(JSON_TEXT) },
		{ "int", BIT(JSON_INTEGER) },
		{ "num", BIT(JSON_INTEGER) | BIT(JSON_REAL) },
		{ "bool", BIT(JSON_TRUE) | BIT(JSON_FALSE) },
		{ "array", BIT(JSON_ARRAY) },
		{ "object", BIT(JSON_OBJECT) },
		{ "ref", BIT(JSON_TEXT) | BIT(JSON_INTEGER) },
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
		e->digits = e->kinds == BIT(JSON_INTEGER);
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

static bool
is_int(const struct json_item *it)
{
	const char *s = it->s;
	size_t n = it->n;

	if (n > 0 && *s == '-') {
		s++;
		n--;
	}
	return n > 0 && n < 19 && strspn(s, "0123456789") >= n;
}

static bool
fits(const struct key *k, const struct json_item *it)
{
	if (k->kinds & BIT(it->kind))
		return true;
	return k->digits && it->kind == JSON_TEXT && is_int(it);
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
	struct json_item name, it;
	unsigned long seen = 0; /* a bit a key */
	const char *at;
	int got;

	in->clean = without_nul(text);
	in->text = at = in->clean != NULL ? in->clean : text;
	for (int i = 0; i < k->n; i++) {
		in->item[i].kind = JSON_NULL;
		in->own[i] = NULL;
	}
	if (k->n == 0)
		return 0;
	while ((got = json_member(&at, &name, &it)) == 1) {
		int i = keys_find(k, name.s, name.n);

		if (i < 0 || it.kind == JSON_NULL)
			continue;
		if (!fits(&k->key[i], &it))
			return fail(f, EX_DATAERR,
			    "%s: %.*s: want %.*s, got %s", v->name, (int)name.n,
			    name.s, (int)k->key[i].type_len, k->key[i].type,
			    kind_name[it.kind]);
		if (!(seen >> i & 1))
			in->item[i] = it;
		seen |= 1UL << i;
	}
	if (got < 0)
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
	const struct json_item *it = &in->item[key];
	struct buf b = BUF_INIT;

	if (it->kind == JSON_TEXT && !it->escapes) {
		*n = it->n;
		return it->s;
	}
	if (in->own[key] == NULL) {
		if (it->kind == JSON_TEXT)
			json_plain(&b, it);
		else
			json_tight(&b, it->s, it->n);
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
