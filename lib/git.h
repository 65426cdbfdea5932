/*
 * git: the git program, run without a shell and without a terminal.
 *
 * It moves objects and writes trees; what looks or decides is libgit2 (see
 * repo.h).  Nothing can make it ask: no terminal, no askpass, ssh in batch
 * mode, while the user's ssh configuration and credential helpers go on
 * working.  Hooks do not run, messages are English so that they can be told
 * apart, each run has a time limit and dies with us.
 *
 * A URL may hold a password.  It never reaches an argument list, a file or a
 * message: git_source puts the URL into git's environment as a remote of
 * its own, the password beside it behind a credential helper.
 */
#ifndef TERA_GIT_H
#define TERA_GIT_H

#include "buf.h"

enum {
	GIT_QUICK = 120, /* seconds for what stays on this machine */
	GIT_FAR = 3600,  /* and for what goes over a network */
};

/* Zero it and set dir; git_free empties it. */
struct git {
	const char *dir; /* NULL: our own directory */
	struct buf out, err;
	int status; /* as spawn.h: 124 is the time limit */
};

/* Runs "git ARGS"; out and err hold what it said.  Returns the status. */
int git_run(struct git *g, int seconds, const char *const *args);
#define GIT(g, seconds, ...)                                                   \
	git_run(g, seconds, (const char *const[]){ __VA_ARGS__, NULL })
void git_free(struct git *g);

/*
 * What the last run's trouble means, from what git printed: fills f with
 * "what: git's last words" and 66 no such repository, 77 not allowed or asks
 * for a password, 69 not to be reached, else otherwise.  Returns the code.
 */
int git_fault(
    const struct git *g, const char *what, int otherwise, struct fault *f);

/*
 * Declares url (or a path) as the remote git_remote() for the runs that follow.
 * Refuses (64) what begins with "-" and other transports than file, git,
 * http, https and ssh.
 */
int git_source(const char *url, struct fault *f);
const char *git_remote(void);

/* url without its password; the caller frees both. */
char *git_url_plain(const char *url);
/* text with the user part of every URL in it hidden. */
char *git_mask(const char *text);

/* Is it a branch name that git and a command line can carry? */
int git_branch_ok(const char *name);

/* Number of checkout workers for this machine, as text. */
const char *git_workers(void);

#endif
