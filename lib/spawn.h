/*
 * spawn: children without a shell.
 *
 * A child gets its own copy of the given descriptors as 0, 1 and 2, the given
 * environment and directory, default signal handlers and an empty signal
 * mask.  Exit statuses follow env(1): the child's own, 126 not executable,
 * 127 not found, 128+n killed by signal n; 125 is for failures of our own.
 */
#ifndef TERA_SPAWN_H
#define TERA_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

#include "buf.h"

struct spawn {
	const char *const *argv; /* NULL-terminated; argv[0] is looked up */
	const char *dir;         /* NULL: ours */
	char *const *env;        /* NULL: ours */
	int in, out, err;        /* descriptors, or -1: ours */
	bool session;            /* own session and process group */
	bool die_with_parent;    /* SIGKILL when we end (Linux) */
	bool default_signals;    /* ours are neither handled nor ignored */
	int keep;                /* one more to hand on, as 3; 0: none */
	int nice;                /* added to our niceness */
};

/*
 * Starts it.  Returns the pid, or -1 with errno.  Descriptors above 2 are
 * closed in the child, whatever their flags, but for keep.  A program that
 * cannot be executed is a child that says why on its standard error and ends
 * with 126 or 127.
 */
pid_t spawn_start(const struct spawn *sp);

/* Waits and returns the status as above. */
int spawn_wait(pid_t pid);
/* The same mapping for a status of waitpid(2). */
int spawn_status(int wstatus);

/*
 * Runs argv to its end with the n bytes of in on its standard input and
 * appends at most max bytes of its standard output to out (NULL: ours), the
 * rest is read and dropped.  After seconds (0: no limit) its process group
 * gets TERM and two seconds later KILL, and the status is 124.
 */
int spawn_run(const char *const *argv, const char *in, size_t n,
    struct buf *out, size_t max, int seconds);

/* Sends sig to the process group of pid, then to whatever descends from it
 * but left the group (by /proc).  Returns how many processes it hit. */
int spawn_kill_tree(pid_t pid, int sig);
/* As spawn_kill_tree for all that descends from pid, but not pid itself.
 * For a subreaper that ends what its children left behind. */
int spawn_kill_below(pid_t pid, int sig);
/* SIGKILL for all that descends from us but not from the n processes of ours:
 * what a killed guard left to us.  Children in our session are our own, too:
 * what left it never comes back.  Returns how many processes it hit. */
int spawn_kill_strays(const pid_t *ours, size_t n);
/* The resident memory of all that descends from pid, in bytes. */
long long spawn_rss_below(pid_t pid);
/* Sends sig to all whose environment holds each of the entries ("NAME=value",
 * NULL-terminated list), but us.  Returns how many processes it hit. */
int spawn_kill_env(const char *const *entries, int sig);

/*
 * Where the files of share/ are.  Returns the path of NAME (such as
 * "worker/shell") from the first of: the user's configuration directory
 * ($TERA_CONFIG, else $XDG_CONFIG_HOME/tera, else ~/.config/tera), $TERA_SHARE,
 * the share/ of the tree that the program runs from, the installed one.  Of a
 * tree's share/, what make put together in build/ comes first (build/www).
 * The caller frees it; NULL when there is none.
 */
char *share_path(const char *name);
/* The same in the user's configuration directory only. */
char *config_path(const char *name);
/* $TERA_SHARE, else the tree's share/, else the installed one; NULL when there
 * is none.  Not to be freed.  For the environment of scripts. */
const char *share_dir(void);

/* An environment for struct spawn that is put together by name.  Zero it. */
struct spawn_env {
	char **v; /* NULL-terminated once something was added */
	size_t n;
};

/* Sets NAME=value, replacing an earlier one; a NULL value adds nothing. */
void spawn_env_set(struct spawn_env *e, const char *name, const char *value);
/* Takes over NAME from our own environment where it is set. */
void spawn_env_keep(struct spawn_env *e, const char *name);
void spawn_env_free(struct spawn_env *e);

/* $TERA_STATE, else $XDG_STATE_HOME/tera, else ~/.local/state/tera: mirrors,
 * runs, bundles.  Made (0700) when it is missing.  The caller frees it. */
char *state_dir(const char *below);

/* mkdir -p with mode 0700.  Returns 0 or -1 with errno. */
int make_dirs(const char *path);

/* Puts the directory of our own program into PATH when it is not there, so
 * that a command finds its family from the build tree, too.  PATH is set
 * afterwards. */
void spawn_own_path(void);

#endif
