/* See tpl.h. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "tpl.h"

#define DEPTH 32

struct tpl {
	const char *text;
	size_t n;
	size_t at;
	jv stack[DEPTH];
	int depth;
	struct buf *out;
	struct fault *f;
};

struct tag {
	char kind; /* '#', '^', '/', '!' or 0 for a value */
	const char *name;
	size_t len;
	size_t from; /* where "{{" is */
	size_t cut;  /* up to where the text before it counts */
	size_t to;   /* where the text goes on */
};

static int
broken(struct tpl *t, size_t at, const char *what)
{
	int line = 1;

	for (size_t i = 0; i < at && i < t->n; i++)
		line += t->text[i] == '\n';
	return fail(t->f, EX_DATAERR, "line %d: %s", line, what);
}

/* One step of a path; a list is indexed by a number. */
static jv
step(jv v, const char *s, size_t n)
{
	if (jv_get_kind(v) == JV_KIND_OBJECT) {
		v = jv_object_get(v, jv_string_sized(s, (int)n));
	} else if (jv_get_kind(v) == JV_KIND_ARRAY && n > 0 && n < 7 &&
		   strspn(s, "0123456789") >= n) {
		int i = 0;

		while (n-- > 0)
			i = i * 10 + (*s++ - '0');
		v = jv_array_get(v, i);
	} else {
		jv_free(v);
		return jv_invalid();
	}
	return v;
}

/* The value of a path: its first name is looked up from the innermost
 * element outwards, the others in what that gave. */
static jv
look_up(struct tpl *t, const char *s, size_t n)
{
	const char *end = s + n, *dot;
	jv v = jv_invalid();

	if (n == 1 && *s == '.')
		return jv_copy(t->stack[t->depth - 1]);
	dot = memchr(s, '.', n);
	if (dot == NULL)
		dot = end;
	for (int i = t->depth; i-- > 0 && !jv_is_valid(v);) {
		jv_free(v);
		v = step(jv_copy(t->stack[i]), s, (size_t)(dot - s));
	}
	while (dot < end && jv_is_valid(v)) {
		s = dot + 1;
		dot = memchr(s, '.', (size_t)(end - s));
		if (dot == NULL)
			dot = end;
		v = step(v, s, (size_t)(dot - s));
	}
	return v;
}

static bool
truthy(jv v)
{
	switch (jv_get_kind(v)) {
	case JV_KIND_TRUE: return true;
	case JV_KIND_NUMBER: return jv_number_value(v) != 0;
	case JV_KIND_STRING: return jv_string_length_bytes(jv_copy(v)) > 0;
	case JV_KIND_ARRAY: return jv_array_length(jv_copy(v)) > 0;
	case JV_KIND_OBJECT: return jv_object_length(jv_copy(v)) > 0;
	default: return false;
	}
}

/* Consumes v. */
static void
put(struct buf *out, jv v)
{
	double d;

	switch (jv_get_kind(v)) {
	case JV_KIND_INVALID:
	case JV_KIND_NULL: break;
	case JV_KIND_STRING:
		buf_add(out, jv_string_value(v),
		    (size_t)jv_string_length_bytes(jv_copy(v)));
		break;
	case JV_KIND_NUMBER:
		d = jv_number_value(v);
		if (d == floor(d) && fabs(d) < 1e15)
			buf_fmt(out, "%.0f", d);
		else
			buf_fmt(out, "%.17g", d);
		break;
	default: {
		jv s = jv_dump_string(jv_copy(v), JV_PRINT_INDENT_FLAGS(2));

		buf_str(out, jv_string_value(s));
		jv_free(s);
	}
	}
	jv_free(v);
}

/* Is text[from..to) blank up to an end of line on both sides? */
static void
alone(struct tpl *t, struct tag *tag)
{
	size_t a = tag->from, b = tag->to;

	while (a > 0 && (t->text[a - 1] == ' ' || t->text[a - 1] == '\t'))
		a--;
	while (b < t->n && (t->text[b] == ' ' || t->text[b] == '\t'))
		b++;
	if ((a == 0 || t->text[a - 1] == '\n') &&
	    (b == t->n || t->text[b] == '\n')) {
		tag->cut = a;
		tag->to = b < t->n ? b + 1 : b;
	}
}

/* The next tag from t->at on.  Returns 1, 0 when there is none, -1. */
static int
next_tag(struct tpl *t, struct tag *tag)
{
	const char *p = NULL, *q;

	if (t->at < t->n)
		p = memmem(t->text + t->at, t->n - t->at, "{{", 2);
	if (p == NULL)
		return 0;
	tag->from = tag->cut = (size_t)(p - t->text);
	q = memmem(p, t->n - tag->from, "}}", 2);
	if (q == NULL) {
		broken(t, tag->from, "{{ without }}");
		return -1;
	}
	tag->to = (size_t)(q - t->text) + 2;
	p += 2;
	tag->kind = 0;
	if (p < q && strchr("#^/!", *p) != NULL)
		tag->kind = *p++;
	while (p < q && (*p == ' ' || *p == '\t'))
		p++;
	while (q > p && (q[-1] == ' ' || q[-1] == '\t'))
		q--;
	tag->name = p;
	tag->len = (size_t)(q - p);
	if (tag->len == 0 && tag->kind != '!') {
		broken(t, tag->from, "a tag without a name");
		return -1;
	}
	if (tag->kind != 0)
		alone(t, tag);
	/* What an earlier tag took away is not text before this one. */
	if (tag->cut < t->at)
		tag->cut = t->at;
	return 1;
}

static int render(struct tpl *t, bool show, const struct tag *open);

/* The inside of a section, with v as the innermost element (consumed). */
static int
inside(struct tpl *t, bool show, const struct tag *open, jv v)
{
	int rc;

	if (t->depth == DEPTH) {
		jv_free(v);
		return broken(t, open->from, "sections too deep");
	}
	t->stack[t->depth++] = v;
	rc = render(t, show, open);
	jv_free(t->stack[--t->depth]);
	return rc;
}

static int
section(struct tpl *t, bool show, const struct tag *open)
{
	jv v = show ? look_up(t, open->name, open->len) : jv_invalid();
	size_t start = t->at;
	bool yes = truthy(v);
	int rc = 0;

	if (open->kind == '^') {
		jv_free(v);
		return render(t, show && !yes, open);
	}
	if (!yes) {
		jv_free(v);
		return render(t, false, open);
	}
	if (jv_get_kind(v) != JV_KIND_ARRAY)
		return inside(t, true, open, v);
	for (int i = 0, n = jv_array_length(jv_copy(v)); i < n && rc == 0;
	     i++) {
		t->at = start;
		rc = inside(t, true, open, jv_array_get(jv_copy(v), i));
	}
	jv_free(v);
	return rc;
}

/* Renders up to the end of the section that open began (NULL: of the text). */
static int
render(struct tpl *t, bool show, const struct tag *open)
{
	struct tag tag;
	int rc = 0, got;

	while (rc == 0 && (got = next_tag(t, &tag)) > 0) {
		if (show)
			buf_add(t->out, t->text + t->at, tag.cut - t->at);
		t->at = tag.to;
		switch (tag.kind) {
		case '!': break;
		case '/':
			if (open != NULL && open->len == tag.len &&
			    memcmp(open->name, tag.name, tag.len) == 0)
				return 0;
			return broken(t, tag.from, "{{/}} closes nothing");
		case '#':
		case '^': rc = section(t, show, &tag); break;
		default:
			if (show)
				put(t->out, look_up(t, tag.name, tag.len));
		}
	}
	if (rc != 0)
		return rc;
	if (got < 0)
		return EX_DATAERR;
	if (open != NULL)
		return broken(t, open->from, "a section without its end");
	if (show)
		buf_add(t->out, t->text + t->at, t->n - t->at);
	t->at = t->n;
	return 0;
}

int
tpl_render(struct buf *out, const char *text, size_t n, jv doc, struct fault *f)
{
	struct tpl t = { .text = text, .n = n, .out = out, .f = f };
	int rc;

	t.stack[0] = doc;
	t.depth = 1;
	rc = render(&t, true, NULL);
	jv_free(doc);
	return rc;
}
