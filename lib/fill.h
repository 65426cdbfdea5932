/*
 * fill: the files of a commit into a work tree that is new and empty, and the
 * index that belongs to them.
 *
 * What "git reset --hard" does there with checkout workers, for trees that
 * need no knowledge of git's own: no filter, no line end that is converted, no
 * name that some file system takes for ".git".  Files are written by as many
 * processes as the machine has processors, at four system calls a file and
 * without a word between them, and end with us.  No file is replaced and no
 * symbolic link is followed: all directories are made before the first link.
 *
 * git stays the one that knows everything: where fill_tree says no, for
 * whatever reason (disk full and a broken object too), it has removed what it
 * began, and the caller lets git do it, or say what is wrong.
 */
#ifndef TERA_FILL_H
#define TERA_FILL_H

#include "repo.h"

/*
 * Fills the directory work, which is empty but for .git, with the files of
 * rev, and writes the index file.  With dirs only the files at the top and
 * below these directories (no slash at either end) are written; the others
 * are in the index as ones that a sparse checkout left out.
 */
bool fill_tree(struct repo *r, const char *rev, const struct strs *dirs,
    const char *work, const char *index);

#endif
