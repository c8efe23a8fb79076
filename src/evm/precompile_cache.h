/*
 * Answers of precompiles that were dear, by input: blocks ask the same again (a proof that is checked by
 * several contracts, a pairing that a call and its simulation both make). A precompile is a pure function
 * of its input, so nothing ever goes stale. A fixed number of entries; nothing is allocated.
 */
#pragma once

#include "evm/precompile.h"
#include "prim/hash32.h"

enum {
    PRECOMPILE_CACHE_ENTRIES = 64, /* direct-mapped by hash */
    PRECOMPILE_CACHE_OUTPUT = 256, /* longer answers are not kept */
    PRECOMPILE_CACHE_GAS = 20000,  /* cheaper calls are not looked up: hashing costs as well */
};

struct precompile_cache {
    struct precompile_answer {
        hash32 key; /* of input and address; zero: the entry is empty */
        bool ok;
        u16 len;
        u8 output[PRECOMPILE_CACHE_OUTPUT];
    } entries[PRECOMPILE_CACHE_ENTRIES];
};

/* As precompile->run. *out may point into the cache: it is valid until the next call. */
bool precompile_cache_run(struct precompile_cache *cache, const struct precompile *precompile,
                          u64 gas, const u8 **out, size_t *out_len, const u8 *in, size_t len,
                          struct arena *arena);
