/* One word for decoders that read field after field: leaves the function with the first bad
 * verdict. */
#pragma once

#include "prim/rlp.h"

#define RLP_TRY(read)                     \
    do {                                  \
        enum rlp_verdict found_ = (read); \
        if (found_ != RLP_OK)             \
            return found_;                \
    } while (0)
