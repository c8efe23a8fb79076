/* CRC-32C (Castagnoli; RFC 3720, appendix B.4): finds flipped bits, protects from no enemy. */
#pragma once

#include "base/types.h"

/* Goes on from crc, which is 0 at the beginning. */
u32 crc32c(u32 crc, const void *bytes, size_t len);
