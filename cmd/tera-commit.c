/*
 * tera-commit: commits what a turn left in the work tree.
 *
 * All that git does not ignore is taken, but a file that holds one of our
 * secrets, a very large one, and what git refuses are left.  Where the worker
 * moved HEAD elsewhere, the commit is brought back onto the job's branch.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "mirror.h"
#include "spawn.h"
#include "step.h"

#define USAGE "[-m message] [max_mb=n]"
#define SUBJECT_MAX 200
#define LEFT_MAX 4 /* that a warning names */

static const char *given;       /* -m */
static long long file_max = 50; /* max_mb */

/* text cut at SUBJECT_MAX bytes, between two characters. */
static void
cut(struct buf *b, const char *text)
{
	size_t n = strlen(text);

	if (n > SUBJECT_MAX) {
		n = SUBJECT_MAX;
		while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
			n--;
	}
	while (n > 0 && strchr(" \t\r\n", text[n - 1]) != NULL)
		n--;
	buf_add(b, text, n);
}

/* The first that says something: -m, commit_message, title. */
static void
message(const struct step *s, struct buf *b)
{
	static const char *const keys[] = { "$.commit_message", "$.title" };
	char *ticket = json_get(s->rec, "$.ticket_id");

	if (given != NULL)
		cut(b, given);
	for (size_t i = 0; b->len == 0 && i < 2; i++) {
		char *text = json_get(s->rec, keys[i]);

		if (text != NULL)
			cut(b, text + strspn(text, " \t\r\n"));
		free(text);
	}
	if (b->len == 0)
		buf_str(b, "Implementation");
	buf_chr(b, '\n');
	if (ticket != NULL && *ticket != '\0')
		buf_fmt(b, "\nTicket: %.100s\n", ticket);
	free(ticket);
}

static void
report(struct step *s, struct repo *r, const struct repo_commit *c)
{
	struct buf left = BUF_INIT, few = BUF_INIT;
	char head[OID_LEN];

	json_add(
	    &s->add, "head_oid", repo_commit_of(r, "HEAD", head) ? head : NULL);
	json_add_bool(&s->add, "committed", c->made);
	json_add_int(&s->add, "changed", (long long)c->changed);
	json_add(&s->add, "tree_oid", *c->tree != '\0' ? c->tree : NULL);
	for (size_t i = 0; i < c->left.n; i++) {
		if (i < LEFT_MAX)
			buf_fmt(&few, "%s%s", i > 0 ? ", " : "", c->left.v[i]);
		buf_chr(&left, i == 0 ? '[' : ',');
		json_quote(&left, c->left.v[i], strlen(c->left.v[i]));
	}
	if (left.len > 0) {
		if (c->left.n > LEFT_MAX)
			buf_fmt(&few, " and %zu more", c->left.n - LEFT_MAX);
		warn("not committed: %s", buf_text(&few));
		buf_chr(&left, ']');
		json_add_raw(&s->add, "left", buf_text(&left));
	}
	buf_free(&left);
	buf_free(&few);
}

static int
commit_in(struct step *s, struct repo *r, struct fault *f)
{
	struct repo_commit c = { .file_max = file_max * 1024 * 1024 };
	struct buf text = BUF_INIT;
	struct mask m = { 0 };
	char *branch = NULL;
	int code;

	mask_init(&m);
	message(s, &text);
	c.message = buf_text(&text);
	c.secrets = &m;
	code = repo_commit_all(r, &c, f);
	if (code == 0 && json_type(s->rec, "$.branch")[0] == 't') {
		branch = step_branch(s, true, f);
		code = branch != NULL ? repo_attach(r, branch, f) : f->code;
	}
	if (code == 0)
		report(s, r, &c);
	free(branch);
	strs_free(&c.left);
	mask_free(&m);
	buf_free(&text);
	return code;
}

static int
commit(struct step *s, struct fault *f)
{
	char *dir = json_get(s->rec, "$.workspace");
	struct repo *r = NULL;
	int code;

	if (dir == NULL)
		return fail(f, EX_DATAERR, "the record has no workspace");
	code = mirror_tied(s->rec, dir, f);
	if (code == 0) {
		r = repo_open(dir, f);
		code = r != NULL ? commit_in(s, r, f) : f->code;
	}
	repo_close(r);
	free(dir);
	return code;
}

int
main(int argc, char *argv[])
{
	struct step s = { .stage = "commit" };
	const char *max = NULL;
	const struct cmd_key key = { "max_mb", &max, NULL };
	int c;

	err_init(argc, argv, USAGE);
	while ((c = getopt(argc, argv, "m:")) != -1)
		switch (c) {
		case 'm': given = optarg; break;
		default: err_usage();
		}
	cmd_keys(&key, 1, argc - optind, argv + optind);
	if (max != NULL)
		file_max = cmd_number("max_mb", max, 1, 4096);
	return out_end(step_run(&s, commit));
}
