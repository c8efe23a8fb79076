/*
 * Keeping the cache within its bounds. It has two generations: what was used since it was half full, and the
 * rest, which goes when it is full. Whoever comes back in every block stays.
 */
#include "base/mem.h"
#include "state/state_int.h"

static bool passes(const struct state *state, u32 part, u32 of)
{
    return state->account_table.count > (u64)state->accounts_max * part / of ||
           state->slot_table.count > (u64)state->slots_max * part / of;
}

static bool account_is_young(const struct account_entry *account, u64 since)
{
    return account->warm_gen >= since || account->touched_gen >= since;
}

/* A slot stays if its account does, and only then is in that account's list. */
static bool slot_stays(const struct slot_entry *slot, u64 since)
{
    return slot->warm_gen >= since && account_is_young(slot->account, since);
}

static void slots_keep(struct state *state, u64 since)
{
    struct table old = state->slot_table;
    state->slot_table = (struct table){0};
    for (u32 i = 0; i < old.cap; i++) {
        u32 index = old.slots[i].index - 1;
        if (!old.slots[i].index)
            continue;
        struct slot_entry *slot = pile_at(&state->slots, index);
        if (!slot_stays(slot, since)) {
            pile_give(&state->slots, index);
            continue;
        }
        table_add(&state->slot_table, old.slots[i].hash, index);
        slot->next = slot->account->slots;
        slot->account->slots = slot;
    }
    table_fini(&old);
}

static void accounts_unlink(struct state *state)
{
    for (u32 i = 0; i < state->account_table.cap; i++)
        if (state->account_table.slots[i].index) {
            u32 index = state->account_table.slots[i].index - 1;
            ((struct account_entry *)pile_at(&state->accounts, index))->slots = NULL;
        }
}

static void accounts_keep(struct state *state, u64 since)
{
    struct table old = state->account_table;
    state->account_table = (struct table){0};
    for (u32 i = 0; i < old.cap; i++) {
        u32 index = old.slots[i].index - 1;
        if (!old.slots[i].index)
            continue;
        if (account_is_young(pile_at(&state->accounts, index), since))
            table_add(&state->account_table, old.slots[i].hash, index);
        else
            pile_give(&state->accounts, index);
    }
    table_fini(&old);
}

void state_cache_age(struct state *state)
{
    if (!state->half_gen && passes(state, 1, 2))
        state->half_gen = state->gen;
    if (!passes(state, 1, 1))
        return;
    /* After one large block nothing may be worth the search, and its memory is to be given back. */
    if (state->half_gen == state->gen || passes(state, 2, 1)) {
        state_cache_drop(state);
        return;
    }
    accounts_unlink(state);
    slots_keep(state, state->half_gen);
    accounts_keep(state, state->half_gen);
    memset(state->recent, 0, sizeof state->recent);
    state->half_gen = 0;
    if (passes(state, 3, 4))
        state_cache_drop(state);
}

void state_settle(struct state *state)
{
    if (state->dirty[DIRT_COMMIT].count == 0)
        state_cache_age(state);
}
