/* What the two block-test formats share. */
#pragma once

#include "chain/chain.h"
#include "evmcli/reader.h"
#include "evmcli/suite.h"
#include "evmcli/test_store.h"

/* What one thread keeps from test to test. */
struct block_worker {
    const struct suite_options *options;
    struct arena arena;
    struct test_store store; /* empty without --store */
};

void *block_worker_new(const struct suite_options *options);
void block_worker_free(void *worker);

/* One test: its chain after genesis, and the network's name. */
struct block_test {
    struct block_worker *worker;
    struct reader reader;
    struct report *report;
    struct chain *chain;
    const char *network;
    json test;
};

/* Imports every entry of the test and checks what is expected of each; false after reader_fail. */
bool blocktest_import_blocks(struct block_test *test, json blocks);
bool enginetest_import_payloads(struct block_test *test, json payloads);

/* Opens test->chain, in the worker's store if there is one, which is emptied first. False after reader_fail. */
bool blocktest_open_chain(struct block_test *test, const struct genesis *genesis);
/* To be called after each block: makes it last, and with --reopen comes back to it from the store alone. */
void blocktest_settle(struct block_test *test);

/* How a header in a test and an engine API payload name what both of them have under other names. */
struct header_keys {
    const char *coinbase, *receipts_root, *number, *logs_bloom, *mix_hash;
};

/* Reads that, and what both name alike; all else becomes zero. */
void blocktest_read_common(struct reader *reader, struct header *header, json object,
                           const struct header_keys *keys);

/* Reads a header as these tests write it. */
void blocktest_read_header(struct reader *reader, struct header *header, json object);
