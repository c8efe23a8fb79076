/*
 * The seam between the EVM and the state it runs on: a small table of functions. `chain` answers from
 * `state`; tests and benchmarks answer from whatever they have. All functions act on the host's journal:
 * `checkpoint` and `rollback` undo everything below except `mark`s of no consequence. No function fails.
 * Addresses and keys are borrowed for the call only.
 */
#pragma once

#include "base/types.h"
#include "prim/addr20.h"
#include "prim/hash32.h"
#include "prim/u256.h"

struct evm_code_view {
    const u8 *bytes; /* borrowed until the transaction ends */
    size_t len;
    hash32 hash; /* keccak256 of the bytes; the hash of nothing for empty code */
};

/* A storage slot as SSTORE needs it (EIP-2200). handle is valid until the next call on the host. */
struct evm_slot {
    u256 current, original; /* original: at the start of the transaction */
    bool was_cold;          /* EIP-2929; the slot is warm from now on */
    void *handle;
};

struct evm_host_ops {
    /* Is there an account in the state (even an empty one, as could exist before EIP-161)? */
    bool (*account_exists)(void *ctx, const addr20 *addr);
    /* EIP-161: nonce 0, balance 0, no code. True for an absent account. */
    bool (*account_is_empty)(void *ctx, const addr20 *addr);
    /* EIP-2929: marks the account warm; was it cold? */
    bool (*account_touch_warm)(void *ctx, const addr20 *addr);
    u256 (*balance)(void *ctx, const addr20 *addr);
    u64 (*nonce)(void *ctx, const addr20 *addr);
    struct evm_code_view (*code)(void *ctx, const addr20 *addr);
    /* EXTCODEHASH's own view: zero for an account that is absent, and (EIP-161) for an empty one. */
    hash32 (*code_hash)(void *ctx, const addr20 *addr);
    /* EIP-7610: does any non-zero slot exist? */
    bool (*has_storage)(void *ctx, const addr20 *addr);

    /* SLOAD: the value; marks the slot warm; *was_cold tells whether it was not. */
    u256 (*storage_get)(void *ctx, const addr20 *addr, const u256 *key, bool *was_cold);
    /* SSTORE in two steps: look (marks warm), decide on gas, then set through the handle. */
    struct evm_slot (*storage_slot)(void *ctx, const addr20 *addr, const u256 *key);
    void (*storage_set)(void *ctx, void *handle, const u256 *value);
    u256 (*transient_get)(void *ctx, const addr20 *addr, const u256 *key); /* EIP-1153 */
    void (*transient_set)(void *ctx, const addr20 *addr, const u256 *key, const u256 *value);

    u32 (*checkpoint)(void *ctx);
    void (*rollback)(void *ctx, u32 checkpoint);

    /* Moves wei; the sender's balance has been checked. Touches both (EIP-161), also for 0 wei. */
    void (*transfer)(void *ctx, const addr20 *from, const addr20 *to, const u256 *wei);
    void (*set_nonce)(void *ctx, const addr20 *addr, u64 nonce);
    void (*set_code)(void *ctx, const addr20 *addr, const u8 *code, size_t len);
    /* Begins a contract at addr: keeps a balance that is there, nonce 0, no code, empty storage; remembered
     * as created in this transaction (EIP-6780). */
    void (*create_account)(void *ctx, const addr20 *addr);
    bool (*created_in_tx)(void *ctx, const addr20 *addr);
    /* The account vanishes when the transaction ends; its balance is set to 0 now. False if it was marked before. */
    bool (*mark_destroyed)(void *ctx, const addr20 *addr);

    /* topics: count times 32 bytes; data is copied. */
    void (*log)(void *ctx, const addr20 *addr, const hash32 *topics, unsigned topic_count,
                const u8 *data, size_t len);
    /* Hash of the block `number`, asked only for the 256 before the current one; zero if unknown. */
    hash32 (*block_hash)(void *ctx, u64 number);
};

struct evm_host {
    const struct evm_host_ops *ops;
    void *ctx;
};
