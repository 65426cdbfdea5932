/*
 * tera-set - change fields of a thing
 *
 * With a version among the fields the change is refused when somebody else
 * changed the thing since.  The name - takes names or records on standard
 * input, all of which get the same change.
 */
#include <string.h>
#include <unistd.h>

#include "noun.h"

int
main(int argc, char *argv[])
{
	struct buf rest = BUF_INIT;
	const char *verb;
	char key[32];
	int rc;

	err_init(argc, argv, "noun {name | -} key=value ...");
	if (getopt(argc, argv, "") != -1 || argc - optind < 3)
		err_usage();
	verb = noun_verb(argv[optind], "set");
	snprintf(key, sizeof(key), "%.*s", (int)strcspn(verb, "."), verb);
	if (strcmp(key, "board") == 0 || strcmp(key, "graph") == 0)
		snprintf(key, sizeof(key), "project");
	if (strcmp(key, "setting") == 0)
		snprintf(key, sizeof(key), "key");
	noun_input(verb, &rest, argc - optind - 2, argv + optind + 2);
	rc = noun_each(verb, key, argv + optind + 1, 1, json_end(&rest));
	buf_free(&rest);
	return out_end(rc);
}
