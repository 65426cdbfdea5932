/*
 * tera-serve - the store over HTTP: one request by CGI, or listening with -l
 *
 * CGI pays for what it links on every request, so this is of the base group,
 * and the listener is a program of its own (tera-listen) that -l executes.
 */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgi.h"
#include "etag.h"
#include "route.h"
#include "static.h"
#include "store.h"
#include "stream.h"

static int
list(void)
{
	for (const struct route *t = routes; t->method != NULL; t++)
		printf("%-6s %-54s %s\n", t->method, t->pattern,
		    auth_word(t->who));
	return 0;
}

static int
describe(void)
{
	struct buf b = BUF_INIT;

	route_openapi(&b);
	puts(b.s);
	buf_free(&b);
	return 0;
}

/* Beside ourselves, or where the shell would find it. */
static _Noreturn void
listen_on(int argc, char *argv[])
{
	char **args = xmalloc(((size_t)argc + 2) * sizeof(*args));
	char exe[PATH_MAX], *slash, *path;
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	exe[n > 0 ? n : 0] = '\0';
	slash = strrchr(exe, '/');
	path = slash != NULL
		   ? xasprintf("%.*s/bin/tera-listen", (int)(slash - exe), exe)
		   : xstrdup("tera-listen");
	if (access(path, X_OK) != 0 && slash != NULL) {
		free(path);
		path = xasprintf("%.*s/tera-listen", (int)(slash - exe), exe);
	}
	args[0] = xstrdup("tera-listen");
	for (int i = 0; i < argc; i++)
		args[i + 1] = argv[i];
	args[argc + 1] = NULL;
	execv(path, args);
	execvp("tera-listen", args);
	die(EX_UNAVAILABLE, "tera-listen:");
}

/* One request.  Whatever is wrong, it gets an answer. */
static int
serve(void)
{
	struct req q = { .method = NULL };
	struct resp r = { .status = 0 };
	struct fault f;
	struct store *s = NULL;
	struct db *db;
	bool streamed;

	signal(SIGPIPE, SIG_IGN);
	if (cgi_read(&q, &r) && !static_answer(&q, &r)) {
		s = store_open(&f);
		db = s != NULL ? store_db(s, &f) : NULL;
		if (db != NULL)
			call_run(db, &q, &r, STDOUT_FILENO);
		else {
			warn("%s", f.msg);
			resp_error(&r, 503, "the store cannot be opened");
		}
	}
	if (r.status >= 500)
		warn("%s %s: %d: %s", q.method, q.path, r.status,
		    buf_text(&r.body));
	etag_answer(&q, &r);
	cgi_write(&r);
	streamed = r.stream != NULL;
	if (streamed && fflush(stdout) == 0)
		stream_print(r.stream, s, &q);
	store_close(s);
	req_free(&q);
	stream_free(r.stream);
	resp_free(&r);
	if (streamed)
		exit(0); /* who went away is no fault of the output */
	return 0;
}

int
main(int argc, char *argv[])
{
	const char *gateway = getenv("GATEWAY_INTERFACE");
	int listening = 0;

	/* a web server may hand on a query as arguments: they are not ours */
	if (gateway != NULL && *gateway != '\0') {
		err_name = "tera-serve";
		return out_end(serve());
	}
	err_init(argc, argv, "-l [address:port | path] | routes | openapi");
	for (int c; (c = getopt(argc, argv, "l")) != -1;)
		switch (c) {
		case 'l': listening = 1; break;
		default: err_usage();
		}
	if (!listening && argc - optind == 1 &&
	    strcmp(argv[optind], "routes") == 0)
		return out_end(list());
	if (!listening && argc - optind == 1 &&
	    strcmp(argv[optind], "openapi") == 0)
		return out_end(describe());
	if (!listening)
		err_usage();
	listen_on(argc - optind, argv + optind);
}
