#include "base/test.h"
#include "crypto/modexp.h"
#include "prim/u256.h"

static u256 by_words(u256 base, u256 exponent, u256 modulus)
{
    u256 r = u256_mod(U256_ONE, modulus);
    for (int i = 255; i >= 0; i--) {
        r = u256_mulmod(r, r, modulus);
        if (exponent.w[i / 64] >> i % 64 & 1)
            r = u256_mulmod(r, base, modulus);
    }
    return r;
}

/* Numbers of one word give what square-and-multiply on words gives. */
TEST(modexp_words)
{
    u256 a = {{0x123456789abcdef1, 77, 0, 1}}, b = {{0xfedcba9876543210, 5, 6, 7}},
         m = {{0x8000000000000000, 3, 1, 9}};
    for (int i = 0; i < 50; i++) {
        u256 modulus = u256_shr(m, (unsigned)i * 5);
        u8 base[32], exponent[32], mod[32], out[32], want[32];
        u256_store_be(base, a);
        u256_store_be(exponent, b);
        u256_store_be(mod, modulus);
        modexp(out, base, 32, exponent, 32, mod, 32);
        u256_store_be(want, by_words(a, b, modulus));
        CHECK_MEM(out, want, 32);
        a = u256_add(u256_mul(a, a), b);
        b = u256_xor(u256_mul(b, a), m);
        m = u256_or(u256_mul(m, b), U256_ONE);
    }
}

TEST(modexp_edges)
{
    u8 out[3] = {9, 9, 9};
    modexp(out, NULL, 0, NULL, 0, (const u8[]){0, 0, 7}, 3);
    CHECK_MEM(out, ((u8[]){0, 0, 1}), 3);
    modexp(out, NULL, 0, NULL, 0, (const u8[]){0, 0, 1}, 3);
    CHECK_MEM(out, ((u8[]){0, 0, 0}), 3);
    modexp(out, (const u8[]){5}, 1, (const u8[]){3}, 1, (const u8[]){0, 0, 0}, 3);
    CHECK_MEM(out, ((u8[]){0, 0, 0}), 3);
    modexp(out, (const u8[]){5}, 1, (const u8[]){0, 3}, 2, (const u8[]){1, 0, 0}, 3);
    CHECK_MEM(out, ((u8[]){0, 0, 125}), 3);
}
