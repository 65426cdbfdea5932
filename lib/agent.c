/* See agent.h. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent.h"

#define MAX_FILES 65536

/* A path that holds in another directory, too. */
static char *
absolute(const char *path)
{
	char cwd[PATH_MAX];

	if (*path == '/' || strstr(path, "://") != NULL ||
	    getcwd(cwd, sizeof(cwd)) == NULL)
		return xstrdup(path);
	return xasprintf("%s/%s", cwd, path);
}

/* --- the command --- */

/* The program that runs the jobs; NULL for "local" unless the user has one: it
 * would only execute the command. */
static char *
find_engine(const char *name)
{
	char *below = xasprintf("engine/%s", name), *path, *full;
	bool local = strcmp(name, "local") == 0;

	path = local ? config_path(below) : share_path(below);
	free(below);
	if (path == NULL && !local)
		die(EX_UNAVAILABLE, "engine %s: no such engine", name);
	full = path != NULL ? absolute(path) : NULL;
	free(path);
	return full;
}

const char *const *
agent_command(const char *engine, char *argv[], int argc)
{
	static const char **command;
	int n = 0;

	command = xmalloc(((size_t)argc + 3) * sizeof(*command));
	command[0] = find_engine(engine);
	if (command[0] != NULL)
		n++;
	if (argc == 0)
		command[n++] = "tera-agent";
	else if (strchr(argv[0], '/') != NULL)
		command[n++] = absolute(argv[0]);
	else
		command[n++] = argv[0];
	for (int i = 1; i < argc; i++)
		command[n++] = argv[i];
	command[n] = NULL;
	return command;
}

/* --- the environment --- */

void
agent_env(struct spawn_env *env, const char *engine, const char *runner,
    const char *store)
{
	static const char *const names[] = { "PATH", "HOME", "USER", "LOGNAME",
		"LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "XDG_CONFIG_HOME",
		"XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME",
		"XDG_RUNTIME_DIR", "SSH_AUTH_SOCK", "GIT_AUTHOR_NAME",
		"GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL",
		"GIT_SSH_COMMAND", "SSL_CERT_FILE", "SSL_CERT_DIR",
		"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy",
		"https_proxy", "no_proxy", "DOCKER_HOST", "CONTAINER_HOST",
		"KUBECONFIG", "AGENT_PROVIDER", "AGENT_LLM_URL", "AGENT_MODEL",
		"AGENT_API_KEY", "WORKER_LLM_URL", "WORKER_MODEL",
		"WORKER_API_KEY", "TERARCHITECT_API_URL",
		"TERARCHITECT_API_KEY", "TERARCHITECT_WORKER_API_KEY",
		"TERARCHITECT_SECRET_KEY" };
	static const char *const paths[] = { "TERA_STORE", "TERA_STATE",
		"TERA_CONFIG", "TERA_SHARE", "TERA_RECORD", "TERA_REPLAY" };
	const char *more = getenv("TERA_ENGINE_ENV");

	spawn_own_path();
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		spawn_env_keep(env, names[i]);
	for (char **e = environ; *e != NULL; e++)
		if (strncmp(*e, "TERA_", 5) == 0) {
			char *name = xstrndup(*e, strcspn(*e, "="));

			spawn_env_keep(env, name);
			free(name);
		}
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		const char *value = getenv(paths[i]);
		char *full;

		if (value == NULL || *value == '\0')
			continue;
		full = absolute(value);
		spawn_env_set(env, paths[i], full);
		free(full);
	}
	if (more != NULL) {
		char *copy = xstrdup(more), *rest = copy, *name;

		while ((name = strsep(&rest, " ")) != NULL)
			if (*name != '\0')
				spawn_env_keep(env, name);
		free(copy);
	}
	if (getenv("TERA_STORE") == NULL)
		spawn_env_set(env, "TERA_STORE", store);
	if (getenv("TERA_SHARE") == NULL)
		spawn_env_set(env, "TERA_SHARE", share_dir());
	spawn_env_set(env, "TERA_ENGINE", engine);
	spawn_env_set(env, "TERA_RUNNER", runner);
}

static void
set_number(struct spawn_env *env, const char *name, long long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", value);
	spawn_env_set(env, name, value > 0 ? text : "");
}

void
agent_env_job(struct spawn_env *env, const char *id, const char *dir,
    const char *token, long long seconds, long long memory_mb)
{
	static const char *const mine[] = { "TERA_TOKEN_FILE",
		"TERARCHITECT_WORKER_API_KEY", "TERARCHITECT_API_KEY" };
	const char *token_here = getenv("TERA_TOKEN");

	spawn_env_set(env, "PWD", dir);
	spawn_env_set(env, "TERA_JOB_ID", id);
	spawn_env_set(env, "TERA_RUN_DIR", dir);
	/* never that of the job before */
	if (token == NULL)
		token = token_here != NULL ? token_here : "";
	else
		for (size_t i = 0; i < sizeof(mine) / sizeof(*mine); i++)
			spawn_env_set(env, mine[i], "");
	spawn_env_set(env, "TERA_TOKEN", token);
	set_number(env, "TERA_LIMIT_SECONDS", seconds);
	set_number(env, "TERA_LIMIT_MEMORY_MB", memory_mb);
}

/* --- limits --- */

void
agent_limits(void)
{
	struct rlimit r = { 0, 0 };

	setrlimit(RLIMIT_CORE, &r);
	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return;
	r.rlim_cur = r.rlim_max < MAX_FILES ? r.rlim_max : MAX_FILES;
	setrlimit(RLIMIT_NOFILE, &r);
}

int
agent_nice(void)
{
	const char *text = getenv("TERA_NICE");
	char *end;
	long n;

	if (text == NULL || *text == '\0')
		return 5;
	n = strtol(text, &end, 10);
	if (*end != '\0' || n < -20 || n > 19)
		die(EX_USAGE, "TERA_NICE %.40s: want a number from -20 to 19",
		    text);
	return (int)n;
}
