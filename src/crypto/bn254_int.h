/*
 * Fields under the curve BN254: Fp, and Fp2 = Fp[u] / (u^2 + 1). Private to this room.
 *
 * An element of Fp is kept in Montgomery form, a * 2^256 mod p, and always below p; so equal elements
 * have equal limbs. p has 254 bits: sums of four elements still fit four limbs, and the Montgomery
 * product needs no fifth limb on the way.
 */
#pragma once

#include "base/types.h"
#include "prim/u256.h"

typedef struct {
    u64 w[4];
} fp;

typedef struct {
    fp c0, c1; /* c0 + c1 * u */
} fp2;

static const u64 FP_PRIME[4] = {0x3c208c16d87cfd47, 0x97816a916871ca8d, 0xb85045b68181585d,
                                0x30644e72e131a029};
static const u64 FP_INVERSE = 0x87d20782e4866389; /* -1 / p mod 2^64 */
static const fp FP_ONE = {
    {0xd35d438dc58f0d9d, 0x0a78eb28f5c70b3d, 0x666ea36f7879462c, 0x0e0a77c19a07df2f}};
static const fp FP_R2 = {/* 2^512 mod p */
                         {0xf32cfc5b538afa89, 0xb5e71911d44501fb, 0x47ab1eff0a417ff6,
                          0x06d89f71cab8351f}};

/* --- Fp ------------------------------------------------------------------------------------- */

static inline bool fp_is_zero(fp a)
{
    return (a.w[0] | a.w[1] | a.w[2] | a.w[3]) == 0;
}

static inline bool fp_eq(fp a, fp b)
{
    return ((a.w[0] ^ b.w[0]) | (a.w[1] ^ b.w[1]) | (a.w[2] ^ b.w[2]) | (a.w[3] ^ b.w[3])) == 0;
}

/* a below 2p is brought below p. */
static inline fp fp_reduce_once(fp a)
{
    u64 borrow = 0;
    fp r;
    for (int i = 0; i < 4; i++)
        r.w[i] = limb_sub(a.w[i], FP_PRIME[i], &borrow);
    for (int i = 0; i < 4; i++)
        r.w[i] = borrow ? a.w[i] : r.w[i];
    return r;
}

/* The sum, not reduced: below 2p. Fit for a factor, not for keeping. */
static inline fp fp_add_lazy(fp a, fp b)
{
    u64 carry = 0;
    fp r;
    for (int i = 0; i < 4; i++)
        r.w[i] = limb_add(a.w[i], b.w[i], &carry);
    return r;
}

static inline fp fp_add(fp a, fp b)
{
    return fp_reduce_once(fp_add_lazy(a, b));
}

static inline fp fp_sub(fp a, fp b)
{
    u64 borrow = 0, carry = 0;
    fp r;
    for (int i = 0; i < 4; i++)
        r.w[i] = limb_sub(a.w[i], b.w[i], &borrow);
    u64 mask = 0 - borrow;
    for (int i = 0; i < 4; i++)
        r.w[i] = limb_add(r.w[i], FP_PRIME[i] & mask, &carry);
    return r;
}

static inline fp fp_double(fp a)
{
    return fp_add(a, a);
}

static inline fp fp_neg(fp a)
{
    return fp_sub((fp){{0}}, a);
}

static inline fp fp_half(fp a)
{
    u64 mask = 0 - (a.w[0] & 1), carry = 0;
    for (int i = 0; i < 4; i++)
        a.w[i] = limb_add(a.w[i], FP_PRIME[i] & mask, &carry);
    for (int i = 0; i < 3; i++)
        a.w[i] = a.w[i] >> 1 | a.w[i + 1] << 63;
    a.w[3] >>= 1;
    return a;
}

/* Montgomery product, limb by limb of b. Both factors may be as large as 2p. */
static inline fp fp_mul(fp a, fp b)
{
    u64 t[4] = {0};
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        u64 high, carry, ignored;
        t[0] = limb_mul_add2(a.w[0], b.w[i], t[0], 0, &high);
        u64 m = t[0] * FP_INVERSE;
        ignored = limb_mul_add2(m, FP_PRIME[0], t[0], 0, &carry);
        (void)ignored;
#pragma GCC unroll 3
        for (int j = 1; j < 4; j++) {
            t[j] = limb_mul_add2(a.w[j], b.w[i], t[j], high, &high);
            t[j - 1] = limb_mul_add2(m, FP_PRIME[j], t[j], carry, &carry);
        }
        t[3] = high + carry;
    }
    return fp_reduce_once((fp){{t[0], t[1], t[2], t[3]}});
}

static inline fp fp_sqr(fp a)
{
    return fp_mul(a, a);
}

/* 1 / a; zero for zero. */
fp fp_inv(fp a);

/* Big-endian bytes; false when they are not below p. */
bool fp_decode(fp *out, const u8 bytes[32]);
void fp_encode(u8 bytes[32], fp a);

/* --- products before reduction ----------------------------------------------------------------- */

/* Eight limbs; reducing one takes off the factor 2^256, as a Montgomery product does. */
typedef struct {
    u64 w[8];
} fp_wide;

static inline fp_wide fp_mul_wide(fp a, fp b)
{
    fp_wide r;
    u64 c;
    r.w[0] = limb_mul_add2(a.w[0], b.w[0], 0, 0, &c);
    r.w[1] = limb_mul_add2(a.w[1], b.w[0], c, 0, &c);
    r.w[2] = limb_mul_add2(a.w[2], b.w[0], c, 0, &c);
    r.w[3] = limb_mul_add2(a.w[3], b.w[0], c, 0, &r.w[4]);
#pragma GCC unroll 3
    for (int i = 1; i < 4; i++) {
        r.w[i] = limb_mul_add2(a.w[0], b.w[i], r.w[i], 0, &c);
        r.w[i + 1] = limb_mul_add2(a.w[1], b.w[i], r.w[i + 1], c, &c);
        r.w[i + 2] = limb_mul_add2(a.w[2], b.w[i], r.w[i + 2], c, &c);
        r.w[i + 3] = limb_mul_add2(a.w[3], b.w[i], r.w[i + 3], c, &r.w[i + 4]);
    }
    return r;
}

/* a - b where that is known not to be negative. */
static inline fp_wide fp_wide_sub(fp_wide a, fp_wide b)
{
    u64 borrow = 0;
    for (int i = 0; i < 8; i++)
        a.w[i] = limb_sub(a.w[i], b.w[i], &borrow);
    return a;
}

/* a - b, plus p * 2^256 when that is negative. */
static inline fp_wide fp_wide_sub_mod(fp_wide a, fp_wide b)
{
    u64 borrow = 0, carry = 0;
    for (int i = 0; i < 8; i++)
        a.w[i] = limb_sub(a.w[i], b.w[i], &borrow);
    u64 mask = 0 - borrow;
    for (int i = 0; i < 4; i++)
        a.w[4 + i] = limb_add(a.w[4 + i], FP_PRIME[i] & mask, &carry);
    return a;
}

/* Montgomery's reduction of a value below p * 2^256. */
static inline fp fp_reduce(fp_wide a)
{
    u64 extra = 0;
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        u64 m = a.w[i] * FP_INVERSE, carry, ignored;
        ignored = limb_mul_add2(m, FP_PRIME[0], a.w[i], 0, &carry);
        (void)ignored;
        a.w[i + 1] = limb_mul_add2(m, FP_PRIME[1], a.w[i + 1], carry, &carry);
        a.w[i + 2] = limb_mul_add2(m, FP_PRIME[2], a.w[i + 2], carry, &carry);
        a.w[i + 3] = limb_mul_add2(m, FP_PRIME[3], a.w[i + 3], carry, &carry);
        a.w[i + 4] = limb_add(a.w[i + 4], carry, &extra);
    }
    return fp_reduce_once((fp){{a.w[4], a.w[5], a.w[6], a.w[7]}});
}

/* --- Fp2 ------------------------------------------------------------------------------------ */

static inline bool fp2_is_zero(fp2 a)
{
    return fp_is_zero(a.c0) && fp_is_zero(a.c1);
}

static inline bool fp2_eq(fp2 a, fp2 b)
{
    return fp_eq(a.c0, b.c0) && fp_eq(a.c1, b.c1);
}

static inline fp2 fp2_add(fp2 a, fp2 b)
{
    return (fp2){fp_add(a.c0, b.c0), fp_add(a.c1, b.c1)};
}

static inline fp2 fp2_sub(fp2 a, fp2 b)
{
    return (fp2){fp_sub(a.c0, b.c0), fp_sub(a.c1, b.c1)};
}

static inline fp2 fp2_double(fp2 a)
{
    return fp2_add(a, a);
}

static inline fp2 fp2_neg(fp2 a)
{
    return (fp2){fp_neg(a.c0), fp_neg(a.c1)};
}

static inline fp2 fp2_half(fp2 a)
{
    return (fp2){fp_half(a.c0), fp_half(a.c1)};
}

/* The conjugate, which is the p-th power. */
static inline fp2 fp2_conj(fp2 a)
{
    return (fp2){a.c0, fp_neg(a.c1)};
}

/* Out of line: it is large, and called from everywhere. */
void fp2_mul_to(fp2 *out, const fp2 *a, const fp2 *b);
void fp2_sqr_to(fp2 *out, const fp2 *a);

static inline fp2 fp2_mul(fp2 a, fp2 b)
{
    fp2 r;
    fp2_mul_to(&r, &a, &b);
    return r;
}

static inline fp2 fp2_sqr(fp2 a)
{
    fp2 r;
    fp2_sqr_to(&r, &a);
    return r;
}

static inline fp2 fp2_mul_fp(fp2 a, fp b)
{
    return (fp2){fp_mul(a.c0, b), fp_mul(a.c1, b)};
}

/* 9a + b, for b up to p. The quotient by p is estimated from above bit 250, where p is 12.098: a
 * product by 84 / 1024 is never too large and at most one too small. */
static inline fp fp_nine_times_plus(fp a, fp b)
{
    u64 t[5], carry = 0, borrow = 0;
    for (int i = 0; i < 4; i++)
        t[i] = limb_mul_add2(a.w[i], 9, b.w[i], carry, &carry);
    t[4] = carry;
    u64 quotient = (t[4] << 6 | t[3] >> 58) * 84 >> 10;
    fp r;
    carry = 0;
    for (int i = 0; i < 4; i++)
        r.w[i] = limb_sub(t[i], limb_mul_add2(FP_PRIME[i], quotient, carry, 0, &carry), &borrow);
    return fp_reduce_once(r);
}

/* Times xi = 9 + u, which is no square and no cube in Fp2: the tower stands on it. */
static inline fp2 fp2_mul_xi(fp2 a)
{
    fp minus_c1;
    u64 borrow = 0;
    for (int i = 0; i < 4; i++)
        minus_c1.w[i] = limb_sub(FP_PRIME[i], a.c1.w[i], &borrow);
    return (fp2){fp_nine_times_plus(a.c0, minus_c1), fp_nine_times_plus(a.c1, a.c0)};
}

static inline fp2 fp2_inv(fp2 a)
{
    fp norm = fp_inv(fp_add(fp_sqr(a.c0), fp_sqr(a.c1)));
    return (fp2){fp_mul(a.c0, norm), fp_neg(fp_mul(a.c1, norm))};
}

/* --- points --------------------------------------------------------------------------------- */

/* Affine; (0, 0), which is not on the curve, stands for infinity. */
struct g1 {
    fp x, y;
};

/* The bytes of a point of G1; false when out of range or off the curve. */
bool g1_decode(struct g1 *out, const u8 bytes[64]);

static inline bool g1_is_infinity(const struct g1 *p)
{
    return fp_is_zero(p->x) && fp_is_zero(p->y);
}
