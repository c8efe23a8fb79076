#include "base/mem.h"
#include "base/test.h"
#include "evm/evm_int.h"
#include "prim/keccak.h"

static u64 random_next(u64 *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

/* One byte after the other, as the Yellow Paper defines it. */
static void jumpdests_naive(bool *is_dest, const u8 *bytes, size_t len)
{
    memset(is_dest, 0, len);
    for (size_t i = 0; i < len; i++) {
        is_dest[i] = bytes[i] == OP_JUMPDEST;
        if (bytes[i] >= OP_PUSH1 && bytes[i] <= OP_PUSH32)
            i += (size_t)(bytes[i] - OP_PUSH1) + 1;
    }
}

TEST(finds_jump_destinations)
{
    enum { LEN_MAX = 400 };
    u8 bytes[LEN_MAX];
    bool want[LEN_MAX];
    u64 seed = 1;
    for (int round = 0; round < 3000; round++) {
        size_t len = random_next(&seed) % LEN_MAX;
        for (size_t i = 0; i < len; i++) {
            u64 pick = random_next(&seed) % 4;
            bytes[i] = pick == 0   ? OP_JUMPDEST
                       : pick == 1 ? (u8)(OP_PUSH1 + random_next(&seed) % 32)
                                   : (u8)random_next(&seed);
        }
        struct code code = {0};
        void *room = mem_alloc(code_prepared_size(len));
        code_prepare(&code, room, bytes, len);
        jumpdests_naive(want, bytes, len);
        for (size_t i = 0; i < len; i++)
            CHECK_EQ(code_is_jumpdest(&code, i), want[i]);
        CHECK(!code_is_jumpdest(&code, len));
        CHECK(!code_is_jumpdest(&code, UINT64_MAX));
        mem_free(room);
    }
}

static struct evm_code_view view_of(u8 *bytes, size_t len, u32 number)
{
    memset(bytes, 0, len);
    memcpy(bytes, &number, sizeof number);
    struct evm_code_view view = {.bytes = bytes, .len = len};
    keccak256(&view.hash, bytes, len);
    return view;
}

TEST(cache_keeps_its_bound_and_what_is_in_use)
{
    struct code_cache cache;
    u8 bytes[1000];
    code_cache_init(&cache, 64 << 10);
    struct evm_code_view first = view_of(bytes, sizeof bytes, 0);
    struct code *held = code_cache_take(&cache, &first);
    for (u32 i = 1; i < 2000; i++) {
        struct evm_code_view view = view_of(bytes, sizeof bytes, i);
        struct code *code = code_cache_take(&cache, &view);
        CHECK_EQ(code->len, sizeof bytes);
        CHECK_MEM(code->bytes, bytes, sizeof bytes);
        code_cache_put(code);
        CHECK(cache.bytes <= cache.bytes_max);
    }
    u8 again_bytes[1000];
    struct evm_code_view again = view_of(again_bytes, sizeof again_bytes, 0);
    CHECK(code_cache_take(&cache, &again) == held);
    CHECK_EQ(held->users, 2);
    CHECK(cache.count > 20);
    /* The latest is still there. */
    struct evm_code_view latest = view_of(bytes, sizeof bytes, 1999);
    u64 before = mem_allocations();
    code_cache_put(code_cache_take(&cache, &latest));
    CHECK_EQ(mem_allocations() - before, 0);
    code_cache_fini(&cache);
}
