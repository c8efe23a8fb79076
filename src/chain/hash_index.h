/* A map from hashes to pointers, open-addressed; the heap owns it. */
#pragma once

#include "prim/hash32.h"

struct hash_slot {
    hash32 key;
    void *value; /* NULL: free */
    u32 extra;
};

struct hash_index {
    struct hash_slot *slots;
    size_t count, cap; /* cap is a power of two, or 0 */
    u64 seed;          /* random, so that nobody can choose hashes that collide here */
};

void hash_index_init(struct hash_index *index, u64 seed);
void hash_index_fini(struct hash_index *index);

/* The slot, borrowed until the next change; NULL when absent. */
const struct hash_slot *hash_index_get(const struct hash_index *index, const hash32 *key);
/* Replaces what is there. value is not NULL. */
void hash_index_put(struct hash_index *index, const hash32 *key, void *value, u32 extra);
void hash_index_del(struct hash_index *index, const hash32 *key);
