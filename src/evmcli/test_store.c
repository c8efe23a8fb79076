#include "evmcli/test_store.h"

#include <string.h>

#include "base/mem.h"
#include "sys/file.h"

/* What a crash would leave is another test's matter. */
static const struct db_options options = {.volatile_commits = true};

static void empty_table(struct db *db, enum db_table table)
{
    static const u8 first[1];
    struct db_cursor *cursor = db_cursor_new(db, table);
    for (bool at = db_seek(cursor, first, sizeof first); at;
         at = db_seek(cursor, first, sizeof first)) {
        u8 key[512];
        size_t len = db_key(cursor).len;
        memcpy(key, db_key(cursor).at, len);
        db_del(db, table, key, len);
    }
    db_cursor_free(cursor);
}

enum status test_store_empty(struct test_store *store, struct err *err)
{
    static const char *const marks[] = {"head", "genesis", "config"};
    enum status status = STATUS_OK;
    if (!store->folder)
        status = file_make_temporary(&store->folder, err);
    if (status == STATUS_OK && !store->db)
        status = db_open(&store->db, store->folder, &options, err);
    if (status != STATUS_OK)
        return status;
    db_begin(store->db);
    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        db_del(store->db, DB_META, marks[i], strlen(marks[i]));
    for (int table = DB_META + 1; table < DB_TABLE_COUNT; table++)
        empty_table(store->db, (enum db_table)table);
    return db_commit(store->db, err);
}

enum status test_store_reopen(struct test_store *store, struct err *err)
{
    db_close(store->db);
    store->db = NULL;
    return db_open(&store->db, store->folder, &options, err);
}

void test_store_fini(struct test_store *store)
{
    db_close(store->db);
    if (store->folder)
        file_remove_folder(store->folder);
    mem_free(store->folder);
}
