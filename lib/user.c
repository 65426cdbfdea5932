/* See user.h. */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "user.h"

/* The file itself: getpwuid(3) would load the name services into a program
 * that is linked without shared libraries. */
static void
from_passwd(char *name, size_t n)
{
	FILE *fp = fopen("/etc/passwd", "re");
	struct passwd *p;

	if (fp == NULL)
		return;
	while ((p = fgetpwent(fp)) != NULL)
		if (p->pw_uid == geteuid()) {
			snprintf(name, n, "%s", p->pw_name);
			break;
		}
	fclose(fp);
}

const char *
user_name(void)
{
	static char name[128];
	const char *env;

	if (name[0] != '\0')
		return name;
	env = getenv("USER");
	if (env == NULL || *env == '\0')
		env = getenv("LOGNAME");
	if (env != NULL && *env != '\0')
		snprintf(name, sizeof(name), "%s", env);
	else
		from_passwd(name, sizeof(name));
	if (name[0] == '\0')
		snprintf(name, sizeof(name), "uid %u", (unsigned)geteuid());
	return name;
}
