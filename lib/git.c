/* See git.h. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "git.h"
#include "spawn.h"

#define OUT_MAX (64UL * 1024 * 1024)
#define ERR_MAX (64UL * 1024)

/* --- the environment of every run --- */

/* A program that fails, to stand where git would ask somebody. */
static const char *
refuser(void)
{
	static const char *const at[] = { "/bin/false", "/usr/bin/false",
		"/usr/local/bin/false", "/run/current-system/sw/bin/false" };

	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++)
		if (access(at[i], X_OK) == 0)
			return at[i];
	return "false";
}

/* One more "-c key=value", by environment: argument lists are public. */
static void
config(const char *key, const char *value)
{
	const char *count = getenv("GIT_CONFIG_COUNT");
	int n = count != NULL ? (int)strtol(count, NULL, 10) : 0;
	char name[40];

	snprintf(name, sizeof(name), "GIT_CONFIG_KEY_%d", n);
	setenv(name, key, 1);
	snprintf(name, sizeof(name), "GIT_CONFIG_VALUE_%d", n);
	setenv(name, value, 1);
	snprintf(name, sizeof(name), "%d", n + 1);
	setenv("GIT_CONFIG_COUNT", name, 1);
}

/* GH_TOKEN serves github.com where no helper of the user's knows better. */
static void
forge_token(void)
{
	if (getenv("GH_TOKEN") == NULL && getenv("GITHUB_TOKEN") == NULL)
		return;
	config("credential.https://github.com.helper",
	    "!f() { test \"$1\" = get && printf "
	    "'username=x-access-token\\npassword=%s\\n' "
	    "\"${GH_TOKEN:-$GITHUB_TOKEN}\"; }; f");
}

static void
setup(void)
{
	static const char *const forget[] = { "GIT_DIR", "GIT_WORK_TREE",
		"GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR",
		"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE",
		"GIT_PREFIX", "GIT_CEILING_DIRECTORIES", "GIT_TRACE",
		"GIT_TRACE_CURL", "GIT_CURL_VERBOSE", "GIT_EXTERNAL_DIFF" };
	static bool done;

	if (done)
		return;
	done = true;
	for (size_t i = 0; i < sizeof(forget) / sizeof(*forget); i++)
		unsetenv(forget[i]);
	setenv("LC_ALL", "C", 1);
	setenv("GIT_TERMINAL_PROMPT", "0", 1);
	setenv("GIT_ASKPASS", refuser(), 1);
	setenv("SSH_ASKPASS", refuser(), 1);
	setenv("GCM_INTERACTIVE", "never", 1);
	setenv("GIT_ALLOW_PROTOCOL", "file:git:http:https:ssh", 1);
	setenv("GIT_PROTOCOL_FROM_USER", "0", 1);
	setenv("GIT_OPTIONAL_LOCKS", "0", 1);
	config("core.hooksPath", "/dev/null");
	config("core.fsmonitor", "false");
	config("safe.directory", "*");
	config("gc.auto", "0");
	config("maintenance.auto", "false");
	config("advice.detachedHead", "false");
	config("http.lowSpeedLimit", "1000");
	config("http.lowSpeedTime", "60");
	forge_token();
}

const char *
git_workers(void)
{
	static char text[16];
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	snprintf(text, sizeof(text), "%ld", n < 2 ? 2 : n > 8 ? 8 : n);
	return text;
}

/* --- a run --- */

/* True when the process ended within the time. */
static bool
ended(int pidfd, int seconds)
{
	struct pollfd p = { pidfd, POLLIN, 0 };
	int rc;

	do
		rc = poll(&p, 1, seconds * 1000);
	while (rc < 0 && errno == EINTR);
	return rc != 0;
}

static int
wait_limited(pid_t pid, int seconds)
{
	int pidfd = pidfd_open(pid, 0);
	bool late = pidfd >= 0 && !ended(pidfd, seconds);

	if (late) {
		spawn_kill_tree(pid, SIGTERM);
		if (!ended(pidfd, 2))
			spawn_kill_tree(pid, SIGKILL);
	}
	if (pidfd >= 0)
		close(pidfd);
	int status = spawn_wait(pid);
	return late ? 124 : status;
}

static void
collect(struct buf *b, int fd, size_t max)
{
	if (lseek(fd, 0, SEEK_SET) == 0)
		buf_read(b, fd, max);
	close(fd);
}

/* "git [-C dir] ARGS", NULL-terminated; only the array is new. */
static const char **
command(const char *dir, const char *const *args)
{
	size_t n = 0, i = 0;
	const char **argv;

	while (args[n] != NULL)
		n++;
	argv = xmalloc((n + 4) * sizeof(*argv));
	argv[i++] = "git";
	if (dir != NULL) {
		argv[i++] = "-C";
		argv[i++] = dir;
	}
	memcpy(argv + i, args, (n + 1) * sizeof(*argv));
	return argv;
}

int
git_run(struct git *g, int seconds, const char *const *args)
{
	struct spawn sp = { .session = true, .die_with_parent = true };
	const char **argv = command(g->dir, args);
	pid_t pid;

	setup();
	buf_clear(&g->out);
	buf_clear(&g->err);
	sp.argv = argv;
	sp.in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sp.out = memfd_create("git out", MFD_CLOEXEC);
	sp.err = memfd_create("git err", MFD_CLOEXEC);
	if (sp.in < 0 || sp.out < 0 || sp.err < 0)
		die(EX_OSERR, "git:");
	pid = spawn_start(&sp);
	if (pid < 0)
		g->status = errno == ENOENT ? 127 : 126;
	else
		g->status = wait_limited(pid, seconds);
	free(argv);
	close(sp.in);
	collect(&g->out, sp.out, OUT_MAX);
	collect(&g->err, sp.err, ERR_MAX);
	return g->status;
}

void
git_free(struct git *g)
{
	buf_free(&g->out);
	buf_free(&g->err);
}

/* --- what it said --- */

static const struct meaning {
	int code;
	const char *words;
} meanings[] = {
	{ EX_NOPERM, "could not read Username" },
	{ EX_NOPERM, "could not read Password" },
	{ EX_NOPERM, "Authentication failed" },
	{ EX_NOPERM, "terminal prompts disabled" },
	{ EX_NOPERM, "unable to read askpass" },
	{ EX_NOPERM, "Permission denied" },
	{ EX_NOPERM, "Host key verification failed" },
	{ EX_NOPERM, "dubious ownership" },
	{ EX_NOPERM, "insufficient permission" },
	{ EX_NOPERM, "error: 401" },
	{ EX_NOPERM, "error: 403" },
	{ EX_UNAVAILABLE, "Could not resolve" },
	{ EX_UNAVAILABLE, "Connection refused" },
	{ EX_UNAVAILABLE, "timed out" },
	{ EX_NOINPUT, "does not appear to be a git repository" },
	{ EX_NOINPUT, "does not exist" },
	{ EX_NOINPUT, "epository not found" },
	{ EX_NOINPUT, "' not found" },
	{ EX_NOINPUT, "error: 404" },
	{ EX_NOINPUT, "No such file or directory" },
};

/* The most telling line: the last fatal or error one, else the last. */
static char *
last_words(const struct buf *err)
{
	char *text = git_mask(buf_text(err)), *best = NULL, *last = NULL, *save;

	for (char *l = strtok_r(text, "\n", &save); l != NULL;
	     l = strtok_r(NULL, "\n", &save)) {
		last = l;
		if (strncmp(l, "fatal: ", 7) == 0 &&
		    strstr(l, "Could not read "
			      "from remote") == NULL)
			best = l + 7;
		else if (strncmp(l, "error: ", 7) == 0)
			best = l + 7;
		else if (strncmp(l, "ssh: ", 5) == 0 ||
			 strstr(l, "Permission denied") != NULL)
			best = l;
	}
	best = xstrdup(best != NULL ? best : last != NULL ? last : "");
	free(text);
	return best;
}

int
git_fault(const struct git *g, const char *what, int otherwise, struct fault *f)
{
	char *words, *safe = git_mask(what);
	int code = otherwise;

	if (g->status == 127)
		code =
		    fail(f, EX_UNAVAILABLE, "%s: git is not installed", safe);
	else if (g->status == 124)
		code = fail(f, EX_UNAVAILABLE, "%s: git took too long", safe);
	else {
		for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings);
		     i++)
			if (strstr(buf_text(&g->err), meanings[i].words)) {
				code = meanings[i].code;
				break;
			}
		words = last_words(&g->err);
		if (strstr(words, "could not read ") != NULL)
			fail(f, code,
			    "%s: wants a password: set a git credential "
			    "helper, or GH_TOKEN for GitHub",
			    safe);
		else
			fail(f, code, "%s: %s", safe,
			    *words != '\0' ? words
					   : "git failed without a word");
		free(words);
	}
	free(safe);
	return code;
}

/* --- sources --- */

/* The length of the user part at s ("user:pw@" without the "@"), or 0. */
static size_t
user_part(const char *s)
{
	size_t end = strcspn(s, "/?# \t\n'\"<>"), at = 0;

	for (size_t i = 0; i < end; i++)
		if (s[i] == '@')
			at = i;
	return at;
}

/* Is the user part at s (n bytes) after this scheme a secret? */
static bool
secret(const char *text, const char *s, size_t n)
{
	bool http = s - text >= 7 && (strncmp(s - 7, "http://", 7) == 0 ||
					 strncmp(s - 7, "ttps://", 7) == 0);

	return n > 0 && (http || memchr(s, ':', n) != NULL);
}

static char *
without_user(const char *text, const char *instead)
{
	struct buf b = BUF_INIT;
	const char *s, *rest = text;

	while ((s = strstr(rest, "://")) != NULL) {
		size_t n;

		s += 3;
		n = user_part(s);
		buf_add(&b, rest, (size_t)(s - rest));
		if (secret(text, s, n)) {
			buf_str(&b, instead);
			s += n + 1;
		}
		rest = s;
	}
	buf_str(&b, rest);
	return buf_take(&b);
}

char *
git_mask(const char *text)
{
	return without_user(text, "***@");
}

char *
git_url_plain(const char *url)
{
	return without_user(url, "");
}

static void
percent_decode(char *s)
{
	char *to = s;

	for (; *s != '\0'; s++) {
		char hex[3] = { s[0], s[0] != '\0' ? s[1] : '\0', '\0' };

		if (*s == '%' && isxdigit((unsigned char)s[1]) &&
		    isxdigit((unsigned char)s[2])) {
			hex[0] = s[1];
			hex[1] = s[2];
			*to++ = (char)strtol(hex, NULL, 16);
			s += 2;
		} else
			*to++ = *s;
	}
	*to = '\0';
}

/* "https://host" of url; the caller frees it. */
static char *
origin_of(const char *url)
{
	char *plain = git_url_plain(url), *end = strstr(plain, "://") + 3;

	end[strcspn(end, "/?#")] = '\0';
	return plain;
}

/* A helper that answers for this one host, in place of any other. */
static void
helper(const char *url)
{
	char *host = origin_of(url);
	char *key = xasprintf("credential.%s.helper", host);

	config(key, "");
	config(key, "!f() { test \"$1\" = get && test -n \"$TERA_GIT_USER\" && "
		    "printf 'username=%s\\npassword=%s\\n' "
		    "\"$TERA_GIT_USER\" \"$TERA_GIT_WORD\"; }; f");
	free(key);
	free(host);
}

/* Hands the URL's user and password to git behind a credential helper. */
static int
credentials(const char *url, struct fault *f)
{
	const char *s = strstr(url, "://");
	char *user, *word;
	size_t n = s != NULL ? user_part(s + 3) : 0;

	unsetenv("TERA_GIT_USER");
	unsetenv("TERA_GIT_WORD");
	if (n == 0 || strncmp(url, "http", 4) != 0)
		return 0;
	user = xstrndup(s + 3, n);
	word = strchr(user, ':');
	if (word != NULL)
		*word++ = '\0';
	percent_decode(user);
	if (word != NULL)
		percent_decode(word);
	if (strpbrk(user, "\r\n") || (word && strpbrk(word, "\r\n"))) {
		free(user);
		return fail(f, EX_USAGE, "a line break in the URL's password");
	}
	setenv("TERA_GIT_USER", user, 1);
	setenv("TERA_GIT_WORD", word != NULL ? word : "", 1);
	free(user);
	helper(url);
	return 0;
}

/* ssh never asks, and gives up in time, unless the user said how to call it. */
static void
quiet_ssh(void)
{
	struct git g = { 0 };

	if (getenv("GIT_SSH_COMMAND") == NULL && getenv("GIT_SSH") == NULL &&
	    GIT(&g, GIT_QUICK, "config", "--get", "core.sshCommand") != 0)
		setenv("GIT_SSH_COMMAND",
		    "ssh -o BatchMode=yes -o ConnectTimeout=20", 1);
	git_free(&g);
}

static bool
local_path(const char *url)
{
	const char *colon = strchr(url, ':'), *slash = strchr(url, '/');

	return strstr(url, "://") == NULL && strstr(url, "::") == NULL &&
	       (colon == NULL || (slash != NULL && slash < colon));
}

static bool
allowed(const char *url)
{
	static const char *const schemes[] = { "file", "git", "http", "https",
		"ssh", "git+ssh", "ssh+git" };
	const char *s = strstr(url, "://");

	if (*url == '-' || *url == '\0' || strpbrk(url, "\r\n") != NULL)
		return false;
	if (strstr(url, "::") != NULL && (s == NULL || strstr(url, "::") < s))
		return false; /* ext::, fd:: and other helpers */
	if (s == NULL)
		return true;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (strlen(schemes[i]) == (size_t)(s - url) &&
		    strncmp(url, schemes[i], (size_t)(s - url)) == 0)
			return true;
	return false;
}

static char remote_name[24];

const char *
git_remote(void)
{
	return remote_name;
}

int
git_source(const char *url, struct fault *f)
{
	static char *now;
	static int count;
	char *plain, *key;
	int code;

	if (!allowed(url)) {
		plain = git_mask(url);
		code = fail(
		    f, EX_USAGE, "%s: not an address that git may use", plain);
		free(plain);
		return code;
	}
	setup();
	if (now != NULL && strcmp(now, url) == 0)
		return 0;
	free(now);
	now = xstrdup(url);
	code = credentials(url, f);
	if (code != 0)
		return code;
	if (!local_path(url) && strncmp(url, "http", 4) != 0 &&
	    strncmp(url, "file:", 5) != 0)
		quiet_ssh();
	plain =
	    strncmp(url, "http", 4) == 0 ? git_url_plain(url) : xstrdup(url);
	/* A second url would join the first: a new name for each. */
	snprintf(remote_name, sizeof(remote_name), "tera%d", ++count);
	key = xasprintf("remote.%s.url", remote_name);
	config(key, plain);
	free(key);
	free(plain);
	return 0;
}

int
git_branch_ok(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n > 200 || *name == '-' || *name == '/' || *name == '.' ||
	    name[n - 1] == '/' || name[n - 1] == '.' || strstr(name, "..") ||
	    strstr(name, "//") || strstr(name, "@{") || strstr(name, "/.") ||
	    strstr(name, ".lock") || strcmp(name, "@") == 0 ||
	    strcmp(name, "HEAD") == 0)
		return 0;
	for (const unsigned char *p = (const unsigned char *)name; *p; p++)
		if (*p <= ' ' || *p == 0x7f || strchr("~^:?*[\\", *p))
			return 0;
	return 1;
}
