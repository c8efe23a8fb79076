/* What this process uses of the machine. */
#pragma once

#include "base/types.h"

struct usage {
    int statm; /* open from the beginning, as a sandbox forbids opening later; -1: not to be had */
};

void usage_open(struct usage *usage);
void usage_close(struct usage *usage);

/* Bytes of address space and of memory; false when the system does not say. */
MUST_READ bool usage_memory(const struct usage *usage, u64 *virtual_bytes, u64 *resident_bytes);
