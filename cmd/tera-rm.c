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
	    "[-u] [-v version] noun {name ... | -} "
	    "[needs=ticket]");
	for (int c; (c = getopt(argc, argv, "uv:")) != -1;)
		switch (c) {
		case 'u': what = "restore"; break;
		case 'v':
			json_add_int(&rest, "version",
			    cmd_number("-v", optarg, 0, 1LL << 62));
			break;
		default: err_usage();
		}
	n = argc - optind - 1;
	if (n < 1)
		err_usage();
	verb = noun_verb(argv[optind], what);
	snprintf(key, sizeof(key), "%.*s", (int)strcspn(verb, "."), verb);
	if (strcmp(key, "dependency") == 0) {
		/* two tickets name it */
		if (n != 2)
			err_usage();
		snprintf(key, sizeof(key), "ticket");
		cmd_operands(&rest, 1, argv + optind + 2);
		n = 1;
	}
	json_end(&rest);
	rc = noun_each(verb, key, argv + optind + 1, n, buf_text(&rest));
	buf_free(&rest);
	return out_end(rc);
}
