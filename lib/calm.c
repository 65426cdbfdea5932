/* See calm.h. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calm.h"

int
calm_file(struct buf *b, const char *path, size_t max)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int rc = -1, saved;
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0) {
		errno = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
		if (S_ISREG(st.st_mode) && st.st_size <= (off_t)max)
			rc = buf_read(b, fd, max) == 0 ? 0 : -1;
	}
	saved = errno;
	close(fd);
	errno = saved;
	return rc;
}
