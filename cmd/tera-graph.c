/*
 * tera-graph - read or replace a project's architecture graph
 *
 * With - the graph comes from standard input, one object with nodes and edges;
 * its version, when it has one, must be the current one, so that two
 * people cannot overwrite each other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "noun.h"

#define GRAPH_MAX (16 * 1024 * 1024) /* bytes */

static int
replace(const char *project)
{
	struct buf in = BUF_INIT, rest = BUF_INIT;
	struct fault f;
	char *with;
	int rc;

	if (buf_file(&in, "-", GRAPH_MAX) != 0)
		die(EX_DATAERR, "standard input: more than %d bytes",
		    GRAPH_MAX);
	if (json_check(buf_text(&in), in.len, &f) != 0)
		die(f.code, "standard input: %s", f.msg);
	json_add(&rest, "project", project);
	with = json_merge(buf_text(&in), json_end(&rest));
	rc = store_main("graph.set", with);
	free(with);
	buf_free(&in);
	buf_free(&rest);
	return rc;
}

int
main(int argc, char *argv[])
{
	err_init(argc, argv, "project [-]");
	if (getopt(argc, argv, "") != -1 || optind == argc)
		err_usage();
	if (argc - optind == 2 && strcmp(argv[optind + 1], "-") == 0)
		return out_end(replace(argv[optind]));
	if (argc - optind != 1)
		err_usage();
	return out_end(
	    noun_each("graph.show", "project", argv + optind, 1, NULL));
}
