/*
 * rest: a process that will wait for long gives back what it does not need,
 * and asks to be let in at once when what it waits for comes.
 *
 * What it gives back is the free memory of malloc, and the pages of our own
 * program: most of them were only needed to begin, and what is needed comes
 * back from the page cache when it is.  Of a command with SQLite in it this is
 * four fifths of what it holds; coming back costs a fraction of a millisecond.
 */
#ifndef TERA_REST_H
#define TERA_REST_H

#define REST_MS 1000 /* to have waited before it is worth it */

void rest(void);

/*
 * From now on who waits is let in as soon as what it waits for comes, also
 * while others compute: the kernel (Linux 6.12, sched_setattr(2)) gives the
 * shorter slice the earlier turn.  It gets no more of the processor by that.
 * Processes that it starts have the usual slice.  Does nothing where it
 * cannot be, nor for a process that somebody gave another policy or more
 * than the usual share.
 */
void rest_ready(void);

#endif
