/*
 * err: how a command says that something went wrong.
 *
 * Every message is one line on standard error, "tera-claim: what was tried:
 * what went wrong", lower case, no full stop.  The exit statuses are those of
 * sysexits.h (see tera-json(7)); 0 is done, 1 is "the answer is no".
 */
#ifndef TERA_ERR_H
#define TERA_ERR_H

#include <stdarg.h>
#include <sysexits.h>

#define PRINTF(f, a) __attribute__((format(printf, f, a)))

#define TERA_VERSION "0.1.0"

/* What a verb or a step answers when it refuses: code is the exit status. */
struct fault {
	int code;
	char msg[1024];
};

/* The program's name for messages, set by err_init from argv[0]. */
extern const char *err_name;

/*
 * First line of each main: takes the name from argv[0], and answers a lone
 * --version (prints "tera-x VERSION", exits 0) and --help (prints the usage
 * on standard output, exits 0).  usage is the synopsis without the name.
 */
void err_init(int argc, char *argv[], const char *usage);

/* Prints "usage: NAME SYNOPSIS" on standard error and exits 64. */
_Noreturn void err_usage(void);

/* Prints one line.  A format that ends in ':' gets strerror(errno). */
void warn(const char *fmt, ...) PRINTF(1, 2);
_Noreturn void die(int code, const char *fmt, ...) PRINTF(2, 3);

/* Fills f (which may be NULL) and returns code, for "return fail(...)". */
int fail(struct fault *f, int code, const char *fmt, ...) PRINTF(3, 4);

/* As fail, for callers that hold a va_list. */
int vfail(struct fault *f, int code, const char *fmt, va_list ap) PRINTF(3, 0);

/*
 * Ends a command: flushes and closes standard output, so that a full disk or
 * a closed pipe is not lost, and returns code, or 74 when output was lost and
 * code was 0 or 1.
 */
int out_end(int code);

/* Has whoever read our standard output gone away?  For who waits for long and
 * would notice only at the next write. */
int out_gone(void);

/* malloc and friends that exit 71 when memory is out. */
void *xmalloc(unsigned long n);
void *xrealloc(void *p, unsigned long n);
char *xstrdup(const char *s);
char *xstrndup(const char *s, unsigned long n);
char *xasprintf(const char *fmt, ...) PRINTF(1, 2);

#endif
