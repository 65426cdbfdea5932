/*
 * worktree: what ties a work tree to its repository, as files (see
 * gitrepository-layout(5)): the file .git of the work tree, and a directory
 * below worktrees/ of the repository, which is a bare one of ours.
 *
 * A worker can write to both.  Nothing here opens a file that is not a regular
 * one or follows a name out of the repository.  The caller holds the lock of
 * the mirror (see mirror.h): nobody else makes or removes a tie.
 */
#ifndef TERA_WORKTREE_H
#define TERA_WORKTREE_H

#include <stdbool.h>

#include "err.h"

/*
 * Makes the directory path, empty but for .git, a work tree of repo that has
 * branch checked out, under a name of its own; an old tie of that name to the
 * same path goes.  Returns where its HEAD and index are, which the caller
 * frees; NULL: something is in the way that git's own --force knows how to
 * handle, or errno says what is wrong.  Nothing is left then.
 */
char *worktree_add(
    const char *repo, const char *name, const char *path, const char *branch);

/*
 * Is the work tree at dir one of the repository at path?  To be asked before
 * repo_open, which would follow a .git that a worker wrote wherever it leads.
 * What would hang git in the repository is removed first.
 */
bool worktree_tied(const char *dir, const char *path);

/* Does a work tree of repo that exists, and is not at path, have this branch
 * checked out? */
bool worktree_holds(const char *repo, const char *branch, const char *path);

/* Removes the ties of work trees that are gone, but for locked ones. */
void worktree_prune(const char *repo);

/* Removes ties that were half made by somebody who was killed: all later ones
 * would fail at them. */
void worktree_bury(const char *repo);

#endif
