/*
 * Block headers. Fields that later forks added are optional by position: a header has the first
 * `fields` of them. Source: Yellow Paper 4.4, EIP-1559, 4895, 4844, 4788, 7685.
 */
#pragma once

#include "base/arena.h"
#include "types/bloom.h"
#include "types/fork.h"

enum header_fields {
    HEADER_FIELDS_FRONTIER = 15,
    HEADER_FIELDS_LONDON = 16,   /* base fee */
    HEADER_FIELDS_SHANGHAI = 17, /* withdrawals root */
    HEADER_FIELDS_CANCUN = 20,   /* blob gas used, excess blob gas, parent beacon block root */
    HEADER_FIELDS_PRAGUE = 21,   /* requests hash */
};

struct header {
    u32 fields; /* how many of the following are present, one of enum header_fields */
    hash32 parent_hash;
    hash32 ommers_hash;
    addr20 coinbase;
    hash32 state_root;
    hash32 tx_root;
    hash32 receipts_root;
    struct bloom logs_bloom;
    u256 difficulty;
    u64 number;
    u64 gas_limit;
    u64 gas_used;
    u64 timestamp;   /* seconds */
    const u8 *extra; /* borrowed from the arena or the input */
    size_t extra_len;
    hash32 mix_hash; /* prev_randao from Paris */
    u8 nonce[8];
    u256 base_fee; /* wei per gas */
    hash32 withdrawals_root;
    u64 blob_gas_used;
    u64 excess_blob_gas;
    hash32 parent_beacon_root;
    hash32 requests_hash;
};

/* How many fields a header of this fork has. */
u32 header_fields_of(enum fork fork);

void header_encode(struct buf *out, const struct header *header);
/* Reads one header; extra points into the input. Any field count that the forks know is accepted.
 */
MUST_READ enum rlp_verdict header_decode(struct rlp *rlp, struct header *header);
hash32 header_hash(const struct header *header);
/* What ethash seals: the hash without mix_hash and nonce. */
hash32 header_seal_hash(const struct header *header);

extern const hash32 HEADER_NO_OMMERS;   /* keccak256(rlp([])) */
extern const hash32 HEADER_EMPTY_ROOT;  /* root of the empty trie: keccak256(rlp("")) */
extern const hash32 HEADER_NO_REQUESTS; /* EIP-7685: sha256 of nothing */
