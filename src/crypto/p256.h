/* ECDSA verification on secp256r1, also called P-256 (EIP-7951), through OpenSSL. */
#pragma once

#include "base/types.h"
#include "prim/hash32.h"

/*
 * Whether r and s sign the hash under the key (x, y); all big-endian. False for anything out of range:
 * r or s zero or not below the order, coordinates not below the field's prime, a point off the curve.
 * A high s is fine: EIP-7951 asks for no malleability check.
 */
MUST_READ bool p256_verify(const hash32 *hash, const hash32 *r, const hash32 *s, const hash32 *x,
                           const hash32 *y);
