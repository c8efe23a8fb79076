/* What random walks do not single out: allocation, RIPEMD's touch, the lives of code and logs. */
#include <string.h>

#include "base/mem.h"
#include "base/test.h"
#include "state/memory.h"
#include "state/state.h"

struct fixture {
    struct memory_state *memory;
    struct state *state;
};

static struct fixture fixture_new(void)
{
    struct fixture fixture = {.memory = memory_state_new(5)};
    struct state_backend backend = memory_state_backend(fixture.memory);
    fixture.state = state_new(&backend, 5);
    return fixture;
}

static void fixture_free(struct fixture *fixture)
{
    state_free(fixture->state);
    memory_state_free(fixture->memory);
}

static const addr20 ALICE = {{1, 1}}, BOB = {{2, 2}}, RIPEMD = {{[19] = 3}};
static const u256 ONE = {{1, 0, 0, 0}}, SEVEN = {{7, 0, 0, 0}};

static void busy_tx(struct state *state, u64 n)
{
    const hash32 topics[3] = {{{1}}, {{2}}, {{3}}};
    u256 key = u256_from_u64(n % 16);
    state_begin_tx(state);
    u32 outer = state_checkpoint(state);
    state_account_warm(state, &ALICE);
    state_transfer(state, &ALICE, &BOB, &ONE);
    state_set_nonce(state, &ALICE, n);
    struct state_slot slot = state_storage_slot(state, &BOB, &key);
    u256 value = u256_add(slot.current, ONE);
    state_storage_set(state, slot.handle, &value);
    state_transient_set(state, &BOB, &key, &value);
    state_add_log(state, &BOB, topics, 3, (const u8 *)topics, sizeof topics);
    u32 inner = state_checkpoint(state);
    state_set_code(state, &BOB, (const u8 *)&n, sizeof n);
    state_mark_destroyed(state, &BOB);
    state_rollback(state, inner);
    if (n % 3 == 0)
        state_rollback(state, outer);
    state_end_tx(state, FORK_PRAGUE);
}

TEST(transactions_allocate_nothing_once_warm)
{
    struct fixture fixture = fixture_new();
    const u256 rich = {{0, 1, 0, 0}};
    state_begin_tx(fixture.state);
    state_add_balance(fixture.state, &ALICE, &rich);
    state_end_tx(fixture.state, FORK_PRAGUE);
    for (u64 block = 0; block < 20; block++) {
        u64 before = mem_allocations();
        for (u64 n = 0; n < 50; n++)
            busy_tx(fixture.state, block * 50 + n);
        if (block > 1)
            CHECK_EQ(mem_allocations() - before, 0);
        CHECK(state_commit(fixture.state, NULL, NULL) == STATUS_OK);
    }
    fixture_free(&fixture);
}

/* EIP-161: the touch of 0x03 outlives the call that touched it, and only that one does. */
TEST(touch_of_ripemd_survives_its_revert)
{
    struct fixture fixture = fixture_new();
    state_begin_tx(fixture.state);
    state_touch(fixture.state, &RIPEMD);
    state_touch(fixture.state, &BOB);
    state_end_tx(fixture.state, FORK_HOMESTEAD);
    CHECK(state_commit(fixture.state, NULL, NULL) == STATUS_OK);

    state_begin_tx(fixture.state);
    u32 checkpoint = state_checkpoint(fixture.state);
    state_touch(fixture.state, &RIPEMD);
    state_touch(fixture.state, &BOB);
    state_rollback(fixture.state, checkpoint);
    state_end_tx(fixture.state, FORK_SPURIOUS);
    CHECK(!state_account_exists(fixture.state, &RIPEMD));
    CHECK(state_account_exists(fixture.state, &BOB));
    fixture_free(&fixture);
}

TEST(empty_accounts_stay_before_spurious_dragon)
{
    struct fixture fixture = fixture_new();
    hash32 root;
    state_begin_tx(fixture.state);
    state_touch(fixture.state, &BOB);
    state_end_tx(fixture.state, FORK_TANGERINE);
    CHECK(state_account_exists(fixture.state, &BOB));
    state_root(fixture.state, &root);
    CHECK(!hash32_eq(&root, &TRIE_EMPTY_ROOT));

    state_begin_tx(fixture.state);
    state_touch(fixture.state, &BOB);
    state_end_tx(fixture.state, FORK_SPURIOUS);
    CHECK(!state_account_exists(fixture.state, &BOB));
    state_root(fixture.state, &root);
    CHECK_MEM(root.b, TRIE_EMPTY_ROOT.b, 32);
    fixture_free(&fixture);
}

/* What is sent to a destroyed account in the same transaction is gone with it. */
TEST(destroyed_accounts_take_late_wei_with_them)
{
    struct fixture fixture = fixture_new();
    state_begin_tx(fixture.state);
    state_add_balance(fixture.state, &ALICE, &SEVEN);
    CHECK(state_mark_destroyed(fixture.state, &ALICE));
    state_add_balance(fixture.state, &ALICE, &SEVEN);
    CHECK(!state_mark_destroyed(fixture.state, &ALICE));
    state_add_balance(fixture.state, &ALICE, &SEVEN);
    CHECK(u256_eq(state_balance(fixture.state, &ALICE), SEVEN));
    state_end_tx(fixture.state, FORK_PRAGUE);
    CHECK(!state_account_exists(fixture.state, &ALICE));
    CHECK(u256_is_zero(state_balance(fixture.state, &ALICE)));
    fixture_free(&fixture);
}

TEST(code_lasts_over_commits_and_not_over_resets)
{
    struct fixture fixture = fixture_new();
    const u8 code[3] = {0x60, 0x01, 0x00};
    for (int round = 0; round < 2; round++) {
        state_begin_tx(fixture.state);
        state_set_code(fixture.state, &BOB, code, sizeof code);
        state_end_tx(fixture.state, FORK_PRAGUE);
        CHECK_EQ(state_code(fixture.state, &BOB).len, 3);
        if (round == 0)
            state_reset(fixture.state);
        else
            CHECK(state_commit(fixture.state, NULL, NULL) == STATUS_OK);
        struct state_code got = state_code(fixture.state, &BOB);
        CHECK_EQ(got.len, round == 0 ? 0 : 3);
        if (got.len)
            CHECK_MEM(got.bytes, code, sizeof code);
    }
    fixture_free(&fixture);
}

TEST(logs_are_kept_in_order_and_copied)
{
    struct fixture fixture = fixture_new();
    hash32 topics[4] = {{{1}}, {{2}}, {{3}}, {{4}}};
    u8 data[5] = "abcde";
    size_t count;
    state_begin_tx(fixture.state);
    state_add_log(fixture.state, &ALICE, topics, 4, data, 5);
    u32 checkpoint = state_checkpoint(fixture.state);
    state_add_log(fixture.state, &BOB, NULL, 0, NULL, 0);
    state_rollback(fixture.state, checkpoint);
    state_add_log(fixture.state, &BOB, topics + 1, 1, data + 1, 2);
    memset(topics, 0, sizeof topics);
    memset(data, 0, sizeof data);
    state_end_tx(fixture.state, FORK_PRAGUE);
    const struct state_log *logs = state_logs(fixture.state, &count);
    CHECK_EQ(count, 2);
    CHECK_EQ(logs[0].topic_count, 4);
    CHECK_EQ(logs[0].topics[3].b[0], 4);
    CHECK_MEM(logs[0].data, "abcde", 5);
    CHECK_EQ(logs[1].topics[0].b[0], 2);
    CHECK_MEM(logs[1].data, "bc", 2);
    state_begin_tx(fixture.state);
    state_logs(fixture.state, &count);
    CHECK_EQ(count, 0);
    fixture_free(&fixture);
}

/* EIP-7610: storage left by a genesis, under an address without code. */
TEST(storage_is_seen_though_its_slots_were_not_read)
{
    struct fixture fixture = fixture_new();
    state_begin_tx(fixture.state);
    state_touch(fixture.state, &BOB);
    state_storage_set(fixture.state, state_storage_slot(fixture.state, &BOB, &ONE).handle, &SEVEN);
    state_storage_set(fixture.state, state_storage_slot(fixture.state, &BOB, &SEVEN).handle, &ONE);
    state_end_tx(fixture.state, FORK_FRONTIER);
    CHECK(state_commit(fixture.state, NULL, NULL) == STATUS_OK);
    state_forget(fixture.state);
    CHECK(state_has_storage(fixture.state, &BOB));

    const u256 zero = U256_ZERO;
    state_begin_tx(fixture.state);
    state_storage_set(fixture.state, state_storage_slot(fixture.state, &BOB, &ONE).handle, &zero);
    CHECK(state_has_storage(fixture.state, &BOB));
    state_storage_set(fixture.state, state_storage_slot(fixture.state, &BOB, &SEVEN).handle, &zero);
    CHECK(!state_has_storage(fixture.state, &BOB));
    state_end_tx(fixture.state, FORK_FRONTIER);
    fixture_free(&fixture);
}
