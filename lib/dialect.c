/* See dialect.h. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dialect.h"
#include "usage.h"

/* --- a talk --- */

/* Text of content: a string, null, or parts of which the texts count. */
static bool
content(jv line, struct buf *out)
{
	jv c = jvx_get(line, "content");
	jv_kind kind = jv_get_kind(c);

	if (kind == JV_KIND_STRING)
		buf_add(out, jv_string_value(c),
		    (size_t)jv_string_length_bytes(jv_copy(c)));
	else if (kind == JV_KIND_ARRAY)
		jv_array_foreach (c, i, part) {
			const char *s = jvx_str(part, "text");

			if (s != NULL)
				buf_str(out, s);
			jv_free(part);
		}
	jv_free(c);
	return kind == JV_KIND_STRING || kind == JV_KIND_ARRAY ||
	       kind == JV_KIND_NULL;
}

static jv
call_neutral(const char *id, const char *name, const char *args, size_t n)
{
	jv f = jvx_put(jv_object(), "name", name);
	jv call = jvx_put(jv_object(), "id", id);

	f = jvx_putn(f, "arguments", args, n);
	call = jvx_put(call, "type", "function");
	return jvx_set(call, "function", f);
}

/* The arguments as text, whether they came as text or as an object. */
static void
arguments(jv function, struct buf *out)
{
	jv args = jvx_get(function, "arguments");

	if (jv_get_kind(args) == JV_KIND_STRING)
		buf_add(out, jv_string_value(args),
		    (size_t)jv_string_length_bytes(jv_copy(args)));
	else if (jv_get_kind(args) == JV_KIND_OBJECT)
		jvx_add(out, args);
	jv_free(args);
}

static jv
calls_neutral(jv line, const char **why)
{
	jv in = jvx_get(line, "tool_calls"), out = jv_array();

	if (jv_get_kind(in) == JV_KIND_ARRAY)
		jv_array_foreach (in, i, call) {
			jv f = jvx_get(call, "function");
			const char *name = jvx_str(f, "name");
			const char *id = jvx_str(call, "id");
			struct buf args = BUF_INIT;

			if (name == NULL)
				*why = "a tool call without a name";
			arguments(f, &args);
			out = jv_array_append(
			    out, call_neutral(id != NULL ? id : "",
				     name != NULL ? name : "", buf_text(&args),
				     args.len));
			buf_free(&args);
			jv_free(f);
			jv_free(call);
		}
	jv_free(in);
	return out;
}

jv
dialect_message(jv line, const char **why)
{
	const char *role = jvx_str(line, "role"), *id;
	struct buf text = BUF_INIT;
	jv m = jv_object(), calls;

	*why = NULL;
	if (role == NULL ||
	    (strcmp(role, "system") != 0 && strcmp(role, "user") != 0 &&
		strcmp(role, "assistant") != 0 && strcmp(role, "tool") != 0))
		*why = "role is not system, user, assistant or tool";
	m = jvx_put(m, "role", role);
	if (!content(line, &text))
		*why = "content is not text";
	m = jvx_putn(m, "content", buf_text(&text), text.len);
	buf_free(&text);
	calls = calls_neutral(line, why);
	if (jv_array_length(jv_copy(calls)) > 0)
		m = jvx_set(m, "tool_calls", jv_copy(calls));
	jv_free(calls);
	id = jvx_str(line, "tool_call_id");
	if (id != NULL)
		m = jvx_put(m, "tool_call_id", id);
	else if (role != NULL && strcmp(role, "tool") == 0)
		*why = "a tool's message without tool_call_id";
	if (*why == NULL)
		return m;
	jv_free(m);
	return jv_invalid();
}

/* --- asking --- */

static bool
ends(const char *s, size_t n, const char *tail)
{
	size_t len = strlen(tail);

	return n >= len && memcmp(s + n - len, tail, len) == 0;
}

char *
dialect_url(enum dialect d, const char *base)
{
	const char *what = d == OPENAI ? "/chat/completions" : "/messages";
	size_t n = strlen(base), seg;

	while (n > 0 && base[n - 1] == '/')
		n--;
	if (ends(base, n, what))
		return xstrndup(base, n);
	for (seg = n; seg > 0 && base[seg - 1] != '/'; seg--)
		;
	if ((base[seg] == 'v' && base[seg + 1] >= '1' &&
		base[seg + 1] <= '9') ||
	    ends(base, n, "/openai"))
		return xasprintf("%.*s%s", (int)n, base, what);
	return xasprintf("%.*s/v1%s", (int)n, base, what);
}

/* {name,description,parameters}, also out of OpenAI's wrapping. */
static jv
tool(jv in)
{
	jv f = jvx_get(in, "function");

	if (jv_get_kind(f) == JV_KIND_OBJECT)
		return f;
	jv_free(f);
	return jv_copy(in);
}

static jv
tools(const struct ask *a)
{
	jv out = jv_array();

	jv_array_foreach (a->tools, i, in) {
		jv f = tool(in), t = jv_object(), schema;

		schema = jvx_get(f, "parameters");
		if (jv_get_kind(schema) != JV_KIND_OBJECT) {
			jv_free(schema);
			schema = jvx_put(jv_object(), "type", "object");
			schema = jvx_set(schema, "properties", jv_object());
		}
		t = jvx_put(t, "name", jvx_str(f, "name"));
		t = jvx_put(t, "description", jvx_str(f, "description"));
		t = jvx_set(t,
		    a->dialect == OPENAI ? "parameters" : "input_schema",
		    schema);
		if (a->dialect == OPENAI)
			t = jvx_set(jvx_put(jv_object(), "type", "function"),
			    "function", t);
		out = jv_array_append(out, t);
		jv_free(f);
		jv_free(in);
	}
	return out;
}

static jv
openai_messages(const struct ask *a)
{
	jv out = jv_array();

	jv_array_foreach (a->messages, i, m) {
		/* With calls and no words, the words are null. */
		if (jvx_kind(m, "tool_calls") == JV_KIND_ARRAY &&
		    jvx_str(m, "content")[0] == '\0')
			m = jvx_set(m, "content", jv_null());
		out = jv_array_append(out, m);
	}
	return out;
}

static jv
block_text(const char *s)
{
	return jvx_put(jvx_put(jv_object(), "type", "text"), "text", s);
}

/* The blocks of one message. */
static jv
blocks(jv m)
{
	const char *text = jvx_str(m, "content");
	const char *id = jvx_str(m, "tool_call_id");
	jv out = jv_array(), calls, b;

	if (strcmp(jvx_str(m, "role"), "tool") == 0) {
		b = jvx_put(jv_object(), "type", "tool_result");
		b = jvx_put(b, "tool_use_id", id);
		b = jvx_put(b, "content", text);
		return jv_array_append(out, b);
	}
	if (text[0] != '\0')
		out = jv_array_append(out, block_text(text));
	calls = jvx_get(m, "tool_calls");
	if (jv_get_kind(calls) == JV_KIND_ARRAY)
		jv_array_foreach (calls, i, call) {
			jv f = jvx_get(call, "function"), input;
			const char *args = jvx_str(f, "arguments");

			input = jvx_parse(args, strlen(args));
			if (jv_get_kind(input) != JV_KIND_OBJECT) {
				jv_free(input);
				input = jv_object();
				if (args[0] != '\0')
					input =
					    jvx_put(input, "arguments", args);
			}
			b = jvx_put(jv_object(), "type", "tool_use");
			b = jvx_put(b, "id", jvx_str(call, "id"));
			b = jvx_put(b, "name", jvx_str(f, "name"));
			b = jvx_set(b, "input", input);
			out = jv_array_append(out, b);
			jv_free(f);
			jv_free(call);
		}
	jv_free(calls);
	return out;
}

/* Marks the last block: what is before it may be kept by the provider. */
static jv
cacheable(jv list)
{
	int n = jv_array_length(jv_copy(list));
	jv mark = jvx_put(jv_object(), "type", "ephemeral"), b;

	if (n == 0) {
		jv_free(mark);
		return list;
	}
	b = jv_array_get(jv_copy(list), n - 1);
	return jv_array_set(list, n - 1, jvx_set(b, "cache_control", mark));
}

/* Messages of one side that follow each other become one. */
static jv
anthropic_messages(const struct ask *a, jv *sys)
{
	jv out = jv_array(), run = jv_array();
	const char *side = NULL;

	*sys = jv_array();
	jv_array_foreach (a->messages, i, m) {
		const char *role = jvx_str(m, "role"), *now;

		if (strcmp(role, "system") == 0) {
			if (jvx_str(m, "content")[0] != '\0')
				*sys = jv_array_append(
				    *sys, block_text(jvx_str(m, "content")));
			jv_free(m);
			continue;
		}
		now = strcmp(role, "assistant") == 0 ? "assistant" : "user";
		if (side != NULL && strcmp(side, now) != 0) {
			out = jv_array_append(
			    out, jvx_set(jvx_put(jv_object(), "role", side),
				     "content", run));
			run = jv_array();
		}
		side = now;
		run = jv_array_concat(run, blocks(m));
		jv_free(m);
	}
	if (side == NULL) {
		jv_free(run);
		return out;
	}
	return jv_array_append(out, jvx_set(jvx_put(jv_object(), "role", side),
					"content", cacheable(run)));
}

void
dialect_body(const struct ask *a, struct buf *out)
{
	jv body = jvx_put(jv_object(), "model", a->model), sys = jv_invalid();

	if (a->dialect == OPENAI)
		body = jvx_set(body, "messages", openai_messages(a));
	else {
		body = jvx_set(body, "messages", anthropic_messages(a, &sys));
		if (jv_array_length(jv_copy(sys)) > 0)
			body = jvx_set(body, "system", cacheable(jv_copy(sys)));
	}
	jv_free(sys);
	if (jv_array_length(jv_copy(a->tools)) > 0)
		body = jvx_set(body, "tools", tools(a));
	if (a->max_tokens > 0)
		body = jvx_put_num(body,
		    a->completion_tokens ? "max_completion_tokens"
					 : "max_tokens",
		    (double)a->max_tokens);
	if (a->temperature >= 0)
		body = jvx_put_num(body, "temperature", a->temperature);
	if (a->stream) {
		body = jvx_set(body, "stream", jv_true());
		if (a->dialect == OPENAI && !a->no_stream_options)
			body = jvx_set(body, "stream_options",
			    jvx_set(jv_object(), "include_usage", jv_true()));
	}
	jvx_add(out, body);
	jv_free(body);
}

/* --- an answer --- */

void
turn_init(struct turn *t, enum dialect d)
{
	memset(t, 0, sizeof(*t));
	t->dialect = d;
	t->input = t->output = t->cached = t->written = t->cost = -1;
}

void
turn_free(struct turn *t)
{
	for (size_t i = 0; i < t->ncalls; i++) {
		free(t->calls[i].id);
		free(t->calls[i].name);
		buf_free(&t->calls[i].args);
	}
	free(t->calls);
	free(t->model);
	free(t->finish);
	buf_free(&t->text);
	buf_free(&t->err);
}

static void
keep(char **slot, const char *s)
{
	if (s == NULL || s[0] == '\0')
		return;
	free(*slot);
	*slot = xstrdup(s);
}

/* The call with the provider's index, made when it is new. */
static struct turn_call *
call_at(struct turn *t, int index)
{
	for (size_t i = 0; i < t->ncalls; i++)
		if (t->calls[i].index == index)
			return &t->calls[i];
	if (t->ncalls == TURN_CALLS_MAX) {
		t->rubbish = true;
		return NULL;
	}
	t->calls = xrealloc(t->calls, (t->ncalls + 1) * sizeof(*t->calls));
	memset(&t->calls[t->ncalls], 0, sizeof(*t->calls));
	t->calls[t->ncalls].index = index;
	return &t->calls[t->ncalls++];
}

static void
finish(struct turn *t, const char *word)
{
	static const char *const words[][2] = { { "end_turn", "stop" },
		{ "stop_sequence", "stop" }, { "max_tokens", "length" },
		{ "tool_use", "tool_calls" }, { "function_call", "tool_calls" },
		{ "refusal", "content_filter" } };

	for (size_t i = 0; word != NULL && i < 6; i++)
		if (strcmp(word, words[i][0]) == 0)
			word = words[i][1];
	keep(&t->finish, word);
}

/* --- errors in place of an answer --- */

void
dialect_error(const char *body, size_t n, struct buf *out)
{
	jv v = jvx_parse(body, n), e = jvx_get(v, "error");
	const char *s = jvx_str(e, "message"), *type, *code;
	size_t from = out->len;

	if (s == NULL)
		s = jvx_str(v, "error");
	if (s == NULL)
		s = jvx_str(v, "message");
	if (s == NULL)
		s = jvx_str(v, "detail");
	type = jvx_str(e, "type");
	code = jvx_str(e, "code");
	if (s != NULL)
		buf_str(out, s);
	else
		buf_add(out, body, n < 200 ? n : 200);
	if (type != NULL)
		buf_fmt(out, " (%s)", type);
	if (code != NULL && (type == NULL || strcmp(code, type) != 0))
		buf_fmt(out, " (%s)", code);
	for (size_t i = from; i < out->len; i++)
		if ((unsigned char)out->s[i] < ' ')
			out->s[i] = ' ';
	jv_free(e);
	jv_free(v);
}

static void
error_event(struct turn *t, jv v)
{
	static const struct {
		const char *type;
		int status;
	} kinds[] = { { "overloaded_error", 529 }, { "rate_limit_error", 429 },
		{ "rate_limit_exceeded", 429 }, { "insufficient_quota", 429 },
		{ "authentication_error", 401 }, { "permission_error", 403 },
		{ "invalid_request_error", 400 }, { "not_found_error", 404 },
		{ "billing_error", 402 } };
	jv e = jvx_get(v, "error");
	const char *type = jvx_str(e, "type");
	double code = jvx_num(e, "code", 0);
	struct buf b = BUF_INIT;

	t->err_status = code >= 400 && code < 600 ? (int)code : 500;
	for (size_t i = 0; type != NULL && i < sizeof(kinds) / sizeof(*kinds);
	     i++)
		if (strcmp(type, kinds[i].type) == 0)
			t->err_status = kinds[i].status;
	jvx_add(&b, v);
	dialect_error(buf_text(&b), b.len, &t->err);
	buf_free(&b);
	jv_free(e);
}

/* --- OpenAI --- */

/* The number at key, within 0 and most; absent as it is. */
static double
count(jv u, const char *key, double absent, double most)
{
	if (jvx_kind(u, key) != JV_KIND_NUMBER)
		return absent;
	return usage_within(jvx_num(u, key, 0), most);
}

static void
openai_usage(struct turn *t, jv v)
{
	jv u = jvx_get(v, "usage"), d = jvx_get(u, "prompt_tokens_details");

	t->input = count(u, "prompt_tokens", t->input, USAGE_TOKENS_MAX);
	t->output = count(u, "completion_tokens", t->output, USAGE_TOKENS_MAX);
	t->cached = count(d, "cached_tokens", t->cached, USAGE_TOKENS_MAX);
	t->cost = count(u, "cost", t->cost, USAGE_COST_MAX);
	jv_free(d);
	jv_free(u);
}

static void
openai_calls(struct turn *t, jv message)
{
	jv calls = jvx_get(message, "tool_calls");

	if (jv_get_kind(calls) == JV_KIND_ARRAY)
		jv_array_foreach (calls, i, c) {
			jv f = jvx_get(c, "function");
			const char *id = jvx_str(c, "id");
			double index = jvx_num(c, "index", -1);
			struct turn_call *call;

			/* Some servers leave the index out: an id begins the
			 * next call. */
			if (!(index >= 0 && index < 1e6))
				index = (double)t->ncalls -
					(id != NULL || t->ncalls == 0 ? 0 : 1);
			call = call_at(t, (int)index);
			if (call != NULL) {
				keep(&call->id, id);
				keep(&call->name, jvx_str(f, "name"));
				arguments(f, &call->args);
			}
			jv_free(f);
			jv_free(c);
		}
	jv_free(calls);
}

static void
openai(struct turn *t, jv v, const char *part)
{
	jv choices = jvx_get(v, "choices"), choice = jv_null(), m;

	keep(&t->model, jvx_str(v, "model"));
	openai_usage(t, v);
	if (jv_get_kind(choices) == JV_KIND_ARRAY &&
	    jv_array_length(jv_copy(choices)) > 0)
		choice = jv_array_get(jv_copy(choices), 0);
	m = jvx_get(choice, part);
	if (jv_get_kind(m) == JV_KIND_OBJECT) {
		content(m, &t->text);
		openai_calls(t, m);
	}
	finish(t, jvx_str(choice, "finish_reason"));
	jv_free(m);
	jv_free(choice);
	jv_free(choices);
}

/* --- Anthropic --- */

static void
anthropic_usage(struct turn *t, jv v)
{
	jv u = jvx_get(v, "usage");
	double fresh = count(u, "input_tokens", -1, USAGE_TOKENS_MAX);

	t->cached =
	    count(u, "cache_read_input_tokens", t->cached, USAGE_TOKENS_MAX);
	t->written = count(
	    u, "cache_creation_input_tokens", t->written, USAGE_TOKENS_MAX);
	if (fresh >= 0)
		t->input = fresh + (t->cached > 0 ? t->cached : 0) +
			   (t->written > 0 ? t->written : 0);
	t->output = count(u, "output_tokens", t->output, USAGE_TOKENS_MAX);
	jv_free(u);
}

/* The beginning of a block, or all of it when the answer came whole. */
static void
anthropic_block(struct turn *t, jv b, int index, bool whole)
{
	const char *type = jvx_str(b, "type");
	struct turn_call *call;
	jv input;

	if (type != NULL && strcmp(type, "text") == 0 &&
	    jvx_str(b, "text") != NULL)
		buf_str(&t->text, jvx_str(b, "text"));
	if (type == NULL || strcmp(type, "tool_use") != 0 ||
	    (call = call_at(t, index)) == NULL)
		return;
	keep(&call->id, jvx_str(b, "id"));
	keep(&call->name, jvx_str(b, "name"));
	input = jvx_get(b, "input");
	if (whole)
		jvx_add(&call->args, input);
	jv_free(input);
}

static void
anthropic_whole(struct turn *t, jv v)
{
	jv list = jvx_get(v, "content");

	keep(&t->model, jvx_str(v, "model"));
	if (jv_get_kind(list) == JV_KIND_ARRAY)
		jv_array_foreach (list, i, b) {
			anthropic_block(t, b, i, true);
			jv_free(b);
		}
	jv_free(list);
	anthropic_usage(t, v);
	finish(t, jvx_str(v, "stop_reason"));
}

static void
anthropic_event(struct turn *t, jv v)
{
	const char *type = jvx_str(v, "type"), *s;
	double index = jvx_num(v, "index", 0);
	jv m = jvx_get(v, "message"), b = jvx_get(v, "content_block"),
	   d = jvx_get(v, "delta");
	struct turn_call *call;

	if (type == NULL || !(index >= 0 && index < 1e6))
		t->rubbish = true;
	else if (strcmp(type, "message_start") == 0) {
		keep(&t->model, jvx_str(m, "model"));
		anthropic_usage(t, m);
	} else if (strcmp(type, "content_block_start") == 0)
		anthropic_block(t, b, (int)index, false);
	else if (strcmp(type, "content_block_delta") == 0) {
		if ((s = jvx_str(d, "text")) != NULL)
			buf_str(&t->text, s);
		if ((s = jvx_str(d, "partial_json")) != NULL &&
		    (call = call_at(t, (int)index)) != NULL)
			buf_str(&call->args, s);
	} else if (strcmp(type, "message_delta") == 0) {
		finish(t, jvx_str(d, "stop_reason"));
		anthropic_usage(t, v);
	} else if (strcmp(type, "message_stop") == 0)
		t->end = true;
	jv_free(m);
	jv_free(b);
	jv_free(d);
}

/* --- both --- */

static void
take(struct turn *t, const char *p, size_t n, bool whole)
{
	jv v = jvx_parse(p, n);
	jv_kind error = jvx_kind(v, "error");

	if (jv_get_kind(v) != JV_KIND_OBJECT)
		t->rubbish = true;
	else if (error == JV_KIND_OBJECT || error == JV_KIND_STRING)
		error_event(t, v);
	else if (t->dialect == OPENAI)
		openai(t, v, whole ? "message" : "delta");
	else if (whole)
		anthropic_whole(t, v);
	else
		anthropic_event(t, v);
	jv_free(v);
}

int
turn_event(struct turn *t, const char *data, size_t n)
{
	if (t->dialect == OPENAI && n >= 6 && memcmp(data, "[DONE]", 6) == 0)
		t->end = true;
	else
		take(t, data, n, false);
	return t->end || t->rubbish || t->err_status != 0;
}

void
turn_whole(struct turn *t, const char *body, size_t n)
{
	take(t, body, n, true);
	t->end = true;
}

static jv
usage(const struct turn *t)
{
	jv u = jv_object();

	if (t->input >= 0)
		u = jvx_put_num(u, "input_tokens",
		    usage_within(t->input, USAGE_TOKENS_MAX));
	if (t->output >= 0)
		u = jvx_put_num(u, "output_tokens", t->output);
	if (t->cached >= 0)
		u = jvx_put_num(u, "cached_tokens", t->cached);
	if (t->cost >= 0)
		u = jvx_put_num(u, "cost_usd", usage_cost(t->cost));
	return u;
}

jv
turn_message(const struct turn *t)
{
	jv m = jvx_put(jv_object(), "role", "assistant"), calls = jv_array();

	m = jvx_putn(m, "content", buf_text(&t->text), t->text.len);
	for (size_t i = 0; i < t->ncalls; i++) {
		struct turn_call *c = &t->calls[i];
		char *id = c->id != NULL ? xstrdup(c->id)
					 : xasprintf("call_%zu", i + 1);

		calls = jv_array_append(
		    calls, call_neutral(id, c->name != NULL ? c->name : "",
			       c->args.len > 0 ? c->args.s : "{}",
			       c->args.len > 0 ? c->args.len : 2));
		free(id);
	}
	if (t->ncalls > 0)
		m = jvx_set(m, "tool_calls", calls);
	else
		jv_free(calls);
	m = jvx_put(m, "finish", t->finish);
	m = jvx_put(m, "model", t->model);
	return jvx_set(m, "usage", usage(t));
}
