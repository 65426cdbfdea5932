/*
 * tera-claim - take the next job and a lease on it
 *
 * A claim is one transaction of the store, so no job is ever claimed twice.
 * With -w it waits: another process that commits wakes it (store_wait), and
 * so does the time at which a parked job or a lease comes due; it does not
 * poll.  With -j it holds back while its worker runs that many jobs, because
 * a record in a pipe whose reader is busy is a job that nobody looks after.
 * While it waits it is also the process that holds the store and runs short
 * verbs for the other commands (hold.h).
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "cmd.h"
#include "store.h"

#define LONGEST_WAIT 2000 /* ms: how soon a closed pipe is noticed */
#define HELD_WAIT 200     /* ms: least, while the worker is full */

struct options {
	struct buf in, who;
	char worker[300];
	int wait, drain;
	long long count, at_once;
};

struct idle {
	long long mine, running, soon, next_ms;
};

static int
see_idle(void *arg, const char *json)
{
	struct idle *i = arg;

	i->mine = json_int(json, "$.mine", 0);
	i->running = json_int(json, "$.running", 0);
	i->soon = json_int(json, "$.soon", 0);
	i->next_ms = json_int(json, "$.next_ms", LONGEST_WAIT);
	return 0;
}

/* Until somebody commits, something comes due, or the reader goes away.
 * Meanwhile others are served. */
static void
sleep_on(struct store *s, long long ms)
{
	struct pollfd p[3] = { { store_wait_fd(s), POLLIN, 0 },
		{ store_hold_fd(s), POLLIN, 0 }, { STDOUT_FILENO, 0, 0 } };
	long long end, left;

	end = clock_ms() + (ms < 1 ? 1 : ms > LONGEST_WAIT ? LONGEST_WAIT : ms);
	while (store_wait(s, 0) == 0 && (left = end - clock_ms()) > 0) {
		if (poll(p, 3, (int)left) < 0 || p[2].revents != 0)
			break;
		if (p[1].revents != 0)
			store_serve(s);
	}
	if (p[1].fd < 0)
		store_serve(s); /* whoever holds it may have gone */
}

static int
loop(struct store *s, const struct options *o, struct fault *f)
{
	struct idle idle;
	long long claimed = 0;
	int rc = 0;

	while (claimed < o->count && !out_gone()) {
		rc = store_do(s, "job.idle", o->who.s, see_idle, &idle, f);
		if (rc != 0)
			break;
		if (idle.mine < o->at_once) {
			rc = store_do(
			    s, "job.claim", o->in.s, store_print, NULL, f);
			if (rc > 1)
				break;
			if (rc == 0) {
				claimed++;
				if (fflush(stdout) != 0)
					break;
				continue;
			}
			if (o->drain && idle.running == 0 && idle.soon == 0)
				break;
			if (!o->wait)
				break;
		} else if (idle.next_ms <= 0) {
			/* a lease that ran out may be our own worker's */
			rc = store_do(s, "job.sweep", "{}", NULL, NULL, f);
			if (rc != 0)
				break;
			idle.next_ms = HELD_WAIT;
		}
		sleep_on(s, idle.next_ms);
		if (store_gone(s))
			return fail(f, EX_CONFIG, "the store was removed");
	}
	return rc > 1 ? rc : claimed > 0 ? 0 : 1;
}

int
main(int argc, char *argv[])
{
	struct options o = { .count = 1 };
	struct fault f = { 0, "" };
	struct store *s;
	struct buf projects = BUF_INIT;
	const char *kind = NULL;
	long long lease = 60, n = 0;
	char host[256] = "";
	int rc;

	err_init(argc, argv,
	    "[-dw] [-j jobs] [-k kind] [-l lease_seconds] [-n limit] "
	    "[-p project ...] [-W worker] [job]");
	gethostname(host, sizeof(host) - 1);
	snprintf(o.worker, sizeof(o.worker), "%s:%ld", host, (long)getpid());
	for (int c; (c = getopt(argc, argv, "dj:k:l:n:p:wW:")) != -1;)
		switch (c) {
		case 'd': o.drain = o.wait = 1; break;
		case 'j':
			o.at_once = cmd_number("-j", optarg, 1, 100000);
			break;
		case 'k': kind = optarg; break;
		case 'l': lease = cmd_number("-l", optarg, 1, 86400); break;
		case 'n': n = cmd_number("-n", optarg, 1, 1LL << 40); break;
		case 'p':
			buf_chr(&projects, projects.len == 0 ? '[' : ',');
			json_quote(&projects, optarg, strlen(optarg));
			break;
		case 'w': o.wait = 1; break;
		case 'W':
			snprintf(o.worker, sizeof(o.worker), "%s", optarg);
			break;
		default: err_usage();
		}
	if (argc - optind > 1)
		err_usage();
	if (o.at_once == 0) /* nobody renews what waits in the pipe */
		o.at_once = o.wait ? 1 : 1LL << 40;
	o.count = n > 0 ? n : o.wait ? 1LL << 40 : 1;
	json_add(&o.in, "worker", o.worker);
	json_add_int(&o.in, "lease_seconds", lease);
	if (kind != NULL)
		json_add(&o.in, "kind", kind);
	json_add(&o.who, "worker", o.worker);
	if (projects.len > 0) {
		buf_chr(&projects, ']');
		json_add_raw(&o.in, "projects", projects.s);
		json_add_raw(&o.who, "projects", projects.s);
	}
	json_end(&o.who);
	if (optind < argc)
		json_add(&o.in, "job", argv[optind]);
	json_end(&o.in);
	s = o.wait ? store_hold(&f) : store_open(&f);
	if (s == NULL)
		die(f.code, "%s", f.msg);
	if (!o.wait && o.count == 1 && o.at_once == 1LL << 40)
		rc = store_do(s, "job.claim", o.in.s, store_print, NULL, &f);
	else
		rc = loop(s, &o, &f);
	if (rc > 1)
		warn("%s", f.msg);
	store_close(s);
	buf_free(&o.in);
	buf_free(&o.who);
	buf_free(&projects);
	return out_end(rc);
}
