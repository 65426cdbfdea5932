/* See rest.h. */
#include <link.h>
#include <malloc.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rest.h"

#define SLICE 100000    /* ns: the least that the kernel takes */
#define RESET_ON_FORK 1 /* of its flags */

/* sched_setattr(2) version 0; libc has no word for it before glibc 2.41. */
struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period; /* ns; runtime: the slice */
};

/* The first object is the program itself.  Of a segment that nobody writes to,
 * each page is the file's: forgetting it loses nothing. */
static int
forget(struct dl_phdr_info *o, size_t size, void *arg)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)size;
	(void)arg;
	for (int i = 0; i < o->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &o->dlpi_phdr[i];
		uintptr_t from = o->dlpi_addr + h->p_vaddr, skip = from % page;

		if (h->p_type == PT_LOAD && (h->p_flags & PF_W) == 0)
			madvise((char *)(o->dlpi_addr + h->p_vaddr) - skip,
			    h->p_memsz + skip, MADV_DONTNEED);
	}
	return 1;
}

void
rest(void)
{
	malloc_trim(0);
	dl_iterate_phdr(forget, NULL);
}

void
rest_ready(void)
{
	struct attributes a;

	if (syscall(SYS_sched_getattr, 0, &a, sizeof(a), 0) != 0 ||
	    a.policy != SCHED_OTHER || a.nice < 0)
		return;
	a.size = sizeof(a);
	a.flags |= RESET_ON_FORK;
	a.runtime = SLICE;
	(void)syscall(SYS_sched_setattr, 0, &a, 0);
}
