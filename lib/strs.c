/* See strs.h. */
#include <stdlib.h>

#include "err.h"
#include "strs.h"

void
strs_add(struct strs *s, const char *text, size_t n)
{
	s->v = xrealloc(s->v, (s->n + 1) * sizeof(*s->v));
	s->v[s->n++] = xstrndup(text, n);
}

void
strs_free(struct strs *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i]);
	free(s->v);
	*s = (struct strs){ 0 };
}
