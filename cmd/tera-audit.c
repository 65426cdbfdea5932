/*
 * tera-audit - recompute the chain of hashes over the events
 *
 * Exit 0 when it holds, 1 when it does not; first_bad is the sequence number
 * of the first record that was altered, removed or put in between.  A head
 * that was noted down earlier is held against it: a chain that was rewritten
 * as a whole has another.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "store.h"

static int
keep(void *arg, const char *json)
{
	*(char **)arg = xstrdup(json);
	return 0;
}

int
main(int argc, char *argv[])
{
	struct fault f = { 0, "" };
	const char *want = NULL;
	char *answer = NULL, *head;
	struct store *s;
	struct db *db;
	int rc;

	err_init(argc, argv, "[head]");
	if (getopt(argc, argv, "") != -1 || argc - optind > 1)
		err_usage();
	if (optind < argc)
		want = argv[optind];
	s = store_open(&f);
	db = s != NULL ? store_db(s, &f) : NULL;
	if (db == NULL) {
		store_close(s);
		die(f.code, "%s", f.msg);
	}
	rc = db_audit(db, keep, &answer, &f);
	store_close(s);
	if (rc > 1)
		die(rc, "%s", f.msg);
	store_print(NULL, answer);
	if (rc == 1) {
		char *bad = json_get(answer, "$.first_bad");

		warn("event %s does not fit its seal", bad != NULL ? bad : "?");
		free(bad);
	}
	head = json_get(answer, "$.head");
	if (rc == 0 && want != NULL && head != NULL &&
	    strcmp(want, head) != 0) {
		warn("the head is not the one that was noted down");
		rc = 1;
	}
	free(head);
	free(answer);
	return out_end(rc);
}
