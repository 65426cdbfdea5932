/*
 * leak: does what is to be committed or pushed hold a secret?
 */
#ifndef TERA_LEAK_H
#define TERA_LEAK_H

#include <sys/stat.h>

#include "mask.h"
#include "repo.h"

/* m may be NULL: there are no secrets. */
bool leak_text(const struct mask *m, const void *text, size_t n);
/* In what the file, or the symbolic link, of this lstat(2) says? */
bool leak_file(const struct mask *m, const char *path, const struct stat *st);
struct git_oid;
bool leak_blob(const struct mask *m, struct repo *r, const struct git_oid *id);

/*
 * Names the first commit of tip, not in the refs that match the glob hide,
 * whose files or message hold a secret.  65 when there is one.
 */
int leak_scan(struct repo *r, const char *tip, const char *hide,
    const struct mask *m, struct fault *f);

#endif
