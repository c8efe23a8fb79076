#include "sys/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/mem.h"
#include "sys/linux/ending_int.h"

enum { BUFFER_SIZE = 256 * 1024, PACKED_0 = 0x1f, PACKED_1 = 0x8b, GZIP_ONLY = 16 + MAX_WBITS };

/* What a file that is read is made of. */
enum form {
    FORM_UNKNOWN, /* not two bytes of it were seen */
    FORM_PLAIN,
    FORM_PACKED,
    FORM_BETWEEN, /* after one packed part, before another or the end */
};

struct stream {
    char *path;
    gzFile
        out; /* when written; of zlib's two ways to read, its files wait until a buffer is full */
    int in;
    bool may_wait;   /* not a file on a disk */
    int interrupted; /* an event, where it may wait; -1: none */
    bool ended;
    enum form form;
    z_stream unpack; /* its input lies in buffer */
    u8 *buffer;
    _Atomic u64 read; /* told to other threads */
    u64 size;         /* 0: not known */
};

static enum status fail(struct err *err, const char *what, const char *path, int code)
{
    return err_set(err, code == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, "cannot %s %s: %s", what,
                   path, strerror(code));
}

/* --- reading ---------------------------------------------------------------------------------- */

/* A named pipe is opened at once, whether there is a writer or not: reading waits for one. */
static int open_in(const char *path)
{
    return strcmp(path, "-") == 0 ? dup(STDIN_FILENO)
                                  : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

enum status stream_open(struct stream **stream, const char *path, struct err *err)
{
    struct stat info;
    int fd = open_in(path);
    if (fd < 0)
        return fail(err, "open", path, errno);
    bool has_info = fstat(fd, &info) == 0;
    if (has_info && S_ISDIR(info.st_mode)) {
        close(fd);
        return fail(err, "read", path, EISDIR);
    }
    bool is_file = has_info && S_ISREG(info.st_mode);
    struct stream *made = NEW(struct stream);
    made->path = mem_strdup(path);
    made->in = fd;
    made->may_wait = !is_file;
    made->interrupted = is_file ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    made->size = is_file ? (u64)info.st_size : 0;
    *stream = made;
    return STATUS_OK;
}

/* What there is, at least a byte unless the file ends. */
static enum status read_some(struct stream *stream, void *out, size_t len, size_t *got,
                             struct err *err)
{
    for (;;) {
        if (stream->may_wait && !ending_wait_readable(stream->in, stream->interrupted))
            return err_set(err, STATUS_STOPPED, "%s: told to end before its end", stream->path);
        ssize_t count = read(stream->in, out, len);
        if (count < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (count < 0)
            return fail(err, "read", stream->path, errno);
        *got = (size_t)count;
        stream->ended = !count;
        stream->read += (u64)count;
        return STATUS_OK;
    }
}

void stream_interrupt(struct stream *stream)
{
    u64 one = 1;
    if (stream->may_wait && write(stream->interrupted, &one, sizeof one) < 0)
        return; /* a counter that is full is readable, too */
}

/* Adds to what waits to be unpacked; its end is moved to the front. */
static enum status fill(struct stream *stream, struct err *err)
{
    z_stream *unpack = &stream->unpack;
    size_t got = 0;
    if (!stream->buffer)
        stream->buffer = mem_alloc(BUFFER_SIZE);
    if (unpack->avail_in)
        memmove(stream->buffer, unpack->next_in, unpack->avail_in);
    unpack->next_in = stream->buffer;
    enum status status = read_some(stream, stream->buffer + unpack->avail_in,
                                   BUFFER_SIZE - unpack->avail_in, &got, err);
    unpack->avail_in += (unsigned)got;
    return status;
}

static enum status broken(const struct stream *stream, const char *why, struct err *err)
{
    return err_set(err, STATUS_INVALID, "cannot read %s: %s", stream->path, why);
}

static bool is_packed(const z_stream *unpack)
{
    return unpack->avail_in >= 2 && unpack->next_in[0] == PACKED_0 &&
           unpack->next_in[1] == PACKED_1;
}

/* The first two bytes tell. */
static enum status look(struct stream *stream, struct err *err)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && !stream->ended && stream->unpack.avail_in < 2)
        status = fill(stream, err);
    if (status != STATUS_OK)
        return status;
    stream->form = is_packed(&stream->unpack) ? FORM_PACKED : FORM_PLAIN;
    if (stream->form == FORM_PACKED && inflateInit2(&stream->unpack, GZIP_ONLY) != Z_OK)
        return err_set(err, STATUS_NO_MEMORY, "cannot read %s: no memory", stream->path);
    return STATUS_OK;
}

static enum status read_plain(struct stream *stream, void *out, size_t len, size_t *got,
                              struct err *err)
{
    z_stream *unpack = &stream->unpack;
    if (!unpack->avail_in)
        return stream->ended ? STATUS_OK : read_some(stream, out, len, got, err);
    *got = len < unpack->avail_in ? len : unpack->avail_in;
    memcpy(out, unpack->next_in, *got);
    unpack->next_in += *got;
    unpack->avail_in -= (unsigned)*got;
    return STATUS_OK;
}

/* Several packed parts may follow one another; zeros after the last are padding. */
static enum status next_part(struct stream *stream, struct err *err)
{
    z_stream *unpack = &stream->unpack;
    while (unpack->avail_in && !unpack->next_in[0]) {
        unpack->next_in++;
        unpack->avail_in--;
    }
    if (unpack->avail_in < 2 && !stream->ended)
        return fill(stream, err);
    if (!unpack->avail_in)
        return STATUS_OK;
    if (!is_packed(unpack) || inflateReset(unpack) != Z_OK)
        return broken(stream, "something that is not packed follows what is", err);
    stream->form = FORM_PACKED;
    return STATUS_OK;
}

static enum status unpack_some(struct stream *stream, u8 *out, size_t len, size_t *got,
                               struct err *err)
{
    z_stream *unpack = &stream->unpack;
    unpack->next_out = out;
    unpack->avail_out = (unsigned)len;
    int code = inflate(unpack, Z_NO_FLUSH);
    *got = len - unpack->avail_out;
    if (code == Z_STREAM_END)
        stream->form = FORM_BETWEEN;
    else if (code != Z_OK && code != Z_BUF_ERROR)
        return broken(stream, unpack->msg ? unpack->msg : "it is damaged", err);
    if (*got || stream->form == FORM_BETWEEN || unpack->avail_in)
        return STATUS_OK;
    if (stream->ended)
        return broken(stream, "the packed file ends too early", err);
    return fill(stream, err);
}

static bool is_at_end(const struct stream *stream)
{
    return stream->ended && !stream->unpack.avail_in && stream->form != FORM_PACKED;
}

enum status stream_read(struct stream *stream, void *out, size_t len, size_t *got, struct err *err)
{
    enum status status = STATUS_OK;
    if (len > BUFFER_SIZE)
        len = BUFFER_SIZE;
    *got = 0;
    while (status == STATUS_OK && len && !*got && !is_at_end(stream)) {
        switch (stream->form) {
        case FORM_UNKNOWN: status = look(stream, err); break;
        case FORM_PLAIN: status = read_plain(stream, out, len, got, err); break;
        case FORM_PACKED: status = unpack_some(stream, out, len, got, err); break;
        case FORM_BETWEEN: status = next_part(stream, err); break;
        }
    }
    return status;
}

void stream_progress(const struct stream *stream, u64 *read, u64 *whole)
{
    *read = stream->read;
    *whole = stream->size;
}

/* --- writing ---------------------------------------------------------------------------------- */

static enum status fail_write(const struct stream *stream, struct err *err)
{
    int code;
    const char *words = gzerror(stream->out, &code);
    if (code == Z_ERRNO)
        return fail(err, "write", stream->path, errno);
    return err_set(err, STATUS_IO, "cannot write %s: %s", stream->path, words);
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
    gzFile out = gzdopen(fd, packs ? "wb" : "wbT"); /* T: as it is */
    if (!out) {
        close(fd);
        return fail(err, "make", path, ENOMEM);
    }
    gzbuffer(out, BUFFER_SIZE);
    struct stream *made = NEW(struct stream);
    made->path = mem_strdup(path);
    made->out = out;
    *stream = made;
    return STATUS_OK;
}

enum status stream_write(struct stream *stream, const void *bytes, size_t len, struct err *err)
{
    for (const u8 *at = bytes; len;) {
        unsigned part = len > BUFFER_SIZE ? BUFFER_SIZE : (unsigned)len;
        if (gzwrite(stream->out, at, part) != (int)part)
            return fail_write(stream, err);
        at += part;
        len -= part;
    }
    return STATUS_OK;
}

static enum status close_out(const struct stream *stream, struct err *err)
{
    int code = gzclose(stream->out);
    if (code == Z_ERRNO)
        return fail(err, "write", stream->path, errno);
    return code == Z_OK ? STATUS_OK : err_set(err, STATUS_IO, "cannot close %s", stream->path);
}

static void close_in(struct stream *stream)
{
    if (stream->form == FORM_PACKED || stream->form == FORM_BETWEEN)
        inflateEnd(&stream->unpack);
    mem_free(stream->buffer);
    close(stream->in);
    if (stream->interrupted >= 0)
        close(stream->interrupted);
}

enum status stream_close(struct stream *stream, struct err *err)
{
    enum status status = STATUS_OK;
    if (!stream)
        return STATUS_OK;
    if (stream->out)
        status = close_out(stream, err);
    else
        close_in(stream);
    mem_free(stream->path);
    mem_free(stream);
    return status;
}
