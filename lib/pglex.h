/*
 * pglex: the SQL of a dump in tokens, by the rules of PostgreSQL's lexer (its
 * manual, 4.1).
 *
 * A text with all that is in it is one token; comments and what psql is told
 * (a backslash to the end of its line) are passed over.
 */
#ifndef TERA_PGLEX_H
#define TERA_PGLEX_H

#include <stdbool.h>

#include "buf.h"

enum pglex_token {
	PGLEX_END,
	PGLEX_WORD,  /* a key word, a number, or a name with its dots */
	PGLEX_NAME,  /* in double quotes */
	PGLEX_TEXT,  /* in single quotes, with the E before them */
	PGLEX_OTHER, /* one character, or a text in dollars */
};

/* Set begin, s, end and plain, zero the rest. */
struct pglex {
	const char *begin, *s, *end; /* s: behind the token */
	bool plain; /* standard_conforming_strings: a backslash is one */
	enum pglex_token token;
	const char *at; /* where the token begins */
	size_t n;
	int begun, ended;    /* first and last lines of pg_dump's */
	const char *broken;  /* where what has no end begins, or NULL */
	const char *counted; /* lines up to here */
	long line;
};

/* Reads the next token and returns it. */
enum pglex_token pglex_next(struct pglex *r);
/* Is it that word (in any case), or that character? */
bool pglex_is(const struct pglex *r, const char *word);
bool pglex_is_char(const struct pglex *r, char c);
/* The number of the line that at is in, from 1. */
long pglex_line(struct pglex *r, const char *at);
/* Behind the next c in s, or end. */
const char *pglex_behind(const char *s, const char *end, char c);
/* Appends what a text token says. */
void pglex_text(const struct pglex *r, struct buf *b);
/* Appends what the backslash before s stands for, as in a line of COPY.
 * Returns where to go on. */
const char *pglex_escape(struct buf *b, const char *s, const char *end);

#endif
