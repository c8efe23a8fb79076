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
    u8 version;     /* of its sidecar; 0 without blobs */
    bool is_stored;
    _Alignas(16) u8 room[];
};

/* What keeps a place in a full pool, worst first. */
struct rank {
    enum { RANK_BELOW_BASE_FEE, RANK_QUEUED, RANK_READY, RANK_LOCAL } class;
    u256 price; /* below the base fee: the most per gas; else the tip */
    u64 order;
};

/* Two contests who is worth least: a place in the pool, and a place among the local. */
enum contest { FOR_PLACE, FOR_LOCAL, CONTESTS };

/* One sender's transactions by rising nonce; all with blobs or all without. */
struct sender {
    addr20 addr;
    bool has_blobs;
    u64 nonce; /* the account's, when the pool last looked */
    u256 cost; /* of all its transactions together; saturates */
    struct held **txs;
    u32 count, cap;
    u32 local_count; /* the first so many are local */
    u32 place;       /* in pool->senders */
    struct {
        u32 place; /* in its lane; NOT_THERE: it has nothing that takes part */
        struct rank rank;
    } in[CONTESTS];
};
enum { NOT_THERE = 0x7fffffff };

/* Senders as a heap: the one whose last transaction, or last local one, is worth least stands first. */
struct lane {
    enum contest contest;
    struct sender **senders;
    u32 count, cap;
};

struct txpool {
    struct txpool_options options;
    struct hash_index by_hash;   /* -> struct held */
    struct hash_index by_sender; /* address, padded -> struct sender */
    struct sender **senders;
    u32 sender_count, sender_cap;
    struct lane lanes[CONTESTS][2]; /* without and with blobs */
    struct txpool_usage usage, local_usage;
    u256 base_fee;
    enum fork fork;   /* of the block to come, when txpool_update last looked */
    u32 tx_blobs_max; /* the same */
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
void sender_drop_if_empty(struct txpool *pool, struct sender *sender);
/* Out of the pool; then it is put back, or let go. */
struct held *held_take(struct txpool *pool, struct sender *sender, u32 place);
void held_drop(struct txpool *pool, struct held *held);
/* Before the last local one of its sender it is local, too. */
struct sender *held_insert(struct txpool *pool, struct held *held, u64 account_nonce);
struct txpool_usage held_usage(const struct held *held);
void usage_add(struct txpool_usage *usage, const struct txpool_usage *more);
void usage_sub(struct txpool_usage *usage, const struct txpool_usage *less);

/* txpool_check.c: all but the room in the pool. The transaction has its sender when this succeeds. */
enum status arrival_check(const struct txpool *pool, const struct txpool_view *view, struct tx *tx,
                          const struct tx_sidecar *sidecar, const struct txpool_arrival *arrival,
                          struct err *err);
u256 tx_cost(const struct tx *tx);  /* saturates */
u8 sidecar_version(enum fork fork); /* EIP-7594: 1 from Osaka on */

/* txpool_rank.c */
void lanes_init(struct txpool *pool);
void lanes_settle(struct txpool *pool, struct sender *sender); /* its transactions have changed */
void lanes_rank(struct txpool *pool);                          /* the base fee has */
/* What the transaction, which is not in the pool yet, would be worth there. */
struct rank newcomer_rank(const struct txpool *pool, const struct held *held, u64 account_nonce);
bool rank_is_worse(const struct rank *a, const struct rank *b);
/* Would so much be past the bounds, or past so much of them? */
bool usage_is_past(const struct txpool *pool, const struct txpool_usage *usage, bool has_blobs,
                   u32 percent);
/* Evicts until the transaction fits beside the others; refuses when it is worth less than they are, and then evicts none. */
enum status make_room(struct txpool *pool, const struct held *held, u64 account_nonce,
                      bool is_local, struct err *err);

/* txpool_local.c */
/* May the transaction, not in the pool yet, be local? Worse ones cease to be, where that makes room for it. */
bool local_claim(struct txpool *pool, const struct held *held, u64 account_nonce, bool is_wanted);
/* All up to this place become local. */
void local_extend(struct txpool *pool, struct sender *sender, u32 place);
/* Back to the bounds. */
void locals_trim(struct txpool *pool);

/* txpool_keep.c */
void keep_put(struct txpool *pool, struct held *held, bool is_local, const u8 *bytes, size_t len);
/* It is in the pool, and has become local, or ceases to be. */
void keep_claim(struct txpool *pool, struct held *held);
void keep_unclaim(struct txpool *pool, struct held *held);
void keep_del(struct txpool *pool, const struct held *held);
/* It is in a block now: its blobs are kept for a while. */
void keep_limbo(struct txpool *pool, const struct held *held, u64 number);
void keep_trim(struct txpool *pool, u64 number);
/* The network form of a transaction that was included; false when its blobs are gone. */
bool keep_limbo_get(struct txpool *pool, const hash32 *hash, const u8 **bytes, size_t *len);
