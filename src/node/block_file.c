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
    era1_in_free(file->era1);
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

/* --- era1 ------------------------------------------------------------------------------------- */

/* One entry; *ended when there is none. */
static enum status take_entry(struct block_file *file, const u8 **rlp, size_t *len, bool *ended,
                              struct err *err)
{
    u64 size = 0;
    enum status status = fill(file, ERA1_ENTRY_HEADER, err);
    *ended = status == STATUS_OK && file->len == file->at;
    if (status != STATUS_OK || *ended)
        return status == STATUS_OK ? era1_end(file->era1, err) : status;
    bool is_whole = file->len - file->at >= ERA1_ENTRY_HEADER;
    if (is_whole)
        status = era1_entry_size(file->bytes + file->at, &size, err);
    size += ERA1_ENTRY_HEADER;
    if (status == STATUS_OK)
        status = fill(file, (size_t)size, err);
    if (status != STATUS_OK)
        return status;
    if (!is_whole || file->len - file->at < size)
        return err_set(err, STATUS_INVALID, "the era1 file is cut off in an entry");
    status = era1_take(file->era1, file->bytes + file->at, (size_t)size, rlp, len, err);
    file->at += (size_t)size;
    return status;
}

static enum status next_of_era1(struct block_file *file, const u8 **rlp, size_t *len,
                                struct err *err)
{
    bool ended = false;
    enum status status = STATUS_OK;
    *rlp = NULL;
    *len = 0;
    while (status == STATUS_OK && !ended && !*rlp)
        status = take_entry(file, rlp, len, &ended, err);
    if (status == STATUS_INVALID)
        err_prefix(err, "%s", file->path);
    file->index += *rlp != NULL;
    return status;
}

/* --- either ----------------------------------------------------------------------------------- */

static enum status next_of_rlp(struct block_file *file, const u8 **rlp, size_t *len,
                               struct err *err)
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

enum status block_file_next(struct block_file *file, const u8 **rlp, size_t *len, struct err *err)
{
    enum status status = STATUS_OK;
    if (!file->is_known) {
        status = fill(file, ERA1_ENTRY_HEADER, err);
        if (status == STATUS_OK && era1_is(file->bytes + file->at, file->len - file->at))
            file->era1 = era1_in_new();
        file->is_known = true;
    }
    if (status != STATUS_OK)
        return status;
    return file->era1 ? next_of_era1(file, rlp, len, err) : next_of_rlp(file, rlp, len, err);
}
