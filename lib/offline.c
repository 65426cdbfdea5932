/* See offline.h. */
#include <git2.h>
#include <git2/sys/transport.h>
#include <stdbool.h>

#include "err.h"
#include "offline.h"

/*
 * We take the place of what it would call.  The one of mbed TLS is for the
 * shared library: it would read all certificates of the machine at its start.
 */
int mbedtls_x509_crt_parse_file(void *chain, const char *path);
int git_mbedtls_stream_global_init(void);
int git_mbedtls_stream_new(void **out, const char *host, const char *port);
int git_mbedtls_stream_wrap(void **out, void *in, const char *host);
int git_transport_ssh_global_init(void);

int
mbedtls_x509_crt_parse_file(void *chain, const char *path)
{
	(void)chain;
	(void)path;
	return 0;
}

int
git_mbedtls_stream_global_init(void)
{
	return 0;
}

int
git_mbedtls_stream_new(void **out, const char *host, const char *port)
{
	(void)out;
	(void)host;
	(void)port;
	return -1;
}

int
git_mbedtls_stream_wrap(void **out, void *in, const char *host)
{
	(void)out;
	(void)in;
	(void)host;
	return -1;
}

int
git_transport_ssh_global_init(void)
{
	return 0;
}

int
git_smart_subtransport_http(
    git_smart_subtransport **out, git_transport *owner, void *arg)
{
	(void)out;
	(void)owner;
	(void)arg;
	return -1;
}

int
git_smart_subtransport_ssh(
    git_smart_subtransport **out, git_transport *owner, void *arg)
{
	(void)out;
	(void)owner;
	(void)arg;
	return -1;
}

void
offline_init(void)
{
	static const char *const known[] = { "worktreeconfig" };
	static bool done;

	if (done)
		return;
	done = true;
	if (git_libgit2_init() < 0)
		die(EX_SOFTWARE, "cannot start libgit2");
	/* Only directories of ours, or that the caller names, are opened. */
	git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, known, (size_t)1);
}
