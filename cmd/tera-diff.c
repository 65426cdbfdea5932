/*
 * tera-diff: what changed, for people and for programs.
 *
 * Text is passed on byte by byte.  As JSON each file is one line that keeps
 * within the limit of a record: what is beyond is cut, and "truncated" says
 * so; the counts are those of the whole file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "diff.h"
#include "mirror.h"

#define USAGE "[-Six] [-C directory] [-U lines] {base..head | -}"
#define COMMITS_MAX 250
#define FILE_JSON_MAX (512UL * 1024) /* bytes of JSON for one file */
#define LINE_MAX_OUT 8192UL          /* bytes of one line's text */

enum form { JSON, STAT, TEXT, COMMITS };

struct out {
	enum form form;
	const char *job; /* of the record at hand, or NULL */
	struct buf b;    /* the JSON of one file */
	bool in_hunk, any_hunk, any_line, cut;
	size_t files, additions, deletions;
};

/* --- JSON --- */

static void
json_file(void *arg, const struct diff_file *f)
{
	struct out *o = arg;

	buf_clear(&o->b);
	o->in_hunk = o->any_hunk = o->cut = false;
	if (o->job != NULL)
		json_add(&o->b, "job_id", o->job);
	json_add(&o->b, "path", f->path);
	json_add(&o->b, "old_path", f->old_path);
	json_add(&o->b, "status", f->status);
	json_add_bool(&o->b, "binary", f->binary);
	json_add_int(&o->b, "additions", (long long)f->additions);
	json_add_int(&o->b, "deletions", (long long)f->deletions);
	json_add_raw(&o->b, "hunks", "[");
}

static void
hunk_end(struct out *o)
{
	if (o->in_hunk)
		buf_str(&o->b, "]}");
	o->in_hunk = false;
}

static size_t
without_newline(const char *s, size_t n)
{
	return n > 0 && s[n - 1] == '\n' ? n - 1 : n;
}

static void
json_hunk(void *arg, const char *header, size_t n)
{
	struct out *o = arg;

	hunk_end(o);
	if (o->b.len > FILE_JSON_MAX) {
		o->cut = true;
		return;
	}
	buf_str(&o->b, o->any_hunk ? ",{\"header\":" : "{\"header\":");
	json_quote(&o->b, header, without_newline(header, n));
	buf_str(&o->b, ",\"lines\":[");
	o->in_hunk = o->any_hunk = true;
	o->any_line = false;
}

static void
json_line(void *arg, const struct diff_line *l)
{
	struct out *o = arg;
	struct buf one = BUF_INIT;
	const char *text = l->text;
	size_t n = without_newline(text, l->len);

	if (l->kind == '\\') { /* libgit2's text is the patch's own */
		text = "No newline at end of file";
		n = strlen(text);
	}
	if (!o->in_hunk || o->b.len > FILE_JSON_MAX || n > LINE_MAX_OUT)
		o->cut = true;
	if (!o->in_hunk || o->b.len > FILE_JSON_MAX)
		return;
	json_addn(&one, "kind", &l->kind, 1);
	if (l->old_no >= 0)
		json_add_int(&one, "old", l->old_no);
	else
		json_add(&one, "old", NULL);
	if (l->new_no >= 0)
		json_add_int(&one, "new", l->new_no);
	else
		json_add(&one, "new", NULL);
	json_addn(&one, "text", text, n < LINE_MAX_OUT ? n : LINE_MAX_OUT);
	if (o->any_line)
		buf_chr(&o->b, ',');
	buf_str(&o->b, json_end(&one));
	o->any_line = true;
	buf_free(&one);
}

static void
json_done(void *arg)
{
	struct out *o = arg;

	hunk_end(o);
	buf_chr(&o->b, ']');
	if (o->cut)
		json_add_bool(&o->b, "truncated", true);
	puts(json_end(&o->b));
}

/* --- for eyes --- */

static void
text_part(void *arg, const char *s, size_t n)
{
	(void)arg;
	fwrite(s, 1, n, stdout);
}

/* A path on one line: quoted where it holds a control character. */
static void
put_path(const char *path)
{
	struct buf b = BUF_INIT;

	json_quote(&b, path, strlen(path));
	if (strchr(b.s, '\\') != NULL)
		fputs(b.s, stdout);
	else
		fputs(path, stdout);
	buf_free(&b);
}

static void
stat_file(void *arg, const struct diff_file *f)
{
	struct out *o = arg;

	o->files++;
	o->additions += f->additions;
	o->deletions += f->deletions;
	if (f->binary)
		fputs("  binary      ", stdout);
	else
		printf("%6zu+ %5zu- ", f->additions, f->deletions);
	if (strcmp(f->status, "renamed") == 0) {
		put_path(f->old_path);
		fputs(" => ", stdout);
	}
	put_path(f->path);
	if (strcmp(f->status, "modified") != 0)
		printf(" (%s)", f->status);
	putchar('\n');
}

static void
stat_total(const struct out *o)
{
	printf("%zu file%s, %zu insertion%s, %zu deletion%s\n", o->files,
	    o->files == 1 ? "" : "s", o->additions,
	    o->additions == 1 ? "" : "s", o->deletions,
	    o->deletions == 1 ? "" : "s");
}

/* --- only a look --- */

static void
add_commit(void *arg, const struct diff_commit *c)
{
	struct out *o = arg;
	struct buf one = BUF_INIT;
	char at[32];
	time_t t = (time_t)c->at;
	struct tm tm;

	json_add(&one, "oid", c->oid);
	json_addn(&one, "sha", c->oid, 7); /* as Terarchitect has it */
	json_add(&one, "message", c->subject != NULL ? c->subject : "");
	json_add(&one, "author", c->author);
	if (gmtime_r(&t, &tm) != NULL &&
	    strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0)
		json_add(&one, "created_at", at);
	buf_chr(&o->b, o->b.len > 0 ? ',' : '[');
	buf_str(&o->b, json_end(&one));
	buf_free(&one);
}

/* Which commits there are between the two. */
static int
commits(struct out *o, struct repo *r, const char *base, const char *head,
    struct fault *f)
{
	char from[OID_LEN], to[OID_LEN];
	struct buf b = BUF_INIT;
	int code;

	if (head == NULL)
		head = "HEAD";
	buf_clear(&o->b);
	code = diff_commits(r, base, head, COMMITS_MAX, add_commit, o, f);
	if (code != 0)
		return code;
	buf_str(&o->b, o->b.len > 0 ? "]" : "[]");
	if (o->job != NULL)
		json_add(&b, "job_id", o->job);
	if (repo_commit_of(r, base, from))
		json_add(&b, "base_oid", from);
	if (repo_commit_of(r, head, to))
		json_add(&b, "head_oid", to);
	json_add_raw(&b, "commits", o->b.s);
	puts(json_end(&b));
	buf_free(&b);
	return 0;
}

/* --- one difference --- */

static int
show(struct out *o, struct repo *r, const char *base, const char *head,
    unsigned context, struct fault *f)
{
	struct diff d = { .arg = o, .context = context };
	int code;

	if (o->form == COMMITS)
		return commits(o, r, base, head, f);
	o->files = o->additions = o->deletions = 0;
	switch (o->form) {
	case COMMITS: break;
	case TEXT: d.text = text_part; break;
	case STAT: d.file = stat_file; break;
	case JSON:
		d.file = json_file;
		d.hunk = json_hunk;
		d.line = json_line;
		d.end = json_done;
		break;
	}
	code = diff_show(r, base, head, &d, f);
	if (code == 0 && o->form == STAT)
		stat_total(o);
	return code;
}

/* "a..b", "a...b" (from where they parted) or "a" (to the work tree). */
static int
range(struct out *o, const char *dir, const char *arg, unsigned context,
    struct fault *f)
{
	struct repo *r = repo_find(dir, f);
	char *base = xstrdup(arg), *dots = strstr(base, "..");
	const char *from = base, *to = NULL;
	char a[OID_LEN], b[OID_LEN], fork[OID_LEN];
	bool parted = dots != NULL && dots[2] == '.';
	int code;

	if (dots != NULL) {
		*dots = '\0';
		to = dots + (parted ? 3 : 2);
		to = *to != '\0' ? to : "HEAD";
		from = *from != '\0' ? from : "HEAD";
	}
	if (r != NULL && parted && repo_commit_of(r, from, a) &&
	    repo_commit_of(r, to, b) && repo_merge_base(r, a, b, fork))
		from = fork;
	code = r != NULL ? show(o, r, from, to, context, f) : f->code;
	free(base);
	repo_close(r);
	return code;
}

/* --- job records --- */

/* Does r have what the record names? */
static bool
has(struct repo *r, const char *base, const char *head)
{
	char oid[OID_LEN];

	return repo_commit_of(r, base, oid) &&
	       (head == NULL || repo_commit_of(r, head, oid));
}

/* The work tree of a record, or the mirror of its source, which is brought up
 * to date where it lacks something: a reviewer's machine may have none yet. */
static struct repo *
repo_of(const char *rec, const char *base, const char *head, bool *bare,
    struct fault *f)
{
	char *dir = json_get(rec, "$.workspace"), *source;
	struct repo *r = dir != NULL ? repo_open(dir, NULL) : NULL;
	struct mirror m;

	free(dir);
	*bare = r == NULL;
	if (r != NULL || (source = mirror_source(rec, f)) == NULL)
		return r;
	if (mirror_open(&m, source, f) == 0) {
		r = repo_open(m.path, NULL);
		if (r == NULL || !has(r, base, head)) {
			repo_close(r);
			r = mirror_fetch(&m, f) == 0 ? m.repo : NULL;
			m.repo = r != NULL ? NULL : m.repo;
		}
	}
	mirror_close(&m);
	free(source);
	return r;
}

/*
 * A record that names a branch only: what it changed since it left its base,
 * both as they are there now.  head and base come to be the caller's to free.
 */
static struct repo *
by_branch(const char *rec, char **base, char **head, struct fault *f)
{
	char *source = mirror_source(rec, f), *branch, *onto, *tip, *bottom;
	struct repo *r = NULL;
	struct mirror m;
	char a[OID_LEN], b[OID_LEN], fork[OID_LEN];

	if (source == NULL)
		return NULL;
	branch = json_get(rec, "$.head_branch");
	onto = json_get(rec, "$.base_branch");
	if (mirror_open(&m, source, f) == 0 && mirror_fetch(&m, f) == 0 &&
	    (onto != NULL || mirror_default(&m, &onto, f) == 0)) {
		tip = xasprintf("refs/remotes/origin/%s", branch);
		bottom = xasprintf("refs/remotes/origin/%s", onto);
		if (!repo_commit_of(m.repo, tip, b))
			fail(f, EX_NOINPUT, "%s: no branch %s there", m.shown,
			    branch);
		else if (!repo_commit_of(m.repo, bottom, a) ||
			 !repo_merge_base(m.repo, a, b, fork))
			fail(f, EX_DATAERR,
			    "%s: %s and %s have nothing in common", m.shown,
			    onto, branch);
		else {
			*base = xstrdup(fork);
			*head = xstrdup(b);
			r = m.repo;
			m.repo = NULL;
		}
		free(tip);
		free(bottom);
	}
	mirror_close(&m);
	free(source);
	free(branch);
	free(onto);
	return r;
}

static bool
has_branch(const char *rec)
{
	char *branch = json_get(rec, "$.head_branch");
	bool yes = branch != NULL && git_branch_ok(branch);

	free(branch);
	return yes;
}

static int
record(struct out *o, const char *rec, unsigned context, struct fault *f)
{
	char *base = json_get(rec, "$.base_oid");
	char *head = json_get(rec, "$.head_oid");
	char *job = json_get(rec, "$.job_id");
	struct repo *r = NULL;
	bool bare = false;
	int code;

	if (base == NULL && head == NULL && has_branch(rec)) {
		r = by_branch(rec, &base, &head, f);
		o->job = job;
		code = r == NULL ? f->code : show(o, r, base, head, context, f);
	} else if (base == NULL)
		code = fail(f, EX_DATAERR, "the record has no base_oid");
	else if ((r = repo_of(rec, base, head, &bare, f)) == NULL)
		code = f->code;
	else if (bare && head == NULL)
		code = fail(f, EX_DATAERR,
		    "the record has neither head_oid nor a work tree");
	else {
		o->job = job;
		code = show(o, r, base, head, context, f);
	}
	repo_close(r);
	free(job);
	free(head);
	free(base);
	return code;
}

static int
records(struct out *o, unsigned context)
{
	struct json_lines in = { .fp = stdin };
	struct fault f;
	int rc, code = 0;

	while ((rc = json_next(&in, &f)) != 0)
		if (rc < 0 || record(o, buf_text(&in.line), context, &f) != 0) {
			warn("%s", f.msg);
			code = f.code;
		}
	json_lines_free(&in);
	return code;
}

int
main(int argc, char *argv[])
{
	struct out o = { .form = JSON };
	struct fault f;
	const char *dir = ".";
	long long context = 3;
	int c, code;

	err_init(argc, argv, USAGE);
	while ((c = getopt(argc, argv, "C:SU:ix")) != -1)
		switch (c) {
		case 'C': dir = optarg; break;
		case 'i': o.form = COMMITS; break;
		case 'S': o.form = STAT; break;
		case 'U': context = cmd_number("-U", optarg, 0, 100000); break;
		case 'x': o.form = TEXT; break;
		default: err_usage();
		}
	if (optind + 1 != argc)
		err_usage();
	if (strcmp(argv[optind], "-") == 0)
		code = records(&o, (unsigned)context);
	else if ((code = range(&o, dir, argv[optind], (unsigned)context, &f)) !=
		 0)
		warn("%s", f.msg);
	buf_free(&o.b);
	return out_end(code);
}
