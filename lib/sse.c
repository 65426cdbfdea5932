/* See sse.h. */
#include <string.h>

#include "sse.h"

static int
dispatch(struct sse *s)
{
	int rc = 0;

	if (s->got_data)
		rc = s->event(s->arg, s->name, buf_text(&s->data), s->data.len);
	buf_clear(&s->data);
	s->name[0] = '\0';
	s->got_data = false;
	return rc;
}

/* One whole line: "field: value", the space optional. */
static int
line(struct sse *s)
{
	const char *text = buf_text(&s->line), *value;
	size_t n = s->line.len, name;

	if (n == 0)
		return dispatch(s);
	value = memchr(text, ':', n);
	name = value != NULL ? (size_t)(value - text) : n;
	n -= name;
	if (value == NULL)
		value = "";
	else {
		value++;
		n--;
		if (n > 0 && *value == ' ') {
			value++;
			n--;
		}
	}
	if (name == 4 && memcmp(text, "data", 4) == 0) {
		if (s->data.len + n + 1 > SSE_MAX)
			return -1;
		if (s->got_data)
			buf_chr(&s->data, '\n');
		buf_add(&s->data, value, n);
		s->got_data = true;
	} else if (name == 5 && memcmp(text, "event", 5) == 0) {
		if (n >= sizeof(s->name))
			n = sizeof(s->name) - 1;
		memcpy(s->name, value, n);
		s->name[n] = '\0';
	}
	return 0;
}

int
sse_feed(struct sse *s, const char *p, size_t n)
{
	const char *end = p + n;

	while (p < end && s->rc == 0) {
		const char *q = p;

		if (s->cr && *p == '\n') {
			s->cr = false;
			p++;
			continue;
		}
		s->cr = false;
		while (q < end && *q != '\n' && *q != '\r')
			q++;
		if (s->line.len + (size_t)(q - p) > SSE_MAX) {
			s->rc = -1;
			break;
		}
		if (q > p)
			buf_add(&s->line, p, (size_t)(q - p));
		p = q;
		if (p == end)
			break;
		s->cr = *p++ == '\r';
		s->rc = line(s);
		buf_clear(&s->line);
	}
	return s->rc;
}

int
sse_end(struct sse *s)
{
	if (s->rc == 0 && s->line.len > 0)
		s->rc = line(s);
	buf_clear(&s->line);
	if (s->rc == 0)
		s->rc = dispatch(s);
	return s->rc;
}

void
sse_free(struct sse *s)
{
	buf_free(&s->line);
	buf_free(&s->data);
}
