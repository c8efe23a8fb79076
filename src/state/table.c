#include "state/table.h"

#include "base/assert.h"
#include "base/mem.h"

enum { CAP_MIN = 32, CAP_KEPT = 1 << 16 };

void table_fini(struct table *table)
{
    mem_free(table->slots);
    *table = (struct table){0};
}

void table_clear(struct table *table)
{
    if (table->count == 0)
        return;
    if (table->cap > CAP_KEPT) {
        table_fini(table);
        return;
    }
    memset(table->slots, 0, table->cap * sizeof *table->slots);
    table->count = 0;
}

static void slot_place(struct table *table, struct table_slot slot)
{
    u32 at = slot.hash;
    while (table->slots[at & (table->cap - 1)].index)
        at++;
    table->slots[at & (table->cap - 1)] = slot;
}

static void table_grow(struct table *table)
{
    struct table old = *table;
    table->cap = old.cap ? 2 * old.cap : CAP_MIN;
    assert(table->cap);
    table->slots = NEW_ARRAY(struct table_slot, table->cap);
    for (u32 i = 0; i < old.cap; i++)
        if (old.slots[i].index)
            slot_place(table, old.slots[i]);
    mem_free(old.slots);
}

void table_add(struct table *table, u32 hash, u32 index)
{
    if (table->count >= table->cap / 3 * 2)
        table_grow(table);
    slot_place(table, (struct table_slot){hash, index + 1});
    table->count++;
}

/* Those that follow move up into the hole, unless that would put them before their own place. */
void table_del(struct table *table, u32 hash, u32 index)
{
    u32 mask = table->cap - 1, hole = hash & mask;
    while (table->slots[hole].index != index + 1) {
        assert(table->slots[hole].index);
        hole = (hole + 1) & mask;
    }
    for (u32 at = (hole + 1) & mask; table->slots[at].index; at = (at + 1) & mask) {
        u32 displaced = (at - table->slots[at].hash) & mask;
        if (displaced < ((at - hole) & mask))
            continue;
        table->slots[hole] = table->slots[at];
        hole = at;
    }
    table->slots[hole] = (struct table_slot){0};
    table->count--;
}

void pile_init(struct pile *pile, u32 entry_size)
{
    *pile = (struct pile){.entry_size = entry_size};
}

void pile_fini(struct pile *pile)
{
    pile_clear(pile);
    pile_trim(pile, 0);
    mem_free(pile->pieces);
    pile_init(pile, pile->entry_size);
}

void pile_clear(struct pile *pile)
{
    pile->count = 0;
    pile->free = 0;
}

void pile_trim(struct pile *pile, u32 entries)
{
    u32 kept = (entries + PILE_PIECE - 1) >> PILE_SHIFT;
    while (pile->piece_count > kept)
        mem_free(pile->pieces[--pile->piece_count]);
}

u32 pile_take(struct pile *pile)
{
    if (pile->free) {
        u32 index = pile->free - 1;
        memcpy(&pile->free, pile_at(pile, index), sizeof pile->free);
        return index;
    }
    if (pile->count >> PILE_SHIFT == pile->piece_count) {
        u32 n = pile->piece_count;
        if ((n & (n - 1)) == 0)
            pile->pieces = mem_realloc(pile->pieces, (n ? 2 * n : 1) * sizeof *pile->pieces);
        pile->pieces[pile->piece_count++] = mem_alloc((size_t)PILE_PIECE * pile->entry_size);
    }
    return pile->count++;
}

void pile_give(struct pile *pile, u32 index)
{
    memcpy(pile_at(pile, index), &pile->free, sizeof pile->free);
    pile->free = index + 1;
}
