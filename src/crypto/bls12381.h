/*
 * The curve BLS12-381 as EIP-2537 has it, through blst. Points and scalars are in that EIP's encoding:
 * a field element is 64 bytes big-endian, of which the first 16 are zero; a G1 point is x, y (128
 * bytes), a G2 point x.c0, x.c1, y.c0, y.c1 (256 bytes), all zero for infinity; a scalar is 32 bytes,
 * any value. Every function returns false, with *out untouched, when an input is not in range or on
 * its curve, or, where the EIP asks for it, not in its subgroup.
 */
#pragma once

#include "base/arena.h"
#include "base/types.h"

enum {
    BLS_FP_SIZE = 64,
    BLS_G1_SIZE = 128,
    BLS_G2_SIZE = 256,
    BLS_SCALAR_SIZE = 32,
};

/* in is two points; the subgroup is not checked. */
MUST_READ bool bls_g1_add(u8 out[BLS_G1_SIZE], const u8 *in);
MUST_READ bool bls_g2_add(u8 out[BLS_G2_SIZE], const u8 *in);

/* in is count >= 1 times a point and its scalar; the subgroup is checked. The arena lends scratch:
 * about 300 bytes (G1), 500 (G2) a pair, and up to 200 KiB of buckets. */
MUST_READ bool bls_g1_msm(u8 out[BLS_G1_SIZE], const u8 *in, size_t count, struct arena *arena);
MUST_READ bool bls_g2_msm(u8 out[BLS_G2_SIZE], const u8 *in, size_t count, struct arena *arena);

/* in is count times a G1 and a G2 point, whose subgroups are checked; *is_one says whether the product
 * of their pairings is one. The arena lends 288 bytes a pair. */
MUST_READ bool bls_pairing(bool *is_one, const u8 *in, size_t count, struct arena *arena);

/* A field element (of Fp, or of Fp2 as c0, c1) to a point of the subgroup (RFC 9380, section 6.6.3,
 * and clearing the cofactor). */
MUST_READ bool bls_map_fp(u8 out[BLS_G1_SIZE], const u8 in[BLS_FP_SIZE]);
MUST_READ bool bls_map_fp2(u8 out[BLS_G2_SIZE], const u8 in[2 * BLS_FP_SIZE]);
