#include "state/past.h"

#include <string.h>

#include "base/assert.h"
#include "base/be.h"
#include "base/mem.h"
#include "state/disk_int.h"
#include "state/state_int.h"
#include "state/trie_stream.h"
#include "state/tries.h"

/* What is asked for, and the block it was before; an absent thing is an empty record. */
enum { NUMBER = 8, ACCOUNT_KEY = 32, SLOT_KEY = 64, KEY_MAX = SLOT_KEY + NUMBER };

struct past {
    struct db *db;
    struct state_backend head;
    u64 number;
    struct db_cursor *accounts, *slots;
};

static void put_number(u8 *out, u64 number)
{
    for (int i = 0; i < NUMBER; i++)
        out[i] = (u8)(number >> (56 - 8 * i));
}

static void slot_key(u8 out[KEY_MAX], const hash32 *addr_hash, const hash32 *key_hash)
{
    memcpy(out, addr_hash->b, 32);
    memcpy(out + 32, key_hash->b, 32);
}

/* --- writing ---------------------------------------------------------------------------------- */

static void put_once(struct db *db, enum db_table table, const u8 *key, size_t key_len,
                     const void *record, size_t len)
{
    struct db_bytes older;
    if (!db_get(db, table, key, key_len, &older))
        db_put(db, table, key, key_len, record, len);
}

static void put_slot(struct db *db, u64 number, const hash32 *addr_hash,
                     const struct slot_change *slot)
{
    u8 key[KEY_MAX], record[SLOT_RECORD_MAX];
    slot_key(key, addr_hash, &slot->key_hash);
    put_number(key + SLOT_KEY, number);
    size_t len =
        u256_is_zero(slot->value) ? 0 : slot_record_write(record, &slot->key, &slot->value);
    put_once(db, DB_SLOT_PAST, key, SLOT_KEY + NUMBER, record, len);
}

void past_put(struct db *db, u64 number, const struct state_changes *undo)
{
    db_begin(db);
    for (u32 i = 0; i < undo->account_count; i++) {
        const struct account_change *change = undo->accounts + i;
        u8 key[ACCOUNT_KEY + NUMBER], record[ACCOUNT_RECORD_MAX];
        memcpy(key, change->addr_hash.b, ACCOUNT_KEY);
        put_number(key + ACCOUNT_KEY, number);
        size_t len =
            change->exists ? account_record_write(record, &change->addr, &change->account) : 0;
        put_once(db, DB_ACCOUNT_PAST, key, sizeof key, record, len);
        for (u32 s = change->slot_begin; s < change->slot_end; s++)
            put_slot(db, number, &change->addr_hash, undo->slots + s);
    }
}

static bool kept_account(const struct state_changes *const *undos, u32 kept, const hash32 *hash)
{
    for (u32 i = 0; i < kept; i++)
        if (state_changes_account(undos[i], hash))
            return true;
    return false;
}

static bool kept_slot(const struct state_changes *const *undos, u32 kept, const hash32 *addr_hash,
                      const hash32 *key_hash)
{
    for (u32 i = 0; i < kept; i++) {
        const struct account_change *account = state_changes_account(undos[i], addr_hash);
        if (account && state_changes_slot(undos[i], account, key_hash))
            return true;
    }
    return false;
}

void past_del(struct db *db, u64 number, const struct state_changes *const *undos, u32 count,
              u32 kept)
{
    db_begin(db);
    for (u32 n = kept; n < count; n++) {
        for (u32 i = 0; i < undos[n]->account_count; i++) {
            const struct account_change *change = undos[n]->accounts + i;
            u8 key[KEY_MAX];
            memcpy(key, change->addr_hash.b, ACCOUNT_KEY);
            put_number(key + ACCOUNT_KEY, number);
            if (!kept_account(undos, kept, &change->addr_hash))
                db_del(db, DB_ACCOUNT_PAST, key, ACCOUNT_KEY + NUMBER);
            for (u32 s = change->slot_begin; s < change->slot_end; s++) {
                const hash32 *key_hash = &undos[n]->slots[s].key_hash;
                slot_key(key, &change->addr_hash, key_hash);
                put_number(key + SLOT_KEY, number);
                if (!kept_slot(undos, kept, &change->addr_hash, key_hash))
                    db_del(db, DB_SLOT_PAST, key, SLOT_KEY + NUMBER);
            }
        }
    }
}

/* --- looking up ------------------------------------------------------------------------------- */

struct past *past_open(struct db *db, const struct state_backend *head, u64 number)
{
    struct past *past = NEW(struct past);
    past->db = db;
    past->head = *head;
    past->number = number;
    past->accounts = db_cursor_new(db, DB_ACCOUNT_PAST);
    past->slots = db_cursor_new(db, DB_SLOT_PAST);
    return past;
}

void past_close(struct past *past)
{
    if (!past)
        return;
    db_cursor_free(past->accounts);
    db_cursor_free(past->slots);
    mem_free(past);
}

/* The record of the first change past the block; false: there was none. */
static bool find(struct db_cursor *cursor, u64 number, u8 key[KEY_MAX], size_t len,
                 struct db_bytes *record)
{
    put_number(key + len, number + 1);
    if (!db_seek(cursor, key, len + NUMBER) || db_key(cursor).len != len + NUMBER ||
        memcmp(db_key(cursor).at, key, len) != 0)
        return false;
    *record = db_value(cursor);
    return true;
}

static void blame(struct past *past, enum db_table table, const struct db_cursor *cursor)
{
    struct db_bytes key = db_key(cursor);
    db_set_damaged(past->db, table, key.at, key.len);
}

static bool past_account_get(void *ctx, const addr20 *addr, const hash32 *addr_hash,
                             struct account *account)
{
    struct past *past = ctx;
    struct db_bytes record;
    struct account got;
    addr20 stored;
    u8 key[KEY_MAX];
    memcpy(key, addr_hash->b, ACCOUNT_KEY);
    if (!find(past->accounts, past->number, key, ACCOUNT_KEY, &record))
        return past->head.ops->account_get(past->head.ctx, addr, addr_hash, account);
    if (!record.len)
        return false;
    if (!account_record_read(&stored, &got, record) || !addr20_eq(&stored, addr)) {
        blame(past, DB_ACCOUNT_PAST, past->accounts);
        return false;
    }
    *account = got;
    return true;
}

static bool past_slot_get(void *ctx, const addr20 *addr, const hash32 *addr_hash, const u256 *key,
                          const hash32 *key_hash, u256 *value)
{
    struct past *past = ctx;
    struct db_bytes record;
    u256 stored, got;
    u8 at[KEY_MAX];
    slot_key(at, addr_hash, key_hash);
    if (!find(past->slots, past->number, at, SLOT_KEY, &record))
        return past->head.ops->slot_get(past->head.ctx, addr, addr_hash, key, key_hash, value);
    if (!record.len)
        return false;
    if (!slot_record_read(&stored, &got, record) || !u256_eq(stored, *key)) {
        blame(past, DB_SLOT_PAST, past->slots);
        return false;
    }
    *value = got;
    return true;
}

static bool past_code_get(void *ctx, const hash32 *code_hash, const u8 **bytes, size_t *len)
{
    struct past *past = ctx;
    return past->head.ops->code_get(past->head.ctx, code_hash, bytes, len);
}

/* --- going through: the keys of both tables in order ------------------------------------------- */

/* Keys that begin with `prefix`, as they are now and as they were. */
struct walk {
    struct db_cursor *now, *was;
    bool at_now, at_was;
    u64 number;
    size_t prefix_len, len; /* of what is common, and of a whole key */
    u8 key[KEY_MAX];        /* at hand */
    struct db_bytes record; /* its record at the block; empty: absent */
};

static bool walk_in(const struct walk *walk, const struct db_cursor *cursor, size_t len)
{
    return db_key(cursor).len == len && memcmp(db_key(cursor).at, walk->key, walk->prefix_len) == 0;
}

static void walk_begin(struct walk *walk, struct db *db, bool is_slots, const hash32 *owner,
                       u64 number)
{
    *walk = (struct walk){.number = number};
    walk->now = db_cursor_new(db, is_slots ? DB_SLOTS : DB_ACCOUNTS);
    walk->was = db_cursor_new(db, is_slots ? DB_SLOT_PAST : DB_ACCOUNT_PAST);
    walk->len = is_slots ? SLOT_KEY : ACCOUNT_KEY;
    walk->prefix_len = is_slots ? 32 : 0;
    if (is_slots)
        memcpy(walk->key, owner->b, 32);
    walk->at_now = db_seek(walk->now, walk->key, walk->prefix_len);
    walk->at_was = db_seek(walk->was, walk->key, walk->prefix_len);
}

static void walk_end(struct walk *walk)
{
    db_cursor_free(walk->now);
    db_cursor_free(walk->was);
}

/* The record at the block, and onto what follows the key in the table of the past. */
static bool walk_was(struct walk *walk)
{
    u8 past[KEY_MAX];
    bool found = find(walk->was, walk->number, walk->key, walk->len, &walk->record);
    if (found)
        return true;
    memcpy(past, walk->key, walk->len);
    memset(past + walk->len, 0xff, NUMBER);
    walk->at_was = db_seek(walk->was, past, walk->len + NUMBER);
    return false;
}

/* The next key; its record may be absent at the block. */
static bool walk_next(struct walk *walk)
{
    bool now = walk->at_now && walk_in(walk, walk->now, walk->len);
    bool was = walk->at_was && walk_in(walk, walk->was, walk->len + NUMBER);
    if (!now && !was)
        return false;
    int order = !was   ? -1
                : !now ? 1
                       : memcmp(db_key(walk->now).at, db_key(walk->was).at, walk->len);
    memcpy(walk->key, db_key(order <= 0 ? walk->now : walk->was).at, walk->len);
    if (order < 0 || !walk_was(walk))
        walk->record = order <= 0 ? db_value(walk->now) : (struct db_bytes){0};
    return true;
}

/* Past the key at hand; its record is no longer borrowed. */
static void walk_pass(struct walk *walk)
{
    u8 past[KEY_MAX];
    if (walk->at_now && walk_in(walk, walk->now, walk->len) &&
        memcmp(db_key(walk->now).at, walk->key, walk->len) == 0)
        walk->at_now = db_next(walk->now);
    memcpy(past, walk->key, walk->len);
    memset(past + walk->len, 0xff, NUMBER);
    if (walk->at_was && walk_in(walk, walk->was, walk->len + NUMBER) &&
        memcmp(db_key(walk->was).at, walk->key, walk->len) == 0)
        walk->at_was = db_seek(walk->was, past, walk->len + NUMBER);
}

static void past_each_account(void *ctx, backend_account_fn *fn, void *arg)
{
    struct past *past = ctx;
    struct walk walk;
    walk_begin(&walk, past->db, false, NULL, past->number);
    while (walk_next(&walk)) {
        addr20 addr;
        struct account account;
        bool is_there = walk.record.len != 0;
        if (is_there && !account_record_read(&addr, &account, walk.record)) {
            db_set_damaged(past->db, DB_ACCOUNT_PAST, walk.key, walk.len);
            is_there = false;
        }
        walk_pass(&walk);
        if (is_there)
            fn(arg, &addr, &account);
    }
    walk_end(&walk);
}

static void past_each_slot(void *ctx, const addr20 *addr, const hash32 *addr_hash,
                           backend_slot_fn *fn, void *arg)
{
    struct past *past = ctx;
    struct walk walk;
    (void)addr;
    walk_begin(&walk, past->db, true, addr_hash, past->number);
    while (walk_next(&walk)) {
        u256 key, value;
        hash32 key_hash;
        bool is_there = walk.record.len != 0;
        if (is_there && !slot_record_read(&key, &value, walk.record)) {
            db_set_damaged(past->db, DB_SLOT_PAST, walk.key, walk.len);
            is_there = false;
        }
        memcpy(key_hash.b, walk.key + 32, 32);
        walk_pass(&walk);
        if (is_there)
            fn(arg, &key, &key_hash, &value);
    }
    walk_end(&walk);
}

static struct state_tries *past_tries(void *ctx)
{
    (void)ctx;
    assert(!"there are no tries of the past");
    return NULL;
}

struct state_backend past_backend(struct past *past)
{
    static const struct state_backend_ops ops = {
        .by_hash = true,
        .account_get = past_account_get,
        .slot_get = past_slot_get,
        .code_get = past_code_get,
        .each_account = past_each_account,
        .each_slot = past_each_slot,
        .tries = past_tries,
    };
    return (struct state_backend){&ops, past};
}

/* --- verifying -------------------------------------------------------------------------------- */

static void storage_root(struct db *db, u64 number, const hash32 *owner, struct trie_stream *stream,
                         hash32 *root)
{
    struct walk walk;
    walk_begin(&walk, db, true, owner, number);
    trie_stream_begin(stream, owner);
    while (walk_next(&walk)) {
        u256 key, value;
        u8 rlp[33];
        if (walk.record.len && slot_record_read(&key, &value, walk.record)) {
            bool in_order = trie_stream_add(stream, walk.key + 32, rlp, slot_encode(rlp, &value));
            (void)in_order; /* if not, the root shows it */
        }
        walk_pass(&walk);
    }
    trie_stream_end(stream, root);
    walk_end(&walk);
}

bool past_root(struct db *db, u64 number, hash32 *root, hash32 *account)
{
    static const hash32 none;
    struct trie_stream *accounts = trie_stream_new(NULL, NULL);
    struct trie_stream *slots = trie_stream_new(NULL, NULL);
    struct walk walk;
    bool is_sound = true;
    walk_begin(&walk, db, false, NULL, number);
    trie_stream_begin(accounts, &none);
    while (is_sound && walk_next(&walk)) {
        addr20 addr;
        struct account got;
        hash32 hash, storage;
        u8 rlp[ACCOUNT_RLP_MAX];
        memcpy(hash.b, walk.key, 32);
        if (walk.record.len && account_record_read(&addr, &got, walk.record)) {
            storage_root(db, number, &hash, slots, &storage);
            is_sound = hash32_eq(&storage, &got.storage_root) &&
                       trie_stream_add(accounts, hash.b, rlp, account_encode(rlp, &got));
            *account = is_sound ? *account : hash;
        }
        walk_pass(&walk);
    }
    trie_stream_end(accounts, root);
    walk_end(&walk);
    trie_stream_free(accounts);
    trie_stream_free(slots);
    return is_sound;
}

static bool check_table(struct db *db, enum db_table table, size_t len, u64 from, u64 to)
{
    struct db_cursor *cursor = db_cursor_new(db, table);
    bool is_sound = true;
    for (bool at = db_seek(cursor, "", 0); at && is_sound; at = db_next(cursor)) {
        struct db_bytes key = db_key(cursor), record = db_value(cursor);
        addr20 addr;
        struct account account;
        u256 slot, value;
        u64 number = key.len == len + NUMBER ? be_get(key.at + len, NUMBER) : 0;
        bool reads =
            !record.len || (table == DB_ACCOUNT_PAST ? account_record_read(&addr, &account, record)
                                                     : slot_record_read(&slot, &value, record));
        is_sound = number > from && number <= to && reads;
    }
    db_cursor_free(cursor);
    return is_sound;
}

bool past_check(struct db *db, u64 from, u64 to, const char **words)
{
    *words = "a record of an account's past makes no sense, or is of no block there is";
    if (!check_table(db, DB_ACCOUNT_PAST, ACCOUNT_KEY, from, to))
        return false;
    *words = "a record of a slot's past makes no sense, or is of no block there is";
    return check_table(db, DB_SLOT_PAST, SLOT_KEY, from, to);
}
