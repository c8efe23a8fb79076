#include "chain/hash_index.h"

#include "base/mem.h"

enum { CAP_MIN = 16 };

void hash_index_init(struct hash_index *index, u64 seed)
{
    *index = (struct hash_index){.seed = seed | 1};
}

void hash_index_fini(struct hash_index *index)
{
    mem_free(index->slots);
    hash_index_init(index, index->seed);
}

static size_t home_of(const struct hash_index *index, const hash32 *key)
{
    u64 head;
    memcpy(&head, key->b, sizeof head);
    u128 mixed = (u128)(head ^ index->seed) * 0x9e3779b97f4a7c15u;
    return (size_t)((u64)mixed ^ (u64)(mixed >> 64)) & (index->cap - 1);
}

/* Where the key is, or the free slot where it would go. */
static size_t slot_of(const struct hash_index *index, const hash32 *key)
{
    size_t at = home_of(index, key);
    while (index->slots[at].value && !hash32_eq(&index->slots[at].key, key))
        at = (at + 1) & (index->cap - 1);
    return at;
}

static void resize(struct hash_index *index, size_t cap)
{
    struct hash_index old = *index;
    index->slots = NEW_ARRAY(struct hash_slot, cap);
    index->cap = cap;
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i].value)
            index->slots[slot_of(index, &old.slots[i].key)] = old.slots[i];
    mem_free(old.slots);
}

const struct hash_slot *hash_index_get(const struct hash_index *index, const hash32 *key)
{
    if (!index->count)
        return NULL;
    const struct hash_slot *slot = &index->slots[slot_of(index, key)];
    return slot->value ? slot : NULL;
}

void hash_index_put(struct hash_index *index, const hash32 *key, void *value, u32 extra)
{
    if ((index->count + 1) * 4 > index->cap * 3)
        resize(index, index->cap ? index->cap * 2 : CAP_MIN);
    struct hash_slot *slot = &index->slots[slot_of(index, key)];
    index->count += !slot->value;
    *slot = (struct hash_slot){*key, value, extra};
}

void hash_index_del(struct hash_index *index, const hash32 *key)
{
    if (!index->count)
        return;
    size_t hole = slot_of(index, key), mask = index->cap - 1;
    if (!index->slots[hole].value)
        return;
    index->count--;
    /* Later members of the run move up, unless that would put them before their home. */
    for (size_t at = (hole + 1) & mask; index->slots[at].value; at = (at + 1) & mask) {
        size_t home = home_of(index, &index->slots[at].key);
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            index->slots[hole] = index->slots[at];
            hole = at;
        }
    }
    index->slots[hole].value = NULL;
}
