/*
 * replay: a recording of exchanges with a model, see tera-recording(5).
 */
#ifndef TERA_REPLAY_H
#define TERA_REPLAY_H

#include "buf.h"
#include "jvx.h"
#include "normal.h"

/* What of a request counts, with placeholders: {messages,tools}.  Fills the
 * table t, which must be fresh.  Borrows its arguments. */
jv replay_request(struct normal *t, jv messages, jv tools);

/* Appends one exchange.  answer is borrowed.  Returns 0 or -1 with errno. */
int replay_record(const char *file, struct normal *t, jv request, jv answer);

/*
 * The answer for request, with the live values of t.  Invalid when there is
 * none: f says why (65 and the nearest request's difference in *diff, lines
 * without a name before them, or another status).
 */
jv replay_answer(const char *file, const struct normal *t, jv request,
    struct buf *diff, struct fault *f);

#endif
