/*
 * remove: rm -rf, but never through a symbolic link, and also where a worker
 * took the right to from us.  0, or -1 with errno; what is not there is
 * removed.
 */
#ifndef TERA_REMOVE_H
#define TERA_REMOVE_H

int remove_tree(const char *path);
/* Under another name first: a child of a killed run may still be writing, and
 * shall not write into what comes here next. */
int remove_aside(const char *path);
/* What is in the directory, but for the entry of this name. */
int remove_all_but(const char *dir, const char *name);

#endif
