/*
 * tera-init - make the store, or bring its schema up to date
 *
 * Run it as often as you like: a store that is up to date stays as it is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "spawn.h"
#include "store.h"

int
main(int argc, char *argv[])
{
	struct fault f = { 0, "" };
	struct buf out = BUF_INIT;
	int before = 0, quiet = 0, rc;
	char *path, *slash;

	err_init(argc, argv, "[-q] [store]");
	for (int c; (c = getopt(argc, argv, "q")) != -1;)
		switch (c) {
		case 'q': quiet = 1; break;
		default: err_usage();
		}
	if (argc - optind > 1)
		err_usage();
	path = optind < argc ? xstrdup(argv[optind]) : store_path();
	if (strstr(path, "://") != NULL)
		die(EX_USAGE, "%s: a store is made where it is", path);
	slash = strrchr(path, '/');
	if (slash != NULL && slash != path) {
		*slash = '\0';
		if (make_dirs(path) != 0)
			die(EX_CANTCREAT, "%s:", path);
		*slash = '/';
	}
	rc = db_init(path, &before, &f);
	if (rc != 0)
		die(rc, "%s", f.msg);
	if (!quiet) {
		json_add(&out, "store", path);
		json_add(&out, "was", before == 0 ? "new" : "there");
		json_add_int(&out, "from_version", before);
		store_print(NULL, json_end(&out));
	}
	buf_free(&out);
	free(path);
	return out_end(0);
}
