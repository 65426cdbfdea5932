/* See pgdump.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "json.h"
#include "pgdump.h"
#include "pglex.h"

#define COLUMNS 1600 /* of a table of PostgreSQL */

/* What is read, and what becomes of it. */
struct reader {
	struct pglex l;
	struct pgdump *d;
	struct fault *f;
};

static int
bad(struct reader *x, const char *at, const char *what)
{
	return fail(
	    x->f, EX_DATAERR, "line %ld: %s", pglex_line(&x->l, at), what);
}

/* To the end of the statement, which it must have. */
static int
skip(struct reader *x)
{
	struct pglex *r = &x->l;
	const char *from = r->at;

	while (r->token != PGLEX_END && !pglex_is_char(r, ';'))
		pglex_next(r);
	if (r->broken != NULL)
		return bad(x, r->broken, "what begins here has no end");
	return r->token == PGLEX_END
		   ? bad(x, from, "a statement without an end")
		   : 0;
}

/* --- names --- */

static void
add_name(struct buf *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_chr(b, s[i]);
		if (s[i] == '"') /* it is there twice */
			i++;
	}
}

/* A name, perhaps with a schema before it: the last part, which the caller
 * frees.  NULL when there is none.  The token behind it is read. */
static char *
take_name(struct pglex *r)
{
	struct buf b = BUF_INIT;
	const char *dot;
	bool more;

	do {
		more = false;
		buf_clear(&b);
		if (r->token == PGLEX_NAME && r->n >= 2)
			add_name(&b, r->at + 1, r->n - 2);
		else if (r->token == PGLEX_WORD) {
			dot = memrchr(r->at, '.', r->n);
			more = dot == r->at + r->n - 1;
			dot = dot != NULL && !more ? dot + 1 : r->at;
			buf_add(&b, dot, (size_t)(r->at + r->n - dot));
		}
		if (b.len == 0)
			break;
		pglex_next(r);
		/* "schema".name: the dot begins a word */
		if (r->token == PGLEX_WORD && *r->at == '.') {
			r->at++;
			r->n--;
			more = true;
			if (r->n == 0)
				pglex_next(r);
		}
	} while (more);
	if (b.len > 0)
		return buf_take(&b);
	buf_free(&b);
	return NULL;
}

/* A new entry of the list of tables; name is its. */
static struct pgdump_table *
new_table(struct pgdump *d, char *name)
{
	if ((d->tables & (d->tables - 1)) == 0)
		d->table = xrealloc(d->table,
		    (d->tables > 0 ? d->tables * 2 : 1) * sizeof(*d->table));
	d->table[d->tables] = (struct pgdump_table){ .name = name };
	return &d->table[d->tables++];
}

static void
add_column(struct pgdump_table *t, char *name)
{
	t->column =
	    xrealloc(t->column, ((size_t)t->columns + 1) * sizeof(*t->column));
	t->column[t->columns++] = name;
}

static void
drop_table(struct pgdump *d)
{
	struct pgdump_table *t = &d->table[--d->tables];

	free(t->name);
	for (int i = 0; i < t->columns; i++)
		free(t->column[i]);
	free(t->column);
	/* the list is as long as new_table thinks */
	if (d->tables == 0) {
		free(d->table);
		d->table = NULL;
	}
}

/* The names in parentheses of COPY and INSERT; the token is behind them. */
static int
names(struct reader *x, struct pgdump_table *t)
{
	struct pglex *r = &x->l;
	const char *from = r->at;
	char *name;

	do {
		pglex_next(r);
		name = t->columns < COLUMNS ? take_name(r) : NULL;
		if (name != NULL)
			add_column(t, name);
	} while (name != NULL && pglex_is_char(r, ','));
	if (name == NULL || !pglex_is_char(r, ')'))
		return bad(x, from, "no list of columns");
	pglex_next(r);
	return 0;
}

/* The columns of an earlier CREATE TABLE. */
static void
known_columns(struct pgdump *d, struct pgdump_table *t)
{
	for (size_t i = 0; i + 1 < d->tables; i++)
		if (strcmp(d->table[i].name, t->name) == 0) {
			for (int k = 0; k < d->table[i].columns; k++)
				add_column(t, xstrdup(d->table[i].column[k]));
			return;
		}
}

/* --- statements --- */

/* CREATE TABLE: what its columns are called. */
static int
create(struct reader *x)
{
	struct pglex *r = &x->l;
	static const char *const not [] = { "CONSTRAINT", "PRIMARY", "UNIQUE",
		"CHECK", "FOREIGN", "EXCLUDE", "LIKE" };
	struct pgdump_table *t;
	char *name;
	int depth = 1;

	pglex_next(r);
	while (pglex_is(r, "UNLOGGED") || pglex_is(r, "FOREIGN"))
		pglex_next(r);
	if (!pglex_is(r, "TABLE"))
		return skip(x);
	pglex_next(r);
	while (pglex_is(r, "IF") || pglex_is(r, "NOT") || pglex_is(r, "EXISTS"))
		pglex_next(r);
	name = take_name(r);
	if (name == NULL || !pglex_is_char(r, '(')) {
		free(name);
		return skip(x);
	}
	t = new_table(x->d, name);
	pglex_next(r);
	while (depth > 0 && r->token != PGLEX_END && t->columns < COLUMNS) {
		bool column = r->token == PGLEX_WORD || r->token == PGLEX_NAME;

		for (size_t i = 0; i < sizeof(not ) / sizeof(*not ); i++)
			column = column && !pglex_is(r, not [i]);
		name = column ? take_name(r) : NULL;
		if (name != NULL)
			add_column(t, name);
		for (; depth > 0 && r->token != PGLEX_END; pglex_next(r)) {
			depth += pglex_is_char(r, '(') - pglex_is_char(r, ')');
			if (depth == 1 && pglex_is_char(r, ','))
				break;
		}
		if (depth > 0)
			pglex_next(r);
	}
	return skip(x);
}

static void
add_row(struct reader *x, const char *s, const char *end, bool copy)
{
	struct pglex *r = &x->l;
	struct pgdump *d = x->d;

	if ((d->rows & (d->rows - 1)) == 0)
		d->row = xrealloc(
		    d->row, (d->rows > 0 ? d->rows * 2 : 1) * sizeof(*d->row));
	d->row[d->rows++] = (struct pgdump_row){ .table = d->tables - 1,
		.line = pglex_line(r, s),
		.s = s,
		.n = (size_t)(end - s),
		.copy = copy,
		.plain = r->plain };
}

/* The lines of data behind COPY. */
static int
lines(struct reader *x, const char *from)
{
	struct pglex *r = &x->l;
	const char *s = pglex_behind(r->s, r->end, '\n'), *end;

	for (; s < r->end; s = r->s) {
		r->s = pglex_behind(s, r->end, '\n');
		if (r->s[-1] != '\n')
			break; /* half a line */
		end = r->s - 1;
		if (end > s && end[-1] == '\r') /* one of the data is \r */
			end--;
		if (end - s == 2 && memcmp(s, "\\.", 2) == 0)
			return 0;
		add_row(x, s, end, true);
	}
	return bad(x, from, "COPY without an end: the dump is cut off");
}

static int
copy(struct reader *x)
{
	struct pglex *r = &x->l;
	const char *from = r->at;
	struct pgdump_table *t;
	char *name;
	int rc;

	pglex_next(r);
	name = take_name(r);
	if (name == NULL)
		return skip(x);
	t = new_table(x->d, name);
	rc = pglex_is_char(r, '(') ? names(x, t) : 0;
	if (rc != 0)
		return rc;
	if (t->columns == 0)
		known_columns(x->d, t);
	if (!pglex_is(r, "FROM") || pglex_next(r) != PGLEX_WORD ||
	    !pglex_is(r, "STDIN"))
		return skip(x); /* to, or from, a file there */
	pglex_next(r);
	if (r->token == PGLEX_END)
		return bad(x, from, "COPY without an end: the dump is cut off");
	if (!pglex_is_char(r, ';'))
		return bad(x, from, "COPY in another format than pg_dump's");
	return lines(x, from);
}

static int
insert(struct reader *x)
{
	struct pglex *r = &x->l;
	const char *from = r->at, *s;
	struct pgdump_table *t;
	char *name;
	int rc, depth;

	pglex_next(r);
	if (!pglex_is(r, "INTO"))
		return skip(x);
	pglex_next(r);
	name = take_name(r);
	if (name == NULL)
		return skip(x);
	/* a statement a row: one entry serves those of the same form */
	t = new_table(x->d, name);
	rc = pglex_is_char(r, '(') ? names(x, t) : 0;
	if (rc != 0)
		return rc;
	if (t->columns == 0)
		known_columns(x->d, t);
	if (t->columns == 0 && pglex_is(r, "VALUES"))
		return bad(x, from,
		    "INSERT without columns, and no CREATE TABLE before it");
	if (x->d->tables > 1 && t[-1].columns == t->columns &&
	    strcmp(t[-1].name, t->name) == 0) {
		bool same = true;

		for (int i = 0; i < t->columns && same; i++)
			same = strcmp(t[-1].column[i], t->column[i]) == 0;
		if (same)
			drop_table(x->d);
	}
	while (!pglex_is(r, "VALUES")) {
		if (r->token == PGLEX_END || pglex_is_char(r, ';'))
			return skip(x);
		pglex_next(r);
	}
	do {
		pglex_next(r);
		if (!pglex_is_char(r, '('))
			break;
		s = r->s;
		depth = 1;
		while (depth > 0 && pglex_next(r) != PGLEX_END)
			depth += pglex_is_char(r, '(') - pglex_is_char(r, ')');
		if (depth == 0)
			add_row(x, s, r->at, false);
		pglex_next(r);
	} while (pglex_is_char(r, ','));
	return skip(x);
}

/* Does the token, a text or a word, say that? */
static bool
says(const struct pglex *r, const char *text)
{
	size_t quote = r->token == PGLEX_TEXT, n = r->n;

	return n >= 2 * quote && n - 2 * quote == strlen(text) &&
	       strncasecmp(r->at + quote, text, n - 2 * quote) == 0;
}

static int
set(struct reader *x)
{
	struct pglex *r = &x->l;
	bool encoding, strings;

	pglex_next(r);
	encoding = pglex_is(r, "client_encoding");
	strings = pglex_is(r, "standard_conforming_strings");
	pglex_next(r);
	if (!pglex_is_char(r, '=') && !pglex_is(r, "TO"))
		return skip(x);
	pglex_next(r);
	if (strings)
		r->plain = !says(r, "off");
	/* what SQL_ASCII is, each row will show */
	if (encoding && !says(r, "UTF8") && !says(r, "UTF-8") &&
	    !says(r, "UNICODE") && !says(r, "SQL_ASCII"))
		return fail(x->f, EX_DATAERR,
		    "line %ld: in the encoding %.*s: make it with "
		    "pg_dump -E UTF8",
		    pglex_line(r, r->at), (int)(r->n < 40 ? r->n : 40), r->at);
	return skip(x);
}

int
pgdump_read(const char *s, size_t n, struct pgdump *d, struct fault *f)
{
	struct reader x = {
		.l = { .begin = s, .s = s, .end = s + n, .plain = true },
		.d = d,
		.f = f,
	};
	struct pglex *r = &x.l;
	int rc = 0;

	*d = (struct pgdump){ .table = NULL };
	if (n >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0)
		r->s += 3;
	while (rc == 0 && pglex_next(r) != PGLEX_END) {
		if (pglex_is_char(r, ';'))
			continue;
		if (pglex_is(r, "COPY"))
			rc = copy(&x);
		else if (pglex_is(r, "INSERT"))
			rc = insert(&x);
		else if (pglex_is(r, "CREATE"))
			rc = create(&x);
		else if (pglex_is(r, "SET"))
			rc = set(&x);
		else
			rc = skip(&x);
	}
	if (rc == 0 && r->broken != NULL)
		rc = bad(&x, r->broken, "what begins here has no end");
	d->headed = r->begun > 0;
	if (rc == 0 && r->begun > r->ended)
		rc = bad(&x, r->end, "the end is missing: the dump is cut off");
	return rc;
}

void
pgdump_free(struct pgdump *d)
{
	while (d->tables > 0)
		drop_table(d);
	free(d->row);
	*d = (struct pgdump){ .table = NULL };
}

/* --- values --- */

/* One column of the object. */
static int
put(const struct pgdump *d, const struct pgdump_row *row, int column,
    struct buf *b, const struct buf *text, bool null, struct fault *f)
{
	const struct pgdump_table *t = &d->table[row->table];

	if (column >= t->columns)
		return fail(f, EX_DATAERR, "more values than the %d columns",
		    t->columns);
	if (!null && !json_utf8(buf_text(text), text->len))
		return fail(
		    f, EX_DATAERR, "%.60s: not UTF-8", t->column[column]);
	if (null)
		json_add(b, t->column[column], NULL);
	else
		json_addn(b, t->column[column], buf_text(text), text->len);
	return 0;
}

static int
copied(const struct pgdump *d, const struct pgdump_row *row, int *n,
    struct buf *b, struct buf *text, struct fault *f)
{
	const char *s = row->s, *end = s + row->n;
	int rc = 0;

	while (rc == 0) {
		const char *tab = pglex_behind(s, end, '\t');
		bool last = tab == end && (s == end || end[-1] != '\t'), null;

		if (!last)
			tab--;
		null = tab - s == 2 && memcmp(s, "\\N", 2) == 0;
		buf_clear(text);
		while (s < tab)
			if (*s == '\\')
				s = pglex_escape(text, s + 1, tab);
			else
				buf_chr(text, *s++);
		rc = put(d, row, (*n)++, b, text, null, f);
		if (last)
			break;
		s = tab + 1;
	}
	return rc;
}

static int
inserted(const struct pgdump *d, const struct pgdump_row *row, int *n,
    struct buf *b, struct buf *text, struct fault *f)
{
	struct pglex r = {
		.s = row->s, .end = row->s + row->n, .plain = row->plain
	};
	int rc = 0, depth;

	do {
		bool null;

		buf_clear(text);
		if (pglex_next(&r) == PGLEX_OTHER &&
		    (pglex_is_char(&r, '-') || pglex_is_char(&r, '+'))) {
			buf_chr(text, *r.at);
			pglex_next(&r);
		}
		null = pglex_is(&r, "NULL") || pglex_is(&r, "DEFAULT");
		if (r.token == PGLEX_TEXT)
			pglex_text(&r, text);
		else if (r.token == PGLEX_WORD)
			buf_add(text, r.at, r.n);
		else
			return fail(f, EX_DATAERR, "value %d is none", *n + 1);
		rc = put(d, row, (*n)++, b, text, null, f);
		/* ::type, and whatever else there may be to it */
		depth = 0;
		while (pglex_next(&r) != PGLEX_END &&
		       (depth > 0 || !pglex_is_char(&r, ',')))
			depth +=
			    pglex_is_char(&r, '(') - pglex_is_char(&r, ')');
	} while (rc == 0 && r.token != PGLEX_END);
	return rc;
}

int
pgdump_object(const struct pgdump *d, size_t i, struct buf *b, struct fault *f)
{
	const struct pgdump_row *row = &d->row[i];
	struct buf text = BUF_INIT;
	int n = 0, want = d->table[row->table].columns, rc;

	if (row->copy)
		rc = copied(d, row, &n, b, &text, f);
	else
		rc = inserted(d, row, &n, b, &text, f);
	buf_free(&text);
	if (rc == 0 && n < want)
		rc = fail(f, EX_DATAERR, "%d values, and %d columns", n, want);
	json_end(b);
	return rc;
}
