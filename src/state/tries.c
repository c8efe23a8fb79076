#include "state/tries.h"

#include "base/mem.h"
#include "prim/rlp.h"
#include "state/table.h"

struct storage_tries {
    u64 seed;
    struct table table;
    struct pile tries; /* struct trie; its owner is the hashed address */
};

struct state_tries *tries_new(u64 seed)
{
    struct state_tries *tries = NEW(struct state_tries);
    tries->pool = trie_pool_new();
    trie_init(&tries->accounts, tries->pool);
    tries->storage = NEW(struct storage_tries);
    tries->storage->seed = seed;
    pile_init(&tries->storage->tries, sizeof(struct trie));
    return tries;
}

void tries_free(struct state_tries *tries)
{
    if (!tries)
        return;
    trie_pool_free(tries->pool);
    table_fini(&tries->storage->table);
    pile_fini(&tries->storage->tries);
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

static u32 storage_find(struct storage_tries *storage, const hash32 *addr_hash, u32 hash)
{
    struct table_walk walk = table_walk(hash);
    for (;;) {
        u32 index = table_next(&storage->table, &walk);
        if (index == TABLE_NONE)
            return TABLE_NONE;
        const struct trie *trie = pile_at(&storage->tries, index);
        if (hash32_eq(&trie->owner, addr_hash))
            return index;
    }
}

struct trie *tries_storage(struct state_tries *tries, const hash32 *addr_hash)
{
    struct storage_tries *storage = tries->storage;
    u32 hash = table_hash_bytes(storage->seed, addr_hash->b, sizeof addr_hash->b);
    u32 index = storage_find(storage, addr_hash, hash);
    if (index != TABLE_NONE)
        return pile_at(&storage->tries, index);
    index = pile_take(&storage->tries);
    table_add(&storage->table, hash, index);
    struct trie *trie = pile_at(&storage->tries, index);
    trie_init(trie, tries->pool);
    trie->owner = *addr_hash;
    if (tries->storage_open)
        tries->storage_open(tries->ctx, trie, addr_hash);
    return trie;
}

void tries_drop_storage(struct state_tries *tries, const hash32 *addr_hash)
{
    struct storage_tries *storage = tries->storage;
    u32 hash = table_hash_bytes(storage->seed, addr_hash->b, sizeof addr_hash->b);
    u32 index = storage_find(storage, addr_hash, hash);
    if (index == TABLE_NONE)
        return;
    trie_clear(pile_at(&storage->tries, index));
    table_del(&storage->table, hash, index);
    pile_give(&storage->tries, index);
}

void storage_trie_put(struct trie *trie, const hash32 *key_hash, const u256 *value)
{
    if (u256_is_zero(*value)) {
        trie_del(trie, key_hash->b, sizeof key_hash->b);
        return;
    }
    u8 be[32], rlp[33];
    u256_store_be(be, *value);
    size_t len = (size_t)(number_put(rlp, be, sizeof be) - rlp);
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
