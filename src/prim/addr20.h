/* 20 bytes that name an account. A value, compared by content. */
#pragma once

#include <string.h>

#include "base/types.h"

typedef struct {
    u8 b[20];
} addr20;

static inline bool addr20_eq(const addr20 *a, const addr20 *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

static inline bool addr20_is_zero(const addr20 *a)
{
    static const addr20 zero;
    return addr20_eq(a, &zero);
}
