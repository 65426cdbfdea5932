/*
 * tera-move - move tickets to a column of the board
 *
 * A move to in_progress queues a job (the rule is the verb's).
 */
#include <string.h>
#include <unistd.h>

#include "noun.h"

int
main(int argc, char *argv[])
{
	struct buf rest = BUF_INIT;
	int n, rc;

	err_init(argc, argv, "{ticket ... | -} column [version=version]");
	if (getopt(argc, argv, "") != -1)
		err_usage();
	argc -= optind;
	argv += optind;
	n = cmd_fields(argc, argv);
	if (n < 2)
		err_usage();
	json_add(&rest, "column_id", argv[n - 1]);
	noun_input("ticket.move", &rest, argc - n, argv + n);
	rc = noun_each("ticket.move", "ticket", argv, n - 1, json_end(&rest));
	buf_free(&rest);
	return out_end(rc);
}
