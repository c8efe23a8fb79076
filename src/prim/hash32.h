/* 32 bytes that are a hash, a key or a storage word in its big-endian form. A value, compared by content. */
#pragma once

#include <string.h>

#include "base/types.h"

typedef struct {
    u8 b[32];
} hash32;

static inline bool hash32_eq(const hash32 *a, const hash32 *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

static inline bool hash32_is_zero(const hash32 *a)
{
    static const hash32 zero;
    return hash32_eq(a, &zero);
}
