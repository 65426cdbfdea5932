/*
 * constant - a server that has nothing to do: each request is answered with
 * the same file, from memory
 *
 *	constant port file
 *
 * libmicrohttpd, epoll and one thread, as tera-listen: what is between the two
 * is Tera's own.
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

static char body[1 << 22];

static enum MHD_Result
handle(void *arg, struct MHD_Connection *conn, const char *url,
    const char *method, const char *version, const char *data, size_t *n,
    void **state)
{
	(void)url;
	(void)method;
	(void)version;
	(void)data;
	(void)n;
	if (*state == NULL) {
		*state = conn;
		return MHD_YES;
	}
	return MHD_queue_response(conn, 200, arg);
}

int
main(int argc, char *argv[])
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	FILE *f = argc == 3 ? fopen(argv[2], "r") : NULL;
	struct MHD_Daemon *d;
	struct pollfd p = { .events = POLLIN };
	size_t n;

	if (f == NULL) {
		fputs("usage: constant port file\n", stderr);
		return 64;
	}
	n = fread(body, 1, sizeof(body), f);
	at.sin_port = htons((unsigned short)strtoul(argv[1], NULL, 10));
	inet_pton(AF_INET, "127.0.0.1", &at.sin_addr);
	d = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, handle,
	    MHD_create_response_from_buffer(n, body, MHD_RESPMEM_PERSISTENT),
	    MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_END);
	if (d == NULL) {
		fputs("constant: the port is taken\n", stderr);
		return 1;
	}
	p.fd = MHD_get_daemon_info(d, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	for (;;) {
		MHD_UNSIGNED_LONG_LONG ms;
		int wait = MHD_get_timeout(d, &ms) == MHD_YES ? (int)ms : -1;

		poll(&p, 1, wait);
		MHD_run(d);
	}
}
