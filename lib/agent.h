/*
 * agent: what an agent is started with: its command, its environment and its
 * limits, as tera-run(1) and tera-engine(5) promise them.
 */
#ifndef TERA_AGENT_H
#define TERA_AGENT_H

#include "spawn.h"

/* The argc words of argv, or tera-agent when there is none, with the program
 * of the engine in front; "local" has none unless the user has one.  Ends the
 * command with 69 when there is no such engine.  Lives until we end. */
const char *const *agent_command(const char *engine, char *argv[], int argc);

/* Adds to env what all agents have.  runner (NULL: none) is the coding tool;
 * store is the path of the store where TERA_STORE does not say (NULL: none).
 * PATH, ours too, has the directory of our program afterwards. */
void agent_env(struct spawn_env *env, const char *engine, const char *runner,
    const char *store);

/* Sets in env what one job has; limits of 0 are none.  With the token of the
 * job, which may be NULL, it gets no other one that we have for the store. */
void agent_env_job(struct spawn_env *env, const char *id, const char *dir,
    const char *token, long long seconds, long long memory_mb);

/* For us and all that we start: no core files, in which there may be secrets,
 * and as many descriptors as we may have. */
void agent_limits(void);

/* What is added to an agent's niceness: TERA_NICE, else 5.  Ends the command
 * with 64 when it is no number. */
int agent_nice(void);

#endif
