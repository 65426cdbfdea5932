/*
 * See normal.h.  One pass from left to right; at each place where a word can
 * begin, the rules are asked in turn and the first that takes bytes wins.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "normal.h"

#define PAIRS_MAX 4096 /* looked through for each word that fits a rule */

/* What is read, and how far it goes. */
struct text {
	const char *s;
	size_t n;
};

struct rule {
	const char *kind;
	bool numbered;
	/* Bytes at s[at] that are of this kind, 0: none.  *skip of them are
	 * kept as they are before the placeholder. */
	size_t (*match)(
	    const struct normal *t, struct text x, size_t at, size_t *skip);
};

static bool
word(int c)
{
	return isalnum(c) || c == '_' || c >= 0x80;
}

static int
at_or_0(struct text x, size_t i)
{
	return i < x.n ? (unsigned char)x.s[i] : 0;
}

static bool
starts(struct text x, size_t at, const char *what)
{
	size_t n = strlen(what);

	return at <= x.n && x.n - at >= n && memcmp(x.s + at, what, n) == 0;
}

/* How many bytes the pattern takes: 9 a digit, x a lower-case hex digit, a
 * anything else itself. */
static size_t
shape(struct text x, size_t at, const char *pattern)
{
	size_t i;

	for (i = 0; pattern[i] != '\0'; i++) {
		int c = at_or_0(x, at + i);
		bool good = pattern[i] == '9'   ? isdigit(c) != 0
			    : pattern[i] == 'x' ? isxdigit(c) != 0
			    : pattern[i] == 'T' ? c == 'T' || c == ' '
						: c == pattern[i];

		if (!good)
			return 0;
	}
	return i;
}

static size_t
digits(struct text x, size_t at)
{
	size_t i = at;

	while (isdigit(at_or_0(x, i)))
		i++;
	return i - at;
}

static size_t
blanks(struct text x, size_t at)
{
	size_t i = at;

	while (at_or_0(x, i) == ' ')
		i++;
	return i - at;
}

/* --- the rules --- */

static size_t
uuid(const struct normal *t, struct text x, size_t at, size_t *skip)
{
	size_t n = shape(x, at, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");

	(void)t, (void)skip;
	return n > 0 && !word(at_or_0(x, at + n)) ? n : 0;
}

/* "Z", "+02:00", " +0200" or nothing. */
static size_t
zone(struct text x, size_t at)
{
	size_t sp = at_or_0(x, at) == ' ', n;

	if (at_or_0(x, at) == 'Z')
		return 1;
	if (at_or_0(x, at + sp) != '+' && at_or_0(x, at + sp) != '-')
		return 0;
	n = shape(x, at + sp + 1, "99:99");
	if (n == 0)
		n = shape(x, at + sp + 1, "9999");
	return n > 0 ? sp + 1 + n : 0;
}

static size_t
clock_time(struct text x, size_t at)
{
	size_t n = shape(x, at, "99:99:99"), frac;

	if (n == 0)
		return 0;
	if (at_or_0(x, at + n) == '.') {
		frac = digits(x, at + n + 1);
		n += frac > 0 ? frac + 1 : 0;
	}
	return n;
}

static const char *
month(struct text x, size_t at)
{
	static const char names[][4] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

	for (size_t i = 0; i < 12; i++)
		if (starts(x, at, names[i]))
			return names[i];
	return NULL;
}

/* "Jan  5 12:34", "Jan 5 2026", "Jan 5 12:34:56 2026 +0000". */
static size_t
month_time(struct text x, size_t at)
{
	size_t i = at + 3, n;

	if (month(x, at) == NULL)
		return 0;
	n = blanks(x, i);
	if (n == 0 || n > 2)
		return 0;
	i += n;
	n = digits(x, i);
	if (n == 0 || n > 2)
		return 0;
	i += n;
	n = blanks(x, i);
	if (n == 0 || n > 2)
		return 0;
	i += n;
	n = clock_time(x, i);
	if (n > 0) {
		i += n;
		if (shape(x, i, " 9999") > 0 && !isdigit(at_or_0(x, i + 5)))
			i += 5;
		i += zone(x, i);
	} else if ((n = shape(x, i, "99:99")) > 0 ||
		   (n = shape(x, i, "9999")) > 0)
		i += n;
	else
		return 0;
	return word(at_or_0(x, i)) ? 0 : i - at;
}

static size_t
instant(const struct normal *t, struct text x, size_t at, size_t *skip)
{
	size_t n, day = 0;

	(void)t, (void)skip;
	n = shape(x, at, "9999-99-99T");
	if (n > 0 && ((day = clock_time(x, at + n)) > 0 ||
			 (day = shape(x, at + n, "99:99")) > 0)) {
		n += day;
		return n + zone(x, at + n);
	}
	n = clock_time(x, at);
	if (n > 0 && !word(at_or_0(x, at + n)))
		return n;
	if (starts(x, at, "Mon ") || starts(x, at, "Tue ") ||
	    starts(x, at, "Wed ") || starts(x, at, "Thu ") ||
	    starts(x, at, "Fri ") || starts(x, at, "Sat ") ||
	    starts(x, at, "Sun ")) {
		n = month_time(x, at + 4);
		return n > 0 ? n + 4 : 0;
	}
	return month_time(x, at);
}

static size_t
date(const struct normal *t, struct text x, size_t at, size_t *skip)
{
	size_t n = shape(x, at, "9999-99-99");

	(void)t, (void)skip;
	return n > 0 && !word(at_or_0(x, at + n)) && at_or_0(x, at + n) != '-'
		   ? n
		   : 0;
}

/* 2014 to 2033, in seconds or milliseconds. */
static size_t
unix_time(const struct normal *t, struct text x, size_t at, size_t *skip)
{
	size_t n = digits(x, at);

	(void)t, (void)skip;
	if ((n != 10 && n != 13) || x.s[at] != '1' || x.s[at + 1] < '4' ||
	    word(at_or_0(x, at + n)))
		return 0;
	return n;
}

static size_t
number(struct text x, size_t at)
{
	size_t n = digits(x, at), frac;

	if (n > 0 && at_or_0(x, at + n) == '.') {
		frac = digits(x, at + n + 1);
		n += frac > 0 ? frac + 1 : 0;
	}
	return n;
}

/* "12 ms", "0.12s", "0m0.012s", "0.02 usr", and "duration_ms: 1.25". */
static size_t
duration(const struct normal *t, struct text x, size_t at, size_t *skip)
{
	static const char *const units[] = { "milliseconds", "millisecond",
		"microseconds", "nanoseconds", "seconds", "second", "secs",
		"sec", "s", "ms", "us", "\xc2\xb5s", "ns", "wallclock", "usr",
		"sys", "cusr", "csys", "CPU" };
	static const char *const keys[] = { "duration_ms", "elapsed_ms",
		"elapsed", "duration", "ms" };
	size_t n, gap;

	(void)t;
	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
		if (!starts(x, at, keys[k]))
			continue;
		n = strlen(keys[k]);
		while (at_or_0(x, at + n) != 0 &&
		       strchr("\\\":= \t", at_or_0(x, at + n)) != NULL)
			n++;
		gap = n > strlen(keys[k]) ? number(x, at + n) : 0;
		if (gap == 0)
			return 0;
		*skip = n;
		return n + gap;
	}
	n = digits(x, at);
	if (n > 0 && at_or_0(x, at + n) == 'm' &&
	    (gap = number(x, at + n + 1)) > 0 &&
	    at_or_0(x, at + n + 1 + gap) == 's' &&
	    !word(at_or_0(x, at + n + gap + 2)))
		return n + gap + 2;
	n = number(x, at);
	if (n == 0)
		return 0;
	gap = blanks(x, at + n);
	if (gap > 1)
		return 0;
	for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++) {
		size_t end = at + n + gap + strlen(units[u]);

		if (starts(x, at + n + gap, units[u]) && !word(at_or_0(x, end)))
			return end - at;
	}
	return 0;
}

static size_t
hash(const struct normal *t, struct text x, size_t at, size_t *skip)
{
	size_t n = 0;

	(void)t, (void)skip;
	while (isxdigit(at_or_0(x, at + n)) && !isupper(at_or_0(x, at + n)))
		n++;
	return n >= 7 && n <= 64 && !word(at_or_0(x, at + n)) ? n : 0;
}

static size_t
address(const struct normal *t, struct text x, size_t at, size_t *skip)
{
	size_t n = 2;

	(void)t, (void)skip;
	if (!starts(x, at, "0x"))
		return 0;
	while (isxdigit(at_or_0(x, at + n)))
		n++;
	return n >= 8 && !word(at_or_0(x, at + n)) ? n : 0;
}

static size_t
port(const struct normal *t, struct text x, size_t at, size_t *skip)
{
	static const char *const hosts[] = {
		"127.0.0.1:", "localhost:", "[::1]:", "0.0.0.0:"
	};
	size_t n;

	(void)t;
	for (size_t h = 0; h < sizeof(hosts) / sizeof(hosts[0]); h++) {
		if (!starts(x, at, hosts[h]))
			continue;
		*skip = strlen(hosts[h]);
		n = digits(x, at + *skip);
		return n > 0 && n <= 5 ? *skip + n : 0;
	}
	return 0;
}

/* The mode of ls -l stays; links, owner and group are the machine's. */
static size_t
owner(const struct normal *t, struct text x, size_t at, size_t *skip)
{
	size_t i = at;

	(void)t;
	if (at_or_0(x, i) == 0 || strchr("-dlbcps", at_or_0(x, i)) == NULL)
		return 0;
	for (i++; i < at + 10; i++)
		if (at_or_0(x, i) == 0 ||
		    strchr("-rwxsStT", at_or_0(x, i)) == NULL)
			return 0;
	if (at_or_0(x, i) == '.' || at_or_0(x, i) == '+')
		i++;
	*skip = i - at;
	for (int field = 0; field < 3; field++) {
		size_t gap = blanks(x, i), from;

		i += gap;
		for (from = i; i < x.n && !isspace(at_or_0(x, i)); i++)
			;
		if (gap == 0 || i == from ||
		    (field == 0 && digits(x, from) != i - from))
			return 0;
	}
	return i - at;
}

/* --- paths --- */

static bool
path_byte(int c)
{
	return word(c) || (c != 0 && strchr(".-+@%~,=", c) != NULL);
}

/* May the slash at x.s[at] begin an absolute path?  "-I/usr" too. */
static bool
path_starts(struct text x, size_t at)
{
	int before = at > 0 ? (unsigned char)x.s[at - 1] : ' ';

	if (at > 1 && x.s[at - 2] == '-' && isalpha(before))
		return true;
	return !word(before) && strchr(".~-+%@", before) == NULL;
}

static bool
below(struct text x, size_t at, const char *dir)
{
	return dir != NULL && starts(x, at, dir) &&
	       !path_byte(at_or_0(x, at + strlen(dir)));
}

/* The end of ".../run/UUID" in the path at x, 0 when there is none. */
static size_t
run_dir(struct text x, size_t at)
{
	size_t skip, n, i;

	for (i = at; i < x.n && i - at < 4096 &&
		     (x.s[i] == '/' || path_byte(at_or_0(x, i)));
	     i++)
		if (starts(x, i, "/run/") &&
		    (n = uuid(NULL, x, i + 5, &skip)) > 0)
			return i + 5 + n - at;
	return 0;
}

static size_t
tmp_dir(const struct normal *t, struct text x, size_t at)
{
	const char *const dirs[] = { "/tmp", "/var/tmp", t->tmp };
	size_t best = 0;

	for (size_t d = 0; d < 3; d++) {
		size_t n;

		if (dirs[d] == NULL || !starts(x, at, dirs[d]))
			continue;
		n = strlen(dirs[d]);
		if (at_or_0(x, at + n) != '/' ||
		    !path_byte(at_or_0(x, at + n + 1)))
			continue;
		for (n++; path_byte(at_or_0(x, at + n)); n++)
			;
		/* A full stop ends a sentence, not a name. */
		while (x.s[at + n - 1] == '.' || x.s[at + n - 1] == ',')
			n--;
		if (n > best)
			best = n;
	}
	return best;
}

/* --- the table --- */

static const char *
pair_add(struct normal *t, const char *kind, bool numbered, const char *s,
    size_t n, bool known)
{
	size_t count = 0, len = strlen(kind);
	struct normal_pair *p;

	for (size_t i = 0; i < t->n; i++) {
		p = &t->pairs[i];
		if (strncmp(p->name + 1, kind, len) != 0 ||
		    (p->name[len + 1] != '-' && p->name[len + 1] != '>'))
			continue;
		count++;
		if (strlen(p->live) == n && memcmp(p->live, s, n) == 0)
			return p->name;
		if (!numbered && !known)
			return p->name;
	}
	if (known)
		return NULL;
	if (t->n >= PAIRS_MAX)
		return "<more>";
	t->pairs = xrealloc(t->pairs, (t->n + 1) * sizeof(*t->pairs));
	p = &t->pairs[t->n++];
	p->live = xstrndup(s, n);
	p->name = numbered ? xasprintf("<%s-%zu>", kind, count + 1)
			   : xasprintf("<%s>", kind);
	return p->name;
}

static void
dir_add(struct normal *t, const char *name, const char *path)
{
	size_t n, i;

	if (path == NULL || path[0] != '/' || t->ndirs == 8)
		return;
	n = strlen(path);
	while (n > 1 && path[n - 1] == '/')
		n--;
	if (n < 2)
		return;
	for (i = t->ndirs; i > 0 && strlen(t->dirs[i - 1].live) < n; i--)
		t->dirs[i] = t->dirs[i - 1];
	t->dirs[i].name = xstrdup(name);
	t->dirs[i].live = xstrndup(path, n);
	t->ndirs++;
}

void
normal_init(struct normal *t)
{
	const char *tmp = getenv("TMPDIR"), *run = getenv("TERA_RUN_DIR");
	char *cwd = getcwd(NULL, 0), *work;

	memset(t, 0, sizeof(*t));
	if (run != NULL) { /* also where its name is odd: see run_dir() */
		work = xasprintf("%s/work", run);
		dir_add(t, "<dir-work>", work);
		dir_add(t, "<dir-run>", run);
		free(work);
	}
	dir_add(t, "<dir-root>", getenv("TERA_REPLAY_ROOT"));
	dir_add(t, "<dir-state>", getenv("TERA_STATE"));
	dir_add(t, "<dir-home>", getenv("HOME"));
	dir_add(t, "<dir-cwd>", cwd);
	free(cwd);
	if (tmp != NULL && tmp[0] == '/' && strcmp(tmp, "/") != 0)
		t->tmp = xstrdup(tmp);
}

void
normal_free(struct normal *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->pairs[i].name);
		free(t->pairs[i].live);
	}
	for (size_t i = 0; i < t->ndirs; i++) {
		free(t->dirs[i].name);
		free(t->dirs[i].live);
	}
	free(t->pairs);
	free(t->tmp);
	memset(t, 0, sizeof(*t));
}

/* --- the pass --- */

static const struct rule rules[] = {
	{ "uuid", true, uuid },
	{ "time", false, instant },
	{ "date", false, date },
	{ "port", true, port },
	{ "ms", false, duration },
	{ "time", false, unix_time },
	{ "addr", false, address },
	{ "owner", false, owner },
	{ "hash", true, hash },
};

/* A path at x.s[at]: the longest directory that has a placeholder.  Returns
 * the bytes taken and the name in *name. */
static size_t
path(struct normal *t, struct text x, size_t at, bool known, const char **name)
{
	size_t n = run_dir(x, at), tmp;

	*name = NULL;
	if (n > 0) {
		bool work = starts(x, at + n, "/work") &&
			    !path_byte(at_or_0(x, at + n + 5));

		n += work ? 5 : 0;
		*name = pair_add(t, work ? "dir-work" : "dir-run", false,
		    x.s + at, n, known);
		return n;
	}
	tmp = tmp_dir(t, x, at);
	for (size_t d = 0; d < t->ndirs; d++) {
		n = strlen(t->dirs[d].live);
		if (n >= tmp && below(x, at, t->dirs[d].live)) {
			*name = t->dirs[d].name;
			return n;
		}
	}
	if (tmp > 0)
		*name = pair_add(t, "tmp", true, x.s + at, tmp, known);
	return tmp;
}

static void
pass(struct normal *t, struct buf *out, struct text x, bool known)
{
	size_t at = 0;

	while (at < x.n) {
		int before = at > 0 ? (unsigned char)x.s[at - 1] : ' ';
		const char *name = NULL;
		size_t n = 0, skip = 0;

		if (x.s[at] == '/' && path_starts(x, at))
			n = path(t, x, at, known, &name);
		for (size_t r = 0;
		     n == 0 && r < sizeof(rules) / sizeof(rules[0]) &&
		     !word(before);
		     r++) {
			skip = 0;
			n = rules[r].match(t, x, at, &skip);
			if (known && !rules[r].numbered)
				n = 0;
			if (n == 0 || (before == '.' && skip == 0 &&
					  isdigit(at_or_0(x, at)) && at > 1 &&
					  isdigit(x.s[at - 2]))) {
				n = 0;
				continue;
			}
			name = pair_add(t, rules[r].kind, rules[r].numbered,
			    x.s + at + skip, n - skip, known);
		}
		if (n == 0 || name == NULL) {
			n = n > 0 ? n : 1;
			buf_add(out, x.s + at, n);
			at += n;
			continue;
		}
		/* Columns are padded by the width of what stood here. */
		if (!known && strcmp(name, "<ms>") == 0)
			while (out->len > 1 && skip == 0 &&
			       out->s[out->len - 1] == ' ' &&
			       out->s[out->len - 2] == ' ')
				out->s[--out->len] = '\0';
		buf_add(out, x.s + at, skip);
		buf_str(out, name);
		at += n;
		if (!known && strcmp(name, "<owner>") == 0) {
			size_t gap = blanks(x, at);

			if (gap > 0)
				buf_chr(out, ' ');
			at += gap;
		}
	}
}

void
normal_text(struct normal *t, struct buf *out, const char *s, size_t n)
{
	pass(t, out, (struct text){ s, n }, false);
}

void
normal_known(struct normal *t, struct buf *out, const char *s, size_t n)
{
	pass(t, out, (struct text){ s, n }, true);
}

static const char *
live(const struct normal *t, const char *s, size_t n)
{
	/* Chance values have no number and are nobody's: "<time>" in an answer
	 * is an element of HTML. */
	for (size_t i = 0; i < t->n; i++)
		if (strchr(t->pairs[i].name, '-') != NULL &&
		    strlen(t->pairs[i].name) == n &&
		    memcmp(t->pairs[i].name, s, n) == 0)
			return t->pairs[i].live;
	for (size_t i = 0; i < t->ndirs; i++)
		if (strlen(t->dirs[i].name) == n &&
		    memcmp(t->dirs[i].name, s, n) == 0)
			return t->dirs[i].live;
	return NULL;
}

void
normal_live(const struct normal *t, struct buf *out, const char *s, size_t n)
{
	for (size_t at = 0; at < n;) {
		const char *value = NULL, *end = NULL;

		if (s[at] == '<')
			end = memchr(s + at, '>', n - at < 24 ? n - at : 24);
		if (end != NULL)
			value = live(t, s + at, (size_t)(end - s) + 1 - at);
		if (value == NULL) {
			buf_chr(out, s[at++]);
			continue;
		}
		buf_str(out, value);
		at = (size_t)(end - s) + 1;
	}
}
