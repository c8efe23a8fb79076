/*
 * The Merkle Patricia trie (Yellow Paper appendix D): a map from byte strings to byte strings with a
 * root hash that depends on the content only. Nodes live in a pool; the hashes of nodes that have
 * not changed are kept, so a root costs the changed paths.
 *
 * Keys are at most TRIE_KEY_MAX bytes, any mix of lengths; values are not empty.
 */
#pragma once

#include "base/arena.h"
#include "base/types.h"
#include "prim/hash32.h"

enum { TRIE_KEY_MAX = 255, TRIE_NIBBLES_MAX = 2 * TRIE_KEY_MAX };

extern const hash32 TRIE_EMPTY_ROOT; /* keccak256(rlp("")): of a trie with nothing in it */

/* Memory of nodes, shared by any number of tries; freed as one. Not thread-safe. */
struct trie_pool;
struct trie_pool *trie_pool_new(void);
void trie_pool_free(struct trie_pool *pool);

/*
 * Where nodes come from that are not in memory: get finds the RLP of the node at a path (nibbles, one
 * a byte), borrowed until the next call. It must be there: a source that lacks it is a bug or a
 * broken store, and its own business to report; it then returns NULL and the subtree reads as empty.
 */
struct trie_source {
    const u8 *(*node_get)(void *ctx, const hash32 *owner, const u8 *path, size_t path_len,
                          size_t *len);
    void *ctx;
    const struct trie_store_ops *store; /* for a source that tries are saved to: instead of get */
};

/* What a store has at a path: a branch as trie_save gave it, or else the only key below and its value. */
struct trie_stored {
    const u8 *branch; /* NULL: a leaf */
    size_t branch_len;
    const u8 *key, *value;
    size_t key_len, value_len;
};

struct trie_store_ops {
    /* is_leaf: known to be one, so that no branch need be looked for. False: see above. */
    bool (*find)(void *ctx, const hash32 *owner, const u8 *path, size_t path_len, bool is_leaf,
                 struct trie_stored *found);
    /* There is no branch at this path any more, or none below it either. */
    void (*gone)(void *ctx, const hash32 *owner, const u8 *path, size_t path_len, bool below_too);
};

struct trie_link {
    u64 bits; /* pointer to the node, and flags */
    u8 ref[32];
};

struct trie {
    struct trie_pool *pool;
    const struct trie_source *source; /* NULL: everything is in memory */
    hash32 owner;                     /* passed to the source */
    struct trie_link root;
};

/* Caller's memory; the pool must outlive it. An empty trie. */
void trie_init(struct trie *trie, struct trie_pool *pool);

/* A trie whose nodes are fetched when needed. root is the hash of its root node. source is borrowed. */
void trie_init_source(struct trie *trie, struct trie_pool *pool, const struct trie_source *source,
                      const hash32 *owner, const hash32 *root);

/* A trie that the store has. Its root is looked for: an empty trie has none. */
void trie_init_stored(struct trie *trie, struct trie_pool *pool, const struct trie_source *source,
                      const hash32 *owner);

void trie_clear(struct trie *trie); /* gives the nodes back to the pool; empty afterwards */

bool trie_is_empty(const struct trie *trie);

/* The value, borrowed until the next change; NULL when absent. */
const u8 *trie_get(struct trie *trie, const u8 *key, size_t key_len, size_t *len);
void trie_put(struct trie *trie, const u8 *key, size_t key_len, const u8 *value, size_t len);
bool trie_del(struct trie *trie, const u8 *key, size_t key_len); /* false: was not there */

/* The key that follows or precedes key (which need not be there), borrowed until the next change;
 * NULL when there is none. Shorter keys come before what they begin. */
const u8 *trie_next(struct trie *trie, const u8 *key, size_t key_len, size_t *len);
const u8 *trie_prev(struct trie *trie, const u8 *key, size_t key_len, size_t *len);

void trie_root(struct trie *trie, hash32 *root);

/* Brings many tries up to date at once: several nodes are hashed side by side. */
void trie_hash(struct trie *const *tries, size_t count);

/* The same on several threads at once (sys/workers.h: of their own, without a loop; NULL: none). The tries
 * may share one pool. Pays from some hundred changes on. */
struct workers;
void trie_hash_shared(struct trie *const *tries, size_t count, struct workers *workers);

/* The RLP of the node at exactly this path (embedded ones too), for proofs and sources. The bytes
 * are the arena's. NULL when no node starts there. All hashes must be up to date. */
const u8 *trie_node(struct trie *trie, const u8 *path, size_t path_len, struct arena *arena,
                    size_t *len);

/* Calls fn with each node from the root towards key, those embedded in their parent left out.
 * The bytes are borrowed for the call. All hashes must be up to date. */
typedef void trie_node_fn(void *arg, const u8 *node, size_t len);
void trie_prove(struct trie *trie, const u8 *key, size_t key_len, trie_node_fn *fn, void *arg);

/* --- tries in a store ------------------------------------------------------------------------- */

/*
 * Calls put with every branch that the store does not have as it is now, and with a NULL record for one
 * that became so short that it is part of its parent. The record is borrowed for the call. All hashes
 * must be up to date.
 */
typedef void trie_put_fn(void *arg, const hash32 *owner, const u8 *path, size_t path_len,
                         const u8 *record, size_t len);
void trie_save(struct trie *trie, trie_put_fn *put, void *arg);

/* Is this a branch's record? */
bool trie_record_is_sound(const u8 *record, size_t len);

/* Gives back the memory of all nodes below that many branches; the trie must have been saved. */
void trie_unload(struct trie *trie, unsigned branches_kept);

/* Bytes of the nodes in memory. */
size_t trie_pool_size(const struct trie_pool *pool);

/* --- roots of lists that are not kept --------------------------------------------------------- */

struct trie_item {
    const u8 *key, *value;
    u32 key_len, value_len; /* neither is 0 */
};

/* The root over items that are sorted by key (bytes compared as numbers, a prefix before what it
 * begins), no key twice. No heap. */
void trie_root_sorted(hash32 *root, const struct trie_item *items, size_t count);

/* The root of a block's transactions, receipts or withdrawals: item i has key rlp(i). Items are the
 * encodings (EIP-2718 envelopes as they are). Scratch comes from the arena. */
void trie_root_list(hash32 *root, const u8 *const *items, const size_t *lens, size_t count,
                    struct arena *arena);
