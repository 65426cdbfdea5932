/*
 * cgi: one request by CGI/1.1 (RFC 3875): the environment and standard input
 * in, a "Status:" and the rest on standard output.
 */
#ifndef TERA_CGI_H
#define TERA_CGI_H

#include "req.h"

/* Fills q.  False: r is the answer already. */
bool cgi_read(struct req *q, struct resp *r);

/* Prints it; out_end (err.h) says whether it went out. */
void cgi_write(struct resp *r);

#endif
