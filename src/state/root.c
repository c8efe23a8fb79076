/* From changed entries to the root. */
#include "base/mem.h"
#include "prim/keccak.h"
#include "state/state_int.h"
#include "state/trie_int.h"
#include "state/tries.h"

/* --- hashing what is not hashed yet, four at a time ------------------------------------------- */

struct hash_queue {
    unsigned count;
    hash32 *outs[4];
    size_t lens[4];
    u8 bytes[4][32];
};

static void hash_queue_flush(struct hash_queue *queue)
{
    const void *data[4];
    hash32 hashes[4];
    for (unsigned i = 0; i < queue->count; i++)
        data[i] = queue->bytes[i];
    hash_few(hashes, data, queue->lens, queue->count);
    for (unsigned i = 0; i < queue->count; i++)
        *queue->outs[i] = hashes[i];
    queue->count = 0;
}

static void hash_queue_add(struct hash_queue *queue, const u8 *bytes, size_t len, hash32 *out)
{
    memcpy(queue->bytes[queue->count], bytes, len);
    queue->lens[queue->count] = len;
    queue->outs[queue->count] = out;
    if (++queue->count == 4)
        hash_queue_flush(queue);
}

/* Returns how many slots have changed. */
static size_t hash_slots(struct hash_queue *queue, struct account_entry *account)
{
    size_t count = 0;
    struct slot_entry *slot = account->dirty_slots[DIRT_ROOT];
    for (; slot; slot = slot->next_dirty[DIRT_ROOT], count++) {
        if (slot->hashed)
            continue;
        u8 key[32];
        u256_store_be(key, slot->key);
        hash_queue_add(queue, key, sizeof key, &slot->key_hash);
        slot->hashed = true;
    }
    return count;
}

/* Returns how many accounts and slots have changed. */
static size_t hash_entries(const struct account_list *list)
{
    size_t count = list->count;
    struct hash_queue queue;
    queue.count = 0;
    for (u32 i = 0; i < list->count; i++) {
        struct account_entry *account = list->at[i];
        if (!account->hashed)
            hash_queue_add(&queue, account->addr.b, sizeof account->addr.b, &account->addr_hash);
        account->hashed = true;
        count += hash_slots(&queue, account);
    }
    hash_queue_flush(&queue);
    return count;
}

/* --- storage tries ---------------------------------------------------------------------------- */

static void rebuild_slot(void *arg, const u256 *key, const hash32 *key_hash, const u256 *value)
{
    (void)key;
    storage_trie_put(arg, key_hash, value);
}

/* The trie holds what was undone, or was wiped: made anew from what is true now. */
static void storage_rebuild(struct state *state, struct account_entry *account, struct trie *trie)
{
    trie_clear(trie);
    const struct state_backend_ops *ops = state->backend.ops;
    if (!account->wiped && account->base_exists)
        ops->each_slot(state->backend.ctx, &account->addr, &account->addr_hash, rebuild_slot, trie);
    for (struct slot_entry *slot = account->slots; slot; slot = slot->next)
        storage_trie_put(trie, slot_entry_hash(slot), &slot->value);
    account->trie_stale = false;
}

static void storage_update(struct account_entry *account, struct trie *trie)
{
    struct slot_entry *slot = account->dirty_slots[DIRT_ROOT];
    for (; slot; slot = slot->next_dirty[DIRT_ROOT])
        storage_trie_put(trie, &slot->key_hash, &slot->value);
}

static bool storage_changed(const struct account_entry *account)
{
    return account->trie_stale || account->dirty_slots[DIRT_ROOT];
}

/* Room for the accounts of the list twice over: items and scratch. */
static struct keyed *keyed_room(struct state *state, size_t count)
{
    if (2 * count > state->keyed_cap) {
        state->keyed_cap = 4 * count;
        state->keyed = mem_realloc(state->keyed, state->keyed_cap * sizeof *state->keyed);
    }
    return state->keyed;
}

/* All storage tries are changed first, then hashed together. */
static void flush_storage(struct state *state, struct state_tries *tries, struct workers *workers)
{
    const struct account_list *list = state->dirty + DIRT_ROOT;
    void **room = (void **)(void *)keyed_room(state, list->count);
    struct trie **changed = (struct trie **)room;
    struct account_entry **owners = (struct account_entry **)(room + list->count);
    size_t count = 0;
    for (u32 i = 0; i < list->count; i++) {
        struct account_entry *account = list->at[i];
        if (!storage_changed(account))
            continue;
        owners[count] = account;
        changed[count] = tries_storage(tries, &account->addr_hash);
        if (account->trie_stale)
            storage_rebuild(state, account, changed[count++]);
        else
            storage_update(account, changed[count++]);
    }
    trie_hash_shared(changed, count, workers);
    for (size_t i = 0; i < count; i++)
        if (owners[i]->exists)
            trie_root(changed[i], &owners[i]->now.storage_root);
}

static void clear_root_dirt(struct account_entry *account)
{
    struct slot_entry *slot = account->dirty_slots[DIRT_ROOT];
    for (; slot; slot = slot->next_dirty[DIRT_ROOT])
        slot->dirty[DIRT_ROOT] = false;
    account->dirty_slots[DIRT_ROOT] = NULL;
    account->dirty[DIRT_ROOT] = false;
}

static void flush_accounts(struct state *state, struct state_tries *tries, struct workers *workers)
{
    struct account_list *list = state->dirty + DIRT_ROOT;
    struct keyed *items = keyed_room(state, list->count);
    for (u32 i = 0; i < list->count; i++) {
        struct account_entry *account = list->at[i];
        u64 prefix;
        memcpy(&prefix, account->addr_hash.b, sizeof prefix);
        items[i] = (struct keyed){__builtin_bswap64(prefix), &account->addr_hash, account};
    }
    keyed_sort(items, items + list->count, list->count);
    for (u32 i = 0; i < list->count; i++) {
        struct account_entry *account = items[i].thing;
        tries_put_account(tries, &account->addr_hash, account->exists ? &account->now : NULL);
        clear_root_dirt(account);
    }
    struct trie *accounts = &tries->accounts;
    trie_hash_shared(&accounts, 1, workers);
    list->count = 0;
}

/* Waking threads for fewer changes takes longer than hashing them. */
enum { SHARED_MIN = 300 };

void state_flush(struct state *state)
{
    if (state->dirty[DIRT_ROOT].count == 0)
        return;
    assert(state->backend.ops->apply || state->backend.ops->own_tries);
    struct state_tries *tries = state->backend.ops->tries(state->backend.ctx);
    bool many = hash_entries(state->dirty + DIRT_ROOT) >= SHARED_MIN;
    struct workers *workers = many ? state->workers : NULL;
    flush_storage(state, tries, workers);
    flush_accounts(state, tries, workers);
    state->rooted = true;
}

void state_root(struct state *state, hash32 *root)
{
    state_flush(state);
    trie_root(&state->backend.ops->tries(state->backend.ctx)->accounts, root);
}
