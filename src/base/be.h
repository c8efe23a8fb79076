/* Big-endian numbers in files and keys, so that the order of bytes is the order of values. Writing is buf_add_be. */
#pragma once

#include "base/types.h"

/* Of 1 to 8 bytes. */
static inline u64 be_get(const u8 *at, unsigned bytes)
{
    u64 value = 0;
    while (bytes--)
        value = value << 8 | *at++;
    return value;
}
