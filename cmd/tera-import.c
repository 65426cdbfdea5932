/*
 * tera-import - take over a Terarchitect installation
 *
 * From a dump of its PostgreSQL, from its API, or of its settings or memory the
 * file.  All of it is one transaction: what cannot be read at all changes
 * nothing, and neither does a kill.  A row that breaks a rule is left out and
 * named.  What is there already stays as it is, so that it may run again.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "far.h"
#include "intake.h"
#include "jscan.h"
#include "origin.h"

#define PIPE_MAX (1UL << 30) /* bytes that are no file */
#define ID 36                /* characters of a UUID */

/* The rows of a dump.  What is none, or is one in another form, ends the
 * command. */
static void
find_rows(struct intake *t, const char *s, size_t n)
{
	static const struct {
		size_t at, n;
		const char *magic, *what;
	} forms[] = {
		{ 0, 5, "PGDMP", "an archive: pg_restore -f - makes it SQL" },
		{ 257, 5, "ustar", "an archive: pg_restore -f - makes it SQL" },
		{ 0, 2, "\x1f\x8b", "compressed: gzip -dc first" },
		{ 0, 4, "\x28\xb5\x2f\xfd", "compressed: zstd -dc first" },
		{ 0, 3, "BZh", "compressed: bzip2 -dc first" },
		{ 0, 4, "\xfd\x37\x7a\x58", "compressed: xz -dc first" },
		{ 0, 2, "\xff\xfe", "UTF-16: write it with pg_dump -f" },
		{ 0, 2, "\xfe\xff", "UTF-16: write it with pg_dump -f" },
	};
	struct fault f = { 0, "" };
	size_t i, ours = 0;

	for (i = 0; i < sizeof(forms) / sizeof(*forms); i++)
		if (n >= forms[i].at + forms[i].n &&
		    memcmp(s + forms[i].at, forms[i].magic, forms[i].n) == 0)
			die(EX_DATAERR, "%s: %s", t->source, forms[i].what);
	if (pgdump_read(s, n, &t->dump, &f) != 0)
		die(f.code, "%s: %s%s", t->source,
		    t->dump.tables == 0 && !t->dump.headed
			? "no dump of PostgreSQL: "
			: "",
		    f.msg);
	for (i = 0; i < t->dump.tables; i++)
		ours += intake_kind(t->dump.table[i].name) != INTAKE_KINDS;
	if (ours == 0)
		die(EX_DATAERR, "%s: no table of Terarchitect in it",
		    t->source);
}

/* How many elements the list at that key has. */
static long
length(const char *json, const char *key)
{
	char *list = json_raw(json, key);
	struct slice all = { list, list != NULL ? strlen(list) : 0 }, one;
	const char *at = NULL;
	long n = 0;

	while (jscan_element(all, &at, &one))
		n++;
	free(list);
	return n;
}

/* A file of settings. */
static void
put_settings(struct intake *t, const char *json)
{
	struct fault f;
	char *answer = intake_step(t, "api.settings.import", json, &f);
	char *ignored;
	struct slice all, one;
	const char *at = NULL;

	if (answer == NULL)
		die(f.code, "%s: %s", t->source, f.msg);
	t->count[INTAKE_SETTING].taken = length(answer, "$.taken");
	t->count[INTAKE_SETTING].there = length(answer, "$.same");
	ignored = json_raw(answer, "$.ignored");
	all = (struct slice){ ignored, strlen(ignored) };
	while (jscan_element(all, &at, &one)) {
		char *key = xasprintf("{\"key\":%.*s}", (int)one.n, one.s);

		intake_leave(t, INTAKE_SETTING, key, 0, "no such setting here");
		free(key);
	}
	free(ignored);
	free(answer);
}

/* The passages of one project: that of the field, or whose directory it is. */
static void
put_memory(struct intake *t, const char *json, const char *project)
{
	const char *slash = strrchr(t->source, '/'), *dir = slash;
	struct buf in = BUF_INIT;
	struct fault f;
	char *docs = json_raw(json, "$.docs"), *answer;

	while (dir != NULL && dir > t->source && dir[-1] != '/')
		dir--;
	if (project != NULL)
		json_add(&in, "project", project);
	else if (dir != NULL && slash - dir == ID)
		json_addn(&in, "project", dir, ID);
	else
		die(EX_USAGE, "%s: whose memory: say project=PROJECT",
		    t->source);
	json_add_raw(&in, "docs", docs);
	answer = intake_step(t, "import.memory", json_end(&in), &f);
	if (answer == NULL)
		die(f.code, "%s: %s", t->source, f.msg);
	t->count[INTAKE_MEMORY].taken = (long)json_int(answer, "$.taken", 0);
	t->count[INTAKE_MEMORY].there = (long)json_int(answer, "$.there", 0);
	free(answer);
	free(docs);
	buf_free(&in);
}

/* Is one of its keys the name of a setting? */
static bool
knows_one(const struct intake *t, const char *json)
{
	struct slice all = { json, strlen(json) }, key, v;
	const char *at = NULL;
	bool known = false;

	while (!known && jscan_member(all, &at, &key, &v)) {
		char *path = xasprintf("$.%.*s", (int)key.n, key.s);

		known = *json_type(t->names, path) != '\0';
		free(path);
	}
	return known;
}

/* All of the file.  One is mapped, for it may be larger than the memory. */
static const char *
contents(const char *name, size_t *n, struct buf *b)
{
	bool in = strcmp(name, "-") == 0;
	int fd = in ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC), rc;
	struct stat st;
	void *p;

	if (fd < 0)
		die(EX_NOINPUT, "%s:", name);
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		die(EX_DATAERR, "%s: a directory: pg_restore -f - makes it SQL",
		    name);
	if (S_ISREG(st.st_mode) && st.st_size > 0 &&
	    lseek(fd, 0, SEEK_CUR) == 0) {
		*n = (size_t)st.st_size;
		p = mmap(NULL, *n, PROT_READ, MAP_PRIVATE, fd, 0);
		if (p == MAP_FAILED)
			die(EX_NOINPUT, "%s:", name);
		if (!in)
			close(fd);
		return p;
	}
	rc = buf_read(b, fd, PIPE_MAX);
	if (rc < 0)
		die(EX_IOERR, "%s:", name);
	if (rc > 0)
		die(EX_DATAERR, "%s: more than a gigabyte: give it as a file",
		    name);
	if (!in)
		close(fd);
	*n = b->len;
	return buf_text(b);
}

/* A file that is JSON: settings, or a memory. */
static void
take_object(struct intake *t, const char *s, size_t n, const char *project)
{
	char *json = xstrndup(s, n);

	if (strlen(json) != n ||
	    jscan_check(json, n, JSON_DEPTH_MAX) != JSCAN_OK)
		die(EX_DATAERR, "%s: not JSON", t->source);
	intake_open(t);
	intake_begin(t);
	if (strcmp(json_type(json, "$.docs"), "array") == 0)
		put_memory(t, json, project);
	else if (knows_one(t, json))
		put_settings(t, json);
	else
		die(EX_DATAERR, "%s: neither settings nor a memory", t->source);
	free(json);
}

int
main(int argc, char *argv[])
{
	struct intake t = { .source = NULL };
	const char *key_file = NULL, *project = NULL, *s = NULL;
	const struct cmd_key keys[] = { { "key", NULL, &key_file },
		{ "project", &project, NULL } };
	struct buf text = BUF_INIT, secret = BUF_INIT;
	bool check = false;
	size_t n = 0, at;
	int rc;

	err_init(
	    argc, argv, "[-c] {file | url | -} [key@file] [project=project]");
	for (int c; (c = getopt(argc, argv, "c")) != -1;)
		switch (c) {
		case 'c': check = true; break;
		default: err_usage();
		}
	if (optind == argc)
		err_usage();
	t.source = argv[optind];
	cmd_keys(keys, 2, argc - optind - 1, argv + optind + 1);
	if (key_file != NULL && buf_file(&secret, key_file, 4096) != 0)
		die(EX_NOINPUT, "%s:", key_file);
	if (key_file != NULL)
		t.key = buf_take(&secret);
	if (!far_is(t.source))
		s = contents(t.source, &n, &text);
	if (n >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0) /* UTF-8 */
		s += 3, n -= 3;
	for (at = 0; at < n && memchr(" \t\r\n", s[at], 4) != NULL;)
		at++;
	if (at < n && s[at] == '{')
		take_object(&t, s, n, project);
	else {
		if (s != NULL)
			find_rows(&t, s, n);
		intake_open(&t);
		if (s != NULL)
			intake_dump(&t);
		else
			origin_take(&t);
		intake_begin(&t);
		intake_put(&t);
	}
	rc = intake_end(&t, check);
	buf_free(&text);
	return out_end(rc);
}
