/*
 * A chain for one developer: transactions are sealed into blocks as they come, the clock can be moved, the state
 * changed from outside, and everything taken back. Holds the chain, the pool and the keys, and decides when a
 * block is made; src/rpc speaks for it.
 */
#pragma once

#include "chain/chain.h"
#include "dev/accounts.h"
#include "sys/loop.h"
#include "txpool/txpool.h"

struct dev_options {
    u64 chain_id;
    enum fork fork; /* in force from the first block on; London at the earliest */
    const char *mnemonic;
    u32 accounts;
    u256 balance; /* wei, of each account */
    u64 gas_limit;
    u256 base_fee;     /* wei per gas, of the first block */
    u64 block_time_ms; /* 0: a block a transaction, at once */
    u32 history;       /* blocks kept behind the head, in memory with their states; 0: all */
    /* Where the chain outlives the process, with a folder for its segments; borrowed. NULL: in memory. */
    struct db *db;
    const char *segments;
    u32 states; /* there, blocks whose states are kept, no more than history; 0: DEV_STATES_STORED */
    bool archive;   /* there, every state stays readable */
    bool addresses; /* there, an index by address is kept; in memory there always is one */
    /* Told while a store that is opened is indexed (chain_options.indexing); NULL: nobody. */
    void (*indexing)(void *ctx, u64 number, u64 oldest);
    void *indexing_ctx;
    /* Bounds of memory in bytes, the last two for what is in a store; 0: the usual ones. */
    u64 pool_max;
    struct chain_memory memory;
    size_t unsynced_max; /* more than that is made durable at once */
};

struct dev_options dev_options_default(void);

/* Sealing: when blocks are made. */
struct dev_sealing {
    bool automine;   /* at once, when a transaction is ready */
    u64 interval_ms; /* and every so often; 0: not */
};

/* Told of what happens, at once and in the middle of it: may look and take notes, but change nothing. */
struct dev_watcher {
    void (*changed)(void *ctx);             /* a block was made, or a transaction came in */
    void (*leaving)(void *ctx, u64 number); /* blocks after this one are about to be taken off */
    void *ctx;
};

struct dev {
    struct chain *chain;
    bool is_follower; /* see dev_follow */
    struct txpool *pool;
    struct dev_accounts accounts;
    struct loop *loop;
    struct timer *timer;
    struct timer *sync_timer; /* runs while something waits to be made durable */
    bool is_syncing, sync_failed;
    struct err sync_failure;
    struct dev_options options;
    hash32 genesis_hash;
    struct dev_sealing sealing;

    /* What the next blocks will be like. */
    i64 clock_offset_s;   /* added to the host's clock */
    u64 next_timestamp;   /* of the very next block; 0: the clock's */
    u64 timestamp_step_s; /* from block to block; 0: the clock's */
    addr20 coinbase;
    u64 gas_limit;
    bool has_base_fee; /* for the very next block */
    u256 base_fee;
    bool has_prev_randao; /* for the very next block */
    hash32 prev_randao;

    bool impersonate_all;
    addr20 *impersonated;
    u32 impersonated_count, impersonated_cap;

    struct dev_snapshot *snapshots;
    u32 snapshot_count, snapshot_cap;
    u64 next_snapshot;

    /* The last transactions that came in, for filters: number n is at n modulo the length. */
    hash32 *arrivals;
    u64 arrival_count;
    struct dev_watcher watcher; /* functions may be NULL */

    hash32 parent, lot; /* the last parent's hash, and the prev_randao made of it */
};

enum {
    DEV_STATES_STORED = 1024, /* blocks whose states a store keeps, unless options say otherwise */
    DEV_ARRIVALS = 4096,
    DEV_SNAPSHOTS_MAX = 65536,
    DEV_MINE_MAX = 100000, /* blocks at one request */
};

/* With a store that holds a chain already, that one goes on; INVALID when it has another chain id. */
MUST_READ enum status dev_open(struct dev **dev, struct loop *loop,
                               const struct dev_options *options, struct err *err);
void dev_close(struct dev *dev);

/* Makes all that happened durable; without a store it does nothing. What fails while the loop runs stops the loop,
 * and is told here. */
MUST_READ enum status dev_sync(struct dev *dev, struct err *err);
/* At once, while the loop runs. */
void dev_sync_now(struct dev *dev);

/*
 * For serving a chain that is not ours to seal: a pool in front of it, no accounts, no blocks made. What changes
 * the chain must not be called. The chain is borrowed. Of the options only the store, which holds it and in which the
 * pool is kept, and the pool's and the store's bounds are looked at.
 */
struct dev *dev_follow(struct loop *loop, struct chain *chain, const struct dev_options *options);

/* --- transactions --------------------------------------------------------------------------- */

/*
 * Takes a signed transaction, or with `sender` an unsigned one in its name, and seals it if blocks are made at
 * once. Refusals carry geth's words.
 */
MUST_READ enum status dev_send(struct dev *dev, const u8 *bytes, size_t len, const addr20 *sender,
                               hash32 *hash, struct err *err);

/* May transactions be sent in this account's name without its key? */
bool dev_is_impersonated(const struct dev *dev, const addr20 *addr);
void dev_impersonate(struct dev *dev, const addr20 *addr);
bool dev_stop_impersonating(struct dev *dev, const addr20 *addr);

/* The nonce that the sender's next transaction should have, counting those in the pool. */
u64 dev_next_nonce(struct dev *dev, const addr20 *addr);

/* --- blocks --------------------------------------------------------------------------------- */

/* Makes `count` blocks of what is ready; each step_s later than the last if step_s is not 0. NOT_FOUND when
 * the fork's system contracts are gone; STOPPED when the process was told to end meanwhile. */
MUST_READ enum status dev_mine(struct dev *dev, u64 count, u64 step_s, struct err *err);

/* When the next block would be made now, and its header as far as it is known. */
u64 dev_timestamp(const struct dev *dev);
void dev_next_header(struct dev *dev, struct header *header);
struct chain_attributes dev_next_attributes(struct dev *dev);

void dev_set_sealing(struct dev *dev, struct dev_sealing sealing);

/* The clock. INVALID when the time would not be later than the head's. */
MUST_READ enum status dev_set_next_timestamp(struct dev *dev, u64 timestamp, struct err *err);
MUST_READ enum status dev_increase_time(struct dev *dev, u64 seconds, struct err *err);
MUST_READ enum status dev_set_time(struct dev *dev, u64 timestamp, struct err *err);

/* --- going back ----------------------------------------------------------------------------- */

/* Remembers this moment. TOO_LARGE when there are too many. */
MUST_READ enum status dev_snapshot_take(struct dev *dev, u64 *id, struct err *err);
/* Goes back to it; it and all later ones are then gone. False when there is none, or its block is no longer held. */
bool dev_snapshot_revert(struct dev *dev, u64 id);

/* Takes the last `count` blocks off. INVALID when there are not so many. */
MUST_READ enum status dev_rollback(struct dev *dev, u64 count, struct err *err);

/* Tells the watcher, if there is one, that something has changed, and with a store has it made durable soon: half a
 * second from now, with all that changes until then, or at once when that is much. No view may be open. */
void dev_tell_changed(struct dev *dev);

/* Call after the head's state was edited from outside (chain_state_edit ... chain_state_commit). */
void dev_state_changed(struct dev *dev);
