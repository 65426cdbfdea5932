/*
 * tera-sweep - give jobs whose lease ran out back to the queue
 *
 * Every claim does this too; a line for each job that was given back.
 */
#include <unistd.h>

#include "store.h"

int
main(int argc, char *argv[])
{
	err_init(argc, argv, "");
	if (getopt(argc, argv, "") != -1 || optind != argc)
		err_usage();
	return out_end(store_main("job.sweep", "{}"));
}
