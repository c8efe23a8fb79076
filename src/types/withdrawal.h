/* Withdrawals from the beacon chain (EIP-4895). */
#pragma once

#include "base/buf.h"
#include "prim/addr20.h"
#include "prim/rlp.h"

struct withdrawal {
    u64 index;
    u64 validator;
    addr20 addr;
    u64 amount_gwei; /* 10^9 wei each */
};

void withdrawal_encode(struct buf *out, const struct withdrawal *withdrawal);
MUST_READ enum rlp_verdict withdrawal_decode(struct rlp *rlp, struct withdrawal *withdrawal);
