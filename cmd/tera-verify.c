/*
 * tera-verify: runs a project's own tests and says what came of it.
 *
 * pass is an exit status of 0 and nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <poll.h>
#include <regex.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "cmd.h"
#include "guard.h"
#include "mask.h"
#include "spawn.h"

#define USAGE "[-O] [-t seconds] [command] | -C directory"

#define TAIL 8192
#define LOG_CAP (64 * 1024 * 1024LL)
#define DETECT_MAX (1024 * 1024) /* bytes of a file that are looked at */
#define SECONDS 1800
#define GRACE_MS 2000

static bool no_net;
static const char *own_command;
static long long own_seconds = -1;
static struct mask mask;

static long long
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* --- which command --- */

/* A file of the project's: what it is, is its own choice, and opening a FIFO
 * or a device could take for ever.  Returns a descriptor, or -1. */
static int
open_regular(const char *file)
{
	struct stat st;
	int fd = -1;

	if (stat(file, &st) == 0 && S_ISREG(st.st_mode))
		fd = open(file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Does a line of the file's first MiB match?  A file that cannot be read does
 * not. */
static bool
matches(int fd, const char *pattern)
{
	struct buf text = BUF_INIT;
	regex_t re;
	bool yes;

	if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB | REG_NEWLINE) != 0)
		die(EX_DATAERR, "verify.json: %s: bad expression", pattern);
	yes = lseek(fd, 0, SEEK_SET) == 0 &&
	      buf_read(&text, fd, DETECT_MAX) >= 0 &&
	      regexec(&re, buf_text(&text), 0, NULL, 0) == 0;
	regfree(&re);
	buf_free(&text);
	return yes;
}

/* Is there a regular file of that pattern with (or without) these lines? */
static bool
found(const char *pattern, const char *contains, const char *lacks)
{
	glob_t g = { 0 };
	bool yes = false;

	if (glob(pattern, 0, NULL, &g) == 0)
		for (size_t i = 0; i < g.gl_pathc && !yes; i++) {
			int fd = open_regular(g.gl_pathv[i]);

			if (fd < 0)
				continue;
			yes = (contains == NULL || matches(fd, contains)) &&
			      (lacks == NULL || !matches(fd, lacks));
			close(fd);
		}
	globfree(&g);
	return yes;
}

static char *
field(const char *data, int i, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "$.detect[%d].%s", i, name);
	return json_get(data, path);
}

/* The entry's command when it holds in the current directory. */
static char *
try_entry(const char *data, int i, bool *end)
{
	char *file = field(data, i, "file"), *contains, *lacks, *also;
	char *command = NULL;

	*end = file == NULL;
	if (*end)
		return NULL;
	contains = field(data, i, "contains");
	lacks = field(data, i, "lacks");
	also = field(data, i, "also");
	if (found(file, contains, lacks) &&
	    (also == NULL || found(also, NULL, NULL)))
		command = field(data, i, "command");
	free(file);
	free(contains);
	free(lacks);
	free(also);
	return command;
}

/* The command for a directory by share/verify.json, or NULL. */
static char *
detect(const char *dir)
{
	static struct buf data;
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *command = NULL;
	bool end = false;

	if (data.len == 0) {
		char *path = share_path("verify.json");
		struct fault f;

		if (path == NULL || buf_file(&data, path, JSON_LINE_MAX) != 0)
			die(EX_CONFIG, "verify.json: cannot be read");
		if (json_check(data.s, data.len, &f) != 0)
			die(EX_CONFIG, "%s: %s", path, f.msg);
		free(path);
	}
	if (chdir(dir) == 0) {
		for (int i = 0; !end && command == NULL; i++)
			command = try_entry(data.s, i, &end);
		if (here < 0 || fchdir(here) < 0)
			die(EX_OSERR, "cannot go back:");
	}
	if (here >= 0)
		close(here);
	return command;
}

/* --- one run --- */

struct run {
	struct guard g;
	int from;
	int log;
	long long logged;
	struct buf hold, tail;
	char head[16]; /* how the output begins */
	size_t head_len;
	bool timeout;
};

/* verify.N.log of the run's directory, with the first N that is free. */
static int
open_log(void)
{
	const char *dir = getenv("TERA_RUN_DIR");
	int fd = -1;

	if (dir == NULL || *dir == '\0')
		return -1;
	for (int n = 1; n < 10000; n++) {
		char *path = xasprintf("%s/verify.%d.log", dir, n);

		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0 && errno != EEXIST)
			warn("%s:", path);
		free(path);
		if (fd >= 0 || errno != EEXIST)
			break;
	}
	return fd;
}

static void
add(struct run *r, bool last)
{
	size_t n = mask_ready(&mask, &r->hold, last);
	const char *s = buf_text(&r->hold);

	for (size_t i = 0; i < n && r->head_len < sizeof(r->head); i++)
		r->head[r->head_len++] = s[i];
	if (r->log >= 0 && r->logged < LOG_CAP && n > 0 &&
	    write(r->log, s, n) < 0) {
		warn("verify log:");
		close(r->log);
		r->log = -1;
	}
	r->logged += (long long)n;
	buf_add(&r->tail, s, n);
	if (r->tail.len > 8 * TAIL) {
		memmove(r->tail.s, r->tail.s + r->tail.len - TAIL, TAIL);
		r->tail.len = TAIL;
	}
	if (n > 0) {
		memmove(r->hold.s, r->hold.s + n, r->hold.len - n + 1);
		r->hold.len -= n;
	}
}

static bool
hear(struct run *r)
{
	ssize_t n = read(r->from, buf_room(&r->hold, 65536), 65536);

	if (n < 0)
		return errno == EINTR;
	if (n == 0) {
		close(r->from);
		r->from = -1;
		return false;
	}
	r->hold.len += (size_t)n;
	r->hold.s[r->hold.len] = '\0';
	add(r, false);
	return true;
}

/* Until nothing of it runs any more, or seconds are over. */
static void
supervise(struct run *r, long long limit)
{
	int sig = SIGTERM;

	for (;;) {
		struct pollfd p[2] = { { r->from, POLLIN, 0 },
			{ r->g.fd, POLLIN, 0 } };
		long long left = limit - now_ms();

		if (left <= 0) {
			if (!r->g.ended)
				r->timeout = true;
			guard_kill(&r->g, sig);
			sig = SIGKILL;
			limit = now_ms() + GRACE_MS;
			continue;
		}
		if (poll(p, 2, left > INT_MAX ? INT_MAX : (int)left) < 0)
			continue;
		if (p[0].revents != 0)
			hear(r);
		if (p[1].revents != 0 && guard_done(&r->g))
			break;
	}
	while (r->from >= 0 && hear(r))
		continue;
	add(r, true);
}

static const char *
verdict(const struct run *r)
{
	if (r->timeout)
		return "unknown";
	switch (r->g.status) {
	case 0: return "pass";
	case 125:
	case 126:
	case 127: return "error";
	case 128 + SIGHUP:
	case 128 + SIGINT:
	case 128 + SIGKILL:
	case 128 + SIGTERM: return "unknown";
	default: break;
	}
	if (strncmp(r->head, "bwrap: ", 7) == 0 ||
	    strncmp(r->head, "sandbox: ", 9) == 0)
		return "error";
	return "fail";
}

/* The last 8 KiB, beginning with a whole character. */
static void
add_tail(struct buf *o, const struct run *r)
{
	size_t n = r->tail.len < TAIL ? r->tail.len : TAIL;
	const char *s = buf_text(&r->tail) + (r->tail.len - n);

	if (n == TAIL)
		while (n > TAIL - 4 && ((unsigned char)*s & 0xc0) == 0x80) {
			s++;
			n--;
		}
	json_addn(o, "tail", s, n);
}

/* Runs the command in dir and describes it in o. */
static void
run(struct buf *o, const char *dir, const char *command, long long seconds)
{
	char *sandbox = share_path("sh/sandbox");
	const char *argv[8];
	struct spawn sp = { .argv = argv };
	struct run r = { .from = -1, .log = open_log() };
	long long start = now_ms();
	int p[2] = { -1, -1 }, n = 0;
	const char *word = "error";

	if (sandbox == NULL)
		die(EX_UNAVAILABLE, "sh/sandbox: not found");
	argv[n++] = sandbox;
	if (no_net)
		argv[n++] = "-O";
	argv[n++] = dir;
	argv[n++] = "/bin/sh";
	argv[n++] = "-c";
	argv[n++] = command;
	argv[n] = NULL;
	sp.in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (sp.in < 0 || pipe2(p, O_CLOEXEC) < 0)
		die(EX_OSERR, "cannot start:");
	sp.out = sp.err = p[1];
	r.from = p[0];
	fcntl(r.from, F_SETFL, O_NONBLOCK);
	if (guard_start(&r.g, &sp) < 0)
		die(EX_OSERR, "cannot start:");
	close(sp.in);
	close(p[1]);
	supervise(&r, start + seconds * 1000);
	word = verdict(&r);
	json_add(o, "verdict", word);
	json_add(o, "command", command);
	json_add_int(o, "exit", r.timeout ? 124 : r.g.status);
	json_add_int(o, "ms", now_ms() - start);
	add_tail(o, &r);
	if (r.log >= 0)
		close(r.log);
	if (r.from >= 0)
		close(r.from);
	buf_free(&r.hold);
	buf_free(&r.tail);
	free(sandbox);
}

/* --- records --- */

static void
print(char *rec)
{
	puts(rec);
	fflush(stdout);
	free(rec);
}

static void
verify(const char *rec)
{
	const char *error = json_type(rec, "$.error");
	char *dir, *command;
	struct buf v = BUF_INIT, with = BUF_INIT;
	struct stat st;
	long long seconds = own_seconds;

	if (*error != '\0' && strcmp(error, "null") != 0) {
		print(xstrdup(rec));
		return;
	}
	dir = json_get(rec, "$.workspace");
	if (dir == NULL || stat(dir, &st) < 0 || !S_ISDIR(st.st_mode)) {
		print(json_error(rec, "verify", EX_DATAERR,
		    dir == NULL ? "no workspace" : "workspace: not there"));
		free(dir);
		return;
	}
	command = own_command != NULL ? xstrdup(own_command)
				      : json_get(rec, "$.verify_command");
	if (command != NULL && command[strspn(command, " \t\r\n")] == '\0') {
		free(command);
		command = NULL;
	}
	if (command == NULL)
		command = detect(dir);
	if (seconds < 0)
		seconds = json_int(rec, "$.limits.verify_seconds", 0);
	if (seconds <= 0)
		seconds = SECONDS;
	if (command == NULL) {
		json_add(&v, "verdict", "none");
		json_add(&v, "command", NULL);
	} else
		run(&v, dir, command, seconds);
	json_add_raw(&with, "verify", json_end(&v));
	print(json_merge(rec, json_end(&with)));
	buf_free(&v);
	buf_free(&with);
	free(command);
	free(dir);
}

static int
show(const char *dir)
{
	struct stat st;
	char *command;

	if (stat(dir, &st) < 0)
		die(EX_NOINPUT, "%s:", dir);
	if (!S_ISDIR(st.st_mode))
		die(EX_NOINPUT, "%s: not a directory", dir);
	command = detect(dir);
	if (command == NULL)
		return 1;
	puts(command);
	free(command);
	return 0;
}

int
main(int argc, char *argv[])
{
	struct json_lines in = { .fp = stdin };
	struct fault f;
	const char *dir = NULL;
	int opt, rc, code = 0;

	err_init(argc, argv, USAGE);
	while ((opt = getopt(argc, argv, "C:Ot:")) != -1)
		switch (opt) {
		case 'C': dir = optarg; break;
		case 'O': no_net = true; break;
		case 't':
			own_seconds = cmd_number("-t", optarg, 1, 1 << 30);
			break;
		default: err_usage();
		}
	if (argc - optind > (dir == NULL))
		err_usage();
	if (dir != NULL)
		return out_end(show(dir));
	own_command = argv[optind];
	mask_init(&mask);
	while ((rc = json_next(&in, &f)) != 0) {
		if (rc < 0) {
			warn("%s", f.msg);
			code = f.code;
			continue;
		}
		verify(in.line.s);
	}
	json_lines_free(&in);
	mask_free(&mask);
	return out_end(code);
}
