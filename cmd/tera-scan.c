/*
 * tera-scan - print records as aligned lines for eyes
 *
 * What a record is shows in its keys, and says which of them are worth a
 * column.  Records are printed in batches, because a column is as wide as what
 * is in it: a batch ends when nothing has come for a tenth of a second, so
 * that a stream that somebody follows appears as it comes.  Columns only grow.
 */
#include <ctype.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "eyes.h"
#include "json.h"
#include "jvx.h"

#define BATCH 1000 /* records */
#define PAUSE_MS 100
#define COLUMNS_MAX 32
#define GAP 2
#define LAST 24 /* columns of the last one that it keeps at first */
#define LEAST 6 /* columns that a value keeps when room is short */
#define SHORT_ID 12

/* A record with all the keys of needs is of this kind; ~key is an id of which
 * the end will do. */
static const struct kind {
	const char *needs, *columns;
} kinds[] = {
	{ "seq noun what", "seq at noun what ~id actor data" },
	{ "seq step", "seq created_at step success summary" },
	{ "job_id started_at fence",
	    "number ~job_id worker started_at outcome reason exit "
	    "turns cost_usd verdict" },
	{ "head_branch base_branch state",
	    "number pr_number forge state verify.verdict approved_by "
	    "updated_at title" },
	{ "ticket_id kind state priority",
	    "number kind state reason priority tries blocked worker created_at "
	    "run_after message" },
	{ "job_id kind",
	    "number ~job_id kind state outcome reason exit attempt tries "
	    "branch turns verify.verdict pr_number run_after error.stage "
	    "error.message message title" },
	{ "job_id outcome",
	    "number ~job_id outcome reason exit turns error.stage "
	    "error.message" },
	{ "column_id title",
	    "number priority column_id status blocked pr_number title" },
	{ "name execution_mode",
	    "number name execution_mode base_branch max_running repo_url "
	    "project_path" },
	{ "needs_id ticket_id", "ticket needs kind met" },
	{ "pr_id body", "number created_at author path line body" },
	{ "author body", "number created_at author body" },
	{ "key value", "key secret updated_at value" },
	{ "title content", "number title content" },
	{ "verb in", "verb write in" },
};

struct column {
	char *key; /* a path, a.b */
	bool short_id;
	bool text; /* something in it is no number */
	int width;
};

static struct column cols[COLUMNS_MAX];
static int ncols;
static char **asked; /* the operands, NULL: none */
static bool bare;    /* -H */
static int width;    /* 0: as wide as it gets */
static const struct kind *now;
static const struct kind other = { "", "" };
static bool headed;

/* --- values --- */

/* The value at the path as a new reference; invalid when it is absent. */
static jv
at(jv rec, const char *path)
{
	jv v = jv_copy(rec);

	while (*path != '\0') {
		size_t n = strcspn(path, ".");

		if (jv_get_kind(v) != JV_KIND_OBJECT) {
			jv_free(v);
			return jv_invalid();
		}
		v = jv_object_get(v, jv_string_sized(path, (int)n));
		path += n + (path[n] == '.');
	}
	return v;
}

static bool
is_time(const char *s)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:dd";

	for (size_t i = 0; shape[i] != '\0'; i++)
		if (shape[i] == 'd' ? !isdigit((unsigned char)s[i])
				    : s[i] != shape[i])
			return false;
	s += sizeof(shape) - 1;
	if (*s == '.')
		s += 1 + strspn(s + 1, "0123456789");
	return strcmp(s, "Z") == 0;
}

static bool
is_uuid(const char *s)
{
	return strlen(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' &&
	       s[23] == '-';
}

/* What a column shows of a record.  The caller frees it. */
static char *
show(const struct column *c, jv rec, bool *number)
{
	jv v = at(rec, c->key);
	struct buf b = BUF_INIT;

	*number = false;
	switch (jv_get_kind(v)) {
	case JV_KIND_INVALID:
	case JV_KIND_NULL: *number = true; break;
	case JV_KIND_STRING: {
		const char *s = jv_string_value(v);

		if (is_time(s) && asked == NULL)
			buf_fmt(&b, "%.5s %.8s", s + 5, s + 11);
		else if (is_uuid(s) && c->short_id)
			buf_str(&b, s + 36 - SHORT_ID);
		else
			buf_add(
			    &b, s, (size_t)jv_string_length_bytes(jv_copy(v)));
		break;
	}
	case JV_KIND_NUMBER: *number = true; /* FALLTHROUGH */
	default: jvx_add(&b, v);
	}
	jv_free(v);
	return buf_take(&b);
}

/* --- columns --- */

static void
add_column(const char *key, size_t n)
{
	struct column *c;

	if (ncols == COLUMNS_MAX || n == 0)
		return;
	c = &cols[ncols++];
	c->short_id = *key == '~';
	c->key = xstrndup(key + c->short_id, n - c->short_id);
	c->text = false;
	c->width = bare ? 0 : eyes_width(c->key);
}

static bool
has_all(jv rec, const char *keys)
{
	for (size_t n; *keys != '\0'; keys += n + (keys[n] == ' ')) {
		jv v;

		n = strcspn(keys, " ");
		v = jv_object_get(jv_copy(rec), jv_string_sized(keys, (int)n));
		if (!jv_is_valid(v)) {
			jv_free(v);
			return false;
		}
		jv_free(v);
	}
	return true;
}

static const struct kind *
kind_of(jv rec)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (has_all(rec, kinds[i].needs))
			return &kinds[i];
	return &other;
}

/* Has any record of the batch (borrowed) the path?  Null is an answer only
 * where more records are to come. */
static bool
any_has(jv batch, const char *path, bool more)
{
	bool found = false;

	for (int i = 0, n = jv_array_length(jv_copy(batch)); i < n && !found;
	     i++) {
		jv rec = jv_array_get(jv_copy(batch), i), v = at(rec, path);

		found =
		    jv_is_valid(v) && (more || jv_get_kind(v) != JV_KIND_NULL);
		jv_free(v);
		jv_free(rec);
	}
	return found;
}

static void
forget_columns(void)
{
	while (ncols > 0)
		free(cols[--ncols].key);
	headed = false;
}

static void
choose_columns(jv batch, bool more)
{
	if (asked != NULL) {
		for (char **s = asked; *s != NULL; s++)
			add_column(*s, strlen(*s));
		return;
	}
	if (now == &other) {
		jv rec = jv_array_get(jv_copy(batch), 0), keys = jv_keys(rec);

		jv_array_foreach (keys, i, key) {
			if (i < 8)
				add_column(jv_string_value(key),
				    strlen(jv_string_value(key)));
			jv_free(key);
		}
		jv_free(keys);
		return;
	}
	for (const char *s = now->columns; *s != '\0';) {
		size_t n = strcspn(s, " ");
		char *key = xstrndup(s + (*s == '~'), n - (*s == '~'));

		/* an id says nothing beside a number */
		if (any_has(batch, key, more) &&
		    !(strcmp(key, "job_id") == 0 && now != &kinds[2] &&
			any_has(batch, "number", more)))
			add_column(s, n);
		free(key);
		s += n + (s[n] == ' ');
	}
}

/* The last column gives first, then the widest, until all fit. */
static void
fit(int w[])
{
	for (;;) {
		int sum = -GAP, widest = 0;

		for (int i = 0; i < ncols; i++) {
			sum += w[i] + GAP;
			if (w[i] >= w[widest])
				widest = i;
		}
		if (sum <= width || w[widest] <= LEAST)
			return;
		if (w[ncols - 1] > LAST)
			widest = ncols - 1;
		w[widest]--;
	}
}

/* --- printing --- */

static enum eyes_style
style_of(const char *s)
{
	static const struct {
		const char *word;
		enum eyes_style style;
	} words[] = {
		{ "completed", EYES_GREEN },
		{ "pass", EYES_GREEN },
		{ "merged", EYES_GREEN },
		{ "failed", EYES_RED },
		{ "fail", EYES_RED },
		{ "error", EYES_RED },
		{ "running", EYES_YELLOW },
		{ "pending", EYES_CYAN },
		{ "open", EYES_CYAN },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(s, words[i].word) == 0)
			return words[i].style;
	return EYES_PLAIN;
}

/* One line; cells are freed. */
static void
print_row(char *cell[], const int w[], enum eyes_style all)
{
	struct buf b = BUF_INIT;
	int pad = 0;

	for (int i = 0; i < ncols; i++, pad += GAP) {
		struct buf text = BUF_INIT;
		int n = eyes_add(&text, cell[i], width > 0 ? w[i] : -1);
		enum eyes_style style =
		    all != EYES_PLAIN ? all : style_of(cell[i]);

		if (!cols[i].text)
			pad += w[i] - n;
		if (n > 0) {
			eyes_pad(&b, pad);
			pad = 0;
			if (style != EYES_PLAIN)
				eyes_style(&b, style);
			buf_str(&b, text.s);
			if (style != EYES_PLAIN)
				eyes_style(&b, EYES_PLAIN);
		}
		if (cols[i].text)
			pad += w[i] - n;
		buf_free(&text);
		free(cell[i]);
	}
	puts(buf_text(&b));
	buf_free(&b);
}

/* A batch of one kind; consumed.  more: it ended because of a pause. */
static void
print_batch(jv batch, bool more)
{
	int n = jv_array_length(jv_copy(batch)), w[COLUMNS_MAX];
	char **cells;

	if (n == 0) {
		jv_free(batch);
		return;
	}
	if (ncols == 0)
		choose_columns(batch, more);
	cells = xmalloc((size_t)n * COLUMNS_MAX * sizeof(*cells));
	for (int r = 0; r < n; r++) {
		jv rec = jv_array_get(jv_copy(batch), r);

		for (int i = 0; i < ncols; i++) {
			bool number;
			char *s = show(&cols[i], rec, &number);
			int cw = eyes_width(s);

			if (cw > cols[i].width)
				cols[i].width = cw;
			cols[i].text |= !number;
			cells[r * COLUMNS_MAX + i] = s;
		}
		jv_free(rec);
	}
	for (int i = 0; i < ncols; i++)
		w[i] = cols[i].width;
	if (width > 0)
		fit(w);
	if (!headed && !bare) {
		char *head[COLUMNS_MAX];

		for (int i = 0; i < ncols; i++)
			head[i] = xstrdup(cols[i].key);
		print_row(head, w, EYES_BOLD);
	}
	headed = true;
	for (int r = 0; r < n; r++)
		print_row(&cells[r * COLUMNS_MAX], w, EYES_PLAIN);
	free(cells);
	jv_free(batch);
	fflush(stdout);
}

/* Nothing has come for a while? */
static bool
pause_now(struct json_lines *l)
{
	struct pollfd p = { STDIN_FILENO, POLLIN, 0 };

	return !json_ready(l) && poll(&p, 1, PAUSE_MS) == 0;
}

static int
scan(void)
{
	static struct json_lines l;
	struct fault f;
	jv batch = jv_array();
	int rc, code = 0;

	l.fp = stdin;
	while ((rc = json_next(&l, &f)) != 0) {
		const struct kind *k;
		bool more;
		jv rec;

		if (rc < 0) {
			warn("%s", f.msg);
			code = f.code;
			continue;
		}
		rec = jvx_parse(l.line.s, l.line.len);
		if (!jv_is_valid(rec)) {
			jv_free(rec);
			warn("line %ld: not JSON", l.no);
			code = EX_DATAERR;
			continue;
		}
		k = asked != NULL ? &other : kind_of(rec);
		if (k != now) {
			print_batch(batch, false);
			batch = jv_array();
			if (headed && !bare)
				putchar('\n');
			forget_columns();
			now = k;
		}
		batch = jv_array_append(batch, rec);
		more = pause_now(&l);
		if (more || jv_array_length(jv_copy(batch)) >= BATCH) {
			print_batch(batch, more);
			batch = jv_array();
		}
	}
	print_batch(batch, false);
	forget_columns();
	json_lines_free(&l);
	return code;
}

int
main(int argc, char *argv[])
{
	err_init(argc, argv, "[-H] [key ...]");
	for (int c; (c = getopt(argc, argv, "H")) != -1;)
		switch (c) {
		case 'H': bare = true; break;
		default: err_usage();
		}
	for (int i = optind; i < argc; i++)
		if (*argv[i] == '\0')
			err_usage();
	if (optind < argc)
		asked = argv + optind;
	eyes_init();
	width = eyes_columns(0);
	return out_end(scan());
}
