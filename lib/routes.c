/*
 * The table of routes (route.h).  What one of them does stands in its verbs;
 * the order is that of tera-api(7).
 */
#include "route.h"

#define P "/api/projects/:project"
#define T P "/tickets/:ticket"

const struct route routes[] = {
	{ "GET", "/health", "api.health", WHO_ALL, SHAPE_ONE, 200 },

	/* what workers ask */
	{ "POST", "/api/worker/jobs/start",
	    "api.job.start +job.claim $+api.job", WHO_AGENT, SHAPE_ONE, 200 },
	{ "POST", "/api/worker/jobs/:job/complete", "api.job.complete",
	    WHO_WORKER, SHAPE_ONE, 200 },
	{ "POST", "/api/worker/jobs/:job/fail", "api.job.fail", WHO_WORKER,
	    SHAPE_ONE, 200 },
	{ "GET", T "/worker-context", "$api.context", WHO_AGENT, SHAPE_ONE,
	    200 },
	{ "POST", T "/logs", "api.log.add", WHO_WORKER, SHAPE_ONE, 200 },
	{ "POST", T "/complete", "api.ticket.complete", WHO_WORKER, SHAPE_ONE,
	    200 },
	{ "GET", T "/cancel-requested", "api.ticket.stopped", WHO_WORKER,
	    SHAPE_ONE, 200 },
	{ "POST", P "/memory/retrieve", "memory.find", WHO_WORKER, SHAPE_ONE,
	    200 },
	{ "POST", P "/memory/index", "memory.add", WHO_WORKER, SHAPE_ONE, 200 },
	{ "POST", P "/memory/delete", "memory.remove", WHO_WORKER, SHAPE_ONE,
	    200 },
	{ "GET", "/api/settings", "api.settings", WHO_WORKER, SHAPE_ONE, 200 },

	/* what people ask */
	{ "PUT", "/api/settings", "api.settings.set api.settings", WHO_ADMIN,
	    SHAPE_ONE, 200 },
	{ "GET", "/api/settings/check", "$api.settings.check", WHO_READ,
	    SHAPE_ONE, 200 },
	{ "GET", "/api/settings/export", "api.settings.export", WHO_READ,
	    SHAPE_ONE, 200 },
	{ "POST", "/api/settings/import", "api.settings.import", WHO_ADMIN,
	    SHAPE_ONE, 200 },
	{ "GET", "/api/projects", "api.projects", WHO_READ, SHAPE_LIST, 200 },
	{ "POST", "/api/projects", "api.project.add", WHO_WRITE, SHAPE_ONE,
	    201 },
	{ "GET", P, "api.project", WHO_READ, SHAPE_ONE, 200 },
	{ "PUT", P, "api.project.set", WHO_WRITE, SHAPE_ONE, 200 },
	{ "DELETE", P, "api.project.confirm project.remove api.removed",
	    WHO_WRITE, SHAPE_ONE, 200 },
	{ "GET", P "/graph", "api.graph", WHO_READ, SHAPE_ONE, 200 },
	{ "PUT", P "/graph", "api.graph.set", WHO_WRITE, SHAPE_ONE, 200 },
	{ "GET", P "/kanban", "api.kanban", WHO_READ, SHAPE_ONE, 200 },
	{ "PUT", P "/kanban", "api.kanban.set", WHO_WRITE, SHAPE_ONE, 200 },
	{ "GET", P "/tickets", "api.tickets", WHO_READ, SHAPE_LIST, 200 },
	{ "POST", P "/tickets", "api.ticket.add", WHO_WRITE, SHAPE_ONE, 201 },
	{ "GET", T, "api.ticket", WHO_READ, SHAPE_ONE, 200 },
	{ "PATCH", T, "api.ticket.set +ticket.move?column_id api.ticket",
	    WHO_WRITE, SHAPE_ONE, 200 },
	{ "DELETE", T, "api.ticket ticket.remove api.removed", WHO_WRITE,
	    SHAPE_ONE, 200 },
	{ "GET", T "/logs", "api.logs", WHO_READ, SHAPE_LIST, 200 },
	{ "POST", T "/cancel", "api.ticket.cancel", WHO_WRITE, SHAPE_ONE, 200 },
	{ "GET", P "/notes", "api.notes", WHO_READ, SHAPE_LIST, 200 },
	{ "POST", P "/notes", "api.note.add", WHO_WRITE, SHAPE_ONE, 201 },
	{ "GET", P "/notes/:note", "api.note", WHO_READ, SHAPE_ONE, 200 },
	{ "PATCH", P "/notes/:note", "api.note note.set api.note", WHO_WRITE,
	    SHAPE_ONE, 200 },
	{ "DELETE", P "/notes/:note", "api.note note.remove api.removed",
	    WHO_WRITE, SHAPE_ONE, 200 },

	/* what goes on: lists, and streams (stream.h); the seal is of all */
	{ "GET", "/api/events", "api.events", WHO_READ, SHAPE_LIST, 200 },
	{ "GET", "/api/audit", "store.info !audit", WHO_READ, SHAPE_ONE, 200 },
	{ "GET", "/api/jobs/:job/logs", "api.job.logs", WHO_READ, SHAPE_LIST,
	    200 },
	/* jobs, and what makes them wait */
	{ "GET", "/api/jobs", "job.list", WHO_READ, SHAPE_LIST, 200 },
	{ "GET", "/api/jobs/:job", "job.show", WHO_READ, SHAPE_ONE, 200 },
	{ "PATCH", "/api/jobs/:job", "job.set", WHO_WRITE, SHAPE_ONE, 200 },
	{ "POST", "/api/jobs/:job/cancel", "job.cancel", WHO_WRITE, SHAPE_ONE,
	    200 },
	{ "POST", "/api/jobs/:job/pause", "job.pause", WHO_WRITE, SHAPE_ONE,
	    200 },
	{ "POST", "/api/jobs/:job/resume", "rest.job.paused job.retry",
	    WHO_WRITE, SHAPE_ONE, 200 },
	{ "POST", "/api/jobs/:job/retry", "job.retry", WHO_WRITE, SHAPE_ONE,
	    200 },
	{ "POST", T "/jobs", "api.ticket job.add", WHO_WRITE, SHAPE_ONE, 200 },
	{ "GET", P "/limits", "rest.limits", WHO_READ, SHAPE_ONE, 200 },
	{ "PUT", P "/limits", "rest.limits.set", WHO_WRITE, SHAPE_ONE, 200 },
	{ "GET", T "/dependencies", "api.ticket dependency.list", WHO_READ,
	    SHAPE_LIST, 200 },
	{ "POST", T "/dependencies", "api.ticket dependency.add", WHO_WRITE,
	    SHAPE_ONE, 201 },
	{ "DELETE", T "/dependencies/:needs", "api.ticket dependency.remove",
	    WHO_WRITE, SHAPE_ONE, 200 },

	/* more of tickets and projects */
	{ "GET", T "/comments", "api.ticket comment.list", WHO_READ, SHAPE_LIST,
	    200 },
	{ "POST", T "/comments", "rest.comment.add", WHO_WRITE, SHAPE_ONE,
	    201 },
	{ "POST", T "/restore", "rest.ticket.removed ticket.restore api.ticket",
	    WHO_WRITE, SHAPE_ONE, 200 },
	{ "POST", P "/restore", "project.restore api.project", WHO_WRITE,
	    SHAPE_ONE, 200 },
	{ "GET", T "/diff", "rest.branch !diff", WHO_READ, SHAPE_LIST, 200 },

	/* pull requests */
	{ "GET", "/api/pulls", "rest.pulls", WHO_READ, SHAPE_LIST, 200 },
	{ "GET", "/api/pulls/:pr", "pr.show", WHO_READ, SHAPE_ONE, 200 },
	{ "GET", "/api/pulls/:pr/diff", "pr.show !files", WHO_READ, SHAPE_LIST,
	    200 },
	{ "POST", "/api/pulls/:pr/comments", "rest.pull.comment", WHO_WRITE,
	    SHAPE_ONE, 201 },
	{ "POST", "/api/pulls/:pr/changes", "rest.pull.changes", WHO_WRITE,
	    SHAPE_ONE, 201 },
	{ "POST", "/api/pulls/:pr/approve",
	    "rest.pull.open rest.pull.remark?body rest.pull.open !look "
	    "rest.pull.approve",
	    WHO_WRITE, SHAPE_ONE, 200 },
	{ "POST", "/api/pulls/:pr/merge", "rest.pull.open !merge", WHO_WRITE,
	    SHAPE_ONE, 200 },
	{ "POST", "/api/pulls/:pr/close", "rest.pull.open pr.close", WHO_WRITE,
	    SHAPE_ONE, 200 },
	{ "GET", P "/review", "rest.reviews", WHO_READ, SHAPE_LIST, 200 },
	{ "GET", T "/review", "rest.review !review", WHO_READ, SHAPE_ONE, 200 },
	{ "POST", T "/review/comment",
	    "rest.review +rest.pull.comment rest.said", WHO_WRITE, SHAPE_ONE,
	    200 },
	{ "POST", T "/review/approve",
	    "rest.review +rest.pull.open +rest.pull.remark?body "
	    "rest.review +rest.pull.open !look rest.review "
	    "+rest.pull.approve rest.said",
	    WHO_WRITE, SHAPE_ONE, 200 },
	{ "POST", T "/review/merge",
	    "rest.review +rest.pull.open !merge rest.said", WHO_WRITE,
	    SHAPE_ONE, 200 },

	/* the server itself */
	{ "GET", "/metrics", "rest.metrics", WHO_READ, SHAPE_TEXT, 200 },
	{ "GET", "/api/openapi.json", "=openapi", WHO_READ, SHAPE_ONE, 200 },
	/* browsers */
	{ "GET", "/login", "=login", WHO_ALL, SHAPE_ONE, 200 },
	{ "POST", "/login", "=login", WHO_ALL, SHAPE_ONE, 200 },
	{ "POST", "/logout", "=login", WHO_ALL, SHAPE_ONE, 200 },

	/* any verb: what tera-http asks */
	{ "POST", "/api/v1/:verb", "", WHO_WRITE, SHAPE_LINES, 200 },
	{ NULL, NULL, NULL, WHO_ALL, SHAPE_ONE, 0 },
};
