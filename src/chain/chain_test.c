#include "base/mem.h"
#include "chain/chain_fixture.h"

static const struct chain_block *build_one(struct fixture *f, u64 nonce)
{
    struct tx tx = call_counter(f, nonce);
    enum tx_verdict verdict;
    struct chain_attributes attributes = {
        .timestamp = chain_head(f->chain)->block.header.timestamp + 12,
        .gas_limit = 30000000,
        .coinbase = {{0xcb}},
    };
    const struct chain_block *block = chain_build(f->chain, &attributes, &tx, 1, &verdict);
    CHECK(block);
    CHECK_EQ(verdict, TX_OK);
    return block;
}

static u64 counter_at(struct fixture *f, u64 number)
{
    struct state *state;
    u256 key = U256_ZERO;
    CHECK(chain_state_at(f->chain, number, &state));
    u256 value = state_storage_peek(state, &COUNTER, &key);
    chain_state_release(f->chain, state);
    return u256_low(value);
}

TEST(chain_builds_on_every_fork_what_another_chain_accepts)
{
    for (enum fork fork = FORK_SPURIOUS; fork < FORK_COUNT; fork++) {
        struct fixture maker, taker;
        fixture_open(&maker, fork, 0);
        fixture_open(&taker, fork, 0);
        for (u64 n = 0; n < 3; n++) {
            const struct chain_block *built = build_one(&maker, n);
            struct buf rlp;
            struct chain_report report;
            buf_init(&rlp, 1 << 20);
            block_encode(&rlp, &built->block);
            enum block_verdict verdict = chain_import(taker.chain, rlp.data, rlp.len, &report);
            if (verdict != BLOCK_OK)
                CHECK_STR(report.text, "");
            CHECK_EQ(chain_import(taker.chain, rlp.data, rlp.len, NULL), BLOCK_KNOWN);
            buf_fini(&rlp);
        }
        CHECK_MEM(chain_head(taker.chain)->block.hash.b, chain_head(maker.chain)->block.hash.b, 32);
        CHECK_EQ(counter_at(&taker, 3), 3);
        fixture_close(&maker);
        fixture_close(&taker);
    }
}

TEST(chain_shows_every_older_state_and_unwinds)
{
    struct fixture f;
    fixture_open(&f, FORK_OSAKA, 0);
    hash32 roots[6];
    for (u64 n = 0; n < 6; n++)
        roots[n] = build_one(&f, n)->block.header.state_root;
    for (u64 n = 0; n <= 6; n++)
        CHECK_EQ(counter_at(&f, n), n);
    CHECK(chain_unwind(f.chain, 4));
    CHECK_EQ(chain_head(f.chain)->block.header.number, 4);
    CHECK(!chain_by_number(f.chain, 5));
    CHECK_EQ(counter_at(&f, 4), 4);
    CHECK_EQ(counter_at(&f, 2), 2);
    const struct chain_block *again = build_one(&f, 4);
    CHECK_MEM(again->block.header.state_root.b, roots[4].b, 32);
    u32 index = 9;
    CHECK(chain_find_tx(f.chain, &again->block.txs[0].hash, &index) == again);
    CHECK_EQ(index, 0);
    CHECK_EQ(again->receipts[0].log_count, 1);
    CHECK(!chain_unwind(f.chain, 6));
    fixture_close(&f);
}

/* The block that the counter's n-th call makes on its parent. */
static hash32 draft_one(struct fixture *f, u64 n, u64 on)
{
    struct state *state;
    struct arena arena;
    struct chain_block draft;
    enum tx_verdict verdict;
    const struct chain_block *parent = chain_by_number(f->chain, on);
    struct chain_attributes attributes = {.timestamp = parent->block.header.timestamp + 12,
                                          .gas_limit = 30000000};
    struct tx tx = call_counter(f, n);
    arena_init(&arena);
    CHECK(chain_state_branch(f->chain, on, &state));
    CHECK_EQ(chain_draft(f->chain, &draft, &arena, state, parent, &attributes, &tx, 1, &verdict),
             BLOCK_OK);
    CHECK_EQ(verdict, TX_OK);
    CHECK_EQ(draft.block.tx_count, 1);
    chain_state_release(f->chain, state);
    arena_fini(&arena);
    return draft.block.hash;
}

TEST(chain_drafts_on_any_block_what_it_would_build_there)
{
    for (enum fork fork = FORK_SPURIOUS; fork < FORK_COUNT; fork += 3) {
        struct fixture f;
        hash32 hashes[5];
        fixture_open(&f, fork, 0);
        for (u64 n = 0; n < 5; n++) {
            struct chain_attributes attributes = {
                .timestamp = chain_head(f.chain)->block.header.timestamp + 12,
                .gas_limit = 30000000};
            struct tx tx = call_counter(&f, n);
            hash32 drafted = draft_one(&f, n, n);
            hashes[n] = chain_build(f.chain, &attributes, &tx, 1, NULL)->block.hash;
            CHECK_MEM(drafted.b, hashes[n].b, sizeof drafted.b);
        }
        for (u64 n = 0; n < 5; n++) {
            hash32 drafted = draft_one(&f, n, n);
            CHECK_MEM(drafted.b, hashes[n].b, sizeof drafted.b);
        }
        CHECK_EQ(counter_at(&f, 5), 5);
        fixture_close(&f);
    }
}

TEST(chain_bounded_by_history_forgets_the_oldest_and_stays_flat)
{
    struct fixture f;
    fixture_open(&f, FORK_OSAKA, 4);
    hash32 first = chain_head(f.chain)->block.hash;
    for (u64 n = 0; n < 40; n++)
        build_one(&f, n);
    CHECK_EQ(chain_oldest(f.chain), 36);
    CHECK(!chain_by_hash(f.chain, &first));
    for (u64 n = 36; n <= 40; n++)
        CHECK_EQ(counter_at(&f, n), n);
    struct state *state;
    CHECK(!chain_state_at(f.chain, 35, &state));
    CHECK(!chain_unwind(f.chain, 35));
    CHECK(chain_unwind(f.chain, 36));
    CHECK_EQ(counter_at(&f, 36), 36);
    fixture_close(&f);
}

TEST(chain_goes_over_to_the_side_with_more_difficulty_and_back)
{
    struct fixture a, b;
    fixture_open(&a, FORK_LONDON, 0);
    fixture_open(&b, FORK_LONDON, 0);
    struct buf blocks[3];
    for (u64 n = 0; n < 3; n++) { /* b's chain is the longer one */
        buf_init(&blocks[n], 1 << 20);
        struct chain_attributes late = {.timestamp = 100 + 5 * n, .gas_limit = 30000000};
        struct tx tx = call_counter(&b, n);
        block_encode(&blocks[n], &chain_build(b.chain, &late, &tx, 1, NULL)->block);
    }
    build_one(&a, 0);
    build_one(&a, 1);
    hash32 own = chain_head(a.chain)->block.hash;
    for (u64 n = 0; n < 3; n++) {
        CHECK_EQ(chain_import(a.chain, blocks[n].data, blocks[n].len, NULL), BLOCK_OK);
        buf_fini(&blocks[n]);
    }
    CHECK_MEM(chain_head(a.chain)->block.hash.b, chain_head(b.chain)->block.hash.b, 32);
    CHECK_EQ(counter_at(&a, 3), 3);
    CHECK(!chain_by_hash(a.chain, &own)->is_canonical);
    CHECK_EQ(chain_set_head(a.chain, &own), BLOCK_OK);
    CHECK_EQ(counter_at(&a, 2), 2);
    CHECK_EQ(chain_head(a.chain)->block.header.number, 2);
    fixture_close(&a);
    fixture_close(&b);
}

TEST(chain_refuses_a_changed_block_and_stays_where_it_was)
{
    struct fixture maker, taker;
    fixture_open(&maker, FORK_OSAKA, 0);
    fixture_open(&taker, FORK_OSAKA, 0);
    struct buf rlp;
    buf_init(&rlp, 1 << 20);
    block_encode(&rlp, &build_one(&maker, 0)->block);
    hash32 before = chain_head(taker.chain)->block.hash;
    for (size_t at = 0; at < rlp.len; at++) {
        struct chain_report report;
        rlp.data[at] ^= 1;
        enum block_verdict verdict = chain_import(taker.chain, rlp.data, rlp.len, &report);
        /* Only the header's free fields can change without a contradiction inside the block. */
        if (verdict == BLOCK_OK)
            CHECK(chain_unwind(taker.chain, 0));
        else
            CHECK(report.text[0]);
        rlp.data[at] ^= 1;
    }
    CHECK_MEM(chain_head(taker.chain)->block.hash.b, before.b, 32);
    CHECK_EQ(chain_import(taker.chain, rlp.data, rlp.len, NULL), BLOCK_OK);
    buf_fini(&rlp);
    fixture_close(&maker);
    fixture_close(&taker);
}

TEST(chain_edits_belong_to_their_block)
{
    struct fixture f;
    fixture_open(&f, FORK_OSAKA, 0);
    build_one(&f, 0);
    u256 wei = u256_from_u64(77);
    addr20 someone = {{0x99}};
    state_set_balance(chain_state_edit(f.chain), &someone, &wei);
    chain_state_commit(f.chain);
    CHECK_EQ(chain_state_edits(f.chain), 1);
    build_one(&f, 1);
    struct state *state;
    CHECK(chain_state_at(f.chain, 1, &state));
    CHECK_EQ(u256_low(state_balance(state, &someone)), 77);
    chain_state_release(f.chain, state);
    CHECK(chain_unwind(f.chain, 1));
    CHECK_EQ(chain_state_edits(f.chain), 1);
    chain_state_unedit(f.chain, 0);
    CHECK(chain_state_at(f.chain, 1, &state));
    CHECK(u256_is_zero(state_balance(state, &someone)));
    chain_state_release(f.chain, state);
    CHECK_EQ(counter_at(&f, 1), 1);
    fixture_close(&f);
}

TEST(chain_names_why_a_transaction_cannot_be_included)
{
    struct fixture f;
    fixture_open(&f, FORK_OSAKA, 0);
    struct tx txs[4] = {call_counter(&f, 1), call_counter(&f, 0), call_counter(&f, 0),
                        call_counter(&f, 1)};
    txs[3].gas = 20000;
    CHECK(tx_sign(&txs[3], f.signer, &f.secret));
    enum tx_verdict verdicts[4];
    struct chain_attributes attributes = {.timestamp = 12, .gas_limit = 30000000};
    const struct chain_block *block = chain_build(f.chain, &attributes, txs, 4, verdicts);
    CHECK_EQ(block->block.tx_count, 1);
    CHECK_EQ(verdicts[0], TX_NONCE_TOO_HIGH);
    CHECK_EQ(verdicts[1], TX_OK);
    CHECK_EQ(verdicts[2], TX_NONCE_TOO_LOW);
    CHECK_EQ(verdicts[3], TX_INTRINSIC_GAS);
    fixture_close(&f);
}

TEST(chain_without_the_system_contracts_builds_nothing)
{
    struct fixture f;
    fixture_open(&f, FORK_CANCUN, 0);
    f.genesis.config.fork_at[FORK_PRAGUE] = 0;
    f.genesis.config.blob_at[BLOB_UPGRADE_PRAGUE] = 0;
    struct chain *chain;
    struct chain_options options = {.seed = 1};
    struct err err;
    genesis_complete_header(&f.genesis.header, &f.genesis.config);
    CHECK_EQ(chain_open(&chain, &f.genesis, &options, &err), STATUS_OK);
    struct chain_attributes attributes = {.timestamp = 12, .gas_limit = 30000000};
    hash32 before = chain_head(chain)->block.hash;
    CHECK(!chain_build(chain, &attributes, NULL, 0, NULL));
    CHECK_MEM(chain_head(chain)->block.hash.b, before.b, 32);
    chain_close(chain);
    fixture_close(&f);
}
