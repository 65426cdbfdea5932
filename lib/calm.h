/*
 * calm: looking where a worker can write, without libgit2, and without being
 * hung or led astray: a FIFO keeps its reader waiting for ever, a symbolic link
 * leads anywhere, and a tree may be deeper than any stack.
 */
#ifndef TERA_CALM_H
#define TERA_CALM_H

#include <dirent.h>
#include <stdbool.h>

#include "buf.h"

/*
 * Appends a regular file of at most max bytes; what is no file or larger is
 * never read.  Returns 0, or -1 with errno.
 */
int calm_file(struct buf *b, const char *path, size_t max);

/* Called for each entry below top: its path from there, and its name in it.
 * True: go into it too, if it is a directory.  type is one of readdir(3)'s,
 * DT_UNKNOWN for a directory that cannot be read. */
typedef bool calm_seen(void *arg, const char *path, const char *name, int type);
/* Follows no link. */
void calm_walk(const char *top, calm_seen *seen, void *arg);

/*
 * Removes from the work tree at dir what would hang its reader: .gitignore,
 * .gitattributes and the like, and files of repositories, that are a FIFO, a
 * socket or a device.  Opens no file.
 */
void calm_tree(const char *dir);
/* The same for whatever is below dir, as in a repository. */
void calm_all(const char *dir);

#endif
