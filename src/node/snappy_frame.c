#include "node/snappy_frame.h"

#include <string.h>

#include "db/crc32c.h"
#include "prim/snappy.h"

enum { PACKED = 0x00, PLAIN = 0x01, SKIPPED_FROM = 0x80, IDENTIFIER = 0xff, HEADER = 4, CRC = 4 };

static const u8 STREAM[] = {IDENTIFIER, 6, 0, 0, 's', 'N', 'a', 'P', 'p', 'Y'};

static u32 masked(const u8 *bytes, size_t len)
{
    u32 crc = crc32c(0, bytes, len);
    return (crc >> 15 | crc << 17) + 0xa282ead8;
}

static void put_le(u8 *at, u32 value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (u8)(value >> (8 * i));
}

static u32 get_le(const u8 *at, unsigned bytes)
{
    u32 value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (u32)at[i] << (8 * i);
    return value;
}

/* --- encoding --------------------------------------------------------------------------------- */

static void put_block(struct buf *out, const u8 *bytes, size_t len)
{
    size_t begin = out->len;
    buf_extend(out, HEADER + CRC);
    snappy_encode(out, bytes, len);
    bool pays = out->len - begin - HEADER - CRC < len;
    if (!pays) {
        out->len = begin + HEADER + CRC;
        buf_add(out, bytes, len);
    }
    u8 *header = out->data + begin;
    header[0] = pays ? PACKED : PLAIN;
    put_le(header + 1, (u32)(out->len - begin - HEADER), 3);
    put_le(header + HEADER, masked(bytes, len), CRC);
}

void snappy_frame_encode(struct buf *out, const u8 *bytes, size_t len)
{
    buf_add(out, STREAM, sizeof STREAM);
    for (size_t at = 0; at < len; at += SNAPPY_BLOCK_MAX)
        put_block(out, bytes + at, len - at < SNAPPY_BLOCK_MAX ? len - at : SNAPPY_BLOCK_MAX);
}

/* --- decoding --------------------------------------------------------------------------------- */

static const char *take_block(struct buf *out, u8 kind, const u8 *at, size_t len, size_t max)
{
    size_t from = out->len, most = max < SNAPPY_BLOCK_MAX ? max : SNAPPY_BLOCK_MAX;
    if (len < CRC)
        return "a snappy chunk is cut off";
    if (kind == PACKED) {
        if (!snappy_decode(out, at + CRC, len - CRC, most))
            return "a snappy chunk cannot be unpacked";
    } else if (len - CRC > most) {
        return "a snappy chunk is too large";
    } else {
        buf_add(out, at + CRC, len - CRC);
    }
    /* A buffer that is still empty has no bytes to point at. */
    const u8 *bytes = out->len > from ? out->data + from : NULL;
    if (masked(bytes, out->len - from) != get_le(at, CRC))
        return "a snappy chunk does not agree with its checksum";
    return NULL;
}

static const char *take_chunk(struct buf *out, u8 kind, const u8 *at, size_t len, size_t max)
{
    if (kind == PACKED || kind == PLAIN)
        return take_block(out, kind, at, len, max);
    if (kind == IDENTIFIER)
        return len == sizeof STREAM - HEADER && !memcmp(at, STREAM + HEADER, len)
                   ? NULL
                   : "a snappy stream begins wrongly";
    return kind < SKIPPED_FROM ? "a snappy chunk is of an unknown kind" : NULL;
}

const char *snappy_frame_decode(struct buf *out, const u8 *bytes, size_t len, size_t max)
{
    size_t mark = out->len;
    const char *wrong = NULL;
    if (len < sizeof STREAM || memcmp(bytes, STREAM, sizeof STREAM) != 0)
        wrong = "a snappy stream begins wrongly";
    for (size_t at = 0; !wrong && at < len;) {
        size_t size = len - at < HEADER ? SIZE_MAX : get_le(bytes + at + 1, 3);
        if (size > len - at - HEADER || len - at < HEADER) {
            wrong = "a snappy chunk is cut off";
            break;
        }
        wrong = take_chunk(out, bytes[at], bytes + at + HEADER, size, max - (out->len - mark));
        at += HEADER + size;
    }
    if (wrong)
        out->len = mark;
    return wrong;
}
