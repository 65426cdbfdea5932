/*
 * tera-listen - serve the store over HTTP, without a web server
 *
 * What tera-serve -l executes.  It also holds the store for the commands of
 * this machine (hold.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "daemon.h"
#include "store.h"

#define ADDRESS "127.0.0.1:5010"
#define FIRST_FD 3      /* of systemd's socket activation */
#define LOOK_AGAIN 2000 /* ms: another one holds the store, or it is gone */
#define SAY_SO 2        /* seconds of that for those who get no answer */
#define DRAIN (2 * REQ_TIME) /* seconds: who is slower than that is cut off */

/* Takes "address:port", "[address]:port", ":port", "port" apart. */
static void
split(char *text, const char **host, const char **port)
{
	char *colon = strrchr(text, ':');

	*host = "127.0.0.1";
	*port = text;
	if (colon == NULL)
		return;
	*colon = '\0';
	*port = colon + 1;
	if (*text == '[' && colon[-1] == ']') {
		colon[-1] = '\0';
		text++;
	}
	if (*text != '\0')
		*host = text;
}

/* Does nobody serve that socket any more? */
static bool
is_left(const struct sockaddr_un *a)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return false;
	rc = connect(fd, (const struct sockaddr *)(const void *)a, sizeof(*a));
	rc = rc != 0 && errno == ECONNREFUSED;
	close(fd);
	return rc;
}

/* A Unix socket, with the mode of the store: who may read and write that may
 * connect. */
static int
unix_socket(const char *path, const char *store)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct stat st;
	mode_t mask = umask(0177);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;

	if (strlen(path) >= sizeof(a.sun_path))
		die(EX_USAGE, "%s: too long for a socket", path);
	memcpy(a.sun_path, path, strlen(path) + 1);
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) && is_left(&a))
		unlink(path);
	rc = fd < 0 ? -1 : bind(fd, (const struct sockaddr *)&a, sizeof(a));
	umask(mask);
	if (rc != 0 ||
	    (stat(store, &st) == 0 && (st.st_mode & 0060) == 0060 &&
		chmod(path, 0660) != 0) ||
	    listen(fd, SOMAXCONN) != 0)
		die(EX_UNAVAILABLE, "%s:", path);
	return fd;
}

/* One of the addresses that host has, -1 with errno.  address: as it was
 * given. */
static int
socket_of(const char *address, const char *host, const char *port)
{
	struct addrinfo hint = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE },
			*found;
	int fd = -1, on = 1, off = 0;
	int rc = getaddrinfo(host, port, &hint, &found);

	if (rc == EAI_SERVICE)
		die(EX_USAGE, "%s: want address:port", address);
	if (rc != 0)
		die(EX_USAGE, "%s: %s", address, gai_strerror(rc));
	for (struct addrinfo *a = found; a != NULL && fd < 0; a = a->ai_next) {
		fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, 0);
		if (fd < 0)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		/* "::" is for both families, whatever the system's default */
		if (a->ai_family == AF_INET6)
			setsockopt(
			    fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
		if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 &&
		    listen(fd, SOMAXCONN) == 0)
			break;
		rc = errno;
		close(fd);
		fd = -1;
		errno = rc;
	}
	freeaddrinfo(found);
	return fd;
}

static int
listening_socket(const char *address)
{
	const char *host, *port;
	char *text = xstrdup(address);
	bool every;
	int fd;

	split(text, &host, &port);
	every = strcmp(host, "*") == 0;
	fd = socket_of(address, every ? "::" : host, port);
	if (fd < 0 && every && errno == EAFNOSUPPORT)
		fd = socket_of(address, "0.0.0.0", port);
	if (fd < 0)
		die(EX_UNAVAILABLE, "%s:", address);
	free(text);
	return fd;
}

/* The socket that systemd opened for us, or -1. */
static int
inherited(void)
{
	const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");

	if (pid == NULL || n == NULL || strtol(pid, NULL, 10) != getpid())
		return -1;
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	if (strcmp(n, "1") != 0)
		die(EX_CONFIG, "LISTEN_FDS: want one socket, got %s", n);
	fcntl(FIRST_FD, F_SETFD, FD_CLOEXEC);
	return FIRST_FD;
}

/* Its address for people; *far: others than this machine can reach it. */
static char *
name_of(int fd, bool *far)
{
	struct sockaddr_storage a = { .ss_family = 0 };
	socklen_t n = sizeof(a);
	char host[128] = "", port[32] = "";

	if (getsockname(fd, (struct sockaddr *)&a, &n) != 0)
		die(EX_OSERR, "the socket:");
	if (a.ss_family == AF_UNIX) {
		*far = false;
		return n > offsetof(struct sockaddr_un, sun_path)
			   ? xstrdup(((struct sockaddr_un *)&a)->sun_path)
			   : xstrdup("a Unix socket");
	}
	getnameinfo((struct sockaddr *)&a, n, host, sizeof(host), port,
	    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	*far = !req_loopback(host);
	return strchr(host, ':') != NULL ? xasprintf("[%s]:%s", host, port)
					 : xasprintf("%s:%s", host, port);
}

static int
signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

#define READ_MS 5000 /* one read may keep the others waiting */
/* And a write, when another one has the store: longer than HOLD_SILENCE, so
 * that a command whose verb waits here has gone to wait by itself. */
#define LOCK_MS 2000

/* The store, opened anew when its file is another one or was away. */
struct home {
	struct store *s;
	char *path;
	dev_t dev;
	ino_t ino;
	long long seen; /* db_data_version */
};

static struct db *
open_home(struct home *h, struct fault *f)
{
	struct db *db;

	h->s = store_hold(f);
	db = h->s != NULL ? store_db(h->s, f) : NULL;
	if (db != NULL)
		db_patience(db, READ_MS, LOCK_MS);
	return db;
}

/* Has a newer tera-init been at it?  Then it is not ours to write, until we
 * are newer, too. */
static bool
upgraded(struct home *h)
{
	struct fault f;
	struct db *db = h->s != NULL ? store_db(h->s, &f) : NULL;
	long long now;

	if (db == NULL)
		return false;
	now = db_data_version(db);
	if (now == h->seen)
		return false;
	h->seen = now;
	return !db_fits(db);
}

static struct db *
at_home(struct home *h, struct daemon *d)
{
	struct stat st;
	struct fault f;

	if (stat(h->path, &st) != 0 || st.st_ino != h->ino ||
	    st.st_dev != h->dev) {
		store_close(h->s);
		h->s = NULL;
		daemon_other(d);
	}
	if (upgraded(h)) {
		store_close(h->s);
		h->s = NULL;
		daemon_other(d);
	}
	if (h->s == NULL && stat(h->path, &st) == 0) {
		open_home(h, &f);
		h->dev = st.st_dev;
		h->ino = st.st_ino;
	}
	return h->s != NULL ? store_db(h->s, &f) : NULL;
}

static time_t
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* What others commit is to be seen at once while streams are open. */
static int
watched(const struct daemon *d, struct home *h)
{
	return daemon_streams(d) > 0 && h->s != NULL ? store_wait_fd(h->s) : -1;
}

/* Until a signal comes. */
static void
run(struct daemon *d, struct home *h, int sigfd)
{
	struct signalfd_siginfo info;
	time_t end = 0;
	int ms;

	while (end == 0 || seconds() < end) {
		struct pollfd p[] = {
			{ sigfd, POLLIN, 0 },
			{ daemon_fd(d), POLLIN, 0 },
			{ h->s != NULL ? store_hold_fd(h->s) : -1, POLLIN, 0 },
			{ watched(d, h), POLLIN, 0 },
		};

		ms = daemon_patience(d);
		if (p[2].fd < 0 && (ms < 0 || ms > LOOK_AGAIN))
			ms = LOOK_AGAIN;
		if (end != 0) {
			if (daemon_busy(d) == 0)
				break;
			ms = ms < 0 || ms > 100 ? 100 : ms;
		}
		if (poll(p, sizeof(p) / sizeof(*p), ms) < 0 && errno != EINTR)
			die(EX_OSERR, "poll:");
		if (read(sigfd, &info, sizeof(info)) == (ssize_t)sizeof(info) &&
		    end == 0) {
			daemon_drain(d);
			end = seconds() + DRAIN;
		}
		if (end != 0 && seconds() >= end - SAY_SO)
			daemon_abandon(d);
		if (p[3].revents != 0 && store_wait(h->s, 0) == 1)
			daemon_stir(d);
		daemon_turn(d, at_home(h, d));
		if (h->s != NULL && (p[2].fd < 0 || p[2].revents != 0)) {
			store_serve(h->s);
			if (p[2].revents != 0)
				daemon_stir(d);
		}
	}
}

int
main(int argc, char *argv[])
{
	struct auth auth = { .db = NULL };
	struct home h = { .s = NULL };
	struct daemon *d;
	struct stat st;
	struct fault f;
	const char *own = NULL; /* a socket that we made */
	char *name;
	bool far;
	int fd, sigfd;

	err_init(argc, argv, "[address:port | path]");
	if (getopt(argc, argv, "") != -1 || argc - optind > 1)
		err_usage();
	h.path = store_path();
	if (open_home(&h, &f) == NULL)
		die(f.code, "%s", f.msg);
	if (stat(h.path, &st) == 0) {
		h.dev = st.st_dev;
		h.ino = st.st_ino;
	}
	fd = inherited();
	if (fd < 0 && optind < argc && strchr(argv[optind], '/') != NULL)
		fd = unix_socket(own = argv[optind], h.path);
	if (fd < 0)
		fd = listening_socket(optind < argc ? argv[optind] : ADDRESS);
	name = name_of(fd, &far);
	auth_load(&auth, store_db(h.s, &f));
	if (far && !auth.any)
		die(EX_CONFIG,
		    "%s: others can reach that, and there is no worker key and "
		    "no token: tera-token add NAME role=admin",
		    name);
	auth_free(&auth);
	sigfd = signals();
	d = daemon_open(fd);
	if (sigfd < 0 || d == NULL)
		die(EX_OSERR, "%s: cannot be served", name);
	warn("listening on %s", name);
	run(d, &h, sigfd);
	daemon_close(d);
	if (own != NULL)
		unlink(own);
	store_close(h.s);
	free(h.path);
	free(name);
	return out_end(0);
}
