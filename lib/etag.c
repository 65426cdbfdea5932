/* See etag.h. */
#include <nettle/umac.h>
#include <stdlib.h>
#include <string.h>

#include "etag.h"

/*
 * UMAC (RFC 4418) under a key that everybody knows: nobody has to be kept from
 * making two bodies of one hash, who could do that could as well write the one
 * that he wants, and a secure hash takes eight times as long for a board.
 */
static void
hash(const char *s, size_t n, char hex[2 * UMAC128_DIGEST_SIZE + 1])
{
	static const uint8_t key[UMAC_KEY_SIZE];
	static struct umac128_ctx ctx;
	static bool ready;
	uint8_t sum[UMAC128_DIGEST_SIZE];

	if (!ready)
		umac128_set_key(&ctx, key);
	ready = true;
	umac128_set_nonce(&ctx, sizeof(key), key);
	umac128_update(&ctx, n, (const uint8_t *)s);
	umac128_digest(&ctx, sizeof(sum), sum);
	for (size_t i = 0; i < sizeof(sum); i++) {
		hex[2 * i] = "0123456789abcdef"[sum[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[sum[i] & 15];
	}
	hex[2 * sizeof(sum)] = '\0';
}

static const char *
find(const struct resp *r, const char *name)
{
	for (int i = 0; i < RESP_HEADS && r->head[i].name != NULL; i++)
		if (strcmp(r->head[i].name, name) == 0)
			return r->head[i].value;
	return NULL;
}

const char *
etag_add(struct resp *r)
{
	char hex[2 * UMAC128_DIGEST_SIZE + 1];

	if (find(r, "Cache-Control") == NULL)
		resp_head(r, "Cache-Control", "private, no-cache");
	if (find(r, "ETag") == NULL) {
		hash(buf_text(&r->body), r->body.len, hex);
		resp_head(r, "ETag", "\"%s\"", hex);
	}
	return find(r, "ETag");
}

/* A list of tags, or a star; a weak one compares as well (13.1.2). */
bool
etag_known(const struct req *q, const char *etag)
{
	const char *p = q->head[HEAD_NONE_MATCH];
	size_t n = strlen(etag);

	if (p == NULL)
		return false;
	while (*(p += strspn(p, " \t,")) != '\0') {
		if (*p == '*')
			return true;
		if (strncmp(p, "W/", 2) == 0)
			p += 2;
		if (*p != '"')
			return false; /* it is no list of tags */
		if (strncmp(p, etag, n) == 0)
			return true;
		p++;
		p += strcspn(p, "\"");
		p += *p == '"';
	}
	return false;
}

void
etag_answer(const struct req *q, struct resp *r)
{
	if (r->status == 200 && q->method != NULL &&
	    strcmp(q->method, "GET") == 0 && etag_known(q, etag_add(r)))
		r->status = 304;
}
