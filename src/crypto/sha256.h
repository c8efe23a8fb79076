/* SHA-256 (FIPS 180-4), through OpenSSL. */
#pragma once

#include "base/types.h"
#include "prim/hash32.h"

void sha256(hash32 *out, const void *data, size_t len);
