/* What the files of the pool share: private to this room. */
#pragma once

#include "chain/hash_index.h"
#include "txpool/txpool.h"

/* A transaction in one block of memory, with all it borrows behind it. */
struct held {
    struct tx tx;
    u256 cost;      /* the most it can cost */
    u64 order;      /* of arrival; breaks ties */
    size_t size;    /* of memory, for this one */
    u64 blob_bytes; /* of its network form on disk; 0 without blobs */
    bool is_local, is_stored;
    _Alignas(16) u8 room[];
};

/* What keeps a place in a full pool, worst first. */
struct rank {
    enum { RANK_BELOW_BASE_FEE, RANK_QUEUED, RANK_READY, RANK_LOCAL } class;
    u256 price; /* below the base fee: the most per gas; else the tip */
    u64 order;
};

/* One sender's transactions by rising nonce; all with blobs or all without. */
struct sender {
    addr20 addr;
    bool has_blobs;
    u64 nonce; /* the account's, when the pool last looked */
    u256 cost; /* of all its transactions together; saturates */
    struct held **txs;
    u32 count, cap;
    u32 place;      /* in pool->senders */
    u32 lane_place; /* in its lane */
    struct rank rank;
};

/* Senders as a heap: the one whose last transaction is worth least stands first. */
struct lane {
    struct sender **senders;
    u32 count, cap;
};

struct txpool {
    struct txpool_options options;
    struct hash_index by_hash;   /* -> struct held */
    struct hash_index by_sender; /* address, padded -> struct sender */
    struct sender **senders;
    u32 sender_count, sender_cap;
    struct lane lanes[2]; /* without and with blobs */
    struct txpool_usage usage;
    u256 base_fee;
    u64 next_order;
    struct arena scratch; /* of the transaction being added */
    struct db *db;        /* NULL: nothing is kept */
};

/* txpool.c */
struct sender *sender_find(const struct txpool *pool, const addr20 *addr);
u32 sender_place_of(const struct sender *sender,
                    u64 nonce); /* of the first with at least this nonce */
struct held *sender_at_nonce(const struct sender *sender,
                             u64 nonce); /* NULL is fine, and may come */
u32 sender_ready_count(const struct sender *sender, u64 account_nonce);
void sender_remove(struct txpool *pool, struct sender *sender, u32 place);
void sender_drop_if_empty(struct txpool *pool, struct sender *sender);
void held_insert(struct txpool *pool, struct held *held, u64 account_nonce);

/* txpool_check.c: all but the room in the pool. The transaction has its sender when this succeeds. */
enum status arrival_check(const struct txpool *pool, const struct txpool_view *view, struct tx *tx,
                          const struct tx_sidecar *sidecar, const struct txpool_arrival *arrival,
                          struct err *err);
u256 tx_cost(const struct tx *tx); /* saturates */

/* txpool_rank.c */
void lane_add(struct txpool *pool, struct sender *sender);
void lane_del(struct txpool *pool, struct sender *sender);
void lane_move(struct txpool *pool, struct sender *sender); /* its transactions have changed */
void lanes_rank(struct txpool *pool);                       /* the base fee has */
/* Evicts until the transaction fits beside the others; refuses when it is worth less than they are. */
enum status make_room(struct txpool *pool, const struct held *held, u64 account_nonce,
                      struct err *err);

/* txpool_keep.c */
void keep_put(struct txpool *pool, struct held *held, const u8 *bytes, size_t len);
void keep_del(struct txpool *pool, const struct held *held);
/* It is in a block now: its blobs are kept for a while. */
void keep_limbo(struct txpool *pool, const struct held *held, u64 number);
void keep_trim(struct txpool *pool, u64 number);
/* The network form of a transaction that was included; false when its blobs are gone. */
bool keep_limbo_get(struct txpool *pool, const hash32 *hash, const u8 **bytes, size_t *len);
