/*
 * meter: what a listener counts of its requests, for /metrics (Prometheus text
 * exposition format 0.0.4).
 */
#ifndef TERA_METER_H
#define TERA_METER_H

#include "route.h"

struct meter;

struct meter *meter_open(void);
void meter_close(struct meter *m); /* m may be NULL */

/* A request was answered: on which route (NULL: on none), with which status,
 * after how many microseconds. */
void meter_count(
    struct meter *m, const struct route *r, int status, long long us);

/* Appends the families: requests and their times by route, connections and
 * streams that are open, memory and processor time of the process. */
void meter_text(const struct meter *m, struct buf *b, unsigned connections,
    unsigned streams);

#endif
