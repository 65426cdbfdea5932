/* See eyes.h. */
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "eyes.h"

static bool utf8, colour;

void
eyes_init(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	setlocale(LC_CTYPE, "");
	utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	if (!utf8) /* the store is UTF-8 whatever the locale says */
		setlocale(LC_CTYPE, "C.UTF-8");
	colour = isatty(STDOUT_FILENO) && (no == NULL || *no == '\0') &&
		 (term == NULL || strcmp(term, "dumb") != 0);
}

bool
eyes_utf8(void)
{
	return utf8;
}

int
eyes_columns(int absent)
{
	const char *s = getenv("COLUMNS");
	struct winsize w;
	char *end;
	long n;

	if (s != NULL && *s != '\0') {
		n = strtol(s, &end, 10);
		if (*end == '\0' && n > 0 && n <= 10000)
			return (int)n;
	}
	if (isatty(STDOUT_FILENO) &&
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0)
		return w.ws_col;
	return absent;
}

/* Turns the direction of a line, or cannot be seen. */
static bool
treacherous(wchar_t c)
{
	return (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0x61c || c == 0xfeff ||
	       c == 0xad || (c >= 0xe0000 && c <= 0xe0fff);
}

/*
 * The next character of s: how it is shown in out, its columns in cols.
 * Returns the bytes it has in s.
 */
static size_t
next(const char *s, char out[24], int *cols)
{
	mbstate_t st;
	wchar_t c;
	size_t n;

	memset(&st, 0, sizeof(st));
	n = mbrtowc(&c, s, MB_CUR_MAX, &st);
	if (n == (size_t)-1 || n == (size_t)-2 || n == 0) {
		n = 1;
		snprintf(out, 24, "\\x%02x", (unsigned char)*s);
	} else if (c == '\n' || c == '\t' || c == '\r')
		snprintf(out, 24, "\\%c",
		    c == '\n'   ? 'n'
		    : c == '\t' ? 't'
				: 'r');
	else if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		snprintf(out, 24, "\\x%02x", (unsigned)c);
	else if (treacherous(c) || wcwidth(c) < 0)
		snprintf(out, 24, "\\u%04x", (unsigned)c);
	else {
		memcpy(out, s, n);
		out[n] = '\0';
		*cols = wcwidth(c);
		return n;
	}
	*cols = (int)strlen(out);
	return n;
}

int
eyes_width(const char *s)
{
	char out[24];
	int cols, sum = 0;

	while (*s != '\0' && sum < INT_MAX - 24) {
		s += next(s, out, &cols);
		sum += cols;
	}
	return sum;
}

int
eyes_add(struct buf *b, const char *s, int max)
{
	const char *more = utf8 ? "\xe2\x80\xa6" : "~";
	size_t fits = b->len; /* where the ellipsis would go */
	char out[24];
	int cols, sum = 0, at_fits = 0;

	if (max == 0)
		return 0;
	while (*s != '\0') {
		s += next(s, out, &cols);
		if (max > 0 && sum + cols > max) {
			b->len = fits;
			buf_str(b, more);
			return at_fits + 1;
		}
		buf_str(b, out);
		sum += cols;
		if (sum < max) {
			fits = b->len;
			at_fits = sum;
		}
	}
	return sum;
}

void
eyes_pad(struct buf *b, int n)
{
	while (n-- > 0)
		buf_chr(b, ' ');
}

void
eyes_style(struct buf *b, enum eyes_style style)
{
	static const char *const codes[] = { "0", "1", "2", "31", "32", "33",
		"36" };

	if (colour)
		buf_fmt(b, "\033[%sm", codes[style]);
}

static bool
blank(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

int
eyes_wrap(struct buf *out, const char *s, int width, int n)
{
	int lines = 0;

	while (lines < n) {
		struct buf line = BUF_INIT;
		int used = 0;

		for (;;) { /* a word at a time */
			size_t len = 0;
			char *word;
			int w;

			while (blank(*s))
				s++;
			while (s[len] != '\0' && !blank(s[len]))
				len++;
			if (len == 0)
				break;
			word = xstrndup(s, len);
			w = eyes_width(word);
			if (used > 0 && used + 1 + w > width && lines < n - 1) {
				free(word);
				break;
			}
			if (used > 0)
				buf_chr(&line, ' ');
			buf_str(&line, word);
			used += w + (used > 0);
			s += len;
			free(word);
			if (used > width && lines < n - 1) {
				/* a long word goes on in the next line */
				const char *p = buf_text(&line);
				int sum = 0, cols;
				char c[24];
				size_t k;

				for (;; p += k, sum += cols) {
					k = next(p, c, &cols);
					if (sum + cols > width && sum > 0)
						break;
				}
				s -= strlen(p);
				line.len = (size_t)(p - line.s);
				line.s[line.len] = '\0';
				break;
			}
			if (used > width)
				break;
		}
		if (line.len == 0) {
			buf_free(&line);
			break;
		}
		eyes_add(out, line.s, width);
		buf_chr(out, '\n');
		buf_free(&line);
		lines++;
	}
	return lines;
}
