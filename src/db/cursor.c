/* Records, one by one and in order. */
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "db/crc32c.h"
#include "db/db_int.h"

/* --- the library's cursors -------------------------------------------------------------------- */

/* The library reads a table's head when it first comes to it; from then on it counts in its own. */
static bool head_is_right(struct db *db, enum db_table table, const MDB_cursor *lib)
{
    const struct seal *seal = &db->seal;
    if (db->has_head[table])
        return true;
    if (!path_has_head(lib, seal->heads + (seal->has[table] ? table : DB_ADDRESSES))) {
        db_fail(db, MDB_CORRUPTED, "read", table);
        return false;
    }
    db->has_head[table] = true;
    return true;
}

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
    } else if (!head_is_right(db, cursor->table, cursor->lib)) {
        mdb_cursor_close(cursor->lib);
        cursor->lib = NULL;
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

/* looked: its page was looked at just before. */
static bool record_check(struct db *db, enum db_table table, const MDB_val *key,
                         const MDB_val *stored, bool looked, struct db_bytes *value)
{
    if (LIKELY(page_trust(db, key, stored, looked) && record_is_whole(table, key, stored))) {
        *value = (struct db_bytes){stored->mv_data, stored->mv_size - DB_CHECKSUM};
        return true;
    }
    db_set_damaged(db, table, key->mv_data, key->mv_size);
    return false;
}

/* --- finding a key ------------------------------------------------------------------------------ */

static int key_compare(const MDB_val *a, const MDB_val *b)
{
    struct key left = {a->mv_data, a->mv_size}, right = {b->mv_data, b->mv_size};
    return key_order(left, right);
}

/* Where a key was looked for. */
enum place {
    AT,    /* on it */
    ABOVE, /* it is absent: on the first one above */
    NONE,  /* it is absent, and there is none above */
    WRONG, /* it cannot be said; the damage is remembered */
};

struct search {
    struct db_cursor *cursor;
    struct db *db;
    enum db_table table;
    MDB_cursor *lib;
    bool fully;            /* the record, or the place where it is not, is going to be changed */
    struct db_bytes given; /* to be put there */
    MDB_val key;           /* what is looked for */
    MDB_val found;         /* AT, ABOVE */
    MDB_val stored;
    struct db_bytes value;
};

static bool found_check(struct search *search)
{
    return record_check(search->db, search->table, &search->found, &search->stored, search->fully,
                        &search->value);
}

static enum place wrong(struct search *search)
{
    db_set_damaged(search->db, search->table, search->key.mv_data, search->key.mv_size);
    return WRONG;
}

static enum place not_read(struct search *search, int code)
{
    db_fail(search->db, code, "read", search->table);
    return WRONG;
}

/* A record that must come before the key. */
static bool before_check(struct search *search, const MDB_val *before, const MDB_val *stored)
{
    struct db_bytes value;
    return record_check(search->db, search->table, before, stored, search->fully, &value) &&
           key_compare(before, &search->key) < 0;
}

static bool way_check(struct search *search)
{
    return path_check(search->db, search->table, search->lib, search->fully);
}

/* The key is above all others; the library stands on the last. */
static enum place none_prove(struct search *search)
{
    MDB_val before, stored;
    if (path_is_empty(search->lib))
        return NONE;
    int code = MDB_SUCCESS;
    if (!path_before(search->db, search->lib, &before, &stored) || !path_is_last(search->lib))
        code = mdb_cursor_get(search->lib, &before, &stored, MDB_LAST);
    if (code && code != MDB_NOTFOUND)
        return not_read(search, code);
    bool is_proved = !code && way_check(search) && path_is_last(search->lib) &&
                     before_check(search, &before, &stored);
    return is_proved ? NONE : wrong(search);
}

/* The record found is its page's first, or what is before it can only be read by going there. */
static enum place above_prove_across(struct search *search)
{
    MDB_val before, stored;
    if (!way_check(search) || !found_check(search))
        return WRONG;
    int code = mdb_cursor_get(search->lib, &before, &stored, MDB_PREV);
    if (code == MDB_NOTFOUND)
        return path_is_first(search->lib) ? ABOVE : wrong(search);
    if (code)
        return not_read(search, code);
    if (!way_check(search) || !before_check(search, &before, &stored))
        return wrong(search);
    code = mdb_cursor_get(search->lib, &search->found, &search->stored, MDB_NEXT);
    if (code)
        return not_read(search, code);
    return found_check(search) ? ABOVE : WRONG;
}

/*
 * The records on either side of an absent key must lie on either side of it, and beside each other. A page that sends
 * searches the wrong way would otherwise make records vanish silently.
 */
static enum place above_prove(struct search *search)
{
    MDB_val before, stored;
    if (key_compare(&search->found, &search->key) < 0)
        return wrong(search);
    if (!path_before(search->db, search->lib, &before, &stored))
        return above_prove_across(search);
    bool is_sound =
        search->fully ? way_check(search) : leaf_check(search->db, search->table, search->lib);
    if (!is_sound || !found_check(search))
        return WRONG;
    return before_check(search, &before, &stored) ? ABOVE : wrong(search);
}

static enum place search_run(struct search *search)
{
    search->found = search->key;
    int code = mdb_cursor_get(search->lib, &search->found, &search->stored, MDB_SET_RANGE);
    if (code == MDB_NOTFOUND)
        return none_prove(search);
    if (code)
        return not_read(search, code);
    if (key_compare(&search->found, &search->key) != 0)
        return above_prove(search);
    return (!search->fully || way_check(search)) && found_check(search) ? AT : WRONG;
}

static bool may_write(const struct db *db)
{
    assert(db->writing);
    return !db->failed && !db->damaged && db->txn;
}

typedef bool search_fn(struct search *search);

/* Calls fn to look for the key, and for more. False if fn says so, if a page that it comes upon cannot be read, or if
 * nothing can be done in this transaction; that is remembered. */
static bool search_do(struct search *search, struct db_cursor *cursor, struct db_bytes key,
                      bool changing, search_fn *fn)
{
    struct db *db = cursor->db;
    struct fault fault;
    if (FAULT_CAUGHT(&fault, db->map, map_end(db))) {
        db_set_fault(db, &fault, cursor->table, changing);
        return false;
    }
    MDB_cursor *lib = changing && !may_write(db) ? NULL : cursor_lib(cursor);
    search->cursor = cursor;
    search->db = db;
    search->table = cursor->table;
    search->lib = lib;
    search->fully = changing;
    search->key = (MDB_val){key.len, (void *)(uintptr_t)key.at};
    bool is_done = lib && fn(search);
    fault_leave(&fault);
    return is_done;
}

/* --- one record ------------------------------------------------------------------------------- */

static bool get(struct search *search)
{
    return search_run(search) == AT;
}

bool db_get(struct db *db, enum db_table table, const void *key, size_t key_len,
            struct db_bytes *value)
{
    assert(key_len > 0 && key_len <= KEY_MAX);
    struct search search;
    if (!search_do(&search, db->own + table, (struct db_bytes){key, key_len}, false, get))
        return false;
    *value = search.value;
    return true;
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

/* Takes away the record that was found. */
static int found_del(struct search *search)
{
    u64 pages;
    if (!value_check(search->db, search->table, search->lib, &pages) ||
        !neighbours_check(search->db, search->table, search->lib))
        return MDB_SUCCESS; /* the damage is remembered */
    count_change(search->db, search->table, search->value.at, 0);
    return mdb_cursor_del(search->lib, 0);
}

/* Makes room for a value in the place of the one found. One that is shorter would keep pages that it has no use for. */
static int found_make_way(struct search *search, size_t len)
{
    enum { IN_A_LEAF = PAGE / 2 };
    u64 pages;
    if (!value_check(search->db, search->table, search->lib, &pages) || !pages)
        return MDB_SUCCESS;
    u64 needed = len + DB_CHECKSUM > IN_A_LEAF ? overflow_pages(len + DB_CHECKSUM) : 0;
    return needed < pages ? found_del(search) : MDB_SUCCESS;
}

static bool put(struct search *search)
{
    struct db *db = search->db;
    const struct db_bytes *value = &search->given;
    enum place place = search_run(search);
    int code = place == AT ? found_make_way(search, value->len) : MDB_SUCCESS;
    if (!code && db->damaged)
        return false;
    MDB_val at = search->key, stored = {value->len + DB_CHECKSUM, NULL};
    u32 sum = record_checksum(search->table, at.mv_data, at.mv_size, value->at, value->len);
    if (!code)
        code = mdb_cursor_put(search->lib, &at, &stored, MDB_RESERVE);
    if (code) {
        db_fail(db, code, "write", search->table);
        return false;
    }
    u8 *to = stored.mv_data;
    if (value->len)
        memcpy(to, value->at, value->len);
    memcpy(to + value->len, &sum, sizeof sum);
    count_change(db, search->table, to, value->len);
    return true;
}

void db_put(struct db *db, enum db_table table, const void *key, size_t key_len, const void *value,
            size_t len)
{
    assert(key_len > 0 && key_len <= KEY_MAX);
    struct search search = {.given = {value, len}};
    search_do(&search, db->own + table, (struct db_bytes){key, key_len}, true, put);
}

static bool found_del_or_fail(struct search *search)
{
    int code = found_del(search);
    if (code)
        db_fail(search->db, code, "write", search->table);
    return !code && !search->db->damaged;
}

static bool del(struct search *search)
{
    return search_run(search) == AT && found_del_or_fail(search);
}

void db_del(struct db *db, enum db_table table, const void *key, size_t key_len)
{
    assert(key_len > 0 && key_len <= KEY_MAX);
    struct search search;
    search_do(&search, db->own + table, (struct db_bytes){key, key_len}, true, del);
}

static bool begins_with(const MDB_val *key, const MDB_val *prefix)
{
    return key->mv_size >= prefix->mv_size &&
           memcmp(key->mv_data, prefix->mv_data, prefix->mv_size) == 0;
}

static bool del_prefix(struct search *search)
{
    for (;;) {
        enum place place = search_run(search);
        if ((place != AT && place != ABOVE) || !begins_with(&search->found, &search->key))
            return true;
        if (!found_del_or_fail(search))
            return false;
    }
}

void db_del_prefix(struct db *db, enum db_table table, const void *prefix, size_t len)
{
    assert(len > 0 && len <= KEY_MAX);
    struct search search;
    search_do(&search, db->own + table, (struct db_bytes){prefix, len}, true, del_prefix);
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

static bool cursor_take(const struct search *search)
{
    struct db_cursor *cursor = search->cursor;
    cursor->key = (struct db_bytes){search->found.mv_data, search->found.mv_size};
    cursor->value = search->value;
    return cursor->at = true;
}

/* Past the end of a page, or of all of them. */
static bool step_far(struct search *search, int code, bool is_next)
{
    if (code && code != MDB_NOTFOUND) {
        not_read(search, code);
        return false;
    }
    if (path_is_empty(search->lib) || !way_check(search))
        return false;
    if (!code)
        return found_check(search) && cursor_take(search);
    if (!(is_next ? path_is_last(search->lib) : path_is_first(search->lib)))
        wrong(search);
    return false;
}

static bool step(struct search *search, bool is_next)
{
    const void *leaf = path_leaf(search->lib);
    bool may_leave = is_next ? path_ends(search->lib) : path_begins(search->lib);
    if (may_leave && !leaf_check(search->db, search->table, search->lib))
        return false;
    int code =
        mdb_cursor_get(search->lib, &search->found, &search->stored, is_next ? MDB_NEXT : MDB_PREV);
    if (code || path_leaf(search->lib) != leaf)
        return step_far(search, code, is_next);
    return found_check(search) && cursor_take(search);
}

static bool step_next(struct search *search)
{
    return step(search, true);
}

static bool step_back(struct search *search)
{
    return step(search, false);
}

static bool end_seek(struct search *search, MDB_cursor_op op)
{
    int code = mdb_cursor_get(search->lib, &search->found, &search->stored, op);
    if (code && code != MDB_NOTFOUND)
        not_read(search, code);
    if (code || !way_check(search))
        return false;
    bool is_end = op == MDB_FIRST ? path_is_first(search->lib) : path_is_last(search->lib);
    if (!is_end)
        wrong(search);
    return is_end && found_check(search) && cursor_take(search);
}

static bool seek(struct search *search)
{
    if (!search->key.mv_size)
        return end_seek(search, MDB_FIRST);
    enum place place = search_run(search);
    return (place == AT || place == ABOVE) && cursor_take(search);
}

static bool seek_back(struct search *search)
{
    if (!search->key.mv_size)
        return end_seek(search, MDB_LAST);
    switch (search_run(search)) {
    case AT: return cursor_take(search);
    case ABOVE: return step(search, false);
    case NONE: return end_seek(search, MDB_LAST);
    case WRONG: break;
    }
    return false;
}

/* What is changed no longer is, in a transaction that will not commit: a walk that takes away what it finds would find
 * it for ever. */
static bool is_in_vain(const struct db *db)
{
    return db->writing && (db->failed || db->damaged);
}

static bool walk(struct db_cursor *cursor, struct db_bytes key, search_fn *fn)
{
    struct search search;
    cursor->at = false;
    return !is_in_vain(cursor->db) && search_do(&search, cursor, key, false, fn);
}

bool db_seek(struct db_cursor *cursor, const void *key, size_t key_len)
{
    return walk(cursor, (struct db_bytes){key, key_len}, seek);
}

bool db_seek_back(struct db_cursor *cursor, const void *key, size_t key_len)
{
    return walk(cursor, (struct db_bytes){key, key_len}, seek_back);
}

bool db_next(struct db_cursor *cursor)
{
    return cursor->lib && cursor->at && walk(cursor, (struct db_bytes){0}, step_next);
}

bool db_prev(struct db_cursor *cursor)
{
    return cursor->lib && cursor->at && walk(cursor, (struct db_bytes){0}, step_back);
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

struct verify {
    struct db *db;
    db_fault_fn *fault;
    void *arg;
    u64 faults;
};

static void table_verify(struct verify *verify, enum db_table table, MDB_cursor *lib)
{
    struct err words;
    MDB_val key, stored;
    int code = mdb_cursor_get(lib, &key, &stored, MDB_FIRST);
    for (; !code; code = mdb_cursor_get(lib, &key, &stored, MDB_NEXT)) {
        if (page_trust(verify->db, &key, &stored, false) && record_is_whole(table, &key, &stored))
            continue;
        verify->faults++;
        verify->fault(verify->arg, record_words(&words, table, key.mv_data, key.mv_size));
    }
    if (code != MDB_NOTFOUND)
        db_fail(verify->db, code, "read", table);
}

/* What ends the walk through a table is a fault as well. */
static void table_verify_all(struct verify *verify, enum db_table table)
{
    struct db *db = verify->db;
    struct db_cursor *cursor = db_cursor_new(db, table);
    struct fault fault;
    bool was_caught = FAULT_CAUGHT(&fault, db->map, map_end(db));
    if (was_caught)
        db_set_fault(db, &fault, table, false);
    else {
        MDB_cursor *lib = cursor_lib(cursor);
        if (lib)
            table_verify(verify, table, lib);
        fault_leave(&fault);
    }
    db_cursor_free(cursor);
    struct err words;
    if ((db->failed || was_caught) && db_status(db, &words)) {
        verify->faults++;
        verify->fault(verify->arg, words.text);
    }
}

u64 db_verify(struct db *db, db_fault_fn *fault, void *arg)
{
    struct verify verify = {.db = db, .fault = fault, .arg = arg};
    for (unsigned table = 0; table < DB_TABLE_COUNT; table++)
        table_verify_all(&verify, (enum db_table)table);
    return verify.faults;
}
