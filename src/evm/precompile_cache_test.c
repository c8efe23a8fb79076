#include "base/mem.h"
#include "base/test.h"
#include "evm/precompile_cache.h"

static unsigned runs;

static u64 no_gas(enum fork fork, const u8 *in, size_t len)
{
    (void)fork, (void)in, (void)len;
    return 0;
}

/* Answers its input's first byte; fails without input. */
static bool echo(const u8 **out, size_t *out_len, const u8 *in, size_t len, struct arena *arena)
{
    (void)arena;
    runs++;
    *out = in;
    *out_len = len ? 1 : 0;
    return len > 0;
}

TEST(a_dear_answer_is_computed_once)
{
    static const struct precompile one = {.address = 1, .name = "one", .gas = no_gas, .run = echo};
    static const struct precompile two = {.address = 2, .name = "two", .gas = no_gas, .run = echo};
    struct precompile_cache *cache = NEW(struct precompile_cache);
    struct arena arena;
    const u8 *out, in[2] = {7, 8};
    size_t len;
    arena_init(&arena);
    runs = 0;
    for (int i = 0; i < 3; i++) {
        CHECK(precompile_cache_run(cache, &one, 50000, &out, &len, in, 2, &arena));
        CHECK_EQ(len, 1);
        CHECK_EQ(out[0], 7);
    }
    CHECK_EQ(runs, 1);
    CHECK(precompile_cache_run(cache, &two, 50000, &out, &len, in, 2, &arena));
    CHECK_EQ(runs, 2);
    CHECK(precompile_cache_run(cache, &one, 50000, &out, &len, in + 1, 1, &arena));
    CHECK_EQ(out[0], 8);
    CHECK_EQ(runs, 3);
    CHECK(!precompile_cache_run(cache, &one, 50000, &out, &len, in, 0, &arena));
    CHECK(!precompile_cache_run(cache, &one, 50000, &out, &len, in, 0, &arena));
    CHECK_EQ(len, 0);
    CHECK_EQ(runs, 4);
    CHECK(precompile_cache_run(cache, &one, 100, &out, &len, in, 2, &arena));
    CHECK(precompile_cache_run(cache, &one, 100, &out, &len, in, 2, &arena));
    CHECK_EQ(runs, 6);
    arena_fini(&arena);
    mem_free(cache);
}
