/* See cmd.h. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

/* The length of the key of a field; 0 when it is none. */
static size_t
key_len(const char *arg)
{
	size_t n = 0;

	while (isalnum((unsigned char)arg[n]) || arg[n] == '_')
		n++;
	if (n == 0 || isdigit((unsigned char)*arg))
		return 0;
	return arg[n] == '=' || arg[n] == '@' ||
		       (arg[n] == ':' && arg[n + 1] == '=')
		   ? n
		   : 0;
}

/* Ends the command when a key is there twice. */
static void
once(int argc, char *argv[])
{
	for (int i = 1; i < argc; i++) {
		size_t n = key_len(argv[i]);

		for (int k = 0; n > 0 && k < i; k++)
			if (key_len(argv[k]) == n &&
			    strncmp(argv[k], argv[i], n) == 0)
				die(EX_USAGE, "%.*s: given twice", (int)n,
				    argv[i]);
	}
}

void
cmd_operands(struct buf *in, int argc, char *argv[])
{
	struct fault f;

	once(argc, argv);
	for (int i = 0; i < argc; i++)
		if (json_operand(in, argv[i], &f) != 0)
			die(f.code, "%s", f.msg);
}

long long
cmd_number(const char *what, const char *text, long long least, long long most)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || n < least || n > most)
		die(EX_USAGE, "%s %.40s: want a number from %lld to %lld", what,
		    text, least, most);
	return n;
}

bool
cmd_is_field(const char *arg)
{
	return key_len(arg) > 0;
}

int
cmd_fields(int argc, char *argv[])
{
	int n = 0;

	for (int i = 0; i < argc; i++) {
		char *arg = argv[i];

		if (cmd_is_field(arg))
			continue;
		memmove(
		    argv + n + 1, argv + n, (size_t)(i - n) * sizeof(*argv));
		argv[n++] = arg;
	}
	return n;
}

static const struct cmd_key *
find(const struct cmd_key *keys, size_t n, const char *arg)
{
	size_t len = key_len(arg);

	if (len == 0)
		die(EX_USAGE, "%.60s: want key=value", arg);
	for (size_t i = 0; i < n; i++)
		if (strlen(keys[i].name) == len &&
		    strncmp(keys[i].name, arg, len) == 0)
			return &keys[i];
	die(EX_USAGE, "no such key: %.*s", (int)len, arg);
}

void
cmd_keys(const struct cmd_key *keys, size_t n, int argc, char *argv[])
{
	struct buf checked = BUF_INIT;
	struct fault f;

	once(argc, argv);
	for (int i = 0; i < argc; i++) {
		const struct cmd_key *k = find(keys, n, argv[i]);
		const char *value = argv[i] + strlen(k->name) + 1;
		bool file = value[-1] == '@', raw = value[-1] == ':';

		value += raw;
		if (file ? k->file == NULL
			 : k->text == NULL || (raw && *value == '"'))
			die(EX_USAGE, "%s: want %s%s", k->name, k->name,
			    k->text != NULL ? "=text" : "@file");
		if (!file && json_operand(&checked, argv[i], &f) != 0)
			die(f.code, "%s", f.msg);
		*(file ? k->file : k->text) = value;
	}
	buf_free(&checked);
}
