/* See spawn.h. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "spawn.h"

/* --- one child --- */

/* Says why on the child's standard error, without stdio, and ends it. */
_Noreturn static void
child_failed(const char *what, int status)
{
	char line[512];
	int n = snprintf(line, sizeof(line), "%s: %.300s: %s\n", err_name, what,
	    strerror(errno));

	if (n > 0 &&
	    write(STDERR_FILENO, line,
		(size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1) < 0)
		_exit(status);
	_exit(status);
}

/* Makes fds[i] descriptor i for 0, 1 and 2. */
static int
child_descriptors(const struct spawn *sp)
{
	int fds[3] = { sp->in, sp->out, sp->err };

	/* First out of the way of each other. */
	for (int i = 0; i < 3; i++)
		if (fds[i] >= 0 && fds[i] < 3 && fds[i] != i) {
			fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
			if (fds[i] < 0)
				return -1;
		}
	for (int i = 0; i < 3; i++) {
		if (fds[i] < 0)
			continue;
		if (fds[i] == i) {
			if (fcntl(i, F_SETFD, 0) < 0)
				return -1;
		} else if (dup2(fds[i], i) < 0)
			return -1;
	}
	if (sp->keep > 2) {
		if (sp->keep == 3 ? fcntl(3, F_SETFD, 0) < 0
				  : dup2(sp->keep, 3) < 0)
			return -1;
		syscall(SYS_close_range, 4U, ~0U, 0U);
	} else
		syscall(SYS_close_range, 3U, ~0U, 0U);
	return 0;
}

_Noreturn static void
child(const struct spawn *sp, pid_t parent)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigset_t none;

	if (sp->session)
		setsid();
	if (sp->die_with_parent) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(125);
	}
	for (int sig = 1; sig < NSIG && !sp->default_signals; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			sigaction(sig, &dfl, NULL);
	if (sp->nice != 0)
		setpriority(
		    PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + sp->nice);
	if (child_descriptors(sp) < 0)
		child_failed("descriptors", 125);
	if (sp->dir != NULL && chdir(sp->dir) < 0)
		child_failed(sp->dir, 125);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvpe(sp->argv[0], (char *const *)(void *)sp->argv,
	    sp->env != NULL ? sp->env : environ);
	child_failed(
	    sp->argv[0], errno == ENOENT || errno == ENOTDIR ? 127 : 126);
}

pid_t
spawn_start(const struct spawn *sp)
{
	pid_t parent = getpid(), pid;
	sigset_t all, old;
	int saved;

	/* No handler of ours may run in the child.  vfork, because the memory
	 * of a process that has SQLite open takes long to copy: until it
	 * executes, the child only makes system calls. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid = vfork();
	if (pid == 0)
		child(sp, parent);
	saved = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	errno = saved;
	return pid;
}

int
spawn_status(int wstatus)
{
	if (WIFEXITED(wstatus))
		return WEXITSTATUS(wstatus);
	if (WIFSIGNALED(wstatus))
		return 128 + WTERMSIG(wstatus);
	return 125;
}

int
spawn_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 125;
	return spawn_status(status);
}

/* --- a child from its start to its end --- */

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

struct run {
	pid_t pid;
	int pidfd, to, from;
	const char *in;
	size_t n;
	struct buf *out;
	size_t room;
	long long limit; /* when to signal next; 0: never */
	int sent;        /* the last signal that was sent */
};

static void
run_write(struct run *r)
{
	ssize_t n = write(r->to, r->in, r->n);

	if (n > 0) {
		r->in += n;
		r->n -= (size_t)n;
	} else if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	else
		r->n = 0; /* it does not want more */
	if (r->n == 0)
		close_fd(&r->to);
}

/* Reads once.  Returns whether there may be more. */
static bool
run_read(struct run *r)
{
	char piece[16384];
	ssize_t n = read(r->from, piece, sizeof(piece));
	size_t take;

	if (n < 0 && errno == EINTR)
		return true;
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		close_fd(&r->from);
		return false;
	}
	take = (size_t)n < r->room ? (size_t)n : r->room;
	buf_add(r->out, piece, take);
	r->room -= take;
	return true;
}

/* Until the child has ended; its output may be held open by others. */
static void
run_loop(struct run *r)
{
	for (;;) {
		struct pollfd p[3] = { { r->pidfd, POLLIN, 0 },
			{ r->to, POLLOUT, 0 }, { r->from, POLLIN, 0 } };
		long long left = -1;

		if (r->limit != 0) {
			left = r->limit - clock_ms();
			if (left <= 0) {
				r->sent = r->sent == 0 ? SIGTERM : SIGKILL;
				spawn_kill_tree(r->pid, r->sent);
				r->limit = clock_ms() +
					   (r->sent == SIGTERM ? 2000 : 200);
				continue;
			}
		}
		if (poll(p, 3, left > INT_MAX ? INT_MAX : (int)left) < 0)
			continue;
		if (p[1].revents != 0)
			run_write(r);
		if (p[2].revents != 0)
			run_read(r);
		if (p[0].revents == 0)
			continue;
		while (r->from >= 0 && run_read(r))
			continue;
		return;
	}
}

int
spawn_run(const char *const *argv, const char *in, size_t n, struct buf *out,
    size_t max, int seconds)
{
	int to[2] = { -1, -1 }, from[2] = { -1, -1 }, status;
	struct sigaction ignore = { .sa_handler = SIG_IGN }, old;
	struct run r = { .in = in, .n = n, .out = out, .room = max };
	struct spawn sp = { .argv = argv,
		.out = -1,
		.err = -1,
		.session = true,
		.die_with_parent = true };

	if (n > 0 ? pipe2(to, O_CLOEXEC) < 0
		  : (to[0] = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0)
		return 125;
	if (out != NULL && pipe2(from, O_CLOEXEC) < 0) {
		close_fd(&to[0]);
		close_fd(&to[1]);
		return 125;
	}
	sp.in = to[0];
	sp.out = from[1];
	r.pid = spawn_start(&sp);
	close_fd(&to[0]);
	close_fd(&from[1]);
	r.to = to[1];
	r.from = from[0];
	if (r.pid < 0) {
		close_fd(&r.to);
		close_fd(&r.from);
		return 125;
	}
	r.pidfd = (int)syscall(SYS_pidfd_open, r.pid, 0);
	if (r.to >= 0)
		fcntl(r.to, F_SETFL, O_NONBLOCK);
	if (r.from >= 0)
		fcntl(r.from, F_SETFL, O_NONBLOCK);
	if (seconds > 0)
		r.limit = clock_ms() + seconds * 1000LL;
	if (r.pidfd >= 0) {
		sigaction(SIGPIPE, &ignore, &old);
		run_loop(&r);
		sigaction(SIGPIPE, &old, NULL);
		close(r.pidfd);
	} else
		spawn_kill_tree(r.pid, SIGKILL);
	status = spawn_wait(r.pid);
	close_fd(&r.to);
	close_fd(&r.from);
	if (r.pidfd < 0)
		return 125;
	return r.sent != 0 ? 124 : status;
}

/* --- trees of processes --- */

struct proc {
	pid_t pid, parent, group, session;
	bool below, dead;
};

/* What a process is, by /proc/PID/stat. */
static bool
proc_read(const char *name, struct proc *p)
{
	char path[64], text[512], *end, state;
	int fd, parent, group, session;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	end = strrchr(text, ')'); /* the name may hold anything */
	if (end == NULL || sscanf(end + 1, " %c %d %d %d", &state, &parent,
			       &group, &session) != 4)
		return false;
	p->pid = (pid_t)strtol(name, NULL, 10);
	p->parent = parent;
	p->group = group;
	p->session = session;
	p->dead = state == 'Z' || state == 'X';
	p->below = false;
	return true;
}

static struct proc *
proc_all(size_t *n)
{
	struct proc *list = NULL;
	size_t cap = 0;
	struct dirent *e;
	DIR *d = opendir("/proc");

	*n = 0;
	if (d == NULL)
		return NULL;
	while ((e = readdir(d)) != NULL) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		if (*n == cap) {
			cap = cap != 0 ? 2 * cap : 256;
			list = xrealloc(list, cap * sizeof(*list));
		}
		if (proc_read(e->d_name, &list[*n]))
			(*n)++;
	}
	closedir(d);
	return list;
}

/* All processes, those marked that descend from pid, but not those of except,
 * nor children in the session, and what descends from either. */
static struct proc *
proc_below(
    pid_t pid, const pid_t *except, size_t m, pid_t session, size_t *count)
{
	size_t n;
	struct proc *all = proc_all(&n);
	bool more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < n; i++) {
			if (all[i].below)
				continue;
			bool in =
			    all[i].parent == pid && all[i].session != session;

			for (size_t j = 0; j < n && !in; j++)
				in =
				    all[j].below && all[j].pid == all[i].parent;
			for (size_t k = 0; k < m && in; k++)
				in = all[i].pid != except[k];
			if (in)
				all[i].below = more = true;
		}
	}
	*count = n;
	return all;
}

/* Signals what descends from pid and is not of the group (0: of any). */
static int
kill_below(pid_t pid, pid_t group, int sig)
{
	size_t n;
	struct proc *all = proc_below(pid, NULL, 0, -1, &n);
	int hit = 0;

	for (size_t i = 0; i < n; i++)
		if (all[i].below && !all[i].dead &&
		    (group == 0 || all[i].group != group) &&
		    all[i].pid != getpid() && kill(all[i].pid, sig) == 0)
			hit++;
	free(all);
	return hit;
}

int
spawn_kill_below(pid_t pid, int sig)
{
	return kill_below(pid, 0, sig);
}

int
spawn_kill_strays(const pid_t *ours, size_t m)
{
	size_t n;
	struct proc *all = proc_below(getpid(), ours, m, getsid(0), &n);
	int hit = 0;

	for (size_t i = 0; i < n; i++)
		if (all[i].below && !all[i].dead &&
		    kill(all[i].pid, SIGKILL) == 0)
			hit++;
	free(all);
	return hit;
}

long long
spawn_rss_below(pid_t pid)
{
	size_t n;
	struct proc *all = proc_below(pid, NULL, 0, -1, &n);
	long long sum = 0;

	for (size_t i = 0; i < n; i++) {
		char path[64];
		long long pages;
		FILE *f;

		if (!all[i].below || all[i].dead)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/statm", all[i].pid);
		f = fopen(path, "re");
		if (f == NULL)
			continue;
		if (fscanf(f, "%*d %lld", &pages) == 1)
			sum += pages * sysconf(_SC_PAGESIZE);
		fclose(f);
	}
	free(all);
	return sum;
}

static bool
has_entry(const struct buf *env, const char *entry)
{
	for (size_t i = 0; i < env->len; i += strlen(env->s + i) + 1)
		if (strcmp(env->s + i, entry) == 0)
			return true;
	return false;
}

int
spawn_kill_env(const char *const *entries, int sig)
{
	size_t n;
	struct proc *all = proc_all(&n);
	struct buf env = BUF_INIT;
	int hit = 0;

	for (size_t i = 0; i < n; i++) {
		char path[64];
		bool match = true;

		if (all[i].pid == getpid() || all[i].dead)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/environ", all[i].pid);
		buf_clear(&env);
		if (buf_file(&env, path, 1 << 20) < 0)
			continue;
		for (size_t e = 0; entries[e] != NULL && match; e++)
			match = has_entry(&env, entries[e]);
		if (match && kill(all[i].pid, sig) == 0)
			hit++;
	}
	buf_free(&env);
	free(all);
	return hit;
}

int
spawn_kill_tree(pid_t pid, int sig)
{
	int hit = 0;

	if (pid <= 1)
		return 0;
	/* What left the group first: once its parent is gone, the line of
	 * descent is, too. */
	hit = kill_below(pid, pid, sig);
	if (kill(-pid, sig) == 0 || kill(pid, sig) == 0)
		hit++;
	return hit;
}

/* --- environments --- */

void
spawn_env_set(struct spawn_env *e, const char *name, const char *value)
{
	size_t len = strlen(name), size, i;
	char *entry;

	if (value == NULL)
		return;
	/* by hand: some are set for each job */
	size = strlen(value) + 1;
	entry = xmalloc(len + 1 + size);
	memcpy(entry, name, len);
	entry[len] = '=';
	memcpy(entry + len + 1, value, size);
	for (i = 0; i < e->n; i++)
		if (strncmp(e->v[i], name, len) == 0 && e->v[i][len] == '=')
			break;
	if (i == e->n) {
		e->v = xrealloc(e->v, (e->n + 2) * sizeof(*e->v));
		e->v[++e->n] = NULL;
	} else
		free(e->v[i]);
	e->v[i] = entry;
}

void
spawn_env_keep(struct spawn_env *e, const char *name)
{
	spawn_env_set(e, name, getenv(name));
}

void
spawn_env_free(struct spawn_env *e)
{
	for (size_t i = 0; i < e->n; i++)
		free(e->v[i]);
	free(e->v);
	*e = (struct spawn_env){ 0 };
}

/* --- directories --- */

/* The path when it is there; path is freed otherwise. */
static char *
there(char *path)
{
	if (path != NULL && access(path, F_OK) == 0)
		return path;
	free(path);
	return NULL;
}

/* A directory of the user's: $own, else $xdg/tera, else ~/rest/tera. */
static char *
user_dir(const char *own, const char *xdg, const char *rest)
{
	const char *s;

	if ((s = getenv(own)) != NULL && *s != '\0')
		return xstrdup(s);
	if ((s = getenv(xdg)) != NULL && *s == '/')
		return xasprintf("%s/tera", s);
	if ((s = getenv("HOME")) != NULL && *s != '\0')
		return xasprintf("%s/%s/tera", s, rest);
	return NULL;
}

/* The share/ that belongs to the running program, looked for once. */
static const char *
own_share(void)
{
	static const char *const tries[] = { "../../share", "../../../share",
		"../share/tera" };
	static char *found;
	static bool done;
	char exe[PATH_MAX], *slash;
	ssize_t n;

	if (done)
		return found;
	done = true;
	n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	if (n <= 0)
		return NULL;
	exe[n] = '\0';
	slash = strrchr(exe, '/');
	if (slash == NULL)
		return NULL;
	*slash = '\0';
	for (size_t i = 0; i < sizeof(tries) / sizeof(*tries); i++) {
		char *dir = xasprintf("%s/%s", exe, tries[i]);
		char *engine = there(xasprintf("%s/engine", dir));

		if (engine != NULL) {
			free(engine);
			found = realpath(dir, NULL);
			free(dir);
			return found;
		}
		free(dir);
	}
	return NULL;
}

const char *
share_dir(void)
{
	const char *env = getenv("TERA_SHARE");

	return env != NULL && *env != '\0' ? env : own_share();
}

/* A name is a name, not a way out of share/. */
static bool
leads_out(const char *name)
{
	if (*name != '\0' && *name != '/' && strcmp(name, "..") != 0 &&
	    strncmp(name, "../", 3) != 0 && strstr(name, "/..") == NULL)
		return false;
	errno = EINVAL;
	return true;
}

char *
config_path(const char *name)
{
	char *dir, *path;

	if (leads_out(name))
		return NULL;
	dir = user_dir("TERA_CONFIG", "XDG_CONFIG_HOME", ".config");
	path = dir != NULL ? there(xasprintf("%s/%s", dir, name)) : NULL;
	free(dir);
	return path;
}

/* In the tree, what make put together counts: www/ with npm's scripts. */
static char *
below_share(const char *dir, const char *name)
{
	char *path = there(xasprintf("%s/../build/%s", dir, name));

	return path != NULL ? path : there(xasprintf("%s/%s", dir, name));
}

char *
share_path(const char *name)
{
	const char *env = getenv("TERA_SHARE"), *own;
	char *path = config_path(name);

	if (path == NULL && leads_out(name))
		return NULL;
	if (path == NULL && env != NULL && *env != '\0')
		path = below_share(env, name);
	if (path == NULL && (own = own_share()) != NULL)
		path = below_share(own, name);
	if (path == NULL)
		errno = ENOENT;
	return path;
}

int
make_dirs(const char *path)
{
	char *copy = xstrdup(path);
	int rc = 0;

	if (mkdir(copy, 0700) == 0 || errno == EEXIST)
		goto check;
	for (char *p = copy + 1; *p != '\0' && rc == 0; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(copy, 0700) < 0 && errno != EEXIST &&
		    access(copy, F_OK) < 0)
			rc = -1;
		*p = '/';
	}
	if (rc == 0 && mkdir(copy, 0700) < 0 && errno != EEXIST)
		rc = -1;
check:
	if (rc == 0) {
		struct stat st;

		if (stat(copy, &st) < 0)
			rc = -1;
		else if (!S_ISDIR(st.st_mode)) {
			errno = ENOTDIR;
			rc = -1;
		}
	}
	free(copy);
	return rc;
}

char *
state_dir(const char *below)
{
	char *dir = user_dir("TERA_STATE", "XDG_STATE_HOME", ".local/state");
	char *path;

	if (dir == NULL) {
		errno = ENOENT;
		return NULL;
	}
	path = below != NULL && *below != '\0' ? xasprintf("%s/%s", dir, below)
					       : xstrdup(dir);
	free(dir);
	if (make_dirs(path) < 0) {
		free(path);
		return NULL;
	}
	return path;
}

void
spawn_own_path(void)
{
	const char *path = getenv("PATH");
	char exe[PATH_MAX], *list, *own, *slash;
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (path == NULL || *path == '\0') {
		path = "/usr/local/bin:/usr/bin:/bin";
		setenv("PATH", path, 1);
	}
	exe[n > 0 ? n : 0] = '\0';
	slash = strrchr(exe, '/');
	if (slash == NULL)
		return;
	*slash = '\0';
	list = xasprintf(":%s:", path);
	own = xasprintf(":%s:", exe);
	if (strstr(list, own) == NULL) {
		free(own);
		own = xasprintf("%s:%s", exe, path);
		setenv("PATH", own, 1);
	}
	free(own);
	free(list);
}
