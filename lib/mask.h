/*
 * mask: secrets out of text.
 *
 * The secrets are the values of the environment variables that hold one
 * (TERA_MODEL_KEY and the like, see mask.c) and the lines of TERA_SECRETS,
 * but only those of 8 bytes and more: shorter ones would black out ordinary
 * words.  Each occurrence becomes "***", also as it is written within a JSON
 * string.
 */
#ifndef TERA_MASK_H
#define TERA_MASK_H

#include <stdbool.h>

#include "buf.h"

#define MASK_MIN 8

struct mask {
	char **secret; /* longest first */
	size_t *len;
	size_t n;
};

/* The secrets of our own environment. */
void mask_init(struct mask *m);
/* One more, such as the token of the job at hand. */
void mask_add(struct mask *m, const char *secret);
void mask_free(struct mask *m);

/* The names of the variables whose values are secrets; NULL-terminated. */
extern const char *const mask_names[];

/* Replaces each secret in b from byte `from` on. */
void mask_buf(const struct mask *m, struct buf *b, size_t from);

/* The same for JSON text without a NUL, however its strings are escaped: they
 * are written anew with no escape that is not needed. */
void mask_json(const struct mask *m, struct buf *b);

/*
 * For text that arrives in pieces: masks b and returns how many bytes may go
 * out now.  What is behind them could be the beginning of a secret; keep it
 * in b and append the next piece.  At the end (last) all of it may go.
 */
size_t mask_ready(const struct mask *m, struct buf *b, bool last);

#endif
