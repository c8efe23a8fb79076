/* What the two block-test formats share. */
#pragma once

#include "chain/chain.h"
#include "evmcli/reader.h"
#include "evmcli/suite.h"

/* One test: its chain after genesis, and the network's name. */
struct block_test {
    struct reader reader;
    struct report *report;
    struct chain *chain;
    const char *network;
    json test;
};

/* Imports every entry of the test and checks what is expected of each; false after reader_fail. */
bool blocktest_import_blocks(struct block_test *test, json blocks);
bool enginetest_import_payloads(struct block_test *test, json payloads);

/* Reads a header as these tests write it. */
void blocktest_read_header(struct reader *reader, struct header *header, json object);
