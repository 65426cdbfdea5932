/* See script.h and verb.h. */
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "script.h"

#define STATEMENTS 48 /* of one verb */
#define VARIABLES 24
#define TESTS 2 /* of a statement */

/* Of a parameter, what is bound; of a column, what becomes of it. */
enum role { NOTHING, INPUT, NOW, KEY, VARIABLE, ANSWER };

struct part {
	enum role role;
	int i; /* the number of the key or variable */
};

/* One statement of a verb: compiled when it first runs on a connection, for
 * compiling is most of what a short command does. */
struct statement {
	sqlite3_stmt *st;
	const char *sql;
	int len; /* -1: to the end of the statement */
	struct {
		char when; /* '@' if or '!' unless it is set, or '\0' */
		int var;
	} test[TESTS];
	int params, columns;
	struct part *part; /* of the parameters, then of the columns */
};

/* What a statement gave to those after it; the memory of a text stays. */
struct variable {
	char name[32];
	int type; /* SQLITE_NULL until it is set */
	long long i;
	double d;
	struct buf text;
};

struct script {
	const struct verb *verb;
	struct keys keys;
	struct statement st[STATEMENTS];
	int n;            /* statements found so far */
	const char *rest; /* where the next one begins */
	struct variable var[VARIABLES];
	int vars;
	struct script *next;
};

static struct script *
script(struct scripts *all, const struct verb *v)
{
	struct script *s;

	for (s = all->first; s != NULL; s = s->next)
		if (s->verb == v)
			return s;
	s = xmalloc(sizeof(*s));
	s->verb = v;
	keys_read(&s->keys, v->in);
	s->n = s->vars = 0;
	s->rest = v->sql;
	s->next = all->first;
	all->first = s;
	return s;
}

/* The number of the variable of that name, a new one when it is. */
static int
variable(struct script *s, const char *name, size_t len)
{
	int i;

	for (i = 0; i < s->vars; i++)
		if (strncmp(s->var[i].name, name, len) == 0 &&
		    s->var[i].name[len] == '\0')
			return i;
	if (i == VARIABLES || len >= sizeof(s->var[i].name))
		die(EX_SOFTWARE, "%s: too many variables", s->verb->name);
	s->var[i] = (struct variable){ .type = SQLITE_NULL };
	memcpy(s->var[i].name, name, len);
	s->vars++;
	return i;
}

/* Finds the statement of that number.  Returns 1, or 0 when there is none. */
static int
find_statement(struct script *s, int i)
{
	struct statement *t = &s->st[i];
	const char *p, *end;
	size_t n;

	if (i < s->n)
		return 1;
	p = s->rest + strspn(s->rest, " \n\t");
	if (*p == '\0' || i == STATEMENTS)
		return 0;
	*t = (struct statement){ .len = -1 };
	for (int k = 0; k < TESTS && (*p == '@' || *p == '!'); k++) {
		t->test[k].when = *p++;
		n = strcspn(p, " ");
		t->test[k].var = variable(s, p, n);
		p += n + strspn(p + n, " ");
	}
	t->sql = p;
	if (t->test[0].when != '\0') {
		end = strstr(t->sql, ";\n");
		t->len = (int)(end != NULL ? (size_t)(end - t->sql) + 1
					   : strlen(t->sql));
		s->rest = t->sql + t->len;
	}
	s->n++;
	return 1;
}

static struct part
parameter(struct script *s, const char *name)
{
	size_t len = name != NULL ? strlen(name) : 0;

	if (len > 0 && *name == '@') {
		int i = keys_find(&s->keys, name + 1, len - 1);

		return (struct part){ i >= 0 ? KEY : NOTHING, i };
	}
	if (len == 0)
		return (struct part){ NOTHING, 0 };
	if (strcmp(name, ":in") == 0)
		return (struct part){ INPUT, 0 };
	if (strcmp(name, ":now") == 0)
		return (struct part){ NOW, 0 };
	return (struct part){ VARIABLE, variable(s, name, len) };
}

static struct part
column(struct script *s, const char *name)
{
	if (*name == ':')
		return (
		    struct part){ VARIABLE, variable(s, name, strlen(name)) };
	return (struct part){ strcmp(name, "json") == 0 ? ANSWER : NOTHING, 0 };
}

static int
compile(struct scripts *all, struct script *s, struct statement *t)
{
	const char *end;
	int rc = sqlite3_prepare_v3(
	    all->h, t->sql, t->len, SQLITE_PREPARE_PERSISTENT, &t->st, &end);

	if (rc != SQLITE_OK)
		return rc;
	if (t->len < 0)
		s->rest = end;
	t->len = (int)(end - t->sql);
	t->params = sqlite3_bind_parameter_count(t->st);
	t->columns = sqlite3_column_count(t->st);
	t->part = xmalloc(
	    (unsigned long)(t->params + t->columns + 1) * sizeof(*t->part));
	for (int i = 0; i < t->params; i++)
		t->part[i] =
		    parameter(s, sqlite3_bind_parameter_name(t->st, i + 1));
	for (int i = 0; i < t->columns; i++)
		t->part[t->params + i] =
		    column(s, sqlite3_column_name(t->st, i));
	return SQLITE_OK;
}

/* Binds what a key of the input holds, as SQLite's ->> would give it. */
static int
bind_key(sqlite3_stmt *st, int at, struct input *in, int key)
{
	struct slice v = in->value[key];
	enum jscan_kind kind = v.s != NULL ? jscan_kind(v) : JSCAN_NULL;
	const char *text;
	long long whole;
	size_t n;

	switch (kind) {
	case JSCAN_NULL: return sqlite3_bind_null(st, at);
	case JSCAN_FALSE:
	case JSCAN_TRUE: return sqlite3_bind_int(st, at, kind == JSCAN_TRUE);
	case JSCAN_INTEGER:
		errno = 0;
		whole = strtoll(v.s, NULL, 10);
		return errno == 0
			   ? sqlite3_bind_int64(st, at, whole)
			   : sqlite3_bind_double(st, at, strtod(v.s, NULL));
	case JSCAN_REAL: return sqlite3_bind_double(st, at, strtod(v.s, NULL));
	default:
		text = input_text(in, key, &n);
		return sqlite3_bind_text(st, at, text, (int)n, SQLITE_STATIC);
	}
}

static int
bind_variable(sqlite3_stmt *st, int at, const struct variable *v)
{
	switch (v->type) {
	case SQLITE_INTEGER: return sqlite3_bind_int64(st, at, v->i);
	case SQLITE_FLOAT: return sqlite3_bind_double(st, at, v->d);
	case SQLITE_TEXT:
		/* a copy: the statement may set the variable itself */
		return sqlite3_bind_text(st, at, buf_text(&v->text),
		    (int)v->text.len, SQLITE_TRANSIENT);
	default: return sqlite3_bind_null(st, at);
	}
}

static int
bind(struct scripts *all, const struct script *s, const struct statement *t,
    struct input *in)
{
	int rc = SQLITE_OK;

	for (int i = 0; rc == SQLITE_OK && i < t->params; i++)
		switch (t->part[i].role) {
		case INPUT:
			rc = sqlite3_bind_text(
			    t->st, i + 1, in->text, -1, SQLITE_STATIC);
			break;
		case NOW:
			rc = sqlite3_bind_text(t->st, i + 1, sqlfn_now(all->fn),
			    -1, SQLITE_STATIC);
			break;
		case KEY: rc = bind_key(t->st, i + 1, in, t->part[i].i); break;
		case VARIABLE:
			rc = bind_variable(t->st, i + 1, &s->var[t->part[i].i]);
			break;
		default: rc = sqlite3_bind_null(t->st, i + 1);
		}
	return rc;
}

static void
set_variable(struct variable *v, sqlite3_stmt *st, int i)
{
	v->type = sqlite3_column_type(st, i);
	if (v->type == SQLITE_INTEGER)
		v->i = sqlite3_column_int64(st, i);
	else if (v->type == SQLITE_FLOAT)
		v->d = sqlite3_column_double(st, i);
	else if (v->type != SQLITE_NULL) {
		v->type = SQLITE_TEXT;
		buf_clear(&v->text);
		buf_add(&v->text, sqlite3_column_text(st, i),
		    (size_t)sqlite3_column_bytes(st, i));
	}
}

/* One row: answers out, variables in.  Non-zero: the reader has enough. */
static int
take_row(struct script *s, const struct statement *t, row_fn *row, void *arg,
    bool *any)
{
	int rc = 0;

	for (int i = 0; i < t->columns && rc == 0; i++) {
		struct part c = t->part[t->params + i];
		const char *text;

		if (c.role == VARIABLE) {
			set_variable(&s->var[c.i], t->st, i);
		} else if (c.role == ANSWER) {
			text = (const char *)sqlite3_column_text(t->st, i);
			if (text == NULL)
				continue;
			*any = true;
			if (row != NULL)
				rc = row(arg, text);
		}
	}
	return rc;
}

static bool
wanted(const struct script *s, const struct statement *t)
{
	for (int k = 0; k < TESTS && t->test[k].when != '\0'; k++)
		if ((s->var[t->test[k].var].type != SQLITE_NULL) !=
		    (t->test[k].when == '@'))
			return false;
	return true;
}

/* Runs the statements in order. */
static int
run(struct scripts *all, struct script *s, struct input *in, row_fn *row,
    void *arg, struct fault *f)
{
	bool any = false;
	int stop = 0;

	for (int i = 0; i < s->vars; i++)
		s->var[i].type = SQLITE_NULL;
	for (int i = 0; stop == 0 && find_statement(s, i); i++) {
		struct statement *t = &s->st[i];
		int step = SQLITE_DONE;

		if (!wanted(s, t))
			continue;
		if (t->st == NULL && (step = compile(all, s, t)) != SQLITE_OK)
			return sqlfn_fault(all->fn, all->h, step, f);
		step = bind(all, s, t, in);
		if (step != SQLITE_OK)
			return sqlfn_fault(all->fn, all->h, step, f);
		while (stop == 0 && (step = sqlite3_step(t->st)) == SQLITE_ROW)
			stop = take_row(s, t, row, arg, &any);
		if (stop == 0 && step != SQLITE_DONE) {
			int rc = sqlfn_fault(all->fn, all->h, step, f);

			sqlite3_reset(t->st);
			return rc;
		}
		sqlite3_reset(t->st);
	}
	return !any && (s->verb->flags & VERB_ONE) ? 1 : 0;
}

int
script_run(struct scripts *all, const struct verb *v, const char *text,
    row_fn *row, void *arg, struct fault *f)
{
	struct script *s = script(all, v);
	struct input in;
	int rc = input_take(&in, v, &s->keys, text, f);

	sqlfn_begin(all->fn);
	if (rc == 0)
		rc = run(all, s, &in, row, arg, f);
	input_free(&in, &s->keys);
	return rc;
}

void
script_end(struct scripts *all)
{
	while (all->first != NULL) {
		struct script *s = all->first;

		for (int i = 0; i < s->n; i++) {
			sqlite3_finalize(s->st[i].st);
			free(s->st[i].part);
		}
		for (int i = 0; i < s->vars; i++)
			buf_free(&s->var[i].text);
		all->first = s->next;
		free(s);
	}
}
