/* Storage: slots that last, and those that end with the transaction. */
#include "prim/keccak.h"
#include "state/state_int.h"

const hash32 *slot_entry_hash(struct slot_entry *slot)
{
    if (!slot->hashed) {
        u8 key[32];
        u256_store_be(key, slot->key);
        keccak256(&slot->key_hash, key, sizeof key);
        slot->hashed = true;
    }
    return &slot->key_hash;
}

/* What the last commit left there. */
static u256 slot_base(struct state *state, struct account_entry *account, struct slot_entry *slot)
{
    u256 value = U256_ZERO;
    const struct state_backend_ops *ops = state->backend.ops;
    if (account->base_exists && !hash32_eq(&account->base.storage_root, &TRIE_EMPTY_ROOT))
        ops->slot_get(state->backend.ctx, &account->addr,
                      ops->by_hash ? account_entry_hash(account) : NULL, &slot->key,
                      ops->by_hash ? slot_entry_hash(slot) : NULL, &value);
    return value;
}

/* All writing goes by here, so that the first value in a transaction is known as the original. */
static void slot_begin_tx(struct state *state, struct slot_entry *slot)
{
    if (slot->original_gen == state->gen)
        return;
    slot->original_gen = state->gen;
    slot->original = slot->value;
}

void slot_assign(struct state *state, struct slot_entry *slot, const u256 *value)
{
    struct account_entry *account = slot->account;
    slot->value = *value;
    for (int kind = 0; kind < DIRT_KINDS; kind++) {
        if (slot->dirty[kind])
            continue;
        slot->dirty[kind] = true;
        slot->next_dirty[kind] = account->dirty_slots[kind];
        account->dirty_slots[kind] = slot;
    }
    account_mark_dirty(state, account);
}

static void slot_change(struct state *state, struct slot_entry *slot, const u256 *value)
{
    slot_begin_tx(state, slot);
    struct journal_entry *entry = journal_add(state, JOURNAL_SLOT);
    entry->slot = slot;
    entry->old.value = slot->value;
    slot_assign(state, slot, value);
}

static struct slot_entry *slot_load(struct state *state, struct account_entry *account,
                                    const u256 *key, u32 hash)
{
    u32 number = pile_take(&state->slots);
    struct slot_entry *slot = pile_at(&state->slots, number);
    memset(slot, 0, sizeof *slot);
    slot->key = *key;
    slot->account = account;
    slot->base = slot_base(state, account, slot);
    slot->value = slot->base;
    slot->next = account->slots;
    account->slots = slot;
    table_add(&state->slot_table, hash, number);
    return slot;
}

/* The slot had a value, but its account's storage was wiped before it was looked at. */
static void slot_wipe_late(struct state *state, struct slot_entry *slot)
{
    if (slot->account->wiped_gen == state->gen) {
        slot_begin_tx(state, slot);
        slot->late_gen = state->gen;
    }
    slot_assign(state, slot, &U256_ZERO);
}

void account_unwipe(struct state *state, struct account_entry *account)
{
    account->wiped = false;
    for (struct slot_entry *slot = account->slots; slot; slot = slot->next)
        if (slot->late_gen == state->gen)
            slot_assign(state, slot, &slot->base);
}

struct slot_entry *slot_entry(struct state *state, struct account_entry *account, const u256 *key)
{
    u32 hash = table_hash_slot(state->seed, account->number, key), index;
    struct table_walk walk = table_walk(hash);
    while ((index = table_next(&state->slot_table, &walk)) != TABLE_NONE) {
        struct slot_entry *slot = pile_at(&state->slots, index);
        if (LIKELY(slot->account == account && u256_eq(slot->key, *key)))
            return slot;
    }
    struct slot_entry *slot = slot_load(state, account, key, hash);
    if (UNLIKELY(account->wiped) && !u256_is_zero(slot->base))
        slot_wipe_late(state, slot);
    return slot;
}

static bool slot_make_warm(struct state *state, struct slot_entry *slot)
{
    if (slot->warm_gen == state->gen)
        return false;
    slot->warm_gen = state->gen;
    journal_add(state, JOURNAL_WARM_SLOT)->slot = slot;
    return true;
}

u256 state_storage_get(struct state *state, const addr20 *addr, const u256 *key, bool *was_cold)
{
    struct slot_entry *slot = slot_entry(state, account_entry(state, addr), key);
    bool cold = slot_make_warm(state, slot);
    if (was_cold)
        *was_cold = cold;
    return slot->value;
}

u256 state_storage_peek(struct state *state, const addr20 *addr, const u256 *key)
{
    return slot_entry(state, account_entry(state, addr), key)->value;
}

bool state_slot_warm(struct state *state, const addr20 *addr, const u256 *key)
{
    return slot_make_warm(state, slot_entry(state, account_entry(state, addr), key));
}

struct state_slot state_storage_slot(struct state *state, const addr20 *addr, const u256 *key)
{
    struct slot_entry *slot = slot_entry(state, account_entry(state, addr), key);
    slot_begin_tx(state, slot);
    bool cold = slot_make_warm(state, slot);
    return (struct state_slot){slot->value, slot->original, cold, slot};
}

void state_storage_set(struct state *state, void *handle, const u256 *value)
{
    struct slot_entry *slot = handle;
    if (!u256_eq(slot->value, *value))
        slot_change(state, slot, value);
}

void account_wipe_storage(struct state *state, struct account_entry *account, bool journalled)
{
    for (struct slot_entry *slot = account->slots; slot; slot = slot->next) {
        if (u256_is_zero(slot->value))
            continue;
        if (journalled)
            slot_change(state, slot, &U256_ZERO);
        else
            slot_assign(state, slot, &U256_ZERO);
    }
    if (account->wiped || hash32_eq(&account->base.storage_root, &TRIE_EMPTY_ROOT))
        return;
    if (journalled)
        journal_add(state, JOURNAL_WIPED)->account = account;
    account->wiped_gen = journalled ? state->gen : 0;
    account->wiped = true;
    account->trie_stale = true;
    account_mark_dirty(state, account);
}

/* --- has it any? ------------------------------------------------------------------------------ */

struct storage_question {
    struct state *state;
    struct account_entry *account;
    bool found;
};

static void ask_slot(void *arg, const u256 *key, const hash32 *key_hash, const u256 *value)
{
    struct storage_question *question = arg;
    (void)value;
    for (struct slot_entry *slot = question->account->slots; slot; slot = slot->next)
        if (hash32_eq(slot_entry_hash(slot), key_hash) && u256_is_zero(slot->value))
            return;
    (void)key;
    question->found = true;
}

bool state_has_storage(struct state *state, const addr20 *addr)
{
    struct account_entry *account = account_entry(state, addr);
    for (const struct slot_entry *slot = account->slots; slot; slot = slot->next)
        if (!u256_is_zero(slot->value))
            return true;
    if (account->wiped || hash32_eq(&account->base.storage_root, &TRIE_EMPTY_ROOT))
        return false;
    if (!account->dirty_slots[DIRT_COMMIT])
        return true;
    struct storage_question question = {state, account, false};
    state->backend.ops->each_slot(state->backend.ctx, addr, account_entry_hash(account), ask_slot,
                                  &question);
    return question.found;
}

/* --- transient (EIP-1153) ---------------------------------------------------------------------- */

static struct transient_entry *transient_find(struct state *state, struct account_entry *account,
                                              const u256 *key, u32 hash)
{
    u32 index;
    struct table_walk walk = table_walk(hash);
    while ((index = table_next(&state->transient_table, &walk)) != TABLE_NONE) {
        struct transient_entry *entry = pile_at(&state->transients, index);
        if (entry->account == account && u256_eq(entry->key, *key))
            return entry;
    }
    return NULL;
}

u256 state_transient_get(struct state *state, const addr20 *addr, const u256 *key)
{
    struct account_entry *account = account_entry(state, addr);
    const struct transient_entry *entry =
        transient_find(state, account, key, table_hash_slot(state->seed, account->number, key));
    return entry ? entry->value : U256_ZERO;
}

void state_transient_set(struct state *state, const addr20 *addr, const u256 *key,
                         const u256 *value)
{
    struct account_entry *account = account_entry(state, addr);
    u32 hash = table_hash_slot(state->seed, account->number, key);
    struct transient_entry *entry = transient_find(state, account, key, hash);
    if (!entry) {
        u32 index = pile_take(&state->transients);
        entry = pile_at(&state->transients, index);
        *entry = (struct transient_entry){account, *key, U256_ZERO};
        table_add(&state->transient_table, hash, index);
    }
    struct journal_entry *undo = journal_add(state, JOURNAL_TRANSIENT);
    undo->transient = entry;
    undo->old.value = entry->value;
    entry->value = *value;
}
