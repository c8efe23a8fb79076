/*
 * era1 files: at most 8192 blocks of before the merge, with receipts and total difficulties, as entries of type (2),
 * length (4), two zero bytes and value; numbers are little-endian.
 *
 *   version        of length 0
 *   each block     header, body [transactions, ommers], receipts: each as RLP in Snappy frames; total difficulty (32)
 *   accumulator    SSZ hash_tree_root of List[(block hash, total difficulty), 8192]
 *   block index    first number (8), of each block the place of its header entry counted from this entry (8),
 *                  how many (8)
 * A file is named NETWORK-EPOCH-ROOT.era1: number / 8192 in five digits, the accumulator's first four bytes in hex.
 * Source: eth-clients/e2store-format-specs, formats/era1.md.
 */
#pragma once

#include "base/status.h"
#include "chain/chain.h"

enum { ERA1_BLOCKS = 8192, ERA1_ENTRY_HEADER = 8, ERA1_ENTRY_MAX = 256 << 20 };

/* Does a file begin so? */
bool era1_is(const u8 *bytes, size_t len);

/* --- reading: entries are given in, blocks come out -------------------------------------------- */

struct era1_in;

struct era1_in *era1_in_new(void);
void era1_in_free(struct era1_in *in); /* NULL is fine */

/* How long the value is that follows this header of an entry. INVALID: this is none, or too long. */
MUST_READ enum status era1_entry_size(const u8 *header, u64 *len, struct err *err);

/*
 * Takes an entry with its header. *rlp is NULL or a block that is complete now, as rlp([header, transactions, ommers]),
 * borrowed until the next call. Checksums, receipts, total difficulties, the accumulator and the index are checked as
 * they come; whether transactions are the header's is the chain's to find. Files may follow each other.
 */
MUST_READ enum status era1_take(struct era1_in *in, const u8 *entry, size_t len, const u8 **rlp,
                                size_t *rlp_len, struct err *err);
/* The entries are over: INVALID when something was still to come. */
MUST_READ enum status era1_end(const struct era1_in *in, struct err *err);

/* --- writing ---------------------------------------------------------------------------------- */

struct era1_out;

/* network: without a dash. */
MUST_READ enum status era1_create(struct era1_out **out, const char *folder, const char *network,
                                  u64 epoch, struct err *err);
/* Blocks of one epoch in order; they have been executed. */
void era1_add(struct era1_out *out, const struct chain_block *block);
/* The file is there, whole and durable and under its name, when this returns STATUS_OK. Frees in any case. */
MUST_READ enum status era1_finish(struct era1_out *out, struct err *err);
void era1_drop(struct era1_out *out); /* NULL is fine */
