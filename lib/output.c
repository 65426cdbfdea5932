/* See output.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "json.h"
#include "output.h"

#define LOG_MS 1000                    /* or what there is after this time */
#define LOG_CAP (1024 * 1024LL)        /* of a run, handed to say */
#define SPILL_CAP (64 * 1024 * 1024LL) /* of a run in its file */

/* At most n bytes of it, but not half a character. */
static size_t
whole(const struct buf *b, size_t n)
{
	size_t end = n;

	if (n >= b->len)
		return b->len;
	while (
	    end > 0 && n - end < 4 && ((unsigned char)b->s[end] & 0xc0) == 0x80)
		end--;
	return n - end < 4 && end > 0 ? end : n;
}

/* Where to cut: behind a line, else between characters; 0: wait for more. */
static size_t
cut(const struct buf *b)
{
	const char *nl = memrchr(b->s, '\n', b->len);

	if (nl != NULL)
		return (size_t)(nl - b->s) + 1;
	return b->len < OUTPUT_PIECE ? 0 : whole(b, b->len - 4);
}

void
output_flush(struct output *o, bool last)
{
	size_t n = o->log.len == 0 ? 0 : last ? o->log.len : cut(&o->log);

	while (n > 0) {
		size_t piece =
		    n > 4 * OUTPUT_PIECE ? whole(&o->log, 4 * OUTPUT_PIECE) : n;

		o->say(o->arg, "output of the agent", o->log.s, piece, NULL);
		buf_drop(&o->log, piece);
		n -= piece;
	}
	o->log_at = o->log.len > 0 ? clock_ms() + LOG_MS : CLOCK_NEVER;
}

/* What the store does not take any more goes to a file of the run. */
static void
spill(struct output *o, const char *s, size_t n)
{
	if (o->spill < 0 && o->spilled == 0) {
		char *path = xasprintf("%s/output", o->dir);
		char *note;

		o->spill =
		    open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		note = xasprintf("the rest of the output is in %s", path);
		output_flush(o, true);
		o->say(o->arg, note, "", 0, path);
		free(note);
		free(path);
	}
	if (o->spilled < SPILL_CAP && o->spill >= 0 &&
	    write(o->spill, s, n) < 0) {
		warn("%s: output:", o->name);
		close(o->spill);
		o->spill = -1;
	}
	o->spilled += (long long)n;
}

static void
add_log(struct output *o, const char *s, size_t n)
{
	if (n == 0)
		return;
	if (o->logged >= LOG_CAP && !o->plain) {
		spill(o, s, n);
		return;
	}
	o->logged += (long long)n;
	if (o->log.len == 0)
		o->log_at = clock_ms() + (o->plain ? 0 : LOG_MS);
	buf_add(&o->log, s, n);
	if (o->log.len >= OUTPUT_PIECE)
		output_flush(o, false);
}

/* A line of stdout: the last object is the result, all else is log. */
static void
add_line(struct output *o, bool newline)
{
	struct buf old = o->result;

	if (o->line.len > 0 && o->line.s[0] == '{' &&
	    json_check(o->line.s, o->line.len, NULL) == 0) {
		o->result = o->line;
		o->line = old;
	}
	if (newline && o->line.len > 0)
		buf_chr(&o->line, '\n');
	add_log(o, buf_text(&o->line), o->line.len);
	buf_clear(&o->line);
}

static void
add_stdout(struct output *o, const char *s, size_t n)
{
	while (n > 0) {
		const char *nl = memchr(s, '\n', n);
		size_t len = nl != NULL ? (size_t)(nl - s) : n;

		buf_add(&o->line, s, len);
		if (nl != NULL)
			add_line(o, true);
		else if (o->line.len > JSON_LINE_MAX) {
			add_log(o, o->line.s, o->line.len);
			buf_clear(&o->line);
		}
		len += nl != NULL;
		s += len;
		n -= len;
	}
}

/* Keeps the last line that says something: why an agent ended. */
static void
add_stderr(struct output *o, const char *s, size_t n)
{
	add_log(o, s, n);
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\n') {
			o->last_whole = true;
			continue;
		}
		if (o->last_whole)
			buf_clear(&o->last);
		o->last_whole = false;
		if (o->last.len < 500)
			buf_chr(&o->last, s[i]);
	}
}

/* Masks what has come and passes it on. */
static void
pass_on(struct output *o, int i, bool last)
{
	struct buf *hold = &o->hold[i];
	size_t n = mask_ready(o->mask, hold, last);

	if (n > 0 && i == 0)
		add_stdout(o, hold->s, n);
	else if (n > 0)
		add_stderr(o, hold->s, n);
	buf_drop(hold, n);
}

bool
output_hear(struct output *o, int i)
{
	char piece[65536];
	ssize_t n = read(o->fd[i], piece, sizeof(piece));

	if (n < 0)
		return errno == EINTR;
	if (n == 0) {
		close(o->fd[i]);
		o->fd[i] = -1;
	} else
		buf_add(&o->hold[i], piece, (size_t)n);
	pass_on(o, i, n == 0);
	return n > 0;
}

void
output_end(struct output *o)
{
	for (int i = 0; i < 2; i++) {
		while (o->fd[i] >= 0 && output_hear(o, i))
			continue;
		pass_on(o, i, true);
	}
	if (o->line.len > 0)
		add_line(o, false);
	output_flush(o, true);
}

void
output_free(struct output *o)
{
	if (o->spill >= 0)
		close(o->spill);
	for (int i = 0; i < 2; i++) {
		if (o->fd[i] >= 0)
			close(o->fd[i]);
		buf_free(&o->hold[i]);
	}
	buf_free(&o->line);
	buf_free(&o->result);
	buf_free(&o->log);
	buf_free(&o->last);
}
