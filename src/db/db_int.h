/* Inside the store: what its files share. */
#pragma once

#include <lmdb.h>

#include "db/db.h"
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
    u8 *trusted; /* a bit a page: looked at since the store was opened */
    u64 trusted_pages;
    u8 *piece_is_read;                    /* mapped.c: a bit a piece, since the last release */
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

/* Is the page sound that a key lies on, and does the value lie in the file? */
bool page_trust(struct db *db, const MDB_val *key, const MDB_val *stored);

/* "table T, key K is damaged", in *words. */
const char *record_words(struct err *words, enum db_table table, const void *key, size_t key_len);

/* --- cursor.c ----------------------------------------------------------------------------------- */

/* The library's cursor, opened in the current transaction; NULL after a failure. */
MDB_cursor *cursor_lib(struct db_cursor *cursor);

/* Before a transaction ends. */
void cursors_close(struct db *db);

/* Splits what the library gave into value and checksum; false, and remembered, when damaged. */
bool record_check(struct db *db, enum db_table table, const MDB_val *key, const MDB_val *stored,
                  struct db_bytes *value);

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

/* Is this page of records, of that number, in order? */
bool leaf_is_sound(const u8 *page, u64 number);
