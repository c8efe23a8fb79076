#include <stdio.h>

#include "base/mem.h"
#include "base/test.h"
#include "evm/evm_int.h"
#include "evm/ops.h"
#include "evm/toy_host.h"
#include "prim/keccak.h"

/* --- a machine with a toy world -------------------------------------------------------------- */

static const addr20 SELF = {{[18] = 0xc0, [19] = 0xde}};
static const addr20 OTHER = {{[18] = 0x0b, [19] = 0x0b}};
static const addr20 CALLER = {{[0] = 0xca, [19] = 0x11}};

struct rig {
    struct evm *evm;
    struct toy_host *world;
    struct evm_host door;
    struct evm_block block;
    struct evm_tx tx;
    struct evm_result result;
};

static void rig_init(struct rig *rig, enum fork fork)
{
    *rig = (struct rig){.evm = evm_new(), .world = toy_host_new()};
    rig->door = toy_host_door(rig->world);
    rig->block = (struct evm_block){.number = 1000, .gas_limit = 30000000, .timestamp = 7};
    rig->tx = (struct evm_tx){.origin = CALLER, .chain_id = U256_ONE};
    toy_host_put(rig->world, &CALLER, u256_from_u64(1000000), 1, NULL, 0);
    evm_begin(rig->evm, fork, &rig->door, &rig->block, &rig->tx);
}

static void rig_fini(struct rig *rig)
{
    evm_free(rig->evm);
    toy_host_free(rig->world);
}

static size_t bytes_of(u8 *out, size_t room, const char *hex)
{
    size_t n = 0;
    for (; hex[0] && hex[1]; hex += 2) {
        unsigned byte = 0;
        for (int i = 0; i < 2; i++)
            byte = byte * 16 + (unsigned)(hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10);
        CHECK(n < room);
        out[n++] = (u8)byte;
    }
    return n;
}

static void rig_put(struct rig *rig, const addr20 *addr, const char *hex)
{
    static u8 code[65536];
    size_t len = bytes_of(code, sizeof code, hex);
    toy_host_put(rig->world, addr, u256_from_u64(500), 1, code, len);
}

static void rig_call(struct rig *rig, i64 gas)
{
    struct evm_msg msg = {
        .kind = EVM_CALL, .gas = gas, .sender = CALLER, .recipient = SELF, .code_addr = SELF};
    evm_call(rig->evm, &msg, &rig->result);
}

/* Runs code as SELF's and leaves the result in rig. */
static void rig_run(struct rig *rig, enum fork fork, const char *hex, i64 gas)
{
    rig_init(rig, fork);
    rig_put(rig, &SELF, hex);
    rig_call(rig, gas);
}

static void expect(enum fork fork, const char *hex, i64 gas, enum evm_status status, i64 gas_used)
{
    struct rig rig;
    rig_run(&rig, fork, hex, gas);
    if (rig.result.status != status)
        test_fail(__FILE__, __LINE__, "%s: %s", hex, evm_status_text(rig.result.status));
    CHECK_EQ(gas - rig.result.gas_left, gas_used);
    rig_fini(&rig);
}

/* --- instructions ---------------------------------------------------------------------------- */

TEST(returns_a_sum)
{
    struct rig rig;
    rig_run(&rig, FORK_OSAKA, "600260030160005260206000f3", 100000);
    CHECK_EQ(rig.result.status, EVM_SUCCESS);
    CHECK_EQ(rig.result.output_len, 32);
    CHECK_EQ(rig.result.output[31], 5);
    CHECK_EQ(100000 - rig.result.gas_left, 3 + 3 + 3 + 3 + 3 + 3 + 3 + 3);
    rig_fini(&rig);
}

TEST(ends_as_it_should)
{
    expect(FORK_OSAKA, "", 100, EVM_SUCCESS, 0);
    expect(FORK_OSAKA, "00", 100, EVM_SUCCESS, 0);
    expect(FORK_OSAKA, "01", 100, EVM_STACK_UNDERFLOW, 100);
    expect(FORK_OSAKA, "600101", 100, EVM_STACK_UNDERFLOW, 100);
    expect(FORK_OSAKA, "5b600056", 1000, EVM_OUT_OF_GAS, 1000);
    expect(FORK_OSAKA, "60015800", 5, EVM_SUCCESS, 5);
    expect(FORK_OSAKA, "60015800", 4, EVM_OUT_OF_GAS, 4);
    expect(FORK_OSAKA, "fe", 100, EVM_INVALID_OPCODE, 100);
    expect(FORK_OSAKA, "0c", 100, EVM_INVALID_OPCODE, 100);
    expect(FORK_OSAKA, "600356", 100, EVM_INVALID_JUMP, 100);
    expect(FORK_OSAKA, "6003565b00", 100, EVM_SUCCESS, 12);
    expect(FORK_OSAKA, "600456605b00", 100, EVM_INVALID_JUMP, 100);
    expect(FORK_OSAKA, "5b5f600056", 100000, EVM_STACK_OVERFLOW, 100000);
    expect(FORK_OSAKA, "60006000fd", 100, EVM_REVERT, 6);
    expect(FORK_OSAKA, "5f5f3e", 100, EVM_STACK_UNDERFLOW, 100);
    expect(FORK_OSAKA, "60015f5f3e", 100, EVM_RETURN_DATA_OUT_OF_BOUNDS, 100);
}

TEST(opcodes_arrive_with_their_fork)
{
    static const struct {
        const char *code;
        enum fork since;
    } cases[] = {
        {"6001600055", FORK_FRONTIER},
        {"5f", FORK_SHANGHAI},
        {"600160011b", FORK_CONSTANTINOPLE},
        {"60011e", FORK_OSAKA},
        {"3d", FORK_BYZANTIUM},
        {"46", FORK_ISTANBUL},
        {"48", FORK_LONDON},
        {"4a", FORK_CANCUN},
        {"60005c", FORK_CANCUN},
        {"6000600060005e", FORK_CANCUN},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        for (int fork = 0; fork < FORK_COUNT; fork++) {
            struct rig rig;
            rig_run(&rig, (enum fork)fork, cases[i].code, 100000);
            CHECK_EQ(rig.result.status,
                     fork >= (int)cases[i].since ? EVM_SUCCESS : EVM_INVALID_OPCODE);
            rig_fini(&rig);
        }
}

TEST(single_eips_on_top_of_a_fork)
{
    struct rig rig;
    rig_init(&rig, FORK_BYZANTIUM);
    CHECK(!evm_activate_eip(rig.evm, 2929));
    CHECK(evm_activate_eip(rig.evm, 3855) && evm_activate_eip(rig.evm, 1884));
    evm_begin(rig.evm, FORK_BYZANTIUM, &rig.door, &rig.block, &rig.tx);
    rig_put(&rig, &SELF, "5f5400"); /* PUSH0 SLOAD */
    rig_call(&rig, 10000);
    CHECK_EQ(rig.result.status, EVM_SUCCESS);
    CHECK_EQ(10000 - rig.result.gas_left, 2 + 800);
    rig_put(&rig, &SELF, "5f46"); /* CHAINID is still unknown */
    rig_call(&rig, 10000);
    CHECK_EQ(rig.result.status, EVM_INVALID_OPCODE);
    /* A later fork's own prices stand. */
    toy_host_end_tx(rig.world, FORK_BYZANTIUM);
    evm_begin(rig.evm, FORK_BERLIN, &rig.door, &rig.block, &rig.tx);
    rig_put(&rig, &SELF, "5f54465000");
    rig_call(&rig, 10000);
    CHECK_EQ(rig.result.status, EVM_SUCCESS);
    CHECK_EQ(10000 - rig.result.gas_left, 2 + 2100 + 2 + 2);
    rig_fini(&rig);
}

TEST(memory_costs)
{
    /* MSTORE at 0 (one word), at 0x400 (33 words), far away. */
    expect(FORK_OSAKA, "60016000520000", 1000, EVM_SUCCESS, 3 + 3 + 3 + 3);
    expect(FORK_OSAKA, "600161040052", 1000, EVM_SUCCESS, 9 + 33 * 3 + 33 * 33 / 512);
    expect(FORK_OSAKA, "600163ffffffff52", 1000000, EVM_OUT_OF_GAS, 1000000);
    expect(FORK_OSAKA, "60007fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff20",
           1000, EVM_SUCCESS, 3 + 3 + 30);
    expect(FORK_OSAKA, "60017fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff20",
           1000, EVM_GAS_UINT_OVERFLOW, 1000);
    /* Whatever cannot be had is named as geth names it: too dear, without a price, no number at all. */
    expect(FORK_OSAKA, "6001641fffffffbf52", 1000, EVM_OUT_OF_GAS, 1000);
    expect(FORK_OSAKA, "6001641fffffffc152", 1000, EVM_OUT_OF_GAS_OVERFLOW, 1000);
    expect(FORK_OSAKA, "600167ffffffffffffffff53", 1000, EVM_GAS_UINT_OVERFLOW, 1000);
}

/* --- SSTORE: the tables of the EIPs ---------------------------------------------------------- */

struct sstore_case {
    const char *code;
    i64 used, refund;
    u64 original;
};

static void check_sstore(enum fork fork, const struct sstore_case *cases, size_t count, bool warm)
{
    for (size_t i = 0; i < count; i++) {
        struct rig rig;
        bool was_cold;
        u256 zero = U256_ZERO;
        rig_init(&rig, fork);
        rig_put(&rig, &SELF, cases[i].code);
        toy_host_put_slot(rig.world, &SELF, U256_ZERO, u256_from_u64(cases[i].original));
        if (warm)
            rig.door.ops->storage_get(rig.door.ctx, &SELF, &zero, &was_cold);
        rig_call(&rig, 100000);
        CHECK_EQ(rig.result.status, EVM_SUCCESS);
        CHECK_EQ(100000 - rig.result.gas_left, cases[i].used);
        CHECK_EQ(evm_refund(rig.evm), cases[i].refund);
        rig_fini(&rig);
    }
}

/* EIP-1283, "Test Cases". */
TEST(sstore_eip_1283)
{
    static const struct sstore_case cases[] = {
        {"60006000556000600055", 412, 0, 0},
        {"60006000556001600055", 20212, 0, 0},
        {"60016000556000600055", 20212, 19800, 0},
        {"60016000556002600055", 20212, 0, 0},
        {"60016000556001600055", 20212, 0, 0},
        {"60006000556000600055", 5212, 15000, 1},
        {"60006000556001600055", 5212, 4800, 1},
        {"60006000556002600055", 5212, 0, 1},
        {"60026000556000600055", 5212, 15000, 1},
        {"60026000556003600055", 5212, 0, 1},
        {"60026000556001600055", 5212, 4800, 1},
        {"60016000556000600055", 5212, 15000, 1},
        {"600160005560006000556001600055", 40218, 19800, 0},
        {"600060005560016000556000600055", 10218, 19800, 1},
    };
    check_sstore(FORK_CONSTANTINOPLE, cases, ARRAY_LEN(cases), false);
}

/* EIP-2200, "Test Cases". */
TEST(sstore_eip_2200)
{
    static const struct sstore_case cases[] = {
        {"60006000556000600055", 1612, 0, 0},
        {"60006000556001600055", 20812, 0, 0},
        {"60016000556000600055", 20812, 19200, 0},
        {"60016000556002600055", 20812, 0, 0},
        {"60006000556000600055", 5812, 15000, 1},
        {"60006000556001600055", 5812, 4200, 1},
        {"60026000556000600055", 5812, 15000, 1},
        {"60026000556001600055", 5812, 4200, 1},
        {"60016000556001600055", 1612, 0, 1},
        {"600160005560006000556001600055", 40818, 19200, 0},
        {"600060005560016000556000600055", 10818, 19200, 1},
    };
    check_sstore(FORK_ISTANBUL, cases, ARRAY_LEN(cases), false);
}

/* EIP-3529, "With reduced refunds", the slot warm beforehand. */
TEST(sstore_eip_3529)
{
    static const struct sstore_case cases[] = {
        {"60006000556000600055", 212, 0, 0},
        {"60006000556001600055", 20112, 0, 0},
        {"60016000556000600055", 20112, 19900, 0},
        {"60006000556000600055", 3012, 4800, 1},
        {"60006000556001600055", 3012, 2800, 1},
        {"60026000556000600055", 3012, 4800, 1},
        {"60026000556001600055", 3012, 2800, 1},
        {"600160005560006000556001600055", 40118, 19900, 0},
        {"600060005560016000556000600055", 5918, 7600, 1},
    };
    check_sstore(FORK_LONDON, cases, ARRAY_LEN(cases), true);
}

/* --- calls ----------------------------------------------------------------------------------- */

TEST(returns_what_the_callee_returned)
{
    struct rig rig;
    rig_init(&rig, FORK_OSAKA);
    rig_put(&rig, &SELF,
            "60006000600060006000610b0b5af1503d60006000"
            "3e3d6000f3");
    rig_put(&rig, &OTHER, "602a60005260206000f3");
    rig_call(&rig, 100000);
    CHECK_EQ(rig.result.status, EVM_SUCCESS);
    CHECK_EQ(rig.result.output_len, 32);
    CHECK_EQ(rig.result.output[31], 0x2a);
    rig_fini(&rig);
}

TEST(static_calls_protect)
{
    struct rig rig;
    rig_init(&rig, FORK_OSAKA);
    /* STATICCALL OTHER, whose SSTORE must fail; return the flag. */
    rig_put(&rig, &SELF,
            "6000600060006000610b0b61ffff"
            "fa60005260206000f3");
    rig_put(&rig, &OTHER, "6001600055");
    rig_call(&rig, 100000);
    CHECK_EQ(rig.result.status, EVM_SUCCESS);
    CHECK_EQ(rig.result.output[31], 0);
    CHECK(u256_is_zero(toy_host_slot(rig.world, &OTHER, U256_ZERO)));
    rig_fini(&rig);
}

TEST(a_failed_call_is_undone)
{
    struct rig rig;
    rig_init(&rig, FORK_OSAKA);
    /* CALL OTHER with 100 wei; it stores, logs and reverts. */
    rig_put(&rig, &SELF, "60006000600060006064610b0b61fffff100");
    rig_put(&rig, &OTHER, "600160005560006000a060006000fd");
    rig_call(&rig, 200000);
    CHECK_EQ(rig.result.status, EVM_SUCCESS);
    CHECK(u256_is_zero(toy_host_slot(rig.world, &OTHER, U256_ZERO)));
    CHECK_EQ(toy_host_balance(rig.world, &SELF).w[0], 500);
    CHECK_EQ(toy_host_log_count(rig.world), 0);
    CHECK_EQ(evm_refund(rig.evm), 0);
    rig_fini(&rig);
}

TEST(follows_one_delegation)
{
    struct rig rig;
    rig_init(&rig, FORK_PRAGUE);
    rig_put(&rig, &SELF, "ef01000000000000000000000000000000000000000b0b");
    rig_put(&rig, &OTHER, "602a60005260206000f3");
    rig_call(&rig, 100000);
    CHECK_EQ(rig.result.status, EVM_SUCCESS);
    CHECK_EQ(rig.result.output_len, 32);
    rig_fini(&rig);
}

TEST(recursion_ends_at_depth_1024)
{
    /* Homestead hands on all gas: increments slot 0, then calls itself with all gas but 30,000. */
    struct rig rig;
    rig_init(&rig, FORK_HOMESTEAD);
    rig_put(&rig, &SELF, "6001600054016000556000600060006000600061c0de6175305a03f100");
    rig_call(&rig, 100000000);
    CHECK_EQ(rig.result.status, EVM_SUCCESS);
    CHECK_EQ(toy_host_slot(rig.world, &SELF, U256_ZERO).w[0], 1025);
    rig_fini(&rig);
}

TEST(an_older_frames_memory_stays)
{
    /* Writes 7 at 0x3ffe0, where a chunk ends; the callee takes more memory; the 7 is still there. */
    struct rig rig;
    rig_init(&rig, FORK_OSAKA);
    rig_put(&rig, &SELF,
            "60076203ffe052"                   /* MSTORE(0x3ffe0, 7) */
            "600060006203ffff60006000"         /* out 0,0; in 0..0x3ffff; value 0 */
            "610b0b620fffff"                   /* OTHER, gas */
            "f1506203ffe05160005260206000f3"); /* return MLOAD(0x3ffe0) */
    rig_put(&rig, &OTHER, "60096307ffffe05236600052");
    rig_call(&rig, 30000000);
    CHECK_EQ(rig.result.status, EVM_SUCCESS);
    CHECK_EQ(rig.result.output[31], 7);
    evm_settle(rig.evm);
    rig_call(&rig, 30000000);
    CHECK_EQ(rig.result.output[31], 7);
    evm_rest(rig.evm);
    rig_call(&rig, 30000000);
    CHECK_EQ(rig.result.status, EVM_SUCCESS);
    CHECK_EQ(rig.result.output[31], 7);
    rig_fini(&rig);
}

/* --- creations ------------------------------------------------------------------------------- */

TEST(names_contracts)
{
    /* EIP-1014's examples, and the first contract of a known account. */
    addr20 zero = {{0}}, got;
    hash32 salt = {{0}}, hash;
    u8 init = 0, want[20];
    keccak256(&hash, &init, 1);
    got = evm_create2_address(&zero, &salt, &hash);
    bytes_of(want, 20, "4d1a2e2bb4f88f0250f26ffff098b0b30b26bf38");
    CHECK_MEM(got.b, want, 20);
    addr20 sender;
    bytes_of(sender.b, 20, "f39fd6e51aad88f6f4ce6ab8827279cfffb92266");
    got = evm_create_address(&sender, 0);
    bytes_of(want, 20, "5fbdb2315678afecb367f032d93f642f64180aa3");
    CHECK_MEM(got.b, want, 20);
}

/* CREATE of init code that returns n bytes of zeroes; returns the address. */
static void create_zeroes(struct rig *rig, enum fork fork, const char *init_push, i64 gas)
{
    char code[256];
    /* PUSH5 init; MSTORE at 0: the five bytes end at 32. CREATE(0, 27, 5). */
    snprintf(code, sizeof code, "64%s6000526005601b6000f060005260206000f3", init_push);
    rig_run(rig, fork, code, gas);
}

TEST(creates_up_to_the_code_limit)
{
    struct rig rig;
    create_zeroes(&rig, FORK_OSAKA, "6160005ff3", 10000000); /* 24,576 bytes */
    CHECK_EQ(rig.result.status, EVM_SUCCESS);
    addr20 made = evm_create_address(&SELF, 1);
    CHECK_MEM(rig.result.output + 12, made.b, 20);
    CHECK_EQ(toy_host_code_len(rig.world, &made), 24576);
    CHECK_EQ(toy_host_nonce(rig.world, &made), 1);
    CHECK_EQ(toy_host_nonce(rig.world, &SELF), 2);
    rig_fini(&rig);
    create_zeroes(&rig, FORK_OSAKA, "6160015ff3", 10000000); /* one more */
    CHECK_EQ(rig.result.status, EVM_SUCCESS);
    CHECK_EQ(rig.result.output[31], 0);
    CHECK_EQ(toy_host_nonce(rig.world, &SELF), 2);
    rig_fini(&rig);
}

/* --- no allocation --------------------------------------------------------------------------- */

TEST(allocates_nothing_once_warm)
{
    struct rig rig;
    rig_init(&rig, FORK_OSAKA);
    /* Hashes, stores, logs, and calls OTHER and a precompile (identity, 0x04). */
    rig_put(&rig, &SELF,
            "602060002060005560206000a0"
            "60206000602060006000610b0b61fffff150"
            "602060006020600060006004"
            "61fffff15060206000f3");
    rig_put(&rig, &OTHER,
            "6040600020600052602060"
            "00f3");
    struct evm_msg msg = {
        .kind = EVM_CALL, .gas = 1000000, .sender = CALLER, .recipient = SELF, .code_addr = SELF};
    u64 before = 0;
    for (int i = 0; i < 100; i++) {
        if (i == 80) /* by then translated, too */
            before = mem_allocations();
        evm_begin(rig.evm, FORK_OSAKA, &rig.door, &rig.block, &rig.tx);
        evm_call(rig.evm, &msg, &rig.result);
        CHECK_EQ(rig.result.status, EVM_SUCCESS);
        toy_host_end_tx(rig.world, FORK_OSAKA);
    }
    CHECK_EQ(mem_allocations() - before, 0);
    rig_fini(&rig);
}
