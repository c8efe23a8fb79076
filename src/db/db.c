#include "db/db.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/mem.h"
#include "db/db_int.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/sealed.h"

/* Address space, not memory: the file may grow as far. Halved while the system refuses. */
static const size_t MAP_SIZE = (size_t)1 << 40, MAP_SIZE_MIN = (size_t)1 << 30;

enum { PATH_LEN_MAX = 4096 };

static const char *const table_names[] = {
#define X(name, lower) #lower,
    DB_TABLES(X)
#undef X
};

const char *db_table_name(enum db_table table)
{
    return table_names[table];
}

/* --- failures --------------------------------------------------------------------------------- */

static enum status status_of(int code)
{
    switch (code) {
    case MDB_SUCCESS: return STATUS_OK;
    case MDB_INVALID:
    case MDB_CORRUPTED:
    case MDB_CURSOR_FULL: /* deeper than any tree that the library makes */
    case MDB_PAGE_FULL:   /* and fuller than any page */
    case MDB_PAGE_NOTFOUND: return STATUS_INVALID;
    case MDB_VERSION_MISMATCH: return STATUS_UNSUPPORTED;
    case MDB_MAP_FULL: return STATUS_TOO_LARGE;
    case ENOMEM: return STATUS_NO_MEMORY;
    case ENOENT: return STATUS_NOT_FOUND;
    }
    return STATUS_IO;
}

/* The library calls it an I/O error when a write was cut short, as happens where the room ends. */
static bool is_full(const struct db *db, int code)
{
    enum { LITTLE = 1 << 20 };
    return code == ENOSPC || (code == EIO && file_room(db->folder) < LITTLE);
}

static const char *code_words(const struct db *db, int code)
{
    if (is_full(db, code))
        return "the disk is full; make room on it, and nothing is lost";
    switch (code) {
    case MDB_INVALID: return "it is not a store, or damaged";
    case MDB_CORRUPTED:
    case MDB_CURSOR_FULL:
    case MDB_PAGE_FULL:
    case MDB_PAGE_NOTFOUND: return "a page is damaged; run ashlar-node db verify";
    case MDB_VERSION_MISMATCH: return "the file is of another version of the database library";
    }
    return mdb_strerror(code);
}

void db_fail(struct db *db, int code, const char *what, enum db_table table)
{
    if (db->failed)
        return;
    enum status status = status_of(code);
    bool is_of_all = table == DB_TABLE_COUNT;
    db->failed =
        err_set(&db->failure, status, "%s: cannot %s%s%s: %s", db->folder, what,
                is_of_all ? "" : " ", is_of_all ? "" : db_table_name(table), code_words(db, code));
    if (status == STATUS_INVALID && !db->damaged) {
        db->damaged = status;
        db->damage = db->failure;
    }
}

const char *record_words(struct err *words, enum db_table table, const void *key, size_t key_len)
{
    char hex[2 * 80 + 1];
    size_t shown = key_len < 80 ? key_len : 80;
    for (size_t i = 0; i < shown; i++)
        snprintf(hex + 2 * i, 3, "%02x", ((const u8 *)key)[i]);
    hex[2 * shown] = 0;
    err_set(words, STATUS_INVALID, "table %s, key %s is damaged", db_table_name(table), hex);
    return words->text;
}

void db_set_damaged(struct db *db, enum db_table table, const void *key, size_t key_len)
{
    struct err words;
    if (!db->damaged)
        db->damaged = err_set(&db->damage, STATUS_INVALID, "%s: %s; run ashlar-node db verify",
                              db->folder, record_words(&words, table, key, key_len));
}

void db_set_page_damaged(struct db *db, enum db_table table, u64 page)
{
    if (!db->damaged)
        db->damaged = err_set(&db->damage, STATUS_INVALID,
                              "%s: table %s, page %llu is damaged; run ashlar-node db verify",
                              db->folder, db_table_name(table), (unsigned long long)page);
}

static void fault_words(struct err *words, const struct db *db, const struct fault *fault,
                        enum db_table table)
{
    u64 page = (u64)((const u8 *)fault->at - db->map) / PAGE;
    err_set(words, STATUS_INVALID, "a page is damaged");
    if (fault->at && page < db->map_pages)
        err_set(words, STATUS_INVALID, "page %llu %s", (unsigned long long)page,
                fault->is_io ? "cannot be read: the disk failed, or the file was cut short"
                             : "is damaged");
    if (table != DB_TABLE_COUNT)
        err_prefix(words, "table %s", db_table_name(table));
}

void db_set_fault(struct db *db, const struct fault *fault, enum db_table table, bool changing)
{
    struct err words;
    fault_words(&words, db, fault, table);
    if (!db->damaged)
        db->damaged = err_set(&db->damage, STATUS_INVALID, "%s: %s; run ashlar-node db verify",
                              db->folder, words.text);
    if (changing && !db->failed) {
        db->failed = db->damaged;
        db->failure = db->damage;
    }
    cursors_close(db);
}

enum status db_status(const struct db *db, struct err *err)
{
    enum status status = db->damaged ? db->damaged : db->failed;
    if (status && err)
        *err = db->damaged ? db->damage : db->failure;
    return status;
}

/* --- opening ---------------------------------------------------------------------------------- */

static enum status fail_open(const struct db *db, int code, struct err *err)
{
    return err_set(err, status_of(code), "cannot open the store in %s: %s", db->folder,
                   code_words(db, code));
}

static unsigned env_flags(const struct db_options *options)
{
    /* One process, by our lock, and one thread: the library's own locks have nothing to do. */
    unsigned flags = MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOTLS | MDB_NORDAHEAD;
    if (options->read_only)
        flags |= MDB_RDONLY;
    if (options->volatile_commits)
        flags |= MDB_NOSYNC;
    return flags;
}

/* It would end the process. */
static void on_assertion(MDB_env *env, const char *words)
{
    (void)env, (void)words;
    fault_raise();
}

static int env_open(struct db *db, const char *file)
{
    int code = 0;
    for (size_t size = MAP_SIZE; size >= MAP_SIZE_MIN; size /= 2) {
        code = mdb_env_create(&db->env);
        if (code)
            return code;
        mdb_env_set_mapsize(db->env, size);
        mdb_env_set_maxdbs(db->env, DB_TABLE_COUNT);
        mdb_env_set_assert(db->env, on_assertion);
        code = mdb_env_open(db->env, file, env_flags(&db->options), 0644);
        if (!code)
            return 0;
        mdb_env_close(db->env);
        db->env = NULL;
        if (code != ENOMEM && code != EINVAL)
            break;
    }
    return code;
}

/* The tables' handles; made, where they are not there and may be. */
static int tables_open(struct db *db, bool make)
{
    MDB_txn *txn;
    int code = mdb_txn_begin(db->env, NULL, make ? 0 : MDB_RDONLY, &txn);
    if (code)
        return code;
    for (unsigned i = 0; i < DB_TABLE_COUNT && !code; i++) {
        code = mdb_dbi_open(txn, table_names[i], make ? MDB_CREATE : 0, db->tables + i);
        /* A table that a format below 3 has not: read as addresses, of which those have no records either. */
        if (db->options.read_only && code == MDB_NOTFOUND && i > DB_POOL && i <= DB_VISITS) {
            db->tables[i] = db->tables[DB_ADDRESSES];
            code = 0;
        }
    }
    if (!code)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return code;
}

/* Where the file is in memory, which the library does not tell; and whether its cursors are what we take them for. */
static int map_find(struct db *db)
{
    MDB_dbi tables;
    MDB_cursor *cursor;
    MDB_val key, value;
    MDB_envinfo info;
    int code = mdb_env_info(db->env, &info);
    if (!code)
        code = mdb_dbi_open(db->txn, NULL, 0, &tables);
    if (!code)
        code = mdb_cursor_open(db->txn, tables, &cursor);
    if (code)
        return code;
    code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    if (!code && !path_fits(cursor, db->txn, tables, key.mv_data))
        code = MDB_VERSION_MISMATCH;
    if (!code) {
        db->map = path_map(cursor);
        db->map_pages = info.me_mapsize / PAGE;
        db->file_pages = info.me_last_pgno + 1;
    }
    mdb_cursor_close(cursor);
    return code;
}

static void txn_end(struct db *db)
{
    cursors_close(db);
    memset(db->has_head, 0, sizeof db->has_head);
    if (db->txn)
        mdb_txn_abort(db->txn);
    db->txn = NULL;
}

static enum status seal_hold(struct db *db, struct err *err)
{
    int fd, code = mdb_env_get_fd(db->env, &fd);
    if (code)
        return fail_open(db, code, err);
    enum status status = seal_check(&db->seal, fd, err);
    if (status)
        err_prefix(err, "the store in %s is damaged", db->folder);
    return status;
}

/* The pages that every transaction begins with are the ones that the last one left; or it is remembered. */
static bool is_as_sealed(struct db *db)
{
    struct err err;
    if (!seal_hold(db, &err))
        return true;
    if (!db->damaged)
        db->damage = err;
    db->damaged = STATUS_INVALID;
    return false;
}

static int read_begin_inside(struct db *db)
{
    int code = mdb_txn_begin(db->env, NULL, MDB_RDONLY, &db->txn);
    return code ? code : map_find(db);
}

static void read_begin(struct db *db)
{
    struct fault fault;
    if (FAULT_CAUGHT(&fault, db->map, map_end(db))) {
        db_set_fault(db, &fault, DB_TABLE_COUNT, false);
        db->txn = NULL;
        return;
    }
    int code = read_begin_inside(db);
    fault_leave(&fault);
    if (code) {
        txn_end(db);
        db_fail(db, code, "read it", DB_TABLE_COUNT);
    }
}

/* After a commit, and when the file is opened. */
static enum status seal_renew(struct db *db, struct err *err)
{
    struct seal seal;
    int fd, code = mdb_env_get_fd(db->env, &fd);
    if (code)
        return fail_open(db, code, err);
    enum status status = seal_take(&seal, fd, err);
    if (status) {
        err_prefix(err, "the store in %s is damaged", db->folder);
        seal_drop(&seal);
        return status;
    }
    prints_forget(db, &db->seal, &seal);
    seal_drop(&db->seal);
    db->seal = seal;
    return STATUS_OK;
}

/* Reads what a commit left. */
static void read_renewed(struct db *db)
{
    struct err err;
    if (!seal_renew(db, &err)) {
        read_begin(db);
        return;
    }
    if (!db->damaged)
        db->damage = err;
    db->damaged = STATUS_INVALID;
}

/* What the library holds in memory is not to be trusted, or too much. A commit that failed left other first pages. */
static void env_reopen(struct db *db, bool has_failed)
{
    txn_end(db);
    if (db->env)
        mdb_env_close(db->env);
    db->env = NULL;
    db->map = NULL;
    int code = env_open(db, db->file);
    struct err err;
    if (!code && has_failed && seal_renew(db, &err)) {
        if (!db->damaged)
            db->damage = err;
        db->damaged = STATUS_INVALID;
    }
    if (!code && !is_as_sealed(db))
        return;
    if (!code)
        code = tables_open(db, false);
    if (code) {
        db->damaged = fail_open(db, code, &db->damage);
        return;
    }
    read_begin(db);
}

static const char format_key[] = "format";

static enum status format_put(struct db *db, struct err *err)
{
    const u8 format = DB_FORMAT;
    db_begin(db);
    db_put(db, DB_META, format_key, sizeof format_key - 1, &format, 1);
    return db_commit(db, err);
}

/* Writes the format's number into a new store, and looks at that of an old one. */
static enum status format_check(struct db *db, struct err *err)
{
    struct db_bytes value;
    if (db_get(db, DB_META, format_key, sizeof format_key - 1, &value)) {
        u8 found = value.len == 1 ? value.at[0] : 0;
        if (found >= DB_FORMAT_MIN && found <= DB_FORMAT)
            return found == DB_FORMAT || db->options.read_only ? STATUS_OK : format_put(db, err);
        return err_set(err, STATUS_UNSUPPORTED,
                       "the store in %s has format %u, this program reads %u: use the program that "
                       "wrote it, or a newer one",
                       db->folder, found, DB_FORMAT);
    }
    enum status status = db_status(db, err);
    if (status)
        return status;
    struct db_stat stat = db_stat(db, DB_META);
    if (stat.entries || db->options.read_only)
        return err_set(err, STATUS_INVALID, "the store in %s does not say its format", db->folder);
    return format_put(db, err);
}

static enum status lock_path(char path[PATH_LEN_MAX], const char *folder, struct err *err)
{
    if (snprintf(path, PATH_LEN_MAX, "%s/lock", folder) < PATH_LEN_MAX)
        return STATUS_OK;
    return err_set(err, STATUS_INVALID, "the folder's name is too long");
}

enum status db_lock(struct lock **lock, const char *folder, struct err *err)
{
    char path[PATH_LEN_MAX];
    enum status status = lock_path(path, folder, err);
    if (!status)
        status = file_make_folder(folder, err);
    return status ? status : lock_take(lock, path, err);
}

enum status db_look(const char *folder, struct err *err)
{
    char path[PATH_LEN_MAX];
    enum status status = lock_path(path, folder, err);
    return status ? status : lock_look(path, err);
}

static enum status folder_prepare(struct db *db, struct err *err)
{
    if (db->options.read_only && file_kind(db->folder) != FILE_KIND_FOLDER)
        return err_set(err, STATUS_NOT_FOUND, "there is no folder %s", db->folder);
    return db->options.lock ? STATUS_OK : db_lock(&db->lock, db->folder, err);
}

enum status file_check(struct db *db, bool whole, struct err *err)
{
    int fd, code = mdb_env_get_fd(db->env, &fd);
    if (code)
        return fail_open(db, code, err);
    enum status status = pages_check(fd, whole, err);
    if (status)
        err_prefix(err, "the store in %s is damaged", db->folder);
    return status;
}

static enum status tables_start(struct db *db, struct err *err)
{
    int code = tables_open(db, !db->options.read_only);
    enum status status = code ? fail_open(db, code, err) : seal_renew(db, err);
    if (status)
        return status;
    read_begin(db);
    return format_check(db, err);
}

static enum status store_fill(struct db *db, struct err *err)
{
    int code = env_open(db, db->file);
    enum status status = code ? fail_open(db, code, err) : tables_start(db, err);
    txn_end(db);
    if (db->env)
        mdb_env_close(db->env);
    db->env = NULL;
    db->map = NULL;
    return status;
}

/* A new store gets its name when it is whole and on the disk. */
static enum status store_make(struct db *db, struct err *err)
{
    size_t size = strlen(db->file) + sizeof ".part";
    char *file = db->file, *part = mem_alloc(size);
    snprintf(part, size, "%s.part", file);
    enum status status = sealed_remove(part, err); /* of one that was interrupted */
    db->file = part;
    if (!status)
        status = store_fill(db, err);
    db->file = file;
    if (!status)
        status = file_rename(part, file, err);
    mem_free(part);
    return status;
}

static enum status store_open(struct db *db, struct err *err)
{
    bool is_there = file_kind(db->file) != FILE_KIND_ABSENT;
    if (!is_there && db->options.read_only)
        return err_set(err, STATUS_NOT_FOUND, "there is no store in %s", db->folder);
    enum status status = is_there ? metas_check(db->file, err) : STATUS_OK;
    if (status) {
        err_prefix(err, "the store in %s is damaged", db->folder);
        return status;
    }
    if (!is_there)
        status = store_make(db, err);
    int code = status ? 0 : env_open(db, db->file);
    if (code)
        return fail_open(db, code, err);
    if (!status)
        status = file_check(db, false, err);
    return status ? status : tables_start(db, err);
}

enum status db_open(struct db **out, const char *folder, const struct db_options *options,
                    struct err *err)
{
    struct db *db = NEW(struct db);
    size_t size = strlen(folder) + sizeof "/data.mdb";
    db->folder = mem_strdup(folder);
    db->file = mem_alloc(size);
    snprintf(db->file, size, "%s/data.mdb", folder);
    db->options = *options;
    db->usage.statm = -1;
    if (options->mapped_max)
        usage_open(&db->usage);
    for (unsigned i = 0; i < DB_TABLE_COUNT; i++)
        db->own[i] = (struct db_cursor){.db = db, .table = (enum db_table)i};
    enum status status = folder_prepare(db, err);
    fault_init();
    if (!status)
        status = store_open(db, err);
    if (status) {
        db_close(db);
        return status;
    }
    db_release(db);
    *out = db;
    return STATUS_OK;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    if (db->env) {
        txn_end(db);
        mdb_env_close(db->env);
    }
    assert(!db->cursors);
    lock_release(db->lock);
    mem_free(db->prints);
    seal_drop(&db->seal);
    mem_free(db->piece_is_read);
    usage_close(&db->usage);
    mem_free(db->file);
    mem_free(db->folder);
    mem_free(db);
}

/* --- transactions ----------------------------------------------------------------------------- */

void db_begin(struct db *db)
{
    if (db->writing)
        return;
    assert(!db->options.read_only);
    db->writing = true;
    db->bytes_changed = 0;
    memset(db->last_put, 0, sizeof db->last_put);
    memset(db->pages_changed, 0, sizeof db->pages_changed);
    if (!db->env || !is_as_sealed(db))
        return;
    txn_end(db);
    struct fault fault;
    if (FAULT_CAUGHT(&fault, db->map, map_end(db))) {
        db_set_fault(db, &fault, DB_TABLE_COUNT, true);
        return;
    }
    int code = mdb_txn_begin(db->env, NULL, 0, &db->txn);
    fault_leave(&fault);
    if (code) {
        db->txn = NULL;
        db_fail(db, code, "begin to change it", DB_TABLE_COUNT);
        read_begin(db);
    }
}

bool db_is_read_only(const struct db *db)
{
    return db->options.read_only;
}

bool db_is_writing(const struct db *db)
{
    return db->writing;
}

/* The library may have got half way when it comes upon a page that cannot be read; what it holds is then left to it. */
static int txn_commit(struct db *db)
{
    MDB_txn *txn = db->txn;
    db->txn = NULL;
    struct fault fault;
    if (FAULT_CAUGHT(&fault, db->map, map_end(db))) {
        db_set_fault(db, &fault, DB_TABLE_COUNT, true);
        return MDB_CORRUPTED;
    }
    int code = mdb_txn_commit(txn);
    fault_leave(&fault);
    return code;
}

enum status db_commit(struct db *db, struct err *err)
{
    assert(db->writing);
    enum status status = db_status(db, err);
    if (!status && !is_as_sealed(db))
        status = db_status(db, err);
    if (status) {
        db_abort(db);
        return status;
    }
    cursors_close(db);
    int code = txn_commit(db);
    db->writing = false;
    if (code) {
        db_fail(db, code, "write what has changed", DB_TABLE_COUNT);
        status = db_status(db, err);
        env_reopen(db, true);
        db->failed = STATUS_OK;
        return status;
    }
    read_renewed(db);
    return STATUS_OK;
}

void db_abort(struct db *db)
{
    if (!db->writing)
        return;
    db->writing = false;
    if (db->failed)
        env_reopen(db, false);
    else if (db->env) {
        txn_end(db);
        if (is_as_sealed(db))
            read_begin(db);
    }
    db->failed = STATUS_OK;
}

size_t db_pending(const struct db *db)
{
    if (!db->writing)
        return 0;
    size_t pages = 0;
    for (unsigned i = 0; i < DB_TABLE_COUNT; i++)
        pages += db->pages_changed[i];
    return pages * PAGE + db->bytes_changed;
}

/* --- operating -------------------------------------------------------------------------------- */

struct db_stat db_stat(struct db *db, enum db_table table)
{
    MDB_stat stat;
    if (!db->txn || mdb_stat(db->txn, db->tables[table], &stat))
        return (struct db_stat){0};
    u64 pages = stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
    return (struct db_stat){stat.ms_entries, pages * stat.ms_psize};
}

void db_rest(struct db *db)
{
    assert(!db->writing);
    /* The library keeps the pages of its largest transaction for the next one; what was read is mapped. */
    if (db->env)
        env_reopen(db, false);
}

enum status db_check_pages(struct db *db, struct err *err)
{
    assert(!db->writing);
    return db->env ? file_check(db, true, err) : db_status(db, err);
}

enum status db_copy(struct db *db, const char *folder, struct err *err)
{
    assert(!db->writing);
    if (file_kind(folder) != FILE_KIND_ABSENT)
        return err_set(err, STATUS_EXISTS, "%s is there already", folder);
    enum status status = db_check_pages(db, err); /* the library copies what it does not look at */
    if (!status)
        status = file_make_folder(folder, err);
    if (status)
        return status;
    struct arena arena;
    arena_init(&arena);
    int code = mdb_env_copy2(db->env, arena_format(&arena, "%s/data.mdb", folder), MDB_CP_COMPACT);
    arena_fini(&arena);
    if (code)
        return err_set(err, status_of(code), "cannot copy the store in %s to %s: %s", db->folder,
                       folder, code_words(db, code));
    struct db *copy;
    struct db_options options = {0};
    status = db_open(&copy, folder, &options, err);
    if (status)
        return status;
    code = mdb_env_sync(copy->env, 1);
    db_close(copy);
    if (code)
        return err_set(err, STATUS_IO, "cannot write the copy in %s: %s", folder,
                       code_words(db, code));
    return STATUS_OK;
}

#define COMPACT_PART "compact.part"

enum status db_erase(const char *folder, struct err *err)
{
    struct arena arena;
    arena_init(&arena);
    file_remove_folder(arena_format(&arena, "%s/" COMPACT_PART, folder));
    enum status status = sealed_remove(arena_format(&arena, "%s/data.mdb.part", folder), err);
    if (!status)
        status = sealed_remove(arena_format(&arena, "%s/data.mdb", folder), err);
    arena_fini(&arena);
    return status;
}

enum status db_compact(struct db *db, struct err *err)
{
    struct arena arena;
    arena_init(&arena);
    const char *folder = arena_format(&arena, "%s/" COMPACT_PART, db->folder);
    const char *copy = arena_format(&arena, "%s/data.mdb", folder);
    file_remove_folder(folder); /* of one that was interrupted */
    enum status status = db_copy(db, folder, err);
    if (status == STATUS_OK)
        status = file_rename(copy, db->file, err);
    file_remove_folder(folder);
    arena_fini(&arena);
    return status;
}
