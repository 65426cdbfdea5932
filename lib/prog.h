/*
 * prog: commands of ours that a route runs, because what they do needs git,
 * which a server does not link (route.h: "!NAME" among its verbs).
 *
 * A program is a fixed list of arguments.  ":KEY" in it is what that key of
 * the object given holds, and must be an id, a number or a word of ours:
 * letters, digits, "-" and "_", and no "-" first; nothing else of a stranger
 * becomes an argument.  What it reads is a record that a verb made, its
 * environment is a short list of names, TERA_ACTOR is who asked.  Its standard
 * output is JSON lines, which become the rows of a task; of its standard error
 * the last line is the message; its exit status is the task's,
 * but for one whose 1 only says no, and whose rows say why.
 *
 * Programs run a few at once, the others wait for their turn.  One that takes
 * too long, says too much or whose asker went away is ended, and all that it
 * started (TERM, and KILL two seconds later).
 */
#ifndef TERA_PROG_H
#define TERA_PROG_H

#include "work.h"

#define PROG_RUNNING 4                      /* at once */
#define PROG_SECONDS 120                    /* of one */
#define PROG_OUT_MAX (16UL * 1024UL * 1024) /* bytes that it may say */

struct program;

/* NULL when there is none. */
const struct program *prog_find(const char *name);
/* Does it only look? */
bool prog_looks(const struct program *p);

/* Programs that run beside something else, which waits for none. */
struct progs;

/* Each may take so many seconds.  NULL with errno: no descriptors. */
struct progs *progs_open(int seconds);
/* Ends all; ps may be NULL. */
void progs_close(struct progs *ps);

/* To poll: readable when progs_next has something to do. */
int progs_fd(const struct progs *ps);
/* In how many milliseconds it has, whatever comes; -1: never. */
int progs_patience(const struct progs *ps);

/* Asks for one: in is an object, client the descriptor whose other end waits
 * for the answer (a socket, or standard output; -1: nobody can go away), who is
 * handed back.  Takes copies. */
void progs_add(struct progs *ps, const struct program *p, const char *in,
    const char *actor, int client, void *who);

/* Does what needs no waiting.  Then one that has ended: its who, and t is what
 * became of it (in and key stay the caller's); NULL: none has. */
void *progs_next(struct progs *ps, struct task *t);

/* Kills one that waits or runs, and forgets it: its who, or NULL: there is none
 * any more. */
void *progs_end(struct progs *ps);

/* One alone, to its end. */
void prog_run(const struct program *p, const char *in, const char *actor,
    int client, struct task *t);

#endif
