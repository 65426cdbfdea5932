/*
 * tera-finish - end claimed jobs, as the records of tera-run say
 *
 * A record with an error becomes a failed job, or a pending one while the
 * error may pass and tries are left.  A record whose fence is old is refused
 * and named: another claim of the job has its own end.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "store.h"

#define MOST_TOKENS 1e12
#define MOST_COST 1e6

static const char *const outcomes[] = { "completed", "failed", "cancelled",
	"paused", "pending", NULL };
static const char *const reasons[] = { "ok", "partial", "error", "timeout",
	"lost", "user", "budget", "stall", "verify", "push", "conflict",
	"config", NULL };

static bool
one_of(const char *s, const char *const *words)
{
	while (*words != NULL && strcmp(s, *words) != 0)
		words++;
	return *words != NULL;
}

/* Takes a key out of the record and says so.  An outcome or an error that
 * nobody understands is no success. */
static void
drop(char **rec, const char *key)
{
	char *less;

	warn("%s: dropped: not of its type, or out of range", key);
	if (strcmp(key, "error") == 0) {
		char *words = json_get(*rec, "$.error.message");

		less = json_error(*rec, "agent", EX_SOFTWARE,
		    words != NULL ? words : "an error in no known form");
		free(words);
	} else if (strcmp(key, "outcome") == 0) {
		less = json_merge(*rec, "{\"outcome\":\"failed\"}");
	} else
		less = json_remove(*rec, key);
	free(*rec);
	*rec = less;
}

static bool
in_range(const char *rec, const char *path, const char *types, double most)
{
	const char *type = json_type(rec, path);
	double n = json_real(rec, path, 0);

	return *type == '\0' || strcmp(type, "null") == 0 ||
	       (strstr(types, type) != NULL && n >= 0 && n <= most);
}

/*
 * What an agent put into its record must not keep its job from ending: a key
 * that is not what the store keeps is left out, and the job ends all the same.
 */
static char *
fit(const char *line, void *arg, struct fault *f)
{
	static const struct {
		const char *key, *type;
	} keys[] = { { "outcome", "text" }, { "reason", "text" },
		{ "message", "text" }, { "exit", "integer" },
		{ "run_after", "text" }, { "turns", "integer" },
		{ "usage", "object" }, { "verify", "object" },
		{ "error", "object" }, { "pr_url", "text" },
		{ "pr_number", "integer" } };
	static const struct {
		const char *key, *path, *const *words;
	} words[] = { { "outcome", "$.outcome", outcomes },
		{ "reason", "$.reason", reasons },
		{ "error", "$.error.reason", reasons } };
	char path[40], *rec;

	(void)arg;
	if (json_check(line, strlen(line), f) != 0)
		return NULL;
	rec = json_tidy(line);
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		const char *type;

		snprintf(path, sizeof(path), "$.%s", keys[i].key);
		type = json_type(rec, path);
		if (*type != '\0' && strcmp(type, "null") != 0 &&
		    strcmp(type, keys[i].type) != 0)
			drop(&rec, keys[i].key);
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		char *word = json_get(rec, words[i].path);

		if (word != NULL && !one_of(word, words[i].words))
			drop(&rec, words[i].key);
		free(word);
	}
	if (!in_range(rec, "$.turns", "integer", MOST_TOKENS))
		drop(&rec, "turns");
	if (!in_range(rec, "$.usage.input_tokens", "integer", MOST_TOKENS) ||
	    !in_range(rec, "$.usage.output_tokens", "integer", MOST_TOKENS) ||
	    !in_range(rec, "$.usage.cost_usd", "integer real", MOST_COST))
		drop(&rec, "usage");
	return rec;
}

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
		case 'o':
			if (!one_of(optarg, outcomes))
				die(EX_USAGE, "-o %.40s: no such outcome",
				    optarg);
			json_add(&in, "outcome", optarg);
			break;
		case 'r':
			if (!one_of(optarg, reasons))
				die(EX_USAGE, "-r %.40s: no such reason",
				    optarg);
			json_add(&in, "reason", optarg);
			break;
		default: err_usage();
		}
	if (optind == argc ||
	    (argc - optind == 1 && strcmp(argv[optind], "-") == 0)) {
		if (in.len > 0)
			err_usage();
		return out_end(store_stream("job.finish", fit, NULL));
	}
	if (argc - optind != 2)
		err_usage();
	json_add(&in, "job", argv[optind]);
	json_add_int(
	    &in, "fence", cmd_number("fence", argv[optind + 1], 0, 1LL << 62));
	rc = store_main("job.finish", json_end(&in));
	buf_free(&in);
	return out_end(rc);
}
