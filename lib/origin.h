/*
 * origin: what the API of a Terarchitect installation gives (tera-api(7)).
 *
 * It gives no jobs, no review comments, no memory and no secrets, and that is
 * said in the report.  A tera-serve that is asked the same answers the same.
 */
#ifndef TERA_ORIGIN_H
#define TERA_ORIGIN_H

#include "intake.h"

/* Adds all that there is at the URL t->source.  An answer that does not come
 * ends the command; nothing is written before all of them came. */
void origin_take(struct intake *t);

#endif
