/*
 * tera-token - make, list and revoke the tokens that tera-serve asks for
 *
 * The token is made here and printed here, once: what goes to the store, which
 * may be elsewhere, is its SHA-256 (token.h).
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "store.h"
#include "token.h"

/* The answer with the token in it. */
static int
with_token(void *arg, const char *json)
{
	struct buf more = BUF_INIT;
	char *row;

	json_add(&more, "token", arg);
	row = json_merge(json, json_end(&more));
	store_print(NULL, row);
	explicit_bzero(row, strlen(row));
	free(row);
	explicit_bzero(more.s, more.len);
	buf_free(&more);
	return 0;
}

static int
run(const char *verb, struct buf *in, row_fn *row, void *arg)
{
	struct fault f = { 0, "" };
	struct store *s = store_open(&f);
	int rc =
	    s == NULL ? f.code : store_do(s, verb, json_end(in), row, arg, &f);

	if (rc > 1)
		warn("%s", f.msg);
	store_close(s);
	buf_free(in);
	return rc;
}

/* projects: of -p, a list of JSON that is open, or empty. */
static int
add(struct buf *projects, int argc, char *argv[])
{
	struct buf in = BUF_INIT;
	char text[TOKEN_TEXT], hash[TOKEN_HASH];
	int rc;

	if (argc < 1 || cmd_is_field(argv[0]))
		err_usage();
	json_add(&in, "name", argv[0]);
	for (int i = 1; i < argc; i++)
		if (strncmp(argv[i], "role=", 5) != 0 &&
		    strncmp(argv[i], "expires_at=", 11) != 0)
			die(EX_USAGE, "%s: want role=... or expires_at=...",
			    argv[i]);
	cmd_operands(&in, argc - 1, argv + 1);
	if (projects->len > 0) {
		buf_chr(projects, ']');
		json_add_raw(&in, "projects", projects->s);
	}
	token_new(text);
	token_hash(text, strlen(text), hash);
	json_add(&in, "hash", hash);
	rc = run("token.add", &in, with_token, text);
	explicit_bzero(text, sizeof(text));
	return rc;
}

static int
list(bool all)
{
	struct buf in = BUF_INIT;

	json_add_bool(&in, "deleted", all);
	return run("token.list", &in, store_print, NULL);
}

static int
remove_them(int argc, char *argv[])
{
	int worst = 0;

	if (argc < 1)
		err_usage();
	for (int i = 0; i < argc; i++) {
		struct buf in = BUF_INIT;
		int rc;

		json_add(&in, "token", argv[i]);
		rc = run("token.remove", &in, store_print, NULL);
		worst = rc > worst ? rc : worst;
	}
	return worst;
}

int
main(int argc, char *argv[])
{
	struct buf projects = BUF_INIT;
	const char *what;
	bool all = false;
	int rc = EX_USAGE;

	err_init(argc, argv,
	    "{add [-p project] name [role=role] [expires_at=time] | ls [-a] | "
	    "rm name ...}");
	what = argc > 1 ? argv[1] : "";
	if (argc > 1 && *what != '-') {
		argc--;
		argv++;
	}
	for (int c; (c = getopt(argc, argv, "ap:")) != -1;)
		switch (c) {
		case 'a': all = true; break;
		case 'p':
			buf_chr(&projects, projects.len == 0 ? '[' : ',');
			json_quote(&projects, optarg, strlen(optarg));
			break;
		default: err_usage();
		}
	argc -= optind;
	argv += optind;
	if (strcmp(what, "add") == 0 && !all)
		rc = add(&projects, argc, argv);
	else if (strcmp(what, "ls") == 0 && argc == 0 && projects.len == 0)
		rc = list(all);
	else if (strcmp(what, "rm") == 0 && !all && projects.len == 0)
		rc = remove_them(argc, argv);
	else
		err_usage();
	buf_free(&projects);
	return out_end(rc);
}
