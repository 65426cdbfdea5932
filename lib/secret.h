/*
 * secret: values that are encrypted at rest.
 *
 * AES-256-GCM; the stored text is base64(12 bytes of nonce, ciphertext, 16
 * bytes of tag), no associated data: the form of Terarchitect, so that its
 * values can be taken over with its key.  The key is TERARCHITECT_SECRET_KEY
 * (64 hex digits, quotes around them allowed), else the file STORE-key, which
 * is made with mode 0600 when a secret is stored first.
 */
#ifndef TERA_SECRET_H
#define TERA_SECRET_H

#include "err.h"

/* Both return text that the caller frees, or NULL with f (78: no key, a bad
 * key, or a value that this key does not open). */
char *secret_seal(const char *store, const char *text, struct fault *f);
char *secret_open(const char *store, const char *sealed, struct fault *f);
/* Opens with the key that is written in key, whatever ours is. */
char *secret_open_with(const char *key, const char *sealed, struct fault *f);

/* HMAC-SHA256 of text under a key that is derived from that one for what is
 * named by use; make: one may be made.  Returns 0, or 78 or 73 with f. */
int secret_mac(const char *store, const char *use, const char *text, int make,
    unsigned char mac[32], struct fault *f);

#endif
