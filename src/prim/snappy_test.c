#include <string.h>

#include "base/mem.h"
#include "base/test.h"
#include "prim/snappy.h"

static void check_round_trip(const u8 *bytes, size_t len)
{
    struct buf packed, unpacked;
    buf_init(&packed, SIZE_MAX / 2);
    buf_init(&unpacked, SIZE_MAX / 2);
    snappy_encode(&packed, bytes, len);
    CHECK(packed.len <= 32 + len + len / 6);
    CHECK(snappy_decode(&unpacked, packed.data, packed.len, len));
    CHECK_EQ(unpacked.len, len);
    CHECK(!len || !memcmp(unpacked.data, bytes, len));
    CHECK(!len || !snappy_decode(&unpacked, packed.data, packed.len, len - 1));
    CHECK(!snappy_decode(&unpacked, packed.data, packed.len - 1, len));
    CHECK_EQ(unpacked.len, len);
    buf_fini(&packed);
    buf_fini(&unpacked);
}

TEST(snappy_gives_back_what_went_in)
{
    u8 *bytes = mem_alloc(SNAPPY_BLOCK_MAX);
    static const size_t lens[] = {0, 1, 3, 4, 5, 60, 61, 62, 256, 257, 1000, 65535, 65536};
    for (u32 kind = 0; kind < 4; kind++) {
        u32 random = 1;
        for (size_t i = 0; i < SNAPPY_BLOCK_MAX; i++) {
            random = random * 1103515245 + 12345;
            bytes[i] = kind == 0   ? 0
                       : kind == 1 ? (u8)(i % 7)
                       : kind == 2 ? (u8)(random >> 24)
                                   : (u8)(random >> 30);
        }
        for (size_t i = 0; i < ARRAY_LEN(lens); i++)
            check_round_trip(bytes, lens[i]);
    }
    mem_free(bytes);
}

static bool decodes(const u8 *bytes, size_t len, const char *want)
{
    struct buf out;
    buf_init(&out, 1000);
    bool good = snappy_decode(&out, bytes, len, 1000);
    CHECK(!good || (out.len == strlen(want) && (!out.len || !memcmp(out.data, want, out.len))));
    buf_fini(&out);
    return good;
}
#define DECODES(want, ...) \
    decodes((const u8[]){__VA_ARGS__}, sizeof((const u8[]){__VA_ARGS__}), want)

/* By hand, from the format's description. */
TEST(snappy_reads_every_kind_of_element)
{
    CHECK(DECODES("abc", 3, 2 << 2, 'a', 'b', 'c'));
    CHECK(DECODES("abc", 3, 60 << 2, 2, 'a', 'b', 'c'));
    CHECK(DECODES("abc", 3, 61 << 2, 2, 0, 'a', 'b', 'c'));
    CHECK(DECODES("abc", 3, 63 << 2, 2, 0, 0, 0, 'a', 'b', 'c'));
    CHECK(DECODES("abababa", 7, 1 << 2, 'a', 'b', 1 << 2 | 1, 2));
    CHECK(DECODES("ababa", 5, 1 << 2, 'a', 'b', 2 << 2 | 2, 2, 0));
    CHECK(DECODES("ababa", 5, 1 << 2, 'a', 'b', 2 << 2 | 3, 2, 0, 0, 0));
    CHECK(DECODES("", 0));
}

TEST(snappy_refuses_what_is_malformed)
{
    CHECK(!decodes(NULL, 0, ""));
    CHECK(!DECODES("", 0x80));
    CHECK(!DECODES("", 0xff, 0xff, 0xff, 0xff, 0x7f));
    CHECK(!DECODES("", 3, 2 << 2, 'a', 'b'));
    CHECK(!DECODES("", 2, 2 << 2, 'a', 'b', 'c'));
    CHECK(!DECODES("", 4, 2 << 2, 'a', 'b', 'c'));
    CHECK(!DECODES("", 3, 62 << 2, 2, 0));
    CHECK(!DECODES("", 5, 1 << 2, 'a', 'b', 2 << 2 | 2, 0, 0));
    CHECK(!DECODES("", 5, 1 << 2, 'a', 'b', 2 << 2 | 2, 3, 0));
    CHECK(!DECODES("", 4, 1 << 2, 'a', 'b', 2 << 2 | 2, 2, 0));
    CHECK(!DECODES("", 5, 1 << 2, 'a', 'b', 2 << 2 | 2, 2));
}
