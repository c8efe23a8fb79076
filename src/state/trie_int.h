/*
 * Inside the trie. Two kinds of node: a leaf holds its whole key and value, so that it moves up and
 * down without being rewritten; a branch holds its children, packed, and the nibbles that all of
 * them share (what appendix D calls an extension node is written out only when hashing).
 * A key is read as nibbles with the terminator TRIE_END after the last, so that no key is a prefix
 * of another and a value that ends at a branch is simply its seventeenth child.
 */
#pragma once

#include <string.h>

#include "base/assert.h"
#include "prim/rlp.h"
#include "state/trie.h"

enum { TRIE_END = 16, TRIE_CHILDREN = 17 };

enum node_kind { NODE_LEAF = 1, NODE_BRANCH = 2 };

struct leaf {
    u8 kind;
    u8 key_len; /* bytes */
    u32 value_len;
    u8 bytes[]; /* key, then value */
};

struct branch {
    u8 kind;
    u8 cap;                   /* links there is room for */
    u16 prefix_len;           /* nibbles shared by all children; they stand after links[cap] */
    u32 mask;                 /* which children there are; at least two */
    struct trie_link links[]; /* in order of nibble */
};

union node_ptr {
    u8 *kind;
    struct leaf *leaf;
    struct branch *branch;
};

/* Flags in the low bits of trie_link.bits. A link with a node and no LINK_REF is dirty. */
enum {
    LINK_REF = 1,      /* ref is what the parent's encoding holds */
    LINK_EMBEDDED = 2, /* ref is the node itself, shorter than 32 bytes */
    LINK_SAVED = 4,    /* the store has everything from here down */
    LINK_LEAF = 8,     /* the node, when not in memory, is a leaf in the store */
    LINK_FLAGS = 15,
};

static inline bool link_is_empty(const struct trie_link *link)
{
    return link->bits == 0;
}

static inline void *link_node(const struct trie_link *link)
{
    return (void *)(uintptr_t)(link->bits & ~(u64)LINK_FLAGS);
}

static inline void link_set(struct trie_link *link, const void *node)
{
    link->bits = (u64)(uintptr_t)node;
}

static inline bool link_is_dirty(const struct trie_link *link)
{
    return link->bits && !(link->bits & LINK_REF);
}

static inline u8 node_kind(const void *node)
{
    return *(const u8 *)node;
}

static inline u8 *branch_prefix(struct branch *branch)
{
    return (u8 *)(branch->links + branch->cap);
}

static inline unsigned branch_count(const struct branch *branch)
{
    return (unsigned)__builtin_popcount(branch->mask);
}

/* The child, or NULL. */
static inline struct trie_link *branch_child(struct branch *branch, unsigned nibble)
{
    u32 bit = (u32)1 << nibble;
    if (!(branch->mask & bit))
        return NULL;
    return branch->links + __builtin_popcount(branch->mask & (bit - 1));
}

static inline u8 *leaf_key(struct leaf *leaf)
{
    return leaf->bytes;
}

static inline u8 *leaf_value(struct leaf *leaf)
{
    return leaf->bytes + leaf->key_len;
}

/* Nibble i of a key of len bytes. */
static inline unsigned key_nibble(const u8 *key, size_t len, size_t i)
{
    if (i >= 2 * len)
        return TRIE_END;
    return i & 1 ? key[i / 2] & 15 : key[i / 2] >> 4;
}

/* --- trie_hash.c ---------------------------------------------------------------------------- */

/* A link and how many nibbles lead to it. */
struct link_at {
    struct trie_link *link;
    u64 depth;
};

/* Brings these subtrees up to date, none of which is part of another. On any thread. */
void links_hash(const struct link_at *links, size_t count);

/* --- trie_pool.c ---------------------------------------------------------------------------- */

void *node_alloc(struct trie_pool *pool, size_t size); /* 16-byte aligned, uninitialised */
void node_release(struct trie_pool *pool, void *node, size_t size);

/* Grows and keeps one block for the pool's users: uninitialised, valid until the next call. */
void *pool_scratch(struct trie_pool *pool, size_t size);

/* Gives a large scratch block back to the heap. */
void pool_trim(struct trie_pool *pool);

/* --- trie.c --------------------------------------------------------------------------------- */

/*
 * The node a link leads to, fetched if it is not in memory. path: the nibbles that lead to it, one a
 * byte. NULL only for an empty link and where a source failed.
 */
void *link_resolve(struct trie *trie, struct trie_link *link, const u8 *path, size_t path_len);

void node_free(struct trie_pool *pool, void *node);

/* --- trie_store.c --------------------------------------------------------------------------- */

/* A branch as the store keeps it: see the file. Returns the length. */
enum { BRANCH_RECORD_MAX = 7 + TRIE_KEY_MAX + 16 * 32 };
size_t branch_record_write(u8 out[BRANCH_RECORD_MAX], struct branch *branch);

/* Fetches the node from the trie's store; NULL when that failed. */
void *stored_load(struct trie *trie, const struct trie_link *link, const u8 *path, size_t path_len);

/* --- trie_load.c ---------------------------------------------------------------------------- */

/* Makes a node out of its RLP; NULL when it is none. The array path has room for TRIE_NIBBLES_MAX + 2
 * nibbles and is written to beyond path_len. */
void *node_decode(struct trie *trie, const u8 *rlp, size_t len, u8 *path, size_t path_len);

struct leaf *leaf_new(struct trie_pool *pool, const u8 *key, size_t key_len, const u8 *value,
                      size_t len);
struct branch *branch_new(struct trie_pool *pool, unsigned cap, const u8 *prefix,
                          size_t prefix_len);
size_t leaf_size(const struct leaf *leaf);
size_t branch_size(const struct branch *branch);

/* --- trie_encode.c -------------------------------------------------------------------------- */

/* Sizes and bytes of the RLP of a node at a depth of that many nibbles. */
size_t leaf_encoded_size(const struct leaf *leaf, size_t depth);
size_t leaf_encode(u8 *out, const struct leaf *leaf, size_t depth);
size_t branch_encoded_size(const struct branch *branch);
size_t branch_encode(u8 *out, const struct branch *branch); /* without its prefix */

/* Hashes up to four messages: side by side if there are four, which pays from the fourth on. */
void hash_few(hash32 *hashes, const void *const *data, const size_t *lens, unsigned count);

/* Writes what stands before a string in RLP, and returns its length: nothing before a single byte
 * below 0x80. */
size_t string_header(u8 out[RLP_HEADER_MAX], const u8 *bytes, size_t len);

/* The extension over a branch's ref (bytes as in a parent's encoding). */
enum { EXTENSION_MAX = 9 + 9 + TRIE_KEY_MAX + 1 + 33 };
size_t extension_encode(u8 *out, const u8 *prefix, size_t prefix_len, const u8 *ref,
                        size_t ref_len);

/* Writes what a parent holds for a node with that encoding: itself if short, else its hash. */
size_t ref_encode(u8 out[33], const u8 *node, size_t len);

/* The bytes a parent holds for a link that is up to date. */
size_t link_ref_encode(u8 out[33], const struct trie_link *link);

/* Sets a link's ref from the encoding of its node. */
void link_set_ref(struct trie_link *link, const u8 *node, size_t len);
void link_set_hash(struct trie_link *link, const hash32 *hash);
