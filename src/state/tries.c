#include "state/tries.h"

#include "base/mem.h"
#include "prim/rlp.h"
#include "state/table.h"
#include "state/trie_int.h"

struct storage_entry {
    struct trie trie; /* its owner is the hashed address */
    bool open;        /* false: given back to the pile */
    bool listed;      /* among the recent */
    u32 used;         /* when it was last looked for: counts saves */
};

struct storage_tries {
    u64 seed;
    struct table table;
    struct pile entries;
    u32 *recent; /* looked for since the last save */
    u32 recent_count, recent_cap;
    u32 saves;
};

struct state_tries *tries_new(u64 seed)
{
    struct state_tries *tries = NEW(struct state_tries);
    tries->pool = trie_pool_new();
    trie_init(&tries->accounts, tries->pool);
    tries->storage = NEW(struct storage_tries);
    tries->storage->seed = seed;
    pile_init(&tries->storage->entries, sizeof(struct storage_entry));
    return tries;
}

void tries_free(struct state_tries *tries)
{
    if (!tries)
        return;
    trie_pool_free(tries->pool);
    table_fini(&tries->storage->table);
    pile_fini(&tries->storage->entries);
    mem_free(tries->storage->recent);
    mem_free(tries->storage);
    mem_free(tries);
}

static u8 *number_put(u8 *out, const u8 *be, size_t len)
{
    while (len > 0 && *be == 0) {
        be++;
        len--;
    }
    if (len != 1 || *be >= 0x80)
        *out++ = (u8)(0x80 + len);
    memcpy(out, be, len);
    return out + len;
}

static u8 *hash_put(u8 *out, const hash32 *hash)
{
    *out++ = 0xa0;
    memcpy(out, hash->b, sizeof hash->b);
    return out + sizeof hash->b;
}

size_t account_encode(u8 out[ACCOUNT_RLP_MAX], const struct account *account)
{
    u8 balance[32], *p = out + 2;
    u64 nonce = __builtin_bswap64(account->nonce);
    u256_store_be(balance, account->balance);
    p = number_put(p, (const u8 *)&nonce, sizeof nonce);
    p = number_put(p, balance, sizeof balance);
    p = hash_put(p, &account->storage_root);
    p = hash_put(p, &account->code_hash);
    /* The two hashes alone take 66 bytes: the list's header is always of two bytes. */
    out[0] = 0xf8;
    out[1] = (u8)(p - out - 2);
    return (size_t)(p - out);
}

void tries_put_account(struct state_tries *tries, const hash32 *addr_hash,
                       const struct account *account)
{
    if (!account) {
        trie_del(&tries->accounts, addr_hash->b, sizeof addr_hash->b);
        return;
    }
    u8 rlp[ACCOUNT_RLP_MAX];
    size_t len = account_encode(rlp, account);
    trie_put(&tries->accounts, addr_hash->b, sizeof addr_hash->b, rlp, len);
}

static u32 storage_hash(const struct storage_tries *storage, const hash32 *addr_hash)
{
    return table_hash_bytes(storage->seed, addr_hash->b, sizeof addr_hash->b);
}

static u32 storage_find(struct storage_tries *storage, const hash32 *addr_hash)
{
    struct table_walk walk = table_walk(storage_hash(storage, addr_hash));
    for (;;) {
        u32 index = table_next(&storage->table, &walk);
        if (index == TABLE_NONE)
            return TABLE_NONE;
        const struct storage_entry *entry = pile_at(&storage->entries, index);
        if (hash32_eq(&entry->trie.owner, addr_hash))
            return index;
    }
}

static u32 storage_add(struct state_tries *tries, const hash32 *addr_hash)
{
    struct storage_tries *storage = tries->storage;
    u32 index = pile_take(&storage->entries);
    table_add(&storage->table, storage_hash(storage, addr_hash), index);
    struct storage_entry *entry = pile_at(&storage->entries, index);
    *entry = (struct storage_entry){.open = true};
    trie_init(&entry->trie, tries->pool);
    entry->trie.owner = *addr_hash;
    if (tries->storage_open)
        tries->storage_open(tries->ctx, &entry->trie, addr_hash);
    return index;
}

static void storage_list(struct storage_tries *storage, u32 index)
{
    if (storage->recent_count == storage->recent_cap) {
        storage->recent_cap = storage->recent_cap ? 2 * storage->recent_cap : 64;
        storage->recent = mem_realloc(storage->recent, storage->recent_cap * sizeof(u32));
    }
    storage->recent[storage->recent_count++] = index;
}

struct trie *tries_storage(struct state_tries *tries, const hash32 *addr_hash)
{
    struct storage_tries *storage = tries->storage;
    u32 index = storage_find(storage, addr_hash);
    if (index == TABLE_NONE)
        index = storage_add(tries, addr_hash);
    struct storage_entry *entry = pile_at(&storage->entries, index);
    if (tries->stored && !entry->listed) {
        entry->listed = true;
        entry->used = storage->saves;
        storage_list(storage, index);
    }
    return &entry->trie;
}

static void storage_remove(struct storage_tries *storage, u32 index)
{
    struct storage_entry *entry = pile_at(&storage->entries, index);
    table_del(&storage->table, storage_hash(storage, &entry->trie.owner), index);
    entry->open = false;
    pile_give(&storage->entries, index);
}

void tries_drop_storage(struct state_tries *tries, const hash32 *addr_hash)
{
    u32 index = storage_find(tries->storage, addr_hash);
    if (index == TABLE_NONE)
        return;
    trie_clear(&((struct storage_entry *)pile_at(&tries->storage->entries, index))->trie);
    storage_remove(tries->storage, index);
}

/* --- in a store ------------------------------------------------------------------------------- */

void tries_save(struct state_tries *tries, trie_put_fn *put, void *arg)
{
    struct storage_tries *storage = tries->storage;
    trie_save(&tries->accounts, put, arg);
    for (u32 i = 0; i < storage->recent_count; i++) {
        struct storage_entry *entry = pile_at(&storage->entries, storage->recent[i]);
        if (!entry->open)
            continue;
        entry->listed = false;
        trie_save(&entry->trie, put, arg);
    }
    storage->recent_count = 0;
    storage->saves++;
}

static bool trie_is_saved(const struct trie *trie)
{
    return trie_is_empty(trie) || trie->root.bits & LINK_SAVED || !link_node(&trie->root);
}

bool tries_are_saved(const struct state_tries *tries)
{
    const struct storage_tries *storage = tries->storage;
    for (u32 i = 0; i < storage->recent_count; i++) {
        const struct storage_entry *entry = pile_at(&storage->entries, storage->recent[i]);
        if (entry->open && !trie_is_saved(&entry->trie))
            return false;
    }
    return trie_is_saved(&tries->accounts);
}

/* Storage tries that were not looked for in the last `idle` saves. */
static void unload_storage(struct state_tries *tries, u32 idle, size_t bytes_max)
{
    struct storage_tries *storage = tries->storage;
    for (u32 i = 0; i < storage->entries.count; i++) {
        struct storage_entry *entry = pile_at(&storage->entries, i);
        if (!entry->open || storage->saves - entry->used < idle)
            continue;
        if (trie_pool_size(tries->pool) <= bytes_max)
            return;
        trie_unload(&entry->trie, 0);
        storage_remove(storage, i);
    }
}

void tries_unload(struct state_tries *tries, size_t bytes_max)
{
    assert(tries_are_saved(tries));
    /* What was not used lately goes first, then the lower parts, last of all the top. */
    for (u32 idle = 16; idle > 1 && trie_pool_size(tries->pool) > bytes_max; idle /= 4)
        unload_storage(tries, idle, bytes_max);
    for (unsigned kept = 5; kept-- > 0 && trie_pool_size(tries->pool) > bytes_max;) {
        trie_unload(&tries->accounts, kept);
        if (kept == 2)
            unload_storage(tries, 0, bytes_max);
    }
}

size_t slot_encode(u8 out[33], const u256 *value)
{
    u8 be[32];
    u256_store_be(be, *value);
    return (size_t)(number_put(out, be, sizeof be) - out);
}

void storage_trie_put(struct trie *trie, const hash32 *key_hash, const u256 *value)
{
    if (u256_is_zero(*value)) {
        trie_del(trie, key_hash->b, sizeof key_hash->b);
        return;
    }
    u8 rlp[33];
    size_t len = slot_encode(rlp, value);
    trie_put(trie, key_hash->b, sizeof key_hash->b, rlp, len);
}

void tries_apply(struct state_tries *tries, const struct state_changes *changes)
{
    for (u32 i = 0; i < changes->account_count; i++) {
        const struct account_change *change = changes->accounts + i;
        if (change->slot_begin < change->slot_end) {
            struct trie *trie = tries_storage(tries, &change->addr_hash);
            for (u32 s = change->slot_begin; s < change->slot_end; s++)
                storage_trie_put(trie, &changes->slots[s].key_hash, &changes->slots[s].value);
            trie_hash(&trie, 1);
        }
        if (!change->exists)
            tries_drop_storage(tries, &change->addr_hash);
        tries_put_account(tries, &change->addr_hash, change->exists ? &change->account : NULL);
    }
}
