/*
 * A hash table of indices: open addressing, linear probing, at most two thirds full. The owner keeps
 * the entries, compares keys, and hands in hashes that others cannot foresee (table_hash_*).
 */
#pragma once

#include "base/types.h"
#include "prim/addr20.h"
#include "prim/hash32.h"
#include "prim/u256.h"

struct table_slot {
    u32 hash;
    u32 index; /* plus one; 0: free */
};

struct table {
    struct table_slot *slots;
    u32 cap; /* power of two, or 0 */
    u32 count;
};

enum { TABLE_NONE = UINT32_MAX };

void table_fini(struct table *table);
void table_clear(struct table *table); /* keeps the memory unless it is large */
void table_add(struct table *table, u32 hash, u32 index);
void table_del(struct table *table, u32 hash, u32 index); /* must be there */

/* A walk over the entries whose hash is the one looked for. */
struct table_walk {
    u32 hash, at;
};

static inline struct table_walk table_walk(u32 hash)
{
    return (struct table_walk){hash, hash};
}

/* The next candidate's index, or TABLE_NONE. */
static inline u32 table_next(const struct table *table, struct table_walk *walk)
{
    if (UNLIKELY(table->cap == 0))
        return TABLE_NONE;
    for (;;) {
        const struct table_slot *slot = table->slots + (walk->at++ & (table->cap - 1));
        if (slot->index == 0)
            return TABLE_NONE;
        if (slot->hash == walk->hash)
            return slot->index - 1;
    }
}

/*
 * Two words folded by a multiplication with secret offsets. Callers mix in one of these odd constants as
 * well (fractional digits of the golden ratio and of the square roots of 2, 3 and 5), so that no seed,
 * zero included, makes a factor of 0 or of all ones out of the small words that most keys consist of.
 */
#define TABLE_MIX_A 0x9e3779b97f4a7c15u
#define TABLE_MIX_B 0x6a09e667f3bcc909u
#define TABLE_MIX_C 0xbb67ae8584caa73bu
#define TABLE_MIX_D 0x3c6ef372fe94f82bu

static inline u64 table_fold(u64 a, u64 b)
{
    u128 product = (u128)a * b;
    return (u64)product ^ (u64)(product >> 64);
}

static inline u32 table_hash_bytes(u64 seed, const u8 *bytes, size_t len)
{
    u64 hash = seed ^ len;
    while (len > 0) {
        u64 a = 0, b = 0;
        size_t first = len < 8 ? len : 8, second = len - first < 8 ? len - first : 8;
        memcpy(&a, bytes, first);
        memcpy(&b, bytes + first, second);
        hash = table_fold(a ^ hash ^ TABLE_MIX_B, b ^ seed ^ TABLE_MIX_A);
        bytes += first + second;
        len -= first + second;
    }
    return (u32)(hash ^ hash >> 32);
}

static inline u32 table_hash_addr(u64 seed, const addr20 *addr)
{
    u64 a, b;
    u32 c;
    memcpy(&a, addr->b, 8);
    memcpy(&b, addr->b + 8, 8);
    memcpy(&c, addr->b + 16, 4);
    u64 hash =
        table_fold(a ^ seed ^ TABLE_MIX_A, b ^ (c * 0xd6e8feb86659fd93 + seed) ^ TABLE_MIX_B);
    return (u32)(hash ^ hash >> 32);
}

/* A storage key of the account with that number. */
static inline u32 table_hash_slot(u64 seed, u64 owner, const u256 *key)
{
    u64 low = table_fold(key->w[0] ^ seed ^ TABLE_MIX_A,
                         key->w[1] ^ owner * 0xd6e8feb86659fd93 ^ seed ^ TABLE_MIX_B);
    u64 high = table_fold(key->w[2] ^ seed ^ low ^ TABLE_MIX_C, key->w[3] ^ seed ^ TABLE_MIX_D);
    u64 hash = low ^ high;
    return (u32)(hash ^ hash >> 32);
}

/* --- entries that stay where they are -------------------------------------------------------- */

/* An array in pieces: entries are named by index and never move. */
struct pile {
    u8 **pieces;
    u32 piece_count, count; /* count: indices handed out */
    u32 entry_size;
    u32 free; /* 1 + the last index given back, which holds the next in its first word; 0: none */
};

enum { PILE_SHIFT = 5, PILE_PIECE = 1 << PILE_SHIFT };

void pile_init(struct pile *pile, u32 entry_size);
void pile_fini(struct pile *pile);
void pile_clear(struct pile *pile); /* forgets all entries, keeps the memory */
u32 pile_take(struct pile *pile);   /* contents unspecified */
void pile_give(struct pile *pile, u32 index);
void pile_trim(struct pile *pile, u32 entries); /* of an empty pile: gives back the rest */

static inline void *pile_at(const struct pile *pile, u32 index)
{
    return pile->pieces[index >> PILE_SHIFT] +
           (size_t)(index & (PILE_PIECE - 1)) * pile->entry_size;
}
