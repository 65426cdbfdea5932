/* See meter.h. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "meter.h"

/* Upper bounds of the buckets, in microseconds and as they are printed. */
static const struct {
	long long us;
	const char *le;
} bounds[] = { { 1000, "0.001" }, { 2500, "0.0025" }, { 5000, "0.005" },
	{ 10000, "0.01" }, { 25000, "0.025" }, { 50000, "0.05" },
	{ 100000, "0.1" }, { 250000, "0.25" }, { 1000000, "1" },
	{ 5000000, "5" }, { 30000000, "30" } };

#define BOUNDS (sizeof(bounds) / sizeof(*bounds))
#define STATUSES 16 /* of one route; more are counted as the last */

struct count {
	struct {
		int status;
		long long n;
	} of[STATUSES];
	long long within[BOUNDS]; /* that bound, and not the one before */
	long long n, us;
};

struct meter {
	size_t routes;
	struct count **count; /* of each route, and of none; NULL: no request */
};

static size_t
all_routes(void)
{
	size_t n = 0;

	while (routes[n].method != NULL)
		n++;
	return n;
}

struct meter *
meter_open(void)
{
	struct meter *m = xmalloc(sizeof(*m));

	m->routes = all_routes();
	m->count = xmalloc((m->routes + 1) * sizeof(struct count *));
	for (size_t i = 0; i <= m->routes; i++)
		m->count[i] = NULL;
	return m;
}

void
meter_close(struct meter *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i <= m->routes; i++)
		free(m->count[i]);
	free(m->count);
	free(m);
}

void
meter_count(struct meter *m, const struct route *r, int status, long long us)
{
	size_t at = r != NULL ? (size_t)(r - routes) : m->routes, i = 0;
	struct count *c = m->count[at];

	if (c == NULL) {
		c = m->count[at] = xmalloc(sizeof(*c));
		*c = (struct count){ .n = 0 };
	}
	while (i < STATUSES - 1 && c->of[i].n > 0 && c->of[i].status != status)
		i++;
	c->of[i].status = status;
	c->of[i].n++;
	for (i = 0; i < BOUNDS && us > bounds[i].us;)
		i++;
	if (i < BOUNDS)
		c->within[i]++;
	c->n++;
	c->us += us;
}

static void
family(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_fmt(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static const char *
method_of(const struct meter *m, size_t i)
{
	return i < m->routes ? routes[i].method : "";
}

static const char *
pattern_of(const struct meter *m, size_t i)
{
	return i < m->routes ? routes[i].pattern : "";
}

static void
durations(const struct meter *m, struct buf *b, size_t i)
{
	static const char name[] = "tera_http_request_seconds";
	const struct count *c = m->count[i];
	long long n = 0;

	for (size_t k = 0; k < BOUNDS; k++) {
		n += c->within[k];
		buf_fmt(b,
		    "%s_bucket{method=\"%s\",route=\"%s\",le=\"%s\"} "
		    "%lld\n",
		    name, method_of(m, i), pattern_of(m, i), bounds[k].le, n);
	}
	buf_fmt(b, "%s_bucket{method=\"%s\",route=\"%s\",le=\"+Inf\"} %lld\n",
	    name, method_of(m, i), pattern_of(m, i), c->n);
	buf_fmt(b, "%s_sum{method=\"%s\",route=\"%s\"} %.6f\n", name,
	    method_of(m, i), pattern_of(m, i), (double)c->us / 1e6);
	buf_fmt(b, "%s_count{method=\"%s\",route=\"%s\"} %lld\n", name,
	    method_of(m, i), pattern_of(m, i), c->n);
}

static long long
resident(void)
{
	FILE *fp = fopen("/proc/self/statm", "re");
	long long pages = 0;

	if (fp == NULL)
		return 0;
	if (fscanf(fp, "%*s %lld", &pages) != 1)
		pages = 0;
	fclose(fp);
	return pages * sysconf(_SC_PAGESIZE);
}

static double
processor(void)
{
	struct rusage u;

	if (getrusage(RUSAGE_SELF, &u) != 0)
		return 0;
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

void
meter_text(const struct meter *m, struct buf *b, unsigned connections,
    unsigned streams)
{
	family(b, "tera_http_requests_total", "counter",
	    "Requests by route and status; the route is blank where there is "
	    "none.");
	for (size_t i = 0; i <= m->routes; i++)
		for (size_t k = 0; m->count[i] != NULL && k < STATUSES &&
				   m->count[i]->of[k].n > 0;
		     k++)
			buf_fmt(b,
			    "tera_http_requests_total{method=\"%s\","
			    "route=\"%s\",code=\"%d\"} %lld\n",
			    method_of(m, i), pattern_of(m, i),
			    m->count[i]->of[k].status, m->count[i]->of[k].n);
	family(b, "tera_http_request_seconds", "histogram",
	    "From the first line of a request to its answer.");
	for (size_t i = 0; i <= m->routes; i++)
		if (m->count[i] != NULL)
			durations(m, b, i);
	family(b, "tera_http_connections", "gauge", "Open connections.");
	buf_fmt(b, "tera_http_connections %u\n", connections);
	family(b, "tera_http_streams", "gauge", "Open streams of events.");
	buf_fmt(b, "tera_http_streams %u\n", streams);
	family(b, "process_resident_memory_bytes", "gauge",
	    "Resident memory of the listener.");
	buf_fmt(b, "process_resident_memory_bytes %lld\n", resident());
	family(b, "process_cpu_seconds_total", "counter",
	    "Processor time of the listener.");
	buf_fmt(b, "process_cpu_seconds_total %.2f\n", processor());
}
