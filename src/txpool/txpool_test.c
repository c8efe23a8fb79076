#include <string.h>

#include "base/mem.h"
#include "base/test.h"
#include "state/memory.h"
#include "txpool/txpool_int.h"

/* A pool over a state of its own, filled by impersonation: no signature is needed. */
struct stage {
    struct memory_state *memory;
    struct state *state;
    struct chain_config config;
    struct txpool *pool;
    bool is_local;  /* what is added */
    enum fork fork; /* of the block to come */
    u64 base_fee;
    u64 gas;         /* 0: as much as is needed */
    size_t data_len; /* zeroes */
    struct err err;
};

static const addr20 alice = {{1}}, bob = {{2}}, carol = {{3}};

static void stage_open_with(struct stage *stage, const struct txpool_options *options)
{
    *stage = (struct stage){.memory = memory_state_new(1), .fork = FORK_OSAKA};
    struct state_backend backend = memory_state_backend(stage->memory);
    stage->state = state_new(&backend, 1);
    u256 wei = u256_from_u64(1000000000000000000);
    state_begin_tx(stage->state);
    state_set_balance(stage->state, &alice, &wei);
    state_set_balance(stage->state, &bob, &wei);
    state_set_balance(stage->state, &carol, &wei);
    state_end_tx(stage->state, FORK_OSAKA);
    chain_config_init(&stage->config, FORK_OSAKA);
    stage->pool = txpool_new(options);
}

static void stage_open(struct stage *stage, u32 txs_max)
{
    struct txpool_options options = txpool_options_default();
    options.txs_max = txs_max;
    options.local_percent = 50;
    stage_open_with(stage, &options);
}

static void stage_close(struct stage *stage)
{
    txpool_free(stage->pool);
    state_free(stage->state);
    memory_state_free(stage->memory);
}

static struct txpool_view stage_view(struct stage *stage)
{
    return (struct txpool_view){
        .config = &stage->config,
        .state = stage->state,
        .fork = stage->fork,
        .number = 1,
        .timestamp = 1,
        .gas_limit = 30000000,
        .base_fee = u256_from_u64(stage->base_fee),
    };
}

static void update(struct stage *stage)
{
    struct txpool_view view = stage_view(stage);
    txpool_update(stage->pool, &view);
}

static enum status add(struct stage *stage, const addr20 *sender, u64 nonce, u64 fee, u64 tip)
{
    static const u8 zeroes[100000];
    struct tx tx = {
        .type = TX_DYNAMIC_FEE,
        .has_chain_id = true,
        .chain_id = 1,
        .nonce = nonce,
        .gas = stage->gas ? stage->gas : 21000 + 10 * stage->data_len,
        .data = zeroes,
        .data_len = stage->data_len,
        .max_fee = u256_from_u64(fee),
        .max_priority_fee = u256_from_u64(tip),
        .to = bob,
        .r = u256_from_u64((u64)sender->b[0] << 8 | sender->b[1]),
        .s = u256_from_u64(1),
    };
    struct buf wire;
    const struct tx *out;
    buf_init(&wire, 200000);
    tx_encode(&wire, &tx);
    struct txpool_view view = stage_view(stage);
    struct txpool_arrival arrival = {wire.data, wire.len, sender, stage->is_local, false};
    enum status status = txpool_add(stage->pool, &view, &arrival, &out, &stage->err);
    buf_fini(&wire);
    return status;
}

TEST(txpool_picks_by_tip_and_keeps_each_sender_in_order)
{
    struct stage stage;
    struct tx picked[8];
    stage_open(&stage, 100);
    CHECK_EQ(add(&stage, &alice, 0, 100, 1), STATUS_OK);
    CHECK_EQ(add(&stage, &alice, 1, 100, 9), STATUS_OK);
    CHECK_EQ(add(&stage, &bob, 0, 100, 5), STATUS_OK);
    CHECK_EQ(add(&stage, &bob, 2, 100, 90), STATUS_OK);
    CHECK_EQ(txpool_pick(stage.pool, stage.state, u256_from_u64(10), picked, 8), 3);
    CHECK(addr20_eq(&picked[0].sender, &bob));
    CHECK(addr20_eq(&picked[1].sender, &alice) && picked[1].nonce == 0);
    CHECK(addr20_eq(&picked[2].sender, &alice) && picked[2].nonce == 1);
    CHECK_EQ(txpool_pick(stage.pool, stage.state, u256_from_u64(101), picked, 8), 0);
    CHECK_EQ(txpool_next_nonce(stage.pool, &alice, 0), 2);
    CHECK_EQ(txpool_next_nonce(stage.pool, &bob, 0), 1);
    stage_close(&stage);
}

TEST(txpool_replaces_for_a_tenth_more)
{
    struct stage stage;
    stage_open(&stage, 100);
    CHECK_EQ(add(&stage, &alice, 0, 100, 100), STATUS_OK);
    CHECK_EQ(add(&stage, &alice, 0, 100, 100), STATUS_EXISTS);
    CHECK_STR(stage.err.text, "already known");
    CHECK_EQ(add(&stage, &alice, 0, 109, 109), STATUS_INVALID);
    CHECK_STR(stage.err.text, "replacement transaction underpriced");
    CHECK_EQ(add(&stage, &alice, 0, 110, 109), STATUS_INVALID);
    CHECK_EQ(add(&stage, &alice, 0, 110, 110), STATUS_OK);
    CHECK_EQ(txpool_count(stage.pool), 1);
    /* A tenth of 15 is one and a half: as with geth, which drops the half. */
    CHECK_EQ(add(&stage, &bob, 0, 15, 15), STATUS_OK);
    CHECK_EQ(add(&stage, &bob, 0, 16, 16), STATUS_OK);
    /* A tenth of 9 is less than one, but more it must be. */
    CHECK_EQ(add(&stage, &carol, 0, 9, 9), STATUS_OK);
    CHECK_EQ(add(&stage, &carol, 0, 10, 9), STATUS_INVALID);
    CHECK_EQ(add(&stage, &carol, 0, 10, 10), STATUS_OK);
    stage_close(&stage);
}

TEST(txpool_refuses_with_the_words_of_geth)
{
    struct stage stage;
    stage_open(&stage, 2);
    state_begin_tx(stage.state);
    state_set_nonce(stage.state, &alice, 5);
    state_end_tx(stage.state, FORK_OSAKA);
    CHECK_EQ(add(&stage, &alice, 4, 100, 1), STATUS_INVALID);
    CHECK_STR(stage.err.text, "nonce too low: next nonce 5, tx nonce 4");
    CHECK_EQ(add(&stage, &alice, 5, 100000000000000, 1), STATUS_INVALID);
    CHECK(strncmp(stage.err.text, "insufficient funds for gas * price + value: balance ", 52) == 0);
    CHECK_EQ(add(&stage, &alice, 5, 100, 101), STATUS_INVALID);
    CHECK(strstr(stage.err.text, "max priority fee per gas higher than max fee per gas"));
    CHECK_EQ(add(&stage, &alice, 5, 100, 1), STATUS_OK);
    CHECK_EQ(add(&stage, &alice, 6, 100, 1), STATUS_OK);
    CHECK_EQ(add(&stage, &alice, 7, 100, 1), STATUS_TOO_LARGE);
    CHECK_STR(stage.err.text, "transaction underpriced: txpool is full of better payers");
    stage_close(&stage);
}

TEST(txpool_forgets_what_the_state_has_passed)
{
    struct stage stage;
    stage_open(&stage, 100);
    for (u64 nonce = 0; nonce < 4; nonce++)
        CHECK_EQ(add(&stage, &alice, nonce, 100, 1), STATUS_OK);
    state_begin_tx(stage.state);
    state_set_nonce(stage.state, &alice, 3);
    state_end_tx(stage.state, FORK_OSAKA);
    update(&stage);
    CHECK_EQ(txpool_count(stage.pool), 1);
    CHECK(txpool_remove_sender(stage.pool, &alice));
    CHECK(!txpool_remove_sender(stage.pool, &alice));
    CHECK_EQ(txpool_count(stage.pool), 0);
    stage_close(&stage);
}

static bool holds(struct stage *stage, const addr20 *sender, u64 nonce)
{
    return txpool_next_nonce(stage->pool, sender, nonce) > nonce;
}

TEST(txpool_forgets_what_a_new_fork_refuses)
{
    struct stage stage;
    stage_open(&stage, 100);
    stage.fork = FORK_PRAGUE;
    update(&stage);
    CHECK_EQ(add(&stage, &alice, 0, 100, 1), STATUS_OK);
    stage.gas = 20000000; /* more than EIP-7825 allows */
    CHECK_EQ(add(&stage, &bob, 0, 100, 1), STATUS_OK);
    update(&stage);
    CHECK_EQ(txpool_count(stage.pool), 2);
    stage.fork = FORK_OSAKA;
    update(&stage);
    CHECK_EQ(txpool_count(stage.pool), 1);
    CHECK_EQ(txpool_next_nonce(stage.pool, &alice, 0), 1);
    CHECK_EQ(add(&stage, &bob, 0, 100, 1), STATUS_INVALID);
    stage_close(&stage);
}

TEST(txpool_full_lets_the_worst_payer_go)
{
    struct stage stage;
    stage_open(&stage, 3);
    CHECK_EQ(add(&stage, &alice, 0, 100, 2), STATUS_OK);
    CHECK_EQ(add(&stage, &alice, 1, 100, 50), STATUS_OK);
    CHECK_EQ(add(&stage, &bob, 0, 100, 10), STATUS_OK);
    /* Alice's first pays least but carries the second; Bob's is the worst that nothing stands on. */
    CHECK_EQ(add(&stage, &carol, 0, 100, 10), STATUS_TOO_LARGE);
    CHECK_EQ(add(&stage, &carol, 0, 100, 11), STATUS_OK);
    CHECK(!holds(&stage, &bob, 0) && holds(&stage, &carol, 0) && holds(&stage, &alice, 1));
    CHECK_EQ(txpool_count(stage.pool), 3);
    stage_close(&stage);
}

TEST(txpool_full_lets_go_below_the_base_fee_then_queued_and_never_local)
{
    struct stage stage;
    stage_open(&stage, 3);
    stage.base_fee = 50;
    CHECK_EQ(add(&stage, &alice, 0, 49, 49), STATUS_OK);
    CHECK_EQ(add(&stage, &bob, 7, 90, 40), STATUS_OK);
    stage.is_local = true;
    CHECK_EQ(add(&stage, &carol, 0, 1, 1), STATUS_OK);
    stage.is_local = false;
    CHECK_EQ(add(&stage, &bob, 0, 60, 1), STATUS_OK);
    CHECK(!holds(&stage, &alice, 0));
    CHECK_EQ(add(&stage, &alice, 0, 60, 5), STATUS_OK);
    CHECK(!holds(&stage, &bob, 7) && holds(&stage, &bob, 0) && holds(&stage, &carol, 0));
    CHECK_EQ(add(&stage, &alice, 1, 90, 40), STATUS_OK);
    CHECK(!holds(&stage, &bob, 0) && holds(&stage, &alice, 1) && holds(&stage, &carol, 0));
    stage_close(&stage);
}

TEST(txpool_a_sender_cannot_promise_more_than_it_has)
{
    struct stage stage;
    stage_open(&stage, 100);
    u64 fee = 1000000000000000000 / 21000 / 2; /* half of what Alice has */
    CHECK_EQ(add(&stage, &alice, 0, fee, 1), STATUS_OK);
    CHECK_EQ(add(&stage, &alice, 1, fee, 1), STATUS_OK);
    CHECK_EQ(add(&stage, &alice, 2, 1000000, 1), STATUS_INVALID);
    CHECK(strstr(stage.err.text, "queued cost"));
    CHECK_EQ(add(&stage, &alice, 1, fee + fee / 5, 2), STATUS_INVALID);
    state_begin_tx(stage.state);
    u256 little = u256_from_u64(21000 * fee + 1000);
    state_set_balance(stage.state, &alice, &little);
    state_end_tx(stage.state, FORK_OSAKA);
    update(&stage);
    CHECK_EQ(txpool_count(stage.pool), 2); /* each by itself can still be paid */
    state_begin_tx(stage.state);
    state_set_balance(stage.state, &alice, &U256_ZERO);
    state_end_tx(stage.state, FORK_OSAKA);
    update(&stage);
    CHECK_EQ(txpool_count(stage.pool), 0);
    stage_close(&stage);
}

/* Many arrivals at a small pool: it stays bounded, and empties wholly. */
TEST(txpool_stands_a_flood)
{
    struct stage stage;
    stage_open(&stage, 64);
    u256 wei = u256_from_u64(1000000000000000000);
    u64 seed = 1;
    for (u32 i = 0; i < 200; i++) {
        addr20 sender = {{9, (u8)i}};
        state_set_balance(stage.state, &sender, &wei);
    }
    for (u32 i = 0; i < 20000; i++) {
        seed = seed * 6364136223846793005 + 1442695040888963407;
        addr20 sender = {{9, (u8)(seed >> 33) % 200}};
        u64 tip = 1 + (seed >> 40) % 1000;
        (void)!add(&stage, &sender, (seed >> 20) % 5, 100000 + tip, tip);
        CHECK(txpool_count(stage.pool) <= 64);
    }
    struct txpool_usage usage = txpool_usage(stage.pool);
    CHECK(usage.bytes < 64 * 1024);
    txpool_clear(stage.pool);
    usage = txpool_usage(stage.pool);
    CHECK_EQ(usage.bytes + usage.txs, 0);
    stage_close(&stage);
}

/* --- local ones, within bounds ---------------------------------------------------------------- */

/* What is counted as local is what is. */
static void check_locals(const struct txpool *pool)
{
    struct txpool_usage sum = {0};
    for (u32 i = 0; i < pool->sender_count; i++) {
        const struct sender *sender = pool->senders[i];
        CHECK(sender->local_count <= sender->count);
        CHECK((sender->in[FOR_LOCAL].place == NOT_THERE) == !sender->local_count);
        for (u32 k = 0; k < sender->local_count; k++) {
            struct txpool_usage one = held_usage(sender->txs[k]);
            usage_add(&sum, &one);
        }
    }
    struct txpool_usage told = txpool_local_usage(pool);
    CHECK_EQ(told.txs, sum.txs);
    CHECK_EQ(told.bytes, sum.bytes);
    CHECK(!usage_is_past(pool, &told, false, pool->options.local_percent));
}

static addr20 stranger(struct stage *stage, u8 number)
{
    addr20 addr = {{9, number}};
    u256 wei = u256_from_u64(1000000000000000000);
    state_set_balance(stage->state, &addr, &wei);
    return addr;
}

TEST(txpool_local_junk_takes_but_its_share)
{
    struct stage stage;
    stage_open(&stage, 16);
    stage.is_local = true;
    for (u8 i = 0; i < 40; i++) {
        addr20 sender = stranger(&stage, i);
        (void)!add(&stage, &sender, 5, 100, 1); /* a gap */
        check_locals(stage.pool);
    }
    CHECK_EQ(txpool_count(stage.pool), 16);
    CHECK_EQ(txpool_local_usage(stage.pool).txs, 8);
    /* Strangers' ready ones push out what has no share; a user's own takes the place of local junk. */
    stage.is_local = false;
    for (u8 i = 100; i < 108; i++) {
        addr20 sender = stranger(&stage, i);
        CHECK_EQ(add(&stage, &sender, 0, 100, 1), STATUS_OK);
    }
    CHECK_EQ(add(&stage, &alice, 0, 100, 1), STATUS_TOO_LARGE);
    stage.is_local = true;
    CHECK_EQ(add(&stage, &alice, 0, 100, 1), STATUS_OK);
    CHECK_EQ(txpool_local_usage(stage.pool).txs, 8);
    CHECK_EQ(sender_find(stage.pool, &alice)->local_count, 1);
    check_locals(stage.pool);
    stage_close(&stage);
}

TEST(txpool_what_local_ones_stand_on_is_local_too)
{
    struct stage stage;
    stage_open(&stage, 16);
    for (u64 nonce = 0; nonce < 3; nonce++)
        CHECK_EQ(add(&stage, &alice, nonce, 100, 1), STATUS_OK);
    stage.is_local = true;
    CHECK_EQ(add(&stage, &alice, 4, 100, 1), STATUS_OK);
    CHECK_EQ(txpool_local_usage(stage.pool).txs, 4);
    stage.is_local = false;
    CHECK_EQ(add(&stage, &alice, 3, 100, 1), STATUS_OK);
    CHECK_EQ(add(&stage, &alice, 5, 100, 1), STATUS_OK);
    CHECK_EQ(add(&stage, &alice, 1, 200, 2), STATUS_OK); /* instead of one beneath */
    CHECK_EQ(txpool_local_usage(stage.pool).txs, 5);
    check_locals(stage.pool);
    /* No more than may be local: Bob's four fit as Alice's last, which waits for nothing, gives way to none. */
    stage.is_local = true;
    for (u64 nonce = 0; nonce < 4; nonce++)
        CHECK_EQ(add(&stage, &bob, nonce, 100, 1 + nonce), STATUS_OK);
    CHECK_EQ(txpool_local_usage(stage.pool).txs, 8);
    check_locals(stage.pool);
    stage_close(&stage);
}

TEST(txpool_one_sender_has_so_many_local_ones)
{
    struct stage stage;
    struct txpool_options options = txpool_options_default();
    options.sender_local_max = 3;
    stage_open_with(&stage, &options);
    stage.is_local = true;
    for (u64 nonce = 0; nonce < 9; nonce++)
        CHECK_EQ(add(&stage, &alice, nonce, 100, 1), STATUS_OK);
    CHECK_EQ(txpool_local_usage(stage.pool).txs, 3);
    check_locals(stage.pool);
    stage_close(&stage);
}

TEST(txpool_large_replacements_keep_to_the_bounds)
{
    struct stage stage;
    struct txpool_options options = txpool_options_default();
    options.bytes_max = 300000;
    stage_open_with(&stage, &options);
    for (u64 nonce = 0; nonce < 10; nonce++)
        CHECK_EQ(add(&stage, &alice, nonce, 1000, 1), STATUS_OK);
    stage.data_len = 100000;
    for (u64 nonce = 0; nonce < 10; nonce++) {
        (void)!add(&stage, &alice, nonce, 2000, 2);
        CHECK(txpool_usage(stage.pool).bytes <= options.bytes_max);
    }
    CHECK(holds(&stage, &alice, 1));
    stage_close(&stage);
}

/* It is worth more than some, and too large to find its place among them. */
TEST(txpool_what_is_refused_pushes_nobody_out)
{
    struct stage stage;
    struct txpool_options options = txpool_options_default();
    options.bytes_max = 55000;
    stage_open_with(&stage, &options);
    stage.data_len = 10000;
    CHECK_EQ(add(&stage, &alice, 0, 1000, 90), STATUS_OK);
    CHECK_EQ(add(&stage, &bob, 0, 1000, 10), STATUS_OK);
    CHECK_EQ(add(&stage, &bob, 1, 1000, 20), STATUS_OK);
    CHECK_EQ(add(&stage, &carol, 0, 1000, 30), STATUS_OK);
    u64 bytes = txpool_usage(stage.pool).bytes;
    stage.data_len = 48000;
    CHECK_EQ(add(&stage, &carol, 0, 2000, 60), STATUS_TOO_LARGE);
    CHECK(holds(&stage, &bob, 0) && holds(&stage, &bob, 1) && holds(&stage, &carol, 0));
    CHECK_EQ(txpool_usage(stage.pool).bytes, bytes);
    CHECK_EQ(add(&stage, &carol, 0, 2000, 95), STATUS_OK);
    CHECK_EQ(txpool_count(stage.pool), 1);
    stage_close(&stage);
}

TEST(txpool_nothing_pushes_out_what_it_would_stand_on)
{
    struct stage stage;
    stage_open(&stage, 2);
    CHECK_EQ(add(&stage, &alice, 0, 100, 1), STATUS_OK);
    CHECK_EQ(add(&stage, &alice, 1, 100, 1), STATUS_OK);
    CHECK_EQ(add(&stage, &alice, 2, 100, 50), STATUS_TOO_LARGE);
    CHECK(holds(&stage, &alice, 1));
    stage_close(&stage);
}

/* Local and other arrivals, replacements, blocks and fees that move: the count of what is local stays right. */
TEST(txpool_locals_stand_a_flood)
{
    struct stage stage;
    struct txpool_options options = txpool_options_default();
    options.txs_max = 64;
    options.sender_local_max = 4;
    stage_open_with(&stage, &options);
    u64 seed = 1;
    for (u32 i = 0; i < 60; i++)
        (void)stranger(&stage, (u8)i);
    for (u32 i = 0; i < 20000; i++) {
        seed = seed * 6364136223846793005 + 1442695040888963407;
        addr20 sender = {{9, (u8)(seed >> 33) % 60}};
        u64 tip = 1 + (seed >> 40) % 1000;
        stage.is_local = seed >> 51 & 1;
        stage.data_len = (seed >> 53 & 7) ? 0 : 3000;
        (void)!add(&stage, &sender, state_nonce(stage.state, &sender) + (seed >> 20) % 7,
                   1000 + tip, tip);
        check_locals(stage.pool);
        if (i % 50)
            continue;
        stage.base_fee = 500 + (seed >> 44) % 1000;
        state_begin_tx(stage.state);
        state_set_nonce(stage.state, &sender, state_nonce(stage.state, &sender) + 1);
        state_end_tx(stage.state, FORK_OSAKA);
        update(&stage);
        check_locals(stage.pool);
    }
    txpool_clear(stage.pool);
    CHECK_EQ(txpool_local_usage(stage.pool).bytes, 0);
    stage_close(&stage);
}
