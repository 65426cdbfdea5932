/*
 * tera-board - print the board of a project for eyes
 *
 * All is read first, by verbs, and kept as the JSON that they answered; then
 * each column is a list of finished lines, and printing is a matter of which
 * line stands beside which.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "eyes.h"
#include "json.h"
#include "jvx.h"
#include "store.h"

#define FEW 5     /* projects that are shown without being named */
#define NARROW 18 /* a column that is narrower is no column */
#define WIDE 44   /* and no wider is needed */
#define GAP 2
#define DONE 12 /* tickets of the column done, the latest */

struct lines {
	char **text;
	enum eyes_style *style;
	size_t n;
};

/* What the verbs said about one project. */
struct board {
	jv columns, tickets;
	jv ticket;  /* by id */
	jv job;     /* by ticket: the one that says most */
	jv attempt; /* by job: the last */
	jv pr;      /* by ticket: the last */
};

static struct store *store;
static bool all;

/* --- reading --- */

static int
collect(void *arg, const char *json)
{
	jv *list = arg, v = jvx_parse(json, strlen(json));

	if (jv_is_valid(v))
		*list = jv_array_append(*list, v);
	else
		jv_free(v);
	return 0;
}

/* All that a verb says about key=value. */
static jv
ask(const char *verb, const char *key, const char *value)
{
	struct buf in = BUF_INIT;
	jv list = jv_array();
	struct fault f;
	int rc;

	if (key != NULL)
		json_add(&in, key, value);
	rc = store_do(store, verb, json_end(&in), collect, &list, &f);
	if (rc > 1)
		die(rc, "%s", f.msg);
	buf_free(&in);
	return list;
}

/* In place of old or not?  A running job says more than a waiting one, that
 * more than one that ended; else the later one does. */
static int
rank(jv job)
{
	const char *state = jvx_str(job, "state");

	if (state == NULL)
		return 0;
	if (strcmp(state, "running") == 0)
		return 2;
	return strcmp(state, "pending") == 0 || strcmp(state, "paused") == 0;
}

/* An object of the elements of list (consumed) by their text at key. */
static jv
by(const char *key, jv list)
{
	jv o = jv_object();

	jv_array_foreach (list, i, v) {
		const char *s = jvx_str(v, key);
		jv old = s != NULL ? jvx_get(o, s) : jv_null();

		if (s == NULL || rank(old) > rank(v))
			jv_free(v);
		else
			o = jv_object_set(o, jv_string(s), v);
		jv_free(old);
	}
	jv_free(list);
	return o;
}

/* The element of such an object; null when there is none. */
static jv
find(jv o, const char *text)
{
	return text != NULL ? jvx_get(o, text) : jv_null();
}

/* --- the lines of a card --- */

static void
add_line(struct lines *l, enum eyes_style style, char *text)
{
	l->text = xrealloc(l->text, (l->n + 1) * sizeof(*l->text));
	l->style = xrealloc(l->style, (l->n + 1) * sizeof(*l->style));
	l->text[l->n] = text;
	l->style[l->n++] = style;
}

/* text in up to n lines, each after so many spaces (the first after lead). */
static void
add_wrapped(struct lines *l, enum eyes_style style, const char *lead,
    const char *text, int width, int n)
{
	struct buf b = BUF_INIT;
	int indent = eyes_width(lead);
	bool first = true;

	eyes_wrap(&b, text, width - indent, n);
	if (b.len == 0)
		buf_str(&b, "\n");
	for (char *p = b.s, *nl; (nl = strchr(p, '\n')) != NULL; p = nl + 1) {
		struct buf line = BUF_INIT;

		if (first)
			buf_str(&line, lead);
		else
			eyes_pad(&line, indent);
		buf_add(&line, p, (size_t)(nl - p));
		add_line(l, style, buf_take(&line));
		first = false;
	}
	buf_free(&b);
}

static void
free_lines(struct lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->text[i]);
	free(l->text);
	free(l->style);
}

/* "2026-11-21T07:35:42.123Z" as seconds; 0 when it is no time. */
static time_t
seconds_of(const char *at)
{
	struct tm tm;

	memset(&tm, 0, sizeof(tm));
	if (at == NULL || strptime(at, "%Y-%m-%dT%H:%M:%S", &tm) == NULL)
		return 0;
	return timegm(&tm);
}

static void
add_since(struct buf *b, const char *at)
{
	long s = (long)(time(NULL) - seconds_of(at));

	if (seconds_of(at) == 0 || s < 0)
		return;
	if (s < 60)
		buf_fmt(b, " %lds", s);
	else if (s < 3600)
		buf_fmt(b, " %ldm", s / 60);
	else if (s < 86400)
		buf_fmt(b, " %ldh%02ldm", s / 3600, s / 60 % 60);
	else
		buf_fmt(b, " %ldd", s / 86400);
}

/* What a running job did last, from its log; "turn 3" for a worker's turn. */
static void
add_step(struct buf *b, const char *job)
{
	jv logs = ask("log.list", "job", job);

	for (int i = jv_array_length(jv_copy(logs)); i-- > 0;) {
		jv log = jv_array_get(jv_copy(logs), i);
		const char *step = jvx_str(log, "step");
		bool says = step != NULL && strcmp(step, "output") != 0;
		int turn = 0;

		if (says && sscanf(step, "worker_turn_%d", &turn) == 1)
			buf_fmt(b, ", turn %d", turn);
		else if (says) {
			buf_str(b, ", ");
			for (; *step != '\0'; step++)
				buf_chr(b, *step == '_' ? ' ' : *step);
		}
		jv_free(log);
		if (says)
			break;
	}
	jv_free(logs);
}

static void
add_tries(struct buf *b, jv job, double more)
{
	double tries = jvx_num(job, "tries", 0) + more;

	if (tries > 1)
		buf_fmt(b, ", try %.0f of %.0f", tries,
		    jvx_num(job, "max_tries", 0));
}

static void
add_attempt(struct buf *b, jv attempt)
{
	double turns = jvx_num(attempt, "turns", 0);
	double cost = jvx_num(attempt, "cost_usd", 0);
	const char *verdict = jvx_str(attempt, "verdict");

	if (turns > 0)
		buf_fmt(b, ", %.0f turn%s", turns, turns == 1 ? "" : "s");
	if (verdict != NULL)
		buf_fmt(b, ", tests: %s", verdict);
	if (cost > 0)
		buf_fmt(b, ", $%.2f", cost);
}

static const char *
mark(const char *fancy, const char *plain)
{
	return eyes_utf8() ? fancy : plain;
}

static void
add_job(struct lines *l, const struct board *d, jv job, int width)
{
	const char *state = jvx_str(job, "state");
	const char *reason = jvx_str(job, "reason");
	const char *message = jvx_str(job, "message");
	const char *kind = jvx_str(job, "kind");
	const char *after = jvx_str(job, "run_after");
	const char *lead = "  ";
	enum eyes_style style = EYES_PLAIN;
	struct buf b = BUF_INIT;
	jv attempt = find(d->attempt, jvx_str(job, "id"));

	if (kind != NULL && strcmp(kind, "ticket") != 0)
		buf_fmt(&b, "%s ", kind);
	if (strcmp(state, "running") == 0) {
		lead = mark("\xe2\x96\xb6 ", "> ");
		style = EYES_YELLOW;
		buf_str(&b, "running");
		add_since(&b, jvx_str(job, "claimed_at"));
		add_step(&b, jvx_str(job, "id"));
		add_tries(&b, job, 0);
		if (jvx_str(job, "stop") != NULL)
			buf_str(&b, ", asked to stop");
	} else if (strcmp(state, "pending") == 0) {
		style = EYES_CYAN;
		buf_str(&b, "queued");
		if (seconds_of(after) > time(NULL))
			buf_fmt(&b, " for %.5s UTC", after + 11);
		if (reason != NULL)
			buf_fmt(&b, " after %s", reason);
		add_tries(&b, job, 1);
	} else if (strcmp(state, "completed") == 0) {
		lead = mark("\xe2\x9c\x93 ", "+ ");
		style = EYES_GREEN;
		buf_str(&b, "done");
		if (reason != NULL && strcmp(reason, "ok") != 0)
			buf_fmt(&b, ": %s", reason);
		add_attempt(&b, attempt);
	} else if (strcmp(state, "failed") == 0) {
		lead = mark("\xe2\x9c\x97 ", "x ");
		style = EYES_RED;
		buf_fmt(&b, "failed: %s", reason != NULL ? reason : "error");
		add_attempt(&b, attempt);
	} else
		buf_str(&b, state); /* paused, cancelled */
	add_wrapped(l, style, lead, buf_text(&b), width, 3);
	if (style == EYES_RED && message != NULL)
		add_wrapped(l, EYES_DIM, "  ", message, width, 2);
	buf_free(&b);
	jv_free(attempt);
}

/* The tickets that this one still waits for. */
static void
add_needs(struct lines *l, const struct board *d, jv ticket, int width)
{
	struct buf b = BUF_INIT;
	jv needs = jvx_get(ticket, "needs");

	if (jvx_true(ticket, "blocked") && jv_get_kind(needs) == JV_KIND_ARRAY)
		jv_array_foreach (needs, i, need) {
			jv other = jv_get_kind(need) == JV_KIND_STRING
				       ? find(d->ticket, jv_string_value(need))
				       : jv_null();
			const char *column = jvx_str(other, "column_id");

			if (column != NULL && strcmp(column, "done") != 0)
				buf_fmt(
				    &b, " #%.0f", jvx_num(other, "number", 0));
			jv_free(other);
			jv_free(need);
		}
	if (b.len > 0) {
		char *text = xasprintf("waits for%s", b.s);

		add_wrapped(l, EYES_DIM, "  ", text, width, 2);
		free(text);
	}
	buf_free(&b);
	jv_free(needs);
}

static void
add_pr(struct lines *l, const struct board *d, jv ticket, int width)
{
	jv pr = find(d->pr, jvx_str(ticket, "id"));
	double number = jvx_num(pr, "pr_number", jvx_num(pr, "number", 0));
	const char *state = jvx_str(pr, "state");
	const char *by = jvx_str(pr, "approved_by");

	if (state != NULL) {
		struct buf b = BUF_INIT;

		buf_fmt(&b, "PR %.0f %s", number, state);
		if (by != NULL && strcmp(state, "open") == 0)
			buf_fmt(&b, ", approved by %s", by);
		add_wrapped(l, EYES_PLAIN, "  ", buf_text(&b), width, 2);
		buf_free(&b);
	}
	jv_free(pr);
}

static void
add_card(struct lines *l, const struct board *d, jv ticket, int width)
{
	const char *priority = jvx_str(ticket, "priority");
	const char *title = jvx_str(ticket, "title");
	struct buf lead = BUF_INIT;
	jv job = find(d->job, jvx_str(ticket, "id"));

	if (l->n > 2)
		add_line(l, EYES_PLAIN, xstrdup(""));
	buf_fmt(&lead, "#%.0f ", jvx_num(ticket, "number", 0));
	if (priority != NULL && strcmp(priority, "high") == 0)
		buf_str(&lead, mark("\xe2\x96\xb2 ", "! "));
	else if (priority != NULL && strcmp(priority, "low") == 0)
		buf_str(&lead, mark("\xe2\x96\xbd ", "- "));
	add_wrapped(l, EYES_PLAIN, buf_text(&lead), title != NULL ? title : "",
	    width, 3);
	if (jvx_str(job, "state") != NULL)
		add_job(l, d, job, width);
	add_needs(l, d, ticket, width);
	add_pr(l, d, ticket, width);
	buf_free(&lead);
	jv_free(job);
}

static void
rule(struct buf *b, int n)
{
	while (n-- > 0)
		buf_str(b, mark("\xe2\x94\x80", "-"));
}

static struct lines
column_lines(const struct board *d, jv column, int width)
{
	const char *id = jvx_str(column, "id"),
		   *title = jvx_str(column, "title");
	const char *shown = title != NULL ? title : id != NULL ? id : "?";
	struct lines l = { NULL, NULL, 0 };
	struct buf line = BUF_INIT, name = BUF_INIT;
	int n = 0, skip = 0;

	jv_array_foreach (d->tickets, i, ticket) {
		const char *in = jvx_str(ticket, "column_id");

		n += in != NULL && id != NULL && strcmp(in, id) == 0;
		jv_free(ticket);
	}
	if (!all && n > DONE && id != NULL && strcmp(id, "done") == 0)
		skip = n - DONE;
	eyes_add(&name, shown, width - 7);
	buf_fmt(&name, " (%d)", n);
	add_line(&l, EYES_BOLD, buf_take(&name));
	rule(&line, width);
	add_line(&l, EYES_DIM, buf_take(&line));
	if (skip > 0)
		add_line(&l, EYES_DIM, xasprintf("%d earlier", skip));
	jv_array_foreach (d->tickets, i, ticket) {
		const char *in = jvx_str(ticket, "column_id");

		if (in != NULL && id != NULL && strcmp(in, id) == 0 &&
		    skip-- <= 0)
			add_card(&l, d, ticket, width);
		jv_free(ticket);
	}
	return l;
}

/* --- printing --- */

static void
put_line(struct buf *b, const struct lines *l, size_t i)
{
	if (l->style[i] != EYES_PLAIN && *l->text[i] != '\0') {
		eyes_style(b, l->style[i]);
		buf_str(b, l->text[i]);
		eyes_style(b, EYES_PLAIN);
	} else
		buf_str(b, l->text[i]);
}

static void
print_beside(const struct lines *col, int n, int width)
{
	size_t rows = 0;

	for (int c = 0; c < n; c++)
		if (col[c].n > rows)
			rows = col[c].n;
	for (size_t r = 0; r < rows; r++) {
		struct buf b = BUF_INIT;
		int pad = 0;

		for (int c = 0; c < n; c++, pad += GAP) {
			const char *s = r < col[c].n ? col[c].text[r] : "";

			if (*s != '\0') {
				eyes_pad(&b, pad);
				put_line(&b, &col[c], r);
				pad = 0;
			}
			pad += width - eyes_width(s);
		}
		puts(buf_text(&b));
		buf_free(&b);
	}
}

static void
print_below(const struct lines *col, int n)
{
	for (int c = 0; c < n; c++) {
		if (c > 0)
			putchar('\n');
		for (size_t r = 0; r < col[c].n; r++) {
			struct buf b = BUF_INIT;

			put_line(&b, &col[c], r);
			puts(buf_text(&b));
			buf_free(&b);
		}
	}
}

/* Columns that a board lost but tickets are still in. */
static jv
with_lost_columns(jv columns, jv tickets)
{
	jv there = by("id", jv_copy(columns));

	jv_array_foreach (tickets, i, ticket) {
		const char *in = jvx_str(ticket, "column_id");

		if (in != NULL && jvx_kind(there, in) == JV_KIND_INVALID) {
			jv column = jvx_put(jv_object(), "id", in);

			there = jv_object_set(
			    there, jv_string(in), jv_copy(column));
			columns = jv_array_append(columns, column);
		}
		jv_free(ticket);
	}
	jv_free(there);
	return columns;
}

static void
show_board(const char *project, int width)
{
	jv boards = ask("board.show", "project", project);
	jv board = jv_array_get(boards, 0);
	const char *id = jvx_str(board, "project_id");
	const char *name = jvx_str(board, "project_name");
	struct board d;
	struct buf b = BUF_INIT;
	struct lines *col;
	int n, each;

	if (id == NULL)
		die(EX_NOINPUT, "no such project: %s", project);
	d.columns = jvx_get(board, "columns");
	if (jv_get_kind(d.columns) != JV_KIND_ARRAY) {
		jv_free(d.columns);
		d.columns = jv_array();
	}
	d.tickets = ask("ticket.list", "project", id);
	d.ticket = by("id", jv_copy(d.tickets));
	d.job = by("ticket_id", ask("job.list", "project", id));
	d.attempt = by("job_id", ask("attempt.list", "project", id));
	d.pr = by("ticket_id", ask("pr.list", "project", id));
	d.columns = with_lost_columns(d.columns, d.tickets);
	n = jv_array_length(jv_copy(d.columns));
	each = n > 0 ? (width - GAP * (n - 1)) / n : width;
	if (each > WIDE)
		each = WIDE;
	col = xmalloc(((size_t)n + 1) * sizeof(*col));
	eyes_style(&b, EYES_BOLD);
	eyes_add(&b, name != NULL ? name : id, width);
	eyes_style(&b, EYES_PLAIN);
	puts(buf_text(&b));
	putchar('\n');
	for (int i = 0; i < n; i++) {
		jv column = jv_array_get(jv_copy(d.columns), i);

		col[i] = column_lines(&d, column, each < NARROW ? width : each);
		jv_free(column);
	}
	if (each < NARROW)
		print_below(col, n);
	else
		print_beside(col, n, each);
	for (int i = 0; i < n; i++)
		free_lines(&col[i]);
	free(col);
	buf_free(&b);
	jv_free(d.columns);
	jv_free(d.tickets);
	jv_free(d.ticket);
	jv_free(d.job);
	jv_free(d.attempt);
	jv_free(d.pr);
	jv_free(board);
}

/* Too many to show: which there are. */
static void
list_projects(jv projects, int width)
{
	jv_array_foreach (projects, i, project) {
		struct buf b = BUF_INIT;
		const char *name = jvx_str(project, "name");
		int used;

		buf_fmt(&b, "%6.0f  ", jvx_num(project, "number", 0));
		used = eyes_width(buf_text(&b));
		eyes_add(&b, name != NULL ? name : "",
		    width > used + 8 ? width - used : 8);
		puts(buf_text(&b));
		buf_free(&b);
		jv_free(project);
	}
}

static int
show_all(int width)
{
	jv projects = ask("project.list", NULL, NULL);
	int n = jv_array_length(jv_copy(projects));

	if (n > FEW && !all) {
		list_projects(projects, width);
		warn("%d projects: name one, or use -a for all", n);
	} else
		jv_array_foreach (projects, i, project) {
			if (i > 0)
				putchar('\n');
			show_board(jvx_str(project, "id"), width);
			jv_free(project);
		}
	jv_free(projects);
	if (n == 0)
		warn("no project yet: tera-add project name=... repo_url=...");
	return n > 0 ? 0 : 1;
}

int
main(int argc, char *argv[])
{
	struct fault f = { 0, "" };
	int width, rc = 0;

	err_init(argc, argv, "[-a] [project]");
	for (int c; (c = getopt(argc, argv, "a")) != -1;)
		switch (c) {
		case 'a': all = true; break;
		default: err_usage();
		}
	if (argc - optind > (all ? 0 : 1))
		err_usage();
	eyes_init();
	width = eyes_columns(80);
	if (width < 10)
		width = 10;
	store = store_open(&f);
	if (store == NULL)
		die(f.code, "%s", f.msg);
	if (optind < argc)
		show_board(argv[optind], width);
	else
		rc = show_all(width);
	store_close(store);
	return out_end(rc);
}
