/* json: what a line of standard input can do to the reader and the writer. */
#include <sqlite3.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What we take for a record SQLite must, too: it becomes the input of verbs. */
static void
agree(const char *text)
{
	static sqlite3 *db;
	static sqlite3_stmt *st;

	if (db == NULL && (sqlite3_open(":memory:", &db) != SQLITE_OK ||
			      sqlite3_prepare_v2(db, "SELECT json_valid(?1)",
				  -1, &st, NULL) != SQLITE_OK))
		abort();
	sqlite3_bind_text(st, 1, text, -1, SQLITE_STATIC);
	if (sqlite3_step(st) != SQLITE_ROW || !sqlite3_column_int(st, 0))
		abort();
	sqlite3_reset(st);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = xstrndup((const char *)data, n), *v;
	struct buf quoted = BUF_INIT, operand = BUF_INIT;
	struct fault f;

	if (json_check(text, n, &f) == 0) {
		free(json_get(text, "$.a.b[0]"));
		free(json_raw(text, "$.job_id"));
		(void)json_int(text, "$.fence", 0);
		agree(text);
		v = json_tidy(text);
		agree(v);
		free(v);
		v = json_merge("{\"a\":1}", text);
		agree(v);
		if (json_check(v, strlen(v), &f) != 0 && n < 1000)
			abort(); /* a sum of records is a record */
		free(v);
	}
	/* whatever the bytes, a quoted string is JSON */
	buf_str(&quoted, "{\"s\":");
	json_quote(&quoted, (const char *)data, n);
	buf_chr(&quoted, '}');
	if (quoted.len < JSON_LINE_MAX &&
	    json_check(quoted.s, quoted.len, &f) != 0)
		abort();
	if (strchr(text, '@') == NULL)
		json_operand(&operand, text, &f);
	buf_free(&quoted);
	buf_free(&operand);
	free(text);
	return 0;
}
