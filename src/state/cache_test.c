#include "base/test.h"
#include "state/memory.h"
#include "state/state_int.h"

enum { ACCOUNTS_MAX = 64, BLOCKS = 400 };

static addr20 addr_of(u32 number)
{
    addr20 addr = {{1}};
    memcpy(addr.b + 16, &number, sizeof number);
    return addr;
}

/* Pays one regular and four new accounts. */
static void block(struct state *state, u32 number)
{
    struct err err;
    u256 wei = u256_from_u64(1);
    addr20 regular = addr_of(0);
    state_begin_tx(state);
    state_account_warm(state, &regular);
    state_add_balance(state, &regular, &wei);
    for (u32 i = 0; i < 4; i++) {
        addr20 addr = addr_of(1 + 4 * number + i);
        state_add_balance(state, &addr, &wei);
    }
    state_end_tx(state, FORK_OSAKA);
    CHECK_EQ(state_commit(state, NULL, &err), STATUS_OK);
}

TEST(cache_keeps_regulars_and_its_bounds)
{
    struct memory_state *memory = memory_state_new(3);
    struct state_backend backend = memory_state_backend(memory);
    struct state *state = state_new(&backend, 3);
    addr20 regular = addr_of(0);
    const struct account_entry *entry = account_entry(state, &regular);
    state_set_cache(state, ACCOUNTS_MAX, ACCOUNTS_MAX);
    for (u32 i = 0; i < BLOCKS; i++) {
        block(state, i);
        CHECK(state->account_table.count <= ACCOUNTS_MAX);
        CHECK(account_entry(state, &regular) == entry);
    }
    CHECK(state->accounts.count <= ACCOUNTS_MAX + 5);
    for (u32 i = 0; i < 4 * BLOCKS; i++) {
        addr20 addr = addr_of(1 + i);
        CHECK(u256_eq(state_balance(state, &addr), u256_from_u64(1)));
    }
    /* Looking alone fills it, too. */
    CHECK(state->account_table.count > ACCOUNTS_MAX);
    state_settle(state);
    CHECK(state->account_table.count <= ACCOUNTS_MAX);
    CHECK(u256_eq(state_balance(state, &regular), u256_from_u64(BLOCKS)));
    state_free(state);
    memory_state_free(memory);
}
