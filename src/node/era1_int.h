/* What the reader and the writer of era1 files share: private to them. */
#pragma once

#include "node/era1.h"
#include "prim/hash32.h"

enum era1_type {
    ERA1_VERSION = 0x3265,
    ERA1_HEADER = 0x03,
    ERA1_BODY = 0x04,
    ERA1_RECEIPTS = 0x05,
    ERA1_DIFFICULTY = 0x06,
    ERA1_ACCUMULATOR = 0x07,
    ERA1_INDEX = 0x3266,
};

/* What is gathered of a file's blocks. */
struct era1_sums {
    u64 first; /* number */
    u32 count;
    u64 places[ERA1_BLOCKS]; /* of the header entries, from the file's beginning */
    hash32 roots[ERA1_BLOCKS];
};

void era1_put_le(u8 *out, u64 value, unsigned bytes);
u64 era1_get_le(const u8 *in, unsigned bytes);
/* A total difficulty as it is written. */
hash32 era1_difficulty(u256 value);

void era1_sum(struct era1_sums *sums, u64 number, u64 place, const hash32 *hash,
              const hash32 *difficulty);
hash32 era1_accumulator(const struct era1_sums *sums);
/* The value of the index entry at this place. */
void era1_index(struct buf *out, const struct era1_sums *sums, u64 place);
