/*
 * eyes: text for a person at a terminal.
 *
 * Widths are columns of a terminal (wcwidth(3)).  What comes from a store may
 * be anything, so nothing is printed that would move the cursor, ring, or turn
 * the direction of a line: such characters are shown as \n, \x1b or \u202e.
 */
#ifndef TERA_EYES_H
#define TERA_EYES_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

enum eyes_style {
	EYES_PLAIN,
	EYES_BOLD,
	EYES_DIM,
	EYES_RED,
	EYES_GREEN,
	EYES_YELLOW,
	EYES_CYAN,
};

/* Sets the locale's characters, and looks whether there is a terminal. */
void eyes_init(void);

/* May we use more than ASCII for our own marks? */
bool eyes_utf8(void);

/* $COLUMNS, else the terminal's width, else absent. */
int eyes_columns(int absent);

/* The columns of s as eyes_add shows it. */
int eyes_width(const char *s);

/*
 * Appends s, at most max columns of it (negative: all); what is longer ends
 * in an ellipsis.  Returns the columns used.
 */
int eyes_add(struct buf *b, const char *s, int max);

/* Appends n spaces. */
void eyes_pad(struct buf *b, int n);

/* Begins a style, and ends it with EYES_PLAIN: nothing where there is no
 * terminal or NO_COLOR is set. */
void eyes_style(struct buf *b, enum eyes_style style);

/*
 * Cuts s into lines of at most width columns, between words where it can, at
 * most n lines; white space is one space.  Lines go to out, each ended by
 * '\n'.  Returns how many.
 */
int eyes_wrap(struct buf *out, const char *s, int width, int n);

#endif
