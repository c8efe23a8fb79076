#include <string.h>

#include "base/mem.h"
#include "base/test.h"
#include "evm/precompile_cache.h"

static const struct precompile *row_of(u8 address)
{
    addr20 addr = {.b = {[19] = address}};
    return precompile_find(FORK_OSAKA, &addr);
}

TEST(a_kept_answer_is_the_answer)
{
    struct precompile_cache cache = {0};
    struct arena arena;
    u8 in[300], want[64];
    const u8 *out = NULL;
    size_t len = 0, want_len;
    arena_init(&arena);
    memset(in, 0x5a, sizeof in);
    for (u8 address = 1; address <= 0x0a; address++)
        for (size_t n = 0; n < sizeof in; n += 71)
            for (int again = 0; again < 3; again++) {
                const struct precompile *row = row_of(address);
                if (row->gas(FORK_OSAKA, in, n) > 1000000)
                    continue;
                bool want_ok = row->run(&out, &len, in, n, &arena);
                want_len = want_ok ? len : 0;
                if (want_len > sizeof want)
                    continue;
                if (want_len)
                    memcpy(want, out, want_len);
                CHECK_EQ(precompile_cache_run(&cache, row, &out, &len, in, n, &arena), want_ok);
                CHECK_EQ(len, want_len);
                if (want_len)
                    CHECK_MEM(out, want, want_len);
            }
    arena_fini(&arena);
    precompile_cache_fini(&cache);
}

TEST(the_same_question_costs_nothing)
{
    struct precompile_cache cache = {0};
    struct arena arena;
    const struct precompile *sha256 = row_of(2);
    u8 in[100] = {1};
    const u8 *first, *second;
    size_t len;
    arena_init(&arena);
    CHECK(precompile_cache_run(&cache, sha256, &first, &len, in, sizeof in, &arena));
    CHECK(precompile_cache_run(&cache, sha256, &first, &len, in, sizeof in, &arena));
    u64 before = mem_allocations();
    CHECK(precompile_cache_run(&cache, sha256, &second, &len, in, sizeof in, &arena));
    CHECK(second == first);
    CHECK_EQ(mem_allocations() - before, 0);
    in[99] = 1;
    CHECK(precompile_cache_run(&cache, sha256, &second, &len, in, sizeof in, &arena));
    CHECK(second != first);
    arena_fini(&arena);
    precompile_cache_fini(&cache);
}
