/*
 * The latest answer of each precompile. Contracts ask the same in loops, and a call is often simulated
 * before it is made; a precompile is a pure function of its input, so an answer never goes stale.
 * Inputs are compared whole: nobody can make two of them look alike.
 */
#pragma once

#include "evm/precompile.h"

enum {
    PRECOMPILE_KEPT_INPUT = 64 << 10, /* longer ones are not kept */
    PRECOMPILE_KEPT_OUTPUT = 1 << 10,
};

struct precompile_answer {
    u8 *bytes; /* input and, behind it, output; grown as needed, up to both bounds */
    size_t cap, in_len, out_len;
    bool is_set, ok;
};

struct precompile_cache {
    struct precompile_answer answers[PRECOMPILE_COUNT]; /* by row of PRECOMPILES */
    bool is_off;
};

void precompile_cache_fini(struct precompile_cache *cache);

/* As precompile->run, which must be a row of PRECOMPILES. *out is valid until the next call. */
bool precompile_cache_run(struct precompile_cache *cache, const struct precompile *precompile,
                          const u8 **out, size_t *out_len, const u8 *in, size_t len,
                          struct arena *arena);
