/* Any bytes, any width: no line is too wide, none moves the cursor. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "eyes.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
check(const char *s, int width)
{
	if (eyes_width(s) > width)
		abort();
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static bool begun;
	struct buf b = BUF_INIT;
	int width, lines;
	char *s, *nl;

	if (!begun) {
		setenv("LC_ALL", "C.UTF-8", 1);
		eyes_init();
		begun = true;
	}
	if (n < 2)
		return 0;
	width = p[0] % 40 + 1;
	lines = p[1] % 5 + 1;
	s = xstrndup((const char *)p + 2, n - 2);
	if (eyes_add(&b, s, width) > width)
		abort();
	check(buf_text(&b), width);
	buf_clear(&b);
	if (eyes_wrap(&b, s, width, lines) > lines)
		abort();
	for (char *at = b.s; at != NULL && *at != '\0'; at = nl + 1) {
		nl = strchr(at, '\n');
		if (nl == NULL)
			abort();
		*nl = '\0';
		check(at, width);
	}
	free(s);
	buf_free(&b);
	return 0;
}
