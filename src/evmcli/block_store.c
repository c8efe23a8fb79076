/* Block tests through a store: one a thread, emptied for each test. */
#include "base/mem.h"
#include "evmcli/blocktest.h"

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
    test_store_fini(&worker->store);
    arena_fini(&worker->arena);
    mem_free(worker);
}

bool blocktest_open_chain(struct block_test *test, const struct genesis *genesis)
{
    struct err err;
    struct chain_options options = {0};
    struct test_store *store = &test->worker->store;
    enum status status = STATUS_OK;
    if (test->worker->options->store)
        status = test_store_empty(store, &err);
    options.db = store->db;
    if (status == STATUS_OK)
        status = chain_open(&test->chain, genesis, &options, &err);
    if (status != STATUS_OK)
        reader_fail(&test->reader, "%s", err.text);
    return status == STATUS_OK;
}

static enum status reopen(struct block_test *test, struct err *err)
{
    struct test_store *store = &test->worker->store;
    struct chain_options options = {0};
    chain_close(test->chain);
    test->chain = NULL;
    enum status status = test_store_reopen(store, err);
    options.db = store->db;
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
