/* See noun.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "noun.h"

bool
noun_has(const char *verb, const char *key)
{
	const struct verb *v = verb_find(verb);
	size_t n = strlen(key);

	if (v == NULL || n == 0)
		return false;
	for (const char *p = v->in; *p != '\0'; p += strcspn(p, " ")) {
		p += strspn(p, " ");
		if (strncmp(p, key, n) == 0 && p[n] == ':')
			return true;
	}
	return false;
}

/* Is the key in the object that is being written? */
static bool
there(const struct buf *in, const char *key)
{
	char *object, *path;
	bool is;

	if (in->len == 0)
		return false;
	object = xasprintf("%s}", in->s);
	path = xasprintf("$.%s", key);
	is = *json_type(object, path) != '\0';
	free(object);
	free(path);
	return is;
}

void
noun_input(const char *verb, struct buf *in, int argc, char *argv[])
{
	char key[64];

	for (int i = 0; i < argc; i++) {
		size_t n = strcspn(argv[i], ":=@");

		if (!cmd_is_field(argv[i]) || n >= sizeof(key))
			continue; /* cmd_operands says what is wrong */
		snprintf(key, sizeof(key), "%.*s", (int)n, argv[i]);
		if (!noun_has(verb, key))
			die(EX_USAGE, "%s: no such key: %s", verb, key);
		if (there(in, key))
			die(EX_USAGE, "%s: given twice", key);
	}
	cmd_operands(in, argc, argv);
}

const char *
noun_verb(const char *noun, const char *what)
{
	static char name[64];
	size_t len = strlen(noun);

	if (len > 0 && len < 32) {
		snprintf(name, sizeof(name), "%s.%s", noun, what);
		if (verb_find(name) != NULL)
			return name;
		if (noun[len - 1] == 's') {
			snprintf(name, sizeof(name), "%.*s.%s", (int)len - 1,
			    noun, what);
			if (verb_find(name) != NULL)
				return name;
		}
	}
	die(EX_USAGE, "%.40s: no such noun here", noun);
}

const char *
noun_job_or_ticket(char *arg, char **name)
{
	const char *ticket = NULL;
	struct cmd_key key = { "ticket", &ticket, NULL };

	*name = arg;
	if (!cmd_is_field(arg))
		return "job";
	cmd_keys(&key, 1, 1, &arg);
	*name += ticket - arg;
	return "ticket";
}

struct each {
	const char *key, *rest;
};

/* {key: name} and the rest. */
static char *
named(const struct each *e, const char *name, size_t n)
{
	struct buf b = BUF_INIT;
	char *in;

	json_addn(&b, e->key, name, n);
	json_end(&b);
	in = e->rest != NULL ? json_merge(buf_text(&b), e->rest)
			     : xstrdup(buf_text(&b));
	buf_free(&b);
	return in;
}

/* A line of standard input is a name or a record that holds one. */
static char *
from_line(const char *line, void *arg, struct fault *f)
{
	const struct each *e = arg;
	char path[80], *name = NULL, *in;
	struct fault why;

	line += strspn(line, " \t");
	if (*line != '{' && *line != '"')
		return named(e, line, strcspn(line, " \t"));
	if (*line == '{') {
		if (json_check(line, strlen(line), &why) != 0) {
			fail(f, EX_DATAERR, "%s", why.msg);
			return NULL;
		}
		snprintf(path, sizeof(path), "$.%s_id", e->key);
		name = json_get(line, path);
		snprintf(path, sizeof(path), "$.%s", e->key);
		if (name == NULL)
			name = json_get(line, path);
		if (name == NULL)
			name = json_get(line, "$.id");
		if (name == NULL && strcmp(e->key, "setting") == 0)
			name = json_get(line, "$.key");
	} else if (json_type(line, "$")[0] == 't')
		name = json_get(line, "$");
	if (name == NULL) {
		fail(f, EX_DATAERR, "names no %s", e->key);
		return NULL;
	}
	in = named(e, name, strlen(name));
	free(name);
	return in;
}

int
noun_each(const char *verb, const char *key, char *const names[], int n,
    const char *rest)
{
	struct each e = { key, rest };
	struct fault f = { 0, "" };
	struct store *s;
	int worst = 0, rc;
	char *path = xasprintf("$.%s", key);

	if (rest != NULL && *json_type(rest, path) != '\0')
		die(EX_USAGE, "%s: given twice", key);
	free(path);
	if (n == 1 && strcmp(names[0], "-") == 0)
		return store_stream(verb, from_line, &e);
	s = store_open(&f);
	if (s == NULL) {
		warn("%s", f.msg);
		return f.code;
	}
	for (int i = 0; i < n; i++) {
		char *in = named(&e, names[i], strlen(names[i]));

		rc = store_do(s, verb, in, store_print, NULL, &f);
		if (rc > 1)
			warn("%s", f.msg);
		if (rc != 0)
			worst = rc;
		free(in);
	}
	store_close(s);
	return worst;
}
