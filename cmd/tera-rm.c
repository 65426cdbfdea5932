/*
 * tera-rm - remove the things named, or bring them back
 *
 * Projects and tickets keep their rows and history; -u brings them back.
 */
#include <string.h>
#include <unistd.h>

#include "noun.h"

int
main(int argc, char *argv[])
{
	struct buf rest = BUF_INIT;
	const char *verb, *what = "remove";
	char key[32];
	int rc, n;

	err_init(argc, argv,
	    "[-u] noun {name ... | -} [needs=ticket] [version=version]");
	for (int c; (c = getopt(argc, argv, "u")) != -1;)
		switch (c) {
		case 'u': what = "restore"; break;
		default: err_usage();
		}
	argc -= optind;
	argv += optind;
	n = cmd_fields(argc, argv);
	if (n < 2)
		err_usage();
	verb = noun_verb(*argv, what);
	snprintf(key, sizeof(key), "%.*s", (int)strcspn(verb, "."), verb);
	if (strcmp(key, "dependency") == 0) {
		/* two tickets name it */
		if (n == argc)
			err_usage();
		snprintf(key, sizeof(key), "ticket");
	}
	noun_input(verb, &rest, argc - n, argv + n);
	rc = noun_each(verb, key, argv + 1, n - 1, json_end(&rest));
	buf_free(&rest);
	return out_end(rc);
}
