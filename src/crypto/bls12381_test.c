#include <string.h>

#include "base/test.h"
#include "crypto/bls12381.h"

enum { TERM = BLS_G1_SIZE + BLS_SCALAR_SIZE, TERM2 = BLS_G2_SIZE + BLS_SCALAR_SIZE };

/* Some points of the subgroups, by mapping small numbers. */
static void g1_point(u8 out[BLS_G1_SIZE], u8 seed)
{
    u8 u[BLS_FP_SIZE] = {[63] = seed};
    CHECK(bls_map_fp(out, u));
}

static void g2_point(u8 out[BLS_G2_SIZE], u8 seed)
{
    u8 u[2 * BLS_FP_SIZE] = {[127] = seed};
    CHECK(bls_map_fp2(out, u));
}

/* 1 P + 1 P + ... as a sum of products is what adding one by one gives, and so is n P. */
TEST(bls_sums)
{
    struct arena arena;
    arena_init(&arena);
    u8 sum[BLS_G1_SIZE] = {0}, sum2[BLS_G2_SIZE] = {0}, got[BLS_G2_SIZE];
    u8 terms[20 * TERM] = {0}, terms2[20 * TERM2] = {0};
    for (u8 n = 1; n <= 20; n++) {
        u8 in[2 * BLS_G1_SIZE], in2[2 * BLS_G2_SIZE];
        memcpy(in, sum, sizeof sum);
        memcpy(in2, sum2, sizeof sum2);
        g1_point(in + BLS_G1_SIZE, n);
        g2_point(in2 + BLS_G2_SIZE, n);
        CHECK(bls_g1_add(sum, in) && bls_g2_add(sum2, in2));
        u8 *term = terms + (n - 1) * TERM, *term2 = terms2 + (n - 1) * TERM2;
        memcpy(term, in + BLS_G1_SIZE, BLS_G1_SIZE);
        memcpy(term2, in2 + BLS_G2_SIZE, BLS_G2_SIZE);
        term[TERM - 1] = term2[TERM2 - 1] = 1;
        CHECK(bls_g1_msm(got, terms, n, &arena));
        CHECK_MEM(got, sum, sizeof sum);
        CHECK(bls_g2_msm(got, terms2, n, &arena));
        CHECK_MEM(got, sum2, sizeof sum2);
        arena_reset(&arena);
    }
    arena_fini(&arena);
}

/* e(P, Q) e(P, Q') e(-P, Q + Q') = 1 */
TEST(bls_bilinear)
{
    struct arena arena;
    arena_init(&arena);
    enum { PAIR = BLS_G1_SIZE + BLS_G2_SIZE };
    u8 in[3 * PAIR], both[2 * BLS_G2_SIZE];
    /* The order less one, as a scalar: it negates. */
    static const u8 minus_one[32] = {0x73, 0xed, 0xa7, 0x53, 0x29, 0x9d, 0x7d, 0x48,
                                     0x33, 0x39, 0xd8, 0x08, 0x09, 0xa1, 0xd8, 0x05,
                                     0x53, 0xbd, 0xa4, 0x02, 0xff, 0xfe, 0x5b, 0xfe,
                                     0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00};
    u8 term[TERM];
    g1_point(term, 5);
    memcpy(term + BLS_G1_SIZE, minus_one, 32);
    memcpy(in, term, BLS_G1_SIZE);
    memcpy(in + PAIR, term, BLS_G1_SIZE);
    CHECK(bls_g1_msm(in + 2 * PAIR, term, 1, &arena));
    g2_point(in + BLS_G1_SIZE, 1);
    g2_point(in + PAIR + BLS_G1_SIZE, 2);
    memcpy(both, in + BLS_G1_SIZE, BLS_G2_SIZE);
    memcpy(both + BLS_G2_SIZE, in + PAIR + BLS_G1_SIZE, BLS_G2_SIZE);
    CHECK(bls_g2_add(in + 2 * PAIR + BLS_G1_SIZE, both));
    bool is_one = false;
    CHECK(bls_pairing(&is_one, in, 3, &arena));
    CHECK(is_one);
    CHECK(bls_pairing(&is_one, in, 2, &arena));
    CHECK(!is_one);
    in[BLS_G1_SIZE - 1] ^= 1;
    CHECK(!bls_pairing(&is_one, in, 3, &arena));
    in[BLS_G1_SIZE - 1] ^= 1;
    in[0] = 1;
    CHECK(!bls_pairing(&is_one, in, 3, &arena));
    arena_fini(&arena);
}
