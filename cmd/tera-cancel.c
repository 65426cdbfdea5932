/*
 * tera-cancel - stop jobs, pause them, resume them, try them again
 *
 * A waiting job is cancelled at once; of a running one its supervisor is
 * asked, and it stops within seconds.
 */
#include <string.h>
#include <unistd.h>

#include "noun.h"

/* The verb that brings a job there. */
static const char *
verb_of(const char *outcome)
{
	static const char *const ways[][2] = {
		{ "cancelled", "job.cancel" },
		{ "paused", "job.pause" },
		{ "pending", "job.retry" },
	};

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (strcmp(ways[i][0], outcome) == 0)
			return ways[i][1];
	die(EX_USAGE, "-o %.40s: want cancelled, paused or pending", outcome);
}

int
main(int argc, char *argv[])
{
	const char *verb = "job.cancel";

	err_init(argc, argv, "[-o outcome] {job ... | -}");
	for (int c; (c = getopt(argc, argv, "o:")) != -1;)
		switch (c) {
		case 'o': verb = verb_of(optarg); break;
		default: err_usage();
		}
	if (optind == argc)
		err_usage();
	return out_end(
	    noun_each(verb, "job", argv + optind, argc - optind, NULL));
}
