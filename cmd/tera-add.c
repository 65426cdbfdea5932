/*
 * tera-add - add a thing: a project, ticket, comment, dependency, note, setting
 *
 * With - it takes records on standard input, one object a line.
 */
#include <string.h>
#include <unistd.h>

#include "noun.h"

int
main(int argc, char *argv[])
{
	struct buf in = BUF_INIT;
	const char *verb;
	int rc;

	err_init(argc, argv, "noun {key=value ... | -}");
	if (getopt(argc, argv, "") != -1 || argc - optind < 2)
		err_usage();
	verb = strncmp(argv[optind], "setting", 7) == 0
		   ? noun_verb(argv[optind], "set")
		   : noun_verb(argv[optind], "add");
	if (argc - optind == 2 && strcmp(argv[optind + 1], "-") == 0)
		return out_end(store_stream(verb, NULL, NULL));
	noun_input(verb, &in, argc - optind - 1, argv + optind + 1);
	rc = store_main(verb, json_end(&in));
	buf_free(&in);
	return out_end(rc);
}
