/*
 * tera-merge: merges one branch of a remote into another, on the remote.
 *
 * The work is done in memory on the mirror: there is no work tree to be left
 * half merged, and nothing on the remote changes but by one push without
 * force.  When the base moved meanwhile, all is done again on the new one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "mirror.h"

#define USAGE                                                                  \
	"[-ci] [-m message] [-M method] base=branch head=branch [oid=oid] "    \
	"source"
#define TRIES 5

static const char *const ways[] = { "merge", "squash", "rebase" };

struct merge {
	const char *base, *head, *expected;
	char *message;
	enum repo_way way;
	bool check, look;
	struct mirror m;
	struct repo *repo;
	char base_oid[OID_LEN], head_oid[OID_LEN], done[OID_LEN];
	struct strs conflicts;
	bool already;
};

static int
tip(struct merge *t, const char *branch, char oid[OID_LEN], struct fault *f)
{
	char *ref = xasprintf("refs/remotes/origin/%s", branch);
	bool there = repo_commit_of(t->repo, ref, oid);

	free(ref);
	return there ? 0
		     : fail(f, EX_NOINPUT, "%s: no branch %s there", t->m.shown,
			   branch);
}

/* The mirror as the remote is now, and both tips. */
static int
look(struct merge *t, struct fault *f)
{
	int code = mirror_fetch(&t->m, f);

	repo_close(t->repo);
	t->repo = NULL;
	if (code == 0 && (t->repo = repo_open(t->m.path, f)) == NULL)
		code = f->code;
	if (code == 0)
		code = tip(t, t->base, t->base_oid, f);
	if (code == 0)
		code = tip(t, t->head, t->head_oid, f);
	if (code == 0 && t->expected != NULL &&
	    strcmp(t->expected, t->head_oid) != 0)
		code = fail(f, EX_DATAERR,
		    "%s is %.10s now, not %.10s: look at its diff again",
		    t->head, t->head_oid, t->expected);
	return code;
}

/* One try: 0 done, 75 the base moved, else the trouble. */
static int
try(struct merge *t, struct fault *f)
{
	enum push p;
	int code = look(t, f);

	if (code != 0)
		return code;
	t->already = repo_contains(t->repo, t->base_oid, t->head_oid);
	if (t->already) {
		memcpy(t->done, t->base_oid, OID_LEN);
		return 0;
	}
	code = repo_bring(t->repo, t->way, t->base_oid, t->head_oid, t->message,
	    t->done, &t->conflicts, f);
	if (code != 0 || t->check)
		return code;
	p = mirror_push(&t->m, t->done, t->base, f);
	if (p == PUSH_DONE)
		return 0;
	return p == PUSH_MOVED ? EX_TEMPFAIL : f->code;
}

/* --- answers --- */

static void
say(struct buf *b)
{
	puts(json_end(b));
	buf_free(b);
}

static void
say_merged(const struct merge *t)
{
	struct buf b = BUF_INIT;

	json_add_bool(&b, t->check ? "mergeable" : "merged", true);
	if (t->already)
		json_add_bool(&b, "already", true);
	json_add(&b, "method", ways[t->way]);
	json_add(&b, "base", t->base);
	json_add(&b, "base_oid", t->base_oid);
	json_add(&b, "head_oid", t->head_oid);
	if (!t->check)
		json_add(&b, "merged_oid", t->done);
	say(&b);
}

static void
say_conflicts(const struct merge *t)
{
	struct buf b = BUF_INIT, list = BUF_INIT;

	for (size_t i = 0; i < t->conflicts.n; i++) {
		buf_chr(&list, i == 0 ? '[' : ',');
		json_quote(&list, t->conflicts.v[i], strlen(t->conflicts.v[i]));
	}
	buf_chr(&list, ']');
	json_add_bool(&b, t->check ? "mergeable" : "merged", false);
	json_add(&b, "base_oid", t->base_oid);
	json_add(&b, "head_oid", t->head_oid);
	json_add_raw(&b, "conflicts", buf_text(&list));
	say(&b);
	buf_free(&list);
}

static int
say_distance(struct merge *t, struct fault *f)
{
	char base[OID_LEN];
	struct buf b = BUF_INIT;
	size_t ahead, behind;
	int code = look(t, f);

	if (code != 0)
		return code;
	repo_ahead(t->repo, t->head_oid, t->base_oid, &ahead, &behind);
	json_add(&b, "base_oid", t->base_oid);
	json_add(&b, "head_oid", t->head_oid);
	json_add_int(&b, "ahead", (long long)ahead);
	json_add_int(&b, "behind", (long long)behind);
	json_add(&b, "merge_base",
	    repo_merge_base(t->repo, t->head_oid, t->base_oid, base) ? base
								     : NULL);
	say(&b);
	return 0;
}

/* --- the command --- */

static int
run(struct merge *t, struct fault *f)
{
	int code = EX_TEMPFAIL;

	if (t->look)
		return say_distance(t, f);
	for (int i = 0; i < TRIES && code == EX_TEMPFAIL; i++)
		code = try(t, f);
	if (code == 0)
		say_merged(t);
	else if (t->conflicts.n > 0)
		say_conflicts(t);
	return code;
}

static enum repo_way
way_named(const char *name)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (strcmp(name, ways[i]) == 0)
			return (enum repo_way)i;
	die(EX_USAGE, "-M %.40s: want merge, squash or rebase", name);
}

static char *
source_of(const char *name)
{
	struct buf b = BUF_INIT;
	struct fault f;
	char *source;

	json_add(&b, "repo_url", name);
	source = mirror_source(json_end(&b), &f);
	buf_free(&b);
	if (source == NULL)
		die(f.code, "%s", f.msg);
	return source;
}

static const char *
options(struct merge *t, int argc, char *argv[])
{
	const struct cmd_key keys[] = { { "base", &t->base, NULL },
		{ "head", &t->head, NULL }, { "oid", &t->expected, NULL } };

	for (int c; (c = getopt(argc, argv, "cim:M:")) != -1;)
		switch (c) {
		case 'c': t->check = true; break;
		case 'i': t->look = true; break;
		case 'm': t->message = xasprintf("%s\n", optarg); break;
		case 'M': t->way = way_named(optarg); break;
		default: err_usage();
		}
	/* by its place: git@host:path looks like a key */
	if (optind == argc)
		err_usage();
	cmd_keys(keys, 3, argc - optind - 1, argv + optind);
	if (t->base == NULL || t->head == NULL)
		err_usage();
	if (!git_branch_ok(t->base) || !git_branch_ok(t->head))
		die(EX_USAGE, "base, head: no name for a branch");
	if (t->message == NULL)
		t->message = xasprintf("Merge %s into %s\n", t->head, t->base);
	return argv[argc - 1];
}

int
main(int argc, char *argv[])
{
	struct merge t = { .m.lock = -1 };
	struct fault f = { 0 };
	char *source;
	int code;

	err_init(argc, argv, USAGE);
	source = source_of(options(&t, argc, argv));
	code = mirror_open(&t.m, source, &f);
	if (code == 0)
		code = run(&t, &f);
	if (code != 0)
		warn("%s", f.msg);
	free(source);
	free(t.message);
	strs_free(&t.conflicts);
	repo_close(t.repo);
	mirror_close(&t.m);
	return out_end(code);
}
