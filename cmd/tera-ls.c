/*
 * tera-ls - list things of one kind as JSON lines
 *
 * Filters are operands; what a noun can be filtered by is in its page.
 */
#include <unistd.h>

#include "noun.h"

int
main(int argc, char *argv[])
{
	struct buf in = BUF_INIT;
	const char *verb, *project = NULL;
	int rc;

	err_init(argc, argv,
	    "[-a] [-n limit] [-p project] [-s after] noun [key=value ...]");
	for (int c; (c = getopt(argc, argv, "an:p:s:")) != -1;)
		switch (c) {
		case 'a': json_add_bool(&in, "deleted", true); break;
		case 'n':
			json_add_int(&in, "limit",
			    cmd_number("-n", optarg, 0, 1000000000));
			break;
		case 'p': project = optarg; break;
		case 's':
			json_add_int(&in, "after",
			    cmd_number("-s", optarg, 0, 1LL << 62));
			break;
		default: err_usage();
		}
	if (optind == argc)
		err_usage();
	verb = noun_verb(argv[optind], "list");
	if (project != NULL) {
		if (!noun_has(verb, "project"))
			die(EX_USAGE, "-p: %s is not of a project",
			    argv[optind]);
		json_add(&in, "project", project);
	}
	noun_input(verb, &in, argc - optind - 1, argv + optind + 1);
	rc = store_main(verb, json_end(&in));
	buf_free(&in);
	return out_end(rc);
}
