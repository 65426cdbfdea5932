/* See claim.h. */
#include <stdlib.h>
#include <string.h>

#include "claim.h"
#include "json.h"

int
claim_log(struct store *s, const struct jobrec *j, const char *summary,
    const char *text, size_t n, const char *file)
{
	struct buf in = BUF_INIT;
	struct fault f = { 0, "" };
	int rc;

	json_add(&in, "job_id", j->id);
	json_add_int(&in, "fence", j->fence);
	json_add_int(&in, "lease_seconds", j->lease);
	json_add(&in, "session_id", j->session);
	json_add(&in, "step", "output");
	json_add(&in, "summary", summary);
	json_addn(&in, "raw_output", text, n);
	if (file != NULL)
		json_add(&in, "raw_file", file);
	rc = store_do(s, "log.add", json_end(&in), NULL, NULL, &f);
	if (rc != 0 && rc != EX_DATAERR)
		warn("%s: log: %s", j->id, f.msg);
	buf_free(&in);
	return rc;
}

static int
stop_word(void *arg, const char *json)
{
	char **word = arg;

	free(*word);
	*word = json_get(json, "$.stop");
	return 0;
}

static enum stop
ask(struct store *s, const struct jobrec *j, const char *verb, bool renew)
{
	struct buf in = BUF_INIT;
	struct fault f = { 0, "" };
	char *word = NULL;
	enum stop why = STOP_NONE;
	int rc;

	json_add(&in, "job_id", j->id);
	json_add_int(&in, "fence", j->fence);
	if (renew)
		json_add_int(&in, "lease_seconds", j->lease);
	rc = store_do(s, verb, json_end(&in), stop_word, &word, &f);
	buf_free(&in);
	if (rc == EX_DATAERR || rc == EX_NOINPUT)
		why = STOP_LOST;
	else if (rc > 1)
		warn("%s: %s: %s", j->id, verb, f.msg);
	else if (word != NULL && strcmp(word, "cancel") == 0)
		why = STOP_CANCEL;
	else if (word != NULL && strcmp(word, "pause") == 0)
		why = STOP_PAUSE;
	else if (word != NULL && strcmp(word, "lost") == 0)
		why = STOP_LOST;
	free(word);
	return why;
}

enum stop
claim_watch(struct store *s, const struct jobrec *j)
{
	return ask(s, j, "job.watch", false);
}

enum stop
claim_renew(struct store *s, const struct jobrec *j)
{
	return ask(s, j, "job.renew", true);
}
