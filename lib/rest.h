/*
 * rest: a process that will wait for long gives back what it does not need.
 *
 * That is the free memory of malloc, and the pages of our own program: most of
 * them were only needed to begin, and what is needed comes back from the page
 * cache when it is.  Of a command with SQLite in it this is four fifths of
 * what it holds; coming back costs a fraction of a millisecond.
 */
#ifndef TERA_REST_H
#define TERA_REST_H

#define REST_MS 1000 /* to have waited before it is worth it */

void rest(void);

#endif
