/*
 * The curve alt_bn128, also called BN254, of EIP-196 and EIP-197: addition, multiplication and the
 * check of a product of pairings. A field element is 32 bytes big-endian and below the prime; a G1
 * point is x, y (64 bytes), a G2 point x.c1, x.c0, y.c1, y.c0 (128 bytes: the imaginary part first);
 * all zero is infinity. Functions return false, with *out untouched, when an input is out of range, off
 * its curve or, in G2, outside the subgroup. Nothing here allocates; running time depends on the input.
 */
#pragma once

#include "base/types.h"

enum {
    BN254_G1_SIZE = 64,
    BN254_G2_SIZE = 128,
    BN254_PAIR_SIZE = BN254_G1_SIZE + BN254_G2_SIZE,
};

/* in is two points. */
MUST_READ bool bn254_add(u8 out[BN254_G1_SIZE], const u8 in[2 * BN254_G1_SIZE]);

/* in is a point and a scalar of 32 bytes, any value. */
MUST_READ bool bn254_mul(u8 out[BN254_G1_SIZE], const u8 in[BN254_G1_SIZE + 32]);

/* in is count times a G1 and a G2 point; *is_one says whether the product of their pairings is one. */
MUST_READ bool bn254_pairing(bool *is_one, const u8 *in, size_t count);
