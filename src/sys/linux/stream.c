#include "sys/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/mem.h"

enum { BUFFER_SIZE = 256 * 1024 };

struct stream {
    gzFile lib;
    char *path;
    u64 size; /* 0: not known */
};

static enum status fail(struct err *err, const char *what, const char *path, int code)
{
    return err_set(err, code == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, "cannot %s %s: %s", what,
                   path, strerror(code));
}

static enum status fail_lib(const struct stream *stream, const char *what, struct err *err)
{
    int code;
    const char *words = gzerror(stream->lib, &code);
    if (code == Z_ERRNO)
        return fail(err, what, stream->path, errno);
    return err_set(err, STATUS_INVALID, "cannot %s %s: %s", what, stream->path,
                   code == Z_BUF_ERROR ? "the packed file ends too early" : words);
}

static struct stream *stream_new(int fd, const char *path, const char *mode)
{
    gzFile lib = gzdopen(fd, mode);
    if (!lib)
        return NULL;
    struct stream *stream = NEW(struct stream);
    stream->lib = lib;
    stream->path = mem_strdup(path);
    gzbuffer(lib, BUFFER_SIZE);
    return stream;
}

enum status stream_open(struct stream **stream, const char *path, struct err *err)
{
    struct stat info;
    int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(err, "open", path, errno);
    bool has_info = fstat(fd, &info) == 0;
    if (has_info && S_ISDIR(info.st_mode)) {
        close(fd);
        return fail(err, "read", path, EISDIR);
    }
    struct stream *made = stream_new(fd, path, "rb");
    if (!made) {
        close(fd);
        return fail(err, "open", path, ENOMEM);
    }
    made->size = has_info && S_ISREG(info.st_mode) ? (u64)info.st_size : 0;
    *stream = made;
    return STATUS_OK;
}

enum status stream_create(struct stream **stream, const char *path, struct err *err)
{
    enum { EVERYBODY_READS = 0644 };
    size_t len = strlen(path);
    bool packs = len > 3 && strcmp(path + len - 3, ".gz") == 0;
    int fd = strcmp(path, "-") == 0
                 ? dup(STDOUT_FILENO)
                 : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, EVERYBODY_READS);
    if (fd < 0)
        return fail(err, "make", path, errno);
    struct stream *made = stream_new(fd, path, packs ? "wb" : "wbT"); /* T: as it is */
    if (!made) {
        close(fd);
        return fail(err, "make", path, ENOMEM);
    }
    *stream = made;
    return STATUS_OK;
}

enum status stream_read(struct stream *stream, void *out, size_t len, size_t *got, struct err *err)
{
    unsigned want = len > BUFFER_SIZE ? BUFFER_SIZE : (unsigned)len;
    int count = gzread(stream->lib, out, want);
    int code = Z_OK;
    if (count == 0)
        gzerror(stream->lib, &code); /* a packed file that is cut off reads as ended otherwise */
    if (count < 0 || code != Z_OK)
        return fail_lib(stream, "read", err);
    *got = (size_t)count;
    return STATUS_OK;
}

enum status stream_write(struct stream *stream, const void *bytes, size_t len, struct err *err)
{
    for (const u8 *at = bytes; len;) {
        unsigned part = len > BUFFER_SIZE ? BUFFER_SIZE : (unsigned)len;
        if (gzwrite(stream->lib, at, part) != (int)part)
            return fail_lib(stream, "write", err);
        at += part;
        len -= part;
    }
    return STATUS_OK;
}

void stream_progress(const struct stream *stream, u64 *read, u64 *whole)
{
    z_off_t at = gzoffset(stream->lib);
    *read = at > 0 ? (u64)at : 0;
    *whole = stream->size;
}

enum status stream_close(struct stream *stream, struct err *err)
{
    if (!stream)
        return STATUS_OK;
    int code = gzclose(stream->lib);
    enum status status = STATUS_OK;
    if (code == Z_ERRNO)
        status = fail(err, "write", stream->path, errno);
    else if (code != Z_OK && code != Z_BUF_ERROR) /* not read to its end */
        status = err_set(err, STATUS_IO, "cannot close %s", stream->path);
    mem_free(stream->path);
    mem_free(stream);
    return status;
}
