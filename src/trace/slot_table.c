#include "trace/slot_table.h"

#include "base/mem.h"

void slot_table_fini(struct slot_table *table)
{
    mem_free(table->entries);
    mem_free(table->index);
    *table = (struct slot_table){0};
}

/* The place in the index where the entry stands, or would. */
static u32 *place_of(const struct slot_table *table, const addr20 *addr, const u256 *key)
{
    u64 head, mask = table->index_cap - 1;
    memcpy(&head, addr->b, sizeof head);
    u64 mixed =
        (head ^ key->w[0] ^ key->w[1] * 3 ^ key->w[2] * 5 ^ key->w[3] * 7) * 0x9e3779b97f4a7c15u;
    for (u64 i = mixed >> 24 & mask;; i = (i + 1) & mask) {
        u32 at = table->index[i];
        if (!at)
            return &table->index[i];
        const struct slot_entry *entry = &table->entries[at - 1];
        if (u256_eq(entry->key, *key) && addr20_eq(&entry->addr, addr))
            return &table->index[i];
    }
}

static void table_grow(struct slot_table *table)
{
    table->cap = table->cap ? 2 * table->cap : 64;
    table->entries = mem_realloc(table->entries, table->cap * sizeof table->entries[0]);
    table->index_cap = 2 * table->cap;
    mem_free(table->index);
    table->index = NEW_ARRAY(u32, table->index_cap);
    for (size_t i = 0; i < table->count; i++)
        *place_of(table, &table->entries[i].addr, &table->entries[i].key) = (u32)i + 1;
}

struct slot_entry *slot_table_get(struct slot_table *table, const addr20 *addr, const u256 *key,
                                  bool *is_new)
{
    if (table->count == table->cap)
        table_grow(table);
    u32 *place = place_of(table, addr, key);
    *is_new = !*place;
    if (*is_new) {
        table->entries[table->count++] = (struct slot_entry){.addr = *addr, .key = *key};
        *place = (u32)table->count;
    }
    return &table->entries[*place - 1];
}
