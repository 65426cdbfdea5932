/* See talk.h. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "json.h"
#include "talk.h"
#include "usage.h"

#define TALK_MAX (256 * 1024 * 1024)
#define ERROR_TEXT 4096 /* of an error counts for "the same" */

int
talk_load(struct buf *b, const char *path, struct fault *f)
{
	size_t from = b->len;
	int rc = buf_file(b, path, TALK_MAX);

	if (rc < 0 && errno == ENOENT)
		return 0;
	if (rc < 0)
		return fail(f, EX_NOINPUT, "%s: %s", path, strerror(errno));
	if (rc > 0)
		return fail(f, EX_DATAERR, "%s: too long for a talk", path);
	while (b->len > from && b->s[b->len - 1] != '\n')
		b->len--;
	if (b->s != NULL)
		b->s[b->len] = '\0';
	return 0;
}

/* The line that ends before *end (a newline's place); *end moves up to the
 * newline before it.  The caller frees it; NULL at the beginning. */
static char *
line_before(const struct buf *b, size_t *end)
{
	size_t from = *end, to = *end;
	char *line;

	if (to == 0)
		return NULL;
	from--; /* the newline itself */
	while (from > 0 && b->s[from - 1] != '\n')
		from--;
	line = xstrndup(b->s + from, to - 1 - from);
	*end = from;
	return line;
}

char *
talk_state(const struct buf *b)
{
	size_t end = b->len;
	char *line, *what;
	bool summary;

	while ((line = line_before(b, &end)) != NULL) {
		/* A broken line in the middle is not a state either. */
		if (json_check(line, strlen(line), NULL) == 0) {
			what = json_get(line, "$.do");
			summary = what != NULL && strcmp(what, "summary") == 0;
			free(what);
			if (!summary)
				return line;
		}
		free(line);
	}
	return NULL;
}

/* --- the totals --- */

static bool
is(const char *s, const char *word)
{
	return s != NULL && strcmp(s, word) == 0;
}

/* A short name for a text; for an error digits do not count, because times,
 * ports and process numbers differ between two equal ones. */
static void
name_of(char id[17], const char *text, bool error)
{
	struct sha256_ctx ctx;
	uint8_t sum[8];

	sha256_init(&ctx);
	for (size_t i = 0; text[i] != '\0' && (!error || i < ERROR_TEXT); i++)
		if (!error || !isdigit((unsigned char)text[i]))
			sha256_update(&ctx, 1, (const uint8_t *)&text[i]);
	sha256_digest(&ctx, sizeof(sum), sum);
	for (size_t i = 0; i < sizeof(sum); i++) {
		id[2 * i] = "0123456789abcdef"[sum[i] >> 4];
		id[2 * i + 1] = "0123456789abcdef"[sum[i] & 15];
	}
	id[16] = '\0';
}

/* The sum of tokens with those of one more line. */
static long long
tokens(const char *last, const char *new, const char *key)
{
	char before[32], now[32];

	snprintf(before, sizeof(before), "$.sum.%s", key);
	snprintf(now, sizeof(now), "$.usage.%s", key);
	return usage_tokens(json_real(last, before, 0) +
			    (double)usage_tokens(json_real(new, now, 0)));
}

static void
add_sums(struct buf *line, const char *last, const char *new, bool work)
{
	struct buf sum = BUF_INIT;

	json_add_int(
	    &sum, "turns", json_int(last, "$.sum.turns", 0) + (work ? 1 : 0));
	json_add_int(&sum, "input_tokens", tokens(last, new, "input_tokens"));
	json_add_int(&sum, "output_tokens", tokens(last, new, "output_tokens"));
	json_add_real(&sum, "cost_usd",
	    usage_cost(json_real(last, "$.sum.cost_usd", 0) +
		       usage_cost(json_real(new, "$.usage.cost_usd", 0))));
	json_add_int(&sum, "ms",
	    json_int(last, "$.sum.ms", 0) + json_int(new, "$.ms", 0));
	json_add_raw(line, "sum", json_end(&sum));
	buf_free(&sum);
}

/* How often each stage was run. */
static void
add_tries(struct buf *line, const char *last, const char *stage)
{
	struct buf one = BUF_INIT, path = BUF_INIT;
	char *tries = json_raw(last, "$.tries"), *all;

	buf_fmt(&path, "$.tries.\"%s\"", stage);
	json_add_int(line, "try", json_int(last, buf_text(&path), 0) + 1);
	json_add_int(&one, stage, json_int(last, buf_text(&path), 0) + 1);
	all = json_merge(tries != NULL ? tries : "{}", json_end(&one));
	json_add_raw(line, "tries", all);
	free(all);
	free(tries);
	buf_free(&one);
	buf_free(&path);
}

/* One counter of same{}: how often in a row, and of what. */
static void
count(struct buf *same, const char *key, const char *last, const char *id)
{
	struct buf path = BUF_INIT, key_id = BUF_INIT;
	char *old;
	long long n = 1;

	buf_fmt(&key_id, "%s_id", key);
	buf_fmt(&path, "$.same.%s", buf_text(&key_id));
	old = json_get(last, buf_text(&path));
	if (is(old, id)) {
		buf_clear(&path);
		buf_fmt(&path, "$.same.%s", key);
		n += json_int(last, buf_text(&path), 0);
	}
	json_add_int(same, key, n);
	json_add(same, buf_text(&key_id), id);
	free(old);
	buf_free(&path);
	buf_free(&key_id);
}

/* The counter as it was. */
static void
keep(struct buf *same, const char *key, const char *last)
{
	struct buf path = BUF_INIT;
	char *id;

	buf_fmt(&path, "$.same.%s_id", key);
	id = json_get(last, buf_text(&path));
	if (id != NULL) {
		buf_clear(&path);
		buf_fmt(&path, "$.same.%s", key);
		json_add_int(same, key, json_int(last, buf_text(&path), 0));
		buf_clear(&path);
		buf_fmt(&path, "%s_id", key);
		json_add(same, buf_text(&path), id);
	}
	free(id);
	buf_free(&path);
}

/*
 * What came again: prompt, empty answer and unchanged tree are of the
 * worker's turns; an error is of a stage, and one good end of that stage
 * begins the count anew.
 */
static void
add_same(struct buf *line, const char *last, const char *new, bool work)
{
	struct buf same = BUF_INIT, err = BUF_INIT;
	char *verdict = json_get(new, "$.verdict");
	char *stage = json_get(new, "$.stage"), *text = json_get(new, "$.text");
	char *head = json_get(new, "$.head_oid");
	char *prompt = json_get(new, "$.prompt");
	char *old = json_get(last, "$.same.error_stage");
	char id[17];

	if (work) {
		name_of(id, prompt != NULL ? prompt : "", false);
		count(&same, "prompt", last, id);
		if (text == NULL || *text == '\0')
			count(&same, "empty", last, "1");
	} else {
		keep(&same, "prompt", last);
		keep(&same, "empty", last);
	}
	if (work && head != NULL && !is(json_type(new, "$.writes"), "false"))
		count(&same, "tree", last, head);
	else
		keep(&same, "tree", last);
	if (is(verdict, "error") || is(verdict, "timeout") ||
	    is(verdict, "fail") || is(verdict, "unknown")) {
		buf_fmt(&err, "%s: %s", stage, text != NULL ? text : "");
		name_of(id, buf_text(&err), true);
		count(&same, "error", last, id);
		json_add(&same, "error_stage", stage);
	} else if (old != NULL && !is(old, stage)) {
		keep(&same, "error", last);
		json_add(&same, "error_stage", old);
	}
	json_add_raw(line, "same", json_end(&same));
	buf_free(&same);
	buf_free(&err);
	free(verdict);
	free(stage);
	free(text);
	free(head);
	free(prompt);
	free(old);
}

/* --- appending --- */

static void
add_now(struct buf *line)
{
	char at[32];
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", &tm);
	json_add(line, "at", at);
}

/* A turn that waits for a provider's quota was none, but it cost something:
 * the state as it was, with the sums of now. */
static char *
parked(const char *last, const char *fields)
{
	struct buf b = BUF_INIT;
	char *what = json_get(last, "$.do"), *whole;

	json_add(&b, "do", what != NULL ? what : "park");
	json_add_bool(&b, "parked", true);
	json_end(&b);
	whole = json_merge(fields, b.s);
	buf_free(&b);
	free(what);
	what = json_merge(last, whole);
	free(whole);
	return what;
}

static void
compose(struct buf *line, const struct buf *all, const char *fields)
{
	char *last = talk_state(all), *what = json_get(fields, "$.do");
	char *stage = json_get(fields, "$.stage"), *whole, *base = NULL;
	struct buf more = BUF_INIT;
	bool work = is(what, "work"), park = is(what, "park");
	long long n = 1;

	for (size_t i = 0; i < all->len; i++)
		n += all->s[i] == '\n';
	json_add_int(&more, "n", n);
	add_now(&more);
	if (is(what, "resume")) {
		/* A new try of a failed run: all counts begin anew. */
		free(last);
		last = NULL;
	}
	if (last == NULL)
		last = xstrdup("{}");
	if (!is(what, "summary"))
		add_sums(&more, last, fields, work);
	if (park)
		base = parked(last, fields);
	else if (!is(what, "summary")) {
		if (stage != NULL && !is(what, "resume"))
			add_tries(&more, last, stage);
		add_same(&more, last, fields, work);
	}
	whole = json_merge(base != NULL ? base : fields, json_end(&more));
	buf_str(line, whole);
	free(whole);
	free(base);
	free(last);
	free(what);
	free(stage);
	buf_free(&more);
}

static int
append(int fd, off_t whole, struct buf *line)
{
	ssize_t n;

	if (ftruncate(fd, whole) < 0)
		return -1;
	buf_chr(line, '\n');
	n = pwrite(fd, line->s, line->len, whole);
	if (n != (ssize_t)line->len) {
		/* Half a line is none. */
		int saved = n < 0 ? errno : ENOSPC;

		if (ftruncate(fd, whole) < 0)
			saved = errno;
		errno = saved;
		return -1;
	}
	line->s[--line->len] = '\0';
	return fsync(fd);
}

int
talk_add(
    const char *path, const char *fields, struct buf *line, struct fault *f)
{
	struct buf all = BUF_INIT;
	int fd, rc;

	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(f, EX_CANTCREAT, "%s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX) < 0) {
		close(fd);
		return fail(f, EX_OSERR, "%s: %s", path, strerror(errno));
	}
	rc = talk_load(&all, path, f);
	if (rc == 0) {
		compose(line, &all, fields);
		if (line->len > JSON_LINE_MAX)
			rc = fail(f, EX_DATAERR, "%s: a line of %zu bytes",
			    path, line->len);
		else if (append(fd, (off_t)all.len, line) < 0)
			rc = fail(f, EX_IOERR, "%s: %s", path, strerror(errno));
	}
	close(fd);
	buf_free(&all);
	return rc;
}

/* --- guards --- */

static const char *
stalled(const char *state, struct buf *why)
{
	static const struct {
		const char *path, *what;
	} same[] = {
		{ "$.same.error", "the same error" },
		{ "$.same.prompt", "the same prompt" },
		{ "$.same.empty", "an empty answer" },
		{ "$.same.tree", "an unchanged tree" },
	};

	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++) {
		long long n = json_int(state, same[i].path, 0);

		/* The first turn over a tree is not a repetition of it. */
		if (i == 3)
			n--;
		if (n < TALK_SAME)
			continue;
		buf_fmt(why, "%s %lld times in a row", same[i].what, n);
		return "stall";
	}
	return NULL;
}

const char *
talk_guard(const char *state, const char *limits, struct buf *why)
{
	long long turns = json_int(limits, "$.turns", 60);
	long long tokens = json_int(limits, "$.tokens", 0);
	double cost = json_real(limits, "$.cost_usd", 0);
	double secs = json_real(limits, "$.seconds", 0);
	double spent = json_real(state, "$.sum.cost_usd", 0);
	double ran = (double)json_int(state, "$.sum.ms", 0) / 1000;
	long long used = json_int(state, "$.sum.input_tokens", 0) +
			 json_int(state, "$.sum.output_tokens", 0);

	if (stalled(state, why) != NULL)
		return "stall";
	if (secs > 0 && ran >= secs) {
		buf_fmt(why, "%.0f of %.0f seconds are used up", ran, secs);
		return "seconds";
	}
	if (cost > 0 && spent >= cost) {
		buf_fmt(why, "%.4f of %.4f USD are used up", spent, cost);
		return "cost_usd";
	}
	if (tokens > 0 && used >= tokens) {
		buf_fmt(why, "%lld of %lld tokens are used up", used, tokens);
		return "tokens";
	}
	if (turns > 0 && json_int(state, "$.sum.turns", 0) >= turns) {
		buf_fmt(why, "%lld turns are used up", turns);
		return "turns";
	}
	return NULL;
}
