#include "db/segment.h"

#include <string.h>
#include <zstd.h>

#include "base/be.h"
#include "base/buf.h"
#include "base/mem.h"
#include "db/crc32c.h"
#include "sys/sealed.h"

enum {
    MAGIC_SIZE = 16,
    HEADER_SIZE = MAGIC_SIZE + SEGMENT_TAG_SIZE + 8 + 4 + 4 + 4,
    ROW_SIZE = 8 + 8 + 4 + 4 + 4,
    FRAME_BYTES = 256 * 1024, /* a frame is closed when it has so many, unpacked */
    LEVEL = 3,
    FRAMES_MAX = 1 << 20,
};

static const u8 MAGIC[MAGIC_SIZE] = "ashlar segment 1";

static void header_put(struct buf *out, const struct segment_info *info, u32 frames)
{
    buf_add(out, MAGIC, sizeof MAGIC);
    buf_add(out, info->tag, sizeof info->tag);
    buf_add_be(out, info->first, 8);
    buf_add_be(out, info->count, 4);
    buf_add_be(out, frames, 4);
    buf_add_be(out, crc32c(0, out->data, out->len), 4);
}

/* --- writing ---------------------------------------------------------------------------------- */

struct writer {
    ZSTD_CCtx *packer;
    struct buf frame, packed, rows;
    u64 frame_first;
    u32 frames;
};

static void writer_init(struct writer *writer)
{
    *writer = (struct writer){.packer = ZSTD_createCCtx()};
    buf_init(&writer->frame, SIZE_MAX / 2);
    buf_init(&writer->packed, SIZE_MAX / 2);
    buf_init(&writer->rows, SIZE_MAX / 2);
}

static void writer_fini(struct writer *writer)
{
    ZSTD_freeCCtx(writer->packer);
    buf_fini(&writer->frame);
    buf_fini(&writer->packed);
    buf_fini(&writer->rows);
}

static enum status frame_close(struct writer *writer, struct sealed_out *out, struct err *err)
{
    if (!writer->frame.len)
        return STATUS_OK;
    buf_reset(&writer->packed);
    size_t most = ZSTD_compressBound(writer->frame.len);
    u8 *room = buf_extend(&writer->packed, most);
    size_t size =
        ZSTD_compressCCtx(writer->packer, room, most, writer->frame.data, writer->frame.len, LEVEL);
    if (ZSTD_isError(size))
        return err_set(err, STATUS_NO_MEMORY, "packing: %s", ZSTD_getErrorName(size));
    buf_add_be(&writer->rows, writer->frame_first, 8);
    buf_add_be(&writer->rows, sealed_written(out), 8);
    buf_add_be(&writer->rows, size, 4);
    buf_add_be(&writer->rows, writer->frame.len, 4);
    buf_add_be(&writer->rows, crc32c(0, room, size), 4);
    sealed_add(out, room, size);
    buf_reset(&writer->frame);
    writer->frames++;
    return STATUS_OK;
}

/* How many frames there will be stands in the header, before them: they are counted in a first pass, which reads
 * lengths only. */
static enum status count_frames(const struct segment_info *info, segment_source *source, void *ctx,
                                u32 *frames, struct err *err)
{
    size_t filled = 0;
    *frames = 0;
    for (u64 number = info->first; number < info->first + info->count; number++) {
        struct db_bytes record;
        enum status status = source(ctx, number, &record, err);
        if (status != STATUS_OK)
            return status;
        if (record.len > SEGMENT_RECORD_MAX)
            return err_set(err, STATUS_TOO_LARGE, "record %llu has %zu bytes",
                           (unsigned long long)number, record.len);
        *frames += filled == 0;
        filled += 4 + record.len;
        if (filled >= FRAME_BYTES)
            filled = 0;
    }
    return STATUS_OK;
}

static enum status write_frames(struct writer *writer, struct sealed_out *out,
                                const struct segment_info *info, segment_source *source, void *ctx,
                                struct err *err)
{
    enum status status = STATUS_OK;
    for (u32 i = 0; status == STATUS_OK && i < info->count; i++) {
        struct db_bytes record;
        status = source(ctx, info->first + i, &record, err);
        if (status != STATUS_OK)
            return status;
        if (!writer->frame.len)
            writer->frame_first = info->first + i;
        buf_add_be(&writer->frame, record.len, 4);
        buf_add(&writer->frame, record.at, record.len);
        if (writer->frame.len >= FRAME_BYTES)
            status = frame_close(writer, out, err);
    }
    return status == STATUS_OK ? frame_close(writer, out, err) : status;
}

static enum status write_all(struct writer *writer, struct sealed_out *out,
                             const struct segment_info *info, segment_source *source, void *ctx,
                             struct err *err)
{
    u32 frames;
    enum status status = count_frames(info, source, ctx, &frames, err);
    if (status != STATUS_OK)
        return status;
    struct buf header;
    buf_init(&header, HEADER_SIZE);
    header_put(&header, info, frames);
    sealed_add(out, header.data, header.len);
    buf_fini(&header);
    status = write_frames(writer, out, info, source, ctx, err);
    buf_add_be(&writer->rows, crc32c(0, writer->rows.data, writer->rows.len), 4);
    sealed_add(out, writer->rows.data, writer->rows.len);
    return status;
}

enum status segment_write(const char *path, const struct segment_info *info, segment_source *source,
                          void *ctx, struct err *err)
{
    struct writer writer;
    struct sealed_out *out;
    enum status status = sealed_create(&out, path, err);
    if (status != STATUS_OK)
        return status;
    writer_init(&writer);
    status = write_all(&writer, out, info, source, ctx, err);
    writer_fini(&writer);
    if (status == STATUS_OK)
        return sealed_finish(out, err);
    sealed_drop(out);
    err_prefix(err, "%s", path);
    return status;
}

/* --- reading ---------------------------------------------------------------------------------- */

struct segment {
    struct segment_info info;
    struct sealed *file;
    char *path;
    u32 frames;
    u8 *rows;
    u32 at;    /* the frame that is unpacked, plus one; 0: none */
    u8 *frame; /* its bytes */
    size_t frame_len;
};

static enum status damaged(const struct segment *segment, struct err *err, const char *what)
{
    return err_set(err, STATUS_INVALID, "%s: %s", segment->path, what);
}

static enum status read_header(struct segment *segment, struct err *err)
{
    u8 header[HEADER_SIZE];
    enum status status = sealed_read(segment->file, 0, header, sizeof header, err);
    if (status != STATUS_OK)
        return status;
    if (memcmp(header, MAGIC, MAGIC_SIZE - 1) != 0)
        return damaged(segment, err, "this is no segment file");
    if (header[MAGIC_SIZE - 1] != MAGIC[MAGIC_SIZE - 1])
        return err_set(err, STATUS_UNSUPPORTED, "%s: format %c is newer than this program's, 1",
                       segment->path, header[MAGIC_SIZE - 1]);
    if (be_get(header + HEADER_SIZE - 4, 4) != crc32c(0, header, HEADER_SIZE - 4))
        return damaged(segment, err, "the header is damaged");
    memcpy(segment->info.tag, header + MAGIC_SIZE, SEGMENT_TAG_SIZE);
    segment->info.first = be_get(header + MAGIC_SIZE + SEGMENT_TAG_SIZE, 8);
    segment->info.count = (u32)be_get(header + MAGIC_SIZE + SEGMENT_TAG_SIZE + 8, 4);
    segment->frames = (u32)be_get(header + MAGIC_SIZE + SEGMENT_TAG_SIZE + 12, 4);
    if (!segment->frames || segment->frames > FRAMES_MAX || segment->frames > segment->info.count)
        return damaged(segment, err, "the header makes no sense");
    return STATUS_OK;
}

static enum status read_rows(struct segment *segment, struct err *err)
{
    size_t len = (size_t)segment->frames * ROW_SIZE;
    u64 size = sealed_size(segment->file);
    if (size < HEADER_SIZE + len + 4)
        return damaged(segment, err, "the file is too short");
    segment->rows = mem_alloc(len + 4);
    enum status status = sealed_read(segment->file, size - len - 4, segment->rows, len + 4, err);
    if (status != STATUS_OK)
        return status;
    if (be_get(segment->rows + len, 4) != crc32c(0, segment->rows, len))
        return damaged(segment, err, "the index is damaged");
    return STATUS_OK;
}

enum status segment_open(struct segment **opened, const char *path, struct err *err)
{
    struct segment *segment = NEW(struct segment);
    segment->path = mem_strdup(path);
    enum status status = sealed_open(&segment->file, path, err);
    if (status == STATUS_OK)
        status = read_header(segment, err);
    if (status == STATUS_OK)
        status = read_rows(segment, err);
    if (status != STATUS_OK) {
        segment_close(segment);
        return status;
    }
    *opened = segment;
    return STATUS_OK;
}

void segment_rest(struct segment *segment)
{
    mem_free(segment->frame);
    segment->frame = NULL;
    segment->at = 0;
}

void segment_close(struct segment *segment)
{
    if (!segment)
        return;
    segment_rest(segment);
    sealed_close(segment->file);
    mem_free(segment->rows);
    mem_free(segment->path);
    mem_free(segment);
}

const struct segment_info *segment_info(const struct segment *segment)
{
    return &segment->info;
}

static enum status unpack(struct segment *segment, const u8 *packed, size_t size, size_t len,
                          struct err *err)
{
    u8 *frame = mem_alloc(len);
    size_t got = ZSTD_decompress(frame, len, packed, size);
    if (ZSTD_isError(got) || got != len) {
        mem_free(frame);
        return damaged(segment, err, "a frame cannot be unpacked");
    }
    segment->frame = frame;
    segment->frame_len = len;
    return STATUS_OK;
}

static enum status load_frame(struct segment *segment, u32 frame, struct err *err)
{
    const u8 *row = segment->rows + (size_t)frame * ROW_SIZE;
    u64 offset = be_get(row + 8, 8);
    size_t size = be_get(row + 16, 4), len = be_get(row + 20, 4);
    segment_rest(segment);
    if (len > SEGMENT_RECORD_MAX + FRAME_BYTES || size > ZSTD_compressBound(len))
        return damaged(segment, err, "the index makes no sense");
    u8 *packed = mem_alloc(size);
    enum status status = sealed_read(segment->file, offset, packed, size, err);
    if (status == STATUS_OK && be_get(row + 24, 4) != crc32c(0, packed, size))
        status = damaged(segment, err, "a frame is damaged");
    if (status == STATUS_OK)
        status = unpack(segment, packed, size, len, err);
    mem_free(packed);
    if (status == STATUS_OK)
        segment->at = frame + 1;
    return status;
}

/* The last frame that begins at the number or before. */
static u32 frame_of(const struct segment *segment, u64 number)
{
    u32 low = 0, high = segment->frames;
    while (high - low > 1) {
        u32 middle = low + (high - low) / 2;
        if (be_get(segment->rows + (size_t)middle * ROW_SIZE, 8) <= number)
            low = middle;
        else
            high = middle;
    }
    return low;
}

enum status segment_get(struct segment *segment, u64 number, struct db_bytes *record,
                        struct err *err)
{
    if (number < segment->info.first || number - segment->info.first >= segment->info.count)
        return err_set(err, STATUS_NOT_FOUND, "%s does not hold block %llu", segment->path,
                       (unsigned long long)number);
    u32 frame = frame_of(segment, number);
    enum status status = segment->at == frame + 1 ? STATUS_OK : load_frame(segment, frame, err);
    if (status != STATUS_OK)
        return status;
    const u8 *at = segment->frame, *end = at + segment->frame_len;
    u64 skip = number - be_get(segment->rows + (size_t)frame * ROW_SIZE, 8);
    while (end - at >= 4) {
        size_t len = be_get(at, 4);
        if (len > (size_t)(end - at - 4))
            break;
        if (!skip--) {
            *record = (struct db_bytes){at + 4, len};
            return STATUS_OK;
        }
        at += 4 + len;
    }
    return damaged(segment, err, "a frame makes no sense");
}
