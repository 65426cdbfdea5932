/* See seal.h. */
#include <nettle/sha2.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "seal.h"

#define RECORD                                                                 \
	"json_array(e.seq, e.at, e.noun, e.what, e.id, e.project_id, "         \
	"e.ticket_id, e.job_id, e.data, "

static int
trouble(sqlite3 *h, struct fault *f)
{
	return fail(f, EX_IOERR, "seal: %s", sqlite3_errmsg(h));
}

static void
link_hash(const unsigned char before[32], const void *record, int n,
    unsigned char hash[32])
{
	struct sha256_ctx c;

	sha256_init(&c);
	sha256_update(&c, 32, before);
	sha256_update(&c, (size_t)n, record);
	sha256_digest(&c, 32, hash);
}

static int
prepare(sqlite3 *h, const char *sql, sqlite3_stmt **st)
{
	if (*st != NULL)
		return SQLITE_OK;
	return sqlite3_prepare_v3(
	    h, sql, -1, SQLITE_PREPARE_PERSISTENT, st, NULL);
}

/* Seals what comes after s->seq. */
static int
seal_rest(
    struct sealer *s, sqlite3 *h, const char *actor, int late, struct fault *f)
{
	int rc;

	if (prepare(h,
		"SELECT e.seq, " RECORD "?2, ?3) FROM event e WHERE e.seq > ?1 "
		"ORDER BY e.seq",
		&s->next) != SQLITE_OK ||
	    prepare(h, "INSERT INTO seal VALUES (?1, ?2, ?3, ?4)", &s->put) !=
		SQLITE_OK)
		return trouble(h, f);
	sqlite3_bind_int64(s->next, 1, s->seq);
	sqlite3_bind_text(s->next, 2, actor, -1, SQLITE_STATIC);
	sqlite3_bind_int(s->next, 3, late);
	while ((rc = sqlite3_step(s->next)) == SQLITE_ROW) {
		s->seq = sqlite3_column_int64(s->next, 0);
		link_hash(s->hash, sqlite3_column_text(s->next, 1),
		    sqlite3_column_bytes(s->next, 1), s->hash);
		sqlite3_bind_int64(s->put, 1, s->seq);
		sqlite3_bind_text(s->put, 2, actor, -1, SQLITE_STATIC);
		sqlite3_bind_int(s->put, 3, late);
		sqlite3_bind_blob(s->put, 4, s->hash, 32, SQLITE_STATIC);
		rc = sqlite3_step(s->put);
		if (rc != SQLITE_DONE)
			break;
		sqlite3_reset(s->put);
	}
	if (rc != SQLITE_DONE)
		rc = trouble(h, f);
	else
		rc = 0;
	sqlite3_reset(s->put);
	sqlite3_reset(s->next);
	return rc;
}

int
seal_begin(struct sealer *s, sqlite3 *h, struct fault *f)
{
	long long newest = 0;

	if (prepare(h,
		"SELECT (SELECT max(seq) FROM event), s.seq, s.hash "
		"FROM (SELECT 1) LEFT JOIN seal s "
		"ON s.seq = (SELECT max(seq) FROM seal)",
		&s->last) != SQLITE_OK)
		return trouble(h, f);
	s->seq = 0;
	memset(s->hash, 0, sizeof(s->hash));
	if (sqlite3_step(s->last) == SQLITE_ROW) {
		newest = sqlite3_column_int64(s->last, 0);
		s->seq = sqlite3_column_int64(s->last, 1);
		if (sqlite3_column_bytes(s->last, 2) == 32)
			memcpy(s->hash, sqlite3_column_blob(s->last, 2), 32);
	}
	if (sqlite3_reset(s->last) != SQLITE_OK)
		return trouble(h, f);
	return newest > s->seq ? seal_rest(s, h, NULL, 1, f) : 0;
}

int
seal_end(struct sealer *s, sqlite3 *h, const char *actor, struct fault *f)
{
	return seal_rest(s, h, actor, 0, f);
}

void
seal_close(struct sealer *s)
{
	sqlite3_finalize(s->last);
	sqlite3_finalize(s->next);
	sqlite3_finalize(s->put);
}

int
seal_check(sqlite3 *h, long long *bad, long long *n, long long *open,
    char head[65], struct fault *f)
{
	unsigned char hash[32] = { 0 };
	sqlite3_stmt *st;
	long long want = 1;

	*bad = *n = *open = 0;
	/* scan: the whole history is what is asked for; a seal whose event is
	 * gone comes as a row with no record */
	if (sqlite3_prepare_v2(h,
		"SELECT s.seq, " RECORD "s.actor, s.late), s.hash, e.seq "
		"FROM seal s LEFT JOIN event e ON e.seq = s.seq "
		"ORDER BY s.seq",
		-1, &st, NULL) != SQLITE_OK)
		return trouble(h, f);
	while (*bad == 0 && sqlite3_step(st) == SQLITE_ROW) {
		long long seq = sqlite3_column_int64(st, 0);

		link_hash(hash, sqlite3_column_text(st, 1),
		    sqlite3_column_bytes(st, 1), hash);
		if (seq != want) /* a gap: the record before it is gone */
			*bad = want;
		else if (sqlite3_column_type(st, 3) == SQLITE_NULL ||
			 sqlite3_column_bytes(st, 2) != 32 ||
			 memcmp(hash, sqlite3_column_blob(st, 2), 32) != 0)
			*bad = seq;
		want++;
		++*n;
	}
	sqlite3_finalize(st);
	for (int i = 0; i < 32; i++)
		snprintf(head + 2 * i, 3, "%02x", hash[i]);
	if (sqlite3_prepare_v2(h,
		"SELECT count(*) FROM event WHERE seq > "
		"(SELECT coalesce(max(seq), 0) FROM seal)",
		-1, &st, NULL) != SQLITE_OK)
		return trouble(h, f);
	if (sqlite3_step(st) == SQLITE_ROW)
		*open = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return 0;
}
