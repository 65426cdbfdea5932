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
	const char *key;
	char *name;

	err_init(argc, argv, "{job | ticket=ticket | -}");
	if (getopt(argc, argv, "") != -1 || argc - optind != 1)
		err_usage();
	key = noun_job_or_ticket(argv[optind], &name);
	return out_end(noun_each("job.context", key, &name, 1, NULL));
}
