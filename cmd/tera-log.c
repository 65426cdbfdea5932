/*
 * tera-log - append to the log of a job, read it, follow it
 *
 * With - it takes records {job_id, step, summary, raw_output, ...}, one a line,
 * in batches of one transaction.  Output beyond OUTPUT_MAX goes whole into a
 * file of the run's directory (raw_file), and its head and tail into the store.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "noun.h"
#include "spawn.h"
#include "store.h"

#define OUTPUT_MAX (64 * 1024) /* bytes of raw_output in the store */

/* --- append --- */

/* The whole text into a new file; its path, or NULL and f. */
static char *
spill(const char *job, const char *text, struct fault *f)
{
	char *below = xasprintf("run/%s", job), *dir, *path;
	size_t left = strlen(text);
	int fd;

	/* an id names the directory: a made-up one must not lead elsewhere */
	if (strspn(job, "0123456789abcdefABCDEF-") != strlen(job)) {
		fail(f, EX_DATAERR, "job_id: not an id");
		free(below);
		return NULL;
	}
	dir = state_dir(below);
	if (dir == NULL) {
		fail(f, EX_CANTCREAT, "%s in TERA_STATE:", below);
		free(below);
		return NULL;
	}
	path = xasprintf("%s/log.XXXXXX", dir);
	fd = mkostemp(path, O_CLOEXEC);
	while (fd >= 0 && left > 0) {
		ssize_t n = write(fd, text, left);

		if (n < 0 && errno != EINTR)
			break;
		if (n > 0) {
			text += n;
			left -= (size_t)n;
		}
	}
	if (fd < 0 || left > 0 || close(fd) != 0) {
		fail(f, EX_IOERR, "%s:", path);
		free(path);
		path = NULL;
	}
	free(dir);
	free(below);
	return path;
}

/* Where a cut does not fall into a character. */
static size_t
whole(const char *s, size_t at)
{
	while (at > 0 && ((unsigned char)s[at] & 0xc0) == 0x80)
		at--;
	return at;
}

static char *
cut(const char *line, void *arg, struct fault *f)
{
	struct buf with = BUF_INIT, text = BUF_INIT;
	char *raw, *job, *path = NULL, *in;
	size_t n, head, tail;

	(void)arg;
	if (json_check(line, strlen(line), f) != 0)
		return NULL;
	if (strlen(line) <= OUTPUT_MAX ||
	    (raw = json_get(line, "$.raw_output")) == NULL)
		return xstrdup(line);
	n = strlen(raw);
	job = json_get(line, "$.job_id");
	if (n <= OUTPUT_MAX) {
		free(raw);
		free(job);
		return xstrdup(line);
	}
	path = spill(job != NULL ? job : "0", raw, f);
	free(job);
	if (path == NULL) {
		free(raw);
		return NULL;
	}
	head = whole(raw, OUTPUT_MAX / 2);
	tail = whole(raw, n - OUTPUT_MAX / 2);
	buf_add(&text, raw, head);
	buf_fmt(&text, "\n[... %zu bytes are in the file ...]\n", tail - head);
	buf_str(&text, raw + tail);
	json_addn(&with, "raw_output", buf_text(&text), text.len);
	json_add(&with, "raw_file", path);
	in = json_merge(line, json_end(&with));
	free(raw);
	free(path);
	buf_free(&text);
	buf_free(&with);
	return in;
}

/* --- read --- */

struct place {
	long long since, left;
};

static void
passed(struct place *at, const char *json)
{
	at->since = json_int(json, "$.seq", at->since);
	at->left--;
}

static int
show(void *arg, const char *json)
{
	passed(arg, json);
	return store_print(NULL, json);
}

/* Text for eyes: the steps with their output. */
static int
show_text(void *arg, const char *json)
{
	char *at = json_get(json, "$.created_at");
	char *step = json_get(json, "$.step");
	char *summary = json_get(json, "$.summary");
	char *raw = json_get(json, "$.raw_output");

	passed(arg, json);
	printf("%s %s%s%s\n", at != NULL ? at : "", step != NULL ? step : "",
	    summary != NULL && *summary != '\0' ? ": " : "",
	    summary != NULL ? summary : "");
	if (raw != NULL && *raw != '\0')
		printf("%s%s", raw, raw[strlen(raw) - 1] == '\n' ? "" : "\n");
	free(at);
	free(step);
	free(summary);
	free(raw);
	return ferror(stdout);
}

static int
is_over(void *arg, const char *json)
{
	char *state = json_get(json, "$.state");

	*(bool *)arg = state == NULL || (strcmp(state, "pending") != 0 &&
					    strcmp(state, "running") != 0 &&
					    strcmp(state, "paused") != 0);
	free(state);
	return 0;
}

static int
read_log(const char *key, const char *name, long long since, long long limit,
    int follow, row_fn *row)
{
	struct fault f = { 0, "" };
	struct store *s = store_open(&f);
	struct place at = { since, limit };
	bool over = false;
	int rc;

	if (s == NULL)
		die(f.code, "%s", f.msg);
	for (;;) {
		struct buf in = BUF_INIT, who = BUF_INIT;

		store_wait(s, 0);
		json_add(&who, key, name);
		json_end(&who);
		/* the state first: what the job wrote last is then seen */
		rc = 0;
		if (follow && strcmp(key, "job") == 0)
			rc =
			    store_do(s, "job.watch", who.s, is_over, &over, &f);
		json_add(&in, key, name);
		json_add_int(&in, "since", at.since);
		if (limit > 0)
			json_add_int(&in, "limit", at.left);
		if (rc == 0)
			rc = store_do(
			    s, "log.list", json_end(&in), row, &at, &f);
		buf_free(&in);
		buf_free(&who);
		if (rc != 0 || fflush(stdout) != 0 || !follow || over ||
		    (limit > 0 && at.left <= 0))
			break;
		if (!store_follow(s))
			break;
	}
	if (rc > 1)
		warn("%s", f.msg);
	store_close(s);
	return rc;
}

int
main(int argc, char *argv[])
{
	int follow = 0, text = 0;
	long long since = 0, limit = 0;
	const char *key;
	char *name;

	err_init(argc, argv,
	    "[-fx] [-n limit] [-s since] {job | ticket=ticket | -}");
	for (int c; (c = getopt(argc, argv, "fn:s:x")) != -1;)
		switch (c) {
		case 'f': follow = 1; break;
		case 'n': limit = cmd_number("-n", optarg, 1, 1 << 30); break;
		case 's': since = cmd_number("-s", optarg, 0, 1LL << 62); break;
		case 'x': text = 1; break;
		default: err_usage();
		}
	if (argc - optind != 1)
		err_usage();
	if (strcmp(argv[optind], "-") == 0) {
		if (optind != 1)
			err_usage();
		return out_end(store_stream("log.add", cut, NULL));
	}
	key = noun_job_or_ticket(argv[optind], &name);
	return out_end(
	    read_log(key, name, since, limit, follow, text ? show_text : show));
}
