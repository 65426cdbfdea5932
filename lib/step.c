/* See step.h. */
#include <stdlib.h>
#include <string.h>

#include "git.h"
#include "step.h"

/* rec with the error of this stage; an older error is kept. */
static char *
with_error(const struct step *s, const char *rec, const struct fault *f)
{
	struct buf e = BUF_INIT, with = BUF_INIT;
	char *sum;

	if (strcmp(json_type(rec, "$.error"), "object") == 0)
		return xstrdup(rec);
	json_add(&e, "stage", s->stage);
	json_add_int(&e, "code", f->code);
	if (s->reason != NULL)
		json_add(&e, "reason", s->reason);
	json_add(&e, "message", f->msg);
	json_add_raw(&with, "error", json_end(&e));
	sum = json_merge(rec, json_end(&with));
	buf_free(&e);
	buf_free(&with);
	return sum;
}

static int
serve_one(struct step *s, step_fn *serve)
{
	struct fault f = { 0 };
	char *sum, *rec;
	int code;

	buf_clear(&s->add);
	s->reason = NULL;
	code = serve(s, &f);
	rec = json_merge(s->rec, json_end(&s->add));
	if (code != 0) {
		warn("%s", f.msg);
		sum = with_error(s, rec, &f);
		free(rec);
		rec = sum;
	}
	puts(rec);
	fflush(stdout);
	free(rec);
	return code;
}

int
step_run(struct step *s, step_fn *serve)
{
	struct json_lines in = { .fp = stdin };
	struct fault f;
	int rc, code, exit_code = 0;

	while ((rc = json_next(&in, &f)) != 0) {
		if (rc < 0) {
			warn("%s", f.msg);
			exit_code = f.code;
			continue;
		}
		s->rec = buf_text(&in.line);
		if (!s->failed_too &&
		    strcmp(json_type(s->rec, "$.error"), "") != 0 &&
		    strcmp(json_type(s->rec, "$.error"), "null") != 0) {
			puts(s->rec);
			fflush(stdout);
			continue;
		}
		code = serve_one(s, serve);
		if (code != 0 && s->strict)
			exit_code = code;
	}
	json_lines_free(&in);
	buf_free(&s->add);
	return exit_code;
}

static bool
file_name(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n < 128 && *s != '.' && *s != '-' &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			 "0123456789._-") == n;
}

/* The id that a key of the record holds; takes it over. */
static char *
named(char *id, struct fault *f)
{
	if (id != NULL && file_name(id))
		return id;
	fail(f, EX_DATAERR, "%s",
	    id == NULL ? "the record has no job_id"
		       : "the record's job_id is no name for a directory");
	free(id);
	return NULL;
}

char *
step_job(const struct step *s, struct fault *f)
{
	return named(json_get(s->rec, "$.job_id"), f);
}

char *
step_any_job(const struct step *s, struct fault *f)
{
	static const char *const keys[] = { "$.job_id", "$.job", "$.id" };
	char *id = NULL;

	for (size_t i = 0; id == NULL && i < sizeof(keys) / sizeof(*keys); i++)
		id = json_get(s->rec, keys[i]);
	return named(id, f);
}

char *
step_branch(const struct step *s, bool here, struct fault *f)
{
	char *branch = here ? json_get(s->rec, "$.work_branch") : NULL;

	if (branch == NULL)
		branch = json_get(s->rec, "$.branch");
	if (branch != NULL && git_branch_ok(branch))
		return branch;
	fail(f, EX_DATAERR, "%s",
	    branch == NULL ? "the record has no branch"
			   : "the record's branch is no name for a branch");
	free(branch);
	return NULL;
}
