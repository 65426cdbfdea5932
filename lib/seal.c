/* See seal.h. */
#include <nettle/sha2.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "seal.h"

#define HASH SHA256_DIGEST_SIZE
#define FIELDS 9 /* of an event; the seal has two more */
#define EVENT                                                                  \
	"SELECT seq, at, noun, what, id, project_id, ticket_id, job_id, data " \
	"FROM event WHERE seq > ?1 ORDER BY seq"

static int
trouble(sqlite3 *h, struct fault *f)
{
	return fail(f, EX_IOERR, "seal: %s", sqlite3_errmsg(h));
}

static void
field(struct sha256_ctx *c, const void *text, int n)
{
	char digits[16], *p = digits + sizeof(digits);
	int left = n;

	if (text == NULL) {
		sha256_update(c, 1, (const unsigned char *)"-");
		return;
	}
	*--p = ':';
	do
		*--p = (char)('0' + left % 10);
	while ((left /= 10) > 0);
	sha256_update(
	    c, (size_t)(digits + sizeof(digits) - p), (const unsigned char *)p);
	sha256_update(c, (size_t)n, text);
}

/* What a seal says of its events. */
struct mark {
	const void *actor, *late;
	int actor_len, late_len;
};

/* hash becomes that of the event that st stands on. */
static void
link_hash(sqlite3_stmt *st, const struct mark *m, unsigned char hash[HASH])
{
	struct sha256_ctx c;

	sha256_init(&c);
	sha256_update(&c, HASH, hash);
	for (int i = 0; i < FIELDS; i++) {
		const void *text = sqlite3_column_text(st, i);

		field(&c, text, sqlite3_column_bytes(st, i));
	}
	field(&c, m->actor, m->actor_len);
	field(&c, m->late, m->late_len);
	sha256_digest(&c, HASH, hash);
}

static int
prepare(sqlite3 *h, const char *sql, sqlite3_stmt **st)
{
	if (*st != NULL)
		return SQLITE_OK;
	return sqlite3_prepare_v3(
	    h, sql, -1, SQLITE_PREPARE_PERSISTENT, st, NULL);
}

/* One row of seal: the run of n events that ends at s->seq. */
static int
put(struct sealer *s, const struct mark *m, const unsigned char *run, int n)
{
	if (n == 0)
		return SQLITE_OK;
	sqlite3_bind_int64(s->put, 1, s->seq);
	sqlite3_bind_text(s->put, 2, m->actor, m->actor_len, SQLITE_STATIC);
	sqlite3_bind_int(s->put, 3, m->actor == NULL);
	sqlite3_bind_blob(s->put, 4, run, n * HASH, SQLITE_STATIC);
	sqlite3_step(s->put);
	return sqlite3_reset(s->put);
}

/* Seals what comes after s->seq: ours, or without an actor what came late. */
static int
seal_rest(struct sealer *s, sqlite3 *h, const char *actor, struct fault *f)
{
	const struct mark m = { actor, actor != NULL ? "0" : "1",
		actor != NULL ? (int)strlen(actor) : 0, 1 };
	unsigned char run[SEAL_RUN * HASH];
	int n = 0, rc;

	if (prepare(h, EVENT, &s->next) != SQLITE_OK ||
	    prepare(h,
		"INSERT INTO seal(seq, actor, late, hash) "
		"VALUES (?1, ?2, ?3, ?4)",
		&s->put) != SQLITE_OK)
		return trouble(h, f);
	sqlite3_bind_int64(s->next, 1, s->seq);
	while ((rc = sqlite3_step(s->next)) == SQLITE_ROW) {
		if (n == SEAL_RUN) {
			rc = put(s, &m, run, n);
			if (rc != SQLITE_OK)
				break;
			n = 0;
		}
		s->seq = sqlite3_column_int64(s->next, 0);
		link_hash(s->next, &m, s->hash);
		memcpy(run + n++ * HASH, s->hash, HASH);
	}
	if (rc == SQLITE_DONE)
		rc = put(s, &m, run, n);
	rc = rc == SQLITE_OK ? 0 : trouble(h, f);
	sqlite3_reset(s->next);
	return rc;
}

int
seal_begin(struct sealer *s, sqlite3 *h, struct fault *f)
{
	long long newest = 0;

	if (prepare(h,
		"SELECT (SELECT max(seq) FROM event), s.seq, "
		"substr(s.hash, -32) FROM (SELECT 1) LEFT JOIN seal s "
		"ON s.seq = (SELECT max(seq) FROM seal)",
		&s->last) != SQLITE_OK)
		return trouble(h, f);
	s->seq = 0;
	memset(s->hash, 0, sizeof(s->hash));
	if (sqlite3_step(s->last) == SQLITE_ROW) {
		newest = sqlite3_column_int64(s->last, 0);
		s->seq = sqlite3_column_int64(s->last, 1);
		if (sqlite3_column_bytes(s->last, 2) == HASH)
			memcpy(s->hash, sqlite3_column_blob(s->last, 2), HASH);
	}
	if (sqlite3_reset(s->last) != SQLITE_OK)
		return trouble(h, f);
	return newest > s->seq ? seal_rest(s, h, NULL, f) : 0;
}

int
seal_end(struct sealer *s, sqlite3 *h, const char *actor, struct fault *f)
{
	return seal_rest(s, h, actor, f);
}

void
seal_close(struct sealer *s)
{
	sqlite3_finalize(s->last);
	sqlite3_finalize(s->next);
	sqlite3_finalize(s->put);
}

/*
 * Holds one seal against its events, which e gives in turn.  *seq and hash
 * are where the chain stands.  The seq of the first record that does not fit,
 * or 0.
 */
static long long
check_run(sqlite3_stmt *seal, sqlite3_stmt *e, long long *seq,
    unsigned char hash[HASH])
{
	long long last = sqlite3_column_int64(seal, 0);
	const struct mark m = { sqlite3_column_text(seal, 1),
		sqlite3_column_text(seal, 2), sqlite3_column_bytes(seal, 1),
		sqlite3_column_bytes(seal, 2) };
	const unsigned char *run = sqlite3_column_blob(seal, 3);
	int bytes = sqlite3_column_bytes(seal, 3);

	/* a gap: the record before it is gone, or the run was cut */
	if (bytes == 0 || bytes % HASH != 0 || last - bytes / HASH != *seq)
		return *seq + 1;
	for (; *seq < last; run += HASH) {
		if (sqlite3_step(e) != SQLITE_ROW ||
		    sqlite3_column_int64(e, 0) != *seq + 1)
			return *seq + 1;
		link_hash(e, &m, hash);
		if (memcmp(hash, run, HASH) != 0)
			return *seq + 1;
		++*seq;
	}
	return 0;
}

static int
unsealed(sqlite3 *h, long long *open, struct fault *f)
{
	sqlite3_stmt *st;

	if (sqlite3_prepare_v2(h,
		"SELECT count(*) FROM event WHERE seq > "
		"(SELECT coalesce(max(seq), 0) FROM seal)",
		-1, &st, NULL) != SQLITE_OK)
		return trouble(h, f);
	if (sqlite3_step(st) == SQLITE_ROW)
		*open = sqlite3_column_int64(st, 0);
	return sqlite3_finalize(st) == SQLITE_OK ? 0 : trouble(h, f);
}

int
seal_check(sqlite3 *h, long long *bad, long long *n, long long *open,
    char head[65], struct fault *f)
{
	unsigned char hash[HASH] = { 0 };
	sqlite3_stmt *seal = NULL, *e = NULL;
	int rc = 0, step = SQLITE_DONE;

	*bad = *n = *open = 0;
	/* scan: the whole history is what is asked for */
	if (sqlite3_prepare_v2(h,
		"SELECT seq, actor, late, hash FROM seal ORDER BY seq", -1,
		&seal, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(h, EVENT, -1, &e, NULL) != SQLITE_OK)
		rc = trouble(h, f);
	else
		sqlite3_bind_int64(e, 1, 0);
	while (
	    rc == 0 && *bad == 0 && (step = sqlite3_step(seal)) == SQLITE_ROW)
		*bad = check_run(seal, e, n, hash);
	if (rc == 0 && *bad == 0 && step != SQLITE_DONE)
		rc = trouble(h, f);
	sqlite3_finalize(e);
	sqlite3_finalize(seal);
	for (int i = 0; i < HASH; i++)
		snprintf(head + 2 * i, 3, "%02x", hash[i]);
	return rc != 0 ? rc : unsealed(h, open, f);
}
