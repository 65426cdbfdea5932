/*
 * pgdump: the rows in a dump of PostgreSQL, the plain SQL of pg_dump(1).
 *
 * Read are COPY ... FROM stdin with the escapes of its text format, INSERT as
 * --inserts, --column-inserts and --rows-per-insert write it, and CREATE TABLE
 * for the names of columns that an INSERT leaves out.  Every other statement
 * is passed over by the rules of PostgreSQL's lexer (its manual, 4.1), so that
 * the body of a function is never taken for rows.
 *
 * Nothing here trusts the text.
 */
#ifndef TERA_PGDUMP_H
#define TERA_PGDUMP_H

#include <stdbool.h>

#include "buf.h"

struct pgdump_table {
	char *name;    /* without its schema */
	char **column; /* of the statement that held the row */
	int columns;
};

/* A row where it stands in the text; it is taken apart when it is wanted. */
struct pgdump_row {
	size_t table; /* its number in the dump's list */
	long line;    /* in the text, from 1 */
	const char *s;
	size_t n;
	bool copy;  /* a line of COPY, else the list of an INSERT */
	bool plain; /* a backslash in an INSERT's text is one */
};

struct pgdump {
	struct pgdump_table *table;
	struct pgdump_row *row;
	size_t tables, rows;
	bool headed; /* the first line of pg_dump is in it */
};

/*
 * Finds the rows of the n bytes at s, which must live as long as d.  Returns
 * 0, or 65 with f that names the line: the text ends in the middle, is in
 * another encoding than UTF-8, or is no such dump.  pgdump_free after,
 * whatever it returned.
 */
int pgdump_read(const char *s, size_t n, struct pgdump *d, struct fault *f);
void pgdump_free(struct pgdump *d);

/*
 * Makes an object of row i in b, which is empty: each column's text as a JSON
 * string, or null.  Returns 0, or 65 with f: another number of values than
 * columns, no value, or bytes that are not UTF-8.
 */
int pgdump_object(
    const struct pgdump *d, size_t i, struct buf *b, struct fault *f);

#endif
