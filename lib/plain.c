/* See plain.h. */
#include <errno.h>
#include <git2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "calm.h"
#include "plain.h"

#define ATTRIBUTES                                                             \
	65536 /* bytes of a file of attributes that we look through */

/* --- attributes --- */

bool
plain_attributes(const char *text, size_t n)
{
	static const char *const words[] = { "crlf", "ident", "filter",
		"encoding" };

	if (n > ATTRIBUTES)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (memmem(text, n, words[i], strlen(words[i])) != NULL)
			return false;
	return true;
}

static bool
plain_file(const char *path)
{
	struct buf b = BUF_INIT;
	bool ok = calm_file(&b, path, ATTRIBUTES) == 0
		      ? plain_attributes(buf_text(&b), b.len)
		      : errno == ENOENT || errno == ENOTDIR;

	buf_free(&b);
	return ok;
}

/* The user's own file of attributes, which the caller frees; NULL: git alone
 * can say which. */
static char *
user_file(git_config *cfg)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	static const char key[] = "core.attributesfile";
	git_buf set = { 0 };
	const char *text;
	char *path = NULL;

	if (git_config_get_string(&text, cfg, key) == 0) {
		if (git_config_get_path(&set, cfg, key) == 0)
			path = xstrdup(set.ptr);
	} else if (xdg != NULL && *xdg != '\0')
		path = xasprintf("%s/git/attributes", xdg);
	else
		path = xasprintf(
		    "%s/.config/git/attributes", home != NULL ? home : "");
	git_buf_dispose(&set);
	return path;
}

/* The attributes that hold for every work tree. */
static bool
plain_files(git_repository *git, git_config *cfg)
{
	static const char *const system[] = { "/etc/gitattributes",
		"/usr/local/etc/gitattributes" };
	char *user = user_file(cfg);
	char *own =
	    xasprintf("%sinfo/attributes", git_repository_commondir(git));
	bool ok = plain_file(own) && user != NULL && plain_file(user);

	for (size_t i = 0; i < sizeof(system) / sizeof(*system); i++)
		ok = ok && plain_file(system[i]);
	free(own);
	free(user);
	return ok;
}

/* --- settings --- */

/* Is the key not set, or to a word of the list? */
static bool
one_of(git_config *cfg, const char *key, const char *const *words)
{
	const char *value;

	if (git_config_get_string(&value, cfg, key) < 0)
		return true;
	for (; *words != NULL; words++)
		if (strcasecmp(value, *words) == 0)
			return true;
	return false;
}

/* libgit2 does not read the configuration that git takes from these. */
static bool
plain_environment(void)
{
	static const char *const files[] = { "GIT_CONFIG_GLOBAL",
		"GIT_CONFIG_SYSTEM" };
	const char *value = getenv("GIT_CONFIG_COUNT");
	long n = value != NULL ? strtol(value, NULL, 10) : 0;
	char name[40];

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		value = getenv(files[i]);
		if (value != NULL && strcmp(value, "/dev/null") != 0)
			return false;
	}
	for (long i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "GIT_CONFIG_KEY_%ld", i);
		value = getenv(name);
		if (value != NULL &&
		    (strcasecmp(value, "core.autocrlf") == 0 ||
			strcasecmp(value, "core.eol") == 0 ||
			strcasecmp(value, "core.symlinks") == 0 ||
			strcasecmp(value, "core.attributesfile") == 0))
			return false;
	}
	return getenv("GIT_CONFIG_PARAMETERS") == NULL;
}

bool
plain_settings(struct repo *r)
{
	/* a key without a value is true, and libgit2 says "" then */
	static const char *const kept[] = { "false", "no", "off", "0", "input",
		NULL };
	static const char *const lf[] = { "lf", "native", NULL };
	static const char *const yes[] = { "true", "yes", "on", "1", NULL };
	git_config *cfg;
	bool ok;

	if (!plain_environment() ||
	    git_repository_config_snapshot(&cfg, repo_git(r)) < 0)
		return false;
	ok = one_of(cfg, "core.autocrlf", kept) &&
	     one_of(cfg, "core.ignorecase", kept) &&
	     one_of(cfg, "core.eol", lf) && one_of(cfg, "core.symlinks", yes) &&
	     plain_files(repo_git(r), cfg);
	git_config_free(cfg);
	return ok;
}

/* --- names --- */

/* Does the name, without what some file systems do not see, begin as ".git" or
 * as its short form does?  rest is then what follows. */
static bool
near_git(const char *name, const char **rest)
{
	char seen[5] = "";
	size_t n = 0;

	/* most names are no more like it than this */
	if ((unsigned char)*name < 0x80 && strchr(".gG", *name) == NULL)
		return false;
	for (; *name != '\0' && n < 4; name++)
		if ((unsigned char)*name < 0x80)
			seen[n++] = *name;
	*rest = name;
	return strcasecmp(seen, ".git") == 0 || strcasecmp(seen, "git~") == 0;
}

/* git knows better which are; a link is never to be one of its own files. */
bool
plain_name(const char *name, bool symlink)
{
	const char *rest;
	bool near = near_git(name, &rest);

	if (*name == '\0' || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0 || strpbrk(name, "/\\") != NULL)
		return false;
	if (symlink && (near || strchr(name, '~') != NULL))
		return false;
	return !near || strchr("abcdefghijklmnopqrstuvwxyz"
			       "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_",
			    *rest != '\0' ? *rest : '.') != NULL;
}
