#include "state/state.h"

#include "base/mem.h"
#include "prim/keccak.h"
#include "state/state_int.h"

enum { ACCOUNTS_MAX = 1 << 14, SLOTS_MAX = 1 << 15, JOURNAL_KEPT = 1 << 14 };

const struct account absent_account = {
    .code_hash = {{0xc5, 0xd2, 0x46, 0x01, 0x86, 0xf7, 0x23, 0x3c, 0x92, 0x7e, 0x7d,
                   0xb2, 0xdc, 0xc7, 0x03, 0xc0, 0xe5, 0x00, 0xb6, 0x53, 0xca, 0x82,
                   0x27, 0x3b, 0x7b, 0xfa, 0xd8, 0x04, 0x5d, 0x85, 0xa4, 0x70}},
    .storage_root = {{0x56, 0xe8, 0x1f, 0x17, 0x1b, 0xcc, 0x55, 0xa6, 0xff, 0x83, 0x45,
                      0xe6, 0x92, 0xc0, 0xf8, 0x6e, 0x5b, 0x48, 0xe0, 0x1b, 0x99, 0x6c,
                      0xad, 0xc0, 0x01, 0x62, 0x2f, 0xb5, 0xe3, 0x63, 0xb4, 0x21}},
};

struct state *state_new(const struct state_backend *backend, u64 seed)
{
    struct state *state = NEW(struct state);
    state->backend = *backend;
    state->seed = seed;
    state->gen = 1;
    state->code_epoch = 1;
    state->accounts_max = ACCOUNTS_MAX;
    state->slots_max = SLOTS_MAX;
    pile_init(&state->accounts, sizeof(struct account_entry));
    pile_init(&state->slots, sizeof(struct slot_entry));
    pile_init(&state->transients, sizeof(struct transient_entry));
    arena_init(&state->tx_arena);
    arena_init(&state->code_arena);
    return state;
}

void state_drop_memory(struct state *state)
{
    table_fini(&state->account_table);
    table_fini(&state->slot_table);
    table_fini(&state->transient_table);
    pile_fini(&state->accounts);
    pile_fini(&state->slots);
    pile_fini(&state->transients);
    arena_fini(&state->tx_arena);
    arena_fini(&state->code_arena);
    mem_free(state->keyed);
    mem_free(state->journal);
    mem_free(state->logs);
    state->keyed = NULL;
    state->journal = NULL;
    state->logs = NULL;
    state->keyed_cap = 0;
    state->journal_cap = state->log_cap = 0;
    for (int kind = 0; kind < DIRT_KINDS; kind++) {
        mem_free(state->dirty[kind].at);
        state->dirty[kind] = (struct account_list){0};
    }
}

void state_free(struct state *state)
{
    if (!state)
        return;
    state_drop_memory(state);
    mem_free(state);
}

void state_set_workers(struct state *state, struct workers *workers)
{
    state->workers = workers;
}

void state_set_cache(struct state *state, u32 accounts_max, u32 slots_max)
{
    state->accounts_max = accounts_max;
    state->slots_max = slots_max;
}

/* --- entries ---------------------------------------------------------------------------------- */

const hash32 *account_entry_hash(struct account_entry *account)
{
    if (!account->hashed) {
        keccak256(&account->addr_hash, account->addr.b, sizeof account->addr.b);
        account->hashed = true;
    }
    return &account->addr_hash;
}

static struct account_entry *account_load(struct state *state, const addr20 *addr, u32 hash)
{
    u32 number = pile_take(&state->accounts);
    struct account_entry *account = pile_at(&state->accounts, number);
    memset(account, 0, sizeof *account);
    account->addr = *addr;
    account->number = number;
    account->base = absent_account;
    const struct state_backend_ops *ops = state->backend.ops;
    account->base_exists =
        ops->account_get(state->backend.ctx, addr,
                         ops->by_hash ? account_entry_hash(account) : NULL, &account->base);
    account->now = account->base;
    account->exists = account->base_exists;
    table_add(&state->account_table, hash, number);
    return account;
}

struct account_entry *account_entry(struct state *state, const addr20 *addr)
{
    struct account_entry **recent = &state->recent[addr->b[19] % STATE_RECENT], *account = *recent;
    if (account && addr20_eq(&account->addr, addr))
        return account;
    u32 hash = table_hash_addr(state->seed, addr), index;
    struct table_walk walk = table_walk(hash);
    while ((index = table_next(&state->account_table, &walk)) != TABLE_NONE) {
        account = pile_at(&state->accounts, index);
        if (LIKELY(addr20_eq(&account->addr, addr)))
            return *recent = account;
    }
    return *recent = account_load(state, addr, hash);
}

void account_load_code(struct state *state, struct account_entry *account)
{
    account->code = NULL;
    account->code_len = 0;
    account->code_epoch = state->code_epoch;
    if (hash32_eq(&account->now.code_hash, &KECCAK256_EMPTY))
        return;
    bool found = state->backend.ops->code_get(state->backend.ctx, &account->now.code_hash,
                                              &account->code, &account->code_len);
    (void)found; /* if not, the store is damaged, and says so */
}

static void list_add(struct account_list *list, struct account_entry *account)
{
    if (list->count == list->cap) {
        list->cap = list->cap ? 2 * list->cap : 64;
        list->at = mem_realloc(list->at, list->cap * sizeof *list->at);
    }
    list->at[list->count++] = account;
}

void account_mark_dirty(struct state *state, struct account_entry *account)
{
    for (int kind = 0; kind < DIRT_KINDS; kind++) {
        if (account->dirty[kind])
            continue;
        account->dirty[kind] = true;
        list_add(state->dirty + kind, account);
    }
}

void state_cache_drop(struct state *state)
{
    table_clear(&state->account_table);
    table_clear(&state->slot_table);
    pile_clear(&state->accounts);
    pile_clear(&state->slots);
    pile_trim(&state->accounts, state->accounts_max);
    pile_trim(&state->slots, state->slots_max);
    memset(state->recent, 0, sizeof state->recent);
    state->half_gen = 0;
}

/* What one large block or transaction needed is given back. */
void state_trim(struct state *state)
{
    for (int kind = 0; kind < DIRT_KINDS; kind++)
        if (state->dirty[kind].cap > 2 * state->accounts_max + 64) {
            mem_free(state->dirty[kind].at);
            state->dirty[kind] = (struct account_list){0};
        }
    if (state->keyed_cap > 8 * (size_t)state->accounts_max + 64) {
        mem_free(state->keyed);
        state->keyed = NULL;
        state->keyed_cap = 0;
    }
    if (state->journal_cap > JOURNAL_KEPT) {
        mem_free(state->journal);
        state->journal = NULL;
        state->journal_cap = 0;
    }
}

/* --- the journal ------------------------------------------------------------------------------ */

struct journal_entry *journal_add(struct state *state, enum journal_kind kind)
{
    if (UNLIKELY(state->journal_count == state->journal_cap)) {
        state->journal_cap = state->journal_cap ? 2 * state->journal_cap : 128;
        state->journal = mem_realloc(state->journal, state->journal_cap * sizeof *state->journal);
    }
    struct journal_entry *entry = state->journal + state->journal_count++;
    entry->kind = kind;
    return entry;
}

static struct journal_entry *journal_account(struct state *state, enum journal_kind kind,
                                             struct account_entry *account)
{
    struct journal_entry *entry = journal_add(state, kind);
    entry->account = account;
    account_mark_dirty(state, account);
    return entry;
}

u32 state_checkpoint(struct state *state)
{
    return state->journal_count;
}

/* EIP-161 as it happened: the precompile 0x03 stays touched though the call that touched it failed,
 * since both clients of the day deleted it in block 2,675,119. */
static bool is_ripemd(const addr20 *addr)
{
    static const addr20 ripemd = {{[19] = 3}};
    return addr20_eq(addr, &ripemd);
}

static void undo_touch(struct state *state, struct account_entry *account)
{
    account->touched_gen = 0;
    if (is_ripemd(&account->addr))
        state->ripemd_touched_gen = state->gen;
}

static void undo_code(struct account_entry *account, const struct old_code *old)
{
    account->code = old->bytes;
    account->code_len = old->len;
    account->code_epoch = old->epoch;
    account->now.code_hash = old->hash;
}

static void journal_undo(struct state *state, const struct journal_entry *entry)
{
    switch (entry->kind) {
    case JOURNAL_EXISTS: entry->account->exists = false; break;
    case JOURNAL_TOUCHED: undo_touch(state, entry->account); break;
    case JOURNAL_BALANCE: entry->account->now.balance = entry->old.value; break;
    case JOURNAL_NONCE: entry->account->now.nonce = entry->old.nonce; break;
    case JOURNAL_CODE: undo_code(entry->account, entry->old.code); break;
    case JOURNAL_WARM_ACCOUNT: entry->account->warm_gen = 0; break;
    case JOURNAL_CREATED: entry->account->created_gen = 0; break;
    case JOURNAL_DESTROYED: entry->account->destroyed_gen = 0; break;
    case JOURNAL_WIPED: account_unwipe(state, entry->account); break;
    case JOURNAL_SLOT: slot_assign(state, entry->slot, &entry->old.value); break;
    case JOURNAL_WARM_SLOT: entry->slot->warm_gen = 0; break;
    case JOURNAL_TRANSIENT: entry->transient->value = entry->old.value; break;
    case JOURNAL_LOG: state->log_count--; break;
    }
}

void state_rollback(struct state *state, u32 checkpoint)
{
    assert(checkpoint <= state->journal_count);
    while (state->journal_count > checkpoint)
        journal_undo(state, state->journal + --state->journal_count);
}

/* --- one transaction -------------------------------------------------------------------------- */

static void transient_clear(struct state *state)
{
    table_clear(&state->transient_table);
    pile_clear(&state->transients);
}

void state_begin_tx(struct state *state)
{
    state->gen++;
    state->journal_count = 0;
    state->log_count = 0;
    arena_reset(&state->tx_arena);
    transient_clear(state);
}

/* The account and its storage are no more. */
static void account_remove(struct state *state, struct account_entry *account)
{
    account_wipe_storage(state, account, false);
    account_mark_dirty(state, account);
    account->exists = false;
    account->now = absent_account;
    account->code_epoch = 0;
}

static bool entry_is_empty(const struct account_entry *account)
{
    return account->now.nonce == 0 && u256_is_zero(account->now.balance) &&
           hash32_eq(&account->now.code_hash, &KECCAK256_EMPTY);
}

/* EIP-161 d: an account that was touched and is empty at the end. */
static void remove_if_empty(struct state *state, struct account_entry *account, enum fork fork)
{
    if (fork >= FORK_SPURIOUS && account->exists && entry_is_empty(account))
        account_remove(state, account);
}

void state_end_tx(struct state *state, enum fork fork)
{
    for (u32 i = 0; i < state->journal_count; i++) {
        const struct journal_entry *entry = state->journal + i;
        if (entry->kind == JOURNAL_DESTROYED)
            account_remove(state, entry->account);
        else if (entry->kind == JOURNAL_TOUCHED)
            remove_if_empty(state, entry->account, fork);
    }
    if (state->ripemd_touched_gen == state->gen) {
        static const addr20 ripemd = {{[19] = 3}};
        remove_if_empty(state, account_entry(state, &ripemd), fork);
    }
    state->journal_count = 0;
    transient_clear(state);
    state->gen++;
}

/* --- reading accounts ------------------------------------------------------------------------- */

bool state_account_exists(struct state *state, const addr20 *addr)
{
    return account_entry(state, addr)->exists;
}

bool state_account_is_empty(struct state *state, const addr20 *addr)
{
    return entry_is_empty(account_entry(state, addr));
}

u256 state_balance(struct state *state, const addr20 *addr)
{
    return account_entry(state, addr)->now.balance;
}

u64 state_nonce(struct state *state, const addr20 *addr)
{
    return account_entry(state, addr)->now.nonce;
}

struct state_code state_code(struct state *state, const addr20 *addr)
{
    struct account_entry *account = account_entry(state, addr);
    if (account->code_epoch != state->code_epoch)
        account_load_code(state, account);
    return (struct state_code){account->code, account->code_len, account->now.code_hash};
}

hash32 state_code_hash(struct state *state, const addr20 *addr)
{
    const struct account_entry *account = account_entry(state, addr);
    if (!account->exists || entry_is_empty(account))
        return (hash32){0};
    return account->now.code_hash;
}

bool state_account_warm(struct state *state, const addr20 *addr)
{
    struct account_entry *account = account_entry(state, addr);
    if (account->warm_gen == state->gen)
        return false;
    account->warm_gen = state->gen;
    journal_add(state, JOURNAL_WARM_ACCOUNT)->account = account;
    return true;
}

bool state_created_in_tx(struct state *state, const addr20 *addr)
{
    return account_entry(state, addr)->created_gen == state->gen;
}

/* --- writing accounts ------------------------------------------------------------------------- */

static void entry_exist(struct state *state, struct account_entry *account)
{
    if (account->exists)
        return;
    journal_account(state, JOURNAL_EXISTS, account);
    account->exists = true;
}

static void entry_touch(struct state *state, struct account_entry *account)
{
    entry_exist(state, account);
    if (account->touched_gen == state->gen)
        return;
    journal_add(state, JOURNAL_TOUCHED)->account = account;
    account->touched_gen = state->gen;
}

static void entry_set_balance(struct state *state, struct account_entry *account, u256 wei)
{
    entry_touch(state, account);
    if (u256_eq(account->now.balance, wei))
        return;
    journal_account(state, JOURNAL_BALANCE, account)->old.value = account->now.balance;
    account->now.balance = wei;
}

static void entry_add(struct state *state, struct account_entry *account, const u256 *wei)
{
    entry_set_balance(state, account, u256_add(account->now.balance, *wei));
}

static void entry_sub(struct state *state, struct account_entry *account, const u256 *wei)
{
    u256 rest;
    bool borrow = u256_sub_borrow(&rest, account->now.balance, *wei);
    assert(!borrow);
    entry_set_balance(state, account, rest);
}

void state_add_balance(struct state *state, const addr20 *addr, const u256 *wei)
{
    entry_add(state, account_entry(state, addr), wei);
}

void state_sub_balance(struct state *state, const addr20 *addr, const u256 *wei)
{
    entry_sub(state, account_entry(state, addr), wei);
}

void state_set_balance(struct state *state, const addr20 *addr, const u256 *wei)
{
    entry_set_balance(state, account_entry(state, addr), *wei);
}

void state_transfer(struct state *state, const addr20 *from, const addr20 *to, const u256 *wei)
{
    entry_sub(state, account_entry(state, from), wei);
    entry_add(state, account_entry(state, to), wei);
}

void state_touch(struct state *state, const addr20 *addr)
{
    entry_touch(state, account_entry(state, addr));
}

static void entry_set_nonce(struct state *state, struct account_entry *account, u64 nonce)
{
    if (account->now.nonce == nonce)
        return;
    journal_account(state, JOURNAL_NONCE, account)->old.nonce = account->now.nonce;
    account->now.nonce = nonce;
}

void state_set_nonce(struct state *state, const addr20 *addr, u64 nonce)
{
    struct account_entry *account = account_entry(state, addr);
    entry_exist(state, account);
    entry_set_nonce(state, account, nonce);
}

static void entry_set_code(struct state *state, struct account_entry *account, const u8 *code,
                           size_t len)
{
    hash32 hash = KECCAK256_EMPTY;
    if (len)
        keccak256(&hash, code, len);
    if (hash32_eq(&hash, &account->now.code_hash))
        return;
    struct old_code *old = arena_alloc(&state->tx_arena, sizeof *old);
    *old = (struct old_code){account->code, account->code_len, account->now.code_hash,
                             account->code_epoch};
    journal_account(state, JOURNAL_CODE, account)->old.code = old;
    account->now.code_hash = hash;
    account->code = len ? arena_dup(&state->code_arena, code, len) : NULL;
    account->code_len = len;
    account->code_epoch = state->code_epoch;
}

void state_set_code(struct state *state, const addr20 *addr, const u8 *code, size_t len)
{
    struct account_entry *account = account_entry(state, addr);
    entry_exist(state, account);
    entry_set_code(state, account, code, len);
}

void state_create_account(struct state *state, const addr20 *addr)
{
    struct account_entry *account = account_entry(state, addr);
    entry_touch(state, account);
    if (state_has_storage(state, addr))
        account_wipe_storage(state, account, true);
    entry_set_nonce(state, account, 0);
    entry_set_code(state, account, NULL, 0);
    if (account->created_gen == state->gen)
        return;
    journal_account(state, JOURNAL_CREATED, account);
    account->created_gen = state->gen;
}

bool state_mark_destroyed(struct state *state, const addr20 *addr)
{
    struct account_entry *account = account_entry(state, addr);
    entry_set_balance(state, account, U256_ZERO);
    if (account->destroyed_gen == state->gen)
        return false;
    journal_account(state, JOURNAL_DESTROYED, account);
    account->destroyed_gen = state->gen;
    return true;
}

/* --- logs ------------------------------------------------------------------------------------- */

void state_add_log(struct state *state, const addr20 *addr, const hash32 *topics, u32 topic_count,
                   const u8 *data, size_t len)
{
    assert(topic_count <= 4 && len <= UINT32_MAX);
    if (state->log_count == state->log_cap) {
        state->log_cap = state->log_cap ? 2 * state->log_cap : 16;
        state->logs = mem_realloc(state->logs, state->log_cap * sizeof *state->logs);
    }
    journal_add(state, JOURNAL_LOG);
    state->logs[state->log_count++] = (struct state_log){
        .addr = *addr,
        .topic_count = topic_count,
        .data_len = (u32)len,
        .topics = arena_dup(&state->tx_arena, topics, topic_count * sizeof *topics),
        .data = arena_dup(&state->tx_arena, data, len),
    };
}

const struct state_log *state_logs(const struct state *state, size_t *count)
{
    *count = state->log_count;
    return state->logs;
}
