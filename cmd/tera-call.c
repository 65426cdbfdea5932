/*
 * tera-call - run any verb of the store by its name
 *
 * Plumbing, and the way to what has no command of its own.  Without a verb it
 * lists them.  With - it takes a stream of inputs, one object a line, in
 * batches of one transaction.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "store.h"

static int
list(void)
{
	for (const struct verb *v = verbs; v->name != NULL; v++) {
		struct buf b = BUF_INIT;

		json_add(&b, "verb", v->name);
		json_add_bool(&b, "write", v->flags & VERB_WRITE);
		json_add(&b, "in", v->in);
		store_print(NULL, json_end(&b));
		buf_free(&b);
	}
	return 0;
}

int
main(int argc, char *argv[])
{
	struct buf in = BUF_INIT;
	struct fault f;
	int rc;

	err_init(argc, argv, "[verb [- | key=value ...]]");
	if (getopt(argc, argv, "") != -1)
		err_usage();
	if (optind == argc)
		return out_end(list());
	if (verb_find(argv[optind]) == NULL)
		die(EX_NOINPUT, "no such verb: %s", argv[optind]);
	if (argc - optind == 2 && strcmp(argv[optind + 1], "-") == 0)
		return out_end(store_stream(argv[optind], NULL, NULL));
	for (int i = optind + 1; i < argc; i++) {
		rc = json_operand(&in, argv[i], &f);
		if (rc != 0)
			die(rc, "%s", f.msg);
	}
	rc = store_main(argv[optind], json_end(&in));
	buf_free(&in);
	return out_end(rc);
}
