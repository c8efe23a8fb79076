/* A segment file of any bytes, with the checksums made right: it is refused, or its records can be read. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "db/crc32c.h"
#include "db/segment.h"
#include "sys/file.h"

enum { HEADER_SIZE = 68, ROW_SIZE = 28 };

static void put_be32(u8 *out, u32 value)
{
    value = __builtin_bswap32(value);
    memcpy(out, &value, sizeof value);
}

static u32 get_be32(const u8 *in)
{
    u32 value;
    memcpy(&value, in, sizeof value);
    return __builtin_bswap32(value);
}

/* Else hardly any input would come past the checksums. */
static void make_right(u8 *file, size_t size)
{
    if (size < HEADER_SIZE)
        return;
    memcpy(file, "ashlar segment 1", 16);
    u64 frames = get_be32(file + HEADER_SIZE - 8) % 4 + 1, rows = frames * ROW_SIZE;
    put_be32(file + HEADER_SIZE - 8, (u32)frames);
    put_be32(file + HEADER_SIZE - 4, crc32c(0, file, HEADER_SIZE - 4));
    if (size < HEADER_SIZE + rows + 4)
        return;
    u8 *row = file + size - rows - 4;
    for (u64 i = 0; i < frames; i++, row += ROW_SIZE) {
        u64 offset = get_be32(row + 12), len = get_be32(row + 16);
        if (offset <= size && len <= size - offset)
            put_be32(row + 24, crc32c(0, file + offset, len));
    }
    put_be32(row, crc32c(0, file + size - rows - 4, rows));
}

static char *path_once(void)
{
    static char path[64] = "/tmp/ashlar-segment-fuzz-XXXXXX";
    static bool made;
    if (!made && mkstemp(path) >= 0)
        made = true;
    return path;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct err err;
    struct segment *segment;
    struct db_bytes record;
    char *path = path_once();
    u8 *file = mem_dup(data, size);
    make_right(file, size);
    enum status status = file_write(path, file, size, &err);
    mem_free(file);
    if (status != STATUS_OK || segment_open(&segment, path, &err) != STATUS_OK)
        return 0;
    const struct segment_info *info = segment_info(segment);
    for (u32 i = 0; i < info->count && i < 1000; i++)
        if (segment_get(segment, info->first + i, &record, &err) != STATUS_OK)
            break;
    segment_close(segment);
    return 0;
}
