/*
 * inside - measures of the library itself, in one process or a few
 *
 *	inside claim n         medians of n claims and of the n ends after them
 *	inside fair seconds    8 processes write; each one's count and worst
 *wait inside wake n          n commits; who waits sees them: p50, p99, CPU, by
 *	                       waiting and by looking every millisecond
 *
 * The store is $TERA_STORE.  Times are in microseconds.
 */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "json.h"
#include "store.h"

#define WRITERS 8
#define MOST 100000

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double
part(double *t, int n, double p)
{
	qsort(t, (size_t)n, sizeof(*t), by_size);
	return t[(int)((double)(n - 1) * p)];
}

static struct store *
open_store(void)
{
	struct fault f;
	struct store *s = store_open(&f);

	if (s == NULL)
		die(f.code, "%s", f.msg);
	return s;
}

static int
keep(void *arg, const char *json)
{
	struct buf *b = arg;

	buf_clear(b);
	json_add(b, "job", json_get(json, "$.job_id"));
	json_add_int(b, "fence", json_int(json, "$.fence", 0));
	json_end(b);
	return 0;
}

static void
need(int rc, const struct fault *f)
{
	if (rc != 0)
		die(rc == 1 ? EX_DATAERR : rc, "%s",
		    rc == 1 ? "nothing to claim" : f->msg);
}

static void
claim(int n)
{
	struct store *s = open_store();
	double *a = xmalloc((unsigned long)n * sizeof(*a));
	double *b = xmalloc((unsigned long)n * sizeof(*b));
	struct buf job = BUF_INIT;
	struct fault f;

	for (int i = -50; i < n; i++) { /* the first ones warm the caches */
		double t0 = now(), t1, t2;

		need(store_do(s, "job.claim", "{\"worker\":\"bench\"}", keep,
			 &job, &f),
		    &f);
		t1 = now();
		need(store_do(s, "job.finish", job.s, NULL, NULL, &f), &f);
		t2 = now();
		if (i >= 0) {
			a[i] = t1 - t0;
			b[i] = t2 - t1;
		}
	}
	printf("%.1f %.1f\n", part(a, n, 0.5), part(b, n, 0.5));
	store_close(s);
}

static void *
shared(size_t n)
{
	void *p = mmap(
	    NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die(EX_OSERR, "mmap:");
	return p;
}

static void
fair(double seconds)
{
	struct tally {
		long count;
		double worst;
	} *t = shared(WRITERS * sizeof(*t));
	double start = now() + 200000, end = start + seconds * 1e6;

	for (int i = 0; i < WRITERS; i++)
		if (fork() == 0) {
			struct store *s = open_store();
			struct fault f;

			while (now() < start)
				usleep(1000);
			while (now() < end) {
				double t0 = now(), took;

				need(store_do(s, "log.add",
					 "{\"ticket\":1,\"summary\":\"x\"}",
					 NULL, NULL, &f),
				    &f);
				took = now() - t0;
				if (took > t[i].worst)
					t[i].worst = took;
				t[i].count++;
			}
			store_close(s);
			_exit(0);
		}
	for (int i = 0; i < WRITERS; i++) {
		int status;

		if (wait(&status) < 0 || status != 0)
			die(EX_SOFTWARE, "a writer failed");
	}
	for (int i = 0; i < WRITERS; i++)
		printf("%ld %.0f\n", t[i].count, t[i].worst);
}

/* --- wake-up --- */

struct board {
	_Atomic long committed, seen;
	_Atomic double when; /* of the last commit */
	double took[MOST];
	double cpu; /* of the one who waits, a fraction */
};

static double
cpu_time(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void
watcher(struct board *w, int n, int polls)
{
	struct store *s = open_store();
	struct db *db = store_db(s, NULL);
	double cpu, began;
	long long version;

	store_wait(s, 0);
	version = db_data_version(db);
	atomic_store(&w->seen, 0);
	cpu = cpu_time();
	began = now();
	for (long got = 0; got < n;) {
		if (polls) {
			struct timespec ms = { 0, 1000000 };
			long long v;

			nanosleep(&ms, NULL);
			v = db_data_version(db);
			if (v == version)
				continue;
			version = v;
		} else if (store_wait(s, -1) != 1)
			continue;
		while (atomic_load(&w->committed) == got)
			continue; /* the writer is about to say when */
		w->took[got++] = now() - atomic_load(&w->when);
		atomic_store(&w->seen, got);
	}
	w->cpu = (cpu_time() - cpu) / (now() - began);
	store_close(s);
	_exit(0);
}

/* Commits as lib/db.c does, and takes the time right after the COMMIT. */
static void
wake(int n, int polls, struct board *w)
{
	char *path = store_path(), *side = xasprintf("%s-wake", path);
	int fd = open(side, O_RDWR);
	sqlite3 *h;
	char touched;
	int status;

	if (n > MOST || fd < 0 || sqlite3_open(path, &h) != SQLITE_OK)
		die(EX_SOFTWARE, "%s: cannot begin", path);
	sqlite3_exec(h, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
	atomic_store(&w->seen, -1);
	atomic_store(&w->committed, 0);
	if (fork() == 0)
		watcher(w, n, polls);
	while (atomic_load(&w->seen) != 0)
		usleep(1000);
	srand(1);
	for (long i = 0; i < n; i++) {
		usleep(2000 + (unsigned)rand() % 16000);
		if (sqlite3_exec(h,
			"BEGIN IMMEDIATE; UPDATE kind SET name = name", NULL,
			NULL, NULL) != SQLITE_OK ||
		    sqlite3_exec(h, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
			die(EX_SOFTWARE, "%s", sqlite3_errmsg(h));
		atomic_store(&w->when, now());
		atomic_store(&w->committed, i + 1);
		if (pread(fd, &touched, 1, 0) != 1)
			die(EX_IOERR, "%s:", side);
		while (atomic_load(&w->seen) <= i)
			usleep(100);
	}
	if (wait(&status) < 0 || status != 0)
		die(EX_SOFTWARE, "the one who waits failed");
	sqlite3_close(h);
	close(fd);
	free(path);
	free(side);
}

static void
wakes(int n)
{
	struct board *w[2] = { shared(sizeof(**w)), shared(sizeof(**w)) };
	double *took[2] = { xmalloc((unsigned long)n * 8),
		xmalloc((unsigned long)n * 8) };
	double cpu[2] = { 0, 0 };

	for (int round = 0; round < 5; round++)
		for (int k = 0; k < 2; k++) {
			wake(n / 5, k, w[k]);
			memcpy(took[k] + round * (n / 5), w[k]->took,
			    (size_t)(n / 5) * sizeof(double));
			cpu[k] += w[k]->cpu / 5;
		}
	for (int k = 0; k < 2; k++)
		printf("%.1f %.1f %.6f\n", part(took[k], n / 5 * 5, 0.5),
		    part(took[k], n / 5 * 5, 0.99), cpu[k]);
}

int
main(int argc, char *argv[])
{
	err_init(argc, argv, "claim n | fair seconds | wake n");
	if (argc != 3)
		err_usage();
	if (strcmp(argv[1], "claim") == 0)
		claim(atoi(argv[2]));
	else if (strcmp(argv[1], "fair") == 0)
		fair(atof(argv[2]));
	else if (strcmp(argv[1], "wake") == 0)
		wakes(atoi(argv[2]));
	else
		err_usage();
	return out_end(0);
}
