#include "crypto/bls12381.h"

#include <string.h>

#include "crypto/bls12381_int.h"

enum { FP_PAD = 16, FP_BYTES = 48 };

/* --- encodings ------------------------------------------------------------------------------ */

static bool fp_decode(blst_fp *out, const u8 in[BLS_FP_SIZE])
{
    static const u8 zeroes[FP_PAD];
    static const u8 prime[FP_BYTES] = {0x1a, 0x01, 0x11, 0xea, 0x39, 0x7f, 0xe6, 0x9a, 0x4b, 0x1b,
                                       0xa7, 0xb6, 0x43, 0x4b, 0xac, 0xd7, 0x64, 0x77, 0x4b, 0x84,
                                       0xf3, 0x85, 0x12, 0xbf, 0x67, 0x30, 0xd2, 0xa0, 0xf6, 0xb0,
                                       0xf6, 0x24, 0x1e, 0xab, 0xff, 0xfe, 0xb1, 0x53, 0xff, 0xff,
                                       0xb9, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xaa, 0xab};
    if (memcmp(in, zeroes, FP_PAD) != 0 || memcmp(in + FP_PAD, prime, FP_BYTES) >= 0)
        return false;
    blst_fp_from_bendian(out, in + FP_PAD);
    return true;
}

static void fp_encode(u8 out[BLS_FP_SIZE], const blst_fp *in)
{
    memset(out, 0, FP_PAD);
    blst_bendian_from_fp(out + FP_PAD, in);
}

static bool fp2_decode(blst_fp2 *out, const u8 in[2 * BLS_FP_SIZE])
{
    return fp_decode(&out->fp[0], in) && fp_decode(&out->fp[1], in + BLS_FP_SIZE);
}

static void fp2_encode(u8 out[2 * BLS_FP_SIZE], const blst_fp2 *in)
{
    fp_encode(out, &in->fp[0]);
    fp_encode(out + BLS_FP_SIZE, &in->fp[1]);
}

/* blst's affine infinity is (0, 0) as the EIP's is, and counts as a point of the curve. */
static bool g1_decode(blst_p1_affine *out, const u8 in[BLS_G1_SIZE])
{
    return fp_decode(&out->x, in) && fp_decode(&out->y, in + BLS_FP_SIZE) &&
           blst_p1_affine_on_curve(out);
}

static bool g2_decode(blst_p2_affine *out, const u8 in[BLS_G2_SIZE])
{
    return fp2_decode(&out->x, in) && fp2_decode(&out->y, in + 2 * BLS_FP_SIZE) &&
           blst_p2_affine_on_curve(out);
}

static bool g1_decode_member(blst_p1_affine *out, const u8 in[BLS_G1_SIZE])
{
    return g1_decode(out, in) && blst_p1_affine_in_g1(out);
}

static bool g2_decode_member(blst_p2_affine *out, const u8 in[BLS_G2_SIZE])
{
    return g2_decode(out, in) && blst_p2_affine_in_g2(out);
}

void bls_g1_encode(u8 out[BLS_G1_SIZE], const blst_p1 *in)
{
    blst_p1_affine affine;
    blst_p1_to_affine(&affine, in);
    fp_encode(out, &affine.x);
    fp_encode(out + BLS_FP_SIZE, &affine.y);
}

void bls_g2_encode(u8 out[BLS_G2_SIZE], const blst_p2 *in)
{
    blst_p2_affine affine;
    blst_p2_to_affine(&affine, in);
    fp2_encode(out, &affine.x);
    fp2_encode(out + 2 * BLS_FP_SIZE, &affine.y);
}

/* --- adding --------------------------------------------------------------------------------- */

bool bls_g1_add(u8 out[BLS_G1_SIZE], const u8 *in)
{
    blst_p1_affine a, b;
    if (!g1_decode(&a, in) || !g1_decode(&b, in + BLS_G1_SIZE))
        return false;
    blst_p1 sum;
    blst_p1_from_affine(&sum, &a);
    blst_p1_add_or_double_affine(&sum, &sum, &b);
    bls_g1_encode(out, &sum);
    return true;
}

bool bls_g2_add(u8 out[BLS_G2_SIZE], const u8 *in)
{
    blst_p2_affine a, b;
    if (!g2_decode(&a, in) || !g2_decode(&b, in + BLS_G2_SIZE))
        return false;
    blst_p2 sum;
    blst_p2_from_affine(&sum, &a);
    blst_p2_add_or_double_affine(&sum, &sum, &b);
    bls_g2_encode(out, &sum);
    return true;
}

/* --- multiplying ---------------------------------------------------------------------------- */

enum { SCALAR_BITS = 255 };

/*
 * The sums of products leave out terms that are infinity. The points being of the subgroup, scalars
 * may be reduced by its order, which blst wants.
 */
bool bls_g1_msm(u8 out[BLS_G1_SIZE], const u8 *in, size_t count, struct arena *arena)
{
    blst_p1_affine *points = arena_alloc(arena, count * sizeof *points);
    blst_scalar *scalars = arena_alloc(arena, count * sizeof *scalars);
    size_t terms = 0;
    for (size_t i = 0; i < count; i++, in += BLS_G1_SIZE + BLS_SCALAR_SIZE) {
        if (!g1_decode_member(&points[terms], in))
            return false;
        bool nonzero =
            blst_scalar_from_be_bytes(&scalars[terms], in + BLS_G1_SIZE, BLS_SCALAR_SIZE);
        terms += nonzero && !blst_p1_affine_is_inf(&points[terms]);
    }
    blst_p1 sum = {0};
    if (terms == 1) {
        blst_p1_from_affine(&sum, &points[0]);
        blst_p1_mult(&sum, &sum, scalars[0].b, SCALAR_BITS);
    } else if (terms) {
        limb_t *scratch = arena_alloc(arena, blst_p1s_mult_pippenger_scratch_sizeof(terms));
        blst_p1s_mult_pippenger(&sum, (const blst_p1_affine *const[]){points, NULL}, terms,
                                (const byte *const[]){scalars[0].b, NULL}, SCALAR_BITS, scratch);
    }
    bls_g1_encode(out, &sum);
    return true;
}

bool bls_g2_msm(u8 out[BLS_G2_SIZE], const u8 *in, size_t count, struct arena *arena)
{
    blst_p2_affine *points = arena_alloc(arena, count * sizeof *points);
    blst_scalar *scalars = arena_alloc(arena, count * sizeof *scalars);
    size_t terms = 0;
    for (size_t i = 0; i < count; i++, in += BLS_G2_SIZE + BLS_SCALAR_SIZE) {
        if (!g2_decode_member(&points[terms], in))
            return false;
        bool nonzero =
            blst_scalar_from_be_bytes(&scalars[terms], in + BLS_G2_SIZE, BLS_SCALAR_SIZE);
        terms += nonzero && !blst_p2_affine_is_inf(&points[terms]);
    }
    blst_p2 sum = {0};
    if (terms == 1) {
        blst_p2_from_affine(&sum, &points[0]);
        blst_p2_mult(&sum, &sum, scalars[0].b, SCALAR_BITS);
    } else if (terms) {
        limb_t *scratch = arena_alloc(arena, blst_p2s_mult_pippenger_scratch_sizeof(terms));
        blst_p2s_mult_pippenger(&sum, (const blst_p2_affine *const[]){points, NULL}, terms,
                                (const byte *const[]){scalars[0].b, NULL}, SCALAR_BITS, scratch);
    }
    bls_g2_encode(out, &sum);
    return true;
}

/* --- pairing and mapping -------------------------------------------------------------------- */

bool bls_pairing(bool *is_one, const u8 *in, size_t count, struct arena *arena)
{
    blst_p1_affine *ps = arena_alloc(arena, count * sizeof *ps);
    blst_p2_affine *qs = arena_alloc(arena, count * sizeof *qs);
    size_t pairs = 0;
    for (size_t i = 0; i < count; i++, in += BLS_G1_SIZE + BLS_G2_SIZE) {
        if (!g1_decode_member(&ps[pairs], in) || !g2_decode_member(&qs[pairs], in + BLS_G1_SIZE))
            return false;
        /* A pairing with infinity is one. */
        pairs += !blst_p1_affine_is_inf(&ps[pairs]) && !blst_p2_affine_is_inf(&qs[pairs]);
    }
    *is_one = true;
    if (pairs) {
        blst_fp12 product;
        blst_miller_loop_n(&product, (const blst_p2_affine *const[]){qs, NULL},
                           (const blst_p1_affine *const[]){ps, NULL}, pairs);
        blst_final_exp(&product, &product);
        *is_one = blst_fp12_is_one(&product);
    }
    return true;
}

bool bls_map_fp(u8 out[BLS_G1_SIZE], const u8 in[BLS_FP_SIZE])
{
    blst_fp u;
    if (!fp_decode(&u, in))
        return false;
    blst_p1 point;
    blst_map_to_g1(&point, &u, NULL);
    bls_g1_encode(out, &point);
    return true;
}

bool bls_map_fp2(u8 out[BLS_G2_SIZE], const u8 in[2 * BLS_FP_SIZE])
{
    blst_fp2 u;
    if (!fp2_decode(&u, in))
        return false;
    blst_p2 point;
    blst_map_to_g2(&point, &u, NULL);
    bls_g2_encode(out, &point);
    return true;
}
