/*
 * index: the file in which git keeps what a work tree holds, written anew
 * (see gitformat-index(5)): version 2, or 3 where files are left out, with the
 * names of the trees, so that the first commit need not make them again.
 *
 * libgit2 can write one too, but sorts, checks and hashes for ten times as
 * long.
 */
#ifndef TERA_INDEX_H
#define TERA_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#define INDEX_ID 20 /* bytes of an object's name */

/* What is remembered of a file, to see later whether it changed. */
struct index_stat {
	uint32_t ctime, ctime_ns, mtime, mtime_ns;
	uint32_t dev, ino, uid, gid, size;
};

struct index_file {
	const char *path;
	const struct index_stat *stat; /* NULL: left out of a sparse checkout */
	uint32_t mode;                 /* as in a tree */
	unsigned char id[INDEX_ID];
};

struct index_dir {
	const char *name;   /* the last part of its path, "" for the top */
	size_t files, dirs; /* below it at any depth; right in it */
	unsigned char id[INDEX_ID];
};

struct index_stat index_stat_of(const struct stat *st);

/* Writes the file at path, which is not there yet.  The files are sorted by
 * path as bytes; a directory comes before those in it, which follow it at once.
 * false with errno. */
bool index_write(const char *path, const struct index_file *files, size_t n,
    const struct index_dir *dirs, size_t n_dirs);

#endif
