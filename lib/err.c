/* See err.h. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"

const char *err_name = "tera";
static const char *err_synopsis = "";

void
err_init(int argc, char *argv[], const char *usage)
{
	const char *slash;

	if (argc > 0 && argv[0] != NULL) {
		slash = strrchr(argv[0], '/');
		err_name = slash != NULL ? slash + 1 : argv[0];
	}
	err_synopsis = usage;
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("%s %s\n", err_name, TERA_VERSION);
		exit(out_end(0));
	}
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		printf("usage: %s %s\n", err_name, err_synopsis);
		exit(out_end(0));
	}
}

void
err_usage(void)
{
	fprintf(stderr, "usage: %s %s\n", err_name, err_synopsis);
	exit(EX_USAGE);
}

/* One line, whatever the text holds: a message never breaks the log. */
static void PRINTF(1, 0) say(const char *fmt, va_list ap)
{
	char line[2048];
	int saved = errno;
	size_t len = strlen(fmt);

	vsnprintf(line, sizeof(line), fmt, ap);
	for (char *p = line; *p != '\0'; p++)
		if (*p == '\n' || *p == '\r' || *p == '\033')
			*p = ' ';
	if (len > 0 && fmt[len - 1] == ':')
		fprintf(stderr, "%s: %s %s\n", err_name, line, strerror(saved));
	else
		fprintf(stderr, "%s: %s\n", err_name, line);
}

void
warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void
die(int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	exit(code);
}

int
vfail(struct fault *f, int code, const char *fmt, va_list ap)
{
	int saved = errno;
	size_t len = strlen(fmt), used;

	if (f == NULL)
		return code;
	f->code = code;
	vsnprintf(f->msg, sizeof(f->msg), fmt, ap);
	used = strlen(f->msg);
	if (len > 0 && fmt[len - 1] == ':')
		snprintf(f->msg + used, sizeof(f->msg) - used, " %s",
		    strerror(saved));
	return code;
}

int
fail(struct fault *f, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfail(f, code, fmt, ap);
	va_end(ap);
	return code;
}

int
out_end(int code)
{
	int bad = ferror(stdout);

	if (fflush(stdout) != 0)
		bad = 1;
	if (fclose(stdout) != 0 && errno != EBADF)
		bad = 1;
	if (!bad)
		return code;
	if (code == 0 || code == 1) {
		warn("standard output:");
		return EX_IOERR;
	}
	return code;
}

int
out_gone(void)
{
	struct pollfd p = { STDOUT_FILENO, 0, 0 };

	return poll(&p, 1, 0) > 0 && (p.revents & (POLLERR | POLLNVAL)) != 0;
}

void *
xmalloc(unsigned long n)
{
	void *p = malloc(n != 0 ? n : 1);

	if (p == NULL)
		die(EX_OSERR, "out of memory");
	return p;
}

void *
xrealloc(void *p, unsigned long n)
{
	p = realloc(p, n != 0 ? n : 1);
	if (p == NULL)
		die(EX_OSERR, "out of memory");
	return p;
}

char *
xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

char *
xstrndup(const char *s, unsigned long n)
{
	char *p = xmalloc(n + 1);

	memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

char *
xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&p, fmt, ap);
	va_end(ap);
	if (n < 0)
		die(EX_OSERR, "out of memory");
	return p;
}
