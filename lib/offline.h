/*
 * offline: libgit2, started without its network.
 *
 * git makes every connection (see git.h); what libgit2 would bring for it, TLS,
 * ssh and Kerberos, is most of what starting it costs, and is left out: linked
 * from the archive, it is not linked, and shared, it is not set up.
 */
#ifndef TERA_OFFLINE_H
#define TERA_OFFLINE_H

/* Before the first call of libgit2; later ones do nothing.  Who opens a
 * repository through it vouches for the path: libgit2 does not look whose it
 * is. */
void offline_init(void);

#endif
