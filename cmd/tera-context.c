/*
 * tera-context - print all that an agent needs to know about a job
 *
 * One document: the project, its graph, the ticket, its neighbours, notes and
 * comments, for a review job the comment.  Never a setting, so never a secret.
 */
#include <string.h>
#include <unistd.h>

#include "noun.h"

int
main(int argc, char *argv[])
{
	const char *key = "job";

	err_init(argc, argv, "[-t] {name | -}");
	for (int c; (c = getopt(argc, argv, "t")) != -1;)
		switch (c) {
		case 't': key = "ticket"; break;
		default: err_usage();
		}
	if (argc - optind != 1)
		err_usage();
	return out_end(noun_each("job.context", key, argv + optind, 1, NULL));
}
