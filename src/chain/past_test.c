/* An archive's states against those of a chain in memory that holds them all. */
#include "base/mem.h"
#include "chain/chain_fixture.h"
#include "chain/chain_int.h"
#include "chain/store.h"
#include "sys/file.h"

enum { HISTORY = 6, ROUNDS = 60 };

struct archive_bench {
    struct fixture maker;
    struct chain *chain;
    struct db *db;
    char *folder;
    u32 random;
};

static u32 below(struct archive_bench *bench, u32 bound)
{
    bench->random = bench->random * 1664525u + 1013904223u;
    return (bench->random >> 8) % bound;
}

static void reopen(struct archive_bench *bench, bool archive)
{
    struct err err = {""};
    struct db_options store = {.volatile_commits = true};
    if (bench->chain) {
        CHECK_EQ(chain_sync(bench->chain, &err), STATUS_OK);
        chain_close(bench->chain);
        db_close(bench->db);
    }
    bench->chain = NULL;
    CHECK_EQ(db_open(&bench->db, bench->folder, &store, &err), STATUS_OK);
    struct chain_options options = {
        .history = HISTORY, .seed = 5, .db = bench->db, .archive = archive};
    if (chain_open(&bench->chain, &bench->maker.genesis, &options, &err) != STATUS_OK)
        test_fail(__FILE__, __LINE__, "%s", err.text);
}

static void open_bench(struct archive_bench *bench, bool archive)
{
    struct err err;
    *bench = (struct archive_bench){.random = 11};
    CHECK_EQ(file_make_temporary(&bench->folder, &err), STATUS_OK);
    fixture_open(&bench->maker, FORK_PRAGUE, 0);
    reopen(bench, archive);
}

static void close_bench(struct archive_bench *bench)
{
    chain_close(bench->chain);
    db_close(bench->db);
    fixture_close(&bench->maker);
    file_remove_folder(bench->folder);
    mem_free(bench->folder);
}

static u64 nonce_at_head(struct archive_bench *bench)
{
    struct chain *maker = bench->maker.chain;
    return state_nonce(chain_state_look(maker), &bench->maker.rich);
}

/* A block on the head, or on one of the three before it, which both chains then take for the better one. */
static void add_block(struct archive_bench *bench)
{
    struct chain *maker = bench->maker.chain;
    u64 head = chain_head(maker)->block.header.number;
    struct tx txs[2];
    if (head > 4 && below(bench, 4) == 0) {
        hash32 hash = chain_by_number(maker, head - 1 - below(bench, 3))->block.hash;
        CHECK_EQ(chain_set_head(maker, &hash), BLOCK_OK);
    }
    u32 count = below(bench, 3);
    u64 nonce = nonce_at_head(bench);
    for (u32 i = 0; i < count; i++)
        txs[i] = call_counter(&bench->maker, nonce + i);
    struct chain_attributes attributes = {
        .timestamp = chain_head(maker)->block.header.timestamp + 1 + below(bench, 9),
        .gas_limit = 30000000,
        .coinbase = {{(u8)below(bench, 7)}},
    };
    const struct chain_block *made = chain_build(maker, &attributes, txs, count, NULL);
    CHECK(made);
    struct buf rlp;
    struct chain_report report;
    buf_init(&rlp, 1 << 20);
    block_encode(&rlp, &made->block);
    if (chain_import(bench->chain, rlp.data, rlp.len, &report) != BLOCK_OK)
        test_fail(__FILE__, __LINE__, "%s", report.text);
    buf_fini(&rlp);
}

static void check_state(struct archive_bench *bench, u64 number)
{
    struct state *is, *was;
    u256 slot = U256_ZERO;
    hash32 root, account;
    CHECK(chain_state_at(bench->maker.chain, number, &was));
    CHECK(chain_state_at(bench->chain, number, &is));
    CHECK(u256_eq(state_balance(is, &bench->maker.rich), state_balance(was, &bench->maker.rich)));
    CHECK_EQ(state_nonce(is, &bench->maker.rich), state_nonce(was, &bench->maker.rich));
    CHECK(
        u256_eq(state_storage_peek(is, &COUNTER, &slot), state_storage_peek(was, &COUNTER, &slot)));
    CHECK_EQ(state_code(is, &COUNTER).len, sizeof COUNTER_CODE);
    for (u8 i = 0; i < 8; i++) {
        addr20 coinbase = {{i}};
        CHECK(u256_eq(state_balance(is, &coinbase), state_balance(was, &coinbase)));
        CHECK_EQ(state_account_exists(is, &coinbase), state_account_exists(was, &coinbase));
    }
    chain_state_release(bench->maker.chain, was);
    chain_state_release(bench->chain, is);
    CHECK(past_root(bench->db, number, &root, &account));
    const struct header *header = &chain_by_number(bench->maker.chain, number)->block.header;
    CHECK_MEM(root.b, header->state_root.b, 32);
}

static void verify(struct archive_bench *bench)
{
    struct err err = {""};
    struct chain_verified verified;
    struct chain_verify_watcher nobody = {0};
    CHECK_EQ(chain_sync(bench->chain, &err), STATUS_OK);
    if (chain_verify(bench->db, NULL, &nobody, &verified, &err) != STATUS_OK)
        test_fail(__FILE__, __LINE__, "%s", err.text);
}

TEST(archive_has_every_state_through_reorganisations)
{
    struct archive_bench bench;
    open_bench(&bench, true);
    for (u32 i = 0; i < ROUNDS; i++) {
        add_block(&bench);
        if (i % 20 == 19)
            reopen(&bench, false); /* the store remembers what it is */
    }
    u64 head = chain_head(bench.chain)->block.header.number;
    CHECK(head > 3 * HISTORY);
    CHECK_EQ(chain_oldest_readable(bench.chain), 0);
    CHECK(chain_oldest_state(bench.chain) > 0);
    for (u64 number = 0; number <= head; number++)
        check_state(&bench, number);
    struct state *state;
    CHECK(!chain_state_branch(bench.chain, 1, &state));
    verify(&bench);
    close_bench(&bench);
}

TEST(archive_of_an_older_store_begins_with_what_is_held)
{
    struct archive_bench bench;
    open_bench(&bench, false);
    for (u32 i = 0; i < ROUNDS / 2; i++)
        add_block(&bench);
    u64 held = chain_oldest_state(bench.chain);
    reopen(&bench, true);
    CHECK_EQ(chain_oldest_readable(bench.chain), held);
    for (u32 i = 0; i < ROUNDS / 2; i++)
        add_block(&bench);
    struct state *state;
    CHECK(!chain_state_at(bench.chain, held - 1, &state));
    for (u64 number = held; number <= chain_head(bench.chain)->block.header.number; number++)
        check_state(&bench, number);
    verify(&bench);
    close_bench(&bench);
}

TEST(archive_takes_edits_back)
{
    struct archive_bench bench;
    open_bench(&bench, true);
    for (u32 i = 0; i < 3; i++)
        add_block(&bench);
    addr20 someone = {{0x99}};
    u64 at = chain_head(bench.chain)->block.header.number;
    for (u64 wei = 1; wei <= 3; wei++) {
        u256 value = u256_from_u64(wei);
        state_set_balance(chain_state_edit(bench.chain), &someone, &value);
        chain_state_commit(bench.chain);
    }
    CHECK(past_is_edited(bench.db, at));
    chain_state_unedit(bench.chain, 1);
    CHECK(past_is_edited(bench.db, at));
    struct chain_attributes attributes = {.timestamp = 1000, .gas_limit = 30000000};
    for (u32 i = 0; i < 2 * HISTORY; i++, attributes.timestamp++)
        CHECK(chain_build(bench.chain, &attributes, NULL, 0, NULL));
    struct state *state;
    CHECK(chain_state_at(bench.chain, at, &state));
    CHECK_EQ(u256_low(state_balance(state, &someone)), 1);
    chain_state_release(bench.chain, state);
    CHECK(chain_state_at(bench.chain, at - 1, &state));
    CHECK(!state_account_exists(state, &someone));
    chain_state_release(bench.chain, state);
    verify(&bench);
    close_bench(&bench);
}

TEST(archive_that_was_changed_is_found)
{
    struct archive_bench bench;
    struct err err = {""};
    struct chain_verified verified;
    struct chain_verify_watcher nobody = {0};
    open_bench(&bench, true);
    for (u32 i = 0; i < 10; i++)
        add_block(&bench);
    verify(&bench);
    struct db_cursor *cursor = db_cursor_new(bench.db, DB_SLOT_PAST);
    CHECK(db_seek(cursor, NULL, 0));
    u8 key[72];
    CHECK_EQ(db_key(cursor).len, sizeof key);
    memcpy(key, db_key(cursor).at, sizeof key);
    db_cursor_free(cursor);
    db_begin(bench.db);
    db_del(bench.db, DB_SLOT_PAST, key, sizeof key);
    CHECK_EQ(db_commit(bench.db, &err), STATUS_OK);
    CHECK_EQ(chain_verify(bench.db, NULL, &nobody, &verified, &err), STATUS_INVALID);
    CHECK(strstr(err.text, "root"));
    close_bench(&bench);
}
