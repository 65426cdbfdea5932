/*
 * tera-ls - list things of one kind as JSON lines
 *
 * Filters are operands; what a noun can be filtered by is in its page.
 */
#include <string.h>
#include <unistd.h>

#include "noun.h"

/* Ends the command when what the flag says is no key of the verb. */
static void
want(const char *verb, const char *key, const char *flag, const char *noun)
{
	if (!noun_has(verb, key))
		die(EX_USAGE, "%s: %.40s has no %s", flag, noun,
		    strcmp(key, "after") == 0 ? "number" : key);
}

int
main(int argc, char *argv[])
{
	struct buf in = BUF_INIT;
	const char *verb, *noun, *project = NULL, *after = "after";
	long long limit = -1, since = -1;
	bool all = false;
	int rc;

	err_init(argc, argv,
	    "[-a] [-n limit] [-p project] [-s since] noun [key=value ...]");
	for (int c; (c = getopt(argc, argv, "an:p:s:")) != -1;)
		switch (c) {
		case 'a': all = true; break;
		case 'n': limit = cmd_number("-n", optarg, 1, 1 << 30); break;
		case 'p': project = optarg; break;
		case 's': since = cmd_number("-s", optarg, 0, 1LL << 62); break;
		default: err_usage();
		}
	if (optind == argc)
		err_usage();
	noun = argv[optind];
	verb = noun_verb(noun, "list");
	if (all) {
		want(verb, "deleted", "-a", noun);
		json_add_bool(&in, "deleted", true);
	}
	if (limit >= 0) {
		want(verb, "limit", "-n", noun);
		json_add_int(&in, "limit", limit);
	}
	if (project != NULL) {
		want(verb, "project", "-p", noun);
		json_add(&in, "project", project);
	}
	if (since >= 0) {
		/* lines of history go by seq, all else by number */
		if (noun_has(verb, "since"))
			after = "since";
		want(verb, after, "-s", noun);
		json_add_int(&in, after, since);
	}
	noun_input(verb, &in, argc - optind - 1, argv + optind + 1);
	rc = store_main(verb, json_end(&in));
	buf_free(&in);
	return out_end(rc);
}
