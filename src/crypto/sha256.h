/* SHA-256 (FIPS 180-4) and RIPEMD-160 have one door each; this one opens OpenSSL's. */
#pragma once

#include "base/types.h"
#include "prim/hash32.h"

void sha256(hash32 *out, const void *data, size_t len);
