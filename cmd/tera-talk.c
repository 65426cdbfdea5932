/*
 * tera-talk: the talk of an agent's run: append a line, or say where it is.
 *
 * Without -a it prints the state of the run: the last complete line, with
 * guard{what,why} when it hits one of the limits given by -l.  With -a the
 * operands become the next line.  The totals are counted here and nowhere
 * else, outside of any model; see lib/talk.h for how a line stays whole.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "json.h"
#include "talk.h"

static void
append(const char *path, char *operands[], struct buf *line)
{
	struct buf fields = BUF_INIT;
	struct fault f;
	int rc;

	for (; *operands != NULL; operands++)
		if ((rc = json_operand(&fields, *operands, &f)) != 0)
			die(rc, "%s", f.msg);
	if ((rc = talk_add(path, json_end(&fields), line, &f)) != 0)
		die(rc, "%s", f.msg);
	buf_free(&fields);
}

static void
show(const char *path, struct buf *line)
{
	struct buf all = BUF_INIT;
	struct fault f;
	char *state;
	int rc;

	if ((rc = talk_load(&all, path, &f)) != 0)
		die(rc, "%s", f.msg);
	state = talk_state(&all);
	buf_str(line, state != NULL ? state : "{}");
	free(state);
	buf_free(&all);
}

int
main(int argc, char *argv[])
{
	struct buf line = BUF_INIT, why = BUF_INIT, guard = BUF_INIT;
	const char *limits = NULL, *what = NULL;
	struct fault f;
	bool add = false;

	err_init(argc, argv, "[-a] [-l limits] file [key=value ...]");
	for (int c; (c = getopt(argc, argv, "al:")) != -1;)
		switch (c) {
		case 'a': add = true; break;
		case 'l': limits = optarg; break;
		default: err_usage();
		}
	if (optind == argc || (!add && optind + 1 != argc))
		err_usage();
	if (limits != NULL && json_check(limits, strlen(limits), &f) != 0)
		die(EX_USAGE, "limits: %s", f.msg);
	if (add)
		append(argv[optind], argv + optind + 1, &line);
	else
		show(argv[optind], &line);
	if (limits != NULL)
		what = talk_guard(buf_text(&line), limits, &why);
	if (what != NULL) {
		struct buf one = BUF_INIT;
		char *all;

		json_add(&guard, "what", what);
		json_add(&guard, "why", buf_text(&why));
		json_add_raw(&one, "guard", json_end(&guard));
		all = json_merge(buf_text(&line), json_end(&one));
		buf_clear(&line);
		buf_str(&line, all);
		free(all);
		buf_free(&one);
	}
	puts(buf_text(&line));
	buf_free(&line);
	buf_free(&why);
	buf_free(&guard);
	return out_end(0);
}
