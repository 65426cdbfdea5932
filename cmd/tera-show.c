/*
 * tera-show - print the things named, whole
 */
#include <string.h>
#include <unistd.h>

#include "noun.h"

int
main(int argc, char *argv[])
{
	const char *verb;
	char key[32];

	err_init(argc, argv, "noun {name ... | -}");
	if (getopt(argc, argv, "") != -1 || argc - optind < 2)
		err_usage();
	verb = noun_verb(argv[optind], "show");
	snprintf(key, sizeof(key), "%.*s", (int)strcspn(verb, "."), verb);
	/* a project has one board and one graph: they go by its name */
	if (strcmp(key, "board") == 0 || strcmp(key, "graph") == 0)
		snprintf(key, sizeof(key), "project");
	return out_end(
	    noun_each(verb, key, argv + optind + 1, argc - optind - 1, NULL));
}
