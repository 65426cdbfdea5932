/*
 * lap - run commands in turn and print the median time of each
 *
 *	lap rounds -- command [arg ...] [-- command [arg ...]] ...
 *
 * An argument that ends in @N stands for N in the first round, N + 1 in the
 * next.  Each command runs once more before all of them, into the caches.
 *
 * One line a command, in their order: median, 90th percentile, both in
 * microseconds from the spawn to the end.  Standard input is /dev/null and
 * output is thrown away.  A command that fails ends it with 1.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COMMANDS 16

extern char **environ;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* The command of this round. */
static char **
command(char *argv[], int round)
{
	static char *args[64], text[64][256];
	int n = 0;

	for (; argv[n] != NULL && n < 63; n++) {
		char *at = strrchr(argv[n], '@');

		args[n] = argv[n];
		if (at == NULL || at[1] == '\0' ||
		    at[1 + strspn(at + 1, "0123456789")] != '\0')
			continue;
		snprintf(text[n], sizeof(text[n]), "%.*s%d",
		    (int)(at - argv[n]), argv[n], atoi(at + 1) + round);
		args[n] = text[n];
	}
	args[n] = NULL;
	return args;
}

static double
run(char *line[], int round, const posix_spawn_file_actions_t *files)
{
	char **argv = command(line, round);
	double began = now();
	int status;
	pid_t pid;

	if (posix_spawnp(&pid, argv[0], files, NULL, argv, environ) != 0 ||
	    waitpid(pid, &status, 0) != pid || status != 0) {
		fprintf(stderr, "lap: %s failed\n", argv[0]);
		exit(1);
	}
	return now() - began;
}

int
main(int argc, char *argv[])
{
	posix_spawn_file_actions_t files;
	char **cmd[COMMANDS];
	double *took[COMMANDS];
	int rounds = argc > 2 ? atoi(argv[1]) : 0, n = 0;

	for (int i = 2; i < argc && n < COMMANDS; i++)
		if (strcmp(argv[i], "--") == 0) {
			argv[i] = NULL;
			took[n] = calloc((size_t)rounds, sizeof(double));
			cmd[n++] = argv + i + 1;
		}
	if (rounds < 1 || n == 0) {
		fputs("usage: lap rounds -- command [arg ...] ...\n", stderr);
		return 64;
	}
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	for (int i = 0; i < n; i++)
		run(cmd[i], 0, &files);
	for (int r = 0; r < rounds; r++)
		for (int i = 0; i < n; i++)
			took[i][r] = run(cmd[i], r + 1, &files);
	for (int i = 0; i < n; i++) {
		qsort(took[i], (size_t)rounds, sizeof(double), by_size);
		printf("%.1f %.1f\n", took[i][rounds / 2],
		    took[i][rounds * 9 / 10]);
	}
	return 0;
}
