/* Any bytes as a snapshot, and as the records of one whose seals are right: it is refused, or its records come out in
 * order, and written again they are the same. */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/mem.h"
#include "crypto/sha256.h"
#include "node/snapshot_file.h"
#include "sys/file.h"

enum { HEADER_SIZE = 96, MAGIC_SIZE = 16 };

static char *path_once(void)
{
    static char path[64] = "/tmp/ashlar-snapshot-fuzz-XXXXXX";
    static bool made;
    if (!made && mkstemp(path) >= 0)
        made = true;
    return path;
}

static void put(struct buf *out, u64 value, unsigned bytes)
{
    while (bytes--)
        buf_add_byte(out, (u8)(value >> (8 * bytes)));
}

/* Seals what was added since `from`, which is where the last seal ended. */
static void seal(struct buf *file, size_t from, hash32 *last)
{
    struct buf link;
    buf_init(&link, SIZE_MAX / 2);
    buf_add(&link, last->b, sizeof last->b);
    buf_add(&link, file->data + from, file->len - from);
    sha256(last, link.data, link.len);
    buf_add(file, last->b, sizeof last->b);
    buf_fini(&link);
}

static void put_sealed(struct buf *file, const u8 *records, size_t len, u64 count)
{
    static const u8 rest[HEADER_SIZE - MAGIC_SIZE - 8];
    hash32 last = {0};
    buf_add_text(file, "ashlar snapshot\n");
    put(file, SNAPSHOT_VERSION, 4);
    put(file, DB_FORMAT, 4);
    buf_add(file, rest, sizeof rest);
    seal(file, 0, &last);
    size_t from = file->len, most = ZSTD_compressBound(len);
    u8 *packed = mem_alloc(most);
    size_t size = ZSTD_compress(packed, most, records, len, 1);
    put(file, size, 4);
    put(file, len, 4);
    buf_add(file, packed, size);
    mem_free(packed);
    seal(file, from, &last);
    from = file->len;
    put(file, 0, 8);
    put(file, count, 8);
    seal(file, from, &last);
}

/* How many records came out; the file was right if *whole. */
static u64 read_all(const u8 *file, size_t len, struct buf *records, bool *whole)
{
    struct err err;
    struct snapshot_in *in;
    struct snapshot_record record;
    u64 count = 0;
    *whole = false;
    if (file_write(path_once(), file, len, &err) != STATUS_OK ||
        snapshot_open(&in, path_once(), &err) != STATUS_OK)
        return 0;
    while (snapshot_next(in, &record, &err) == STATUS_OK) {
        if (!record.key.len) {
            *whole = true;
            break;
        }
        buf_add_byte(records, record.kind);
        put(records, record.key.len, 2);
        put(records, record.value.len, 4);
        buf_add(records, record.key.at, record.key.len);
        buf_add(records, record.value.at, record.value.len);
        count++;
    }
    snapshot_close(in);
    return count;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct buf file, records;
    bool whole;
    buf_init(&file, SIZE_MAX / 2);
    buf_init(&records, SIZE_MAX / 2);
    read_all(data, size, &records, &whole);
    buf_reset(&records);
    if (size > 1) {
        put_sealed(&file, data + 1, size - 1, data[0]);
        u64 count = read_all(file.data, file.len, &records, &whole);
        assert(!whole || count == data[0]);
        assert(!whole || (records.len == size - 1 && !memcmp(records.data, data + 1, size - 1)));
    }
    buf_fini(&file);
    buf_fini(&records);
    return 0;
}
