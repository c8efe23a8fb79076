/* Handing changes to the backend, and dropping them. */
#include "base/mem.h"
#include "state/state_int.h"
#include "state/tries.h"

static void clear_slots(struct account_entry *account, enum dirt kind)
{
    struct slot_entry *slot = account->dirty_slots[kind];
    for (; slot; slot = slot->next_dirty[kind])
        slot->dirty[kind] = false;
    account->dirty_slots[kind] = NULL;
}

static void clear_dirt(struct state *state, enum dirt kind)
{
    struct account_list *list = state->dirty + kind;
    for (u32 i = 0; i < list->count; i++) {
        clear_slots(list->at[i], kind);
        list->at[i]->dirty[kind] = false;
    }
    list->count = 0;
}

/* --- reset ------------------------------------------------------------------------------------ */

static void account_reset(struct state *state, struct account_entry *account)
{
    struct slot_entry *slot = account->dirty_slots[DIRT_COMMIT];
    for (; slot; slot = slot->next_dirty[DIRT_COMMIT])
        slot_assign(state, slot, &slot->base);
    account_mark_dirty(state, account);
    account->now = account->base;
    account->exists = account->base_exists;
    account->trie_stale |= account->wiped;
    account->wiped = false;
}

void state_reset(struct state *state)
{
    state->journal_count = 0;
    state->log_count = 0;
    state->gen++;
    for (u32 i = 0; i < state->dirty[DIRT_COMMIT].count; i++)
        account_reset(state, state->dirty[DIRT_COMMIT].at[i]);
    if (state->rooted)
        state_flush(state);
    for (u32 i = 0; i < state->dirty[DIRT_COMMIT].count; i++)
        state->dirty[DIRT_COMMIT].at[i]->trie_stale = false;
    clear_dirt(state, DIRT_ROOT);
    clear_dirt(state, DIRT_COMMIT);
    state->rooted = false;
    state->code_epoch++;
    arena_reset(&state->code_arena);
}

void state_forget(struct state *state)
{
    state_reset(state);
    state_cache_drop(state);
}

void state_rest(struct state *state)
{
    state_forget(state);
    state_drop_memory(state);
}

/* --- commit ----------------------------------------------------------------------------------- */

static bool account_changed(const struct account_entry *account)
{
    return account->exists != account->base_exists || account->now.nonce != account->base.nonce ||
           !u256_eq(account->now.balance, account->base.balance) ||
           !hash32_eq(&account->now.code_hash, &account->base.code_hash) ||
           !hash32_eq(&account->now.storage_root, &account->base.storage_root);
}

static bool code_changed(const struct account_entry *account)
{
    return !hash32_eq(&account->now.code_hash, &account->base.code_hash) &&
           !hash32_eq(&account->now.code_hash, &KECCAK256_EMPTY);
}

static u32 changed_slots(const struct account_entry *account)
{
    u32 count = 0;
    const struct slot_entry *slot = account->dirty_slots[DIRT_COMMIT];
    for (; slot; slot = slot->next_dirty[DIRT_COMMIT])
        count += !u256_eq(slot->value, slot->base);
    return count;
}

struct slot_fetch {
    struct state *state;
    struct account_entry *account;
};

static void fetch_slot(void *arg, const u256 *key, const hash32 *key_hash, const u256 *value)
{
    struct slot_fetch *fetch = arg;
    (void)key_hash;
    (void)value;
    slot_entry(fetch->state, fetch->account, key);
}

/* Of a wiped storage every slot is looked at, which puts it among the changed ones. */
static void fetch_wiped(struct state *state)
{
    for (u32 i = 0; i < state->dirty[DIRT_COMMIT].count; i++) {
        struct account_entry *account = state->dirty[DIRT_COMMIT].at[i];
        if (!account->wiped)
            continue;
        struct slot_fetch fetch = {state, account};
        state->backend.ops->each_slot(state->backend.ctx, &account->addr,
                                      account_entry_hash(account), fetch_slot, &fetch);
    }
}

/* What changed, sorted; sums of what the change sets must hold. */
struct commit {
    struct keyed *accounts, *slots, *scratch;
    u32 account_count, slot_count, slot_max, code_count;
};

static struct keyed keyed_by(const hash32 *hash, void *thing)
{
    u64 prefix;
    memcpy(&prefix, hash->b, sizeof prefix);
    return (struct keyed){__builtin_bswap64(prefix), hash, thing};
}

static void commit_collect(struct state *state, struct commit *commit)
{
    const struct account_list *list = state->dirty + DIRT_COMMIT;
    commit->accounts = NEW_ARRAY(struct keyed, list->count);
    for (u32 i = 0; i < list->count; i++) {
        struct account_entry *account = list->at[i];
        if (!account_changed(account))
            continue;
        commit->accounts[commit->account_count++] = keyed_by(account_entry_hash(account), account);
        commit->code_count += code_changed(account);
        u32 slots = changed_slots(account);
        commit->slot_count += slots;
        if (slots > commit->slot_max)
            commit->slot_max = slots;
    }
    u32 most = list->count > commit->slot_max ? list->count : commit->slot_max;
    commit->slots = NEW_ARRAY(struct keyed, commit->slot_max);
    commit->scratch = NEW_ARRAY(struct keyed, most);
    keyed_sort(commit->accounts, commit->scratch, commit->account_count);
}

static void commit_fini(struct commit *commit)
{
    mem_free(commit->accounts);
    mem_free(commit->slots);
    mem_free(commit->scratch);
}

/* Fills in one account's slots, with their values now or at the last commit. */
static u32 fill_slots(struct commit *commit, struct account_entry *account,
                      struct slot_change *forward, struct slot_change *back)
{
    u32 count = 0;
    struct slot_entry *slot = account->dirty_slots[DIRT_COMMIT];
    for (; slot; slot = slot->next_dirty[DIRT_COMMIT])
        if (!u256_eq(slot->value, slot->base))
            commit->slots[count++] = keyed_by(slot_entry_hash(slot), slot);
    keyed_sort(commit->slots, commit->scratch, count);
    for (u32 i = 0; i < count; i++) {
        slot = commit->slots[i].thing;
        forward[i] = (struct slot_change){slot->key, slot->key_hash, slot->value};
        back[i] = (struct slot_change){slot->key, slot->key_hash, slot->base};
    }
    return count;
}

static void fill_code(struct state_changes *changes, u32 *at, const struct account_entry *account)
{
    if (code_changed(account))
        changes->codes[(*at)++] =
            (struct code_change){account->now.code_hash, account->code, account->code_len};
}

static void commit_fill(struct commit *commit, struct state_changes *forward,
                        struct state_changes *back)
{
    u32 slots = 0, codes = 0;
    for (u32 i = 0; i < commit->account_count; i++) {
        struct account_entry *account = commit->accounts[i].thing;
        u32 begin = slots;
        slots += fill_slots(commit, account, forward->slots + slots, back->slots + slots);
        fill_code(forward, &codes, account);
        forward->accounts[i] = (struct account_change){
            account->addr, account->exists, account->addr_hash, account->now, begin, slots};
        back->accounts[i] = (struct account_change){
            account->addr, account->base_exists, account->addr_hash, account->base, begin, slots};
    }
}

/* The cache's idea of the last commit moves forward. */
static void rebase(struct state *state)
{
    struct state_tries *tries = state->backend.ops->tries(state->backend.ctx);
    for (u32 i = 0; i < state->dirty[DIRT_COMMIT].count; i++) {
        struct account_entry *account = state->dirty[DIRT_COMMIT].at[i];
        struct slot_entry *slot = account->dirty_slots[DIRT_COMMIT];
        for (; slot; slot = slot->next_dirty[DIRT_COMMIT])
            slot->base = slot->value;
        if (hash32_eq(&account->now.storage_root, &TRIE_EMPTY_ROOT))
            tries_drop_storage(tries, account_entry_hash(account));
        account->base = account->now;
        account->base_exists = account->exists;
        account->wiped = false;
    }
    clear_dirt(state, DIRT_COMMIT);
    state->rooted = false;
    state->gen++;
    state->journal_count = 0;
    state->code_epoch++;
    arena_reset(&state->code_arena);
    state_cache_age(state);
    state_trim(state);
}

enum status state_commit(struct state *state, struct state_changes **undo, struct err *err)
{
    struct commit commit = {0};
    fetch_wiped(state);
    state_flush(state);
    commit_collect(state, &commit);
    struct state_changes *forward =
        changes_new(commit.account_count, commit.slot_count, commit.code_count);
    struct state_changes *back = changes_new(commit.account_count, commit.slot_count, 0);
    commit_fill(&commit, forward, back);
    commit_fini(&commit);
    enum status status = state->backend.ops->apply(state->backend.ctx, forward, err);
    state_changes_free(forward);
    if (status) {
        state_changes_free(back);
        return status;
    }
    rebase(state);
    if (undo)
        *undo = back;
    else
        state_changes_free(back);
    return STATUS_OK;
}

enum status state_unwind(struct state *state, const struct state_changes *undo, struct err *err)
{
    state_forget(state);
    /* The tries first: what they fetch belongs to the state that is left. */
    tries_apply(state->backend.ops->tries(state->backend.ctx), undo);
    return state->backend.ops->apply(state->backend.ctx, undo, err);
}

bool state_account_get(struct state *state, const addr20 *addr, struct account *out)
{
    struct account_entry *account = account_entry(state, addr);
    if (account->dirty[DIRT_ROOT])
        state_flush(state);
    if (!account->exists)
        return false;
    *out = account->now;
    return true;
}

void state_each_account(struct state *state, state_account_fn *fn, void *arg)
{
    state->backend.ops->each_account(state->backend.ctx, fn, arg);
}

struct each_slot {
    state_slot_fn *fn;
    void *arg;
};

static void each_slot(void *arg, const u256 *key, const hash32 *key_hash, const u256 *value)
{
    const struct each_slot *each = arg;
    (void)key_hash;
    each->fn(each->arg, key, value);
}

void state_each_slot(struct state *state, const addr20 *addr, state_slot_fn *fn, void *arg)
{
    struct each_slot each = {fn, arg};
    hash32 addr_hash = *account_entry_hash(account_entry(state, addr));
    state->backend.ops->each_slot(state->backend.ctx, addr, &addr_hash, each_slot, &each);
}
