/* Inside the store: what its files share. */
#pragma once

#include <lmdb.h>

#include "db/db.h"
#include "db/page.h"
#include "sys/fault.h"
#include "sys/usage.h"

/* Every value is followed by a checksum over table, key and value. */
enum { DB_CHECKSUM = 4 };

struct db_cursor {
    struct db *db;
    enum db_table table;
    MDB_cursor *lib;               /* NULL until it is used in this transaction */
    struct db_bytes key, value;    /* valid if at */
    bool at;                       /* stands on a record */
    struct db_cursor *next, *prev; /* the store's others */
};

/* What every change begins with; seal.c. */
struct seal {
    struct run {
        u64 page, pages;
        u32 sum;
    } *runs;
    size_t count, room;
    u64 last_page;
    u8 *others; /* a bit a page: no table uses it */
    struct head heads[DB_TABLE_COUNT];
    bool has[DB_TABLE_COUNT];
};

struct db {
    struct db_options options;
    char *folder, *file;
    struct lock *lock;
    MDB_env *env;
    MDB_dbi tables[DB_TABLE_COUNT];
    MDB_txn *txn; /* the open one, or one that reads the last commit; NULL: could not be had */
    bool writing;
    struct db_cursor *cursors;
    struct db_cursor own[DB_TABLE_COUNT]; /* for get, put and del: a near key is found faster */

    enum status failed; /* the open transaction's first failure */
    struct err failure;
    enum status damaged; /* found while reading; lasts until the store is closed */
    struct err damage;

    const u8 *map; /* the file's pages in memory */
    u64 map_pages, file_pages;
    struct seal seal;
    u16 *prints; /* of the pages that were looked at; 0: not yet */
    u64 prints_count;
    bool has_head
        [DB_TABLE_COUNT]; /* read by the library in this transaction, and held against the seal */
    u8 *piece_is_read;    /* mapped.c: a bit a piece, since the last release */
    u64 pieces, pieces_read, pieces_look; /* look: how many when it is measured again */
    struct usage usage;
    u64 mapped_else; /* bytes that the process has of other files */

    const u8 *last_put[DB_TABLE_COUNT]; /* where the last value was put, to tell pages apart */
    u64 pages_changed[DB_TABLE_COUNT];  /* about */
    size_t bytes_changed;
};

/* --- db.c --------------------------------------------------------------------------------------- */

/* Remembers the first failure of the transaction. DB_TABLE_COUNT: of no one table. */
void db_fail(struct db *db, int code, const char *what, enum db_table table);

void db_set_page_damaged(struct db *db, enum db_table table, u64 page);

/* Where what is read between FAULT_CAUGHT and fault_leave ends; anywhere, before it is known where the map is. */
static inline const void *map_end(const struct db *db)
{
    return db->map ? db->map + db->map_pages * PAGE : (const void *)UINTPTR_MAX;
}

/* Remembers where it could not be read. DB_TABLE_COUNT: of no one table. While changing: nothing more is done in this
 * transaction. */
void db_set_fault(struct db *db, const struct fault *fault, enum db_table table, bool changing);

/* Of the last commit, what leads to records; if whole, those too. INVALID, and the page. */
MUST_READ enum status file_check(struct db *db, bool whole, struct err *err);

/* "table T, key K is damaged", in *words. */
const char *record_words(struct err *words, enum db_table table, const void *key, size_t key_len);

/* --- cursor.c ----------------------------------------------------------------------------------- */

/* The library's cursor, opened in the current transaction; NULL after a failure. */
MDB_cursor *cursor_lib(struct db_cursor *cursor);

/* Before a transaction ends. */
void cursors_close(struct db *db);

/* --- mapped.c ----------------------------------------------------------------------------------- */

/* Pages of the map are about to be looked at; or one that was somewhere in it has been changed. */
void mapped_note(struct db *db, u64 page, u64 count);
void mapped_note_changed(struct db *db);

/* --- pages.c ------------------------------------------------------------------------------------ */

/* The two pages that the file begins with, of which the newer tells the last commit; the library takes even
 * the size of a page from them. */
MUST_READ enum status metas_check(const char *path, struct err *err);

/*
 * The pages that the last commit uses: those that lead to others and those that are free; if whole, those with
 * records too. The words name the first that is wrong.
 */
MUST_READ enum status pages_check(int fd, bool whole, struct err *err);

/* What every change begins with, and which pages there are besides. */
MUST_READ enum status pages_seal(int fd, struct seal *seal, struct err *err);

/* --- seal.c ------------------------------------------------------------------------------------- */

void seal_add(struct seal *seal, u64 page, u64 count);
/* To be dropped, whatever it returns. INVALID: damaged. */
MUST_READ enum status seal_take(struct seal *seal, int fd, struct err *err);
/* INVALID: the file is no longer what was sealed. */
MUST_READ enum status seal_check(const struct seal *seal, int fd, struct err *err);
void seal_drop(struct seal *seal);

/* --- path.c: what the library's cursor has come to ---------------------------------------------- */

/* Is a cursor that stands on the first record what path.c takes it for? */
bool path_fits(const MDB_cursor *lib, const MDB_txn *txn, MDB_dbi table, const void *first_key);
/* Where the map begins. */
const u8 *path_map(const MDB_cursor *lib);
bool path_has_head(const MDB_cursor *lib, const struct head *head);
bool path_is_empty(const MDB_cursor *lib); /* the table */
bool path_is_first(const MDB_cursor *lib); /* the first record of all */
bool path_is_last(const MDB_cursor *lib);
bool path_begins(const MDB_cursor *lib); /* the page it stands on */
bool path_ends(const MDB_cursor *lib);
const void *path_leaf(const MDB_cursor *lib); /* NULL: it stands nowhere */

/* The record before the one it stands on. False: it is not on the same page, or not where it can be told. */
bool path_before(const struct db *db, const MDB_cursor *lib, MDB_val *key, MDB_val *stored);

/* Is the page sound that a key lies on (looked: that is known), and do key and value lie where they may? */
bool page_trust(struct db *db, const MDB_val *key, const MDB_val *stored, bool looked);

/* Are all pages on the way sound, and those that lead here? fully: before a change. False, and remembered. */
bool path_check(struct db *db, enum db_table table, const MDB_cursor *lib, bool fully);
bool leaf_check(struct db *db, enum db_table table, const MDB_cursor *lib);

/* Before the record's value goes: is its first page right, which says how many pages there are? pages: 0 if it has none
 * of its own. */
bool value_check(struct db *db, enum db_table table, const MDB_cursor *lib, u64 *pages);
/* Before the record goes: the pages beside it that the library may join with its own. */
bool neighbours_check(struct db *db, enum db_table table, const MDB_cursor *lib);

/* What is known of pages that the tables no longer use. */
void prints_forget(struct db *db, const struct seal *old, const struct seal *new);
