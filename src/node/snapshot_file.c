#include "node/snapshot_file.h"

#include <string.h>
#include <zstd.h>

#include "base/be.h"
#include "base/buf.h"
#include "base/mem.h"
#include "crypto/sha256.h"
#include "sys/sealed.h"
#include "sys/stream.h"

enum {
    MAGIC_SIZE = 16,
    HEADER_SIZE = MAGIC_SIZE + 4 + 4 + 32 + 8 + 32,
    SIZES = 8, /* what a chunk begins with */
    RECORD_HEADER = 1 + 2 + 4,
    SEAL = sizeof(hash32),
    CHUNK_BYTES = 1 << 20, /* a chunk is closed when it has so many, unpacked */
    CHUNK_MAX = CHUNK_BYTES + RECORD_HEADER + SNAPSHOT_KEY_MAX + SNAPSHOT_VALUE_MAX,
    LEVEL = 3,
};

static const u8 MAGIC[MAGIC_SIZE] = "ashlar snapshot\n";

/* Kinds and keys as one order: negative, zero or positive. */
static int order(u8 kind, struct db_bytes key, u8 other_kind, const u8 *other, size_t other_len)
{
    if (kind != other_kind)
        return kind < other_kind ? -1 : 1;
    size_t shared = key.len < other_len ? key.len : other_len;
    int by_bytes = shared ? memcmp(key.at, other, shared) : 0;
    return by_bytes ? by_bytes : (key.len > other_len) - (key.len < other_len);
}

/* --- writing ---------------------------------------------------------------------------------- */

struct snapshot_out {
    struct sealed_out *file;
    ZSTD_CCtx *packer;
    struct buf chunk;  /* records */
    struct buf packed; /* the seal before, and what the next one stands behind */
    hash32 seal;
    u64 records;
};

/* Writes what was put behind the seal, and the seal over both. */
static void link_close(struct snapshot_out *out)
{
    sha256(&out->seal, out->packed.data, out->packed.len);
    sealed_add(out->file, out->packed.data + SEAL, out->packed.len - SEAL);
    sealed_add(out->file, out->seal.b, SEAL);
}

static void link_begin(struct snapshot_out *out)
{
    buf_reset(&out->packed);
    buf_add(&out->packed, out->seal.b, SEAL);
}

enum status snapshot_create(struct snapshot_out **created, const char *path,
                            const struct snapshot_info *info, struct err *err)
{
    struct sealed_out *file;
    enum status status = sealed_create(&file, path, err);
    if (status != STATUS_OK)
        return status;
    struct snapshot_out *out = NEW(struct snapshot_out);
    out->file = file;
    out->packer = ZSTD_createCCtx();
    buf_init(&out->chunk, SIZE_MAX / 2);
    buf_init(&out->packed, SIZE_MAX / 2);
    link_begin(out);
    buf_add(&out->packed, MAGIC, sizeof MAGIC);
    buf_add_be(&out->packed, SNAPSHOT_VERSION, 4);
    buf_add_be(&out->packed, DB_FORMAT, 4);
    buf_add(&out->packed, info->genesis.b, sizeof info->genesis.b);
    buf_add_be(&out->packed, info->head, 8);
    buf_add(&out->packed, info->head_hash.b, sizeof info->head_hash.b);
    link_close(out);
    *created = out;
    return STATUS_OK;
}

static enum status chunk_close(struct snapshot_out *out, struct err *err)
{
    if (!out->chunk.len)
        return STATUS_OK;
    link_begin(out);
    size_t most = ZSTD_compressBound(out->chunk.len);
    u8 *room = buf_extend(&out->packed, SIZES + most);
    size_t size =
        ZSTD_compressCCtx(out->packer, room + SIZES, most, out->chunk.data, out->chunk.len, LEVEL);
    if (ZSTD_isError(size))
        return err_set(err, STATUS_NO_MEMORY, "packing: %s", ZSTD_getErrorName(size));
    out->packed.len = SEAL;
    buf_add_be(&out->packed, size, 4);
    buf_add_be(&out->packed, out->chunk.len, 4);
    out->packed.len += size;
    link_close(out);
    buf_reset(&out->chunk);
    return STATUS_OK;
}

enum status snapshot_add(struct snapshot_out *out, const struct snapshot_record *record,
                         struct err *err)
{
    if (!record->key.len || record->key.len > SNAPSHOT_KEY_MAX ||
        record->value.len > SNAPSHOT_VALUE_MAX)
        return err_set(err, STATUS_TOO_LARGE, "a record of %zu bytes is too large for a snapshot",
                       record->value.len);
    buf_add_byte(&out->chunk, record->kind);
    buf_add_be(&out->chunk, record->key.len, 2);
    buf_add_be(&out->chunk, record->value.len, 4);
    buf_add(&out->chunk, record->key.at, record->key.len);
    buf_add(&out->chunk, record->value.at, record->value.len);
    out->records++;
    return out->chunk.len < CHUNK_BYTES ? STATUS_OK : chunk_close(out, err);
}

void snapshot_drop(struct snapshot_out *out)
{
    if (!out)
        return;
    sealed_drop(out->file);
    ZSTD_freeCCtx(out->packer);
    buf_fini(&out->chunk);
    buf_fini(&out->packed);
    mem_free(out);
}

enum status snapshot_finish(struct snapshot_out *out, hash32 *seal, struct err *err)
{
    enum status status = chunk_close(out, err);
    if (status == STATUS_OK) {
        link_begin(out);
        buf_add_be(&out->packed, 0, SIZES);
        buf_add_be(&out->packed, out->records, 8);
        link_close(out);
        status = sealed_finish(out->file, err);
        out->file = NULL;
    }
    if (status == STATUS_OK)
        *seal = out->seal;
    snapshot_drop(out);
    return status;
}

/* --- reading ---------------------------------------------------------------------------------- */

struct snapshot_in {
    struct stream *file;
    char *path;
    struct snapshot_info info;
    hash32 seal;
    struct buf link;  /* the seal before, and what is to be checked by the next */
    struct buf chunk; /* unpacked; what is at [at, len) has not been given out */
    size_t at;
    u64 records;
    bool ended;
    u8 kind; /* and key of the record given out last */
    size_t key_len;
    u8 key[SNAPSHOT_KEY_MAX];
};

static enum status damaged(const struct snapshot_in *in, struct err *err, const char *what)
{
    return err_set(err, STATUS_INVALID, "%s: %s", in->path, what);
}

/* Appends so many bytes to the link, as they come: what a damaged file promises is not taken for granted. */
static enum status read_more(struct snapshot_in *in, size_t len, struct err *err)
{
    while (len) {
        size_t got, want = len < CHUNK_BYTES ? len : CHUNK_BYTES;
        u8 *room = buf_extend(&in->link, want);
        enum status status = stream_read(in->file, room, want, &got, err);
        if (status != STATUS_OK)
            return status;
        in->link.len -= want - got;
        if (!got)
            return damaged(in, err, "the snapshot is cut off");
        len -= got;
    }
    return STATUS_OK;
}

static enum status link_open(struct snapshot_in *in, size_t len, struct err *err)
{
    buf_reset(&in->link);
    buf_add(&in->link, in->seal.b, SEAL);
    return read_more(in, len, err);
}

/* Reads what is left of the link, and its seal, which must be right. */
static enum status link_check(struct snapshot_in *in, size_t left, struct err *err)
{
    hash32 seal;
    enum status status = read_more(in, left + SEAL, err);
    if (status != STATUS_OK)
        return status;
    in->link.len -= SEAL;
    sha256(&seal, in->link.data, in->link.len);
    if (memcmp(seal.b, in->link.data + in->link.len, SEAL) != 0)
        return damaged(in, err, "the snapshot is damaged");
    in->seal = seal;
    return STATUS_OK;
}

static enum status read_header(struct snapshot_in *in, struct err *err)
{
    enum status status = link_open(in, MAGIC_SIZE + 8, err);
    if (status != STATUS_OK)
        return status;
    const u8 *at = in->link.data + SEAL;
    if (memcmp(at, MAGIC, MAGIC_SIZE) != 0)
        return damaged(in, err, "this is no snapshot");
    u64 version = be_get(at + MAGIC_SIZE, 4), format = be_get(at + MAGIC_SIZE + 4, 4);
    if (version != SNAPSHOT_VERSION || format < DB_FORMAT_MIN || format > DB_FORMAT)
        return err_set(err, STATUS_UNSUPPORTED,
                       "%s: the snapshot has version %llu.%llu, this program reads %d.%d: use the "
                       "program that wrote it, or a newer one",
                       in->path, (unsigned long long)version, (unsigned long long)format,
                       SNAPSHOT_VERSION, DB_FORMAT);
    status = link_check(in, HEADER_SIZE - MAGIC_SIZE - 8, err);
    if (status != STATUS_OK)
        return status;
    at = in->link.data + SEAL + MAGIC_SIZE + 8;
    memcpy(in->info.genesis.b, at, 32);
    in->info.head = be_get(at + 32, 8);
    memcpy(in->info.head_hash.b, at + 40, 32);
    return STATUS_OK;
}

enum status snapshot_open(struct snapshot_in **opened, const char *path, struct err *err)
{
    struct stream *file;
    enum status status = stream_open(&file, path, err);
    if (status != STATUS_OK)
        return status;
    struct snapshot_in *in = NEW(struct snapshot_in);
    in->file = file;
    in->path = mem_strdup(path);
    buf_init(&in->link, SIZE_MAX / 2);
    buf_init(&in->chunk, CHUNK_MAX);
    status = read_header(in, err);
    if (status == STATUS_OK)
        *opened = in;
    else
        snapshot_close(in);
    return status;
}

const struct snapshot_info *snapshot_info(const struct snapshot_in *in)
{
    return &in->info;
}

void snapshot_progress(const struct snapshot_in *in, u64 *read, u64 *whole)
{
    stream_progress(in->file, read, whole);
}

void snapshot_close(struct snapshot_in *in)
{
    struct err unread;
    if (!in)
        return;
    enum status status = stream_close(in->file, &unread); /* it was only read */
    (void)status;
    buf_fini(&in->link);
    buf_fini(&in->chunk);
    mem_free(in->path);
    mem_free(in);
}

static enum status read_end(struct snapshot_in *in, struct err *err)
{
    size_t got;
    u8 after;
    enum status status = link_check(in, 8, err);
    if (status != STATUS_OK)
        return status;
    if (be_get(in->link.data + SEAL + SIZES, 8) != in->records)
        return damaged(in, err, "the snapshot does not hold what its end says");
    status = stream_read(in->file, &after, 1, &got, err);
    if (status == STATUS_OK && got)
        return damaged(in, err, "something follows the snapshot's end");
    in->ended = status == STATUS_OK;
    return status;
}

static enum status read_chunk(struct snapshot_in *in, struct err *err)
{
    enum status status = link_open(in, SIZES, err);
    if (status != STATUS_OK)
        return status;
    size_t size = be_get(in->link.data + SEAL, 4), len = be_get(in->link.data + SEAL + 4, 4);
    if (!size && !len)
        return read_end(in, err);
    if (!len || len > CHUNK_MAX || size > ZSTD_compressBound(len))
        return damaged(in, err, "the snapshot is damaged");
    status = link_check(in, size, err);
    if (status != STATUS_OK)
        return status;
    const u8 *packed = in->link.data + SEAL + SIZES;
    if (ZSTD_getFrameContentSize(packed, size) != len)
        return damaged(in, err, "a chunk of the snapshot is not what it says");
    buf_reset(&in->chunk);
    in->at = 0;
    u8 *room = buf_extend(&in->chunk, len);
    if (ZSTD_decompress(room, len, packed, size) == len)
        return STATUS_OK;
    buf_reset(&in->chunk);
    return damaged(in, err, "a chunk of the snapshot cannot be unpacked");
}

static enum status take_record(struct snapshot_in *in, struct snapshot_record *record,
                               struct err *err)
{
    const u8 *at = in->chunk.data + in->at;
    size_t left = in->chunk.len - in->at;
    struct snapshot_record made;
    if (left < RECORD_HEADER)
        return damaged(in, err, "a record of the snapshot is cut off");
    made.kind = at[0];
    made.key = (struct db_bytes){at + RECORD_HEADER, be_get(at + 1, 2)};
    made.value = (struct db_bytes){made.key.at + made.key.len, be_get(at + 3, 4)};
    if (!made.key.len || made.key.len > SNAPSHOT_KEY_MAX || made.value.len > SNAPSHOT_VALUE_MAX ||
        left - RECORD_HEADER < made.key.len + made.value.len)
        return damaged(in, err, "a record of the snapshot makes no sense");
    if (in->records && order(made.kind, made.key, in->kind, in->key, in->key_len) <= 0)
        return damaged(in, err, "the snapshot's records are not in order");
    in->kind = made.kind;
    in->key_len = made.key.len;
    memcpy(in->key, made.key.at, made.key.len);
    in->at += RECORD_HEADER + made.key.len + made.value.len;
    in->records++;
    *record = made;
    return STATUS_OK;
}

enum status snapshot_next(struct snapshot_in *in, struct snapshot_record *record, struct err *err)
{
    if (in->at == in->chunk.len && !in->ended) {
        enum status status = read_chunk(in, err);
        if (status != STATUS_OK)
            return status;
    }
    if (in->ended) {
        *record = (struct snapshot_record){0};
        return STATUS_OK;
    }
    return take_record(in, record, err);
}
