/* Feeds the event reader in pieces whose sizes the input chooses. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sse.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static int
event(void *arg, const char *name, const char *data, size_t n)
{
	size_t *events = arg;

	if (strlen(name) >= 64 || data[n] != '\0')
		abort();
	return ++*events > 1000 ? 7 : 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	size_t events = 0;
	struct sse s = { .event = event, .arg = &events };

	while (n > 0) {
		size_t piece = (size_t)p[0] % 32 + 1;

		p++;
		n--;
		if (piece > n)
			piece = n;
		if (sse_feed(&s, (const char *)p, piece) != 0)
			break;
		p += piece;
		n -= piece;
	}
	sse_end(&s);
	sse_free(&s);
	return 0;
}
