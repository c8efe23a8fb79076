/* A block: header and body. Source: Yellow Paper 4.4, EIP-4895. */
#pragma once

#include "types/header.h"
#include "types/tx.h"
#include "types/withdrawal.h"

/* Lists are borrowed from the arena given to block_decode, or from the maker. */
struct block {
    struct header header;
    hash32 hash;
    struct tx *txs;
    u32 tx_count;
    const struct header *ommers;
    u32 ommer_count;
    bool has_withdrawals; /* from Shanghai: the body has the list, maybe empty */
    const struct withdrawal *withdrawals;
    u32 withdrawal_count;
    size_t size; /* bytes of rlp(block) */
};

/*
 * Decodes rlp([header, txs, ommers(, withdrawals)]), all of bytes. Everything points into bytes
 * and arena. On BLOCK_MALFORMED *reason says what is wrong; on BLOCK_TX a transaction does not
 * decode, and *reason says why. reason may be NULL.
 */
MUST_READ enum block_verdict block_decode(struct block *block, struct arena *arena, const u8 *bytes,
                                          size_t len, const char **reason);
void block_encode(struct buf *out, const struct block *block);

/* Recomputes block->hash and block->size. */
void block_seal(struct block *block);

hash32 block_ommers_hash(const struct header *ommers, u32 count);
