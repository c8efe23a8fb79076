/* What this process uses of the machine, and may use. */
#pragma once

#include "base/types.h"

struct usage {
    int statm; /* open from the beginning, as a sandbox forbids opening later; -1: not to be had */
};

void usage_open(struct usage *usage);
void usage_close(struct usage *usage);

/* Lets the process have so many files and connections open, as far as the system's hard limit allows. */
void usage_allow_files(u64 count);

/* Bytes of files that are mapped and count as the process's memory. */
MUST_READ bool usage_mapped(const struct usage *usage, u64 *bytes);

/* Bytes of address space and of memory; false when the system does not say. */
MUST_READ bool usage_memory(const struct usage *usage, u64 *virtual_bytes, u64 *resident_bytes);
