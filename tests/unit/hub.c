/* hub, stream: readers of every pace get each record once, whatever happens. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub.h"
#include "json.h"

#define READERS 12
#define ROUNDS 4000

static int count, bad;

static void
ok(bool yes, const char *name)
{
	printf("%sok %d - %s\n", yes ? "" : "not ", ++count, name);
	bad += !yes;
}

/* Somebody who reads, and what came. */
struct mate {
	struct reader *r;
	bool asleep, ended, banned;
	long long last, n; /* the last whole record's id, how many came */
	bool wrong;        /* not the next one */
	struct buf text;   /* not whole yet */
};

static void
wake(void *who)
{
	struct mate *m = who;

	m->asleep = false;
}

static bool
may(void *who)
{
	const struct mate *m = who;

	return !m->banned;
}

static struct db *db;
static struct hub *hub;
static long long events;

static int
see(void *arg, const char *json)
{
	long long *seq = arg;

	*seq = json_int(json, "$.seq", 0);
	return 0;
}

static void
verb(const char *name, const char *in)
{
	struct fault f = { 0, "" };

	if (db_verb(db, verb_find(name), in, NULL, NULL, &f) > 1)
		die(EX_SOFTWARE, "%s: %s", name, f.msg);
	db_verb(db, verb_find("event.head"), "{}", see, &events, &f);
}

static struct stream *
asked(const char *in, long long last)
{
	char *id = xasprintf("%lld", last);
	struct req q = { .query = xstrdup("stream=1") };
	struct resp r = { .status = 0 };
	struct stream *s;

	q.head[HEAD_LAST_EVENT] = last >= 0 ? id : NULL;
	s = stream_new("api.events", WHO_READ, &q, in, &r);
	if (s == NULL)
		die(EX_SOFTWARE, "%s", buf_text(&r.body));
	stream_start(s, "{\"head\":1000000}", false, &r);
	r.stream = NULL;
	q.head[HEAD_LAST_EVENT] = NULL;
	req_free(&q);
	resp_free(&r);
	free(id);
	return s;
}

/* Takes whole blocks off the text. */
static void
digest(struct mate *m)
{
	char *end, *id;

	while (m->text.len > 0 && (end = strstr(m->text.s, "\n\n")) != NULL) {
		*end = '\0';
		id = strstr(m->text.s, "\nid: ");
		if (strncmp(m->text.s, "event: ", 7) == 0 && id != NULL) {
			long long seq = strtoll(id + 5, NULL, 10);

			m->wrong = m->wrong || seq != m->last + 1;
			m->last = seq;
			m->n++;
		}
		buf_drop(&m->text, (size_t)(end + 2 - m->text.s));
	}
}

/* Up to max bytes; false: nothing now. */
static bool
sip(struct mate *m, size_t max)
{
	char to[8192];
	ssize_t n;

	if (m->asleep || m->ended)
		return false;
	n = hub_read(hub, m->r, to, max < sizeof(to) ? max : sizeof(to));
	m->asleep = n == 0;
	m->ended = n < 0;
	if (n > 0)
		buf_add(&m->text, to, (size_t)n);
	digest(m);
	return n > 0;
}

static void
join(struct mate *m)
{
	buf_clear(&m->text);
	m->asleep = m->ended = false;
	m->r = hub_join(hub, asked("{}", m->last), m);
}

static void
leave(struct mate *m)
{
	hub_leave(hub, m->r);
	m->r = NULL;
}

/* Readers that sip, gulp, go and come again, while records are made. */
static void
crowd(void)
{
	struct mate mates[READERS] = { { .r = NULL } };
	bool right = true, all = true;

	srand(1);
	for (int i = 0; i < READERS; i++) {
		mates[i].last = i % 2 == 0 ? 0 : events;
		join(&mates[i]);
	}
	for (int i = 0; i < ROUNDS; i++) {
		struct mate *m = &mates[rand() % READERS];

		hub_store(hub, db, false);
		switch (rand() % 40) {
		case 0:
		case 1:
		case 2:
			verb("ticket.add",
			    "{\"project\":1,\"title\":\"one more\"}");
			hub_turn(hub, true);
			break;
		case 3:
			leave(m);
			join(m);
			break;
		default:
			sip(m, m == mates
				   ? 1
				   : 1 + (size_t)rand() % (m - mates) * 300);
		}
	}
	for (int i = 0; i < READERS; i++) {
		while (sip(&mates[i], 4096))
			continue;
		right = right && !mates[i].wrong;
		all = all && mates[i].last == events && mates[i].asleep;
		leave(&mates[i]);
		buf_free(&mates[i].text);
	}
	ok(right, "each is the one after the last");
	ok(all, "all of them, and then there is nothing");
	ok(hub_count(hub) == 0, "nobody is left");
}

/* A piece is cut; what is cut goes on. */
static void
long_ones(void)
{
	struct mate m = { .last = events };
	long long from = events;
	struct buf in = BUF_INIT;

	json_add_int(&in, "ticket", 1);
	json_add(&in, "author", "me");
	buf_str(&in, ",\"body\":\"");
	for (int i = 0; i < 30000; i++)
		buf_chr(&in, 'x');
	buf_chr(&in, '"');
	json_end(&in);
	for (int i = 0; i < 20; i++)
		verb("comment.add", in.s);
	hub_store(hub, db, false);
	join(&m);
	while (sip(&m, 4096))
		continue;
	ok(!m.wrong && m.n == events - from && m.n == 20, "600 KB behind");
	for (int i = 0; i < 20; i++)
		verb("comment.add", in.s);
	ok(m.asleep && hub_turn(hub, true) && !m.asleep, "is woken");
	for (int i = 0; i < 3; i++)
		sip(&m, 4096);
	hub_end(hub, m.r);
	ok(!sip(&m, 4096) && m.ended && m.text.len > 0 &&
		strstr(m.text.s, "retry") == NULL,
	    "an end in the middle of a record says nothing more");
	leave(&m);
	join(&m);
	while (sip(&m, 8192))
		continue;
	ok(!m.wrong && m.last == events, "who comes again has all");
	hub_end(hub, m.r);
	ok(!m.asleep && sip(&m, 100) && !sip(&m, 100) && m.ended,
	    "an end between two says when to come again");
	leave(&m);
	buf_free(&m.text);
	buf_free(&in);
}

static void
rights(void)
{
	struct mate m = { .last = events }, other = { .last = events };

	join(&m);
	join(&other);
	while (sip(&m, 100) || sip(&other, 100))
		continue;
	m.banned = true;
	verb("ticket.add", "{\"project\":1,\"title\":\"secret\"}");
	hub_turn(hub, true);
	while (sip(&m, 100) || sip(&other, 4096))
		continue;
	ok(m.ended && m.n == 0, "who may not any more gets no more");
	ok(!other.ended && other.n == 1, "and who may does");
	hub_store(hub, NULL, false);
	while (sip(&other, 4096))
		continue;
	ok(other.ended, "the store is gone");
	leave(&m);
	leave(&other);
	hub_store(hub, db, true);
	buf_free(&m.text);
	buf_free(&other.text);
}

static void
limits(void)
{
	static struct mate mates[HUB_READERS + 1];
	bool fine = true;
	struct stream *s;

	for (int i = 0; i < HUB_READERS; i++) {
		mates[i].last = 0;
		mates[i].r = hub_join(hub, asked("{}", 0), &mates[i]);
		fine = fine && mates[i].r != NULL;
	}
	ok(fine, "so many readers");
	s = asked("{}", 0);
	ok(hub_join(hub, s, mates) == NULL, "and no more");
	stream_free(s);
	for (int i = 0; i < HUB_READERS; i++)
		leave(&mates[i]);
	mates[0] = (struct mate){ .last = 2 };
	mates[0].r =
	    hub_join(hub, asked("{\"limit\":3,\"since\":1}", 2), &mates[0]);
	while (sip(&mates[0], 100))
		continue;
	ok(mates[0].n == 3 && mates[0].last == 5 && mates[0].ended,
	    "a limit, and the header before since");
	leave(&mates[0]);
	buf_free(&mates[0].text);
}

int
main(void)
{
	static const struct hub_door door = { wake, may };
	char dir[] = "/tmp/tera-hub.XXXXXX", *path, *rm;
	struct fault f = { 0, "" };
	int made;

	if (mkdtemp(dir) == NULL)
		die(EX_OSERR, "%s:", dir);
	path = xasprintf("%s/tera.db", dir);
	setenv("TERA_SYNCHRONOUS", "normal", 1);
	if (db_init(path, &made, &f) != 0 || (db = db_open(path, &f)) == NULL)
		die(EX_SOFTWARE, "%s", f.msg);
	verb("project.add", "{\"name\":\"p\",\"repo_url\":\"/r\"}");
	verb("ticket.add", "{\"project\":1,\"title\":\"one\"}");
	hub = hub_open(&door);
	hub_store(hub, db, false);
	crowd();
	long_ones();
	rights();
	limits();
	hub_close(hub);
	db_close(db);
	for (const char *const *p = (const char *const[]){ "", "-wal", "-shm",
		 "-gate", "-wake", NULL };
	     *p != NULL; p++) {
		rm = xasprintf("%s%s", path, *p);
		unlink(rm);
		free(rm);
	}
	rmdir(dir);
	free(path);
	printf("1..%d\n", count);
	return bad != 0;
}
