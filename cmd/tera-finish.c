/*
 * tera-finish - end claimed jobs, as the records of tera-run say
 *
 * A record with an error becomes a failed job, or a pending one while the
 * error may pass and tries are left.  A record whose fence is old is refused
 * and named: another claim of the job has its own end.
 */
#include <string.h>
#include <unistd.h>

#include "cmd.h"

int
main(int argc, char *argv[])
{
	struct buf in = BUF_INIT;
	int rc;

	err_init(argc, argv,
	    "[- | [-m message] [-o outcome] [-r reason] job fence]");
	for (int c; (c = getopt(argc, argv, "m:o:r:")) != -1;)
		switch (c) {
		case 'm': json_add(&in, "message", optarg); break;
		case 'o': json_add(&in, "outcome", optarg); break;
		case 'r': json_add(&in, "reason", optarg); break;
		default: err_usage();
		}
	if (optind == argc ||
	    (argc - optind == 1 && strcmp(argv[optind], "-") == 0)) {
		if (in.len > 0)
			err_usage();
		return out_end(store_stream("job.finish", NULL, NULL));
	}
	if (argc - optind != 2)
		err_usage();
	json_add(&in, "job", argv[optind]);
	json_add_int(
	    &in, "fence", cmd_number('f', argv[optind + 1], 0, 1LL << 62));
	rc = store_main("job.finish", json_end(&in));
	buf_free(&in);
	return out_end(rc);
}
