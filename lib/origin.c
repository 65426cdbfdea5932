/* See origin.h. */
#include <stdlib.h>
#include <string.h>

#include "far.h"
#include "jscan.h"
#include "origin.h"

#define ID 36 /* characters of a UUID */

struct list {
	char **s;
	size_t n;
};

static int
collect(void *arg, const char *json)
{
	struct list *l = arg;

	l->s = xrealloc(l->s, (l->n + 1) * sizeof(*l->s));
	l->s[l->n++] = xstrdup(json);
	return 0;
}

/* What the path answers; the caller frees the list.  lacking: it need not be
 * there. */
static struct list
ask(struct intake *t, struct far *r, const char *path, bool lacking)
{
	size_t n = strlen(t->source);
	struct list l = { NULL, 0 };
	struct fault f;
	char *url;
	int rc;

	while (n > 0 && t->source[n - 1] == '/')
		n--;
	url = xasprintf("%.*s%s", (int)n, t->source, path);
	rc = far_get(r, url, collect, &l, &f);
	if (rc != 0 && !(lacking && rc == EX_NOINPUT))
		die(rc, "%s", f.msg);
	free(url);
	return l;
}

/* Takes the objects at PROJECT/below as that kind, with the keys of extra.  A
 * project may be without a graph or a board. */
static void
take_list(struct intake *t, struct far *r, const char *project,
    const char *below, enum intake_kind kind, const char *extra)
{
	char *path = xasprintf("/api/projects/%s/%s", project, below);
	struct list l =
	    ask(t, r, path, kind == INTAKE_GRAPH || kind == INTAKE_BOARD);

	for (size_t i = 0; i < l.n; i++) {
		intake_add(t, kind, json_merge(l.s[i], extra));
		free(l.s[i]);
	}
	free(l.s);
	free(path);
}

/* The id of an object that becomes part of a path; NULL when it is none. */
static char *
id_of(const char *json)
{
	char *id = json_get(json, "$.id");

	if (id != NULL && strlen(id) == ID &&
	    strspn(id, "0123456789abcdefABCDEF-") == ID)
		return id;
	free(id);
	return NULL;
}

/* A pull request has no id of its own there: it gets the ticket's. */
static void
take_ticket(
    struct intake *t, struct far *r, const char *project, const char *ticket)
{
	char *id = id_of(ticket), *logs, *url = json_raw(ticket, "$.pr_url"),
	     *number = json_raw(ticket, "$.pr_number");
	struct buf pr = BUF_INIT, extra = BUF_INIT;

	intake_add(t, INTAKE_TICKET, xstrdup(ticket));
	if (id != NULL) {
		json_add(&extra, "project_id", project);
		json_add(&extra, "ticket_id", id);
		logs = xasprintf("tickets/%s/logs", id);
		take_list(t, r, project, logs, INTAKE_LOG, json_end(&extra));
		free(logs);
	}
	if (id != NULL && url != NULL && strcmp(url, "null") != 0) {
		json_add(&pr, "id", id);
		json_add(&pr, "ticket_id", id);
		json_add_raw(&pr, "pr_url", url);
		json_add_raw(
		    &pr, "pr_number", number != NULL ? number : "null");
		json_end(&pr);
		intake_add(t, INTAKE_PR, buf_take(&pr));
	}
	buf_free(&extra);
	free(id);
	free(url);
	free(number);
}

static void
take_project(struct intake *t, struct far *r, const char *project)
{
	char *id = id_of(project), *path;
	struct list l;

	intake_add(t, INTAKE_PROJECT, xstrdup(project));
	if (id == NULL)
		return; /* its verb will say so */
	take_list(t, r, id, "graph", INTAKE_GRAPH, "{}");
	take_list(t, r, id, "kanban", INTAKE_BOARD, "{}");
	take_list(t, r, id, "notes", INTAKE_NOTE, "{}");
	path = xasprintf("/api/projects/%s/tickets", id);
	l = ask(t, r, path, false);
	for (size_t i = 0; i < l.n; i++) {
		take_ticket(t, r, id, l.s[i]);
		free(l.s[i]);
	}
	free(l.s);
	free(path);
	free(id);
}

/* The settings, of which the secret ones are but true or false. */
static void
take_settings(struct intake *t, const char *json)
{
	struct slice all = { json, strlen(json) }, key, v;
	const char *at = NULL;

	while (jscan_member(all, &at, &key, &v)) {
		enum jscan_kind kind = jscan_kind(v);
		struct buf b = BUF_INIT;

		buf_fmt(&b, "{\"key\":%.*s,\"value\":", (int)key.n, key.s);
		buf_add(&b, v.s, v.n);
		buf_chr(&b, '}');
		if (kind == JSCAN_TRUE)
			intake_leave(t, INTAKE_SETTING, b.s, 0,
			    "a secret: the API does not give it");
		else if (kind == JSCAN_TEXT)
			intake_add(t, INTAKE_SETTING, buf_take(&b));
		buf_free(&b);
	}
}

void
origin_take(struct intake *t)
{
	struct far *r = far_open();
	struct list l = ask(t, r, "/api/projects", false);

	for (size_t i = 0; i < l.n; i++) {
		take_project(t, r, l.s[i]);
		free(l.s[i]);
	}
	free(l.s);
	l = ask(t, r, "/api/settings", false);
	for (size_t i = 0; i < l.n; i++) {
		take_settings(t, l.s[i]);
		free(l.s[i]);
	}
	free(l.s);
	far_close(r);
	t->count[INTAKE_JOB].why = t->count[INTAKE_PR_COMMENT].why =
	    "the API does not give them: take a dump";
	t->count[INTAKE_MEMORY].why =
	    "the API does not give them: take its files";
}
