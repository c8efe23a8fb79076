/* A log record as contracts emit it with LOG0 to LOG4 (Yellow Paper 4.3.1). */
#pragma once

#include "base/buf.h"
#include "prim/addr20.h"
#include "prim/hash32.h"
#include "prim/rlp.h"

enum { LOG_TOPICS_MAX = 4 };

/* data is borrowed; whoever hands out logs says for how long. */
struct log {
    addr20 addr;
    u32 topic_count;
    hash32 topics[LOG_TOPICS_MAX];
    const u8 *data;
    size_t data_len;
};

/* Appends rlp([address, [topic, ...], data]). */
void log_encode(struct buf *out, const struct log *log);
MUST_READ enum rlp_verdict log_decode(struct rlp *rlp, struct log *log); /* data points into rlp */

/* The encoded size. */
size_t log_size(const struct log *log);

/* keccak256(rlp([log, ...])), which official state tests compare. */
hash32 log_list_hash(const struct log *logs, size_t count);
