#include "state/disk.h"

#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "state/disk_int.h"
#include "state/state_int.h"
#include "state/tries.h"

enum { NODES_MAX = 64 << 20 };

/* A branch that is no more, until the next save; len 0 and below: all of the owner's. */
struct gone {
    hash32 owner;
    bool below_too;
    u8 path_len, path[64];
};

struct disk_state {
    struct db *db;
    size_t nodes_max;
    u64 seed;
    struct db_cursor *accounts, *slots; /* for leaves */
    struct state_tries *tries;          /* made when first asked for */
    struct trie_source source;
    u8 leaf_key[32], leaf_value[ACCOUNT_RLP_MAX]; /* the leaf found last */
    struct gone *gone;
    u32 gone_count, gone_cap;
};

/* --- records ---------------------------------------------------------------------------------- */

static u8 *number_write(u8 *out, const u8 *be, size_t len)
{
    while (len > 0 && *be == 0) {
        be++;
        len--;
    }
    *out++ = (u8)len;
    memcpy(out, be, len);
    return out + len;
}

static u8 *u256_write(u8 *out, u256 value)
{
    u8 be[32];
    u256_store_be(be, value);
    return number_write(out, be, sizeof be);
}

/* False when it is longer than max or does not lie within the bytes. */
static bool u256_read(u256 *value, const u8 **at, const u8 *end, size_t max)
{
    u8 be[32] = {0};
    if (*at == end)
        return false;
    size_t len = *(*at)++;
    if (len > max || (size_t)(end - *at) < len)
        return false;
    memcpy(be + 32 - len, *at, len);
    *at += len;
    *value = u256_load_be(be);
    return true;
}

enum { HAS_CODE = 1, HAS_STORAGE = 2 };

size_t account_record_write(u8 out[ACCOUNT_RECORD_MAX], const addr20 *addr,
                            const struct account *account)
{
    u64 nonce = __builtin_bswap64(account->nonce);
    bool code = !hash32_eq(&account->code_hash, &KECCAK256_EMPTY);
    bool storage = !hash32_eq(&account->storage_root, &TRIE_EMPTY_ROOT);
    memcpy(out, addr->b, sizeof addr->b);
    u8 *p = out + sizeof addr->b;
    *p++ = (u8)((code ? HAS_CODE : 0) | (storage ? HAS_STORAGE : 0));
    p = number_write(p, (const u8 *)&nonce, sizeof nonce);
    p = u256_write(p, account->balance);
    if (code)
        p = memcpy(p, account->code_hash.b, 32) + 32;
    if (storage)
        p = memcpy(p, account->storage_root.b, 32) + 32;
    return (size_t)(p - out);
}

bool account_record_read(addr20 *addr, struct account *account, struct db_bytes record)
{
    const u8 *at = record.at, *end = at + record.len;
    u256 nonce;
    struct account got = absent_account;
    if (record.len < sizeof addr->b + 1)
        return false;
    u8 flags = at[sizeof addr->b];
    at += sizeof addr->b + 1;
    if (!u256_read(&nonce, &at, end, 8) || !u256_read(&got.balance, &at, end, 32))
        return false;
    unsigned hashes = (flags & HAS_CODE) + (flags >> 1 & 1);
    if (flags > (HAS_CODE | HAS_STORAGE) || (size_t)(end - at) != 32 * hashes)
        return false;
    got.nonce = nonce.w[0];
    if (flags & HAS_CODE)
        memcpy(got.code_hash.b, at, 32);
    if (flags & HAS_STORAGE)
        memcpy(got.storage_root.b, end - 32, 32);
    memcpy(addr->b, record.at, sizeof addr->b);
    *account = got;
    return true;
}

size_t slot_record_write(u8 out[SLOT_RECORD_MAX], const u256 *key, const u256 *value)
{
    return (size_t)(u256_write(u256_write(out, *key), *value) - out);
}

bool slot_record_read(u256 *key, u256 *value, struct db_bytes record)
{
    const u8 *at = record.at, *end = at + record.len;
    u256 k, v;
    if (!u256_read(&k, &at, end, 32) || !u256_read(&v, &at, end, 32) || at != end ||
        u256_is_zero(v))
        return false;
    *key = k;
    *value = v;
    return true;
}

static void slot_key(u8 out[64], const hash32 *addr_hash, const hash32 *key_hash)
{
    memcpy(out, addr_hash->b, 32);
    memcpy(out + 32, key_hash->b, 32);
}

size_t node_key_write(u8 out[NODE_KEY_MAX], const hash32 *owner, const u8 *path, size_t path_len)
{
    static const hash32 none;
    u8 *p = out;
    if (!hash32_eq(owner, &none))
        p = memcpy(p, owner->b, 32) + 32;
    for (size_t i = 0; i < path_len; i += 2)
        *p++ = (u8)(path[i] << 4 | (i + 1 < path_len ? path[i + 1] : 0));
    *p++ = (u8)path_len;
    return (size_t)(p - out);
}

/* --- looking up ------------------------------------------------------------------------------- */

static bool disk_account_get(void *ctx, const addr20 *addr, const hash32 *addr_hash,
                             struct account *account)
{
    struct disk_state *disk = ctx;
    struct db_bytes record;
    addr20 stored;
    if (!db_get(disk->db, DB_ACCOUNTS, addr_hash->b, 32, &record))
        return false;
    struct account got;
    if (!account_record_read(&stored, &got, record) || !addr20_eq(&stored, addr)) {
        db_set_damaged(disk->db, DB_ACCOUNTS, addr_hash->b, 32);
        return false;
    }
    *account = got;
    return true;
}

static bool disk_slot_get(void *ctx, const addr20 *addr, const hash32 *addr_hash, const u256 *key,
                          const hash32 *key_hash, u256 *value)
{
    struct disk_state *disk = ctx;
    struct db_bytes record;
    u8 at[64];
    u256 stored, got;
    (void)addr;
    slot_key(at, addr_hash, key_hash);
    if (!db_get(disk->db, DB_SLOTS, at, sizeof at, &record))
        return false;
    if (!slot_record_read(&stored, &got, record) || !u256_eq(stored, *key)) {
        db_set_damaged(disk->db, DB_SLOTS, at, sizeof at);
        return false;
    }
    *value = got;
    return true;
}

static bool disk_code_get(void *ctx, const hash32 *code_hash, const u8 **bytes, size_t *len)
{
    struct disk_state *disk = ctx;
    struct db_bytes code;
    if (!db_get(disk->db, DB_CODES, code_hash->b, 32, &code)) {
        db_set_damaged(disk->db, DB_CODES, code_hash->b, 32);
        return false;
    }
    *bytes = code.at;
    *len = code.len;
    return true;
}

static void disk_each_account(void *ctx, backend_account_fn *fn, void *arg)
{
    struct disk_state *disk = ctx;
    struct db_cursor *cursor = db_cursor_new(disk->db, DB_ACCOUNTS);
    for (bool at = db_seek(cursor, "", 0); at; at = db_next(cursor)) {
        addr20 addr;
        struct account account;
        if (account_record_read(&addr, &account, db_value(cursor)))
            fn(arg, &addr, &account);
        else
            db_set_damaged(disk->db, DB_ACCOUNTS, db_key(cursor).at, db_key(cursor).len);
    }
    db_cursor_free(cursor);
}

static void disk_each_slot(void *ctx, const addr20 *addr, const hash32 *addr_hash,
                           backend_slot_fn *fn, void *arg)
{
    struct disk_state *disk = ctx;
    struct db_cursor *cursor = db_cursor_new(disk->db, DB_SLOTS);
    (void)addr;
    for (bool at = db_seek(cursor, addr_hash->b, 32);
         at && memcmp(db_key(cursor).at, addr_hash->b, 32) == 0; at = db_next(cursor)) {
        u256 key, value;
        hash32 key_hash;
        memcpy(key_hash.b, db_key(cursor).at + 32, 32);
        if (slot_record_read(&key, &value, db_value(cursor)))
            fn(arg, &key, &key_hash, &value);
        else
            db_set_damaged(disk->db, DB_SLOTS, db_key(cursor).at, db_key(cursor).len);
    }
    db_cursor_free(cursor);
}

/* --- changing --------------------------------------------------------------------------------- */

static void slot_put(struct disk_state *disk, const hash32 *addr_hash,
                     const struct slot_change *change)
{
    u8 key[64], record[SLOT_RECORD_MAX];
    slot_key(key, addr_hash, &change->key_hash);
    if (u256_is_zero(change->value)) {
        db_del(disk->db, DB_SLOTS, key, sizeof key);
        return;
    }
    size_t len = slot_record_write(record, &change->key, &change->value);
    db_put(disk->db, DB_SLOTS, key, sizeof key, record, len);
}

static void account_put(struct disk_state *disk, const struct account_change *change)
{
    u8 record[ACCOUNT_RECORD_MAX];
    if (!change->exists) {
        db_del(disk->db, DB_ACCOUNTS, change->addr_hash.b, 32);
        return;
    }
    size_t len = account_record_write(record, &change->addr, &change->account);
    db_put(disk->db, DB_ACCOUNTS, change->addr_hash.b, 32, record, len);
}

/* What fails in the store, or is damaged there, it remembers itself: no transaction of it commits then. */
static enum status disk_apply(void *ctx, const struct state_changes *changes, struct err *err)
{
    struct disk_state *disk = ctx;
    (void)err;
    db_begin(disk->db);
    for (u32 i = 0; i < changes->account_count; i++) {
        const struct account_change *change = changes->accounts + i;
        for (u32 s = change->slot_begin; s < change->slot_end; s++)
            slot_put(disk, &change->addr_hash, changes->slots + s);
        account_put(disk, change);
    }
    for (u32 i = 0; i < changes->code_count; i++) {
        const struct code_change *code = changes->codes + i;
        struct db_bytes old;
        if (!db_get(disk->db, DB_CODES, code->hash.b, 32, &old))
            db_put(disk->db, DB_CODES, code->hash.b, 32, code->bytes, code->len);
    }
    return STATUS_OK;
}

/* --- the tries' store ------------------------------------------------------------------------- */

static bool path_begins(const u8 *key, const u8 *path, size_t path_len)
{
    for (size_t i = 0; i < path_len; i++)
        if ((i & 1 ? key[i / 2] & 15 : key[i / 2] >> 4) != path[i])
            return false;
    return true;
}

/* The record of the first account or slot below a path. */
static struct db_cursor *leaf_seek(struct disk_state *disk, const hash32 *owner, const u8 *path,
                                   size_t path_len, bool is_slot)
{
    u8 key[NODE_KEY_MAX];
    size_t len = node_key_write(key, owner, path, path_len) - 1, before = is_slot ? 32 : 0;
    struct db_cursor *cursor = is_slot ? disk->slots : disk->accounts;
    if (!db_seek(cursor, key, len) || db_key(cursor).len != before + 32)
        return NULL;
    const u8 *found = db_key(cursor).at;
    if (memcmp(found, key, before) != 0 || !path_begins(found + before, path, path_len))
        return NULL;
    return cursor;
}

/* The leaf's value, as the trie has it. 0: the record makes no sense. */
static size_t leaf_value_of(struct disk_state *disk, struct db_bytes record, bool is_slot)
{
    if (is_slot) {
        u256 key, value;
        return slot_record_read(&key, &value, record) ? slot_encode(disk->leaf_value, &value) : 0;
    }
    addr20 addr;
    struct account account;
    return account_record_read(&addr, &account, record) ? account_encode(disk->leaf_value, &account)
                                                        : 0;
}

static bool leaf_find(struct disk_state *disk, const hash32 *owner, const u8 *path, size_t path_len,
                      struct trie_stored *found)
{
    static const hash32 none;
    bool is_slot = !hash32_eq(owner, &none);
    const struct db_cursor *cursor = leaf_seek(disk, owner, path, path_len, is_slot);
    if (!cursor)
        return false;
    size_t len = leaf_value_of(disk, db_value(cursor), is_slot);
    if (!len)
        return false;
    memcpy(disk->leaf_key, db_key(cursor).at + (is_slot ? 32 : 0), 32);
    *found = (struct trie_stored){
        .key = disk->leaf_key, .key_len = 32, .value = disk->leaf_value, .value_len = len};
    return true;
}

static bool disk_find(void *ctx, const hash32 *owner, const u8 *path, size_t path_len, bool is_leaf,
                      struct trie_stored *found)
{
    struct disk_state *disk = ctx;
    u8 key[NODE_KEY_MAX];
    struct db_bytes record;
    size_t key_len = node_key_write(key, owner, path, path_len);
    if (!is_leaf && db_get(disk->db, DB_NODES, key, key_len, &record)) {
        if (!trie_record_is_sound(record.at, record.len)) {
            db_set_damaged(disk->db, DB_NODES, key, key_len);
            return false;
        }
        *found = (struct trie_stored){.branch = record.at, .branch_len = record.len};
        return true;
    }
    if (leaf_find(disk, owner, path, path_len, found))
        return true;
    /* Only the accounts' trie is opened without knowing whether there is anything. */
    if (path_len > 0 || key_len > 1 || db_stat(disk->db, DB_ACCOUNTS).entries > 0)
        db_set_damaged(disk->db, DB_NODES, key, key_len);
    return false;
}

static void disk_gone(void *ctx, const hash32 *owner, const u8 *path, size_t path_len,
                      bool below_too)
{
    struct disk_state *disk = ctx;
    if (disk->gone_count == disk->gone_cap) {
        disk->gone_cap = disk->gone_cap ? 2 * disk->gone_cap : 64;
        disk->gone = mem_realloc(disk->gone, disk->gone_cap * sizeof *disk->gone);
    }
    struct gone *gone = disk->gone + disk->gone_count++;
    *gone = (struct gone){*owner, below_too, (u8)path_len, {0}};
    assert(path_len <= sizeof gone->path);
    if (path_len)
        memcpy(gone->path, path, path_len);
}

/* An account's storage as the flat records have it. */
static void disk_storage_open(void *ctx, struct trie *trie, const hash32 *addr_hash)
{
    struct disk_state *disk = ctx;
    struct db_bytes record;
    addr20 addr;
    struct account account = absent_account;
    if (db_get(disk->db, DB_ACCOUNTS, addr_hash->b, 32, &record) &&
        !account_record_read(&addr, &account, record))
        db_set_damaged(disk->db, DB_ACCOUNTS, addr_hash->b, 32);
    trie_init_source(trie, trie->pool, &disk->source, addr_hash, &account.storage_root);
}

static void tries_make(struct disk_state *disk)
{
    static const hash32 none;
    struct state_tries *tries = tries_new(disk->seed);
    tries->stored = true;
    tries->storage_open = disk_storage_open;
    tries->ctx = disk;
    trie_init_stored(&tries->accounts, tries->pool, &disk->source, &none);
    disk->tries = tries;
}

static struct state_tries *disk_tries(void *ctx)
{
    struct disk_state *disk = ctx;
    if (!disk->tries)
        tries_make(disk);
    /* Reading loads nodes too, without a save coming after it. */
    if (trie_pool_size(disk->tries->pool) > 2 * disk->nodes_max && tries_are_saved(disk->tries))
        tries_unload(disk->tries, disk->nodes_max);
    return disk->tries;
}

/* --- saving ----------------------------------------------------------------------------------- */

static void node_put(void *arg, const hash32 *owner, const u8 *path, size_t path_len,
                     const u8 *record, size_t len)
{
    struct disk_state *disk = arg;
    u8 key[NODE_KEY_MAX];
    size_t key_len = node_key_write(key, owner, path, path_len);
    if (record)
        db_put(disk->db, DB_NODES, key, key_len, record, len);
    else
        db_del(disk->db, DB_NODES, key, key_len);
}

/* First of all, as what is gone may have come again since. */
static void gone_delete(struct disk_state *disk)
{
    for (u32 i = 0; i < disk->gone_count; i++) {
        const struct gone *gone = disk->gone + i;
        if (gone->below_too)
            db_del_prefix(disk->db, DB_NODES, gone->owner.b, 32);
        else
            node_put(disk, &gone->owner, gone->path, gone->path_len, NULL, 0);
    }
    mem_free(disk->gone);
    disk->gone = NULL;
    disk->gone_count = disk->gone_cap = 0;
}

void disk_state_save(struct disk_state *disk)
{
    if (!disk->tries)
        return;
    struct trie *accounts = &disk->tries->accounts;
    trie_hash(&accounts, 1); /* going back leaves that to whoever asks for the root first */
    db_begin(disk->db);
    gone_delete(disk);
    tries_save(disk->tries, node_put, disk);
    if (trie_pool_size(disk->tries->pool) > disk->nodes_max)
        tries_unload(disk->tries, disk->nodes_max / 2);
}

void disk_state_forget(struct disk_state *disk)
{
    tries_free(disk->tries);
    disk->tries = NULL;
    disk->gone_count = 0;
}

void disk_state_rest(struct disk_state *disk)
{
    if (disk->tries && tries_are_saved(disk->tries) && disk->gone_count == 0)
        disk_state_forget(disk);
}

/* --- life ------------------------------------------------------------------------------------- */

static const struct trie_store_ops store_ops = {disk_find, disk_gone};

struct disk_state *disk_state_new(struct db *db, size_t nodes_max, u64 seed)
{
    struct disk_state *disk = NEW(struct disk_state);
    disk->db = db;
    disk->nodes_max = nodes_max ? nodes_max : NODES_MAX;
    disk->seed = seed;
    disk->accounts = db_cursor_new(db, DB_ACCOUNTS);
    disk->slots = db_cursor_new(db, DB_SLOTS);
    disk->source = (struct trie_source){.ctx = disk, .store = &store_ops};
    return disk;
}

void disk_state_free(struct disk_state *disk)
{
    if (!disk)
        return;
    tries_free(disk->tries);
    db_cursor_free(disk->accounts);
    db_cursor_free(disk->slots);
    mem_free(disk->gone);
    mem_free(disk);
}

struct state_backend disk_state_backend(struct disk_state *disk)
{
    static const struct state_backend_ops ops = {
        .by_hash = true,
        .account_get = disk_account_get,
        .slot_get = disk_slot_get,
        .code_get = disk_code_get,
        .each_account = disk_each_account,
        .each_slot = disk_each_slot,
        .tries = disk_tries,
        .apply = disk_apply,
    };
    return (struct state_backend){&ops, disk};
}
