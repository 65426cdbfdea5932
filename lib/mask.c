/* See mask.h. */
#include <stdlib.h>
#include <string.h>

#include "mask.h"

const char *const mask_names[] = {
	"TERA_MODEL_KEY",
	"TERA_WORKER_KEY",
	"TERA_TOKEN",
	"TERA_SECRETS",
	"AGENT_API_KEY",
	"WORKER_API_KEY",
	"OPENAI_API_KEY",
	"ANTHROPIC_API_KEY",
	"GITHUB_TOKEN",
	"GH_TOKEN",
	"GITLAB_TOKEN",
	"GITEA_TOKEN",
	"TERARCHITECT_API_KEY",
	"TERARCHITECT_WORKER_API_KEY",
	"TERARCHITECT_SECRET_KEY",
	NULL,
};

/* As it is written within a JSON string. */
static char *
escaped(const char *s)
{
	struct buf b = BUF_INIT;

	for (; *s != '\0'; s++)
		if (*s == '"' || *s == '\\')
			buf_fmt(&b, "\\%c", *s);
		else if (*s == '\t')
			buf_str(&b, "\\t");
		else if ((unsigned char)*s < 0x20 || *s == 0x7f)
			buf_fmt(&b, "\\u%04x", (unsigned)*s);
		else
			buf_chr(&b, *s);
	return buf_take(&b);
}

static void
add(struct mask *m, const char *secret)
{
	size_t len = strlen(secret), i;

	for (i = 0; i < m->n; i++)
		if (strcmp(m->secret[i], secret) == 0)
			return;
	m->secret = xrealloc(m->secret, (m->n + 1) * sizeof(*m->secret));
	m->len = xrealloc(m->len, (m->n + 1) * sizeof(*m->len));
	/* Longest first, so that one that holds another is replaced whole. */
	for (i = m->n++; i > 0 && m->len[i - 1] < len; i--) {
		m->secret[i] = m->secret[i - 1];
		m->len[i] = m->len[i - 1];
	}
	m->secret[i] = xstrdup(secret);
	m->len[i] = len;
}

void
mask_add(struct mask *m, const char *secret)
{
	char *once, *twice;

	if (strlen(secret) < MASK_MIN)
		return;
	/* JSON within JSON is what the arguments of a call are. */
	once = escaped(secret);
	twice = escaped(once);
	add(m, secret);
	add(m, once);
	add(m, twice);
	free(once);
	free(twice);
}

void
mask_init(struct mask *m)
{
	*m = (struct mask){ 0 };
	for (size_t i = 0; mask_names[i] != NULL; i++) {
		const char *value = getenv(mask_names[i]);
		char *copy, *rest, *one;

		if (value == NULL)
			continue;
		copy = rest = xstrdup(value);
		while ((one = strsep(&rest, "\r\n")) != NULL)
			mask_add(m, one);
		free(copy);
	}
}

void
mask_free(struct mask *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->secret[i]);
	free(m->secret);
	free(m->len);
	*m = (struct mask){ 0 };
}

/* Which secret is at p?  m->n when none. */
static size_t
which(const struct mask *m, const char *p, size_t left)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		if (m->len[i] <= left && *p == *m->secret[i] &&
		    memcmp(p, m->secret[i], m->len[i]) == 0)
			break;
	return i;
}

/* Could the text at p, left bytes of it, be the beginning of a secret? */
static bool
begins(const struct mask *m, const char *p, size_t left)
{
	for (size_t i = 0; i < m->n; i++)
		if (left < m->len[i] && memcmp(p, m->secret[i], left) == 0)
			return true;
	return false;
}

/*
 * Masks in place of b; stops at the first byte that could begin a secret that
 * is not all there, unless last.  Returns how many bytes are done.
 */
static size_t
pass(const struct mask *m, struct buf *b, size_t from, bool last)
{
	size_t in = from, done;
	struct buf out = BUF_INIT;

	if (m->n == 0 || from >= b->len)
		return b->len;
	buf_add(&out, b->s, from);
	while (in < b->len) {
		size_t left = b->len - in, i;

		/* A longer one that is not all there yet goes before a shorter
		 * one that is: "begins" knows no order. */
		if (!last && begins(m, b->s + in, left))
			break;
		i = which(m, b->s + in, left);
		if (i < m->n) {
			buf_str(&out, "***");
			in += m->len[i];
		} else
			buf_chr(&out, b->s[in++]);
	}
	done = out.len;
	buf_add(&out, b->s + in, b->len - in);
	buf_free(b);
	*b = out;
	return done;
}

void
mask_buf(const struct mask *m, struct buf *b, size_t from)
{
	pass(m, b, from, true);
}

/* The code unit of \uXXXX at p, or -1. */
static long
unit(const char *p)
{
	char hex[5] = "";

	if (p[0] != '\\' || p[1] != 'u')
		return -1;
	strncpy(hex, p + 2, 4);
	if (strspn(hex, "0123456789abcdefABCDEF") != 4)
		return -1;
	return strtol(hex, NULL, 16);
}

static void
put_utf8(struct buf *b, long c)
{
	if (c >= 0x10000) {
		buf_chr(b, (char)(0xf0 | c >> 18));
		buf_chr(b, (char)(0x80 | (c >> 12 & 0x3f)));
	} else if (c >= 0x800)
		buf_chr(b, (char)(0xe0 | c >> 12));
	if (c >= 0x800)
		buf_chr(b, (char)(0x80 | (c >> 6 & 0x3f)));
	else
		buf_chr(b, (char)(0xc0 | c >> 6));
	buf_chr(b, (char)(0x80 | (c & 0x3f)));
}

/* The escape at p in the form that escaped() gives; returns how long it was. */
static size_t
put_escape(struct buf *b, const char *p)
{
	long c = unit(p), low = c >= 0xd800 && c < 0xdc00 ? unit(p + 6) : -1;

	if (c < 0 && p[1] == '/') {
		buf_chr(b, '/');
		return 2;
	}
	if (c < 0) {
		buf_add(b, p, p[1] != '\0' ? 2 : 1);
		return p[1] != '\0' ? 2 : 1;
	}
	if (low >= 0xdc00 && low < 0xe000) {
		put_utf8(b, 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00));
		return 12;
	}
	if (c == '\t')
		buf_str(b, "\\t");
	else if (c < 0x20 || c == 0x7f || (c >= 0xd800 && c < 0xe000))
		buf_fmt(b, "\\u%04lx", c);
	else if (c == '"' || c == '\\')
		buf_fmt(b, "\\%c", (char)c);
	else if (c < 0x80)
		buf_chr(b, (char)c);
	else
		put_utf8(b, c);
	return 6;
}

void
mask_json(const struct mask *m, struct buf *b)
{
	struct buf out = BUF_INIT;
	const char *p = buf_text(b);

	if (m->n == 0 || strchr(p, '\\') == NULL) {
		mask_buf(m, b, 0);
		return;
	}
	while (*p != '\0')
		if (*p == '\\')
			p += put_escape(&out, p);
		else
			buf_chr(&out, *p++);
	buf_free(b);
	*b = out;
	mask_buf(m, b, 0);
}

size_t
mask_ready(const struct mask *m, struct buf *b, bool last)
{
	return pass(m, b, 0, last);
}
