/* Modular exponentiation of numbers of any length, through GMP (EIP-198). */
#pragma once

#include "base/types.h"

/*
 * out = base ^ exponent mod modulus, all big-endian; out has as many bytes as the modulus. 0 ^ 0 is 1,
 * and anything modulo zero is zero. The gas of the call bounds the lengths; time grows with their
 * product. GMP takes its own scratch from the heap.
 */
void modexp(u8 *out, const u8 *base, size_t base_len, const u8 *exponent, size_t exponent_len,
            const u8 *modulus, size_t modulus_len);
