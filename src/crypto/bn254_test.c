#include <string.h>

#include "base/test.h"
#include "crypto/bn254.h"
#include "crypto/bn254_int.h"
#include "prim/hex.h"

static const u8 generator[BN254_G1_SIZE] = {[31] = 1, [63] = 2};
static const u256 order = {
    {0x43e1f593f0000001, 0x2833e84879b97091, 0xb85045b68181585d, 0x30644e72e131a029}};

/* The generator of G2 (EIP-197). */
static const char g2_generator[] =
    "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"
    "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
    "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"
    "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa";

/* On the twist but not of the subgroup: one point of full order, one of order 10069. */
static const char *const strangers[] = {
    "0000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000001"
    "0d1271953ed9ea0836846e70a1934187998c7f790cb4d7511b7f8da82de048a4"
    "2869111d5381f072f8e2728fdb825a51aadd70e52c9830e9ab4b871c0531f1bb",
    "0f0a87c117963381ad55ab9b17e3c4f9533ef81d16b752be905d1a444b982519"
    "25d0b2ba5c369c1dbbfed41ccb191fe4df508cf88faf370494b4867a332815ec"
    "01961c59a0d89a4d27fe2b87137614a142c3ad7ada8b3fb5580462e2a5a99847"
    "2e4585f85183195d71c90a2d1d38655cb0ff30b352fdf58d6a36d8fbb3ee84a1",
};

static u64 next_random(u64 *seed)
{
    *seed = *seed * 6364136223846793005 + 1442695040888963407;
    return *seed ^ *seed >> 29;
}

static u256 random_word(u64 *seed)
{
    return (u256){{next_random(seed), next_random(seed), next_random(seed), next_random(seed)}};
}

static void times(u8 out[BN254_G1_SIZE], const u8 point[BN254_G1_SIZE], u256 scalar)
{
    u8 in[BN254_G1_SIZE + 32];
    memcpy(in, point, BN254_G1_SIZE);
    u256_store_be(in + BN254_G1_SIZE, scalar);
    CHECK(bn254_mul(out, in));
}

static void plus(u8 out[BN254_G1_SIZE], const u8 a[BN254_G1_SIZE], const u8 b[BN254_G1_SIZE])
{
    u8 in[2 * BN254_G1_SIZE];
    memcpy(in, a, BN254_G1_SIZE);
    memcpy(in + BN254_G1_SIZE, b, BN254_G1_SIZE);
    CHECK(bn254_add(out, in));
}

TEST(bn254_field)
{
    u64 seed = 5;
    fp2 xi = {FP_ONE, FP_ONE};
    for (int i = 0; i < 8; i++)
        xi.c0 = fp_add(xi.c0, FP_ONE);
    for (int i = 0; i < 2000; i++) {
        u8 bytes[32], back[32];
        u256 value = u256_mod(random_word(&seed),
                              (u256){{FP_PRIME[0], FP_PRIME[1], FP_PRIME[2], FP_PRIME[3]}});
        u256_store_be(bytes, i < 20 ? u256_from_u64((u64)i) : value);
        fp a, b = {{7, 0, 0, 1}};
        CHECK(fp_decode(&a, bytes));
        fp_encode(back, a);
        CHECK_MEM(back, bytes, 32);
        if (!fp_is_zero(a))
            CHECK(fp_eq(fp_mul(a, fp_inv(a)), FP_ONE));
        else
            CHECK(fp_is_zero(fp_inv(a)));
        CHECK(fp_eq(fp_reduce(fp_mul_wide(a, b)), fp_mul(a, b)));
        CHECK(fp_eq(fp_double(fp_half(a)), a));
        CHECK(fp_eq(fp_sub(fp_add(a, b), b), a));
        CHECK(fp_is_zero(fp_add(a, fp_neg(a))));
        fp nine = fp_add(fp_double(fp_double(fp_double(a))), a);
        CHECK(fp_eq(fp_nine_times_plus(a, b), fp_add(nine, b)));
        fp2 times_xi = fp2_mul_xi((fp2){a, b}), product = fp2_mul((fp2){a, b}, xi);
        CHECK(fp2_eq(times_xi, product));
        CHECK(fp2_eq(fp2_sqr((fp2){a, b}), fp2_mul((fp2){a, b}, (fp2){a, b})));
    }
}

/* a * P + b * P = (a + b) * P, for scalars that exercise the splitting of scalars. */
TEST(bn254_group_law)
{
    u64 seed = 6;
    u8 sum[BN254_G1_SIZE], left[BN254_G1_SIZE], right[BN254_G1_SIZE], zero[BN254_G1_SIZE] = {0};
    for (int i = 0; i < 100; i++) {
        u256 a = random_word(&seed), b = i % 3 ? random_word(&seed) : u256_from_u64((u64)i);
        times(left, generator, a);
        times(right, generator, b);
        plus(sum, left, right);
        times(left, generator, u256_addmod(a, b, order));
        CHECK_MEM(sum, left, sizeof sum);
    }
    plus(sum, generator, zero);
    CHECK_MEM(sum, generator, sizeof sum);
    plus(sum, generator, generator);
    times(left, generator, u256_from_u64(2));
    CHECK_MEM(sum, left, sizeof sum);
    times(left, generator, u256_sub(order, U256_ONE));
    plus(sum, left, generator);
    CHECK_MEM(sum, zero, sizeof sum);
    times(left, generator, order);
    CHECK_MEM(left, zero, sizeof left);
    times(left, zero, U256_MAX);
    CHECK_MEM(left, zero, sizeof left);
}

static void set_pair(u8 *pair, const u8 p[BN254_G1_SIZE], const char *q)
{
    memcpy(pair, p, BN254_G1_SIZE);
    CHECK(hex_decode_bare(pair + BN254_G1_SIZE, q, 2 * BN254_G2_SIZE) == HEX_OK);
}

/* e(a P, Q) e(b P, Q) ... e(-(a + b + ...) P, Q) = 1, for more pairs than one loop takes. */
TEST(bn254_bilinear)
{
    u64 seed = 7;
    u8 in[19 * BN254_PAIR_SIZE], point[BN254_G1_SIZE];
    bool is_one = false;
    for (size_t count = 1; count <= 19; count++) {
        u256 sum = U256_ZERO;
        for (size_t i = 0; i < count; i++) {
            u256 a = random_word(&seed);
            if (i + 1 == count)
                a = u256_sub(order, sum);
            sum = u256_addmod(sum, a, order);
            times(point, generator, a);
            set_pair(in + i * BN254_PAIR_SIZE, point, g2_generator);
        }
        CHECK(bn254_pairing(&is_one, in, count));
        CHECK(is_one);
        if (count == 1)
            continue;
        set_pair(in, generator, g2_generator);
        CHECK(bn254_pairing(&is_one, in, count));
        CHECK(!is_one);
    }
    CHECK(bn254_pairing(&is_one, in, 0));
    CHECK(is_one);
}

TEST(bn254_refused)
{
    u8 in[BN254_PAIR_SIZE], out[BN254_G1_SIZE];
    u8 zero[BN254_G1_SIZE] = {0};
    bool is_one = false;
    for (size_t i = 0; i < ARRAY_LEN(strangers); i++) {
        set_pair(in, generator, strangers[i]);
        CHECK(!bn254_pairing(&is_one, in, 1));
        set_pair(in, zero, strangers[i]);
        CHECK(!bn254_pairing(&is_one, in, 1));
    }
    set_pair(in, generator, g2_generator);
    in[BN254_PAIR_SIZE - 1] ^= 1;
    CHECK(!bn254_pairing(&is_one, in, 1));
    memset(in, 0, sizeof in);
    in[63] = 1; /* (0, 1) is not on the curve */
    CHECK(!bn254_pairing(&is_one, in, 1));
    CHECK(!bn254_add(out, in));
    CHECK(!bn254_mul(out, in));
    /* The prime itself is out of range, though it is zero modulo itself. */
    memset(in, 0, sizeof in);
    u256_store_be(in, (u256){{FP_PRIME[0], FP_PRIME[1], FP_PRIME[2], FP_PRIME[3]}});
    CHECK(!bn254_add(out, in));
    CHECK(!is_one);
}
