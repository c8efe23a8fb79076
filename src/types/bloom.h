/* The 2048-bit Bloom filter over the addresses and topics of logs (Yellow Paper 4.3.1, function
 * M). */
#pragma once

#include "types/log.h"

struct bloom {
    u8 b[256];
};

void bloom_add(struct bloom *bloom, const void *bytes, size_t len); /* sets 3 bits */
void bloom_add_log(struct bloom *bloom, const struct log *log);
void bloom_merge(struct bloom *bloom, const struct bloom *other);

/* False: certainly never added. */
bool bloom_may_have(const struct bloom *bloom, const void *bytes, size_t len);
