/*
 * tera-ask: one turn with a language model, messages in, message out.
 *
 * It stays correct by having one way out: an answer that is whole (it said
 * how it ended and holds words or calls), or one error object with the exit
 * status of what stood in the way.  Whatever may pass (busy, broken, silent)
 * is tried again within the tries and the time that were given; a quota is
 * handed back at once with the time when it is worth asking again.  The key
 * comes from the environment and is masked in all that is sent, printed and
 * recorded.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "dialect.h"
#include "err.h"
#include "http.h"
#include "jvx.h"
#include "mask.h"
#include "normal.h"
#include "replay.h"
#include "spawn.h"
#include "sse.h"
#include "usage.h"

#define INPUT_MAX (16 * 1024 * 1024)
#define ANSWER_MAX (16 * 1024 * 1024)
#define MAX_TOKENS 8192
#define WAIT_MAX 30.0   /* seconds between two tries, unless told */
#define BUSY_AFTER 60.0 /* when to come back, for a provider that is mute */
#define QUOTA_AFTER 3600.0
#define AFTER_MAX 86400.0 /* run_after is no later than that */

static const char synopsis[] =
    "[api=openai | anthropic] [idle=seconds] [model=name]\n"
    "                [price@file] [record=file | replay=file]\n"
    "                [role=director | worker] [seconds=seconds]\n"
    "                [stream=false] [temperature=number] [tokens=number]\n"
    "                [tools@file] [tries=number] [url=address]";

struct options {
	const char *url, *model, *key;
	const char *role, *api, *tools, *price, *record, *replay;
	double seconds, backoff;
	long idle, tries;
};

/* What stood in the way. */
struct trouble {
	int code;
	char msg[1024];
	double after; /* seconds until it is worth asking again, -1 */
	bool again;   /* may pass by itself */
	bool busy;    /* the provider had no room: never a failure of ours */
	bool rubbish;
	long status;
};

static struct mask secrets;

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* From 0 to 1, different in processes that fail at the same moment. */
static double
chance(void)
{
	unsigned int r = 0;

	if (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r))
		r = (unsigned int)getpid() * 2654435761U;
	return (double)r / 4294967295.0;
}

static void
pause_for(double seconds)
{
	struct timespec ts = { (time_t)seconds, 0 };

	ts.tv_nsec = (long)((seconds - (double)ts.tv_sec) * 1e9);
	while (nanosleep(&ts, &ts) != 0 && errno == EINTR)
		;
}

/* --- out --- */

static void
print(jv v)
{
	struct buf b = BUF_INIT;

	jvx_add(&b, v);
	mask_buf(&secrets, &b, 0);
	buf_chr(&b, '\n');
	fwrite(b.s, 1, b.len, stdout);
	buf_free(&b);
	jv_free(v);
}

static _Noreturn void
refuse(const struct trouble *t)
{
	jv e = jvx_put(jv_object(), "stage", "ask"), out;
	struct buf msg = BUF_INIT;
	char text[32];
	time_t at;

	buf_str(&msg, t->msg);
	mask_buf(&secrets, &msg, 0);
	e = jvx_put_num(e, "code", t->code);
	e = jvx_put(e, "message", buf_text(&msg));
	out = jvx_set(jv_object(), "error", e);
	if (t->code == EX_TEMPFAIL) {
		at = time(NULL) +
		     (time_t)ceil(fmin(fmax(t->after, 0), AFTER_MAX));
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime(&at));
		out = jvx_put(out, "run_after", text);
	}
	print(out);
	warn("%s", buf_text(&msg));
	exit(out_end(t->code));
}

static _Noreturn void refuse_fmt(int code, const char *fmt, ...) PRINTF(2, 3);

static _Noreturn void
refuse_fmt(int code, const char *fmt, ...)
{
	struct trouble t = { .code = code };
	struct fault f;
	va_list ap;

	va_start(ap, fmt);
	vfail(&f, code, fmt, ap);
	va_end(ap);
	snprintf(t.msg, sizeof(t.msg), "%s", f.msg);
	refuse(&t);
}

/* --- in --- */

/* The talk: a line with a role is a message, others are the caller's. */
static jv
read_talk(void)
{
	struct buf in = BUF_INIT;
	jv list = jv_array();
	const char *p, *end, *why;
	long no = 0;
	int rc = buf_file(&in, "-", INPUT_MAX);

	if (rc < 0)
		refuse_fmt(EX_NOINPUT, "standard input:");
	if (rc > 0)
		refuse_fmt(
		    EX_DATAERR, "the talk is longer than %d bytes", INPUT_MAX);
	mask_buf(&secrets, &in, 0);
	for (p = in.s; p != NULL && p < in.s + in.len; p = end + 1) {
		jv line, m;
		size_t n;

		end = memchr(p, '\n', (size_t)(in.s + in.len - p));
		if (end == NULL)
			end = in.s + in.len;
		no++;
		n = (size_t)(end - p);
		if (n == strspn(p, " \t\r"))
			continue;
		line = jvx_parse(p, n);
		if (jv_get_kind(line) != JV_KIND_OBJECT)
			refuse_fmt(EX_DATAERR, "line %ld: no JSON object", no);
		if (jvx_kind(line, "role") == JV_KIND_INVALID) {
			jv_free(line);
			continue;
		}
		m = dialect_message(line, &why);
		if (!jv_is_valid(m))
			refuse_fmt(EX_DATAERR, "line %ld: %s", no, why);
		list = jv_array_append(list, m);
		jv_free(line);
	}
	buf_free(&in);
	if (jv_array_length(jv_copy(list)) == 0)
		refuse_fmt(EX_DATAERR, "no message on standard input");
	return list;
}

static jv
read_tools(const char *file)
{
	struct buf b = BUF_INIT;
	jv v;

	if (file == NULL)
		return jv_array();
	if (buf_file(&b, file, INPUT_MAX) != 0)
		refuse_fmt(EX_NOINPUT, "%s:", file);
	v = jvx_parse(buf_text(&b), b.len);
	if (jv_get_kind(v) != JV_KIND_ARRAY)
		refuse_fmt(EX_DATAERR, "%s: no JSON array of tools", file);
	buf_free(&b);
	return v;
}

/* --- what it cost --- */

static double
env_price(const char *name)
{
	const char *s = getenv(name);
	char *end;
	double n;

	if (s == NULL || s[0] == '\0')
		return -1;
	n = strtod(s, &end);
	return *end == '\0' && n >= 0 ? n : -1;
}

/* Is it model, or model with the date of its making behind? */
static bool
dated(const char *name, const char *model)
{
	size_t n = strlen(model);

	return strncmp(name, model, n) == 0 &&
	       (name[n] == '\0' ||
		   ((name[n] == '-' || name[n] == '@') && name[n + 1] == '2' &&
		       strspn(name + n + 1, "0123456789-") >= 8 &&
		       name[n + 1 + strspn(name + n + 1, "0123456789-")] ==
			   '\0'));
}

static jv
price_of(const char *file, const char *model)
{
	const char *slash = strrchr(model, '/');
	char *own = file == NULL ? share_path("price.json") : xstrdup(file);
	struct buf b = BUF_INIT;
	jv all, found = jv_null();

	if (own == NULL || buf_file(&b, own, INPUT_MAX) != 0) {
		if (file != NULL)
			warn("%s:", file);
		free(own);
		buf_free(&b);
		return found;
	}
	all = jvx_parse(buf_text(&b), b.len);
	if (jv_get_kind(all) == JV_KIND_OBJECT)
		jv_object_foreach (all, key, v) {
			const char *k = jv_string_value(key);

			if (dated(model, k) ||
			    (slash != NULL && dated(slash + 1, k))) {
				jv_free(found);
				found = jv_copy(v);
			}
			jv_free(key);
			jv_free(v);
		}
	else
		warn("%s: no JSON object", own);
	jv_free(all);
	free(own);
	buf_free(&b);
	return found;
}

/* Fills cost when the provider did not; leaves it below 0 when unknown. */
static void
reckon(struct turn *t, const struct options *o)
{
	double in = env_price("TERA_PRICE_INPUT");
	double out = env_price("TERA_PRICE_OUTPUT"), cached, written;
	double ncached = t->cached > 0 ? t->cached : 0;
	double nwritten = t->written > 0 ? t->written : 0;
	jv p = jv_null();

	if (t->cost >= 0 || t->input < 0 || t->output < 0)
		return;
	if (in < 0 || out < 0) {
		p = price_of(o->price, o->model);
		in = jvx_num(p, "input", -1);
		out = jvx_num(p, "output", -1);
	}
	cached = jvx_num(p, "cached", in);
	written = jvx_num(p, "written", in);
	jv_free(p);
	if (in < 0 || out < 0)
		return;
	t->cost = usage_cost(
	    ((t->input - ncached - nwritten) * in + ncached * cached +
		nwritten * written + t->output * out) /
	    1e6);
	t->cost = round(t->cost * 1e9) / 1e9;
}

/* --- one try --- */

static int
on_event(void *arg, const char *name, const char *data, size_t n)
{
	(void)name; /* the data says its type too */
	return turn_event(arg, data, n);
}

static int
on_chunk(void *arg, const char *p, size_t n)
{
	struct sse *s = arg;

	return sse_feed(s, p, n);
}

static bool
names_quota(const char *s)
{
	return strcasestr(s, "insufficient_quota") != NULL ||
	       strcasestr(s, "usage limit") != NULL ||
	       strcasestr(s, "credit balance") != NULL ||
	       strcasestr(s, "billing") != NULL;
}

/* What an HTTP status (or an error event that stands for one) means. */
static void
judge(struct trouble *t, long status, const char *words)
{
	t->status = status;
	snprintf(t->msg, sizeof(t->msg), "the model's server says %ld: %s",
	    status, words[0] != '\0' ? words : "nothing more");
	t->busy = status == 429 || status == 529;
	t->again = t->busy || status == 408 || status == 409 || status >= 500 ||
		   status == 425;
	if (status == 402 ||
	    (status >= 400 && status < 500 && names_quota(words)) ||
	    (status == 429 && strcasestr(words, "quota") != NULL)) {
		t->code = EX_TEMPFAIL;
		t->again = false;
		if (t->after < 0)
			t->after = QUOTA_AFTER;
	} else if (t->again)
		t->code = EX_UNAVAILABLE;
	else if (status == 401 || status == 403)
		t->code = EX_NOPERM;
	else if (status == 404 || status == 405 || status / 100 == 3)
		t->code = EX_CONFIG;
	else
		t->code = EX_DATAERR;
}

static void
rubbish(struct trouble *t, const char *what)
{
	t->code = EX_PROTOCOL;
	t->again = t->rubbish = true;
	snprintf(t->msg, sizeof(t->msg), "%s", what);
}

/* Is what came an answer? */
static bool
good(const struct turn *turn, const struct ask *a, struct trouble *t)
{
	bool nameless = false;

	for (size_t i = 0; i < turn->ncalls; i++)
		nameless |= turn->calls[i].name == NULL;
	if (turn->rubbish || nameless)
		rubbish(t, "the model's server sent what is no answer");
	else if (turn->finish == NULL && turn->text.len == 0 &&
		 turn->ncalls == 0)
		rubbish(t, "the model's answer is empty");
	else if (turn->finish == NULL) {
		t->code = EX_UNAVAILABLE;
		t->again = true;
		snprintf(
		    t->msg, sizeof(t->msg), "the model's answer broke off");
	} else if (turn->text.len == 0 && turn->ncalls == 0) {
		rubbish(t, "the model's answer is empty");
		if (strcmp(turn->finish, "length") == 0) {
			t->again = false;
			snprintf(t->msg, sizeof(t->msg),
			    "the model used up the limit of %ld tokens "
			    "before its first word",
			    a->max_tokens);
		}
	} else
		return true;
	return false;
}

/* Reads a 200 that is no event stream by its header. */
static void
whole(struct turn *turn, struct sse *sse, const struct buf *body)
{
	if (strncmp(buf_text(body), "data:", 5) == 0 ||
	    strncmp(buf_text(body), "event:", 6) == 0)
		sse_feed(sse, body->s, body->len);
	else if (body->len > 0)
		turn_whole(turn, body->s, body->len);
}

/* Asks once.  Returns true with the turn, or false with the trouble. */
static bool
attempt(const struct ask *a, const struct options *o, double left,
    struct turn *turn, struct http_res *res, struct trouble *t)
{
	char *url = dialect_url(a->dialect, o->url), *auth = NULL;
	const char *headers[5] = { "Content-Type: application/json" };
	struct sse sse = { .event = on_event, .arg = turn };
	struct buf body = BUF_INIT, words = BUF_INIT;
	struct http_req req = { .url = url,
		.headers = headers,
		.total = left,
		.idle = a->stream ? o->idle : 0,
		.max = ANSWER_MAX,
		.chunk = on_chunk,
		.arg = &sse };
	enum http_end end;
	size_t n = 1;
	bool fine = false;

	memset(t, 0, sizeof(*t));
	if (o->key != NULL)
		headers[n++] = auth = xasprintf("%s%s",
		    a->dialect == OPENAI ? "Authorization: Bearer "
					 : "x-api-key: ",
		    o->key);
	if (a->dialect == ANTHROPIC)
		headers[n++] = "anthropic-version: 2023-06-01";
	if (a->stream)
		headers[n++] = "Accept: text/event-stream";
	dialect_body(a, &body);
	req.body = body.s;
	req.len = body.len;
	end = http_call(&req, res);
	t->after = res->retry_after;
	if (end == HTTP_DONE && res->status / 100 == 2)
		whole(turn, &sse, &res->body);
	sse_end(&sse);
	if (sse.rc == -1)
		turn->rubbish = true;
	if (end == HTTP_BAD)
		refuse_fmt(EX_CONFIG, "%s: %s", o->url, res->err);
	if (turn->err_status != 0)
		judge(t, turn->err_status, buf_text(&turn->err));
	else if (end == HTTP_DONE && res->status / 100 != 2) {
		dialect_error(buf_text(&res->body), res->body.len, &words);
		judge(t, res->status, buf_text(&words));
	} else if (end == HTTP_TOO_BIG)
		rubbish(t, res->err);
	else if (end != HTTP_DONE && end != HTTP_STOPPED &&
		 turn->finish == NULL) {
		t->code = EX_UNAVAILABLE;
		t->again = true;
		snprintf(t->msg, sizeof(t->msg), "%s: %s", url, res->err);
	} else
		fine = good(turn, a, t);
	sse_free(&sse);
	buf_free(&body);
	buf_free(&words);
	if (auth != NULL)
		explicit_bzero(auth, strlen(auth));
	free(auth);
	free(url);
	return fine;
}

/* A 400 that names what the model does not take: asks without it. */
static bool
yielded(struct ask *a, const struct trouble *t)
{
	bool limit = strstr(t->msg, "max_tokens") != NULL ||
		     strstr(t->msg, "max_completion_tokens") != NULL;

	if (t->status != 400 && t->status != 422)
		return false;
	if (a->temperature >= 0 && strcasestr(t->msg, "temperature") != NULL)
		a->temperature = -1;
	else if (a->dialect == OPENAI && limit && !a->completion_tokens &&
		 a->max_tokens > 0)
		a->completion_tokens = true;
	else if (a->dialect == OPENAI && limit && a->max_tokens > 0)
		a->max_tokens = 0;
	else if (a->dialect == OPENAI && a->stream && !a->no_stream_options &&
		 strstr(t->msg, "stream_options") != NULL)
		a->no_stream_options = true;
	else
		return false;
	return true;
}

/* How long to wait before try n + 1. */
static double
wait_for(const struct trouble *t, const struct options *o, long n)
{
	double most = o->backoff * pow(2, (double)(n < 16 ? n : 16) - 1);

	if (t->after >= 0)
		return t->after + chance() * fmin(o->backoff, 1);
	return chance() * fmin(most, WAIT_MAX);
}

/* Asks until there is an answer.  Does not return when there is none. */
static jv
ask(struct ask *a, const struct options *o)
{
	double start = now(), deadline = start + o->seconds, wait;
	int nonsense = 0;

	for (long n = 1;; n++) {
		struct http_res res;
		struct trouble t;
		struct turn turn;
		jv m;

		turn_init(&turn, a->dialect);
		if (attempt(
			a, o, fmax(deadline - now(), 0.001), &turn, &res, &t)) {
			reckon(&turn, o);
			m = turn_message(&turn);
			if (turn.model == NULL)
				m = jvx_put(m, "model", o->model);
			m = jvx_put_num(m, "ms", round((now() - start) * 1000));
			if (res.request_id[0] != '\0')
				m = jvx_put(m, "request_id", res.request_id);
			if (n > 1)
				m = jvx_put_num(m, "tries", (double)n);
			turn_free(&turn);
			http_free(&res);
			return m;
		}
		turn_free(&turn);
		http_free(&res);
		if (yielded(a, &t)) {
			n--;
			continue;
		}
		nonsense += t.rubbish;
		wait = wait_for(&t, o, n);
		if (!t.again || nonsense > 1 || n >= o->tries ||
		    now() + wait >= deadline) {
			/* Told to wait, or no room: the job can be parked. */
			if (t.again && !t.rubbish && (t.busy || t.after >= 0)) {
				t.code = EX_TEMPFAIL;
				if (t.after < 0)
					t.after = BUSY_AFTER;
			}
			refuse(&t);
		}
		pause_for(wait);
	}
}

/* --- who is asked --- */

static const char *
env(const char *a, const char *b)
{
	const char *s = getenv(a);

	if (s == NULL || s[0] == '\0')
		s = getenv(b);
	return s != NULL && s[0] != '\0' ? s : NULL;
}

/* "https://host:port" of a URL. */
static size_t
origin(const char *url)
{
	const char *p = strstr(url, "://");

	p = p != NULL ? p + 3 : url;
	return (size_t)(p - url) + strcspn(p, "/?#");
}

/*
 * The worker's model is the Director's unless it is named.  The Director's
 * key goes along only to the Director's server.
 */
static void
settle(struct options *o, struct ask *a)
{
	const char *url = env("TERA_MODEL_URL", "AGENT_LLM_URL");
	const char *key = env("TERA_MODEL_KEY", "AGENT_API_KEY");
	const char *model = env("TERA_MODEL", "AGENT_MODEL");
	const char *api = env("TERA_MODEL_API", "");

	if (strcmp(o->role, "worker") == 0) {
		const char *own = env("TERA_WORKER_URL", "WORKER_LLM_URL");
		const char *mine = env("TERA_WORKER_KEY", "WORKER_API_KEY");

		if (own != NULL && (url == NULL || origin(own) != origin(url) ||
				       strncmp(own, url, origin(own)) != 0)) {
			key = NULL;
			api = NULL;
		}
		url = own != NULL ? own : url;
		key = mine != NULL ? mine : key;
		if (env("TERA_WORKER_MODEL", "WORKER_MODEL") != NULL)
			model = env("TERA_WORKER_MODEL", "WORKER_MODEL");
		if (env("TERA_WORKER_API", "") != NULL)
			api = env("TERA_WORKER_API", "");
	}
	if (o->url == NULL)
		o->url = url;
	if (o->model == NULL)
		o->model = model;
	if (o->api == NULL)
		o->api = api;
	o->key = key;
	if (o->url == NULL)
		refuse_fmt(
		    EX_CONFIG, "no model to ask: TERA_MODEL_URL is not set");
	if (o->model == NULL)
		refuse_fmt(EX_CONFIG, "which model? TERA_MODEL is not set");
	for (const char *p = o->key; p != NULL && *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			refuse_fmt(EX_CONFIG,
			    "the model's key has a blank or a line end");
	if (o->api == NULL)
		o->api = strstr(o->url, "anthropic") != NULL ? "anthropic"
							     : "openai";
	if (strcmp(o->api, "anthropic") != 0 && strcmp(o->api, "openai") != 0)
		refuse_fmt(EX_CONFIG, "%s: no API that is known", o->api);
	a->dialect = strcmp(o->api, "anthropic") == 0 ? ANTHROPIC : OPENAI;
	a->model = o->model;
}

/* --- recording and replaying --- */

static jv
record(const char *file, jv request, struct normal *table, jv answer)
{
	struct buf b = BUF_INIT;
	jv clean;

	jvx_add(&b, answer);
	mask_buf(&secrets, &b, 0);
	clean = jvx_parse(b.s, b.len);
	if (replay_record(file, table, request, clean) != 0)
		refuse_fmt(EX_CANTCREAT, "recording %s:", file);
	jv_free(clean);
	buf_free(&b);
	return answer;
}

static int
replay(const char *file, jv request, struct normal *table)
{
	struct buf diff = BUF_INIT;
	struct fault f = { 0 };
	jv m = replay_answer(file, table, request, &diff, &f), e;
	int code = 0;

	if (!jv_is_valid(m)) {
		mask_buf(&secrets, &diff, 0);
		for (char *p = diff.s, *end; p != NULL && *p != '\0';
		     p = end + 1) {
			end = strchr(p, '\n');
			*end = '\0';
			warn("%s", p);
		}
		buf_free(&diff);
		refuse_fmt(f.code, "%s", f.msg);
	}
	buf_free(&diff);
	e = jvx_get(m, "error");
	if (jv_get_kind(e) == JV_KIND_OBJECT) {
		code = (int)jvx_num(e, "code", EX_UNAVAILABLE);
		warn("%s", jvx_str(e, "message") != NULL
			       ? jvx_str(e, "message")
			       : "the recording holds an error");
	}
	jv_free(e);
	print(jvx_set(m, "replayed", jv_true()));
	return code;
}

/* --- main --- */

/* The number of a key, absent where that is not there. */
static double
number(const char *key, const char *s, double least, double most, double absent)
{
	char *end;
	double n;

	if (s == NULL)
		return absent;
	n = strtod(s, &end);
	if (end == s || *end != '\0' || !(n >= least) || n > most)
		die(EX_USAGE, "%s %.40s: want a number up to %g", key, s, most);
	return n;
}

/* Ends the command when the text of a key is neither of two words. */
static void
either(const char *key, const char *s, const char *a, const char *b)
{
	if (s != NULL && strcmp(s, a) != 0 && strcmp(s, b) != 0)
		die(EX_USAGE, "%s %.40s: want %s or %s", key, s, a, b);
}

static void
options(int argc, char *argv[], struct options *o, struct ask *a)
{
	const char *ms = getenv("TERA_RETRY_MS"), *record = NULL,
		   *replay = NULL, *stream = NULL, *idle = NULL, *tries = NULL,
		   *seconds = NULL, *temperature = NULL, *tokens = NULL;
	const struct cmd_key keys[] = {
		{ "api", &o->api, NULL },
		{ "idle", &idle, NULL },
		{ "model", &o->model, NULL },
		{ "price", NULL, &o->price },
		{ "record", &record, NULL },
		{ "replay", &replay, NULL },
		{ "role", &o->role, NULL },
		{ "seconds", &seconds, NULL },
		{ "stream", &stream, NULL },
		{ "temperature", &temperature, NULL },
		{ "tokens", &tokens, NULL },
		{ "tools", NULL, &o->tools },
		{ "tries", &tries, NULL },
		{ "url", &o->url, NULL },
	};

	if (ms != NULL && ms[0] != '\0')
		o->backoff = fmax(strtod(ms, NULL), 0) / 1000;
	if (getopt(argc, argv, "") != -1)
		err_usage();
	cmd_keys(
	    keys, sizeof(keys) / sizeof(*keys), argc - optind, argv + optind);
	if (record != NULL && replay != NULL)
		err_usage();
	either("role", o->role, "director", "worker");
	either("api", o->api, "openai", "anthropic");
	either("stream", stream, "true", "false");
	a->stream = stream == NULL || strcmp(stream, "true") == 0;
	a->temperature = number("temperature", temperature, 0, 10, -1);
	a->max_tokens = (long)number("tokens", tokens, 1, 1e7, MAX_TOKENS);
	o->idle = (long)number("idle", idle, 1, 86400, o->idle);
	o->tries = (long)number("tries", tries, 1, 1000, o->tries);
	o->seconds = number("seconds", seconds, 1e-3, 1e6, o->seconds);
	/* what was asked for goes before the environment */
	o->record = replay != NULL ? NULL : env("TERA_RECORD", "");
	o->replay = record != NULL ? NULL : env("TERA_REPLAY", "");
	if (record != NULL)
		o->record = record;
	if (replay != NULL)
		o->replay = replay;
}

int
main(int argc, char *argv[])
{
	struct options o = { .role = "director",
		.seconds = 600,
		.backoff = 1,
		.idle = 120,
		.tries = 5 };
	struct ask a = { 0 };
	struct normal table;
	jv request = jv_null(), answer;
	int code = 0;

	err_init(argc, argv, synopsis);
	options(argc, argv, &o, &a);
	mask_init(&secrets);
	if (o.replay == NULL)
		settle(&o, &a);
	a.tools = read_tools(o.tools);
	a.messages = read_talk();
	normal_init(&table);
	if (o.replay != NULL || o.record != NULL)
		request = replay_request(&table, a.messages, a.tools);
	if (o.replay != NULL)
		code = replay(o.replay, request, &table);
	else {
		answer = ask(&a, &o);
		if (o.record != NULL)
			answer = record(o.record, request, &table, answer);
		print(answer);
	}
	normal_free(&table);
	jv_free(request);
	jv_free(a.tools);
	jv_free(a.messages);
	mask_free(&secrets);
	return out_end(code);
}
