#include "db/crc32c.h"

#include <string.h>

#ifdef __SSE4_2__

u32 crc32c(u32 crc, const void *bytes, size_t len)
{
    const u8 *p = bytes;
    u64 state = ~crc;
    for (; len >= 8; p += 8, len -= 8) {
        u64 word;
        memcpy(&word, p, sizeof word);
        state = __builtin_ia32_crc32di(state, word);
    }
    u32 rest = (u32)state;
    for (; len > 0; p++, len--)
        rest = __builtin_ia32_crc32qi(rest, *p);
    return ~rest;
}

#else

/* The polynomial 0x1edc6f41, reflected, by half bytes. */
static const u32 by_nibble[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

u32 crc32c(u32 crc, const void *bytes, size_t len)
{
    const u8 *p = bytes;
    u32 state = ~crc;
    for (; len > 0; p++, len--) {
        state ^= *p;
        state = state >> 4 ^ by_nibble[state & 15];
        state = state >> 4 ^ by_nibble[state & 15];
    }
    return ~state;
}

#endif
