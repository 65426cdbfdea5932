/* See outcome.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "outcome.h"

static const struct {
	const char *outcome, *reason;
	const char *error; /* JSON; NULL: none, whatever the agent says */
} stops[] = {
	[STOP_CANCEL] = { "cancelled", "user", NULL },
	[STOP_PAUSE] = { "paused", "user", NULL },
	[STOP_LOST] = { NULL, "lost",
	    "{\"stage\":\"run\",\"code\":65,\"reason\":\"lost\","
	    "\"message\":\"the lease was lost\"}" },
	[STOP_TIMEOUT] = { "failed", "timeout",
	    "{\"stage\":\"run\",\"code\":1,\"reason\":\"timeout\","
	    "\"message\":\"the limit of seconds is reached\"}" },
	[STOP_MEMORY] = { "failed", "budget",
	    "{\"stage\":\"run\",\"code\":1,\"reason\":\"budget\","
	    "\"message\":\"the limit of memory is reached\"}" },
	[STOP_END] = { "pending", "lost", NULL },
};

/* The record with the agent's result in it. */
static char *
merge(const char *rec, const char *result)
{
	static const char *const ours[] = { "job_id", "ticket_id", "project_id",
		"attempt", "fence", "lease_until" };
	char *rest, *all;

	/* A key said twice, or in escapes, is no way around the list. */
	rest = json_tidy(result);
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++) {
		char quoted[32], *less;

		snprintf(quoted, sizeof(quoted), "\"%s\"", ours[i]);
		if (strstr(rest, quoted) == NULL)
			continue;
		less = json_remove(rest, ours[i]);
		free(rest);
		rest = less;
	}
	all = json_merge(rec, rest);
	free(rest);
	return all;
}

static bool
one_of(const char *s, const char *const *words)
{
	for (; s != NULL && *words != NULL; words++)
		if (strcmp(s, *words) == 0)
			return true;
	return false;
}

/* Adds outcome and reason, and run_after where the error has it, of an agent
 * that ended by itself.  rec is the merged record. */
static void
judge(struct buf *with, const char *rec, bool has_result, int status)
{
	static const char *const outcomes[] = { "completed", "failed",
		"cancelled", "paused", "pending", NULL };
	static const char *const reasons[] = { "ok", "partial", "error",
		"timeout", "lost", "user", "budget", "stall", "verify", "push",
		"conflict", "config", NULL };
	const char *outcome = "completed", *reason = "ok";
	char *own = NULL, *own_reason = NULL, *after = NULL;
	bool error =
	    has_result && strcmp(json_type(rec, "$.error"), "object") == 0;

	if (has_result) {
		own = json_get(rec, "$.outcome");
		own_reason = json_get(rec, "$.reason");
	}
	if (error) {
		free(own_reason);
		own_reason = json_get(rec, "$.error.reason");
		outcome = "failed";
		reason = "error";
		switch (json_int(rec, "$.error.code", 0)) {
		case EX_TEMPFAIL: outcome = "pending"; break;
		case EX_CONFIG: reason = "config"; break;
		default: break;
		}
		after = json_raw(rec, "$.error.run_after");
	}
	if (own != NULL && one_of(own, outcomes)) {
		outcome = own;
		if (strcmp(own, "completed") != 0 && !error)
			reason = "error";
	} else if (own != NULL) {
		outcome = "failed";
		reason = "error";
	}
	if (status != 0 && strcmp(outcome, "completed") == 0) {
		outcome = "failed";
		reason = "error";
		if (one_of(own_reason, reasons) &&
		    strcmp(own_reason, "ok") == 0) {
			free(own_reason);
			own_reason = NULL;
		}
	}
	if (one_of(own_reason, reasons))
		reason = own_reason;
	json_add(with, "outcome", outcome);
	json_add(with, "reason", reason);
	if (after != NULL)
		json_add_raw(with, "run_after", after);
	free(after);
	free(own);
	free(own_reason);
}

/* Adds the error of an agent that ended without a result. */
static void
why(struct buf *with, int status, const char *last)
{
	struct buf e = BUF_INIT;
	char *text =
	    *last != '\0'
		? xasprintf("the agent ended with %d: %s", status, last)
		: xasprintf("the agent ended with %d", status);

	json_add(&e, "stage", "agent");
	json_add_int(
	    &e, "code", status < EX_USAGE || status > 78 ? 70 : status);
	json_add(&e, "message", text);
	json_add(&e, "reason", "error");
	json_add_raw(with, "error", json_end(&e));
	buf_free(&e);
	free(text);
}

char *
outcome_record(const char *rec, const struct outcome *o)
{
	struct buf with = BUF_INIT;
	char *merged = NULL, *out;

	if (o->result != NULL)
		rec = merged = merge(rec, o->result);
	if (o->stop == STOP_NONE)
		judge(&with, rec, o->result != NULL, o->status);
	else {
		json_add(&with, "outcome", stops[o->stop].outcome);
		json_add(&with, "reason", stops[o->stop].reason);
	}
	if (o->ran)
		json_add_int(&with, "exit", o->status);
	/* Why we ended it, whatever the agent thinks of its signal. */
	if (o->stop != STOP_NONE && stops[o->stop].error != NULL)
		json_add_raw(&with, "error", stops[o->stop].error);
	else if (o->stop != STOP_NONE && merged != NULL) {
		out = json_remove(merged, "error");
		free(merged);
		rec = merged = out;
	}
	if (o->stop == STOP_NONE && o->status != 0 && o->result == NULL)
		why(&with, o->status, o->last);
	out = json_merge(rec, json_end(&with));
	buf_free(&with);
	free(merged);
	return out;
}

char *
outcome_not_run(
    const char *rec, int status, const char *reason, const char *message)
{
	char *with_error = json_error(rec, "run", status, message), *out;
	struct buf with = BUF_INIT;

	json_add(
	    &with, "outcome", status == EX_TEMPFAIL ? "pending" : "failed");
	json_add(&with, "reason", reason);
	out = json_merge(with_error, json_end(&with));
	buf_free(&with);
	free(with_error);
	return out;
}
