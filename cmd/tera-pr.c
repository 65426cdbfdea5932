/*
 * tera-pr - pull requests of the local forge: for any git remote
 *
 * The requests are kept in the store, the branches on the remote.  As a stage
 * (-) it opens one for each job record, or brings the open one of the branch
 * up to date, and posts the answer of a review job.  What looks at git or
 * merges is a command of the git group that runs as a child, so that opening
 * a request does not pay for libgit2.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "noun.h"
#include "review.h"
#include "spawn.h"
#include "step.h"

#define USAGE                                                                  \
	"{- | [-L path:line] [-m message] [-M method] [-p project] "           \
	"{list | show | look | diff | files | review | comment | approve | "   \
	"merge | close} [pr] "                                                 \
	"[text | -] [key=value ...]}"
#define DIFF_MAX (64UL * 1024 * 1024)
/* Terarchitect's mark of what its agent wrote, understood by its poller. */
#define BOT_MARK "\n\n<!-- terarchitect-bot -->"

static struct store *store;

/* --- as a stage of a job --- */

static int
keep(void *arg, const char *json)
{
	char **to = arg;

	free(*to);
	*to = xstrdup(json);
	return 0;
}

/* The one answer of a verb, which the caller frees, or NULL and f. */
static char *
ask(const char *verb, const char *in, struct fault *f)
{
	char *answer = NULL;
	int rc = store_do(store, verb, in, keep, &answer, f);

	if (rc == 1 || (rc == 0 && answer == NULL))
		fail(f, EX_NOINPUT, "%s: no answer", verb);
	if (rc != 0) {
		free(answer);
		return NULL;
	}
	return answer;
}

/* Adds key with the text at path of rec, when there is one. */
static void
copy(struct buf *to, const char *key, const char *rec, const char *path)
{
	char *v = json_raw(rec, path);

	if (v != NULL && strcmp(v, "null") != 0)
		json_add_raw(to, key, v);
	free(v);
}

static void
add_verified(struct buf *b, const char *rec)
{
	char *verdict = json_get(rec, "$.verify.verdict");
	char *command = json_get(rec, "$.verify.command");

	buf_str(b, "\n\n## Verified\n\n");
	if (verdict == NULL || strcmp(verdict, "none") == 0)
		buf_str(b, "No tests ran: the project names no command and "
			   "none was found in its files.\n");
	else
		buf_fmt(b,
		    "`%s`: %s (exit %lld, %lld ms), run by Tera on "
		    "the last commit of the branch.\n",
		    command != NULL ? command : "", verdict,
		    json_int(rec, "$.verify.exit", 0),
		    json_int(rec, "$.verify.ms", 0));
	free(verdict);
	free(command);
}

/* What a reviewer reads; the heading is Terarchitect's. */
static char *
body_of(const char *rec, const char *ticket)
{
	struct buf b = BUF_INIT;
	char *title = json_get(ticket, "$.title");
	char *text = json_get(ticket, "$.description");
	char *summary = json_get(rec, "$.summary");

	buf_fmt(&b, "Ticket: %s", title != NULL ? title : "");
	if (text != NULL && *text != '\0')
		buf_fmt(&b, "\n\n%.500s", text);
	if (summary != NULL && *summary != '\0')
		buf_fmt(
		    &b, "\n\n---\n\n## What was accomplished\n\n%s", summary);
	add_verified(&b, rec);
	free(title);
	free(text);
	free(summary);
	return buf_take(&b);
}

/* May this record have a pull request? */
static int
fit(struct step *s, struct fault *f)
{
	char *verdict = json_get(s->rec, "$.verify.verdict");
	char *head = json_get(s->rec, "$.head_oid");
	char *base = json_get(s->rec, "$.base_oid");
	char *number = json_get(s->rec, "$.pr_number");
	int code = 0;

	if (number == NULL &&
	    (head == NULL || (base != NULL && strcmp(head, base) == 0))) {
		s->reason = "stall";
		code =
		    fail(f, EX_DATAERR, "the branch has no change to look at");
	} else if (!json_true(s->rec, "$.pushed") && head != NULL &&
		   base != NULL && strcmp(head, base) != 0) {
		s->reason = "push";
		code = fail(f, EX_UNAVAILABLE, "the branch is not pushed");
	} else if (verdict != NULL && strcmp(verdict, "pass") != 0 &&
		   strcmp(verdict, "none") != 0) {
		s->reason = "verify";
		code = fail(f, EX_DATAERR, "the tests say %s", verdict);
	}
	free(verdict);
	free(head);
	free(base);
	free(number);
	return code;
}

/* The words that answer a comment, from the agent. */
static int
answer_comment(const char *rec, const char *number, struct fault *f)
{
	struct buf in = BUF_INIT;
	char *kind = json_get(rec, "$.kind");
	char *reply = json_get(rec, "$.reply");
	char *answer = NULL;
	int code = 0;

	if (kind != NULL && strcmp(kind, "review") == 0 && reply != NULL &&
	    *reply != '\0') {
		char *text = xasprintf("%.60000s%s", reply, BOT_MARK);

		json_add(&in, "pr", number);
		json_add(&in, "body", text);
		json_add(&in, "author", "tera");
		json_add_bool(&in, "bot", true);
		copy(&in, "path", rec, "$.comment_path");
		copy(&in, "line", rec, "$.comment_line");
		answer = ask("pr.comment", json_end(&in), f);
		code = answer == NULL ? f->code : 0;
		free(text);
	}
	free(answer);
	free(kind);
	free(reply);
	buf_free(&in);
	return code;
}

static int
open_one(struct step *s, struct fault *f)
{
	struct buf in = BUF_INIT, who = BUF_INIT;
	char *local = json_get(s->rec, "$.execution_mode");
	char *url = json_get(s->rec, "$.repo_url");
	char *ticket = NULL, *pr = NULL, *body = NULL, *number = NULL;
	char *kind = NULL;
	int code = fit(s, f);

	copy(&who, "ticket", s->rec, "$.ticket_id");
	if (code == 0 &&
	    (ticket = ask("ticket.show", json_end(&who), f)) == NULL)
		code = f->code;
	if (code == 0) {
		copy(&in, "ticket_id", s->rec, "$.ticket_id");
		copy(&in, "job_id", s->rec, "$.job_id");
		copy(&in, "fence", s->rec, "$.fence");
		copy(&in, "title", ticket, "$.title");
		copy(&in, "head_branch", s->rec, "$.branch");
		copy(&in, "base_branch", s->rec, "$.base_branch");
		copy(&in, "head_oid", s->rec, "$.head_oid");
		copy(&in, "base_oid", s->rec, "$.base_oid");
		copy(&in, "verify", s->rec, "$.verify");
		copy(&in, "source", s->rec,
		    (local != NULL && strcmp(local, "local") == 0) ||
			    url == NULL || *url == '\0'
			? "$.project_path"
			: "$.repo_url");
		/* A second round leaves the words of the first; its own are
		 * the answer. */
		kind = json_get(s->rec, "$.kind");
		if (kind == NULL || strcmp(kind, "review") != 0) {
			body = body_of(s->rec, ticket);
			json_add(&in, "body", body);
		}
		pr = ask("pr.open", json_end(&in), f);
		code = pr == NULL ? f->code : 0;
	}
	if (code == 0) {
		number = json_get(pr, "$.number");
		code = answer_comment(s->rec, number, f);
	}
	if (code == 0) {
		copy(&s->add, "pr_url", pr, "$.pr_url");
		copy(&s->add, "pr_number", pr, "$.pr_number");
	}
	free(local);
	free(url);
	free(ticket);
	free(pr);
	free(body);
	free(number);
	free(kind);
	buf_free(&in);
	buf_free(&who);
	return code;
}

/* --- by a person --- */

struct options {
	const char *message, *method, *project;
	char *path; /* of -L */
	long long line;
};

static int
list(const struct options *o, int argc, char *argv[])
{
	struct buf in = BUF_INIT;
	struct fault f;
	int rc;

	if (o->project != NULL)
		json_add(&in, "project", o->project);
	noun_input("pr.list", &in, argc, argv);
	rc = store_do(store, "pr.list", json_end(&in), store_print, NULL, &f);
	if (rc > 1)
		warn("%s", f.msg);
	buf_free(&in);
	return rc;
}

/* Runs verb for this pull request with the keys in more; prints the answer. */
static int
simple(const char *verb, const char *pr, struct buf *more, row_fn *row)
{
	struct fault f;
	int rc;

	json_add(more, "pr", pr);
	rc = store_do(store, verb, json_end(more), row, NULL, &f);
	if (rc > 1)
		warn("%s", f.msg);
	buf_free(more);
	return rc;
}

static int
comment(const char *pr, const char *text, const struct options *o)
{
	struct buf in = BUF_INIT, body = BUF_INIT;
	int rc;

	if (strcmp(text, "-") != 0)
		buf_str(&body, text);
	else if (buf_file(&body, "-", JSON_LINE_MAX) != 0)
		die(EX_DATAERR, "standard input: longer than %d bytes",
		    JSON_LINE_MAX);
	if (!json_utf8(buf_text(&body), body.len))
		die(EX_DATAERR, "the comment is not UTF-8");
	json_addn(&in, "body", buf_text(&body), body.len);
	json_add(&in, "author", db_actor());
	if (o->path != NULL)
		json_add(&in, "path", o->path);
	if (o->line > 0)
		json_add_int(&in, "line", o->line);
	rc = simple("pr.comment", pr, &in, store_print);
	buf_free(&body);
	return rc;
}

static char *
show(const char *pr, struct fault *f)
{
	struct buf in = BUF_INIT;
	char *answer;

	json_add(&in, "pr", pr);
	answer = ask("pr.show", json_end(&in), f);
	buf_free(&in);
	return answer;
}

/* key=text of the value at the path, which the caller frees; NULL: none. */
static char *
field_of(const char *rec, const char *key, const char *path)
{
	char *text = json_get(rec, path);
	char *field = text != NULL ? xasprintf("%s=%s", key, text) : NULL;

	free(text);
	return field;
}

/*
 * The head as it is on the remote, for who looks at it or approves it: a
 * person may have pushed to the branch.  A remote that is away is no reason
 * not to show what is known.
 */
static int
refresh(const char *pr, struct fault *f)
{
	const char *argv[6] = { "tera-merge", "-i" };
	struct buf out = BUF_INIT, in = BUF_INIT;
	char *p = show(pr, f), *v[4], *head = NULL, *answer = NULL;
	int rc = p == NULL ? f->code : 0;

	if (rc != 0)
		return rc;
	v[0] = field_of(p, "base", "$.base_branch");
	v[1] = field_of(p, "head", "$.head_branch");
	v[2] = json_get(p, "$.source");
	v[3] = json_get(p, "$.state");
	argv[2] = v[0];
	argv[3] = v[1];
	argv[4] = v[2];
	if (strcmp(v[3], "open") == 0 &&
	    spawn_run(argv, "", 0, &out, JSON_LINE_MAX, 600) == 0 &&
	    (head = json_get(buf_text(&out), "$.head_oid")) != NULL) {
		json_add(&in, "pr", pr);
		json_add(&in, "head_oid", head);
		answer = ask("pr.head", json_end(&in), f);
		rc = answer == NULL ? f->code : 0;
	}
	for (int i = 0; i < 4; i++)
		free(v[i]);
	free(p);
	free(head);
	free(answer);
	buf_free(&in);
	buf_free(&out);
	return rc;
}

/* What the programs that look at git are told of a request. */
static void
source_of(struct buf *rec, const char *p)
{
	copy(rec, "repo_url", p, "$.source");
	copy(rec, "base_oid", p, "$.base_oid");
	copy(rec, "head_oid", p, "$.head_oid");
	copy(rec, "head_branch", p, "$.head_branch");
	copy(rec, "base_branch", p, "$.base_branch");
	json_end(rec);
	buf_chr(rec, '\n');
}

/* What tera-diff says of it in that form, NULL: as JSON. */
static int
diff_of(const char *p, const char *form, struct buf *out)
{
	const char *argv[] = { "tera-diff", form != NULL ? form : "-", "-",
		NULL };
	struct buf rec = BUF_INIT;
	int rc;

	if (form == NULL)
		argv[2] = NULL;
	source_of(&rec, p);
	rc = spawn_run(argv, rec.s, rec.len, out, DIFF_MAX, 600);
	buf_free(&rec);
	return rc;
}

/* The request, after a look at its branch. */
static char *
looked_at(const char *pr)
{
	struct fault f;
	char *p = refresh(pr, &f) == 0 ? show(pr, &f) : NULL;

	if (p == NULL)
		die(f.code, "%s", f.msg);
	return p;
}

static int
diff(const char *pr, const char *form)
{
	struct buf out = BUF_INIT;
	char *p = looked_at(pr);
	int rc = diff_of(p, form, &out);

	fwrite(buf_text(&out), 1, out.len, stdout);
	buf_free(&out);
	free(p);
	return rc;
}

/* What Terarchitect's page shows of a pull request. */
static int
review(const char *pr)
{
	struct buf in = BUF_INIT, commits = BUF_INIT, patch = BUF_INIT;
	struct buf tests = BUF_INIT, out = BUF_INIT;
	char *p = looked_at(pr), *words = NULL, *body, *text;
	struct fault f = { 0, "" };
	int rc = diff_of(p, "-i", &commits);

	if (rc == 0)
		rc = diff_of(p, "-x", &patch);
	json_add(&in, "pr", pr);
	if (rc == 0 && (words = ask("rest.words", json_end(&in), &f)) == NULL)
		rc = f.code;
	if (rc == 0) {
		body = json_get(p, "$.body");
		text = review_summary(body != NULL ? body : "");
		review_tests(&tests, buf_text(&patch));
		json_add(&out, "summary", text);
		copy(&out, "commits", buf_text(&commits), "$.commits");
		json_add_raw(&out, "test_files", tests.s);
		json_add(&out, "tests_description", "");
		json_end(&out);
		free(text);
		free(body);
		text = json_merge(words, out.s);
		puts(text);
		free(text);
	} else if (f.code != 0)
		warn("%s", f.msg);
	buf_free(&in);
	buf_free(&commits);
	buf_free(&patch);
	buf_free(&tests);
	buf_free(&out);
	free(words);
	free(p);
	return rc;
}

/* Does a job work on the ticket's branch at this moment? */
static int
check_quiet(const char *pr_json)
{
	struct buf in = BUF_INIT;
	struct fault f;
	char *job = NULL;
	int rc;

	copy(&in, "ticket", pr_json, "$.ticket_id");
	json_add(&in, "state", "running");
	rc = store_do(store, "job.list", json_end(&in), keep, &job, &f);
	buf_free(&in);
	if (rc == 0 && job != NULL) {
		char *number = json_get(job, "$.number");

		warn("job %s works on this branch: wait for it or cancel it",
		    number);
		free(number);
		rc = EX_TEMPFAIL;
	} else if (rc > 1)
		warn("%s", f.msg);
	free(job);
	return rc;
}

/* A head that came after somebody looked at the diff is not merged unseen. */
static void
need_seen(const char *p, const char *pr)
{
	char *seen = json_get(p, "$.seen_oid"), *head;

	head = json_get(p, "$.head_oid");
	if (seen != NULL && (head == NULL || strcmp(seen, head) != 0))
		die(EX_DATAERR,
		    "pull request %s has changed since its diff was looked at: "
		    "look again",
		    pr);
	free(seen);
	free(head);
}

/* The answer of pr.merged: what nobody answered is said. */
static int
merged(void *arg, const char *json)
{
	long long left = json_int(json, "$.unanswered", 0);

	(void)arg;
	if (left > 0)
		warn("%lld comment%s will not be answered", left,
		    left == 1 ? "" : "s");
	return store_print(NULL, json);
}

static int
merge(const char *pr, const struct options *o)
{
	const char *argv[16] = { "tera-merge" };
	const char *way = o->method != NULL ? o->method : "merge";
	struct buf out = BUF_INIT, in = BUF_INIT;
	struct fault f;
	char *p = show(pr, &f), *v[7], *oid;
	int n = 1, rc;

	if (p == NULL)
		die(f.code, "%s", f.msg);
	v[0] = field_of(p, "base", "$.base_branch");
	v[1] = field_of(p, "head", "$.head_branch");
	v[2] = field_of(p, "oid", "$.head_oid");
	v[3] = json_get(p, "$.source");
	v[4] = json_get(p, "$.state");
	v[5] = json_get(p, "$.title");
	v[6] = xasprintf("%s (#%lld)", v[5], json_int(p, "$.number", 0));
	if (strcmp(v[4], "open") != 0)
		die(EX_DATAERR, "pull request %s is %s, not open", pr, v[4]);
	need_seen(p, pr);
	rc = check_quiet(p);
	if (rc == 0) {
		argv[n++] = "-M";
		argv[n++] = way;
		if (o->message != NULL || strcmp(way, "rebase") != 0) {
			argv[n++] = "-m";
			argv[n++] = o->message != NULL ? o->message : v[6];
		}
		argv[n++] = v[0];
		argv[n++] = v[1];
		if (v[2] != NULL)
			argv[n++] = v[2];
		argv[n++] = v[3];
		argv[n] = NULL;
		rc = spawn_run(argv, "", 0, &out, JSON_LINE_MAX, 600);
		if (rc == 0) {
			oid = json_get(buf_text(&out), "$.merged_oid");
			json_add(&in, "method", way);
			json_add(&in, "merged_oid", oid != NULL ? oid : "");
			rc = simple("pr.merged", pr, &in, merged);
			free(oid);
		} else if (out.len > 0) {
			fputs(out.s, stdout); /* the conflicts, by name */
		}
	}
	for (int i = 0; i < 7; i++)
		free(v[i]);
	buf_free(&out);
	free(p);
	return rc;
}

static int
run(const char *what, int argc, char *argv[], const struct options *o)
{
	struct buf in = BUF_INIT;
	struct fault f;
	int texts = strcmp(what, "comment") == 0;

	if (strcmp(what, "list") == 0)
		return list(o, argc, argv);
	if (argc != 1 + texts)
		err_usage();
	if (strcmp(what, "show") == 0)
		return simple("pr.show", argv[0], &in, store_print);
	if (strcmp(what, "close") == 0)
		return simple("pr.close", argv[0], &in, store_print);
	if (strcmp(what, "diff") == 0)
		return diff(argv[0], "-x");
	if (strcmp(what, "files") == 0)
		return diff(argv[0], NULL);
	if (strcmp(what, "review") == 0)
		return review(argv[0]);
	if (strcmp(what, "look") == 0) {
		free(looked_at(argv[0]));
		return simple("pr.show", argv[0], &in, store_print);
	}
	if (texts)
		return comment(argv[0], argv[1], o);
	if (strcmp(what, "merge") == 0)
		return merge(argv[0], o);
	if (strcmp(what, "approve") != 0)
		err_usage();
	if (refresh(argv[0], &f) != 0)
		die(f.code, "%s", f.msg);
	json_add(&in, "author", db_actor());
	return simple("pr.approve", argv[0], &in, store_print);
}

/* "list.c:42", or "list.c" for all of it. */
static void
place(struct options *o, const char *arg)
{
	const char *line = strrchr(arg, ':');
	size_t n = line != NULL ? strlen(line + 1) : 0;

	free(o->path);
	o->line = 0;
	if (line != NULL && strspn(line + 1, "0123456789") == n && n > 0)
		o->line = cmd_number("-L", line + 1, 1, 1 << 30);
	n = o->line > 0 ? (size_t)(line - arg) : strlen(arg);
	if (n == 0 || *arg == '/')
		die(EX_USAGE,
		    "-L %.40s: want path:line, a path of the repository", arg);
	o->path = xstrndup(arg, n);
}

static const char *
method(const char *arg)
{
	if (strcmp(arg, "merge") != 0 && strcmp(arg, "squash") != 0 &&
	    strcmp(arg, "rebase") != 0)
		die(EX_USAGE, "-M %.40s: want merge, squash or rebase", arg);
	return arg;
}

int
main(int argc, char *argv[])
{
	struct options o = { 0 };
	struct fault f = { 0, "" };
	int rc;

	err_init(argc, argv, USAGE);
	for (int c; (c = getopt(argc, argv, "L:m:M:p:")) != -1;)
		switch (c) {
		case 'L': place(&o, optarg); break;
		case 'm': o.message = optarg; break;
		case 'M': o.method = method(optarg); break;
		case 'p': o.project = optarg; break;
		default: err_usage();
		}
	if (optind == argc)
		err_usage();
	spawn_own_path();
	store = store_open(&f);
	if (store == NULL)
		die(f.code, "%s", f.msg);
	if (strcmp(argv[optind], "-") == 0 && argc - optind == 1) {
		struct step s = { .stage = "pr" };

		rc = step_run(&s, open_one);
	} else
		rc =
		    run(argv[optind], argc - optind - 1, argv + optind + 1, &o);
	store_close(store);
	free(o.path);
	return out_end(rc);
}
