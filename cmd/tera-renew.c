/*
 * tera-renew - extend the lease of a claimed job
 *
 * The answer's key stop says whether the holder should go on: null, cancel or
 * pause.  Exit 1 when it should stop.
 */
#include <stdlib.h>
#include <unistd.h>

#include "cmd.h"
#include "store.h"

/* Prints the answer and notes whether it asks to stop. */
static int
answer(void *arg, const char *json)
{
	char *stop = json_get(json, "$.stop");

	if (stop != NULL)
		*(int *)arg = 1;
	free(stop);
	return store_print(NULL, json);
}

int
main(int argc, char *argv[])
{
	struct buf in = BUF_INIT;
	struct fault f = { 0, "" };
	struct store *s;
	int stop = 0, rc;

	err_init(argc, argv, "[-l lease_seconds] job fence");
	for (int c; (c = getopt(argc, argv, "l:")) != -1;)
		switch (c) {
		case 'l':
			json_add_int(&in, "lease_seconds",
			    cmd_number("-l", optarg, 1, 86400));
			break;
		default: err_usage();
		}
	if (argc - optind != 2)
		err_usage();
	json_add(&in, "job", argv[optind]);
	json_add_int(
	    &in, "fence", cmd_number("fence", argv[optind + 1], 0, 1LL << 62));
	s = store_open(&f);
	if (s == NULL)
		die(f.code, "%s", f.msg);
	rc = store_do(s, "job.renew", json_end(&in), answer, &stop, &f);
	if (rc > 1)
		warn("%s", f.msg);
	store_close(s);
	buf_free(&in);
	return out_end(rc != 0 ? rc : stop);
}
