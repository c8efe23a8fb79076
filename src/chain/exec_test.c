#include <string.h>

#include "base/mem.h"
#include "base/test.h"
#include "chain/exec.h"
#include "state/memory.h"

static const addr20 SENDER = {{0x11}}, CONTRACT = {{0x22}}, COINBASE = {{0x33}};

/* Counts calls in slot 0, logs, and calls itself with no value until the gas is low; then
 * returns. */
static const u8 CODE[] = {
    0x5f, 0x54, 0x60, 0x01, 0x01, 0x5f, 0x55,             /* slot 0 += 1 */
    0x60, 0x20, 0x5f, 0xa0,                               /* LOG0 of 32 bytes */
    0x61, 0xff, 0xff, 0x5a, 0x10, 0x60, 0x1f, 0x57,       /* to the end when gas < 65535 */
    0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x30, 0x5a, 0xf1, 0x50, /* CALL(gas, this) */
    0x5b, 0x5b, 0x5b, 0x5b, 0x5b, 0x00,
};

struct fixture {
    struct memory_state *memory;
    struct state *state;
    struct evm *evm;
    struct chain_config config;
    struct exec exec;
};

static void fixture_open(struct fixture *f, enum fork fork)
{
    f->memory = memory_state_new(3);
    struct state_backend backend = memory_state_backend(f->memory);
    f->state = state_new(&backend, 3);
    f->evm = evm_new();
    chain_config_init(&f->config, fork);
    struct evm_block env = {
        .coinbase = COINBASE,
        .number = 1,
        .timestamp = 1000,
        .gas_limit = INT64_MAX,
        .base_fee = u256_from_u64(10),
        .blob_base_fee = U256_ONE,
    };
    exec_init(&f->exec, f->state, f->evm, &f->config, fork, &env);
    u256 rich = u256_shl(U256_ONE, 200);
    state_begin_tx(f->state);
    state_set_balance(f->state, &SENDER, &rich);
    state_set_code(f->state, &CONTRACT, CODE, sizeof CODE);
    state_end_tx(f->state, fork);
}

static void fixture_close(struct fixture *f)
{
    evm_free(f->evm);
    state_free(f->state);
    memory_state_free(f->memory);
}

static struct tx call_of(u64 nonce, const addr20 *to, u64 gas)
{
    return (struct tx){
        .type = TX_DYNAMIC_FEE,
        .has_chain_id = true,
        .chain_id = 1,
        .nonce = nonce,
        .gas_price = u256_from_u64(100),
        .max_fee = u256_from_u64(100),
        .max_priority_fee = u256_from_u64(2),
        .gas = gas,
        .to = *to,
        .value = u256_from_u64(5),
        .sender = SENDER,
        .has_sender = true,
    };
}

TEST(exec_moves_value_and_pays_for_gas)
{
    struct fixture f;
    struct exec_result result;
    addr20 someone = {{0x44}};
    fixture_open(&f, FORK_OSAKA);
    u256 before = state_balance(f.state, &SENDER);
    struct tx tx = call_of(0, &someone, 50000);
    CHECK_EQ(exec_tx(&f.exec, &tx, 0, &result), TX_OK);
    CHECK_EQ(result.status, EVM_SUCCESS);
    CHECK_EQ(result.gas_used, 21000);
    CHECK_EQ(f.exec.gas_used, 21000);
    CHECK_EQ(u256_low(result.effective_gas_price), 12);
    CHECK_EQ(u256_low(state_balance(f.state, &someone)), 5);
    CHECK_EQ(u256_low(state_balance(f.state, &COINBASE)), 21000 * 2);
    CHECK_EQ(u256_low(u256_sub(before, state_balance(f.state, &SENDER))), 21000 * 12 + 5);
    CHECK_EQ(state_nonce(f.state, &SENDER), 1);
    fixture_close(&f);
}

TEST(exec_refuses_without_a_trace)
{
    struct fixture f;
    struct exec_result result;
    hash32 before, after;
    fixture_open(&f, FORK_OSAKA);
    state_root(f.state, &before);
    const struct tx good = call_of(0, &CONTRACT, 50000);
#define REFUSED(change, verdict)                              \
    do {                                                      \
        struct tx tx = good;                                  \
        change;                                               \
        CHECK_EQ(exec_tx(&f.exec, &tx, 0, &result), verdict); \
    } while (0)
    REFUSED(tx.nonce = 1, TX_NONCE_TOO_HIGH);
    REFUSED(tx.gas = 20999, TX_INTRINSIC_GAS);
    REFUSED(tx.gas = (1 << 24) + 1, TX_GAS_ABOVE_CAP);
    REFUSED(tx.max_fee = u256_from_u64(9), TX_FEE_BELOW_BASE_FEE);
    REFUSED(tx.max_priority_fee = u256_from_u64(101), TX_TIP_ABOVE_FEE);
    REFUSED(tx.value = U256_MAX, TX_INSUFFICIENT_FUNDS);
    REFUSED(tx.sender = CONTRACT, TX_SENDER_NOT_EOA);
    REFUSED(tx.type = TX_BLOB, TX_BLOB_NONE);
    f.exec.gas_used = INT64_MAX - 1000;
    REFUSED(tx.value = U256_ZERO, TX_BLOCK_GAS_LIMIT);
#undef REFUSED
    state_root(f.state, &after);
    CHECK_MEM(after.b, before.b, sizeof after);
    fixture_close(&f);
}

/* Each line adds a fault that is looked for earlier than those before. */
TEST(exec_names_of_several_faults_the_one_geth_names)
{
    struct fixture f;
    struct exec_result result;
    fixture_open(&f, FORK_OSAKA);
    hash32 blobs[7] = {{{1}}, {{1}}, {{1}}, {{2}}, {{1}}, {{1}}, {{1}}};
    struct tx tx = call_of(0, &CONTRACT, 50000);
    tx.type = TX_BLOB;
    tx.blob_hashes = blobs;
    tx.blob_count = 1;
    tx.max_blob_fee = U256_ONE;
#define NOW(change, verdict)                                  \
    do {                                                      \
        change;                                               \
        CHECK_EQ(exec_tx(&f.exec, &tx, 0, &result), verdict); \
    } while (0)
    NOW(tx.gas = 20999, TX_INTRINSIC_GAS);
    NOW(tx.value = U256_MAX, TX_INSUFFICIENT_FUNDS);
    NOW(f.exec.gas_used = INT64_MAX - 1000, TX_BLOCK_GAS_LIMIT);
    NOW(tx.max_blob_fee = U256_ZERO, TX_BLOB_FEE_TOO_LOW);
    NOW(tx.blob_count = 4, TX_BLOB_HASH_VERSION);
    NOW(tx.blob_count = 7, TX_BLOB_TOO_MANY);
    NOW(tx.max_fee = u256_from_u64(9), TX_FEE_BELOW_BASE_FEE);
    NOW(tx.max_priority_fee = u256_from_u64(10), TX_TIP_ABOVE_FEE);
    NOW(tx.sender = CONTRACT, TX_SENDER_NOT_EOA);
    NOW(tx.gas = (1 << 24) + 1, TX_GAS_ABOVE_CAP);
    NOW(tx.nonce = 1, TX_NONCE_TOO_HIGH);
#undef NOW
    fixture_close(&f);
}

TEST(exec_as_a_call_needs_no_fee_no_nonce_and_no_room)
{
    struct fixture f;
    struct exec_result result;
    fixture_open(&f, FORK_OSAKA);
    struct tx tx = call_of(99, &CONTRACT, 1ull << 40);
    tx.max_fee = tx.max_priority_fee = tx.gas_price = U256_ZERO;
    tx.sender = CONTRACT;
    tx.value = U256_ZERO;
    tx.gas = 100000;
    CHECK_EQ(exec_tx(&f.exec, &tx, EXEC_CALL, &result), TX_OK);
    CHECK_EQ(result.status, EVM_SUCCESS);
    CHECK(u256_is_zero(state_balance(f.state, &COINBASE)));
    tx.value = U256_ONE;
    CHECK_EQ(exec_tx(&f.exec, &tx, EXEC_CALL, &result), TX_INSUFFICIENT_FUNDS);
    fixture_close(&f);
}

TEST(exec_calls_the_nothing_that_is_no_system_contract)
{
    struct fixture f;
    struct evm_result result;
    addr20 nobody = {{0x55}};
    fixture_open(&f, FORK_OSAKA);
    exec_system_call(&f.exec, &nobody, NULL, 0, &result);
    CHECK_EQ(result.status, EVM_SUCCESS);
    CHECK(!state_account_exists(f.state, &nobody));
    CHECK_EQ(f.exec.gas_used, 0);
    fixture_close(&f);
}

/* Nothing is allocated while contracts execute, once pools have the size they need. */
TEST(exec_allocates_nothing_when_warm)
{
    struct fixture f;
    struct exec_result result;
    u64 nonce = 0;
    hash32 key = {{7}};
    struct access_entry entry = {CONTRACT, &key, 1};
    struct authorization authorization = {.addr = CONTRACT, .r = U256_ONE, .s = U256_ONE};
    fixture_open(&f, FORK_OSAKA);
    for (int round = 0; round < 3; round++) {
        u64 allocations = mem_allocations();
        for (int i = 0; i < 50; i++) {
            struct tx tx = call_of(nonce++, &CONTRACT, 1000000);
            tx.type = i % 2 ? TX_SET_CODE : TX_DYNAMIC_FEE;
            tx.access_list = &entry;
            tx.access_count = 1;
            tx.authorizations = &authorization;
            tx.authorization_count = i % 2;
            CHECK_EQ(exec_tx(&f.exec, &tx, 0, &result), TX_OK);
            CHECK_EQ(result.status, EVM_SUCCESS);
        }
        if (round)
            CHECK_EQ(mem_allocations(), allocations);
    }
    fixture_close(&f);
}
