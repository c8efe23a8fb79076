/*
 * Transactions that wait for a block: by sender and nonce, with gaps, replaced only by better payers, bounded in
 * number, memory and disk. A transaction is *ready* when its nonce follows from its sender's account without a gap;
 * otherwise it is *queued*. When the pool is full the worst payer among the last of each sender's transactions
 * makes room, so that nothing loses what it stands on; those below the base fee go first, then queued ones.
 *
 * *Local* ones, which this node's own users brought, and those of their senders that they stand on, never make room.
 * As nobody knows who is at the other end of a line they may take but a share of each bound, and of one sender so many:
 * past that the worst of them become like any other, in the same order, or the newcomer is not local itself.
 *
 * With a store (txpool_keep), local transactions and those with blobs outlive the process, and blobs are on disk
 * only. Without one nothing is written, and blobs are checked and dropped, as no block holds them.
 *
 * The pool owns what it holds; pointers are borrowed until the next call that changes the pool. The words of a
 * refusal are geth's, since clients look for them.
 */
#pragma once

#include "base/status.h"
#include "chain/chain.h"
#include "db/db.h"
#include "types/tx.h"

struct txpool;

struct txpool_options {
    u32 txs_max;           /* without blobs, in all */
    u32 sender_txs_max;    /* of one sender */
    u32 sender_local_max;  /* of them local */
    u32 local_percent;     /* of what may be in the pool in all: so much may be local */
    u32 tx_bytes_max;      /* of one transaction, without blobs */
    u32 tx_blobs_max;      /* blobs of one transaction, whatever the fork allows */
    u32 blob_txs_max;      /* with blobs, in all */
    u32 sender_blob_max;   /* of one sender */
    u32 bump_percent;      /* by how much a replacement must raise its fees */
    u32 blob_bump_percent; /* the same with blobs, of all three fees */
    u64 bytes_max;         /* of memory, with all that finds and orders them, without blobs */
    u64 blob_bytes_max;    /* of blobs with their proofs, on disk */
    u256 tip_min;          /* wei per gas; local transactions may pay less */
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
    u64 number, timestamp; /* of the block to come; the time is for the blob schedule */
    u64 gas_limit;         /* of a block */
    u256 base_fee;
};

/* One transaction in its network form, and how it came. */
struct txpool_arrival {
    const u8 *bytes;
    size_t len;
    const addr20
        *sender;   /* NULL: the signature decides; else it is not looked at (impersonation) */
    bool is_local; /* from this node's own users; local, if the bounds allow it */
    bool
        is_known; /* from the pool's own store: its blobs' proofs were checked before it went there */
};

/*
 * Checks it and takes it in; *out is the pool's own, with its sender set. STATUS_EXISTS: already known.
 * STATUS_TOO_LARGE: a bound of the pool. STATUS_INVALID: against the rules, or paying too little. err says why.
 */
MUST_READ enum status txpool_add(struct txpool *pool, const struct txpool_view *view,
                                 const struct txpool_arrival *arrival, const struct tx **out,
                                 struct err *err);

const struct tx *txpool_get(const struct txpool *pool, const hash32 *hash);
bool txpool_remove(struct txpool *pool, const hash32 *hash);
void txpool_clear(struct txpool *pool);
bool txpool_remove_sender(struct txpool *pool, const addr20 *sender);

struct txpool_usage {
    u32 txs, blob_txs;
    u64 bytes;      /* of memory */
    u64 blob_bytes; /* on disk */
};
struct txpool_usage txpool_usage(const struct txpool *pool);
struct txpool_usage txpool_local_usage(const struct txpool *pool); /* of it, what is local */
u32 txpool_count(const struct txpool *pool);                       /* all */

/* The nonce that follows the sender's ready transactions; account_nonce is what the state says. */
u64 txpool_next_nonce(const struct txpool *pool, const addr20 *sender, u64 account_nonce);

/*
 * The head has changed: forgets nonces already used and what its sender can no longer pay or no block can hold, by
 * its size or by the rules of a new fork, and orders the rest by the new base fee.
 */
void txpool_update(struct txpool *pool, const struct txpool_view *view);

/*
 * Takes back what a reorganisation took out of the chain: call it with each abandoned block, after txpool_update.
 * Blobs come from the store, which keeps those of included transactions for TXPOOL_LIMBO blocks. Returns how
 * many went in.
 */
enum { TXPOOL_LIMBO = 128 };
u32 txpool_return(struct txpool *pool, const struct txpool_view *view, const struct block *block);

/*
 * The transactions to include next, at most max: the best payers first, each sender's in order of nonce, only
 * those that are ready and can pay base_fee. Copies that borrow from the pool. Returns how many.
 */
u32 txpool_pick(const struct txpool *pool, struct state *state, u256 base_fee, struct tx *out,
                u32 max);

/* All transactions by sender and nonce. */
typedef void txpool_each_fn(void *ctx, const struct tx *tx, bool is_ready);
void txpool_each(const struct txpool *pool, struct state *state, txpool_each_fn *fn, void *ctx);

/* --- on disk ---------------------------------------------------------------------------------- */

/*
 * From now on the pool writes to the store, in the transaction that the chain's next sync makes durable, and
 * takes in what is there. What the rules refuse by now is deleted. Returns how many went in. The store must
 * outlive the pool.
 */
u32 txpool_keep(struct txpool *pool, struct db *db, const struct txpool_view *view);

/* A waiting transaction's blobs; false without a store, and for a transaction without blobs. */
MUST_READ bool txpool_sidecar(const struct txpool *pool, const hash32 *hash, struct arena *arena,
                              struct tx_sidecar *sidecar);
