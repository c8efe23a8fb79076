/* The fast interpreter against the plain one: the same end at every gas limit. */
#include <stdio.h>
#include <stdlib.h>

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
    if (memcmp(&want, &got, sizeof want) == 0)
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

TEST(fast_equals_plain_at_every_gas_limit)
{
    const char *from = getenv("FAST_SEED"), *count = getenv("FAST_COUNT");
    u64 first = from ? strtoull(from, NULL, 10) : 1, n = count ? strtoull(count, NULL, 10) : 150;
    struct side plain, sides[2];
    side_init(&plain, EVM_ENGINE_PLAIN);
    side_init(&sides[0], EVM_ENGINE_AUTO);
    side_init(&sides[1], EVM_ENGINE_FAST);
    for (u64 seed = first; seed < first + n; seed++)
        sweep(&plain, &sides[seed % 4 != 0], seed);
    side_fini(&plain);
    side_fini(&sides[0]);
    side_fini(&sides[1]);
}
