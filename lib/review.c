/* See review.h. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "json.h"
#include "review.h"

char *
review_summary(const char *body)
{
	static const char heading[] = "## What was accomplished";
	const char *from = body, *end;

	for (const char *p = body; (p = strstr(p, heading)) != NULL;)
		from = p += sizeof(heading) - 1;
	end = from != body ? strstr(from, "\n---") : NULL;
	if (end == NULL)
		end = from + strlen(from);
	while (isspace((unsigned char)*from))
		from++;
	while (end > from && isspace((unsigned char)end[-1]))
		end--;
	return xstrndup(from, (size_t)(end > from ? end - from : 0));
}

static bool
ends(const char *s, const char *with)
{
	size_t n = strlen(s), k = strlen(with);

	return n >= k && strcasecmp(s + n - k, with) == 0;
}

/* Does it hold tests, by its name? */
static bool
is_test(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;

	if (strcasecmp(name, "__init__.py") == 0)
		return false;
	return strcasestr(path, "__tests__") != NULL ||
	       strcasestr(path, "/tests/") != NULL ||
	       strncasecmp(path, "tests/", 6) == 0 ||
	       strcasestr(path, ".test.") != NULL ||
	       strcasestr(path, ".spec.") != NULL || ends(path, "_test.py") ||
	       ends(path, "_test.go") || ends(path, "_test.js") ||
	       (strncasecmp(name, "test_", 5) == 0 && ends(name, ".py"));
}

/* --- the names in a line --- */

static void
add_name(struct buf *names, const char *s, size_t n)
{
	buf_chr(names, names->len > 0 ? ',' : '[');
	json_quote(names, s, n);
}

static bool
is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$' || c == '.';
}

/* The string after it(, test( or describe(. */
static void
called(struct buf *names, const char *line, size_t n)
{
	static const char *const words[] = { "it", "test", "describe" };
	const char *end = line + n;

	for (size_t w = 0; w < sizeof(words) / sizeof(*words); w++) {
		size_t k = strlen(words[w]);

		for (const char *p = line, *q, *z; p + k < end; p++) {
			if (strncmp(p, words[w], k) != 0 || is_word(p[-1]))
				continue;
			q = p + k;
			while (q < end && *q == ' ')
				q++;
			if (q == end || *q != '(')
				continue;
			q++;
			while (q < end && *q == ' ')
				q++;
			if (q == end || strchr("'\"`", *q) == NULL)
				continue;
			z = memchr(q + 1, *q, (size_t)(end - q) - 1);
			if (z != NULL && z > q + 1)
				add_name(names, q + 1, (size_t)(z - q) - 1);
		}
	}
}

static void
defined(struct buf *names, const char *line, size_t n)
{
	const char *end = line + n;
	struct buf name = BUF_INIT;

	while (line < end && isspace((unsigned char)*line))
		line++;
	if (end - line < 9 || strncmp(line, "def test_", 9) != 0)
		return;
	for (line += 4; line < end && is_word(*line); line++)
		buf_chr(&name, *line == '_' ? ' ' : *line);
	add_name(names, buf_text(&name), name.len);
	buf_free(&name);
}

/* --- the diff --- */

struct file {
	char *path; /* NULL: holds no tests */
	struct buf names;
	long old, new; /* lines of the hunk that are still to come */
};

static void
file_ends(struct buf *json, struct file *f)
{
	struct buf one = BUF_INIT;

	if (f->path != NULL) {
		if (f->names.len > 0)
			buf_chr(&f->names, ']');
		json_add(&one, "path", f->path);
		json_add_raw(
		    &one, "test_names", f->names.len > 0 ? f->names.s : "[]");
		if (json->len > 0 && json->s[json->len - 1] == '}')
			buf_chr(json, ',');
		buf_str(json, json_end(&one));
		buf_free(&one);
	}
	free(f->path);
	buf_free(&f->names);
	*f = (struct file){ .path = NULL };
}

/* "@@ -1,4 +1,5 @@" */
static void
hunk(struct file *f, const char *s)
{
	char *p;

	f->old = f->new = 1;
	strtol(s + 4, &p, 10);
	if (*p == ',')
		f->old = strtol(p + 1, &p, 10);
	if (strncmp(p, " +", 2) != 0)
		return;
	strtol(p + 2, &p, 10);
	if (*p == ',')
		f->new = strtol(p + 1, &p, 10);
}

void
review_tests(struct buf *json, const char *patch)
{
	struct file f = { .path = NULL };
	size_t n;

	buf_chr(json, '[');
	for (const char *s = patch; *s != '\0'; s += n + (s[n] == '\n')) {
		n = strcspn(s, "\n");
		if (f.old > 0 || f.new > 0) {
			f.old -= *s == ' ' || *s == '-';
			f.new -= *s == ' ' || *s == '+';
			if (f.path == NULL || n < 2)
				continue;
			called(&f.names, s + 1, n - 1);
			if (*s == '+')
				defined(&f.names, s + 1, n - 1);
		} else if (strncmp(s, "diff --git ", 11) == 0)
			file_ends(json, &f);
		else if (strncmp(s, "+++ b/", 6) == 0) {
			f.path = xstrndup(s + 6, n - 6);
			if (!is_test(f.path)) {
				free(f.path);
				f.path = NULL;
			}
		} else if (strncmp(s, "@@ -", 4) == 0)
			hunk(&f, s);
	}
	file_ends(json, &f);
	buf_chr(json, ']');
}
