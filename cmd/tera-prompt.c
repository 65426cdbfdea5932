/*
 * tera-prompt: fill a prompt in from a JSON document.
 *
 * The prompt is share/prompt/NAME.md, the user's own before ours; the
 * document comes on standard input, -D adds to it.  See lib/tpl.h for the
 * form.  It stays correct because nothing is guessed: a template that is
 * wrong is refused with its line, and a value that is absent prints nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "json.h"
#include "spawn.h"
#include "tpl.h"

#define DOC_MAX (16 * 1024 * 1024)

static void
load(struct buf *b, const char *name)
{
	char *path, *file;

	path = xasprintf("prompt/%s.md", name);
	if ((file = share_path(path)) == NULL)
		die(EX_NOINPUT, "%s: no such prompt", name);
	if (buf_file(b, file, DOC_MAX) != 0)
		die(EX_NOINPUT, "%s:", file);
	free(path);
	free(file);
}

int
main(int argc, char *argv[])
{
	struct buf text = BUF_INIT, in = BUF_INIT, add = BUF_INIT,
		   out = BUF_INIT;
	struct fault f;
	jv v, extra;
	int rc;

	err_init(argc, argv, "[-D key=value] name");
	for (int c; (c = getopt(argc, argv, "D:")) != -1;)
		switch (c) {
		case 'D':
			if ((rc = json_operand(&add, optarg, &f)) != 0)
				die(rc, "%s", f.msg);
			break;
		default: err_usage();
		}
	if (optind + 1 != argc)
		err_usage();
	load(&text, argv[optind]);
	if (buf_file(&in, "-", DOC_MAX) != 0)
		die(EX_DATAERR, "standard input: cannot be read, or too long");
	v = in.len > 0 ? jv_parse_sized(in.s, (int)in.len) : jv_object();
	if (jv_get_kind(v) != JV_KIND_OBJECT)
		die(EX_DATAERR, "standard input: not a JSON object");
	extra = jv_parse(json_end(&add));
	v = jv_object_merge(v, extra);
	if ((rc = tpl_render(&out, text.s, text.len, v, &f)) != 0)
		die(rc, "%s.md: %s", argv[optind], f.msg);
	fwrite(buf_text(&out), 1, out.len, stdout);
	buf_free(&text);
	buf_free(&in);
	buf_free(&add);
	buf_free(&out);
	return out_end(0);
}
