/* BLAKE2b's compression function F with a free number of rounds (RFC 7693, section 3.2; EIP-152). */
#pragma once

#include "base/types.h"

/* h is the state in and out, m the message block, t the offset counter; rounds may be 0. */
void blake2f(u64 h[8], const u64 m[16], const u64 t[2], bool final, u32 rounds);
