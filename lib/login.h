/*
 * login: a page for browsers, where a token is shown for a cookie.
 *
 * The page has no script and says nothing of the store.  The cookie holds a
 * random id, of which the store keeps the hash (token.h) for twelve hours; it
 * is good as long as what was shown for it, and ends with a log-out.
 */
#ifndef TERA_LOGIN_H
#define TERA_LOGIN_H

#include "auth.h"

/* Answers GET and POST /login and POST /logout. */
void login_answer(struct auth *a, const struct req *q, struct resp *r);

#endif
