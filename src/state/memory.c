#include "state/memory.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/mem.h"
#include "prim/keccak.h"
#include "state/table.h"
#include "state/tries.h"

struct memory_slot {
    u256 key, value;
    u32 account;
    u32 prev, next; /* the account's others; plus one, 0: none */
};

struct memory_account {
    addr20 addr;
    bool exists; /* false: given back to the pile */
    u32 slots;   /* the first; plus one, 0: none */
    struct account account;
};

struct memory_code {
    hash32 hash;
    u8 *bytes;
    size_t len;
};

struct memory_state {
    u64 seed;
    struct table account_table, slot_table, code_table;
    struct pile accounts, slots, codes;
    struct state_tries *tries;
};

struct memory_state *memory_state_new(u64 seed)
{
    struct memory_state *memory = NEW(struct memory_state);
    memory->seed = seed;
    pile_init(&memory->accounts, sizeof(struct memory_account));
    pile_init(&memory->slots, sizeof(struct memory_slot));
    pile_init(&memory->codes, sizeof(struct memory_code));
    memory->tries = tries_new(seed);
    return memory;
}

void memory_state_free(struct memory_state *memory)
{
    if (!memory)
        return;
    for (u32 i = 0; i < memory->codes.count; i++)
        mem_free(((struct memory_code *)pile_at(&memory->codes, i))->bytes);
    table_fini(&memory->account_table);
    table_fini(&memory->slot_table);
    table_fini(&memory->code_table);
    pile_fini(&memory->accounts);
    pile_fini(&memory->slots);
    pile_fini(&memory->codes);
    tries_free(memory->tries);
    mem_free(memory);
}

/* --- looking up ------------------------------------------------------------------------------- */

static u32 account_find(const struct memory_state *memory, const addr20 *addr)
{
    struct table_walk walk = table_walk(table_hash_addr(memory->seed, addr));
    for (;;) {
        u32 index = table_next(&memory->account_table, &walk);
        if (index == TABLE_NONE)
            return TABLE_NONE;
        const struct memory_account *account = pile_at(&memory->accounts, index);
        if (addr20_eq(&account->addr, addr))
            return index;
    }
}

static u32 slot_find(const struct memory_state *memory, u32 account, const u256 *key)
{
    struct table_walk walk = table_walk(table_hash_slot(memory->seed, account, key));
    for (;;) {
        u32 index = table_next(&memory->slot_table, &walk);
        if (index == TABLE_NONE)
            return TABLE_NONE;
        const struct memory_slot *slot = pile_at(&memory->slots, index);
        if (slot->account == account && u256_eq(slot->key, *key))
            return index;
    }
}

static u32 code_hash_short(const struct memory_state *memory, const hash32 *hash)
{
    return table_hash_bytes(memory->seed, hash->b, sizeof hash->b);
}

static struct memory_code *code_find(const struct memory_state *memory, const hash32 *hash)
{
    struct table_walk walk = table_walk(code_hash_short(memory, hash));
    for (;;) {
        u32 index = table_next(&memory->code_table, &walk);
        if (index == TABLE_NONE)
            return NULL;
        struct memory_code *code = pile_at(&memory->codes, index);
        if (hash32_eq(&code->hash, hash))
            return code;
    }
}

static bool memory_account_get(void *ctx, const addr20 *addr, const hash32 *addr_hash,
                               struct account *account)
{
    const struct memory_state *memory = ctx;
    u32 index = account_find(memory, addr);
    (void)addr_hash;
    if (index == TABLE_NONE)
        return false;
    *account = ((struct memory_account *)pile_at(&memory->accounts, index))->account;
    return true;
}

static bool memory_slot_get(void *ctx, const addr20 *addr, const hash32 *addr_hash, const u256 *key,
                            const hash32 *key_hash, u256 *value)
{
    const struct memory_state *memory = ctx;
    u32 account = account_find(memory, addr);
    (void)addr_hash;
    (void)key_hash;
    u32 index = account == TABLE_NONE ? TABLE_NONE : slot_find(memory, account, key);
    if (index == TABLE_NONE)
        return false;
    *value = ((struct memory_slot *)pile_at(&memory->slots, index))->value;
    return true;
}

static bool memory_code_get(void *ctx, const hash32 *hash, const u8 **bytes, size_t *len)
{
    const struct memory_code *code = code_find(ctx, hash);
    assert(code);
    *bytes = code->bytes;
    *len = code->len;
    return true;
}

/* --- going through ---------------------------------------------------------------------------- */

static int addr_cmp(const void *a, const void *b)
{
    const struct memory_account *const *p = a, *const *q = b;
    return memcmp((*p)->addr.b, (*q)->addr.b, sizeof(*p)->addr.b);
}

static void memory_each_account(void *ctx, backend_account_fn *fn, void *arg)
{
    const struct memory_state *memory = ctx;
    const struct memory_account **sorted =
        NEW_ARRAY(const struct memory_account *, memory->accounts.count);
    u32 count = 0;
    for (u32 i = 0; i < memory->accounts.count; i++) {
        const struct memory_account *account = pile_at(&memory->accounts, i);
        if (account->exists)
            sorted[count++] = account;
    }
    qsort(sorted, count, sizeof *sorted, addr_cmp);
    for (u32 i = 0; i < count; i++)
        fn(arg, &sorted[i]->addr, &sorted[i]->account);
    mem_free(sorted);
}

static int slot_cmp(const void *a, const void *b)
{
    const struct memory_slot *const *p = a, *const *q = b;
    return u256_cmp((*p)->key, (*q)->key);
}

static void memory_each_slot(void *ctx, const addr20 *addr, const hash32 *addr_hash,
                             backend_slot_fn *fn, void *arg)
{
    const struct memory_state *memory = ctx;
    u32 account = account_find(memory, addr), count = 0;
    (void)addr_hash;
    if (account == TABLE_NONE)
        return;
    u32 first = ((struct memory_account *)pile_at(&memory->accounts, account))->slots;
    const struct memory_slot *slot;
    for (u32 at = first; at; at = slot->next, count++)
        slot = pile_at(&memory->slots, at - 1);
    const struct memory_slot **sorted = NEW_ARRAY(const struct memory_slot *, count);
    count = 0;
    for (u32 at = first; at; at = slot->next)
        sorted[count++] = slot = pile_at(&memory->slots, at - 1);
    qsort(sorted, count, sizeof *sorted, slot_cmp);
    for (u32 i = 0; i < count; i++) {
        u8 key[32];
        hash32 key_hash;
        u256_store_be(key, sorted[i]->key);
        keccak256(&key_hash, key, sizeof key);
        fn(arg, &sorted[i]->key, &key_hash, &sorted[i]->value);
    }
    mem_free(sorted);
}

/* --- changing --------------------------------------------------------------------------------- */

static void slot_add(struct memory_state *memory, u32 account, const u256 *key, const u256 *value)
{
    struct memory_account *owner = pile_at(&memory->accounts, account);
    u32 index = pile_take(&memory->slots);
    struct memory_slot *slot = pile_at(&memory->slots, index);
    *slot = (struct memory_slot){*key, *value, account, 0, owner->slots};
    if (owner->slots)
        ((struct memory_slot *)pile_at(&memory->slots, owner->slots - 1))->prev = index + 1;
    owner->slots = index + 1;
    table_add(&memory->slot_table, table_hash_slot(memory->seed, account, key), index);
}

static void slot_remove(struct memory_state *memory, u32 account, u32 index)
{
    struct memory_account *owner = pile_at(&memory->accounts, account);
    struct memory_slot *slot = pile_at(&memory->slots, index);
    if (slot->prev)
        ((struct memory_slot *)pile_at(&memory->slots, slot->prev - 1))->next = slot->next;
    else
        owner->slots = slot->next;
    if (slot->next)
        ((struct memory_slot *)pile_at(&memory->slots, slot->next - 1))->prev = slot->prev;
    table_del(&memory->slot_table, table_hash_slot(memory->seed, account, &slot->key), index);
    pile_give(&memory->slots, index);
}

static void slot_put(struct memory_state *memory, u32 account, const struct slot_change *change)
{
    u32 index = slot_find(memory, account, &change->key);
    if (u256_is_zero(change->value)) {
        if (index != TABLE_NONE)
            slot_remove(memory, account, index);
    } else if (index == TABLE_NONE) {
        slot_add(memory, account, &change->key, &change->value);
    } else {
        ((struct memory_slot *)pile_at(&memory->slots, index))->value = change->value;
    }
}

static u32 account_add(struct memory_state *memory, const addr20 *addr)
{
    u32 index = pile_take(&memory->accounts);
    struct memory_account *account = pile_at(&memory->accounts, index);
    *account = (struct memory_account){.addr = *addr, .exists = true};
    table_add(&memory->account_table, table_hash_addr(memory->seed, addr), index);
    return index;
}

static void account_remove(struct memory_state *memory, u32 index)
{
    struct memory_account *account = pile_at(&memory->accounts, index);
    assert(account->slots == 0);
    table_del(&memory->account_table, table_hash_addr(memory->seed, &account->addr), index);
    account->exists = false;
    pile_give(&memory->accounts, index);
}

static void account_put(struct memory_state *memory, const struct state_changes *changes,
                        const struct account_change *change)
{
    u32 index = account_find(memory, &change->addr);
    if (index == TABLE_NONE && !change->exists)
        return;
    if (index == TABLE_NONE)
        index = account_add(memory, &change->addr);
    for (u32 i = change->slot_begin; i < change->slot_end; i++)
        slot_put(memory, index, changes->slots + i);
    if (change->exists)
        ((struct memory_account *)pile_at(&memory->accounts, index))->account = change->account;
    else
        account_remove(memory, index);
}

static void code_put(struct memory_state *memory, const struct code_change *change)
{
    if (code_find(memory, &change->hash))
        return;
    u32 index = pile_take(&memory->codes);
    *(struct memory_code *)pile_at(&memory->codes, index) =
        (struct memory_code){change->hash, mem_dup(change->bytes, change->len), change->len};
    table_add(&memory->code_table, code_hash_short(memory, &change->hash), index);
}

static enum status memory_apply(void *ctx, const struct state_changes *changes, struct err *err)
{
    struct memory_state *memory = ctx;
    (void)err;
    for (u32 i = 0; i < changes->account_count; i++)
        account_put(memory, changes, changes->accounts + i);
    for (u32 i = 0; i < changes->code_count; i++)
        code_put(memory, changes->codes + i);
    return STATUS_OK;
}

static struct state_tries *memory_tries(void *ctx)
{
    return ((struct memory_state *)ctx)->tries;
}

struct state_backend memory_state_backend(struct memory_state *memory)
{
    static const struct state_backend_ops ops = {
        .by_hash = false,
        .account_get = memory_account_get,
        .slot_get = memory_slot_get,
        .code_get = memory_code_get,
        .each_account = memory_each_account,
        .each_slot = memory_each_slot,
        .tries = memory_tries,
        .apply = memory_apply,
    };
    return (struct state_backend){&ops, memory};
}
