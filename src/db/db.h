/*
 * The store: ordered tables in one LMDB file, changed by transactions that happen wholly or not at
 * all, whatever kills the process or the machine.
 *
 * Every record carries a checksum over its table, key and value. A record whose checksum is wrong is never
 * handed out: see db_status.
 *
 * One thread. Between db_begin and db_commit there is a write transaction and everything reads through
 * it; otherwise reads see the last commit. A failure while writing (a full disk, a broken page) is
 * remembered: the calls that follow do nothing, walks end, db_commit returns it, and the file is as it was at the
 * last commit. So callers check once.
 */
#pragma once

#include "base/status.h"
#include "base/types.h"
#include "db/tables.h"

struct db;
struct lock;

struct db_options {
    bool read_only;
    bool
        check_pages; /* reads the whole file first: INVALID, and the page, if it is no sound tree */
    bool volatile_commits; /* commits do not wait for the disk: for tests and rebuilding */
    /* Bytes of the file's pages that may count as this process's memory, about: past them db_release. 0: any. */
    size_t mapped_max;
    struct lock
        *lock; /* of db_lock, which the caller has and keeps; NULL: the store takes its own */
};

/*
 * The folder is made if it is absent (not when read_only). STATUS_UNSUPPORTED: written by a newer
 * format; STATUS_EXISTS: another process has it open, whose pid the words name; STATUS_INVALID: not
 * a store, or a damaged one.
 */
MUST_READ enum status db_open(struct db **db, const char *folder, const struct db_options *options,
                              struct err *err);
void db_close(struct db *db); /* what is not committed is dropped; NULL is fine */
bool db_is_read_only(const struct db *db);

/* For who makes a folder in several steps: the folder, made if it is absent, is this process's until lock_release. EXISTS
 * as db_open. */
MUST_READ enum status db_lock(struct lock **lock, const char *folder, struct err *err);
/* EXISTS, with the pid in words, if a process has the folder. */
MUST_READ enum status db_look(const char *folder, struct err *err);
/* Removes what the store has in a folder that the caller has locked. */
MUST_READ enum status db_erase(const char *folder, struct err *err);

/* --- transactions ---------------------------------------------------------------------------- */

void db_begin(struct db *db); /* nothing if one is open */
bool db_is_writing(const struct db *db);
/* Durable when it returns STATUS_OK. On failure nothing of the transaction remains. */
MUST_READ enum status db_commit(struct db *db, struct err *err);
void db_abort(struct db *db);

/* What the open transaction has changed so far, in bytes, about: when to commit. */
size_t db_pending(const struct db *db);

/*
 * STATUS_OK, or the failure of the open transaction, or, until the store is closed, that a record is
 * damaged. What was read since is not to be shown to anybody: a damaged record reads as absent.
 */
MUST_READ enum status db_status(const struct db *db, struct err *err);

/* For owners: this record is whole and yet makes no sense, or one that must be there is not. From now
 * on as if its checksum had been wrong. */
void db_set_damaged(struct db *db, enum db_table table, const void *key, size_t key_len);

/* --- values: borrowed until the next put, del, commit or abort --------------------------------- */

struct db_bytes {
    const u8 *at;
    size_t len;
};

/* False when absent. */
bool db_get(struct db *db, enum db_table table, const void *key, size_t key_len,
            struct db_bytes *value);
/* Neither key (1 to 511 bytes) nor value may be borrowed from the store. */
void db_put(struct db *db, enum db_table table, const void *key, size_t key_len, const void *value,
            size_t len);
void db_del(struct db *db, enum db_table table, const void *key, size_t key_len);
/* Every key that begins so. */
void db_del_prefix(struct db *db, enum db_table table, const void *prefix, size_t len);

/* --- walking in order of keys ------------------------------------------------------------------ */

/* A cursor outlives transactions, but whenever one begins or ends it must seek anew. When the record it
 * stands on is deleted, db_next goes to the one that followed. */
struct db_cursor;
struct db_cursor *db_cursor_new(struct db *db, enum db_table table);
void db_cursor_free(struct db_cursor *cursor);

/* To the first key not below (seek), the last one not above (seek_back), the next, the one before. A
 * key of no bytes: the table's first or last. False, and out of the table, when there is none. */
bool db_seek(struct db_cursor *cursor, const void *key, size_t key_len);
bool db_seek_back(struct db_cursor *cursor, const void *key, size_t key_len);
bool db_next(struct db_cursor *cursor);
bool db_prev(struct db_cursor *cursor);
struct db_bytes db_key(const struct db_cursor *cursor);
struct db_bytes db_value(const struct db_cursor *cursor);

/* --- operating --------------------------------------------------------------------------------- */

struct db_stat {
    u64 entries, bytes; /* bytes: of the pages that hold it */
};
struct db_stat db_stat(struct db *db, enum db_table table);
const char *db_table_name(enum db_table table);
/* Between transactions: gives back the memory that the last ones left, and the pages that were read
 * to the kernel. */
void db_rest(struct db *db);
/* Gives the pages that were read back to the kernel: cheap, and allowed at any time. */
void db_release(struct db *db);

/* Between transactions: reads the whole file. INVALID, and the page, if it is no sound tree. */
MUST_READ enum status db_check_pages(struct db *db, struct err *err);

/*
 * Holds every record against its checksum. words: table and key of one that is wrong; borrowed for the
 * call. Returns how many there are.
 */
typedef void db_fault_fn(void *arg, const char *words);
u64 db_verify(struct db *db, db_fault_fn *fault, void *arg);

/* A compact copy into another folder, which must not exist. A file that is no sound tree is not copied. */
MUST_READ enum status db_copy(struct db *db, const char *folder, struct err *err);
/* Puts a compact copy in the place of the file, wholly or not at all; the disk must have room for both. What is open
 * is still the old one: close the store, and do nothing else with it. */
MUST_READ enum status db_compact(struct db *db, struct err *err);
