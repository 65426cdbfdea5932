/* See rest.h. */
#include <link.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rest.h"

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
