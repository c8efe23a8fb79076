/* The fast interpreter against the plain one, on programs made from the fuzzer's bytes. */
#include "base/assert.h"
#include "evm/fast_programs.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void compare(struct side *plain, struct side *fast, enum fork fork, i64 gas)
{
    struct outcome want, got;
    side_run(plain, &want, fork, gas, false);
    side_run(fast, &got, fork, gas, false);
    assert(outcome_eq(&want, &got));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    static struct program programs[PROGRAM_COUNT];
    static struct side plain, sides[2]; /* kept: making machines takes longer than using them */
    struct chooser c = {.bytes = data, .len = size};
    enum fork fork = (enum fork)choose(&c, FORK_COUNT);
    i64 limit = 1 + choose(&c, 256) * 7;
    for (unsigned i = 0; i < PROGRAM_COUNT; i++)
        program_make(&programs[i], &c, fork);
    if (!plain.evm) {
        side_init(&plain, EVM_ENGINE_PLAIN);
        side_init(&sides[0], EVM_ENGINE_AUTO);
        side_init(&sides[1], EVM_ENGINE_FAST);
    }
    struct side *fast = &sides[limit & 1];
    side_load(&plain, programs);
    side_load(fast, programs);
    for (i64 gas = 30000; gas > 0; gas = gas > limit ? gas / 2 : gas - limit / 5 - 1)
        compare(&plain, fast, fork, gas);
    return 0;
}
