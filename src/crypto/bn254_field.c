#include "crypto/bn254_int.h"

/* Fermat: a^(p - 2), four bits of the exponent at a time. */
fp fp_inv(fp a)
{
    fp table[16];
    table[0] = FP_ONE;
    for (int i = 1; i < 16; i++)
        table[i] = fp_mul(table[i - 1], a);
    fp r = FP_ONE;
    u64 exponent[4] = {FP_PRIME[0] - 2, FP_PRIME[1], FP_PRIME[2], FP_PRIME[3]};
    for (int i = 252; i >= 0; i -= 4) {
        for (int j = 0; j < 4; j++)
            r = fp_sqr(r);
        r = fp_mul(r, table[exponent[i / 64] >> i % 64 & 15]);
    }
    return r;
}

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

/* Karatsuba with two reductions instead of three. */
void fp2_mul_to(fp2 *out, const fp2 *a, const fp2 *b)
{
    fp_wide low = fp_mul_wide(a->c0, b->c0), high = fp_mul_wide(a->c1, b->c1);
    fp_wide cross = fp_mul_wide(fp_add_lazy(a->c0, a->c1), fp_add_lazy(b->c0, b->c1));
    cross = fp_wide_sub(fp_wide_sub(cross, low), high);
    *out = (fp2){fp_reduce(fp_wide_sub_mod(low, high)), fp_reduce(cross)};
}

void fp2_sqr_to(fp2 *out, const fp2 *a)
{
    fp cross = fp_mul(a->c0, a->c1);
    *out = (fp2){fp_mul(fp_add_lazy(a->c0, a->c1), fp_sub(a->c0, a->c1)), fp_double(cross)};
}
