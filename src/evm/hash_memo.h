/*
 * Hashes of 64 bytes, remembered. Solidity hashes a key and a slot's number whenever it reaches into a
 * mapping, so changing a balance hashes the same 64 bytes twice, and the next transfer does so again.
 * Inputs are compared whole: nobody can make two of them look alike. Who makes many that share a place
 * loses what looking costs.
 */
#pragma once

#include "base/types.h"
#include "prim/hash32.h"

enum { HASH_MEMO_LEN = 64, HASH_MEMO_COUNT = 512 };

struct hash_memo_entry {
    u8 input[HASH_MEMO_LEN];
    hash32 hash;
    bool is_set;
};

struct hash_memo {
    struct hash_memo_entry entries[HASH_MEMO_COUNT]; /* all zero: nothing is remembered */
};

/* keccak256 of HASH_MEMO_LEN bytes. The pointer is valid until the next call. */
const hash32 *hash_memo_get(struct hash_memo *memo, const u8 input[HASH_MEMO_LEN]);
