/* Storage words by account and key, in the order in which they came. For one trace; freed with it. */
#pragma once

#include "prim/addr20.h"
#include "prim/u256.h"

struct slot_entry {
    addr20 addr;
    u256 key, value;
};

struct slot_table {
    struct slot_entry *entries;
    u32 *index; /* open addressing: entry + 1, or 0 */
    size_t count, cap, index_cap;
};

void slot_table_fini(struct slot_table *table);

/* The entry, made with value 0 where there is none; *is_new says which. Valid until the next call. */
struct slot_entry *slot_table_get(struct slot_table *table, const addr20 *addr, const u256 *key,
                                  bool *is_new);
