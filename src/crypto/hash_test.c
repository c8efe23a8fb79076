#include "base/test.h"
#include "crypto/blake2f.h"
#include "crypto/ripemd160.h"
#include "crypto/sha256.h"

/* FIPS 180-2, appendix B.1. */
TEST(sha256_abc)
{
    static const u8 want[32] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                                0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                                0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    hash32 hash;
    sha256(&hash, "abc", 3);
    CHECK_MEM(hash.b, want, 32);
}

/* The test values of the paper. */
TEST(ripemd160_abc)
{
    static const u8 want[20] = {0x8e, 0xb2, 0x08, 0xf7, 0xe0, 0x5d, 0x98, 0x7a, 0x9b, 0x04,
                                0x4a, 0x8e, 0x98, 0xc6, 0xb0, 0x87, 0xf1, 0x5a, 0x0b, 0xfc};
    u8 hash[20];
    ripemd160(hash, "abc", 3);
    CHECK_MEM(hash, want, 20);
}

/* RFC 7693, appendix A: BLAKE2b-512 of "abc" is one call of F; its first words. */
TEST(blake2f_abc)
{
    u64 h[8] = {0x6a09e667f2bdc948, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
                0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
    u64 m[16] = {0x636261}, t[2] = {3};
    blake2f(h, m, t, true, 12);
    CHECK(h[0] == 0x0d4d1c983fa580ba && h[7] == 0x239900d4ed8623b9);
}

/* With h as it was before, r rounds and then r more differ from 2r only by the words mixed in at the
 * ends; so every count is at least different from every other, and zero rounds do what they say. */
TEST(blake2f_rounds)
{
    u64 last = 0;
    for (u32 rounds = 0; rounds < 35; rounds++) {
        u64 h[8] = {0}, m[16] = {1, 2, 3}, t[2] = {0};
        blake2f(h, m, t, false, rounds);
        if (rounds == 0)
            CHECK(h[0] == 0x6a09e667f3bcc908 && h[4] == 0x510e527fade682d1);
        CHECK(h[0] != last);
        last = h[0];
    }
}
