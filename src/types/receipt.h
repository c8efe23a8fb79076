/* Receipts of all types (Yellow Paper 4.3.1, EIP-658 status, EIP-2718 envelope). */
#pragma once

#include "base/arena.h"
#include "types/bloom.h"
#include "types/tx.h"

/* logs are borrowed; the block that holds the receipt owns them. */
struct receipt {
    enum tx_type type;
    bool has_root;      /* before Byzantium: state root in place of status */
    hash32 root;        /* if has_root */
    bool succeeded;     /* also known (though not encoded) when has_root */
    u64 cumulative_gas; /* gas used in the block up to and including this transaction */
    struct bloom bloom;
    const struct log *logs;
    u32 log_count;
    /* The rest is derived and not encoded. */
    u64 gas_used;
    u64 blob_gas_used;
    u256 effective_gas_price; /* wei per gas */
    bool has_created;
    addr20 created;     /* a creation's contract, if has_created */
    u32 log_index_base; /* position of logs[0] among the block's logs */
};

/* Appends the canonical form: rlp(list) or type byte and rlp(list), as receipt tries hold it. */
void receipt_encode(struct buf *out, const struct receipt *receipt);
/* Fills the encoded fields; the others are zeroed. Log data points into bytes. */
MUST_READ enum rlp_verdict receipt_decode(struct receipt *receipt, struct arena *arena,
                                          const u8 *bytes, size_t len);
