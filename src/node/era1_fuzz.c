/* Any entries, one after another, with framed values where there should be some: refused, or blocks that decode as RLP
 * lists. */
#include <string.h>

#include "base/assert.h"
#include "base/buf.h"
#include "node/era1.h"
#include "node/snappy_frame.h"
#include "prim/rlp.h"

enum { TYPES = 7 };

static const u16 types[TYPES] = {0x3265, 3, 4, 5, 6, 7, 0x3266};

static void put_entry(struct buf *out, u16 type, const u8 *value, size_t len)
{
    u8 header[ERA1_ENTRY_HEADER] = {(u8)type, (u8)(type >> 8), (u8)len, (u8)(len >> 8)};
    buf_add(out, header, sizeof header);
    buf_add(out, value, len);
}

/* False: refused. */
static bool give(struct era1_in *in, const struct buf *entry)
{
    struct err err;
    const u8 *rlp;
    size_t len = 0;
    u64 size;
    if (era1_entry_size(entry->data, &size, &err) != STATUS_OK)
        return false;
    assert(size == entry->len - ERA1_ENTRY_HEADER);
    if (era1_take(in, entry->data, entry->len, &rlp, &len, &err) != STATUS_OK)
        return false;
    if (rlp) {
        struct rlp all = rlp_open(rlp, len), list;
        assert(rlp_list(&all, &list) == RLP_OK && rlp_at_end(&all));
    }
    return true;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* Each entry: type and whether its value is to be framed (1), length (2), value. */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct err err;
    struct buf entry, framed;
    struct era1_in *in = era1_in_new();
    buf_init(&entry, SIZE_MAX / 2);
    buf_init(&framed, SIZE_MAX / 2);
    for (bool good = true; good && size >= 3;) {
        u8 kind = data[0];
        size_t len = (size_t)data[1] | (size_t)(data[2] & 15) << 8;
        data += 3;
        size -= 3;
        len = len < size ? len : size;
        buf_reset(&entry);
        buf_reset(&framed);
        snappy_frame_encode(&framed, data, len);
        if (kind & 0x80)
            put_entry(&entry, types[kind % TYPES], data, len);
        else
            put_entry(&entry, types[kind % TYPES], framed.data, framed.len);
        good = give(in, &entry);
        data += len;
        size -= len;
    }
    if (era1_end(in, &err) != STATUS_OK)
        assert(err.text[0]);
    buf_fini(&entry);
    buf_fini(&framed);
    era1_in_free(in);
    return 0;
}
