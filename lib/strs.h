/* strs: texts that grow; zero is empty.  Out of memory ends the process (see
 * err.h). */
#ifndef TERA_STRS_H
#define TERA_STRS_H

#include <stddef.h>

struct strs {
	char **v;
	size_t n;
};

void strs_add(struct strs *s, const char *text, size_t n);
void strs_free(struct strs *s);

#endif
