/* Block tests through a store: one folder a thread, emptied for each test. */
#include "base/mem.h"
#include "db/db.h"
#include "evmcli/blocktest.h"
#include "sys/file.h"

/* What a crash would leave is another test's matter. */
static const struct db_options store_options = {.volatile_commits = true};

void *block_worker_new(const struct suite_options *options)
{
    struct block_worker *worker = NEW(struct block_worker);
    worker->options = options;
    arena_init(&worker->arena);
    return worker;
}

void block_worker_free(void *arg)
{
    struct block_worker *worker = arg;
    db_close(worker->db);
    if (worker->folder)
        file_remove_folder(worker->folder);
    mem_free(worker->folder);
    arena_fini(&worker->arena);
    mem_free(worker);
}

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

static enum status empty_store(struct block_worker *worker, struct err *err)
{
    static const char *const marks[] = {"head", "genesis", "config"};
    enum status status = STATUS_OK;
    if (!worker->folder)
        status = file_make_temporary(&worker->folder, err);
    if (status == STATUS_OK && !worker->db)
        status = db_open(&worker->db, worker->folder, &store_options, err);
    if (status != STATUS_OK)
        return status;
    db_begin(worker->db);
    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        db_del(worker->db, DB_META, marks[i], strlen(marks[i]));
    for (int table = DB_META + 1; table < DB_TABLE_COUNT; table++)
        empty_table(worker->db, (enum db_table)table);
    return db_commit(worker->db, err);
}

bool blocktest_open_chain(struct block_test *test, const struct genesis *genesis)
{
    struct err err;
    struct chain_options options = {0};
    enum status status = STATUS_OK;
    if (test->worker->options->store)
        status = empty_store(test->worker, &err);
    options.db = test->worker->db;
    if (status == STATUS_OK)
        status = chain_open(&test->chain, genesis, &options, &err);
    if (status != STATUS_OK)
        reader_fail(&test->reader, "%s", err.text);
    return status == STATUS_OK;
}

static enum status reopen(struct block_test *test, struct err *err)
{
    struct block_worker *worker = test->worker;
    struct chain_options options = {0};
    chain_close(test->chain);
    test->chain = NULL;
    db_close(worker->db);
    worker->db = NULL;
    enum status status = db_open(&worker->db, worker->folder, &store_options, err);
    options.db = worker->db;
    return status == STATUS_OK ? chain_open(&test->chain, NULL, &options, err) : status;
}

void blocktest_settle(struct block_test *test)
{
    struct err err;
    enum status status = chain_sync(test->chain, &err);
    if (status == STATUS_OK)
        status = chain_status(test->chain, &err);
    if (status == STATUS_OK && test->worker->options->reopen)
        status = reopen(test, &err);
    if (status != STATUS_OK)
        reader_fail(&test->reader, "the store: %s", err.text);
}
