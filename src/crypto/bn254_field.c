#include "crypto/bn254_int.h"

/* --- inversion ------------------------------------------------------------------------------ */

/*
 * T. Pornin, "Optimized Binary GCD for Modular Inversion" (2020), with variable time. The binary
 * greatest common divisor of a and b runs for 31 halvings on 64-bit approximations, made of the top 33
 * and the low 31 bits; what it did, as a linear map, is then done to a and b, and modulo p to u and v.
 */
enum { HALVINGS = 31 };

struct gcd_map {
    i64 f0, g0, f1, g1; /* a becomes a * f0 + b * g0, b becomes a * f1 + b * g1, over 2^31 */
};

static struct gcd_map gcd_run(u64 a, u64 b)
{
    struct gcd_map m = {1, 0, 0, 1};
    for (int left = HALVINGS;;) {
        int zeroes = __builtin_ctzll(a | (u64)1 << left);
        a >>= zeroes;
        m.f1 = (i64)((u64)m.f1 << zeroes);
        m.g1 = (i64)((u64)m.g1 << zeroes);
        left -= zeroes;
        if (left == 0)
            return m;
        bool swap = a < b;
        u64 a_old = a;
        struct gcd_map old = m;
        a = swap ? b - a : a - b;
        b = swap ? a_old : b;
        m.f0 = swap ? old.f1 - old.f0 : old.f0 - old.f1;
        m.g0 = swap ? old.g1 - old.g0 : old.g0 - old.g1;
        m.f1 = swap ? old.f0 : old.f1;
        m.g1 = swap ? old.g0 : old.g1;
    }
}

/* The top 33 bits of the len in which a and its companion fit, and the low 31. */
static u64 approximate(const u64 a[4], unsigned len)
{
    unsigned at = len - 33;
    u64 top = a[at / 64] >> at % 64;
    if (at % 64 > 31 && at / 64 < 3)
        top |= a[at / 64 + 1] << (64 - at % 64);
    return top << HALVINGS | (a[0] & (((u64)1 << HALVINGS) - 1));
}

/* out = (a * f + b * g + p * k) / 2^31, known to be whole; returns the fifth limb, which has the sign. */
static i64 combine(u64 out[4], const u64 a[4], i64 f, const u64 b[4], i64 g, u64 k)
{
    u64 t[5];
    __int128 sum = 0;
    for (int i = 0; i < 4; i++) {
        /* Of the three products each is below 2^95 in size. */
        sum += (__int128)f * (__int128)a[i] + (__int128)g * (__int128)b[i] +
               (__int128)k * (__int128)FP_PRIME[i];
        t[i] = (u64)sum;
        sum >>= 64;
    }
    t[4] = (u64)sum;
    for (int i = 0; i < 4; i++)
        out[i] = t[i] >> HALVINGS | t[i + 1] << (64 - HALVINGS);
    return (i64)sum >> HALVINGS;
}

static void negate(u64 a[4])
{
    u64 borrow = 0;
    for (int i = 0; i < 4; i++)
        a[i] = limb_sub(0, a[i], &borrow);
}

/* The map on the numbers modulo p; the multiple k of p makes the division by 2^31 whole. */
static fp combine_mod(fp u, i64 f, fp v, i64 g)
{
    u64 low = u.w[0] * (u64)f + v.w[0] * (u64)g;
    u64 k = low * FP_INVERSE & (((u64)1 << HALVINGS) - 1);
    fp r;
    /* Between -p and 2p. */
    if (combine(r.w, u.w, f, v.w, g, k) < 0) {
        u64 carry = 0;
        for (int i = 0; i < 4; i++)
            r.w[i] = limb_add(r.w[i], FP_PRIME[i], &carry);
        return r;
    }
    return fp_reduce_once(r);
}

fp fp_inv(fp in)
{
    u64 a[4], b[4], next[4];
    memcpy(a, in.w, sizeof a);
    memcpy(b, FP_PRIME, sizeof b);
    /* in * u = a and in * v = b throughout, times 2^512, so that the answer is in Montgomery form. */
    fp u = FP_R2, v = {{0}};
    while (a[0] | a[1] | a[2] | a[3]) {
        unsigned len = u256_bits((u256){{a[0] | b[0], a[1] | b[1], a[2] | b[2], a[3] | b[3]}});
        len = len < 64 ? 64 : len;
        struct gcd_map m = gcd_run(approximate(a, len), approximate(b, len));
        bool flip_a = combine(next, a, m.f0, b, m.g0, 0) < 0;
        bool flip_b = combine(b, a, m.f1, b, m.g1, 0) < 0;
        memcpy(a, next, sizeof a);
        fp u_next = combine_mod(u, m.f0, v, m.g0);
        v = combine_mod(u, m.f1, v, m.g1);
        u = u_next;
        if (flip_a) {
            negate(a);
            u = fp_neg(u);
        }
        if (flip_b) {
            negate(b);
            v = fp_neg(v);
        }
    }
    return v;
}

/* --- bytes ---------------------------------------------------------------------------------- */

bool fp_decode(fp *out, const u8 bytes[32])
{
    static const u256 prime = {
        {0x3c208c16d87cfd47, 0x97816a916871ca8d, 0xb85045b68181585d, 0x30644e72e131a029}};
    u256 value = u256_load_be(bytes);
    if (!u256_lt(value, prime))
        return false;
    fp raw;
    memcpy(raw.w, value.w, sizeof raw.w);
    *out = fp_mul(raw, FP_R2);
    return true;
}

void fp_encode(u8 bytes[32], fp a)
{
    fp raw = fp_mul(a, (fp){{1, 0, 0, 0}});
    u256 value;
    memcpy(value.w, raw.w, sizeof value.w);
    u256_store_be(bytes, value);
}

/* --- Fp2 ------------------------------------------------------------------------------------ */

/* Karatsuba with two reductions instead of three. */
__attribute__((flatten)) void fp2_mul_to(fp2 *out, const fp2 *a, const fp2 *b)
{
    fp_wide low = fp_mul_wide(a->c0, b->c0), high = fp_mul_wide(a->c1, b->c1);
    fp_wide cross = fp_mul_wide(fp_add_lazy(a->c0, a->c1), fp_add_lazy(b->c0, b->c1));
    cross = fp_wide_sub(fp_wide_sub(cross, low), high);
    *out = (fp2){fp_reduce(fp_wide_sub_mod(low, high)), fp_reduce(cross)};
}

__attribute__((flatten)) void fp2_sqr_to(fp2 *out, const fp2 *a)
{
    fp cross = fp_mul(a->c0, a->c1);
    *out = (fp2){fp_mul(fp_add_lazy(a->c0, a->c1), fp_sub(a->c0, a->c1)), fp_double(cross)};
}
