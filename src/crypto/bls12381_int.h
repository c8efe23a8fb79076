/* EIP-2537's encodings of blst's points. Private to this room. */
#pragma once

#include <blst.h>

#include "crypto/bls12381.h"

void bls_g1_encode(u8 out[BLS_G1_SIZE], const blst_p1 *in);
void bls_g2_encode(u8 out[BLS_G2_SIZE], const blst_p2 *in);
