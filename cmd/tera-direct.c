/*
 * tera-direct: one decision of the Director, a model that judges.
 *
 * The messages are the rendered prompt and then the talk (tera-talk(5)); the
 * model is asked by tera-ask, a child, so no key is ever in this process's
 * messages, and what the environment holds in secrets is masked in each of
 * them.  A reply counts only when it is one of the forms that were asked for:
 * one that is not is asked for again once, saying what was wrong, and after
 * that the decision is to fail.  A model that rambles never means yes.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "buf.h"
#include "cmd.h"
#include "jvx.h"
#include "mask.h"
#include "spawn.h"
#include "talk.h"
#include "tpl.h"
#include "usage.h"

#define DOC_MAX (16 * 1024 * 1024)
#define REPLY_MAX (4 * 1024 * 1024)
#define TEXT_MAX (1024 * 1024) /* of a reply that is looked at */
#define SCANS 32               /* times a byte of it is, on average */
#define FIELD_MAX (128 * 1024) /* of a prompt or summary in a decision */
#define SHORT 300              /* of a message in a mechanical summary */

static const char synopsis[] =
    "[-D key=value] [answers=words] [context@file]\n"
    "                   [input@file] [prompt=name] [stage=name] [talk=file]\n"
    "                   [tokens=limit]";

struct message {
	const char *role;
	struct buf text;
	long long n; /* of its last line in the talk; 0: none */
};

struct talk {
	struct message *m;
	size_t n;
};

struct direct {
	const char *answers, *prompt, *stage, *path;
	jv doc;
	long long limit; /* tokens of history */
	struct mask mask;
	struct buf system;
	struct talk talk;
	long long in_tokens, out_tokens;
	double cost;
	int calls;
	int status;       /* of tera-ask when it failed */
	struct buf error; /* what it said then */
	char *run_after;
};

static bool
is(const char *s, const char *word)
{
	return s != NULL && strcmp(s, word) == 0;
}

/* --- the messages --- */

/* Two in a row of one role become one: not every model takes two. */
static struct buf *
say(struct talk *t, const char *role, long long n)
{
	struct message *m = t->n > 0 ? &t->m[t->n - 1] : NULL;

	if (m == NULL || strcmp(m->role, role) != 0) {
		t->m = xrealloc(t->m, (t->n + 1) * sizeof(*t->m));
		m = &t->m[t->n++];
		*m = (struct message){ .role = role };
	} else if (m->text.len > 0)
		buf_str(&m->text, "\n\n");
	if (n > m->n)
		m->n = n;
	return &m->text;
}

static const char *
field(jv line, const char *key)
{
	const char *s = jvx_str(line, key);

	return s != NULL ? s : "";
}

/* The field of a decision that its text is in. */
static const char *
key_of(const char *decision)
{
	if (is(decision, "complete"))
		return "summary";
	return is(decision, "fail") ? "reason" : "prompt";
}

static void
add_decision(struct talk *t, jv line, long long n)
{
	const char *verdict = field(line, "verdict"), *key = key_of(verdict);
	struct buf one = BUF_INIT;
	const char *s = field(line, is(key, "prompt") ? "prompt" : "text");

	if (is(verdict, "error"))
		return; /* no decision was made */
	json_add(&one, "decision", verdict);
	if (*s != '\0')
		json_add(&one, key, s);
	buf_str(say(t, "assistant", n), json_end(&one));
	buf_free(&one);
}

static void
add_line(struct talk *t, jv line)
{
	long long n = (long long)jvx_num(line, "n", 0);
	const char *what = field(line, "do"), *s = field(line, "text");
	const char *changed = field(line, "changed");
	struct buf *b;

	if (is(what, "direct")) {
		add_decision(t, line, n);
		return;
	}
	b = say(t, "user", n);
	if (is(what, "work")) {
		buf_fmt(b, "[worker, stage %s, turn %.0f: %s]\n%s",
		    field(line, "stage"), jvx_num(line, "turn", 0),
		    field(line, "verdict"), *s != '\0' ? s : "(said nothing)");
		if (*changed != '\0')
			buf_fmt(b, "\n[changed in this turn]\n%s", changed);
		else if (jvx_kind(line, "writes") != JV_KIND_FALSE)
			buf_str(b, "\n[no file was changed in this turn]");
	} else if (is(what, "resume"))
		buf_str(b, "[the run failed and is tried again from here]");
	else
		buf_fmt(b, "[%s, run by the harness: %s]\n%s", what,
		    field(line, "verdict"), s);
}

/* The last summary of the talk; invalid when there is none. */
static jv
last_summary(const struct buf *all)
{
	jv found = jv_invalid();

	for (size_t from = 0; from < all->len;) {
		const char *s = all->s + from;
		size_t n = strcspn(s, "\n");
		jv line = memmem(s, n, "\"summary\"", 9) != NULL
			      ? jvx_parse(s, n)
			      : jv_invalid();

		from += n + 1;
		if (is(jvx_str(line, "do"), "summary")) {
			jv_free(found);
			found = line;
		} else
			jv_free(line);
	}
	return found;
}

static void
add_talk(struct direct *d, const struct buf *all)
{
	jv sum = last_summary(all);
	double upto = jvx_num(sum, "upto", 0);

	if (jv_get_kind(sum) == JV_KIND_OBJECT)
		buf_fmt(say(&d->talk, "user", (long long)upto),
		    "[the talk before this, in short]\n%s", field(sum, "text"));
	for (size_t from = 0; from < all->len;) {
		size_t n = strcspn(all->s + from, "\n");
		jv line = jvx_parse(all->s + from, n);

		from += n + 1;
		if (jv_get_kind(line) == JV_KIND_OBJECT &&
		    jvx_num(line, "n", 0) > upto && !jvx_true(line, "parked") &&
		    !is(jvx_str(line, "do"), "summary"))
			add_line(&d->talk, line);
		jv_free(line);
	}
	jv_free(sum);
	for (size_t i = 0; i < d->talk.n; i++)
		mask_buf(&d->mask, &d->talk.m[i].text, 0);
}

/* A prompt of share/prompt, filled in and masked. */
static void
render(struct direct *d, const char *name, struct buf *out)
{
	struct buf text = BUF_INIT;
	char *rel = xasprintf("prompt/%s.md", name), *path = share_path(rel);
	struct fault f;
	int rc;

	if (path == NULL)
		die(EX_NOINPUT, "%s: no such prompt", name);
	if (buf_file(&text, path, DOC_MAX) != 0)
		die(EX_NOINPUT, "%s:", path);
	rc = tpl_render(out, text.s, text.len, jv_copy(d->doc), &f);
	if (rc != 0)
		die(rc, "%s.md: %s", name, f.msg);
	mask_buf(&d->mask, out, 0);
	buf_free(&text);
	free(rel);
	free(path);
}

/* --- asking --- */

static void
put_message(struct buf *in, const char *role, const struct buf *text)
{
	struct buf one = BUF_INIT;

	json_add(&one, "role", role);
	json_addn(&one, "content", buf_text(text), text->len);
	buf_str(in, json_end(&one));
	buf_chr(in, '\n');
	buf_free(&one);
}

static void
count_usage(struct direct *d, jv reply)
{
	jv usage = jvx_get(reply, "usage");

	d->in_tokens += usage_tokens(jvx_num(usage, "input_tokens", 0));
	d->out_tokens += usage_tokens(jvx_num(usage, "output_tokens", 0));
	d->cost += usage_cost(jvx_num(usage, "cost_usd", 0));
	jv_free(usage);
}

static void
note_failure(struct direct *d, jv reply, int status)
{
	jv error = jvx_get(reply, "error");
	const char *s = jvx_str(reply, "error");

	if (s == NULL)
		s = jvx_str(error, "message");
	if (s == NULL && status == 0)
		s = "the model said nothing";
	d->status = status != 0 ? status : EX_PROTOCOL;
	buf_clear(&d->error);
	if (s != NULL)
		buf_str(&d->error, s);
	else
		buf_fmt(&d->error, "tera-ask ended with %d", status);
	mask_buf(&d->mask, &d->error, 0);
	s = jvx_str(reply, "run_after");
	if (s != NULL && d->run_after == NULL)
		d->run_after = xstrdup(s);
	jv_free(error);
}

/* One call of the model.  Returns 0 with its text in out, or -1. */
static int
ask(struct direct *d, const struct buf *in, struct buf *out)
{
	static const char *const argv[] = { "tera-ask", "role=director", NULL };
	struct buf line = BUF_INIT;
	int status = spawn_run(argv, in->s, in->len, &line, REPLY_MAX, 0);
	jv reply = jvx_parse(buf_text(&line), line.len);
	const char *text = jvx_str(reply, "content");
	int rc = 0;

	d->calls++;
	count_usage(d, reply);
	if (status != 0) {
		note_failure(d, reply, status);
		rc = -1;
	} else if (text != NULL)
		buf_str(out, text);
	jv_free(reply);
	buf_free(&line);
	return rc;
}

/* --- making a long talk short --- */

/* Tokens are taken to be four bytes: near enough for a limit, the same for
 * every model, and no table of a vendor's is needed. */
static long long
tokens(const struct talk *t, size_t from)
{
	size_t bytes = 0;

	for (size_t i = from; i < t->n; i++)
		bytes += t->m[i].text.len;
	return (long long)(bytes / 4);
}

/* At most n bytes of b, whole characters, at its beginning. */
static size_t
fits(const struct buf *b, size_t n)
{
	if (b->len <= n)
		return b->len;
	while (n > 0 && ((unsigned char)b->s[n] & 0xc0) == 0x80)
		n--;
	return n;
}

static void
cut_short(struct direct *d, size_t old, struct buf *sum)
{
	for (size_t i = 0; i < old; i++) {
		struct message *m = &d->talk.m[i];
		size_t n = fits(&m->text, SHORT);

		if ((long long)sum->len > d->limit)
			break;
		buf_fmt(sum, "%s: ", m->role);
		buf_add(sum, buf_text(&m->text), n);
		buf_str(sum, n < m->text.len ? " [...]\n" : "\n");
	}
}

/* Has the model sum up the first old messages. */
static int
sum_up(struct direct *d, size_t old, struct buf *sum)
{
	struct buf sys = BUF_INIT, text = BUF_INIT, in = BUF_INIT;
	int rc;

	render(d, "summary", &sys);
	for (size_t i = 0; i < old; i++) {
		struct message *m = &d->talk.m[i];

		buf_fmt(&text, "%s:\n", m->role);
		buf_add(&text, buf_text(&m->text),
		    fits(&m->text, (size_t)d->limit));
		buf_str(&text, "\n\n");
	}
	put_message(&in, "system", &sys);
	put_message(&in, "user", &text);
	rc = ask(d, &in, sum);
	mask_buf(&d->mask, sum, 0);
	buf_free(&sys);
	buf_free(&text);
	buf_free(&in);
	return rc == 0 && sum->len > 0 ? 0 : -1;
}

static void
keep_summary(struct direct *d, const struct buf *sum, long long n, bool cut)
{
	struct buf one = BUF_INIT, line = BUF_INIT;
	struct fault f;

	json_add(&one, "do", "summary");
	json_add_int(&one, "upto", n);
	json_add(&one, "how", cut ? "cut" : "model");
	json_addn(&one, "text", buf_text(sum), sum->len);
	if (talk_add(d->path, json_end(&one), &line, &f) != 0)
		warn("%s", f.msg);
	buf_free(&one);
	buf_free(&line);
}

static void
compact(struct direct *d)
{
	struct talk *t = &d->talk;
	struct buf sum = BUF_INIT;
	size_t old = 0, w = 1;
	long long upto;
	bool cut;

	if (tokens(t, 0) <= d->limit)
		return;
	while (old + 2 < t->n && tokens(t, old) > d->limit / 2)
		old++;
	if (old == 0)
		return;
	upto = t->m[old - 1].n;
	cut = sum_up(d, old, &sum) != 0;
	if (cut) {
		buf_clear(&sum);
		cut_short(d, old, &sum);
		d->status = 0;
	}
	if (d->path != NULL)
		keep_summary(d, &sum, upto, cut);
	for (size_t i = 0; i < old; i++)
		buf_free(&t->m[i].text);
	t->m[0] = (struct message){ .role = "user", .n = upto };
	buf_str(&t->m[0].text, "[the talk before this, in short]\n");
	buf_add(&t->m[0].text, buf_text(&sum), sum.len);
	for (size_t i = old; i < t->n; i++) {
		struct message *m = &t->m[i];

		if (w == 1 && strcmp(m->role, "user") == 0) {
			buf_str(&t->m[0].text, "\n\n");
			buf_add(&t->m[0].text, buf_text(&m->text), m->text.len);
			buf_free(&m->text);
			continue;
		}
		t->m[w++] = *m;
	}
	t->n = w;
	buf_free(&sum);
}

/* --- reading the reply --- */

/* How much of a reply is looked at: braces that do not end would be looked at
 * again from each of them. */
struct scan {
	size_t left; /* bytes that may still be looked at */
	bool deep, cut, tired;
};

/* The length of the balanced object at s; 0 when it does not end, or sc says
 * that it is too much. */
static size_t
balanced(const char *s, size_t n, struct scan *sc)
{
	bool string = false;
	int depth = 0;

	for (size_t i = 0; i < n; i++) {
		if (sc->left-- == 0) {
			sc->left = 0;
			sc->tired = true;
			return 0;
		}
		if (string) {
			if (s[i] == '\\')
				i++;
			else if (s[i] == '"')
				string = false;
		} else if (s[i] == '"')
			string = true;
		else if (s[i] == '{') {
			if (++depth > JSON_DEPTH_MAX) {
				sc->deep = true;
				return 0;
			}
		} else if (s[i] == '}' && --depth == 0)
			return i + 1;
	}
	sc->cut = true;
	return 0;
}

static bool
may(const struct direct *d, const char *word)
{
	const char *p = d->answers;
	size_t n = strlen(word);

	for (; n > 0 && (p = strstr(p, word)) != NULL; p += n)
		if ((p == d->answers || p[-1] == ' ') &&
		    (p[n] == '\0' || p[n] == ' '))
			return true;
	return false;
}

/* Is it a decision that was asked for?  Else why says what is wrong. */
static bool
decided(const struct direct *d, jv v, struct buf *why)
{
	const char *word = jvx_str(v, "decision"), *key, *text;

	buf_clear(why);
	if (jv_get_kind(v) != JV_KIND_OBJECT || word == NULL) {
		buf_str(why, "there is no \"decision\" in it");
		return false;
	}
	if (!may(d, word)) {
		buf_fmt(why, "\"%.40s\" is none of: %s", word, d->answers);
		return false;
	}
	key = key_of(word);
	text = jvx_str(v, key);
	if ((text == NULL || *text == '\0') && !is(word, "approve")) {
		buf_fmt(why, "\"%s\" needs \"%s\"", word, key);
		return false;
	}
	return true;
}

/*
 * The decision in a reply: the whole of it, or the object in it that is one,
 * be it fenced or in the middle of prose.  Two different words are none: a
 * model that thinks aloud names forms that it does not mean.  What is nested
 * too deep, or all braces, is none either: the part of it that was not looked
 * at could say something else.  Invalid: none, and why says why.
 */
static jv
find(const struct direct *d, const struct buf *reply, struct buf *why)
{
	const char *s = buf_text(reply), *end = s + reply->len;
	struct buf first = BUF_INIT;
	jv found = jv_invalid();
	struct scan sc = { .left = SCANS * reply->len };
	bool two = false;

	buf_clear(why);
	if (reply->len > TEXT_MAX) {
		buf_str(why, "it is longer than 1 MiB");
		return found;
	}
	for (const char *p = s; (p = memchr(p, '{', (size_t)(end - p)));) {
		size_t n = balanced(p, (size_t)(end - p), &sc);
		jv v;

		if (sc.deep || sc.tired)
			break;
		v = n > 0 ? jvx_parse(p, n) : jv_invalid();
		if (jv_get_kind(v) != JV_KIND_OBJECT) {
			jv_free(v);
			p++;
			continue;
		}
		p += n;
		if (decided(d, v, why)) {
			two = two || (jv_is_valid(found) &&
					 !is(jvx_str(v, "decision"),
					     jvx_str(found, "decision")));
			if (jv_is_valid(found))
				jv_free(v);
			else
				found = v;
			continue;
		}
		jv_free(v);
		if (first.len == 0)
			buf_str(&first, buf_text(why));
	}
	buf_clear(why);
	if (jv_is_valid(found) && !two && !sc.deep && !sc.tired) {
		buf_free(&first);
		return found;
	}
	jv_free(found);
	if (two)
		buf_str(why, "there are two decisions in it");
	else if (sc.deep)
		buf_str(why, "it is nested too deep");
	else if (sc.tired)
		buf_str(why, "there are too many braces in it");
	else if (first.len > 0)
		buf_str(why, buf_text(&first));
	else if (sc.cut)
		buf_str(why, "the object does not end; be shorter");
	else if (reply->len == 0)
		buf_str(why, "the reply was empty");
	else
		buf_str(why, "there is no JSON object in it");
	buf_free(&first);
	return jv_invalid();
}

/* --- the answer --- */

static void
add_usage(const struct direct *d, struct buf *out)
{
	struct buf u = BUF_INIT;

	json_add_int(&u, "input_tokens", usage_tokens((double)d->in_tokens));
	json_add_int(&u, "output_tokens", usage_tokens((double)d->out_tokens));
	json_add_real(&u, "cost_usd", usage_cost(d->cost));
	json_add_raw(out, "usage", json_end(&u));
	json_add_int(out, "calls", d->calls);
	buf_free(&u);
}

static void
print_decision(struct direct *d, jv v)
{
	static const char *const keys[] = { "prompt", "summary", "reason" };
	struct buf out = BUF_INIT, text = BUF_INIT;

	json_add(&out, "decision", jvx_str(v, "decision"));
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		const char *s = jvx_str(v, keys[i]);

		if (s == NULL || *s == '\0')
			continue;
		buf_clear(&text);
		buf_str(&text, s);
		mask_buf(&d->mask, &text, 0);
		json_addn(&out, keys[i], text.s, fits(&text, FIELD_MAX));
	}
	add_usage(d, &out);
	puts(json_end(&out));
	buf_free(&out);
	buf_free(&text);
}

/* The decision to fail because none could be had. */
static int
print_error(struct direct *d)
{
	struct buf out = BUF_INIT, error = BUF_INIT;

	json_add(&error, "stage", d->stage);
	json_add_int(&error, "code", d->status);
	json_add(&error, "message", buf_text(&d->error));
	json_add(&out, "decision", "fail");
	json_add(&out, "reason", d->status == EX_TEMPFAIL ? "quota" : "error");
	json_add_raw(&out, "error", json_end(&error));
	if (d->run_after != NULL)
		json_add(&out, "run_after", d->run_after);
	add_usage(d, &out);
	puts(json_end(&out));
	buf_free(&out);
	buf_free(&error);
	return d->status;
}

/* Asks, and once again when the reply is no decision. */
static int
decide(struct direct *d)
{
	struct buf in = BUF_INIT, reply = BUF_INIT, why = BUF_INIT;
	jv v = jv_invalid();

	put_message(&in, "system", &d->system);
	for (size_t i = 0; i < d->talk.n; i++)
		put_message(&in, d->talk.m[i].role, &d->talk.m[i].text);
	for (int i = 0; i < 2 && !jv_is_valid(v); i++) {
		struct buf again = BUF_INIT;

		buf_clear(&reply);
		if (ask(d, &in, &reply) != 0)
			goto done;
		jv_free(v);
		v = find(d, &reply, &why);
		if (jv_is_valid(v))
			break;
		mask_buf(&d->mask, &reply, 0);
		reply.len = fits(&reply, 4000);
		if (reply.len == 0)
			buf_str(&reply, "(nothing)");
		put_message(&in, "assistant", &reply);
		buf_fmt(&again,
		    "That cannot be read: %s. Answer again with one JSON "
		    "object and nothing else; \"decision\" is one of: %s.",
		    buf_text(&why), d->answers);
		put_message(&in, "user", &again);
		buf_free(&again);
	}
	if (!jv_is_valid(v)) {
		d->status = EX_PROTOCOL;
		buf_clear(&d->error);
		buf_fmt(&d->error, "two replies and no decision: %s",
		    buf_text(&why));
	} else {
		d->status = 0;
		print_decision(d, v);
	}
done:
	jv_free(v);
	buf_free(&in);
	buf_free(&reply);
	buf_free(&why);
	return d->status != 0 ? print_error(d) : 0;
}

/* --- */

static void
read_doc(struct direct *d, const char *file, struct buf *add)
{
	struct buf b = BUF_INIT;

	if (file != NULL) {
		if (buf_file(&b, file, DOC_MAX) != 0)
			die(EX_NOINPUT, "%s:", file);
		jv_free(d->doc);
		d->doc = jvx_parse(buf_text(&b), b.len);
		if (jv_get_kind(d->doc) != JV_KIND_OBJECT)
			die(EX_DATAERR, "%s: not a JSON object", file);
	}
	/* Settings of agents hold keys: they are nobody's context. */
	d->doc = jv_object_delete(d->doc, jv_string("agent_settings"));
	d->doc = jv_object_merge(d->doc, jv_parse(json_end(add)));
	buf_free(&b);
}

static void
read_talk(struct direct *d, const char *name, const char *input)
{
	struct buf all = BUF_INIT, more = BUF_INIT;
	struct fault f;
	int rc;

	if ((rc = talk_load(&all, name, &f)) != 0)
		die(rc, "%s", f.msg);
	if (strcmp(name, "-") != 0)
		d->path = name;
	add_talk(d, &all);
	compact(d);
	if (input != NULL && buf_file(&more, input, DOC_MAX) < 0)
		die(EX_NOINPUT, "%s:", input);
	mask_buf(&d->mask, &more, 0);
	if (more.len > 0)
		buf_add(say(&d->talk, "user", 0), more.s, more.len);
	buf_fmt(say(&d->talk, "user", 0),
	    "Decide now. Answer with one JSON object and nothing else; "
	    "\"decision\" is one of: %s.",
	    d->answers);
	buf_free(&all);
	buf_free(&more);
}

int
main(int argc, char *argv[])
{
	struct direct d = { .answers = "work complete fail",
		.prompt = "director",
		.stage = "direct",
		.limit = 100000,
		.doc = jv_object() };
	const char *context = NULL, *input = NULL, *tokens_max = NULL;
	const char *talk = "-";
	const struct cmd_key keys[] = {
		{ "answers", &d.answers, NULL },
		{ "context", NULL, &context },
		{ "input", NULL, &input },
		{ "prompt", &d.prompt, NULL },
		{ "stage", &d.stage, NULL },
		{ "talk", &talk, NULL },
		{ "tokens", &tokens_max, NULL },
	};
	struct buf add = BUF_INIT;
	struct fault f;
	int rc;

	err_init(argc, argv, synopsis);
	for (int c; (c = getopt(argc, argv, "D:")) != -1;)
		switch (c) {
		case 'D':
			if ((rc = json_operand(&add, optarg, &f)) != 0)
				die(rc, "%s", f.msg);
			break;
		default: err_usage();
		}
	cmd_keys(
	    keys, sizeof(keys) / sizeof(*keys), argc - optind, argv + optind);
	if (tokens_max != NULL)
		d.limit = cmd_number("tokens", tokens_max, 100, 1LL << 40);
	if (getenv("TERA_RUN_DIR") != NULL)
		prctl(PR_SET_PDEATHSIG, SIGTERM);
	mask_init(&d.mask);
	read_doc(&d, context, &add);
	render(&d, d.prompt, &d.system);
	read_talk(&d, talk, input);
	rc = decide(&d);
	for (size_t i = 0; i < d.talk.n; i++)
		buf_free(&d.talk.m[i].text);
	free(d.talk.m);
	free(d.run_after);
	jv_free(d.doc);
	mask_free(&d.mask);
	buf_free(&d.system);
	buf_free(&d.error);
	buf_free(&add);
	return out_end(rc);
}
