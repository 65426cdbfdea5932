/* See login.h. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "json.h"
#include "login.h"
#include "shown.h"
#include "token.h"

#define HOURS 12 /* as in auth.session */

static const char page[] =
    "<!doctype html>\n"
    "<html lang=\"en\">\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<title>Tera: log in</title>\n"
    "<form method=\"post\" action=\"login\">\n"
    "<h1>Tera</h1>\n"
    "%s"
    "<p><label>Token <input type=\"password\" name=\"token\" required "
    "autofocus autocomplete=\"current-password\"></label>\n"
    "<button>Log in</button>\n"
    "</form>\n"
    "</html>\n";

/* why: our own words, or "". */
static void
show(struct resp *r, int status, const char *why)
{
	struct buf b = BUF_INIT;

	buf_fmt(&b, page, why);
	buf_free(&r->body);
	r->body = b;
	r->status = status;
	r->type = "text/html; charset=utf-8";
	resp_head(r, "Content-Security-Policy",
	    "default-src 'none'; form-action 'self'; frame-ancestors 'none'; "
	    "base-uri 'none'");
	resp_head(r, "Referrer-Policy", "same-origin");
}

/* The field token of the form; NULL: there is none. */
static char *
field(const struct req *q)
{
	static const char form[] = "application/x-www-form-urlencoded",
			  name[] = "token=";
	const char *type = q->head[HEAD_TYPE];
	char *text = NULL;

	if (type == NULL || strncasecmp(type, form, sizeof(form) - 1) != 0)
		return NULL;
	for (const char *p = buf_text(&q->body); *p != '\0'; p += *p == '&') {
		size_t n = strcspn(p, "&");

		if (n > sizeof(name) - 1 &&
		    strncmp(p, name, sizeof(name) - 1) == 0) {
			p += sizeof(name) - 1;
			n -= sizeof(name) - 1;
			if (!req_decode(p, n, true, &text))
				return NULL;
			break;
		}
		p += n;
	}
	return text;
}

static void
cookie(struct resp *r, const struct req *q, const char *value, long seconds)
{
	resp_head(r, "Set-Cookie",
	    COOKIE "=%s; Path=/; Max-Age=%ld; HttpOnly; SameSite=Strict%s",
	    value, seconds, q->https ? "; Secure" : "");
}

/* Further on, relative to where we are. */
static void
see(struct resp *r, const char *where)
{
	r->status = 303;
	resp_head(r, "Location", "%s", where);
}

static void
let_in(struct auth *a, const struct req *q, const char *hash, struct resp *r)
{
	struct buf in = BUF_INIT;
	struct fault f;
	char id[TOKEN_TEXT], of_id[TOKEN_HASH];
	int rc = EX_CONFIG;

	token_new(id);
	token_hash(id, strlen(id), of_id);
	json_add(&in, "session", of_id);
	json_add(&in, "hash", hash);
	json_add(
	    &in, "host", q->head[HEAD_HOST] != NULL ? q->head[HEAD_HOST] : "");
	if (a->db != NULL)
		rc = db_verb(a->db, verb_find("auth.login"), json_end(&in),
		    NULL, NULL, &f);
	buf_free(&in);
	if (rc != 0) {
		show(r, 503, "<p>The store cannot be written now.\n");
		return;
	}
	cookie(r, q, id, HOURS * 3600L);
	explicit_bzero(id, sizeof(id));
	see(r, "./");
}

static void
log_in(struct auth *a, const struct req *q, struct resp *r)
{
	struct caller c = { .name = NULL };
	char hash[TOKEN_HASH], *text = field(q);

	if (text == NULL || *text == '\0') {
		show(r, 400, "<p>A token is wanted.\n");
		free(text);
		return;
	}
	text[strcspn(text, " \t\r\n")] = '\0';
	if (shown_key(a, q, text, strlen(text), hash, &c, r))
		let_in(a, q, hash, r);
	else if (r->status == 429)
		show(r, 429, "<p>Too many attempts failed: wait a minute.\n");
	else
		show(r, 401, "<p>That is no token that may come in.\n");
	caller_free(&c);
	explicit_bzero(text, strlen(text));
	free(text);
}

static void
log_out(struct auth *a, const struct req *q, struct resp *r)
{
	struct buf in = BUF_INIT;
	struct fault f;
	char hash[TOKEN_HASH];

	if (auth_session(q, hash) && a->db != NULL) {
		json_add(&in, "session", hash);
		if (db_verb(a->db, verb_find("auth.logout"), json_end(&in),
			NULL, NULL, &f) != 0) {
			resp_error(r, 503, "the session could not be ended");
			buf_free(&in);
			return;
		}
		buf_free(&in);
	}
	cookie(r, q, "", 0);
	see(r, "login");
}

void
login_answer(struct auth *a, const struct req *q, struct resp *r)
{
	if (strcmp(q->method, "GET") == 0)
		show(r, 200, "");
	else if (req_cross_site(q))
		resp_error(r, 403, "not from a page of another site");
	else if (strcmp(q->path, "/login") == 0)
		log_in(a, q, r);
	else
		log_out(a, q, r);
}
