/*
 * Transactions that wait for a block: by sender and nonce, with gaps, replaced only by better payers, bounded.
 * A transaction is *ready* when its nonce follows from its sender's account without a gap; otherwise it is
 * *queued*. The pool owns what it holds; pointers are borrowed until the next call that changes the pool.
 * The words of a refusal are geth's, since clients look for them.
 */
#pragma once

#include "base/status.h"
#include "chain/chain.h"
#include "types/tx.h"

struct txpool;

struct txpool_options {
    u32 txs_max;        /* in all */
    u32 sender_txs_max; /* of one sender */
    u32 tx_bytes_max;   /* of one transaction, without blobs */
    u32 bump_percent;   /* by how much a replacement must raise both of its fees */
    u256 tip_min;       /* wei per gas */
    u64 seed;
};

struct txpool_options txpool_options_default(void);

struct txpool *txpool_new(const struct txpool_options *options);
void txpool_free(struct txpool *pool);

/* Where transactions are checked: the head's state and the block to come. */
struct txpool_view {
    const struct chain_config *config;
    struct state *state;
    enum fork fork;
    u64 timestamp; /* of the block to come; for the blob schedule */
    u64 gas_limit; /* of a block */
};

/*
 * Checks one transaction in its network form and takes it in. sender NULL: the signature decides; else
 * it is not looked at (impersonation). *out is the pool's own, with its sender set.
 * STATUS_EXISTS: already known. STATUS_INVALID and others: err says why, in geth's words.
 */
MUST_READ enum status txpool_add(struct txpool *pool, const struct txpool_view *view,
                                 const u8 *bytes, size_t len, const addr20 *sender,
                                 const struct tx **out, struct err *err);

const struct tx *txpool_get(const struct txpool *pool, const hash32 *hash);
bool txpool_remove(struct txpool *pool, const hash32 *hash);
void txpool_clear(struct txpool *pool);
bool txpool_remove_sender(struct txpool *pool, const addr20 *sender);
u32 txpool_count(const struct txpool *pool);

/* The nonce that follows the sender's ready transactions; account_nonce is what the state says. */
u64 txpool_next_nonce(const struct txpool *pool, const addr20 *sender, u64 account_nonce);

/* Forgets what the state has made old: nonces already used. Call when the head has changed. */
void txpool_update(struct txpool *pool, struct state *state);

/*
 * The transactions to include next, at most max: the best payers first, each sender's in order of nonce, only
 * those that are ready and can pay base_fee. Copies that borrow from the pool. Returns how many.
 */
u32 txpool_pick(const struct txpool *pool, struct state *state, u256 base_fee, struct tx *out,
                u32 max);

/* All transactions by sender and nonce. */
typedef void txpool_each_fn(void *ctx, const struct tx *tx, bool is_ready);
void txpool_each(const struct txpool *pool, struct state *state, txpool_each_fn *fn, void *ctx);
