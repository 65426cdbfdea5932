/*
 * tera-talk: the talk of an agent's run: append a line, or say where it is.
 *
 * Without keys it prints the state of the run: the last complete line, with
 * guard{what,why} when it hits one of the limits.  Keys become the next line.
 * The totals are counted here and nowhere else, outside of any model; see
 * lib/talk.h for how a line stays whole.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "talk.h"

static void
append(const char *path, int argc, char *argv[], struct buf *line)
{
	struct buf fields = BUF_INIT;
	struct fault f;
	int rc;

	cmd_operands(&fields, argc, argv);
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

/* Takes limits:=json out of the operands; NULL when it is not there. */
static const char *
take_limits(int *argc, char *argv[])
{
	const char *limits = NULL;
	struct fault f;
	int n = 0;

	for (int i = 0; i < *argc; i++) {
		if (!cmd_is_field(argv[i]) ||
		    strcspn(argv[i], ":=@") != strlen("limits") ||
		    strncmp(argv[i], "limits", strlen("limits")) != 0) {
			argv[n++] = argv[i];
			continue;
		}
		if (limits != NULL)
			die(EX_USAGE, "limits: given twice");
		limits = argv[i] + strlen("limits:=");
		if (limits[-1] != '=' || limits[-2] != ':')
			die(EX_USAGE, "limits: want limits:=json");
		if (json_check(limits, strlen(limits), &f) != 0)
			die(f.code, "limits: %s", f.msg);
	}
	*argc = n;
	return limits;
}

int
main(int argc, char *argv[])
{
	struct buf line = BUF_INIT, why = BUF_INIT, guard = BUF_INIT;
	const char *limits, *path, *what = NULL;

	err_init(argc, argv, "file [limits:=json] [key=value ...]");
	if (getopt(argc, argv, "") != -1 || optind == argc)
		err_usage();
	path = argv[optind++];
	argc -= optind;
	argv += optind;
	limits = take_limits(&argc, argv);
	if (argc > 0)
		append(path, argc, argv, &line);
	else
		show(path, &line);
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
