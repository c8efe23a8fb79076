#include "prim/utf8.h"

#include <string.h>

/* How many bytes the sequence at p takes, 0 if it is none. */
static size_t sequence_len(const u8 *p, size_t left)
{
    u8 first = p[0];
    if (first < 0x80)
        return 1;
    size_t len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || len > left)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (first == 0xe0 && p[1] < 0xa0) || (first == 0xf0 && p[1] < 0x90);
    bool surrogate = first == 0xed && p[1] >= 0xa0;
    bool beyond = first == 0xf4 && p[1] >= 0x90;
    return overlong || surrogate || beyond ? 0 : len;
}

size_t utf8_valid_len(const char *text, size_t len)
{
    const u8 *bytes = (const u8 *)text;
    size_t at = 0;
    while (at < len) {
        u64 eight;
        if (len - at >= sizeof eight) {
            memcpy(&eight, bytes + at, sizeof eight);
            if (!(eight & 0x8080808080808080)) {
                at += sizeof eight;
                continue;
            }
        }
        size_t step = sequence_len(bytes + at, len - at);
        if (!step)
            return at;
        at += step;
    }
    return len;
}
