/*
 * input: what a verb is given, held against the verb's list of keys.
 *
 * The list is text in the table of verbs, "key:type key:type! ..." (verb.h).
 * The object is scanned once; what a key holds points into its text.
 */
#ifndef TERA_INPUT_H
#define TERA_INPUT_H

#include "jscan.h"
#include "verb.h"

#define INPUT_KEYS 32

/* One verb's list, taken apart. */
struct keys {
	struct key {
		const char *name, *type;
		size_t len, type_len;
		unsigned kinds; /* that fit, a bit each */
		bool digits;    /* a text that spells an integer fits, too */
		bool must;
	} key[INPUT_KEYS];
	int n;
};

struct input {
	const char *text; /* the whole object, without an escaped NUL */
	struct slice value[INPUT_KEYS]; /* s NULL: null or absent */
	char *clean, *own[INPUT_KEYS];
};

/* Takes a verb's list apart. */
void keys_read(struct keys *k, const char *list);
/* The number of that key, -1 when the list has none. */
int keys_find(const struct keys *k, const char *name, size_t len);

/*
 * Takes the object text, which must live as long as in.  Returns 0, or 65
 * with f: not an object, a key is missing, a value has the wrong type.  Of a
 * key that comes twice the first counts; a key that is not in the list is
 * left alone.  input_free after, whatever it returned.
 */
int input_take(struct input *in, const struct verb *v, const struct keys *k,
    const char *text, struct fault *f);
/* A text, array or object as SQLite's ->> gives it: without escapes, without
 * white space between the parts.  Not for the other kinds. */
const char *input_text(struct input *in, int key, size_t *n);
void input_free(struct input *in, const struct keys *k);

#endif
