/* The fast interpreter against the plain one: the same end at every gas limit. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/test.h"
#include "evm/fast.h"
#include "evm/fast_programs.h"

static void hex_print(const u8 *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        fprintf(stderr, "%02x", bytes[i]);
    fprintf(stderr, "\n");
}

static void compare(struct side *plain, struct side *fast, const struct program *programs,
                    enum fork fork, i64 gas, bool is_static, u64 seed)
{
    struct outcome want, got;
    side_run(plain, &want, fork, gas, is_static);
    side_run(fast, &got, fork, gas, is_static);
    if (outcome_eq(&want, &got))
        return;
    for (unsigned i = 0; i < PROGRAM_COUNT; i++)
        hex_print(programs[i].code, programs[i].len);
    test_fail(__FILE__, __LINE__,
              "seed %llu, %s, gas %lld%s: %s %lld refund %lld, not %s %lld refund %lld",
              (unsigned long long)seed, fork_name(fork), (long long)gas,
              is_static ? ", static" : "", evm_status_text(got.status), (long long)got.gas_left,
              (long long)got.refund, evm_status_text(want.status), (long long)want.gas_left,
              (long long)want.refund);
}

/* Programs of one seed under gas limits from all there is down to nothing. */
static void sweep(struct side *plain, struct side *fast, u64 seed)
{
    struct chooser c = {.state = seed * 0x9e3779b97f4a7c15u + 1};
    enum fork fork = choose(&c, 2) ? FORK_OSAKA : (enum fork)choose(&c, FORK_COUNT);
    struct program programs[PROGRAM_COUNT];
    for (unsigned i = 0; i < PROGRAM_COUNT; i++)
        program_make(&programs[i], &c, fork);
    side_load(plain, programs);
    side_load(fast, programs);
    struct outcome whole;
    i64 all = 60000;
    side_run(plain, &whole, fork, all, false);
    i64 used = all - whole.gas_left;
    compare(plain, fast, programs, fork, all, false, seed);
    compare(plain, fast, programs, fork, all, true, seed);
    for (i64 gas = 0; gas <= used; gas += gas < 1200 ? 1 : 1 + choose(&c, 199))
        compare(plain, fast, programs, fork, gas, false, seed);
}

/* --- programs for corners that random ones do not reach ----------------------------------------- */

static void from_hex(struct program *program, const char *hex)
{
    memset(program, 0, sizeof *program);
    for (; hex[0] && hex[1]; hex += 2) {
        unsigned byte;
        CHECK(sscanf(hex, "%2x", &byte) == 1);
        program->code[program->len++] = (u8)byte;
    }
}

/* Runs three programs often enough to be translated by either engine, at these gas limits. */
static void corner(const char *self, const char *other, const i64 *gas, size_t gas_count)
{
    struct program programs[PROGRAM_COUNT];
    from_hex(&programs[0], self);
    from_hex(&programs[1], other);
    from_hex(&programs[2], "00");
    struct side plain, sides[2];
    side_init(&plain, EVM_ENGINE_PLAIN);
    side_init(&sides[0], EVM_ENGINE_AUTO);
    side_init(&sides[1], EVM_ENGINE_FAST);
    side_load(&plain, programs);
    for (unsigned i = 0; i < 2; i++) {
        side_load(&sides[i], programs);
        for (unsigned round = 0; round < 3; round++)
            for (size_t j = 0; j < gas_count; j++)
                compare(&plain, &sides[i], programs, FORK_OSAKA, gas[j], false, round);
        side_fini(&sides[i]);
    }
    side_fini(&plain);
}

TEST(nothing_is_allocated_once_translated)
{
    struct program programs[PROGRAM_COUNT];
    from_hex(&programs[2], "00");
    /* Calls the second program 64 times, which loops eight times over arithmetic and memory. */
    from_hex(&programs[0],
             "60405b60205f60205f5f62c0de015af15060019003806002575f5160010160205260406000f3");
    from_hex(&programs[1], "60085b6001900380805f51015f5280600257505a60205260406000f3");
    struct side side;
    struct outcome outcome;
    side_init(&side, EVM_ENGINE_AUTO);
    side_load(&side, programs);
    for (unsigned round = 0; round < 40; round++)
        side_run(&side, &outcome, FORK_OSAKA, 10000000, false);
    CHECK_EQ(outcome.status, EVM_SUCCESS);
    addr20 self = program_addr(0);
    struct evm_host door = toy_host_door(side.world);
    struct evm_code_view view = door.ops->code(door.ctx, &self);
    struct code *code = code_cache_take(&side.evm->codes, &view);
    CHECK(fast_code_size(code) > 0);
    code_cache_put(code);
    u64 before = mem_allocations();
    side_run(&side, &outcome, FORK_OSAKA, 10000000, false);
    CHECK_EQ(mem_allocations() - before, 0);
    side_fini(&side);
}

TEST(a_frame_and_an_inner_one_of_the_same_code_share_its_translation)
{
    static const i64 gas[] = {3000000, 100000};
    /* With input: 100 rounds, a call to itself without input, then 300 rounds. Without: only these. */
    corner("36156022576064"
           "5b600190038060075750"
           "5f5f5f5f5f305af15060225600000000005b61012c"
           "5b600190038060265700",
           "00", gas, ARRAY_LEN(gas));
}

TEST(stack_limit_is_met_exactly)
{
    static const i64 gas[] = {10000000, 20000, 15000, 14336, 14335, 500};
    /* A loop that adds a word each time, until there is no room. */
    corner("5b5f600056", "00", gas, ARRAY_LEN(gas));
    /* ... and one that adds four and takes three away. */
    corner("5b5f5f5f5f505050600056", "00", gas, ARRAY_LEN(gas));
    /* A loop that takes a word away each time, after 1,000 were put there. */
    corner("6103e85b5f906001900380600357505b50601056", "00", gas, ARRAY_LEN(gas));
}

TEST(call_depth_and_nested_gas_are_met_exactly)
{
    static const i64 gas[] = {300000000000, 3000000, 40000};
    /* Each frame calls the other program with all its gas and adds to what comes back. */
    corner("60205f5f5f5f62c0de015af15f51600101015f5260205ff3",
           "60205f5f5f5f62c0de005af15f51600101015f5260205ff3", gas, ARRAY_LEN(gas));
    /* Loops of calls in loops of calls. */
    corner("60205b60205f60205f5f62c0de015af15060019003806002575f5160010160205260406000f3",
           "60085b60019003806002575a5f5260205ff3", gas, ARRAY_LEN(gas));
}

TEST(memories_of_nested_frames_may_move)
{
    static const i64 gas[] = {9000000, 300000};
    /* Writes far out in memory, calls, writes further, and returns the first word, some rounds over. */
    corner("60075b61aaaa5f528061f0005260205f60205f5f62c0de015af15080620122225260019003806002575f5"
           "15f5260205ff3",
           "60036040526133005f5260405162010000526040505f5160805260205ff3", gas, ARRAY_LEN(gas));
}

TEST(fast_equals_plain_at_every_gas_limit)
{
    const char *from = getenv("FAST_SEED"), *count = getenv("FAST_COUNT");
    u64 first = from ? strtoull(from, NULL, 10) : 1, n = count ? strtoull(count, NULL, 10) : 100;
    struct side plain, sides[2];
    side_init(&plain, EVM_ENGINE_PLAIN);
    side_init(&sides[0], EVM_ENGINE_AUTO);
    side_init(&sides[1], EVM_ENGINE_FAST);
    sides[1].evm->codes.bytes_max = 100000; /* code is dropped and comes back all the time */
    for (u64 seed = first; seed < first + n; seed++)
        sweep(&plain, &sides[seed % 4 != 0], seed);
    side_fini(&plain);
    side_fini(&sides[0]);
    side_fini(&sides[1]);
}
