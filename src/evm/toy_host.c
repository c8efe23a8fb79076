#include "evm/toy_host.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/mem.h"
#include "prim/keccak.h"

struct toy_account {
    addr20 addr;
    bool exists, is_warm, is_created, is_destroyed;
    u64 nonce;
    u256 wei;
    const u8 *code; /* in the arena */
    size_t code_len;
    hash32 code_hash;
};

struct toy_slot {
    addr20 addr;
    u256 key;
    u256 current, original, transient;
    bool is_warm;
};

/* A record as it was before a change; which says where it belongs. */
struct toy_undo {
    enum { UNDO_ACCOUNT, UNDO_SLOT, UNDO_LOG } kind;
    size_t which;
    union {
        struct toy_account account;
        struct toy_slot slot;
        struct {
            hash32 digest;
            unsigned count;
        } log;
    };
};

struct toy_host {
    struct toy_account *accounts;
    size_t account_count, account_cap;
    struct toy_slot *slots;
    size_t slot_count, slot_cap;
    u32 *slot_index; /* open addressing; 0 is empty, else slot + 1 */
    size_t slot_index_cap;
    struct toy_undo *journal;
    size_t journal_len, journal_cap;
    struct arena arena;
    hash32 log_digest; /* chained over all logs */
    unsigned log_count;
};

/* Makes room for one more element of an array that grows by doubling. */
#define MAKE_ROOM(array, count, cap)                                  \
    do {                                                              \
        if ((count) == (cap)) {                                       \
            (cap) = (cap) ? 2 * (cap) : 64;                           \
            (array) = mem_realloc((array), (cap) * sizeof(array)[0]); \
        }                                                             \
    } while (0)

struct toy_host *toy_host_new(void)
{
    struct toy_host *host = NEW(struct toy_host);
    arena_init(&host->arena);
    return host;
}

void toy_host_free(struct toy_host *host)
{
    if (!host)
        return;
    arena_fini(&host->arena);
    mem_free(host->accounts);
    mem_free(host->slots);
    mem_free(host->slot_index);
    mem_free(host->journal);
    mem_free(host);
}

/* --- records --------------------------------------------------------------------------------- */

static struct toy_account *account_find(const struct toy_host *host, const addr20 *addr)
{
    for (size_t i = 0; i < host->account_count; i++)
        if (addr20_eq(&host->accounts[i].addr, addr))
            return &host->accounts[i];
    return NULL;
}

/* The record of addr, which is made (as of an absent account) where there is none. */
static struct toy_account *account_get(struct toy_host *host, const addr20 *addr)
{
    struct toy_account *account = account_find(host, addr);
    if (account)
        return account;
    MAKE_ROOM(host->accounts, host->account_count, host->account_cap);
    account = &host->accounts[host->account_count++];
    *account = (struct toy_account){.addr = *addr, .code_hash = KECCAK256_EMPTY};
    return account;
}

static size_t slot_home(const struct toy_host *host, const addr20 *addr, const u256 *key)
{
    u64 a, k = key->w[0] ^ key->w[1] * 3 ^ key->w[2] * 5 ^ key->w[3] * 7;
    memcpy(&a, addr->b + 12, sizeof a);
    return ((a ^ k) * 0x9e3779b97f4a7c15u >> 20) & (host->slot_index_cap - 1);
}

/* The place in the index where a slot stands, or would. */
static u32 *slot_place(const struct toy_host *host, const addr20 *addr, const u256 *key)
{
    size_t i = slot_home(host, addr, key);
    for (;; i = (i + 1) & (host->slot_index_cap - 1)) {
        u32 at = host->slot_index[i];
        if (!at)
            return &host->slot_index[i];
        const struct toy_slot *slot = &host->slots[at - 1];
        if (u256_eq(slot->key, *key) && addr20_eq(&slot->addr, addr))
            return &host->slot_index[i];
    }
}

static void slot_index_grow(struct toy_host *host)
{
    mem_free(host->slot_index);
    host->slot_index_cap = host->slot_index_cap ? 2 * host->slot_index_cap : 256;
    host->slot_index = NEW_ARRAY(u32, host->slot_index_cap);
    for (size_t i = 0; i < host->slot_count; i++)
        *slot_place(host, &host->slots[i].addr, &host->slots[i].key) = (u32)i + 1;
}

static struct toy_slot *slot_get(struct toy_host *host, const addr20 *addr, const u256 *key)
{
    if (2 * (host->slot_count + 1) > host->slot_index_cap)
        slot_index_grow(host);
    u32 *place = slot_place(host, addr, key);
    if (!*place) {
        MAKE_ROOM(host->slots, host->slot_count, host->slot_cap);
        host->slots[host->slot_count++] = (struct toy_slot){.addr = *addr, .key = *key};
        *place = (u32)host->slot_count;
    }
    return &host->slots[*place - 1];
}

static struct toy_undo *journal_add(struct toy_host *host)
{
    MAKE_ROOM(host->journal, host->journal_len, host->journal_cap);
    return &host->journal[host->journal_len++];
}

/* The record of addr, about to be changed. */
static struct toy_account *account_edit(struct toy_host *host, const addr20 *addr)
{
    struct toy_account *account = account_get(host, addr);
    *journal_add(host) = (struct toy_undo){
        .kind = UNDO_ACCOUNT,
        .which = (size_t)(account - host->accounts),
        .account = *account,
    };
    return account;
}

static void slot_save(struct toy_host *host, const struct toy_slot *slot)
{
    *journal_add(host) = (struct toy_undo){
        .kind = UNDO_SLOT,
        .which = (size_t)(slot - host->slots),
        .slot = *slot,
    };
}

static bool account_is_blank(const struct toy_account *account)
{
    return !account || (account->nonce == 0 && u256_is_zero(account->wei) && !account->code_len);
}

/* --- the door -------------------------------------------------------------------------------- */

static bool door_account_exists(void *ctx, const addr20 *addr)
{
    const struct toy_account *account = account_find(ctx, addr);
    return account && account->exists;
}

static bool door_account_is_empty(void *ctx, const addr20 *addr)
{
    return account_is_blank(account_find(ctx, addr));
}

static bool door_account_touch_warm(void *ctx, const addr20 *addr)
{
    struct toy_account *account = account_get(ctx, addr);
    if (account->is_warm)
        return false;
    account_edit(ctx, addr)->is_warm = true;
    return true;
}

static u256 door_balance(void *ctx, const addr20 *addr)
{
    const struct toy_account *account = account_find(ctx, addr);
    return account ? account->wei : U256_ZERO;
}

static u64 door_nonce(void *ctx, const addr20 *addr)
{
    const struct toy_account *account = account_find(ctx, addr);
    return account ? account->nonce : 0;
}

static struct evm_code_view door_code(void *ctx, const addr20 *addr)
{
    const struct toy_account *account = account_find(ctx, addr);
    if (!account)
        return (struct evm_code_view){.hash = KECCAK256_EMPTY};
    return (struct evm_code_view){account->code, account->code_len, account->code_hash};
}

static hash32 door_code_hash(void *ctx, const addr20 *addr)
{
    const struct toy_account *account = account_find(ctx, addr);
    return account_is_blank(account) ? (hash32){{0}} : account->code_hash;
}

static bool door_has_storage(void *ctx, const addr20 *addr)
{
    const struct toy_host *host = ctx;
    for (size_t i = 0; i < host->slot_count; i++)
        if (addr20_eq(&host->slots[i].addr, addr) && !u256_is_zero(host->slots[i].current))
            return true;
    return false;
}

static struct toy_slot *slot_touch(struct toy_host *host, const addr20 *addr, const u256 *key,
                                   bool *was_cold)
{
    struct toy_slot *slot = slot_get(host, addr, key);
    *was_cold = !slot->is_warm;
    if (*was_cold) {
        slot_save(host, slot);
        slot->is_warm = true;
    }
    return slot;
}

static u256 door_storage_get(void *ctx, const addr20 *addr, const u256 *key, bool *was_cold)
{
    return slot_touch(ctx, addr, key, was_cold)->current;
}

static struct evm_slot door_storage_slot(void *ctx, const addr20 *addr, const u256 *key)
{
    bool was_cold;
    struct toy_slot *slot = slot_touch(ctx, addr, key, &was_cold);
    return (struct evm_slot){slot->current, slot->original, was_cold, slot};
}

static void door_storage_set(void *ctx, void *handle, const u256 *value)
{
    struct toy_slot *slot = handle;
    slot_save(ctx, slot);
    slot->current = *value;
}

static u256 door_transient_get(void *ctx, const addr20 *addr, const u256 *key)
{
    return slot_get(ctx, addr, key)->transient;
}

static void door_transient_set(void *ctx, const addr20 *addr, const u256 *key, const u256 *value)
{
    struct toy_slot *slot = slot_get(ctx, addr, key);
    slot_save(ctx, slot);
    slot->transient = *value;
}

static u32 door_checkpoint(void *ctx)
{
    return (u32)((struct toy_host *)ctx)->journal_len;
}

static void door_rollback(void *ctx, u32 checkpoint)
{
    struct toy_host *host = ctx;
    while (host->journal_len > checkpoint) {
        const struct toy_undo *undo = &host->journal[--host->journal_len];
        switch (undo->kind) {
        case UNDO_ACCOUNT: host->accounts[undo->which] = undo->account; break;
        case UNDO_SLOT: host->slots[undo->which] = undo->slot; break;
        case UNDO_LOG:
            host->log_digest = undo->log.digest;
            host->log_count = undo->log.count;
            break;
        }
    }
}

static void door_transfer(void *ctx, const addr20 *from, const addr20 *to, const u256 *wei)
{
    struct toy_account *account = account_edit(ctx, from);
    account->exists = true;
    assert(!u256_lt(account->wei, *wei));
    account->wei = u256_sub(account->wei, *wei);
    account = account_edit(ctx, to);
    account->exists = true;
    account->wei = u256_add(account->wei, *wei);
}

static void door_set_nonce(void *ctx, const addr20 *addr, u64 nonce)
{
    account_edit(ctx, addr)->nonce = nonce;
}

static void account_set_code(struct toy_host *host, struct toy_account *account, const u8 *code,
                             size_t len)
{
    account->code = len ? arena_dup(&host->arena, code, len) : NULL;
    account->code_len = len;
    keccak256(&account->code_hash, code, len);
}

static void door_set_code(void *ctx, const addr20 *addr, const u8 *code, size_t len)
{
    account_set_code(ctx, account_edit(ctx, addr), code, len);
}

static void door_create_account(void *ctx, const addr20 *addr)
{
    struct toy_account *account = account_edit(ctx, addr);
    account->exists = account->is_created = true;
    account->nonce = 0;
    account->code = NULL;
    account->code_len = 0;
    account->code_hash = KECCAK256_EMPTY;
}

static bool door_created_in_tx(void *ctx, const addr20 *addr)
{
    const struct toy_account *account = account_find(ctx, addr);
    return account && account->is_created;
}

static bool door_mark_destroyed(void *ctx, const addr20 *addr)
{
    struct toy_account *account = account_edit(ctx, addr);
    bool is_first = !account->is_destroyed;
    account->is_destroyed = true;
    account->wei = U256_ZERO;
    return is_first;
}

static void door_log(void *ctx, const addr20 *addr, const hash32 *topics, unsigned topic_count,
                     const u8 *data, size_t len)
{
    struct toy_host *host = ctx;
    struct toy_undo *undo = journal_add(host);
    *undo = (struct toy_undo){.kind = UNDO_LOG};
    undo->log.digest = host->log_digest;
    undo->log.count = host->log_count;
    struct keccak keccak;
    keccak_init(&keccak);
    keccak_update(&keccak, host->log_digest.b, 32);
    keccak_update(&keccak, addr->b, 20);
    keccak_update(&keccak, topics, 32 * (size_t)topic_count);
    keccak_update(&keccak, data, len);
    keccak_final(&keccak, &host->log_digest);
    host->log_count++;
}

/* Made up, but the same each time: the hash of the number. */
static hash32 door_block_hash(void *ctx, u64 number)
{
    (void)ctx;
    hash32 hash;
    keccak256(&hash, &number, sizeof number);
    return hash;
}

struct evm_host toy_host_door(struct toy_host *host)
{
    static const struct evm_host_ops ops = {
        .account_exists = door_account_exists,
        .account_is_empty = door_account_is_empty,
        .account_touch_warm = door_account_touch_warm,
        .balance = door_balance,
        .nonce = door_nonce,
        .code = door_code,
        .code_hash = door_code_hash,
        .has_storage = door_has_storage,
        .storage_get = door_storage_get,
        .storage_slot = door_storage_slot,
        .storage_set = door_storage_set,
        .transient_get = door_transient_get,
        .transient_set = door_transient_set,
        .checkpoint = door_checkpoint,
        .rollback = door_rollback,
        .transfer = door_transfer,
        .set_nonce = door_set_nonce,
        .set_code = door_set_code,
        .create_account = door_create_account,
        .created_in_tx = door_created_in_tx,
        .mark_destroyed = door_mark_destroyed,
        .log = door_log,
        .block_hash = door_block_hash,
    };
    return (struct evm_host){&ops, host};
}

/* --- outside transactions -------------------------------------------------------------------- */

void toy_host_put(struct toy_host *host, const addr20 *addr, u256 wei, u64 nonce, const u8 *code,
                  size_t code_len)
{
    struct toy_account *account = account_get(host, addr);
    account->exists = true;
    account->wei = wei;
    account->nonce = nonce;
    account_set_code(host, account, code, code_len);
}

void toy_host_put_slot(struct toy_host *host, const addr20 *addr, u256 key, u256 value)
{
    struct toy_slot *slot = slot_get(host, addr, &key);
    slot->current = slot->original = value;
}

static void account_remove(struct toy_host *host, struct toy_account *account)
{
    for (size_t i = 0; i < host->slot_count; i++)
        if (addr20_eq(&host->slots[i].addr, &account->addr))
            host->slots[i].current = U256_ZERO;
    *account = (struct toy_account){.addr = account->addr, .code_hash = KECCAK256_EMPTY};
}

void toy_host_end_tx(struct toy_host *host, enum fork fork)
{
    for (size_t i = 0; i < host->account_count; i++) {
        struct toy_account *account = &host->accounts[i];
        /* EIP-161. All empty accounts go: this world never has old ones. */
        bool is_cleared = fork >= FORK_SPURIOUS && account_is_blank(account);
        if (account->is_destroyed || is_cleared)
            account_remove(host, account);
        account->is_warm = account->is_created = false;
    }
    for (size_t i = 0; i < host->slot_count; i++) {
        struct toy_slot *slot = &host->slots[i];
        slot->original = slot->current;
        slot->transient = U256_ZERO;
        slot->is_warm = false;
    }
    host->journal_len = 0;
}

/* --- looking --------------------------------------------------------------------------------- */

u256 toy_host_slot(const struct toy_host *host, const addr20 *addr, u256 key)
{
    for (size_t i = 0; i < host->slot_count; i++)
        if (addr20_eq(&host->slots[i].addr, addr) && u256_eq(host->slots[i].key, key))
            return host->slots[i].current;
    return U256_ZERO;
}

u256 toy_host_balance(const struct toy_host *host, const addr20 *addr)
{
    const struct toy_account *account = account_find(host, addr);
    return account ? account->wei : U256_ZERO;
}

u64 toy_host_nonce(const struct toy_host *host, const addr20 *addr)
{
    const struct toy_account *account = account_find(host, addr);
    return account ? account->nonce : 0;
}

size_t toy_host_code_len(const struct toy_host *host, const addr20 *addr)
{
    const struct toy_account *account = account_find(host, addr);
    return account ? account->code_len : 0;
}

unsigned toy_host_log_count(const struct toy_host *host)
{
    return host->log_count;
}

/* The sum of two hashes, so that the order of records does not matter. */
static void digest_add(u256 *sum, const struct keccak *absorbed)
{
    struct keccak keccak = *absorbed;
    hash32 hash;
    keccak_final(&keccak, &hash);
    *sum = u256_add(*sum, u256_from_hash(&hash));
}

hash32 toy_host_digest(const struct toy_host *host)
{
    u256 sum = u256_from_hash(&host->log_digest);
    struct keccak keccak;
    for (size_t i = 0; i < host->account_count; i++) {
        const struct toy_account *account = &host->accounts[i];
        u8 flags[2] = {account->is_destroyed, account->is_warm};
        if (!account->exists && !account->is_warm)
            continue;
        keccak_init(&keccak);
        keccak_update(&keccak, account->addr.b, 20);
        keccak_update(&keccak, flags, sizeof flags);
        keccak_update(&keccak, &account->nonce, sizeof account->nonce);
        keccak_update(&keccak, &account->wei, sizeof account->wei);
        keccak_update(&keccak, account->code_hash.b, 32);
        digest_add(&sum, &keccak);
    }
    for (size_t i = 0; i < host->slot_count; i++) {
        const struct toy_slot *slot = &host->slots[i];
        if (u256_is_zero(slot->current) && u256_is_zero(slot->transient) && !slot->is_warm)
            continue;
        keccak_init(&keccak);
        keccak_update(&keccak, slot->addr.b, 20);
        keccak_update(&keccak, slot->key.w, 32);
        keccak_update(&keccak, slot->current.w, 32);
        keccak_update(&keccak, slot->transient.w, 32);
        u8 warm = slot->is_warm;
        keccak_update(&keccak, &warm, 1);
        digest_add(&sum, &keccak);
    }
    return u256_to_hash(sum);
}
