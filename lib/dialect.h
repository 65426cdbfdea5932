/*
 * dialect: the two ways in which models are asked, OpenAI's chat completions
 * and Anthropic's messages, behind one form: a talk is OpenAI's messages, an
 * answer is a turn that is put together from events or read at once.
 */
#ifndef TERA_DIALECT_H
#define TERA_DIALECT_H

#include <stdbool.h>

#include "buf.h"
#include "jvx.h"

enum dialect { OPENAI, ANTHROPIC };

struct ask {
	enum dialect dialect;
	const char *model;
	jv messages;        /* array of the neutral form, see dialect_message */
	jv tools;           /* array of {name,description,parameters} */
	long max_tokens;    /* 0: not said */
	double temperature; /* below 0: not said */
	bool stream;
	bool completion_tokens; /* max_completion_tokens, not max_tokens */
	bool no_stream_options;
};

#define TURN_CALLS_MAX 128

struct turn {
	enum dialect dialect;
	struct buf text;
	struct turn_call {
		int index; /* of the provider */
		char *id, *name;
		struct buf args;
	} * calls;
	size_t ncalls;
	char *model, *finish;
	/* Tokens; input counts all that was sent, cached and written are parts
	 * of it.  Below 0: not said. */
	double input, output, cached, written, cost;
	bool end;       /* the answer said that it is over */
	bool rubbish;   /* what came is no answer */
	int err_status; /* an error came in place of the rest, as if by HTTP */
	struct buf err;
};

/* The fields that count of one line of a talk, as a new object.  Invalid
 * when it is no message, with *why set. */
jv dialect_message(jv line, const char **why);
/* The address of the endpoint for a base URL; the caller frees it. */
char *dialect_url(enum dialect d, const char *base);
/* Appends the body of the request. */
void dialect_body(const struct ask *a, struct buf *out);

void turn_init(struct turn *t, enum dialect d);
void turn_free(struct turn *t);
/* One event of a stream.  Not 0: nothing more is to be read. */
int turn_event(struct turn *t, const char *data, size_t n);
/* An answer that came whole. */
void turn_whole(struct turn *t, const char *body, size_t n);
/* The assistant's message in the neutral form, with usage and finish. */
jv turn_message(const struct turn *t);
/* The words of an error body, in one line; the text itself when it has none. */
void dialect_error(const char *body, size_t n, struct buf *out);

#endif
