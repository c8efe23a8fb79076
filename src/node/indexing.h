/*
 * Opening a folder that gets an index by address executes its blocks again (chain_options.indexing): how far that is, is
 * said on standard error, as an import does, and the process may be told to end meanwhile.
 */
#pragma once

#include "base/types.h"

/* Zeroed before. */
struct indexing {
    u64 first;        /* the block that it began with */
    u64 begun, shown; /* ns; 0: nothing was there to do yet */
    bool is_terminal, has_line;
};

/* ctx is the struct. */
void indexing_tell(void *ctx, u64 number, u64 oldest);
/* The chain is open, or is not: ends the line. */
void indexing_end(struct indexing *indexing);
