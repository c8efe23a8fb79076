/*
 * How long a block takes from its receipt, its bytes in hand, until no crash can take it away: chain_import and
 * chain_sync, a block at a time as at the head of a chain.
 *   block_bench GENESIS CHAIN.rlp FOLDER [THREADS]
 * The store is made in FOLDER, which decides what disk is waited for. THREADS besides this one share senders and hashing; as
 * many as there are other processors unless given. A line a block: its number, and microseconds of both.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "chain/chain.h"
#include "db/db.h"
#include "prim/rlp.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/thread.h"
#include "sys/workers.h"

enum { FILE_MAX = 1 << 30, HISTORY = 128 };

static void must(enum status status, const struct err *err)
{
    if (status == STATUS_OK)
        return;
    fprintf(stderr, "block_bench: %s\n", err->text);
    exit(1);
}

static void import_all(struct chain *chain, const u8 *bytes, size_t len)
{
    struct err err;
    struct chain_report report;
    struct rlp blocks = rlp_open(bytes, len);
    while (!rlp_at_end(&blocks)) {
        struct rlp_item item;
        if (rlp_item(&blocks, &item) != RLP_OK)
            must(err_set(&err, STATUS_INVALID, "the file is no list of blocks"), &err);
        size_t item_len = (size_t)(item.payload + item.len - item.start);
        u64 begin = clock_monotonic_ns();
        if (chain_import(chain, item.start, item_len, &report) != BLOCK_OK)
            must(err_set(&err, STATUS_INVALID, "a block was refused: %s", report.text), &err);
        u64 imported = clock_monotonic_ns();
        must(chain_sync(chain, &err), &err);
        u64 durable = clock_monotonic_ns();
        printf("%llu %.1f %.1f\n", (unsigned long long)chain_head(chain)->block.header.number,
               (double)(imported - begin) / 1e3, (double)(durable - imported) / 1e3);
    }
}

int main(int argc, char **argv)
{
    u8 *text, *bytes;
    size_t text_len, len;
    struct arena arena;
    struct genesis genesis;
    struct err err;
    const struct db_options as_usual = {0};
    struct chain_options options = {.history = HISTORY, .seed = 1};
    if (argc < 4) {
        fprintf(stderr, "block_bench GENESIS CHAIN.rlp FOLDER [THREADS]\n");
        return 1;
    }
    unsigned threads = argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : thread_cpu_count() - 1;
    arena_init(&arena);
    must(file_read(&text, &text_len, argv[1], FILE_MAX, &err), &err);
    must(genesis_parse(&genesis, &arena, (const char *)text, text_len, &err), &err);
    mem_free(text);
    must(file_read(&bytes, &len, argv[2], FILE_MAX, &err), &err);
    must(db_open(&options.db, arena_format(&arena, "%s/chain", argv[3]), &as_usual, &err), &err);
    options.segments = arena_format(&arena, "%s/segments", argv[3]);
    options.workers = threads ? workers_new(NULL, threads) : NULL;
    struct chain *chain;
    must(chain_open(&chain, &genesis, &options, &err), &err);
    arena_fini(&arena);
    import_all(chain, bytes, len);
    chain_close(chain);
    if (options.workers)
        workers_free(options.workers);
    db_close(options.db);
    mem_free(bytes);
    return 0;
}
