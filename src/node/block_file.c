#include "node/block_file.h"

#include <string.h>

#include "base/mem.h"
#include "prim/rlp.h"

/* No block was ever near this large; a length beyond it is damage. */
enum { BLOCK_MAX = 256 << 20, READ_CHUNK = 256 << 10 };

enum status block_file_open(struct block_file *file, const char *path, struct err *err)
{
    *file = (struct block_file){.path = path};
    return stream_open(&file->stream, path, err);
}

void block_file_close(struct block_file *file)
{
    struct err unread;
    enum status status = stream_close(file->stream, &unread); /* it was only read */
    (void)status;
    mem_free(file->bytes);
    *file = (struct block_file){0};
}

/* Moves what is left to the front, and makes room for `want` bytes in all. */
static void make_room(struct block_file *file, size_t want)
{
    size_t left = file->len - file->at;
    if (file->at && left)
        memmove(file->bytes, file->bytes + file->at, left);
    file->at = 0;
    file->len = left;
    if (want > file->cap) {
        file->cap = want + READ_CHUNK;
        file->bytes = mem_realloc(file->bytes, file->cap);
    }
}

/* Reads until `want` bytes are at hand, or the file ends. */
static enum status fill(struct block_file *file, size_t want, struct err *err)
{
    if (file->len - file->at >= want)
        return STATUS_OK;
    make_room(file, want > READ_CHUNK ? want : READ_CHUNK);
    while (file->len < want) {
        size_t got;
        enum status status =
            stream_read(file->stream, file->bytes + file->len, file->cap - file->len, &got, err);
        if (status != STATUS_OK || !got)
            return status;
        file->len += got;
    }
    return STATUS_OK;
}

/* How long a value is that begins with these bytes; 0 when they do not begin a list. */
static u64 list_size(const u8 *at, size_t len)
{
    if (len && at[0] >= 0xc0 && at[0] < 0xf8)
        return 1 + (u64)(at[0] - 0xc0);
    size_t digits = len && at[0] >= 0xf8 ? (size_t)at[0] - 0xf7 : 0;
    u64 size = 0;
    if (!digits || len < 1 + digits)
        return 0;
    for (size_t i = 0; i < digits; i++)
        size = size << 8 | at[1 + i];
    return size < BLOCK_MAX ? 1 + digits + size : UINT64_MAX;
}

static enum status broken(const struct block_file *file, const char *why, struct err *err)
{
    return err_set(err, STATUS_INVALID, "%s: entry %llu %s", file->path,
                   (unsigned long long)file->index, why);
}

enum status block_file_next(struct block_file *file, const u8 **rlp, size_t *len, struct err *err)
{
    enum status status = fill(file, RLP_HEADER_MAX, err);
    if (status != STATUS_OK)
        return status;
    size_t left = file->len - file->at;
    if (!left) {
        *len = 0;
        return STATUS_OK;
    }
    u64 size = list_size(file->bytes + file->at, left);
    if (!size || size > BLOCK_MAX)
        return broken(file, size ? "says that it is too large for a block" : "is not a block", err);
    status = fill(file, (size_t)size, err);
    if (status != STATUS_OK)
        return status;
    if (file->len - file->at < size)
        return broken(file, "ends too early: the file is cut off", err);
    *rlp = file->bytes + file->at;
    *len = (size_t)size;
    file->at += (size_t)size;
    file->index++;
    return STATUS_OK;
}
