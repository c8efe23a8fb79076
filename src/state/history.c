#include "state/history.h"

#include "base/assert.h"
#include "base/mem.h"
#include "prim/keccak.h"
#include "state/state_int.h"
#include "state/tries.h"

/*
 * Change sets are kept newest first, as given. What a block found before it is what the oldest
 * change set that names a thing says of it; where none does, the head still has it.
 */
struct history {
    struct state_backend head;
    const struct state_changes **undo;
    size_t count;
    struct state_tries *tries; /* made when first asked for */
    struct trie_source account_source, storage_source;
    struct arena nodes; /* the node fetched last */
};

struct history *history_open(const struct state_backend *head,
                             const struct state_changes *const *undo, size_t count)
{
    struct history *history = NEW(struct history);
    history->head = *head;
    history->undo = NEW_ARRAY(const struct state_changes *, count);
    if (count)
        memcpy(history->undo, undo, count * sizeof *undo);
    history->count = count;
    arena_init(&history->nodes);
    return history;
}

void history_close(struct history *history)
{
    if (!history)
        return;
    tries_free(history->tries);
    arena_fini(&history->nodes);
    mem_free(history->undo);
    mem_free(history);
}

/* --- looking up ------------------------------------------------------------------------------- */

static const struct account_change *find_account(const struct history *history,
                                                 const hash32 *addr_hash)
{
    for (size_t i = history->count; i-- > 0;) {
        const struct account_change *change = state_changes_account(history->undo[i], addr_hash);
        if (change)
            return change;
    }
    return NULL;
}

static const struct slot_change *find_slot(const struct history *history, const hash32 *addr_hash,
                                           const hash32 *key_hash)
{
    for (size_t i = history->count; i-- > 0;) {
        const struct state_changes *undo = history->undo[i];
        const struct account_change *account = state_changes_account(undo, addr_hash);
        const struct slot_change *slot =
            account ? state_changes_slot(undo, account, key_hash) : NULL;
        if (slot)
            return slot;
    }
    return NULL;
}

static bool history_account_get(void *ctx, const addr20 *addr, const hash32 *addr_hash,
                                struct account *account)
{
    const struct history *history = ctx;
    const struct account_change *change = find_account(history, addr_hash);
    if (!change)
        return history->head.ops->account_get(history->head.ctx, addr, addr_hash, account);
    if (change->exists)
        *account = change->account;
    return change->exists;
}

static bool history_slot_get(void *ctx, const addr20 *addr, const hash32 *addr_hash,
                             const u256 *key, const hash32 *key_hash, u256 *value)
{
    const struct history *history = ctx;
    const struct slot_change *change = find_slot(history, addr_hash, key_hash);
    if (!change)
        return history->head.ops->slot_get(history->head.ctx, addr, addr_hash, key, key_hash,
                                           value);
    *value = change->value;
    return !u256_is_zero(change->value);
}

static bool history_code_get(void *ctx, const hash32 *code_hash, const u8 **bytes, size_t *len)
{
    const struct history *history = ctx;
    return history->head.ops->code_get(history->head.ctx, code_hash, bytes, len);
}

/* --- going through: what the head has, then what it no longer has ------------------------------ */

struct account_walk {
    const struct history *history;
    backend_account_fn *fn;
    void *arg;
};

static void walk_head_account(void *arg, const addr20 *addr, const struct account *account)
{
    const struct account_walk *walk = arg;
    hash32 addr_hash;
    keccak256(&addr_hash, addr->b, sizeof addr->b);
    const struct account_change *change = find_account(walk->history, &addr_hash);
    if (!change)
        walk->fn(walk->arg, addr, account);
    else if (change->exists)
        walk->fn(walk->arg, addr, &change->account);
}

static void history_each_account(void *ctx, backend_account_fn *fn, void *arg)
{
    const struct history *history = ctx;
    const struct state_backend *head = &history->head;
    struct account_walk walk = {history, fn, arg};
    head->ops->each_account(head->ctx, walk_head_account, &walk);
    for (size_t i = 0; i < history->count; i++) {
        const struct state_changes *undo = history->undo[i];
        for (u32 n = 0; n < undo->account_count; n++) {
            const struct account_change *change = undo->accounts + n;
            struct account ignored;
            if (change->exists && find_account(history, &change->addr_hash) == change &&
                !head->ops->account_get(head->ctx, &change->addr, &change->addr_hash, &ignored))
                fn(arg, &change->addr, &change->account);
        }
    }
}

struct slot_walk {
    const struct history *history;
    const hash32 *addr_hash;
    backend_slot_fn *fn;
    void *arg;
};

static void walk_head_slot(void *arg, const u256 *key, const hash32 *key_hash, const u256 *value)
{
    const struct slot_walk *walk = arg;
    if (!find_slot(walk->history, walk->addr_hash, key_hash))
        walk->fn(walk->arg, key, key_hash, value);
}

/* Calls fn with each of the account's slots that some change set names, as it was. */
static void walk_changed_slots(const struct slot_walk *walk, bool zeroes_too)
{
    const struct history *history = walk->history;
    for (size_t i = 0; i < history->count; i++) {
        const struct state_changes *undo = history->undo[i];
        const struct account_change *account = state_changes_account(undo, walk->addr_hash);
        if (!account)
            continue;
        for (u32 n = account->slot_begin; n < account->slot_end; n++) {
            const struct slot_change *slot = undo->slots + n;
            if (find_slot(history, walk->addr_hash, &slot->key_hash) != slot)
                continue;
            if (zeroes_too || !u256_is_zero(slot->value))
                walk->fn(walk->arg, &slot->key, &slot->key_hash, &slot->value);
        }
    }
}

static void history_each_slot(void *ctx, const addr20 *addr, const hash32 *addr_hash,
                              backend_slot_fn *fn, void *arg)
{
    const struct history *history = ctx;
    struct slot_walk walk = {history, addr_hash, fn, arg};
    history->head.ops->each_slot(history->head.ctx, addr, addr_hash, walk_head_slot, &walk);
    walk_changed_slots(&walk, false);
}

/* --- tries: the head's, fetched node by node as needed, with the changes taken back ------------- */

static struct state_tries *head_tries(struct history *history)
{
    return history->head.ops->tries(history->head.ctx);
}

static const u8 *fetch_account_node(void *ctx, const hash32 *owner, const u8 *path, size_t path_len,
                                    size_t *len)
{
    struct history *history = ctx;
    (void)owner;
    arena_reset(&history->nodes);
    return trie_node(&head_tries(history)->accounts, path, path_len, &history->nodes, len);
}

static const u8 *fetch_storage_node(void *ctx, const hash32 *owner, const u8 *path, size_t path_len,
                                    size_t *len)
{
    struct history *history = ctx;
    arena_reset(&history->nodes);
    struct trie *trie = tries_storage(head_tries(history), owner);
    return trie_node(trie, path, path_len, &history->nodes, len);
}

static void put_old_slot(void *arg, const u256 *key, const hash32 *key_hash, const u256 *value)
{
    (void)key;
    storage_trie_put(arg, key_hash, value);
}

static void open_storage(void *ctx, struct trie *trie, const hash32 *addr_hash)
{
    struct history *history = ctx;
    hash32 root;
    trie_root(tries_storage(head_tries(history), addr_hash), &root);
    trie_init_source(trie, trie->pool, &history->storage_source, addr_hash, &root);
    struct slot_walk walk = {history, addr_hash, put_old_slot, trie};
    walk_changed_slots(&walk, true);
}

static void open_accounts(struct history *history)
{
    struct state_tries *tries = history->tries;
    hash32 root, owner = {0};
    trie_root(&head_tries(history)->accounts, &root);
    trie_init_source(&tries->accounts, tries->pool, &history->account_source, &owner, &root);
    for (size_t i = 0; i < history->count; i++) {
        const struct state_changes *undo = history->undo[i];
        for (u32 n = 0; n < undo->account_count; n++) {
            const struct account_change *change = undo->accounts + n;
            tries_put_account(tries, &change->addr_hash, change->exists ? &change->account : NULL);
        }
    }
}

static struct state_tries *history_tries(void *ctx)
{
    struct history *history = ctx;
    if (history->tries)
        return history->tries;
    history->account_source = (struct trie_source){fetch_account_node, history};
    history->storage_source = (struct trie_source){fetch_storage_node, history};
    history->tries = tries_new(0);
    history->tries->storage_open = open_storage;
    history->tries->ctx = history;
    open_accounts(history);
    return history->tries;
}

struct state_backend history_backend(struct history *history)
{
    static const struct state_backend_ops ops = {
        .by_hash = true,
        .account_get = history_account_get,
        .slot_get = history_slot_get,
        .code_get = history_code_get,
        .each_account = history_each_account,
        .each_slot = history_each_slot,
        .tries = history_tries,
        .own_tries = true,
    };
    return (struct state_backend){&ops, history};
}
