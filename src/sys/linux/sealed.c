#include "sys/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "sys/file.h"

enum { GATHER = 64 * 1024 };

struct sealed_out {
    char *path, *part;
    int fd, failure; /* failure: an errno, or 0 */
    u64 written;
    size_t gathered;
    u8 bytes[GATHER];
};

struct sealed {
    char *path;
    int fd;
    u64 size;
};

static enum status fail(struct err *err, int number, const char *what, const char *path)
{
    enum status status = number == ENOENT ? STATUS_NOT_FOUND : STATUS_IO;
    return err_set(err, status, "cannot %s %s: %s", what, path, strerror(number));
}

/* --- writing ---------------------------------------------------------------------------------- */

/* Renaming would put a file in the place of a device, such as /dev/null, or of a link. */
static bool may_take_name(const char *path)
{
    struct stat info;
    return lstat(path, &info) != 0 || S_ISREG(info.st_mode);
}

enum status sealed_create(struct sealed_out **created, const char *path, struct err *err)
{
    if (!may_take_name(path))
        return err_set(err, STATUS_IO, "cannot write %s: it is there, and no regular file", path);
    size_t size = strlen(path) + sizeof ".part";
    struct sealed_out *out = NEW(struct sealed_out);
    out->path = mem_strdup(path);
    out->part = mem_alloc(size);
    snprintf(out->part, size, "%s.part", path);
    out->fd = open(out->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (out->fd < 0) {
        enum status status = fail(err, errno, "write", out->part);
        sealed_drop(out);
        return status;
    }
    *created = out;
    return STATUS_OK;
}

static void write_out(struct sealed_out *out, const u8 *bytes, size_t len)
{
    while (len && !out->failure) {
        ssize_t n = write(out->fd, bytes, len);
        if (n < 0 && errno != EINTR)
            out->failure = errno;
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        }
    }
}

static void flush(struct sealed_out *out)
{
    write_out(out, out->bytes, out->gathered);
    out->gathered = 0;
}

void sealed_add(struct sealed_out *out, const void *bytes, size_t len)
{
    out->written += len;
    if (out->gathered + len > GATHER)
        flush(out);
    if (len > GATHER) {
        write_out(out, bytes, len);
        return;
    }
    memcpy(out->bytes + out->gathered, bytes, len);
    out->gathered += len;
}

u64 sealed_written(const struct sealed_out *out)
{
    return out->written;
}

enum status sealed_finish(struct sealed_out *out, struct err *err)
{
    flush(out);
    if (!out->failure && fsync(out->fd))
        out->failure = errno;
    enum status status = out->failure ? fail(err, out->failure, "write", out->path)
                                      : file_rename(out->part, out->path, err);
    sealed_drop(out);
    return status;
}

void sealed_drop(struct sealed_out *out)
{
    if (!out)
        return;
    if (out->fd >= 0) {
        close(out->fd);
        unlink(out->part);
    }
    mem_free(out->path);
    mem_free(out->part);
    mem_free(out);
}

enum status sealed_remove(const char *path, struct err *err)
{
    if (unlink(path) && errno != ENOENT)
        return fail(err, errno, "remove", path);
    return STATUS_OK;
}

/* --- reading ---------------------------------------------------------------------------------- */

enum status sealed_open(struct sealed **opened, const char *path, struct err *err)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(err, errno, "open", path);
    if (fstat(fd, &info)) {
        enum status status = fail(err, errno, "read", path);
        close(fd);
        return status;
    }
    struct sealed *file = NEW(struct sealed);
    *file = (struct sealed){mem_strdup(path), fd, (u64)info.st_size};
    *opened = file;
    return STATUS_OK;
}

u64 sealed_size(const struct sealed *file)
{
    return file->size;
}

enum status sealed_read(const struct sealed *file, u64 offset, void *out, size_t len,
                        struct err *err)
{
    u8 *at = out;
    if (offset > file->size || len > file->size - offset)
        return err_set(err, STATUS_INVALID, "%s ends too early", file->path);
    while (len) {
        ssize_t n = pread(file->fd, at, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(err, errno, "read", file->path);
        if (n == 0)
            return err_set(err, STATUS_INVALID, "%s ends too early", file->path);
        at += n;
        offset += (u64)n;
        len -= (size_t)n;
    }
    return STATUS_OK;
}

void sealed_close(struct sealed *file)
{
    if (!file)
        return;
    close(file->fd);
    mem_free(file->path);
    mem_free(file);
}
