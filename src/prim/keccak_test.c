#include "base/test.h"
#include "prim/hex.h"
#include "prim/keccak.h"

static void check_hash(const hash32 *got, const char *want)
{
    hash32 hash;
    CHECK(hex_decode_bare(hash.b, want, strlen(want)) == HEX_OK);
    CHECK_MEM(got->b, hash.b, 32);
}

TEST(keccak_known)
{
    static const struct {
        const char *text, *hash;
    } cases[] = {
        {"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"},
        {"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"},
        {"transfer(address,uint256)",
         "a9059cbb2ab09eb219583f4a59a5d0623ade346d962bcd4e46b11da047c9049b"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrl"
         "mno"
         "pqrsmnopqrstnopqrstu",
         "f519747ed599024f3882238e5ab43960132572b7345fbeb9a90769dafd21ad67"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        hash32 hash;
        keccak256(&hash, cases[i].text, strlen(cases[i].text));
        check_hash(&hash, cases[i].hash);
    }
    CHECK(memcmp(&KECCAK256_EMPTY, &(hash32){{0xc5, 0xd2}}, 2) == 0);
}

/* The NIST "million a" message of the original Keccak team's test vectors. */
TEST(keccak_long)
{
    struct keccak keccak;
    keccak_init(&keccak);
    char block[1000];
    memset(block, 'a', sizeof block);
    for (int i = 0; i < 1000; i++)
        keccak_update(&keccak, block, sizeof block);
    hash32 hash;
    keccak_final(&keccak, &hash);
    check_hash(&hash, "fadae6b49f129bbb812be8407b7b2894f34aecf6dbd1f9b0f0c7e9853098fc96");
}

/* Every length around the block's edges: one shot, in pieces, and four abreast agree. */
TEST(keccak_forms_agree)
{
    u8 data[600];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (u8)(i * 7 + (i >> 3));
    for (size_t len = 0; len + 3 <= sizeof data; len++) {
        hash32 one, pieces, four[4];
        keccak256(&one, data, len);
        struct keccak keccak;
        keccak_init(&keccak);
        for (size_t at = 0, step = 1; at < len; at += step, step = step * 3 % 151 + 1) {
            step = step < len - at ? step : len - at;
            keccak_update(&keccak, data + at, step);
        }
        keccak_final(&keccak, &pieces);
        CHECK_MEM(pieces.b, one.b, 32);
        const void *const messages[4] = {data, data + 1, data + 2, data + 3};
        const size_t lens[4] = {len, len / 2, len / 3, 0};
        keccak256_x4(four, messages, lens);
        for (int k = 0; k < 4; k++) {
            keccak256(&one, messages[k], lens[k]);
            CHECK_MEM(four[k].b, one.b, 32);
        }
    }
}
