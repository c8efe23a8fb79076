#include "prim/snappy.h"

#include <string.h>

#include "base/assert.h"

enum { HASH_BITS = 12, MATCH_MIN = 4, COPY_MAX = 64, LITERAL = 0, COPY_1 = 1, COPY_2 = 2 };

/* --- encoding --------------------------------------------------------------------------------- */

static u32 load4(const u8 *at)
{
    u32 value;
    memcpy(&value, at, sizeof value);
    return value;
}

static u32 hash(u32 value)
{
    return value * 0x9e3779b1u >> (32 - HASH_BITS);
}

static void put_literal(struct buf *out, const u8 *bytes, size_t len)
{
    if (!len)
        return;
    size_t n = len - 1;
    if (n < 60) {
        buf_add_byte(out, (u8)(n << 2 | LITERAL));
    } else {
        buf_add_byte(out, (n < 256 ? 60 : 61) << 2 | LITERAL);
        buf_add_byte(out, (u8)n);
        if (n >= 256)
            buf_add_byte(out, (u8)(n >> 8));
    }
    buf_add(out, bytes, len);
}

static void put_copy(struct buf *out, size_t offset, size_t len)
{
    while (len) {
        size_t part = len < COPY_MAX ? len : COPY_MAX;
        buf_add_byte(out, (u8)((part - 1) << 2 | COPY_2));
        buf_add_byte(out, (u8)offset);
        buf_add_byte(out, (u8)(offset >> 8));
        len -= part;
    }
}

static void put_varint(struct buf *out, size_t value)
{
    for (; value >= 0x80; value >>= 7)
        buf_add_byte(out, (u8)(value | 0x80));
    buf_add_byte(out, (u8)value);
}

/* Greedy: the latest place where the same four bytes stood, or none. */
void snappy_encode(struct buf *out, const u8 *bytes, size_t len)
{
    u16 table[1 << HASH_BITS] = {0};
    size_t at = 1, unsaid = 0;
    assert(len <= SNAPPY_BLOCK_MAX);
    put_varint(out, len);
    while (at + MATCH_MIN <= len) {
        u16 *place = &table[hash(load4(bytes + at))];
        size_t before = *place, same = 0;
        *place = (u16)at;
        if (load4(bytes + before) == load4(bytes + at))
            for (same = MATCH_MIN; at + same < len && bytes[before + same] == bytes[at + same];)
                same++;
        if (!same) {
            at += 1 + (at - unsaid) / 32; /* what does not pack is passed over faster and faster */
            continue;
        }
        put_literal(out, bytes + unsaid, at - unsaid);
        put_copy(out, at - before, same);
        at += same;
        unsaid = at;
    }
    put_literal(out, bytes + unsaid, len - unsaid);
}

/* --- decoding --------------------------------------------------------------------------------- */

struct input {
    const u8 *at, *end;
};

static bool take(struct input *in, unsigned bytes, u32 *value)
{
    if ((size_t)(in->end - in->at) < bytes)
        return false;
    *value = 0;
    for (unsigned i = 0; i < bytes; i++)
        *value |= (u32)*in->at++ << (8 * i);
    return true;
}

static bool take_varint(struct input *in, u64 *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 35 && in->at < in->end; shift += 7) {
        u8 byte = *in->at++;
        *value |= (u64)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return *value <= UINT32_MAX;
    }
    return false;
}

static bool take_literal(struct input *in, u8 tag, u8 *room, size_t *at, size_t len)
{
    u32 n = tag >> 2;
    if (n >= 60 && !take(in, n - 59, &n))
        return false;
    size_t count = (size_t)n + 1;
    if (count > (size_t)(in->end - in->at) || count > len - *at)
        return false;
    memcpy(room + *at, in->at, count);
    in->at += count;
    *at += count;
    return true;
}

static bool take_copy(struct input *in, u8 tag, u8 *room, size_t *at, size_t len)
{
    u32 offset, kind = tag & 3;
    size_t count = kind == COPY_1 ? (size_t)(tag >> 2 & 7) + MATCH_MIN : (size_t)(tag >> 2) + 1;
    if (!take(in, kind == COPY_1 ? 1 : kind == COPY_2 ? 2 : 4, &offset))
        return false;
    if (kind == COPY_1)
        offset |= (u32)(tag >> 5) << 8;
    if (!offset || offset > *at || count > len - *at)
        return false;
    for (; count; count--, ++*at) /* byte by byte: the two may overlap, and then repeat */
        room[*at] = room[*at - offset];
    return true;
}

bool snappy_decode(struct buf *out, const u8 *bytes, size_t len, size_t max)
{
    struct input in = {bytes, len ? bytes + len : bytes};
    u64 want;
    size_t at = 0, mark = out->len;
    /* A byte of input never stands for more than 64 of output: no room is taken on a mere promise. */
    if (!take_varint(&in, &want) || want > max || want > (u64)len * COPY_MAX)
        return false;
    u8 *room = want ? buf_extend(out, (size_t)want) : NULL;
    bool good = room || !want;
    while (good && in.at < in.end) {
        u8 tag = *in.at++;
        good = (tag & 3) == LITERAL ? take_literal(&in, tag, room, &at, (size_t)want)
                                    : take_copy(&in, tag, room, &at, (size_t)want);
    }
    if (good && at == want)
        return true;
    out->len = mark;
    return false;
}
