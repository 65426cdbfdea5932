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
	int n, rc;

	err_init(argc, argv, "[-k kind] [key=value ...] {ticket ... | -}");
	for (int c; (c = getopt(argc, argv, "k:")) != -1;)
		switch (c) {
		case 'k': json_add(&rest, "kind", optarg); break;
		default: err_usage();
		}
	argc -= optind;
	argv += optind;
	n = cmd_fields(argc, argv);
	if (n == 0)
		err_usage();
	noun_input("job.add", &rest, argc - n, argv + n);
	rc = noun_each("job.add", "ticket", argv, n,
	    rest.len > 0 ? json_end(&rest) : NULL);
	buf_free(&rest);
	return out_end(rc);
}
