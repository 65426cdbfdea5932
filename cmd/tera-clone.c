/*
 * tera-clone: a work tree for each job.
 *
 * The source is mirrored once and fetched every time; the work tree hangs on
 * the mirror, so that it costs no copy of the objects.  What makes it safe to
 * be killed anywhere: the mirror appears by rename; the file "ready" beside
 * the work tree is written when the checkout is complete and removed before
 * a removal begins.  Without "ready" no worker was ever let in, and the tree
 * is made anew; with it nothing is ever reset or deleted: what is found
 * uncommitted is committed first.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fresh.h"
#include "resume.h"
#include "retire.h"
#include "spawn.h"
#include "step.h"

#define USAGE "[-u]"

static void
report(struct place *p, struct buf *b)
{
	char tip[OID_LEN], base[OID_LEN];

	json_add(b, "workspace", p->work);
	json_add(b, "base_branch", p->base);
	if (!place_tip(p, "heads", p->here, tip) ||
	    !repo_merge_base(p->m.repo, tip, p->base_tip, base))
		memcpy(base, p->base_tip, OID_LEN);
	json_add(b, "base_oid", base);
	if (strcmp(p->here, p->branch) != 0)
		json_add(b, "work_branch", p->here);
}

static int
give(struct step *s, struct fault *f)
{
	char *id = step_job(s, f), *branch;
	struct place p;
	int code;

	if (id == NULL || (branch = step_branch(s, false, f)) == NULL) {
		free(id);
		return f->code;
	}
	code = place_name(&p, s->rec, id, branch, f);
	if (code == 0 && make_dirs(p.dir) < 0)
		code = fail(f, EX_CANTCREAT, "%s:", p.dir);
	if (code == 0)
		code = place_reach(&p, f);
	if (code == 0)
		code = place_base(&p, f);
	if (code == 0)
		code = place_used(&p) ? resume_tree(&p, f) : fresh_tree(&p, f);
	if (code == 0)
		report(&p, &s->add);
	place_close(&p);
	return code;
}

static int
take(struct step *s, struct fault *f)
{
	char *id = step_any_job(s, f);
	struct place p;
	int code;

	if (id == NULL)
		return f->code;
	code = place_name(&p, s->rec, id, NULL, f);
	if (code == 0 &&
	    access(p.work, F_OK) == 0) /* else it was done before */
		code = retire_tree(&p, f);
	if (code == 0)
		json_add(&s->add, "workspace", NULL);
	place_close(&p);
	return code;
}

int
main(int argc, char *argv[])
{
	struct step s = { .stage = "clone" };
	step_fn *serve = give;
	int c;

	err_init(argc, argv, USAGE);
	while ((c = getopt(argc, argv, "u")) != -1)
		switch (c) {
		case 'u':
			serve = take;
			s.failed_too = s.strict = true;
			break;
		default: err_usage();
		}
	if (optind != argc)
		err_usage();
	return out_end(step_run(&s, serve));
}
