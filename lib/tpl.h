/*
 * tpl: the small template form of prompts (tera-prompt(1)).
 *
 *   {{path.to.value}}   the value, as it is; an object or list as indented
 *                       JSON; nothing when it is absent or null
 *   {{#path}}…{{/path}} once when the value is truthy, once for each element
 *                       when it is a list; names are looked up in the element
 *                       first, {{.}} is the element itself
 *   {{^path}}…{{/path}} when it is absent, null, false, "", 0, [] or {}
 *   {{! a remark }}     nothing
 *
 * A tag of the last three kinds that is alone on its line takes the line away
 * with it.  Nothing is escaped: a prompt is text for a reader.  It is our own
 * code because no step of a job may compile a jq program (18 ms each).
 */
#ifndef TERA_TPL_H
#define TERA_TPL_H

#include <jv.h>

#include "buf.h"
#include "err.h"

/* Appends the n bytes of text, filled in from doc (consumed).  Returns 0, or
 * 65 with f naming the line of the template that is wrong. */
int tpl_render(
    struct buf *out, const char *text, size_t n, jv doc, struct fault *f);

#endif
