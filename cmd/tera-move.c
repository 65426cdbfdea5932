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
	int rc;

	err_init(argc, argv, "[-v version] {ticket ... | -} column");
	for (int c; (c = getopt(argc, argv, "v:")) != -1;)
		switch (c) {
		case 'v':
			json_add_int(&rest, "version",
			    cmd_number("-v", optarg, 0, 1LL << 62));
			break;
		default: err_usage();
		}
	if (argc - optind < 2)
		err_usage();
	json_add(&rest, "column_id", argv[argc - 1]);
	rc = noun_each("ticket.move", "ticket", argv + optind,
	    argc - optind - 1, json_end(&rest));
	buf_free(&rest);
	return out_end(rc);
}
