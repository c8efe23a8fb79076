#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/status.h"
#include "base/test.h"

TEST(arena_keeps_blocks_apart_and_aligned)
{
    struct arena arena;
    arena_init(&arena);
    u8 *first = arena_alloc(&arena, 3), *second = arena_zalloc(&arena, 100000);
    CHECK_EQ((uintptr_t)first % 16, 0);
    CHECK_EQ((uintptr_t)second % 16, 0);
    memset(first, 0xff, 3);
    CHECK_EQ(second[0] | second[99999], 0);
    CHECK_STR(arena_format(&arena, "%d-%s", 7, "x"), "7-x");
    CHECK(arena_size(&arena) > 100000 && arena_size(&arena) < 400000);
    arena_reset(&arena);
    arena_fini(&arena);
    CHECK_EQ(arena_size(&arena), 0);
}

TEST(buf_stops_at_its_maximum_and_keeps_what_it_had)
{
    struct buf buf;
    buf_init(&buf, 10);
    buf_add_text(&buf, "12345678");
    buf_add_text(&buf, "abc");
    CHECK(buf.full);
    CHECK_EQ(buf.len, 8);
    CHECK_MEM(buf.data, "12345678", 8);
    buf_reset(&buf);
    buf_add_format(&buf, "%u", 42u);
    CHECK_MEM(buf.data, "42", 2);
    buf_fini(&buf);
}

TEST(err_words_can_be_prefixed)
{
    struct err err;
    CHECK_EQ(err_set(&err, STATUS_IO, "no such file"), STATUS_IO);
    err_prefix(&err, "genesis %s", "a.json");
    CHECK_STR(err.text, "genesis a.json: no such file");
}
