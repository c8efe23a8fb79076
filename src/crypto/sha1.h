/* FIPS 180-4's SHA-1: broken as a promise, and still what a WebSocket handshake is made of (RFC 6455). */
#pragma once

#include "base/types.h"

enum { SHA1_LEN = 20 };

void sha1(u8 out[SHA1_LEN], const void *data, size_t len);
