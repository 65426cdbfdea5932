/* See secret.h. */
#include <errno.h>
#include <fcntl.h>
#include <nettle/base64.h>
#include <nettle/gcm.h>
#include <nettle/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "buf.h"
#include "secret.h"

#define NONCE 12
#define TAG 16

static int
hex(char c)
{
	const char *digits = "0123456789abcdef", *at;

	at = c != '\0' ? strchr(digits, c | 0x20) : NULL;
	return at != NULL ? (int)(at - digits) : -1;
}

static int
parse_key(const char *s, unsigned char key[32])
{
	size_t n;

	if (*s == '"' || *s == '\'')
		s++;
	n = strcspn(s, "\"'\n");
	if (n != 64)
		return -1;
	for (int i = 0; i < 32; i++) {
		int hi = hex(s[2 * i]), lo = hex(s[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return -1;
		key[i] = (unsigned char)(hi << 4 | lo);
	}
	return 0;
}

/* A new key file; another process may have been first. */
static int
make_key(const char *path)
{
	unsigned char raw[32];
	char text[66];
	int fd;

	if (getrandom(raw, sizeof(raw), 0) != (ssize_t)sizeof(raw))
		return -1;
	for (int i = 0; i < 32; i++)
		snprintf(text + 2 * i, 3, "%02x", raw[i]);
	text[64] = '\n';
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST ? 0 : -1;
	if (write(fd, text, 65) != 65 || fsync(fd) != 0) {
		close(fd);
		unlink(path);
		return -1;
	}
	return close(fd);
}

static int
get_key(const char *store, int make, unsigned char key[32], struct fault *f)
{
	const char *env = getenv("TERARCHITECT_SECRET_KEY");
	struct buf text = BUF_INIT;
	char *path;
	int rc = -1;

	if (env != NULL && *env != '\0') {
		if (parse_key(env, key) == 0)
			return 0;
		return fail(f, EX_CONFIG,
		    "TERARCHITECT_SECRET_KEY: want 64 hex digits");
	}
	path = xasprintf("%s-key", store);
	if (access(path, F_OK) != 0 && make && make_key(path) != 0)
		rc = fail(f, EX_CANTCREAT, "%s:", path);
	else if (buf_file(&text, path, 4096) != 0)
		rc = fail(f, EX_CONFIG, "%s:", path);
	else if (parse_key(buf_text(&text), key) != 0)
		rc = fail(f, EX_CONFIG, "%s: want 64 hex digits", path);
	else
		rc = 0;
	free(path);
	buf_free(&text);
	return rc;
}

char *
secret_seal(const char *store, const char *text, struct fault *f)
{
	struct gcm_aes256_ctx c;
	unsigned char key[32], *box;
	size_t n = strlen(text), total = NONCE + n + TAG;
	char *out;

	if (get_key(store, 1, key, f) != 0)
		return NULL;
	box = xmalloc(total);
	if (getrandom(box, NONCE, 0) != NONCE) {
		fail(f, EX_OSERR, "random numbers:");
		free(box);
		return NULL;
	}
	gcm_aes256_set_key(&c, key);
	gcm_aes256_set_iv(&c, NONCE, box);
	gcm_aes256_encrypt(&c, n, box + NONCE, (const unsigned char *)text);
	gcm_aes256_digest(&c, TAG, box + NONCE + n);
	out = xmalloc(BASE64_ENCODE_RAW_LENGTH(total) + 1);
	base64_encode_raw(out, total, box);
	out[BASE64_ENCODE_RAW_LENGTH(total)] = '\0';
	free(box);
	explicit_bzero(key, sizeof(key));
	return out;
}

/* Wipes the key. */
static char *
open_box(unsigned char key[32], const char *sealed, struct fault *f)
{
	struct base64_decode_ctx d;
	struct gcm_aes256_ctx c;
	unsigned char tag[TAG], *box;
	size_t len = strlen(sealed), n = BASE64_DECODE_LENGTH(len), diff = 0;
	char *out = NULL;

	box = xmalloc(n + 1);
	base64_decode_init(&d);
	if (!base64_decode_update(&d, &n, box, len, sealed) ||
	    !base64_decode_final(&d) || n < NONCE + TAG) {
		fail(f, EX_CONFIG, "a secret is not in the stored form");
		goto end;
	}
	gcm_aes256_set_key(&c, key);
	gcm_aes256_set_iv(&c, NONCE, box);
	out = xmalloc(n - NONCE - TAG + 1);
	gcm_aes256_decrypt(
	    &c, n - NONCE - TAG, (unsigned char *)out, box + NONCE);
	out[n - NONCE - TAG] = '\0';
	gcm_aes256_digest(&c, TAG, tag);
	for (int i = 0; i < TAG; i++)
		diff |= (size_t)(tag[i] ^ box[n - TAG + (size_t)i]);
	if (diff != 0) {
		fail(f, EX_CONFIG, "a secret does not open with this key");
		explicit_bzero(out, n - NONCE - TAG);
		free(out);
		out = NULL;
	}
end:
	explicit_bzero(key, 32);
	free(box);
	return out;
}

char *
secret_open(const char *store, const char *sealed, struct fault *f)
{
	unsigned char key[32];

	return get_key(store, 0, key, f) == 0 ? open_box(key, sealed, f) : NULL;
}

char *
secret_open_with(const char *text, const char *sealed, struct fault *f)
{
	unsigned char key[32];

	if (parse_key(text, key) == 0)
		return open_box(key, sealed, f);
	fail(f, EX_CONFIG, "the key has not 64 hex digits");
	return NULL;
}

int
secret_mac(const char *store, const char *use, const char *text, int make,
    unsigned char mac[32], struct fault *f)
{
	struct hmac_sha256_ctx c;
	unsigned char key[32];
	int rc = get_key(store, make, key, f);

	if (rc != 0)
		return rc;
	hmac_sha256_set_key(&c, sizeof(key), key);
	hmac_sha256_update(&c, strlen(use), (const uint8_t *)use);
	hmac_sha256_digest(&c, sizeof(key), key);
	hmac_sha256_set_key(&c, sizeof(key), key);
	hmac_sha256_update(&c, strlen(text), (const uint8_t *)text);
	hmac_sha256_digest(&c, 32, mac);
	explicit_bzero(key, sizeof(key));
	explicit_bzero(&c, sizeof(c));
	return 0;
}
