/*
 * plain: does a checkout need anything that only git knows?
 *
 * It does where a filter, the conversion of line ends or of an encoding could
 * change what a file looks like on the disk, and where a name is one that git
 * refuses because some file system would take it for ".git".  All of this errs
 * on the side of git: what it says is plain, git would write byte for byte.
 */
#ifndef TERA_PLAIN_H
#define TERA_PLAIN_H

#include "repo.h"

/* Are the configuration and the attributes that hold for every work tree of
 * the repository, the user's and the machine's included, without effect? */
bool plain_settings(struct repo *r);
/* Has this text of a file .gitattributes no effect on a checkout? */
bool plain_attributes(const char *text, size_t n);
/* Is it one name, and no other on any file system? */
bool plain_name(const char *name, bool symlink);

#endif
