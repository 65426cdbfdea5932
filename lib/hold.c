/* See hold.h. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "hold.h"
#include "work.h"

#define FRAME_MAX (8 * 1024 * 1024) /* a batch, see store.c, and some more */
#define BACKLOG 128
#define EVENTS 64 /* that one turn looks at */

/*
 * A request is this head and then, each ended by a NUL, the actor, the verb
 * and the inputs.  A reply is its length and then for each input the status,
 * the number of rows and the text of each, and the message when the status is
 * above 1; a reply of no length says that this holder is none for the asker.
 */
struct head {
	uint32_t len; /* of what follows the head */
	uint32_t n;   /* inputs */
	uint32_t schema, normal;
	uint64_t dev, ino;
};

/* What both sides must have in common.  -1 when the store is not there. */
static int
identify(const char *path, struct head *h)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return -1;
	*h = (struct head){ .schema = (uint32_t)db_schema(),
		.normal = db_durable() ? 0 : 1,
		.dev = st.st_dev,
		.ino = st.st_ino };
	return 0;
}

static int
limit_silence(int fd)
{
	struct timeval t = { HOLD_SILENCE / 1000, HOLD_SILENCE % 1000 * 1000 };

	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)) == 0 &&
		       setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)) ==
			   0
		   ? 0
		   : -1;
}

/*
 * connect(2) or bind(2) to PATH-hold.  A path that is too long for an address
 * goes through the directory's descriptor.
 */
static int
address(int fd, const char *path,
    int (*join)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char *copy, *name;
	int dir = -1, rc = -1;

	if (strlen(path) + sizeof("-hold") <= sizeof(a.sun_path)) {
		snprintf(a.sun_path, sizeof(a.sun_path), "%s-hold", path);
		return join(fd, (struct sockaddr *)&a, sizeof(a));
	}
	copy = xstrdup(path);
	dir = open(dirname(copy), O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(copy);
	copy = xstrdup(path);
	name = xasprintf("/proc/self/fd/%d/%s-hold", dir, basename(copy));
	if (dir >= 0 && strlen(name) < sizeof(a.sun_path)) {
		memcpy(a.sun_path, name, strlen(name) + 1);
		rc = join(fd, (struct sockaddr *)&a, sizeof(a));
	}
	free(name);
	free(copy);
	if (dir >= 0)
		close(dir);
	return rc;
}

/* Is it us at the other end? */
static bool
same_user(int fd)
{
	struct ucred peer;
	socklen_t n = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 &&
	       peer.uid == geteuid();
}

/* --- who asks --- */

int
hold_connect(const char *path)
{
	int fd;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (limit_silence(fd) == 0 && address(fd, path, connect) == 0 &&
	    same_user(fd))
		return fd;
	close(fd);
	return -1;
}

static int
send_all(int fd, const void *p, size_t n)
{
	const char *s = p;

	while (n > 0) {
		ssize_t k = send(fd, s, n, MSG_NOSIGNAL);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return -1;
		s += k;
		n -= (size_t)k;
	}
	return 0;
}

static int
receive(int fd, void *p, size_t n)
{
	char *s = p;

	while (n > 0) {
		ssize_t k = recv(fd, s, n, 0);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return -1;
		s += k;
		n -= (size_t)k;
	}
	return 0;
}

/* Takes what is at *at of a reply: a number, or a text.  False past its end. */
static bool
take_int(const char **at, const char *end, int32_t *value)
{
	if ((size_t)(end - *at) < sizeof(*value))
		return false;
	memcpy(value, *at, sizeof(*value));
	*at += sizeof(*value);
	return true;
}

static bool
take_text(const char **at, const char *end, const char **text)
{
	const char *nul = memchr(*at, '\0', (size_t)(end - *at));

	if (nul == NULL)
		return false;
	*text = *at;
	*at = nul + 1;
	return true;
}

/* Is the reply whole?  Then its answers go out. */
static int
deliver(const char *at, const char *end, struct item *items, size_t n,
    row_fn *row, void *arg)
{
	for (int pass = 0; pass < 2; pass++) {
		const char *p = at, *text;

		for (size_t i = 0; i < n; i++) {
			int32_t rc, rows;

			if (!take_int(&p, end, &rc) ||
			    !take_int(&p, end, &rows) || rows < 0)
				return -1;
			for (int32_t k = 0; k < rows; k++) {
				if (!take_text(&p, end, &text))
					return -1;
				if (pass == 1 && row != NULL)
					row(arg, text);
			}
			text = NULL;
			if (rc > 1 && !take_text(&p, end, &text))
				return -1;
			if (pass == 1) {
				items[i].rc = rc;
				items[i].msg =
				    text != NULL ? xstrdup(text) : NULL;
			}
		}
	}
	return 0;
}

int
hold_ask(int fd, const char *path, const struct verb *v, struct item *items,
    size_t n, row_fn *row, void *arg)
{
	struct head h;
	struct buf b = BUF_INIT;
	uint32_t len;
	int rc = -1;

	if (identify(path, &h) != 0 ||
	    access(path, v->flags & VERB_WRITE ? R_OK | W_OK : R_OK) != 0)
		return -1;
	buf_add(&b, &h, sizeof(h));
	buf_add(&b, db_actor(), strlen(db_actor()) + 1);
	buf_add(&b, v->name, strlen(v->name) + 1);
	for (size_t i = 0; i < n; i++)
		buf_add(&b, items[i].in, strlen(items[i].in) + 1);
	h.n = (uint32_t)n;
	h.len = (uint32_t)(b.len - sizeof(h));
	memcpy(b.s, &h, sizeof(h));
	if (h.len <= FRAME_MAX && send_all(fd, b.s, b.len) == 0 &&
	    receive(fd, &len, sizeof(len)) == 0 && len > 0 && len <= INT_MAX) {
		buf_clear(&b);
		if (receive(fd, buf_room(&b, len), len) == 0)
			rc = deliver(b.s, b.s + len, items, n, row, arg);
	}
	buf_free(&b);
	return rc;
}

/* --- who holds --- */

/* Somebody who asks: one request at a time. */
struct asker {
	int fd;
	bool gone, writing; /* writing: waits for room for its answer */
	struct buf in, out;
	size_t sent;
	struct asker *next;
};

struct hold {
	struct db *db;
	char *path;
	struct head self; /* as it was when we opened it */
	int lock, listener, poll;
	bool crowded; /* no descriptor was left for somebody who came */
	struct asker *askers;
};

static int
watch(struct hold *h, int fd, int op, uint32_t events, void *who)
{
	struct epoll_event e = { .events = events, .data.ptr = who };

	return epoll_ctl(h->poll, op, fd, &e);
}

struct hold *
hold_open(const char *path, struct db *db, dev_t dev, ino_t ino)
{
	struct hold *h = xmalloc(sizeof(*h));
	char *name = xasprintf("%s-hold-lock", path);
	mode_t mask = umask(0177);

	*h = (struct hold){
		.db = db, .path = xstrdup(path), .listener = -1, .poll = -1
	};
	h->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	free(name);
	if (h->lock >= 0 && identify(path, &h->self) == 0 &&
	    h->self.dev == dev && h->self.ino == ino &&
	    flock(h->lock, LOCK_EX | LOCK_NB) == 0) {
		name = xasprintf("%s-hold", path);
		(void)unlink(name); /* of one that was killed */
		free(name);
		h->listener = socket(
		    AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		h->poll = epoll_create1(EPOLL_CLOEXEC);
	}
	if (h->listener < 0 || h->poll < 0 ||
	    address(h->listener, path, bind) != 0 ||
	    listen(h->listener, BACKLOG) != 0 ||
	    watch(h, h->listener, EPOLL_CTL_ADD, EPOLLIN, NULL) != 0) {
		hold_close(h);
		h = NULL;
	}
	umask(mask);
	return h;
}

static void
drop(struct hold *h, struct asker *a)
{
	struct asker **p = &h->askers;

	while (*p != a)
		p = &(*p)->next;
	*p = a->next;
	close(a->fd);
	buf_free(&a->in);
	buf_free(&a->out);
	free(a);
}

void
hold_close(struct hold *h)
{
	if (h == NULL)
		return;
	while (h->askers != NULL)
		drop(h, h->askers);
	if (h->listener >= 0) {
		char *name = xasprintf("%s-hold", h->path);

		(void)unlink(name);
		free(name);
		close(h->listener);
	}
	if (h->poll >= 0)
		close(h->poll);
	if (h->lock >= 0)
		close(h->lock);
	free(h->path);
	free(h);
}

int
hold_fd(const struct hold *h)
{
	return h->poll;
}

/* Closes the connections on which nothing is under way: who has one asks again
 * by himself. */
static void
drop_idle(struct hold *h)
{

	for (struct asker *a = h->askers, *next; a != NULL; a = next) {
		next = a->next;
		if (a->in.len == 0 && !a->writing)
			drop(h, a);
	}
}

static void
welcome(struct hold *h)
{
	struct timespec a_little = { 0, 20000000 };

	for (;;) {
		int fd = accept4(
		    h->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		struct asker *a;

		if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
			/* else it would be readable again and again */
			h->crowded = true;
			nanosleep(&a_little, NULL);
			return;
		}
		if (fd < 0)
			return;
		a = xmalloc(sizeof(*a));
		*a = (struct asker){ .fd = fd, .next = h->askers };
		h->askers = a;
		if (!same_user(fd) ||
		    watch(h, fd, EPOLL_CTL_ADD, EPOLLIN, a) != 0)
			drop(h, a);
	}
}

/* Reads what is there. */
static void
hear(struct asker *a)
{
	ssize_t n;

	while (!a->gone) {
		n = recv(a->fd, buf_room(&a->in, 16384), 16384, 0);
		if (n > 0) {
			a->in.len += (size_t)n;
			if (a->in.len > FRAME_MAX + sizeof(struct head))
				a->gone = true;
		} else if (n == 0 || (errno != EAGAIN && errno != EINTR))
			a->gone = true;
		else if (errno == EAGAIN)
			break;
	}
}

/* The head of a request that is whole. */
static bool
whole(const struct asker *a, struct head *head)
{
	if (a->gone || a->in.len < sizeof(*head))
		return false;
	memcpy(head, a->in.s, sizeof(*head));
	return a->in.len >= sizeof(*head) + head->len;
}

/* Sends what there is of the answer; the rest when there is room. */
static void
answer(struct hold *h, struct asker *a)
{
	while (a->sent < a->out.len) {
		ssize_t n = send(a->fd, a->out.s + a->sent,
		    a->out.len - a->sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		a->sent += (size_t)n;
	}
	if (a->sent < a->out.len) {
		if (errno != EAGAIN ||
		    watch(h, a->fd, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT, a) != 0)
			a->gone = true;
		a->writing = true;
		return;
	}
	if (a->writing)
		watch(h, a->fd, EPOLL_CTL_MOD, EPOLLIN, a);
	a->writing = false;
	buf_free(&a->out);
	a->sent = 0;
}

/* Takes a request apart.  False: it is none that we can serve. */
static bool
understand(
    struct hold *h, struct asker *a, const struct head *head, struct work *w)
{
	const char *p = a->in.s + sizeof(*head), *end = p + head->len;
	const char *verb, *text;

	if (h->self.schema != head->schema || h->self.normal != head->normal ||
	    h->self.dev != head->dev || h->self.ino != head->ino ||
	    head->n == 0 || head->n > head->len ||
	    !take_text(&p, end, &w->actor) || !take_text(&p, end, &verb))
		return false;
	w->verb = verb_find(verb);
	if (w->verb == NULL || !(w->verb->flags & VERB_HELD))
		return false;
	w->who = a;
	work_init(w, head->n);
	for (size_t i = 0; i < w->n; i++) {
		if (!take_text(&p, end, &text)) {
			work_free(w);
			return false;
		}
		w->tasks[i].in = text;
	}
	return true;
}

/* Sends the results; w NULL: there are none for this asker. */
static void
reply(struct hold *h, struct asker *a, const struct work *w)
{
	uint32_t len = 0;

	buf_add(&a->out, &len, sizeof(len));
	for (size_t i = 0; w != NULL && i < w->n; i++) {
		struct task *t = &w->tasks[i];
		int32_t rc = t->rc, rows = t->rows;

		buf_add(&a->out, &rc, sizeof(rc));
		buf_add(&a->out, &rows, sizeof(rows));
		buf_add(&a->out, buf_text(&t->text), t->text.len);
		if (rc > 1)
			buf_add(&a->out, t->msg, strlen(t->msg) + 1);
	}
	len = (uint32_t)(a->out.len - sizeof(len));
	memcpy(a->out.s, &len, sizeof(len));
	buf_free(&a->in);
	answer(h, a);
}

int
hold_serve(struct hold *h)
{
	struct epoll_event events[EVENTS];
	struct work works[EVENTS];
	int got = epoll_wait(h->poll, events, EVENTS, 0), wrote;
	size_t n = 0;

	for (int i = 0; i < got; i++) {
		struct asker *a = events[i].data.ptr;
		struct head head;

		if (a == NULL) {
			welcome(h);
			continue;
		}
		if (events[i].events & EPOLLOUT)
			answer(h, a);
		hear(a);
		if (a->gone) {
			/* who gave up does it itself: it must not be done
			 * twice */
			drop(h, a);
			continue;
		}
		if (a->writing || !whole(a, &head))
			continue;
		if (understand(h, a, &head, &works[n]))
			n++;
		else
			reply(h, a, NULL);
	}
	wrote = work_run(h->db, works, n);
	for (size_t i = 0; i < n; i++) {
		struct asker *a = works[i].who;

		reply(h, a, &works[i]);
		work_free(&works[i]);
		if (a->gone)
			drop(h, a);
	}
	/* not before: an event of this turn may be theirs */
	if (h->crowded)
		drop_idle(h);
	h->crowded = false;
	return wrote;
}
