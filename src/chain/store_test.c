/* Chains in a store: what they hold after any sequence of imports, reorganisations, syncs and losses is what a chain
 * in memory holds. */
#include "base/mem.h"
#include "chain/chain_fixture.h"
#include "chain/store.h"
#include "sys/file.h"

enum { BLOCKS = 160, HISTORY = 12, BACK_MAX = 6, HELD_SOME = 24000 };

struct bench {
    char *folder;
    struct db *db;
    struct fixture maker; /* in memory, holds everything */
    struct fixture taker;
    u64 random;
    struct buf blocks[BLOCKS];
    hash32 hashes[BLOCKS];
    size_t held;              /* the taker's bound of memory */
    u32 made, taken, durable; /* blocks, in the order they were made */
    u64 highest, tallest;     /* the greatest numbers that taker and maker have been at */
};

static u32 random_below(struct bench *bench, u32 bound)
{
    bench->random = bench->random * 6364136223846793005u + 1442695040888963407u;
    return (u32)(bench->random >> 33) % bound;
}

static void open_store(struct bench *bench)
{
    struct err err = {""};
    struct db_options options = {.volatile_commits = true};
    if (db_open(&bench->db, bench->folder, &options, &err) != STATUS_OK)
        test_fail(__FILE__, __LINE__, "%s", err.text);
}

static void bench_open(struct bench *bench, u64 seed)
{
    struct err err;
    *bench = (struct bench){.random = seed};
    CHECK_EQ(file_make_temporary(&bench->folder, &err), STATUS_OK);
    open_store(bench);
    fixture_open(&bench->maker, FORK_PRAGUE, 0);
    fixture_open_in(&bench->taker, FORK_PRAGUE, HISTORY, bench->db);
}

static void bench_close(struct bench *bench)
{
    fixture_close(&bench->taker);
    fixture_close(&bench->maker);
    db_close(bench->db);
    file_remove_folder(bench->folder);
    mem_free(bench->folder);
    for (u32 i = 0; i < bench->made; i++)
        buf_fini(&bench->blocks[i]);
}

/* Another block, on the head or now and then on one of those before it. */
static void make_block(struct bench *bench)
{
    struct chain *chain = bench->maker.chain;
    u64 head = chain_head(chain)->block.header.number;
    bench->tallest = head > bench->tallest ? head : bench->tallest;
    u64 lowest = bench->tallest > BACK_MAX ? bench->tallest - BACK_MAX : 0;
    if (head > lowest && random_below(bench, 5) == 0) {
        u64 target = lowest + random_below(bench, (u32)(head - lowest));
        hash32 hash = chain_by_number(chain, target)->block.hash;
        CHECK_EQ(chain_set_head(chain, &hash), BLOCK_OK);
    }
    struct state *state;
    head = chain_head(chain)->block.header.number;
    CHECK(chain_state_at(chain, head, &state));
    u64 nonce = state_nonce(state, &bench->maker.rich);
    chain_state_release(chain, state);
    struct tx txs[3];
    enum tx_verdict verdicts[3];
    u32 count = random_below(bench, 4);
    for (u32 i = 0; i < count; i++)
        txs[i] = call_counter(&bench->maker, nonce + i);
    struct chain_attributes attributes = {
        .timestamp = chain_head(chain)->block.header.timestamp + 1 + random_below(bench, 20),
        .gas_limit = 30000000,
        .coinbase = {{(u8)bench->made}},
    };
    const struct chain_block *built = chain_build(chain, &attributes, txs, count, verdicts);
    CHECK(built && built->block.tx_count == count);
    buf_init(&bench->blocks[bench->made], 1 << 20);
    block_encode(&bench->blocks[bench->made], &built->block);
    bench->hashes[bench->made++] = built->block.hash;
}

/* As after a crash, or with `synced` as after an ordinary end. */
static void reopen(struct bench *bench, bool synced)
{
    struct err err = {""};
    struct chain_options options = {
        .history = HISTORY, .seed = 43, .memory = {.held = bench->held}};
    if (synced) {
        CHECK_EQ(chain_sync(bench->taker.chain, &err), STATUS_OK);
        bench->durable = bench->taken;
    }
    chain_close(bench->taker.chain);
    bench->taker.chain = NULL;
    db_close(bench->db);
    bench->db = NULL;
    open_store(bench);
    options.db = bench->db;
    if (chain_open(&bench->taker.chain, NULL, &options, &err) != STATUS_OK)
        test_fail(__FILE__, __LINE__, "%s", err.text);
    bench->taken = bench->durable;
}

static void take_block(struct bench *bench)
{
    struct chain_report report;
    const struct buf *rlp = &bench->blocks[bench->taken];
    if (chain_import(bench->taker.chain, rlp->data, rlp->len, &report) != BLOCK_OK)
        test_fail(__FILE__, __LINE__, "block %u: %s", bench->taken, report.text);
    CHECK_MEM(chain_head(bench->taker.chain)->block.hash.b, bench->hashes[bench->taken].b, 32);
    u64 head = chain_head(bench->taker.chain)->block.header.number;
    bench->highest = head > bench->highest ? head : bench->highest;
    bench->taken++;
}

static void check_same_block(const struct chain_block *a, const struct chain_block *b)
{
    struct buf x, y;
    buf_init(&x, 1 << 20);
    buf_init(&y, 1 << 20);
    record_encode(&x, a, NULL, 0);
    record_encode(&y, b, NULL, 0);
    CHECK_EQ(x.len, y.len);
    CHECK_MEM(x.data, y.data, y.len);
    for (u32 i = 0; i < a->block.tx_count; i++) {
        CHECK_EQ(a->receipts[i].gas_used, b->receipts[i].gas_used);
        CHECK_EQ(a->receipts[i].log_index_base, b->receipts[i].log_index_base);
        CHECK_MEM(&a->receipts[i].bloom, &b->receipts[i].bloom, sizeof(struct bloom));
        CHECK(u256_eq(a->receipts[i].effective_gas_price, b->receipts[i].effective_gas_price));
    }
    CHECK_EQ(a->is_canonical, b->is_canonical);
    buf_fini(&x);
    buf_fini(&y);
}

/* The taker's whole chain against the maker's, whose head it is made to be. */
static void check_same_chain(struct bench *bench)
{
    struct chain *maker = bench->maker.chain, *taker = bench->taker.chain;
    u64 head = chain_head(taker)->block.header.number;
    hash32 hash = chain_head(maker)->block.hash;
    CHECK_EQ(chain_set_head(maker, &chain_head(taker)->block.hash), BLOCK_OK);
    CHECK_EQ(chain_oldest(taker), 0);
    CHECK(!chain_by_number(taker, head + 1));
    for (u64 number = 0; number <= head; number++) {
        const struct chain_block *want = chain_by_number(maker, number);
        const struct chain_block *got = chain_by_number(taker, number);
        CHECK(got);
        check_same_block(got, want);
        CHECK(chain_by_hash(taker, &want->block.hash) == got);
        for (u32 i = 0; i < want->block.tx_count; i++) {
            u32 index = UINT32_MAX;
            CHECK(chain_find_tx(taker, &want->block.txs[i].hash, &index) == got);
            CHECK_EQ(index, i);
        }
    }
    /* What was dropped when the chain was longer does not come back. */
    u64 from = bench->highest > HISTORY ? bench->highest - HISTORY : 0;
    for (u64 number = from; number <= head; number++) {
        struct state *a, *b;
        CHECK(chain_state_at(maker, number, &a) && chain_state_at(taker, number, &b));
        u256 key = U256_ZERO, x = state_balance(a, &bench->maker.rich),
             y = state_balance(b, &bench->maker.rich);
        CHECK(u256_eq(x, y));
        CHECK(
            u256_eq(state_storage_peek(a, &COUNTER, &key), state_storage_peek(b, &COUNTER, &key)));
        chain_state_release(maker, a);
        chain_state_release(taker, b);
    }
    CHECK_EQ(chain_set_head(maker, &hash), BLOCK_OK);
}

TEST(store_chains_are_what_chains_in_memory_are)
{
    for (u64 seed = 1; seed <= 6; seed++) {
        struct bench bench;
        struct err err = {""};
        bench_open(&bench, seed);
        bench.held = seed % 2 ? 0 : HELD_SOME;
        reopen(&bench, true);
        while (bench.made < BLOCKS)
            make_block(&bench);
        while (bench.taken < BLOCKS) {
            take_block(&bench);
            switch (random_below(&bench, 12)) {
            case 0: reopen(&bench, true); break;
            case 1: reopen(&bench, false); break;
            case 2:
            case 3:
                CHECK_EQ(chain_sync(bench.taker.chain, &err), STATUS_OK);
                bench.durable = bench.taken;
                break;
            case 4: check_same_chain(&bench); break;
            default: break;
            }
        }
        reopen(&bench, true);
        check_same_chain(&bench);
        struct chain_verify_watcher watcher = {0};
        struct chain_verified verified;
        if (chain_verify(bench.db, NULL, &watcher, &verified, &err) != STATUS_OK)
            test_fail(__FILE__, __LINE__, "%s", err.text);
        CHECK_MEM(verified.hash.b, bench.hashes[BLOCKS - 1].b, 32);
        bench_close(&bench);
    }
}

/* With next to no memory for them blocks are read from the store, and older states refused; branches may still
 * begin anywhere. */
TEST(store_holds_blocks_without_memory)
{
    struct bench bench;
    struct state *state;
    bench_open(&bench, 11);
    bench.held = 1;
    reopen(&bench, true);
    while (bench.made < BLOCKS)
        make_block(&bench);
    while (bench.taken < BLOCKS) {
        take_block(&bench);
        if (random_below(&bench, 10) == 0)
            reopen(&bench, true);
    }
    struct chain *taker = bench.taker.chain, *maker = bench.maker.chain;
    u64 head = chain_head(taker)->block.header.number;
    CHECK_EQ(chain_set_head(maker, &chain_head(taker)->block.hash), BLOCK_OK);
    for (u64 number = 0; number <= head; number++)
        check_same_block(chain_by_number(taker, number), chain_by_number(maker, number));
    CHECK(chain_state_at(taker, head, &state));
    chain_state_release(taker, state);
    CHECK(!chain_state_at(taker, head - 5, &state));
    hash32 before = chain_by_number(taker, head - 5)->block.hash, last = bench.hashes[BLOCKS - 1];
    CHECK_EQ(chain_set_head(taker, &before), BLOCK_OK);
    check_same_block(chain_head(taker), chain_by_number(maker, head - 5));
    CHECK_EQ(chain_set_head(taker, &last), BLOCK_OK);
    check_same_block(chain_head(taker), chain_by_number(maker, head));
    reopen(&bench, true);
    bench_close(&bench);
}

/* Whatever was read before it: that it was read long ago, and is only asked for again, counts as well. */
TEST(store_lends_a_block_until_sixteen_others_were_asked_for)
{
    enum { LENT = 16 };
    struct bench bench;
    bench_open(&bench, 12);
    bench.held = 1;
    reopen(&bench, true);
    while (bench.made < BLOCKS)
        make_block(&bench);
    while (bench.taken < BLOCKS)
        take_block(&bench);
    struct chain *taker = bench.taker.chain, *maker = bench.maker.chain;
    CHECK(chain_head(taker)->block.header.number > 2 * LENT);
    CHECK_EQ(chain_set_head(maker, &chain_head(taker)->block.hash), BLOCK_OK);
    for (u64 again = 1; again <= LENT; again++) {
        for (u64 number = 1; number <= LENT; number++)
            CHECK(chain_by_number(taker, number));
        const struct chain_block *block = chain_by_number(taker, again);
        for (u64 number = LENT + 1; number < 2 * LENT; number++) {
            CHECK(chain_by_number(taker, number));
            check_same_block(block, chain_by_number(maker, again));
        }
    }
    bench_close(&bench);
}

TEST(store_refuses_what_is_older_than_it_can_go_back)
{
    struct bench bench;
    struct chain_report report;
    bench_open(&bench, 9);
    for (u32 i = 0; i < HISTORY + 4; i++) {
        struct chain_attributes attributes = {.timestamp = 12 * (i + 1), .gas_limit = 30000000};
        CHECK(chain_build(bench.taker.chain, &attributes, NULL, 0, NULL));
    }
    struct chain_attributes other = {.timestamp = 13, .gas_limit = 30000000};
    const struct chain_block *sibling = chain_build(bench.maker.chain, &other, NULL, 0, NULL);
    struct buf rlp;
    buf_init(&rlp, 1 << 20);
    block_encode(&rlp, &sibling->block);
    CHECK_EQ(chain_import(bench.taker.chain, rlp.data, rlp.len, &report), BLOCK_UNKNOWN_PARENT);
    CHECK(strstr(report.text, "older than"));
    buf_reset(&rlp);
    block_encode(&rlp, &chain_by_number(bench.taker.chain, 1)->block);
    CHECK_EQ(chain_import(bench.taker.chain, rlp.data, rlp.len, &report), BLOCK_KNOWN);
    buf_fini(&rlp);
    bench_close(&bench);
}

TEST(store_knows_whose_chain_it_holds)
{
    struct bench bench;
    struct err err;
    bench_open(&bench, 10);
    struct chain_attributes attributes = {.timestamp = 100, .gas_limit = 30000000};
    CHECK(chain_build(bench.taker.chain, &attributes, NULL, 0, NULL));
    CHECK_EQ(chain_sync(bench.taker.chain, &err), STATUS_OK);
    chain_close(bench.taker.chain);
    bench.taker.chain = NULL;
    struct chain_options options = {.history = HISTORY, .db = bench.db};
    struct genesis genesis = bench.taker.genesis;
    struct chain *chain;
    genesis.header.timestamp++;
    CHECK_EQ(chain_open(&chain, &genesis, &options, &err), STATUS_INVALID);
    CHECK(strstr(err.text, "another genesis, block 0x"));
    genesis.header.timestamp--;
    genesis.config.fork_at[FORK_OSAKA] = 100;
    CHECK_EQ(chain_open(&chain, &genesis, &options, &err), STATUS_INVALID);
    CHECK(strstr(err.text, "Osaka"));
    genesis.config.fork_at[FORK_OSAKA] = 101;
    CHECK_EQ(chain_open(&chain, &genesis, &options, &err), STATUS_OK);
    CHECK_EQ(chain_sync(chain, &err), STATUS_OK);
    chain_close(chain);
    CHECK_EQ(chain_open(&chain, NULL, &options, &err), STATUS_OK);
    CHECK_EQ(chain_config(chain)->fork_at[FORK_OSAKA], 101);
    chain_close(chain);
    bench_close(&bench);
}

/* What a passed rule is decides what blocks are; it is not only when it came. */
TEST(store_refuses_other_figures_of_rules_it_has_passed)
{
    struct bench bench;
    struct err err;
    struct chain *chain;
    bench_open(&bench, 12);
    struct chain_attributes attributes = {.timestamp = 100, .gas_limit = 30000000};
    CHECK(chain_build(bench.taker.chain, &attributes, NULL, 0, NULL));
    CHECK_EQ(chain_sync(bench.taker.chain, &err), STATUS_OK);
    chain_close(bench.taker.chain);
    bench.taker.chain = NULL;
    struct chain_options options = {.history = HISTORY, .db = bench.db};
    struct genesis genesis = bench.taker.genesis;
    struct chain_config *config = &genesis.config;
    config->blob[BLOB_UPGRADE_CANCUN].max++;
    CHECK_EQ(chain_open(&chain, &genesis, &options, &err), STATUS_INVALID);
    CHECK(strstr(err.text, "blobSchedule"));
    config->blob[BLOB_UPGRADE_CANCUN].max--;
    config->blob_at[BLOB_UPGRADE_BPO1] = 100;
    CHECK_EQ(chain_open(&chain, &genesis, &options, &err), STATUS_INVALID);
    config->blob_at[BLOB_UPGRADE_BPO1] = CONFIG_NEVER;
    config->deposit_contract.b[0] ^= 1;
    CHECK_EQ(chain_open(&chain, &genesis, &options, &err), STATUS_INVALID);
    CHECK(strstr(err.text, "depositContractAddress"));
    config->deposit_contract.b[0] ^= 1;
    config->ttd = u256_from_u64(1000000);
    CHECK_EQ(chain_open(&chain, &genesis, &options, &err), STATUS_INVALID);
    CHECK(strstr(err.text, "terminalTotalDifficulty"));
    config->ttd = bench.taker.genesis.config.ttd;
    config->muir_glacier = 3;
    CHECK_EQ(chain_open(&chain, &genesis, &options, &err), STATUS_INVALID);
    CHECK(strstr(err.text, "muirGlacierBlock"));
    config->muir_glacier = bench.taker.genesis.config.muir_glacier;
    config->blob_at[BLOB_UPGRADE_BPO1] = 101;
    config->blob[BLOB_UPGRADE_BPO2].max++; /* of no use yet */
    CHECK_EQ(chain_open(&chain, &genesis, &options, &err), STATUS_OK);
    chain_close(chain);
    bench_close(&bench);
}

TEST(store_without_a_chain_asks_for_a_genesis)
{
    struct bench bench = {0};
    struct err err;
    struct chain *chain;
    CHECK_EQ(file_make_temporary(&bench.folder, &err), STATUS_OK);
    open_store(&bench);
    struct chain_options options = {.history = HISTORY, .db = bench.db};
    CHECK_EQ(chain_open(&chain, NULL, &options, &err), STATUS_NOT_FOUND);
    db_close(bench.db);
    file_remove_folder(bench.folder);
    mem_free(bench.folder);
}

/* Whatever byte is changed, the record is refused or is still a record of that block. */
TEST(records_with_changed_bytes_are_refused_or_whole)
{
    struct fixture f;
    struct buf record, again;
    struct chain_block found;
    fixture_open(&f, FORK_PRAGUE, 0);
    struct tx tx = call_counter(&f, 0);
    struct chain_attributes attributes = {.timestamp = 12, .gas_limit = 30000000};
    const struct chain_block *built = chain_build(f.chain, &attributes, &tx, 1, NULL);
    CHECK(built);
    buf_init(&record, 1 << 20);
    buf_init(&again, 1 << 20);
    record_encode(&record, built, NULL, 0);
    for (size_t i = 0; i < record.len; i++) {
        record.data[i] ^= 0x55;
        arena_reset(&f.arena);
        if (record_decode(&found, &f.arena, &built->block.hash, record.data, record.len)) {
            buf_reset(&again);
            record_encode(&again, &found, NULL, 0);
            CHECK_EQ(again.len, record.len);
            CHECK_MEM(again.data, record.data, record.len);
        }
        CHECK(!record_decode(&found, &f.arena, &built->block.hash, record.data, i));
        record.data[i] ^= 0x55;
    }
    struct buf left;
    buf_init(&left, 1 << 20);
    CHECK(record_cut(&left, record.data, record.len));
    CHECK(left.len < record.len);
    CHECK(record_decode_cut(&found, &built->block.hash, left.data, left.len));
    CHECK(found.is_pruned && !found.receipts && !found.block.tx_count);
    CHECK(u256_eq(found.total_difficulty, built->total_difficulty));
    for (size_t i = 0; i < left.len; i++) {
        CHECK(!record_decode_cut(&found, &built->block.hash, left.data, i));
        left.data[i] ^= 0x55;
        if (record_decode_cut(&found, &built->block.hash, left.data, left.len))
            CHECK(!u256_eq(found.total_difficulty, built->total_difficulty));
        left.data[i] ^= 0x55;
    }
    buf_fini(&left);
    buf_fini(&record);
    buf_fini(&again);
    fixture_close(&f);
}

/* With edited nonces a transaction can stand in two blocks; the later one is where it is found. */
TEST(store_forgets_transactions_of_their_own_block_only)
{
    struct bench bench;
    hash32 hash = {{1}};
    u64 number;
    u32 index;
    bench_open(&bench, 12);
    struct tx tx = {.hash = hash};
    struct block early = {.header = {.number = 5}, .txs = &tx, .tx_count = 1}, late = early;
    late.header.number = 7;
    store_put_canonical(bench.db, &early);
    store_put_canonical(bench.db, &late);
    store_del_txs(bench.db, &early);
    CHECK(store_get_tx(bench.db, &number, &index, &hash));
    CHECK_EQ(number, 7);
    store_del_txs(bench.db, &late);
    CHECK(!store_get_tx(bench.db, &number, &index, &hash));
    bench_close(&bench);
}

TEST(bad_blocks_are_remembered)
{
    struct fixture f, maker;
    struct chain_report report, second;
    struct buf rlp;
    fixture_open(&f, FORK_PRAGUE, 0);
    fixture_open(&maker, FORK_PRAGUE, 0);
    struct tx tx = call_counter(&maker, 0);
    struct chain_attributes attributes = {.timestamp = 12, .gas_limit = 30000000};
    struct chain_block bad = *chain_build(maker.chain, &attributes, &tx, 1, NULL);
    bad.block.header.state_root.b[0] ^= 1;
    buf_init(&rlp, 1 << 20);
    block_encode(&rlp, &bad.block);
    CHECK_EQ(chain_import(f.chain, rlp.data, rlp.len, &report), BLOCK_STATE_ROOT);
    CHECK_EQ(chain_import(f.chain, rlp.data, rlp.len, &second), BLOCK_STATE_ROOT);
    CHECK_STR(second.text, report.text);
    bad.block.header.parent_hash = header_hash(&bad.block.header);
    bad.block.header.number++;
    buf_reset(&rlp);
    block_encode(&rlp, &bad.block);
    CHECK_EQ(chain_import(f.chain, rlp.data, rlp.len, &report), BLOCK_UNKNOWN_PARENT);
    CHECK(strstr(report.text, "parent was refused"));
    buf_fini(&rlp);
    fixture_close(&maker);
    fixture_close(&f);
}
