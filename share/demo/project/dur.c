/* dur - add up durations: each line of input begins with one, such as 1h30m */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define USAGE "usage: dur [-s]"

/* The seconds of a duration such as 1h30m; *end is where it stops. */
static long
parse(const char *s, const char **end)
{
	long sum = 0;

	while (isdigit((unsigned char)*s)) {
		char *unit;
		long n = strtol(s, &unit, 10);

		if (*unit == 'h')
			sum += n * 3600;
		else if (*unit == 'm')
			sum += n * 60;
		else if (*unit == 's')
			sum += n;
		else
			break;
		s = unit + 1;
	}
	*end = s;
	return sum;
}

/* The next line: its seconds, and what follows them; 0 at the end. */
static int
next(FILE *in, long *seconds, const char **rest)
{
	static char line[1024];

	if (fgets(line, sizeof(line), in) == NULL)
		return 0;
	*seconds = parse(line, rest);
	return 1;
}

static void
show(long seconds, int plain)
{
	if (plain)
		printf("%ld", seconds);
	else
		printf("%ldh%02ldm", seconds / 3600, seconds % 3600 / 60);
}

int
main(int argc, char *argv[])
{
	int c, plain = 0;
	long seconds, total = 0;
	const char *rest;

	while ((c = getopt(argc, argv, "s")) != -1) {
		switch (c) {
		case 's':
			plain = 1;
			break;
		default:
			fprintf(stderr, "%s\n", USAGE);
			return 2;
		}
	}

	while (next(stdin, &seconds, &rest))
		total += seconds;

	show(total, plain);
	putchar('\n');
	return 0;
}
