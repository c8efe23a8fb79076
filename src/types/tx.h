/*
 * Transactions of types 0 to 4: decoding, encoding, hashing, signing hash, sender.
 * Source: Yellow Paper 4.3 and appendix B; EIP-155, 2718, 2930, 1559, 4844, 7702, 7594 (network form).
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "prim/addr20.h"
#include "prim/hash32.h"
#include "prim/rlp.h"
#include "prim/u256.h"
#include "types/fork.h"

enum tx_type {
    TX_LEGACY = 0,
    TX_ACCESS_LIST = 1,
    TX_DYNAMIC_FEE = 2,
    TX_BLOB = 3,
    TX_SET_CODE = 4
};

struct access_entry {
    addr20 addr;
    const hash32 *keys;
    u32 key_count;
};

/* EIP-7702. The signature is not checked by decoding. */
struct authorization {
    u256 chain_id;
    addr20 addr;
    u64 nonce;
    u8 y_parity;
    u256 r, s;
};

/* Everything variable in length is borrowed from the arena given to tx_decode (or from the maker). */
struct tx {
    enum tx_type type;
    bool has_chain_id; /* false: a legacy transaction from before EIP-155 */
    u64 chain_id;
    u64 nonce;
    u256 gas_price;                 /* types 0 and 1; for the others equal to max_fee */
    u256 max_fee, max_priority_fee; /* wei per gas; types 0 and 1: both gas_price */
    u64 gas;
    bool is_create;
    addr20 to;
    u256 value;
    const u8 *data;
    size_t data_len;
    const struct access_entry *access_list;
    u32 access_count;
    u256 max_blob_fee; /* type 3, wei per blob gas */
    const hash32 *blob_hashes;
    u32 blob_count;
    const struct authorization *authorizations;
    u32 authorization_count;
    u64 v; /* as on the wire: y parity, or 27/28, or EIP-155 */
    u256 r, s;
    hash32 hash;   /* of the wire form, without blob sidecar */
    addr20 sender; /* valid once has_sender */
    bool has_sender;
};
