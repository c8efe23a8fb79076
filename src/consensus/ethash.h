/*
 * Ethash, checked the light way: from the epoch's cache of some 16 MiB upwards, without the
 * dataset. A cache takes about a second to make; it is kept for the last epoch asked for. Source:
 * Yellow Paper, appendix J.
 */
#pragma once

#include "prim/hash32.h"
#include "prim/u256.h"

enum { ETHASH_EPOCH = 30000 }; /* blocks */

struct ethash;

struct ethash *ethash_new(void);
void ethash_free(struct ethash *ethash);

/* The two results of the proof for the block `number`: its mix digest, and what must not exceed
 * 2^256 / difficulty. */
void ethash_hash(struct ethash *ethash, u64 number, const hash32 *seal_hash, const u8 nonce[8],
                 hash32 *mix, hash32 *result);

/* Is this the seal of a header with this seal hash and difficulty? */
bool ethash_verify(struct ethash *ethash, u64 number, const hash32 *seal_hash, const u8 nonce[8],
                   const hash32 *mix, u256 difficulty);

u64 ethash_cache_size(u64 number);   /* bytes */
u64 ethash_dataset_size(u64 number); /* bytes */
hash32 ethash_seed(u64 number);
