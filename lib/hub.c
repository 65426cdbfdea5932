/* See hub.h. */
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "clock.h"
#include "hub.h"
#include "route.h"

/* What the cache may hold before it is emptied. */
#define PIECES 256
#define PIECES_BYTES (1024 * 1024)

/* What comes after from, of a verb with an input. */
struct piece {
	int refs; /* the cache's is one */
	const struct verb *verb;
	char *in;
	long long from, to, left;
	bool more, over;
	struct buf text;
	struct piece *next; /* of the cache */
};

struct reader {
	struct stream *s;
	void *who;
	struct piece *piece; /* being read, */
	size_t off;          /* up to here */
	struct buf note;     /* goes out before the next one */
	bool asleep, ended;
	struct reader *prev, *next;
};

struct hub {
	struct hub_door door;
	struct db *db;
	long long version, head; /* of the store when we looked */
	long long tick;          /* ms: the next comment */
	struct reader *readers;
	int n;
	struct piece *cache;
	int pieces;
	size_t bytes;
	bool failed; /* the store could not be asked: again soon */
};

struct hub *
hub_open(const struct hub_door *door)
{
	struct hub *h = xmalloc(sizeof(*h));

	*h = (struct hub){ .door = *door, .head = -1, .version = -1 };
	return h;
}

/* --- pieces --- */

static void
drop(struct piece *p)
{
	if (p == NULL || --p->refs > 0)
		return;
	buf_free(&p->text);
	free(p->in);
	free(p);
}

static void
forget(struct hub *h)
{
	while (h->cache != NULL) {
		struct piece *p = h->cache;

		h->cache = p->next;
		drop(p);
	}
	h->pieces = 0;
	h->bytes = 0;
}

static struct piece *
cached(const struct hub *h, const struct stream *s)
{
	for (struct piece *p = h->cache; p != NULL; p = p->next)
		if (p->from == s->at && p->verb == s->verb &&
		    strcmp(p->in, s->in) == 0)
			return p;
	return NULL;
}

/* What comes next for s, a reference of the caller's.  NULL: the store cannot
 * be asked now. */
static struct piece *
piece(struct hub *h, const struct stream *s)
{
	struct piece *p = s->left < 0 ? cached(h, s) : NULL;
	struct stream next = *s;

	if (p != NULL) {
		p->refs++;
		return p;
	}
	p = xmalloc(sizeof(*p));
	*p = (struct piece){ .refs = 1, .verb = s->verb, .from = s->at };
	p->in = xstrdup(s->in);
	if (stream_more(&next, h->db, &p->text) != 0) {
		h->failed = true;
		if (p->text.len == 0) {
			drop(p);
			return NULL;
		}
	}
	p->to = next.at;
	p->left = next.left;
	p->more = next.more;
	p->over = next.over;
	if (s->left < 0) {
		if (h->pieces >= PIECES || h->bytes >= PIECES_BYTES)
			forget(h);
		p->next = h->cache;
		h->cache = p;
		h->pieces++;
		h->bytes += p->text.len;
		p->refs++;
	}
	return p;
}

/* --- readers --- */

struct reader *
hub_join(struct hub *h, struct stream *s, void *who)
{
	struct reader *r;

	if (h->n >= HUB_READERS)
		return NULL;
	if (h->n++ == 0)
		h->tick = clock_ms() + STREAM_COMMENT;
	r = xmalloc(sizeof(*r));
	*r = (struct reader){ .s = s, .who = who, .next = h->readers };
	if (r->next != NULL)
		r->next->prev = r;
	h->readers = r;
	stream_begin(s, &r->note);
	return r;
}

void
hub_leave(struct hub *h, struct reader *r)
{
	if (r->prev != NULL)
		r->prev->next = r->next;
	else
		h->readers = r->next;
	if (r->next != NULL)
		r->next->prev = r->prev;
	drop(r->piece);
	buf_free(&r->note);
	stream_free(r->s);
	free(r);
	if (--h->n == 0)
		forget(h);
}

int
hub_count(const struct hub *h)
{
	return h->n;
}

void
hub_close(struct hub *h)
{
	forget(h);
	free(h);
}

/* Is through with its piece. */
static void
move_on(struct reader *r)
{
	r->s->at = r->piece->to;
	r->s->left = r->piece->left;
	r->ended = r->ended || r->piece->over;
	drop(r->piece);
	r->piece = NULL;
	r->off = 0;
}

/* Finds what comes next.  False: nothing now. */
static bool
advance(struct hub *h, struct reader *r)
{
	while (r->piece == NULL && !r->ended && h->db != NULL) {
		r->piece = piece(h, r->s);
		if (r->piece == NULL)
			return false;
		if (r->piece->text.len > 0)
			return true;
		if (!r->piece->more) {
			move_on(r);
			return false;
		}
		move_on(r);
	}
	return r->piece != NULL;
}

ssize_t
hub_read(struct hub *h, struct reader *r, char *to, size_t max)
{
	size_t n;

	if (r->note.len > 0) {
		n = r->note.len < max ? r->note.len : max;
		memcpy(to, r->note.s, n);
		buf_drop(&r->note, n);
		if (r->note.len == 0)
			buf_free(&r->note);
		return (ssize_t)n;
	}
	if (r->ended)
		return -1;
	if (!advance(h, r)) {
		r->asleep = true;
		return 0;
	}
	n = r->piece->text.len - r->off;
	if (n > max)
		n = max;
	memcpy(to, r->piece->text.s + r->off, n);
	r->off += n;
	if (r->off == r->piece->text.len)
		move_on(r);
	return (ssize_t)n;
}

static void
wake(struct hub *h, struct reader *r)
{
	if (r->asleep) {
		r->asleep = false;
		h->door.wake(r->who);
	}
}

void
hub_end(struct hub *h, struct reader *r)
{
	for (struct reader *o = h->readers; o != NULL; o = o->next) {
		if ((r != NULL && o != r) || o->ended)
			continue;
		/* not into the middle of a record: what is not whole is
		 * dropped at the other end, and comes again */
		if (o->off == 0 && o->note.len == 0)
			buf_str(&o->note, STREAM_RETRY "\n");
		o->ended = true;
		wake(h, o);
	}
}

/* --- the store --- */

void
hub_store(struct hub *h, struct db *db, bool other)
{
	if (db != NULL && !other) {
		h->db = db;
		return;
	}
	hub_end(h, NULL);
	forget(h);
	h->db = db;
	h->head = h->version = -1;
}

/* Has anything happened?  Each change is an event. */
static bool
news(struct hub *h, bool stirred)
{
	long long version = db_data_version(h->db), head;
	bool again = h->failed;

	if (version == h->version && !stirred && !again)
		return false;
	h->failed = false;
	h->version = version;
	head = call_event(h->db);
	again = again || head != h->head;
	h->head = head;
	return again;
}

bool
hub_turn(struct hub *h, bool stirred)
{
	long long now = clock_ms();
	bool look, tick, any = false;

	if (h->n == 0 || h->db == NULL)
		return false;
	look = news(h, stirred);
	tick = now >= h->tick;
	if (tick)
		h->tick = now + STREAM_COMMENT;
	if (look)
		forget(h);
	for (struct reader *r = h->readers; r != NULL && (look || tick);
	     r = r->next) {
		if (!r->ended && !h->door.may(r->who)) {
			hub_end(h, r);
			any = true;
			continue;
		}
		if (!r->asleep)
			continue;
		if (look)
			advance(h, r);
		if (tick && r->piece == NULL && !r->ended)
			buf_str(&r->note, STREAM_ALIVE);
		if (r->piece != NULL || r->ended || r->note.len > 0) {
			wake(h, r);
			any = true;
		}
	}
	return any;
}

int
hub_patience(const struct hub *h)
{
	long long left;

	if (h->n == 0)
		return -1;
	left = h->failed ? 100 : h->tick - clock_ms();
	if (left > STREAM_LOOK)
		left = STREAM_LOOK;
	return left > 0 ? (int)left : 0;
}
