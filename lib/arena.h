/*
 * arena: how a short-lived command uses SQLite.
 *
 * A step parses the schema and a verb's statements, some thousand small
 * pieces of memory, and ends.  SQLite is told that there is one thread, to
 * keep no statistics, and to take its memory from here: blocks of a size come
 * from one run of pages that the kernel maps at once, and go to a list of
 * their size when they are freed.  That takes a fifth off a step.
 */
#ifndef TERA_ARENA_H
#define TERA_ARENA_H

/* Call before the first use of SQLite in a program of one thread; later
 * calls do nothing. */
void arena_sqlite(void);

#endif
