/* See base.h. */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "err.h"

static const struct {
	const char *name;
	int (*run)(int, char *[]);
} commands[] = {
#define COMMAND(name, text) { text, name##_main },
#include "commands.h"
#undef COMMAND
};

/* The command that the last part of a path names; NULL: none. */
static int (*named(const char *path))(int, char *[])
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return commands[i].run;
	return NULL;
}

int
main(int argc, char *argv[])
{
	int (*run)(int, char *[]) = argc > 0 ? named(argv[0]) : NULL;
	char exe[PATH_MAX];
	ssize_t n;

	/* started under another name: that of the file */
	if (run == NULL) {
		n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
		exe[n > 0 ? n : 0] = '\0';
		run = named(exe);
	}
	if (run == NULL)
		die(EX_USAGE, "%s: no command of Tera has this name",
		    argc > 0 ? argv[0] : "?");
	return run(argc, argv);
}
