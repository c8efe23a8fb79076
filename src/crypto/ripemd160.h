/* RIPEMD-160 (Dobbertin, Bosselaers, Preneel 1996), through OpenSSL. */
#pragma once

#include "base/types.h"

void ripemd160(u8 out[20], const void *data, size_t len);
