/*
 * tera-watch - print the events of the store, and follow them
 *
 * Events come by rising seq; what was printed last is where the next -s goes
 * on, so nothing is missed and nothing comes twice.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "store.h"

struct place {
	long long since, left;
};

static int
show(void *arg, const char *json)
{
	struct place *at = arg;

	at->since = json_int(json, "$.seq", at->since);
	at->left--;
	return store_print(NULL, json);
}

/* The noun as its events name it: "tickets" is ticket. */
static const char *
known(const char *noun)
{
	static const char *const nouns[] = { "project", "graph", "board",
		"ticket", "dependency", "comment", "note", "setting", "job",
		"attempt", "log", "pr", "pr_comment", "token" };

	for (size_t i = 0; i < sizeof(nouns) / sizeof(*nouns); i++) {
		size_t n = strlen(nouns[i]);

		if (strncmp(noun, nouns[i], n) == 0 &&
		    (noun[n] == '\0' || strcmp(noun + n, "s") == 0))
			return nouns[i];
	}
	die(EX_USAGE, "noun=%.40s: no such noun here", noun);
}

int
main(int argc, char *argv[])
{
	const char *noun = NULL, *project = NULL, *ticket = NULL, *job = NULL;
	const struct cmd_key keys[] = { { "noun", &noun, NULL },
		{ "ticket", &ticket, NULL }, { "job", &job, NULL } };
	struct fault f = { 0, "" };
	struct place at = { 0, 0 };
	long long limit = 0;
	struct store *s;
	int follow = 0, rc;

	err_init(argc, argv,
	    "[-f] [-n limit] [-p project] [-s since] [noun=noun] "
	    "[ticket=ticket] [job=job]");
	for (int c; (c = getopt(argc, argv, "fn:p:s:")) != -1;)
		switch (c) {
		case 'f': follow = 1; break;
		case 'n': limit = cmd_number("-n", optarg, 1, 1 << 30); break;
		case 'p': project = optarg; break;
		case 's':
			at.since = cmd_number("-s", optarg, 0, 1LL << 62);
			break;
		default: err_usage();
		}
	cmd_keys(keys, 3, argc - optind, argv + optind);
	if (noun != NULL)
		noun = known(noun);
	s = store_open(&f);
	if (s == NULL)
		die(f.code, "%s", f.msg);
	at.left = limit;
	do {
		struct buf in = BUF_INIT;

		store_wait(s, 0); /* note where we are before we look */
		json_add_int(&in, "since", at.since);
		if (limit > 0)
			json_add_int(&in, "limit", at.left);
		if (noun != NULL)
			json_add(&in, "noun", noun);
		if (project != NULL)
			json_add(&in, "project", project);
		if (ticket != NULL)
			json_add(&in, "ticket", ticket);
		if (job != NULL)
			json_add(&in, "job", job);
		rc = store_do(s, "event.list", json_end(&in), show, &at, &f);
		buf_free(&in);
		if (rc != 0 || fflush(stdout) != 0)
			break;
	} while (follow && (limit == 0 || at.left > 0) && store_follow(s));
	if (rc > 1)
		warn("%s", f.msg);
	store_close(s);
	return out_end(rc);
}
