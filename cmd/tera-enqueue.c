/*
 * tera-enqueue - queue a job for each ticket named
 *
 * A ticket has one live job of a kind: what is queued already is printed with
 * "created":false.  A stream of tickets or records goes into the store in
 * batches of one transaction.
 */
#include <string.h>
#include <unistd.h>

#include "noun.h"

int
main(int argc, char *argv[])
{
	struct buf rest = BUF_INIT;
	int rc;

	err_init(argc, argv,
	    "[-k kind] [-P priority] [-t run_after] {ticket ... | -}");
	for (int c; (c = getopt(argc, argv, "k:P:t:")) != -1;)
		switch (c) {
		case 'k': json_add(&rest, "kind", optarg); break;
		case 'P':
			json_add_int(&rest, "priority",
			    cmd_number("-P", optarg, -1000000, 1000000));
			break;
		case 't': json_add(&rest, "run_after", optarg); break;
		default: err_usage();
		}
	if (optind == argc)
		err_usage();
	rc = noun_each("job.add", "ticket", argv + optind, argc - optind,
	    rest.len > 0 ? json_end(&rest) : NULL);
	buf_free(&rest);
	return out_end(rc);
}
