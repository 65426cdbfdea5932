/*
 * load - requests over connections that are kept, and how long each took
 *
 *	load [-c connections] [-d seconds] [-l file] [-f path] [-h header]
 *	    address:port method path [body]
 *	load -s address:port path command [arg ...]
 *
 * Each connection sends its next request when the last one is answered.  An @
 * in the path or the body stands for the next line of the file of -l; when
 * its lines are used up, it ends.  With -f each answer that has a body is
 * posted to that path as it came, and both together are one request.
 *
 * One line: requests a second, median and 99th percentile in microseconds,
 * how many were answered with 2xx and a body, with 204, with 304, with
 * anything else (a broken connection, too), and the bytes of the last body.
 *
 * With -s it starts the command, prints the milliseconds until a GET of the
 * path is answered with 200, and ends the command with SIGTERM.
 *
 * Why not wrk(1) or ab(1): at its end wrk throws away what is under way, so
 * that claims are more than replies, and ab sends the same bytes each time.
 * A goal says that claimed rows = replies; so all that was sent is waited for.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS 1024
#define PATIENCE 60000 /* ms without an answer: the server has wedged */

extern char **environ;

struct text {
	char *s;
	size_t n, room;
};

struct conn {
	int fd;
	double since;    /* when its request was begun */
	int second;      /* it is the one of -f */
	struct text in;  /* what came of the answer */
	struct text out; /* the request */
	size_t sent;
	size_t head, body; /* bytes of the answer; head 0: not known yet */
	int status, close;
};

static struct sockaddr_in to;
static const char *method = "GET", *path, *body = "", *header, *follow;
static char *lines; /* of -l, the rest of them */
static struct conn conns[CONNECTIONS];
static int poller;
static double *took;
static size_t n_took, room;
static long full, empty, same, other;
static size_t last_body;

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void *
grown(void *p, size_t n)
{
	p = realloc(p, n);
	if (p == NULL)
		die("memory");
	return p;
}

static void
add(struct text *t, const char *s, size_t n)
{
	if (t->n + n + 1 > t->room) {
		t->room = 2 * (t->n + n + 1);
		t->s = grown(t->s, t->room);
	}
	memcpy(t->s + t->n, s, n);
	t->n += n;
	t->s[t->n] = '\0';
}

/* With the line in the place of each @. */
static void
add_with(struct text *t, const char *s, const char *line, size_t n)
{
	for (const char *at; line != NULL && (at = strchr(s, '@')) != NULL;
	     s = at + 1) {
		add(t, s, (size_t)(at - s));
		add(t, line, n);
	}
	add(t, s, strlen(s));
}

static void
reach(struct conn *c)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };
	int on = 1;

	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		die("connect");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &e) < 0)
		die("epoll");
}

static void
send_it(struct conn *c)
{
	c->in.n = c->head = c->sent = 0;
	c->close = 0;
	while (c->sent < c->out.n) {
		ssize_t n = send(c->fd, c->out.s + c->sent, c->out.n - c->sent,
		    MSG_NOSIGNAL);

		if (n < 0)
			die("send");
		c->sent += (size_t)n;
	}
}

static void
put_head(struct conn *c, const char *verb, const char *where, size_t n)
{
	char text[1024];
	int k = snprintf(text, sizeof(text),
	    "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s%s", verb, where,
	    ntohs(to.sin_port), header != NULL ? header : "",
	    header != NULL ? "\r\n" : "");

	add(&c->out, text, (size_t)k);
	if (n > 0 || strcmp(verb, "GET") != 0) {
		k = snprintf(text, sizeof(text),
		    "Content-Type: application/json\r\nContent-Length: %zu\r\n",
		    n);
		add(&c->out, text, (size_t)k);
	}
	add(&c->out, "\r\n", 2);
}

/* Sends the next request; 0: there is none. */
static int
next(struct conn *c)
{
	static struct text where, what;
	const char *line = NULL;
	size_t n = 0;

	if (lines != NULL) {
		if (*lines == '\0')
			return 0;
		n = strcspn(lines, "\n");
		line = lines;
		lines += n + (lines[n] != '\0');
	}
	where.n = what.n = c->out.n = 0;
	add_with(&where, path, line, n);
	add_with(&what, body, line, n);
	put_head(c, method, where.s, what.n);
	add(&c->out, what.s, what.n);
	c->second = 0;
	c->since = now();
	send_it(c);
	return 1;
}

/* The head is here: what does it say? */
static void
understand(struct conn *c)
{
	char *end = strstr(c->in.s, "\r\n\r\n");

	if (end == NULL)
		return;
	c->head = (size_t)(end - c->in.s) + 4;
	c->status = (int)strtol(c->in.s + strcspn(c->in.s, " "), NULL, 10);
	c->body = 0;
	for (char *p = c->in.s; p < end; p = strstr(p, "\r\n") + 2) {
		if (strncasecmp(p, "Content-Length:", 15) == 0)
			c->body = strtoul(p + 15, NULL, 10);
		if (strncasecmp(p, "Connection: close", 17) == 0)
			c->close = 1;
	}
	if (c->status == 204 || c->status == 304)
		c->body = 0;
}

static void
count(struct conn *c)
{
	if (c->status == 204)
		empty++;
	else if (c->status == 304)
		same++;
	else if (c->status / 100 == 2)
		full++;
	else {
		if (other++ == 0)
			fprintf(stderr, "load: %.*s\n",
			    (int)(c->in.n < 600 ? c->in.n : 600), c->in.s);
	}
	last_body = c->body;
	if (n_took == room) {
		room = room > 0 ? 2 * room : 65536;
		took = grown(took, room * sizeof(*took));
	}
	took[n_took++] = now() - c->since;
}

/* Reads what is there.  1: the answer is whole, -1: it never will be. */
static int
more(struct conn *c)
{
	size_t want = 65536;
	ssize_t n;

	if (c->head > 0 && c->head + c->body - c->in.n > want)
		want = c->head + c->body - c->in.n;
	if (c->in.n + want + 1 > c->in.room) {
		c->in.room = c->in.n + want + 1;
		c->in.s = grown(c->in.s, c->in.room);
	}
	n = read(c->fd, c->in.s + c->in.n, want);
	if (n <= 0)
		return -1;
	c->in.n += (size_t)n;
	c->in.s[c->in.n] = '\0';
	if (c->head == 0)
		understand(c);
	return c->head > 0 && c->in.n >= c->head + c->body;
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static int
run(int n, double seconds)
{
	double began, end;
	int busy = 0;

	poller = epoll_create1(0);
	for (int i = 0; i < n; i++)
		reach(&conns[i]);
	began = now();
	end = began + seconds * 1e6;
	for (int i = 0; i < n; i++)
		busy += next(&conns[i]);
	while (busy > 0) {
		struct epoll_event e[64];
		int k = epoll_wait(poller, e, 64, PATIENCE);

		if (k == 0) {
			fprintf(stderr, "load: %d are not answered\n", busy);
			other += busy;
			break;
		}
		for (int i = 0; i < k; i++) {
			struct conn *c = e[i].data.ptr;
			int got = more(c);

			if (got == 0)
				continue;
			if (got > 0 && follow != NULL && !c->second &&
			    c->status == 200) {
				c->out.n = 0;
				put_head(c, "POST", follow, c->body);
				add(&c->out, c->in.s + c->head, c->body);
				c->second = 1;
				send_it(c);
				continue;
			}
			if (got > 0)
				count(c);
			else if (other++ == 0)
				fprintf(stderr,
				    "load: %s %s: the connection was closed\n",
				    method, path);
			if (got < 0 || c->close) {
				close(c->fd);
				reach(c);
			}
			if (now() >= end || !next(c))
				busy--;
		}
	}
	if (n_took == 0)
		return 1;
	qsort(took, n_took, sizeof(*took), by_size);
	printf("%.1f %.1f %.1f %ld %ld %ld %ld %zu\n",
	    (double)n_took * 1e6 / (now() - began), took[n_took / 2],
	    took[n_took * 99 / 100], full, empty, same, other, last_body);
	return 0;
}

/* Was it answered with 200? */
static int
asked(void)
{
	char text[1024];
	int fd = socket(AF_INET, SOCK_STREAM, 0), fine;
	ssize_t n = 0;

	if (fd < 0)
		die("socket");
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 &&
	    dprintf(fd,
		"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
		"\r\n",
		path) > 0)
		n = read(fd, text, sizeof(text));
	fine = n > 12 && memcmp(text + 9, "200", 3) == 0;
	close(fd);
	return fine;
}

static int
start(char *argv[])
{
	double began = now();
	int status;
	pid_t pid;

	if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) != 0)
		die(argv[0]);
	while (!asked()) {
		if (waitpid(pid, &status, WNOHANG) == pid ||
		    now() - began > PATIENCE * 1e3) {
			fprintf(stderr, "load: %s does not answer\n", argv[0]);
			return 1;
		}
		usleep(200);
	}
	printf("%.2f\n", (now() - began) / 1e3);
	kill(pid, SIGTERM);
	waitpid(pid, &status, 0);
	return 0;
}

static char *
whole(const char *name)
{
	struct text t = { NULL, 0, 0 };
	char part[65536];
	FILE *f = fopen(name, "r");

	if (f == NULL)
		die(name);
	for (size_t n; (n = fread(part, 1, sizeof(part), f)) > 0;)
		add(&t, part, n);
	fclose(f);
	return t.n > 0 ? t.s : "";
}

static void
address(char *text)
{
	char *colon = strchr(text, ':');

	to.sin_family = AF_INET;
	if (colon != NULL) {
		*colon = '\0';
		to.sin_port =
		    htons((unsigned short)strtoul(colon + 1, NULL, 10));
	}
	if (colon == NULL || inet_pton(AF_INET, text, &to.sin_addr) != 1) {
		fprintf(stderr, "load: want an address:port\n");
		exit(64);
	}
}

int
main(int argc, char *argv[])
{
	int n = 1, starting = 0;
	double seconds = 1;

	for (int c; (c = getopt(argc, argv, "+c:d:l:f:h:s")) != -1;)
		switch (c) {
		case 'c': n = (int)strtol(optarg, NULL, 10); break;
		case 'd': seconds = atof(optarg); break;
		case 'l': lines = whole(optarg); break;
		case 'f': follow = optarg; break;
		case 'h': header = optarg; break;
		case 's': starting = 1; break;
		default: return 64;
		}
	argv += optind;
	argc -= optind;
	if (argc < 3 || n < 1 || n > CONNECTIONS) {
		fputs("usage: load [-c n] [-d seconds] [-l file] [-f path] "
		      "[-h header] address:port method path [body]\n",
		    stderr);
		return 64;
	}
	address(argv[0]);
	if (starting) {
		path = argv[1];
		return start(argv + 2);
	}
	method = argv[1];
	path = argv[2];
	if (argc > 3)
		body = argv[3];
	return run(n, seconds);
}
