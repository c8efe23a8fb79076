/* Records, one by one and in order. */
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "db/crc32c.h"
#include "db/db_int.h"

enum { PAGE = 4096, KEY_MAX = 511 };

/* --- the library's cursors -------------------------------------------------------------------- */

MDB_cursor *cursor_lib(struct db_cursor *cursor)
{
    struct db *db = cursor->db;
    if (LIKELY(cursor->lib))
        return cursor->lib;
    if (!db->txn || db->failed)
        return NULL;
    int code = mdb_cursor_open(db->txn, db->tables[cursor->table], &cursor->lib);
    if (code) {
        cursor->lib = NULL;
        db_fail(db, code, "read", cursor->table);
    }
    return cursor->lib;
}

static void cursor_close(struct db_cursor *cursor)
{
    if (cursor->lib)
        mdb_cursor_close(cursor->lib);
    cursor->lib = NULL;
    cursor->at = false;
}

void cursors_close(struct db *db)
{
    for (unsigned i = 0; i < DB_TABLE_COUNT; i++)
        cursor_close(db->own + i);
    for (struct db_cursor *cursor = db->cursors; cursor; cursor = cursor->next)
        cursor_close(cursor);
}

/* --- checksums -------------------------------------------------------------------------------- */

static u32 record_checksum(enum db_table table, const void *key, size_t key_len, const void *value,
                           size_t len)
{
    const u8 head[2] = {(u8)table, (u8)key_len};
    u32 crc = crc32c(0, head, sizeof head);
    crc = crc32c(crc, key, key_len);
    return crc32c(crc, value, len);
}

static bool record_is_whole(enum db_table table, const MDB_val *key, const MDB_val *stored)
{
    const u8 *bytes = stored->mv_data;
    if (UNLIKELY(stored->mv_size < DB_CHECKSUM))
        return false;
    size_t len = stored->mv_size - DB_CHECKSUM;
    u32 sum;
    memcpy(&sum, bytes + len, sizeof sum);
    return sum == record_checksum(table, key->mv_data, key->mv_size, bytes, len);
}

bool record_check(struct db *db, enum db_table table, const MDB_val *key, const MDB_val *stored,
                  struct db_bytes *value)
{
    if (LIKELY(page_trust(db, key, stored) && record_is_whole(table, key, stored))) {
        *value = (struct db_bytes){stored->mv_data, stored->mv_size - DB_CHECKSUM};
        return true;
    }
    db_set_damaged(db, table, key->mv_data, key->mv_size);
    return false;
}

/* --- one record ------------------------------------------------------------------------------- */

static int key_compare(const MDB_val *a, const void *key, size_t key_len)
{
    size_t shorter = a->mv_size < key_len ? a->mv_size : key_len;
    int order = memcmp(a->mv_data, key, shorter);
    return order ? order : (a->mv_size > key_len) - (a->mv_size < key_len);
}

/*
 * The records on either side of an absent key must lie on either side of it. A page that sends
 * searches the wrong way would otherwise make records vanish silently.
 */
static void absence_check(struct db *db, enum db_table table, MDB_cursor *lib, int found,
                          const MDB_val *next, const MDB_val *next_stored, const void *key,
                          size_t key_len)
{
    MDB_val before, stored;
    struct db_bytes value;
    if (!found && !record_check(db, table, next, next_stored, &value))
        return;
    if (!found && key_compare(next, key, key_len) < 0)
        db_set_damaged(db, table, key, key_len);
    int code = mdb_cursor_get(lib, &before, &stored, found ? MDB_LAST : MDB_PREV);
    if (!code && record_check(db, table, &before, &stored, &value) &&
        key_compare(&before, key, key_len) >= 0)
        db_set_damaged(db, table, key, key_len);
    else if (code && code != MDB_NOTFOUND)
        db_fail(db, code, "read", table);
}

bool db_get(struct db *db, enum db_table table, const void *key, size_t key_len,
            struct db_bytes *value)
{
    assert(key_len > 0 && key_len <= KEY_MAX);
    MDB_cursor *lib = cursor_lib(db->own + table);
    if (!lib)
        return false;
    MDB_val found = {key_len, (void *)(uintptr_t)key}, stored;
    int code = mdb_cursor_get(lib, &found, &stored, MDB_SET_RANGE);
    if (code && code != MDB_NOTFOUND) {
        db_fail(db, code, "read", table);
        return false;
    }
    if (!code && key_compare(&found, key, key_len) == 0)
        return record_check(db, table, &found, &stored, value);
    absence_check(db, table, lib, code, &found, &stored, key, key_len);
    return false;
}

/*
 * Values that follow each other in a page lie within it; those of a long walk go from page to page. What was mapped for
 * a change cannot be told by its place: a page that has become empty is taken for the next one's copy.
 */
static void count_change(struct db *db, enum db_table table, const u8 *at, size_t len)
{
    const u8 *last = db->last_put[table];
    if (!last || at < last - PAGE || at > last + PAGE) {
        MDB_stat stat;
        if (!mdb_stat(db->txn, db->tables[table], &stat) &&
            db->pages_changed[table] <= stat.ms_leaf_pages + stat.ms_branch_pages)
            db->pages_changed[table]++;
        db->last_put[table] = at;
    }
    mapped_note_changed(db);
    if (len > PAGE / 2)
        db->bytes_changed += len;
}

static bool may_write(struct db *db)
{
    assert(db->writing);
    return !db->failed && !db->damaged && db->txn;
}

void db_put(struct db *db, enum db_table table, const void *key, size_t key_len, const void *value,
            size_t len)
{
    assert(key_len > 0 && key_len <= KEY_MAX);
    MDB_cursor *lib = may_write(db) ? cursor_lib(db->own + table) : NULL;
    if (!lib)
        return;
    MDB_val at = {key_len, (void *)(uintptr_t)key}, stored = {len + DB_CHECKSUM, NULL};
    u32 sum = record_checksum(table, key, key_len, value, len);
    int code = mdb_cursor_put(lib, &at, &stored, MDB_RESERVE);
    if (code) {
        db_fail(db, code, "write", table);
        return;
    }
    u8 *to = stored.mv_data;
    if (len)
        memcpy(to, value, len);
    memcpy(to + len, &sum, sizeof sum);
    count_change(db, table, to, len);
}

void db_del(struct db *db, enum db_table table, const void *key, size_t key_len)
{
    assert(key_len > 0 && key_len <= KEY_MAX);
    MDB_cursor *lib = may_write(db) ? cursor_lib(db->own + table) : NULL;
    if (!lib)
        return;
    MDB_val at = {key_len, (void *)(uintptr_t)key}, stored;
    int code = mdb_cursor_get(lib, &at, &stored, MDB_SET);
    if (!code) {
        count_change(db, table, stored.mv_data, 0);
        code = mdb_cursor_del(lib, 0);
    }
    if (code && code != MDB_NOTFOUND)
        db_fail(db, code, "write", table);
}

void db_del_prefix(struct db *db, enum db_table table, const void *prefix, size_t len)
{
    assert(len > 0 && len <= KEY_MAX);
    MDB_cursor *lib = may_write(db) ? cursor_lib(db->own + table) : NULL;
    if (!lib)
        return;
    MDB_val at = {len, (void *)(uintptr_t)prefix}, stored;
    int code = mdb_cursor_get(lib, &at, &stored, MDB_SET_RANGE);
    while (!code && at.mv_size >= len && memcmp(at.mv_data, prefix, len) == 0) {
        count_change(db, table, stored.mv_data, 0);
        code = mdb_cursor_del(lib, 0);
        if (!code)
            code = mdb_cursor_get(lib, &at, &stored, MDB_NEXT);
    }
    if (code && code != MDB_NOTFOUND)
        db_fail(db, code, "write", table);
}

/* --- in order --------------------------------------------------------------------------------- */

struct db_cursor *db_cursor_new(struct db *db, enum db_table table)
{
    struct db_cursor *cursor = NEW(struct db_cursor);
    *cursor = (struct db_cursor){.db = db, .table = table, .next = db->cursors};
    if (db->cursors)
        db->cursors->prev = cursor;
    db->cursors = cursor;
    return cursor;
}

void db_cursor_free(struct db_cursor *cursor)
{
    if (!cursor)
        return;
    cursor_close(cursor);
    *(cursor->prev ? &cursor->prev->next : &cursor->db->cursors) = cursor->next;
    if (cursor->next)
        cursor->next->prev = cursor->prev;
    mem_free(cursor);
}

/* Takes the record that the library's cursor has come to. */
static bool cursor_take(struct db_cursor *cursor, int code, const MDB_val *key,
                        const MDB_val *stored)
{
    cursor->at = !code && record_check(cursor->db, cursor->table, key, stored, &cursor->value);
    if (cursor->at)
        cursor->key = (struct db_bytes){key->mv_data, key->mv_size};
    if (code && code != MDB_NOTFOUND)
        db_fail(cursor->db, code, "read", cursor->table);
    return cursor->at;
}

static bool cursor_move(struct db_cursor *cursor, MDB_cursor_op op)
{
    if (!cursor->lib || !cursor->at)
        return false;
    MDB_val key, stored;
    int code = mdb_cursor_get(cursor->lib, &key, &stored, op);
    return cursor_take(cursor, code, &key, &stored);
}

bool db_seek(struct db_cursor *cursor, const void *key, size_t key_len)
{
    MDB_cursor *lib = cursor_lib(cursor);
    cursor->at = false;
    if (!lib)
        return false;
    MDB_val at = {key_len, (void *)(uintptr_t)key}, stored;
    int code = mdb_cursor_get(lib, &at, &stored, key_len ? MDB_SET_RANGE : MDB_FIRST);
    return cursor_take(cursor, code, &at, &stored);
}

bool db_seek_back(struct db_cursor *cursor, const void *key, size_t key_len)
{
    MDB_cursor *lib = cursor_lib(cursor);
    cursor->at = false;
    if (!lib)
        return false;
    MDB_val at = {key_len, (void *)(uintptr_t)key}, stored;
    int code = mdb_cursor_get(lib, &at, &stored, key_len ? MDB_SET_RANGE : MDB_LAST);
    if (code == MDB_NOTFOUND)
        code = mdb_cursor_get(lib, &at, &stored, MDB_LAST);
    else if (!code && key_len && key_compare(&at, key, key_len) > 0)
        code = mdb_cursor_get(lib, &at, &stored, MDB_PREV);
    return cursor_take(cursor, code, &at, &stored);
}

bool db_next(struct db_cursor *cursor)
{
    return cursor_move(cursor, MDB_NEXT);
}

bool db_prev(struct db_cursor *cursor)
{
    return cursor_move(cursor, MDB_PREV);
}

struct db_bytes db_key(const struct db_cursor *cursor)
{
    assert(cursor->at);
    return cursor->key;
}

struct db_bytes db_value(const struct db_cursor *cursor)
{
    assert(cursor->at);
    return cursor->value;
}

/* --- all ---------------------------------------------------------------------------------------- */

static u64 table_verify(struct db *db, enum db_table table, db_fault_fn *fault, void *arg)
{
    struct err words;
    MDB_val key, stored;
    u64 faults = 0;
    struct db_cursor *cursor = db_cursor_new(db, table);
    MDB_cursor *lib = cursor_lib(cursor);
    int code = lib ? mdb_cursor_get(lib, &key, &stored, MDB_FIRST) : MDB_NOTFOUND;
    for (; !code; code = mdb_cursor_get(lib, &key, &stored, MDB_NEXT)) {
        if (page_trust(db, &key, &stored) && record_is_whole(table, &key, &stored))
            continue;
        faults++;
        fault(arg, record_words(&words, table, key.mv_data, key.mv_size));
    }
    db_cursor_free(cursor);
    if (!lib || code != MDB_NOTFOUND) {
        db_fail(db, code, "read", table);
        faults++;
        if (db_status(db, &words))
            fault(arg, words.text);
    }
    return faults;
}

u64 db_verify(struct db *db, db_fault_fn *fault, void *arg)
{
    u64 faults = 0;
    for (unsigned table = 0; table < DB_TABLE_COUNT; table++)
        faults += table_verify(db, (enum db_table)table, fault, arg);
    return faults;
}
