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

void
mask_add(struct mask *m, const char *secret)
{
	size_t len = strlen(secret), i;

	if (len < MASK_MIN)
		return;
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

size_t
mask_ready(const struct mask *m, struct buf *b, bool last)
{
	return pass(m, b, 0, last);
}
