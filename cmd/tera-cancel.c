/*
 * tera-cancel - stop jobs, pause them, resume them, try them again
 *
 * A waiting job is cancelled at once; of a running one its supervisor is
 * asked, and it stops within seconds.
 */
#include <unistd.h>

#include "noun.h"

int
main(int argc, char *argv[])
{
	const char *verb = "job.cancel";

	err_init(argc, argv, "[-p | -r | -t] {job ... | -}");
	for (int c; (c = getopt(argc, argv, "prt")) != -1;)
		switch (c) {
		case 'p': verb = "job.pause"; break;
		case 'r': verb = "job.resume"; break;
		case 't': verb = "job.retry"; break;
		default: err_usage();
		}
	if (optind == argc)
		err_usage();
	return out_end(
	    noun_each(verb, "job", argv + optind, argc - optind, NULL));
}
