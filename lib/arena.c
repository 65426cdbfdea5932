/* See arena.h. */
#include <malloc.h>
#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "arena.h"

#define RUN (128 * 1024) /* bytes taken from the kernel at once */
#define STEP 16          /* sizes are multiples of it */
#define SMALL 4608       /* the largest from a run: a page of the store fits */

/* Before each block stands its size; behind it, when free, the next one. */
struct block {
	int64_t size;
	struct block *next;
};
#define HEAD offsetof(struct block, next)

static struct block *empty[SMALL / STEP + 1];
static char *run;
static size_t left;

static int
round_up(int n)
{
	return ((n + STEP - 1) & ~(STEP - 1)) + (int)HEAD;
}

static void *
take(int n)
{
	int size = round_up(n), class = size / STEP;
	struct block *b;

	if (size > SMALL) {
		b = malloc((size_t)size);
		if (b == NULL)
			return NULL;
	} else if (empty[class] != NULL) {
		b = empty[class];
		empty[class] = b->next;
	} else {
		if (left < (size_t)size) {
			char *more = mmap(NULL, RUN, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

			if (more == MAP_FAILED)
				return NULL;
			run = more;
			left = RUN;
		}
		b = (struct block *)(void *)run;
		run += size;
		left -= (size_t)size;
	}
	b->size = size;
	return (char *)b + HEAD;
}

static struct block *
block(void *p)
{
	return (struct block *)(void *)((char *)p - HEAD);
}

static void
give(void *p)
{
	struct block *b;

	if (p == NULL)
		return;
	b = block(p);
	if (b->size > SMALL) {
		free(b);
		return;
	}
	b->next = empty[b->size / STEP];
	empty[b->size / STEP] = b;
}

static int
size_of(void *p)
{
	return p != NULL ? (int)(block(p)->size - (int64_t)HEAD) : 0;
}

static void *
resize(void *p, int n)
{
	void *q;

	if (round_up(n) == block(p)->size)
		return p;
	q = take(n);
	if (q == NULL)
		return NULL;
	memcpy(q, p, (size_t)(n < size_of(p) ? n : size_of(p)));
	give(p);
	return q;
}

static int
usable(int n)
{
	return round_up(n) - (int)HEAD;
}

static int
begin(void *unused)
{
	(void)unused;
	return SQLITE_OK;
}

static void
end(void *unused)
{
	(void)unused;
}

void
arena_sqlite(void)
{
	static const sqlite3_mem_methods methods = { take, give, resize,
		size_of, usable, begin, end, NULL };
	static int done;

	if (done)
		return;
	done = 1;
#if !defined(__SANITIZE_ADDRESS__) /* it looks after each block itself */
	/* what a step can undo stays in memory: it is a few pages, and a file
	 * costs a write for each of them */
	sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, -1);
	mallopt(M_TOP_PAD, RUN);
	mallopt(M_TRIM_THRESHOLD, 64 * 1024 * 1024);
	sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
	/* no twenty pages at once for each small table that a statement
	 * makes for itself: a page comes from a run, too */
	sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
#endif
}
