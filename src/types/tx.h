/*
 * Transactions of types 0 to 4: decoding, encoding, hashing, signing hash, sender. Source: Yellow
 * Paper 4.3 and appendix B; EIP-155, 2718, 2930, 1559, 4844, 7702, 7594 (network form).
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "prim/addr20.h"
#include "prim/hash32.h"
#include "prim/rlp.h"
#include "prim/u256.h"
#include "types/fork.h"
#include "types/verdict.h"

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

/* Everything variable in length is borrowed from the arena given to tx_decode (or from the
 * maker). */
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

enum {
    TX_BLOB_GAS = 131072, /* EIP-4844: gas per blob */
    TX_BLOB_SIZE = 131072,
    TX_CELLS_PER_BLOB = 128, /* EIP-7594 */
};

/*
 * Decodes the canonical form: rlp(list) for type 0, type byte and rlp(list) for the others. The
 * whole input must be the transaction. Data points into bytes, which must live as long as the
 * transaction; lists are allocated from the arena. The hash is filled in, the sender is not.
 * Verdicts: TX_MALFORMED, TX_TYPE_NOT_SUPPORTED. Whether the fork knows the type is tx_check's
 * matter.
 */
MUST_READ enum tx_verdict tx_decode(struct tx *tx, struct arena *arena, const u8 *bytes,
                                    size_t len);

/* Decodes one transaction of a block body: a list for type 0, a string with the canonical form
 * otherwise. */
MUST_READ enum tx_verdict tx_decode_item(struct tx *tx, struct arena *arena, struct rlp *body);

/* What travels with a type 3 transaction on the network, never in a block. Borrowed from the
 * input. */
struct tx_sidecar {
    bool present;
    u8 version;       /* 0: one proof a blob (EIP-4844); 1: 128 cell proofs a blob (EIP-7594) */
    u32 count;        /* blobs and commitments */
    const u8 **blobs; /* count pointers to TX_BLOB_SIZE bytes */
    const u8 *commitments; /* count times 48 bytes */
    const u8 *proofs;      /* 48 bytes each: count of them, or count * TX_CELLS_PER_BLOB */
};

/*
 * Decodes what eth_sendRawTransaction and the pool receive: the canonical form, or for type 3
 * also 0x03 ++ rlp([tx, blobs, commitments, proofs]) and 0x03 ++ rlp([tx, 1, blobs, commitments,
 * cell proofs]). That commitments fit the blob hashes is checked here; proofs are not
 * (crypto/kzg.h).
 */
MUST_READ enum tx_verdict tx_decode_network(struct tx *tx, struct tx_sidecar *sidecar,
                                            struct arena *arena, const u8 *bytes, size_t len);

/* Appends the canonical form (no sidecar). */
void tx_encode(struct buf *out, const struct tx *tx);

/* Appends the form that block bodies hold: types other than 0 are wrapped in an RLP string. */
void tx_encode_item(struct buf *out, const struct tx *tx);

/* A copy that owns its parts: data and lists are the arena's. */
void tx_copy(struct tx *copy, const struct tx *tx, struct arena *arena);

/* Recomputes tx->hash from the other fields. */
void tx_hash_update(struct tx *tx);

/* What the sender signs. */
hash32 tx_signing_hash(const struct tx *tx);

/*
 * Finds the sender and sets sender and has_sender; nothing is done when has_sender is set.
 * fork decides the rules: low s from Homestead (EIP-2), chain ids from Spurious Dragon (EIP-155).
 * TX_WRONG_CHAIN_ID, TX_BAD_SIGNATURE. About 25 us.
 */
MUST_READ enum tx_verdict tx_recover(struct tx *tx, enum fork fork, u64 chain_id);

struct secp256k1_signer;
/* Signs: sets v, r, s, hash, sender. A legacy transaction is signed by EIP-155 if has_chain_id.
 * False, with tx untouched, for a secret that is no valid key. */
MUST_READ bool tx_sign(struct tx *tx, const struct secp256k1_signer *signer, const hash32 *secret);

/* EIP-7702: the authority that signed; false when the signature is not one that may be used. */
bool authorization_recover(const struct authorization *authorization, addr20 *authority);
/* keccak256(0x05 ++ rlp([chain_id, address, nonce])). */
hash32 authorization_signing_hash(const struct authorization *authorization);

/* The wei per gas that is paid at this base fee: min(max_fee, base_fee + max_priority_fee). */
u256 tx_effective_gas_price(const struct tx *tx, u256 base_fee);

struct tx_gas {
    u64 intrinsic; /* charged before execution (Yellow Paper's g0; EIP-2, 2028, 2930, 3860, 7702) */
    u64 floor;     /* the least that is charged in the end (EIP-7623); 0 before Prague */
};

/* Both saturate at 2^64 - 1. */
struct tx_gas tx_gas_of(const struct tx *tx, enum fork fork);

/*
 * The rules that need neither state nor block, in parts because execution looks at account, fees
 * and block in between. blobs_max: per transaction, chain_config_tx_blobs_max.
 */
MUST_READ enum tx_verdict tx_check_type(const struct tx *tx, enum fork fork);
MUST_READ enum tx_verdict tx_check_gas_cap(const struct tx *tx, enum fork fork);
MUST_READ enum tx_verdict tx_check_tip(const struct tx *tx);
/* Blob and authorization lists, init code size (EIP-3860). */
MUST_READ enum tx_verdict tx_check_lists(const struct tx *tx, enum fork fork, u32 blobs_max);
/* Intrinsic and floor gas. *gas is set on any verdict. */
MUST_READ enum tx_verdict tx_check_gas(const struct tx *tx, enum fork fork, struct tx_gas *gas);

/* All of them, the nonce's maximum (EIP-2681), and that gas times price stays below 2^256. */
MUST_READ enum tx_verdict tx_check(const struct tx *tx, enum fork fork, u32 blobs_max);
