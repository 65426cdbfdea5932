/* pgdump: what a dump can do to its reader. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "pgdump.h"
#include "pgtime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct pgdump d;
	struct fault f = { 0, "" };
	char text[32];
	long long us;
	int rc = pgdump_read((const char *)data, n, &d, &f);

	/* a fault has one line, and a row is an object or a fault */
	if (rc != 0 && (f.code != EX_DATAERR || *f.msg == '\0'))
		abort();
	for (size_t i = 0; rc == 0 && i < d.rows; i++) {
		struct buf b = BUF_INIT;

		if (d.row[i].s < (const char *)data ||
		    d.row[i].s + d.row[i].n > (const char *)data + n)
			abort();
		if (pgdump_object(&d, i, &b, &f) == 0 &&
		    b.len < JSON_LINE_MAX && json_check(b.s, b.len, &f) != 0)
			abort();
		buf_free(&b);
	}
	pgdump_free(&d);
	if (pgtime_read((const char *)data, n, &us)) {
		long long again;

		pgtime_stamp(text, us);
		if (strlen(text) != 24 || !pgtime_read(text, 24, &again) ||
		    again > us || us - again > 999)
			abort();
	}
	return 0;
}
