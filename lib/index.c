/* See index.h. */
#include <errno.h>
#include <fcntl.h>
#include <nettle/sha1.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "index.h"

#define NAME_MAX_BITS 0xfff /* a longer name's length says only so */
#define EXTENDED 0x4000     /* two bytes of flags more */
#define SKIP_WORKTREE 0x4000

/* A file that is hashed as it is written. */
struct out {
	int fd;
	bool ok;
	size_t n;
	struct sha1_ctx sum;
	unsigned char b[32768];
};

static void
empty(struct out *o)
{
	for (size_t at = 0; o->ok && at < o->n;) {
		ssize_t done = write(o->fd, o->b + at, o->n - at);

		if (done > 0)
			at += (size_t)done;
		else if (done == 0 || errno != EINTR)
			o->ok = false;
	}
	o->n = 0;
}

static void
put(struct out *o, const void *p, size_t n)
{
	const unsigned char *from = p;

	while (n > 0) {
		size_t part = sizeof(o->b) - o->n;

		part = n < part ? n : part;
		memcpy(o->b + o->n, from, part);
		o->n += part;
		from += part;
		n -= part;
		if (o->n == sizeof(o->b)) {
			sha1_update(&o->sum, o->n, o->b);
			empty(o);
		}
	}
}

/* Most significant byte first; where the next goes. */
static unsigned char *
be16(unsigned char *to, uint32_t v)
{
	to[0] = (unsigned char)(v >> 8);
	to[1] = (unsigned char)v;
	return to + 2;
}

static unsigned char *
be32(unsigned char *to, uint32_t v)
{
	return be16(be16(to, v >> 16), v);
}

static void
put32(struct out *o, uint32_t v)
{
	unsigned char b[4];

	be32(b, v);
	put(o, b, 4);
}

struct index_stat
index_stat_of(const struct stat *st)
{
	return (struct index_stat){
		.ctime = (uint32_t)st->st_ctim.tv_sec,
		.ctime_ns = (uint32_t)st->st_ctim.tv_nsec,
		.mtime = (uint32_t)st->st_mtim.tv_sec,
		.mtime_ns = (uint32_t)st->st_mtim.tv_nsec,
		.dev = (uint32_t)st->st_dev,
		.ino = (uint32_t)st->st_ino,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.size = (uint32_t)st->st_size,
	};
}

static void
put_file(struct out *o, const struct index_file *f)
{
	static const struct index_stat none;
	const struct index_stat *st = f->stat != NULL ? f->stat : &none;
	size_t len = strlen(f->path);
	uint32_t flags = len < NAME_MAX_BITS ? (uint32_t)len : NAME_MAX_BITS;
	unsigned char head[64], *to = head;

	to = be32(to, st->ctime);
	to = be32(to, st->ctime_ns);
	to = be32(to, st->mtime);
	to = be32(to, st->mtime_ns);
	to = be32(to, st->dev);
	to = be32(to, st->ino);
	to = be32(to, f->mode);
	to = be32(to, st->uid);
	to = be32(to, st->gid);
	to = be32(to, st->size);
	memcpy(to, f->id, INDEX_ID);
	to = be16(to + INDEX_ID, f->stat == NULL ? flags | EXTENDED : flags);
	if (f->stat == NULL)
		to = be16(to, SKIP_WORKTREE);
	put(o, head, (size_t)(to - head));
	put(o, f->path, len);
	/* One NUL at least, and to a multiple of eight. */
	put(o, "\0\0\0\0\0\0\0", 8 - ((size_t)(to - head) + len) % 8);
}

/* The text of a directory before its id. */
static size_t
dir_text(char text[64], const struct index_dir *d)
{
	return (size_t)snprintf(text, 64, "%zu %zu\n", d->files, d->dirs);
}

static void
put_dirs(struct out *o, const struct index_dir *dirs, size_t n)
{
	size_t size = 0;
	char text[64];

	for (size_t i = 0; i < n; i++)
		size += strlen(dirs[i].name) + 1 + dir_text(text, &dirs[i]) +
			INDEX_ID;
	put(o, "TREE", 4);
	put32(o, (uint32_t)size);
	for (size_t i = 0; i < n; i++) {
		put(o, dirs[i].name, strlen(dirs[i].name) + 1);
		put(o, text, dir_text(text, &dirs[i]));
		put(o, dirs[i].id, INDEX_ID);
	}
}

static void
put_all(struct out *o, const struct index_file *files, size_t n,
    const struct index_dir *dirs, size_t n_dirs)
{
	unsigned char sum[SHA1_DIGEST_SIZE];
	uint32_t version = 2;

	for (size_t i = 0; i < n; i++)
		if (files[i].stat == NULL)
			version = 3;
	put(o, "DIRC", 4);
	put32(o, version);
	put32(o, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		put_file(o, &files[i]);
	put_dirs(o, dirs, n_dirs);
	sha1_update(&o->sum, o->n, o->b);
	empty(o);
	sha1_digest(&o->sum, sizeof(sum), sum);
	put(o, sum, sizeof(sum));
	empty(o);
}

bool
index_write(const char *path, const struct index_file *files, size_t n,
    const struct index_dir *dirs, size_t n_dirs)
{
	struct out o;

	o.fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (o.fd < 0)
		return false;
	o.ok = true;
	o.n = 0;
	sha1_init(&o.sum);
	put_all(&o, files, n, dirs, n_dirs);
	return close(o.fd) == 0 && o.ok;
}
