/*
 * What a chain on disk consists of besides its state: blocks with their receipts, the indexes that find them, and
 * marks. Thin functions over the store's tables (db/tables.h). Writes belong to the store's open transaction, which
 * is opened when there is none; like all writes there they cannot fail before the commit.
 */
#pragma once

#include <string.h>

#include "base/be.h"
#include "chain/chain.h"
#include "db/db.h"

/* Numbers in keys. */
static inline void put_be64(u8 out[8], u64 value)
{
    for (int i = 0; i < 8; i++)
        out[i] = (u8)(value >> (56 - 8 * i));
}

static inline u64 get_be64(const u8 *in)
{
    return be_get(in, 8);
}

/* --- a block as one record -------------------------------------------------------------------- */

/* Appends the record. rlp: the block's encoding; made anew when NULL. */
void record_encode(struct buf *out, const struct chain_block *block, const u8 *rlp, size_t len);

/*
 * Fills the block from its record; everything points into bytes and arena. hash is the block's, which its record
 * is filed under. False, with *block untouched, when the bytes are no record. is_canonical is left false.
 */
MUST_READ bool record_decode(struct chain_block *block, struct arena *arena, const hash32 *hash,
                             const u8 *bytes, size_t len);

/* Appends what is left of a record when its block is pruned. False, with nothing appended, when the bytes are none. */
MUST_READ bool record_cut(struct buf *out, const u8 *bytes, size_t len);
/* As record_decode, of what is left. */
MUST_READ bool record_decode_cut(struct chain_block *block, const hash32 *hash, const u8 *bytes,
                                 size_t len);

/* --- blocks ----------------------------------------------------------------------------------- */

/* scratch is emptied and used. */
void store_put_block(struct db *db, const struct chain_block *block, const u8 *rlp, size_t len,
                     struct buf *scratch);
void store_del_block(struct db *db, const struct block *block);

/* Everything is copied to the arena. False when it is absent or damaged (see db_status). */
MUST_READ bool store_get_block(struct db *db, struct chain_block *block, struct arena *arena,
                               u64 number, const hash32 *hash);
/* The record itself, borrowed as db_get's. */
MUST_READ bool store_get_record(struct db *db, struct db_bytes *record, u64 number,
                                const hash32 *hash);
/* Only the record; with_number: it is not found by its hash either. */
void store_del_record(struct db *db, u64 number, const hash32 *hash, bool with_number);
MUST_READ bool store_get_number(struct db *db, u64 *number, const hash32 *hash);

/* Calls fn with every block, canonical or not, from a number on, until it returns false. */
typedef bool store_block_fn(void *arg, u64 number, const hash32 *hash);
void store_each_block(struct db *db, u64 from, store_block_fn *fn, void *arg);

/* --- the canonical chain ---------------------------------------------------------------------- */

/* The number's hash, and where its transactions are. */
void store_put_canonical(struct db *db, const struct block *block);
void store_del_canonical(struct db *db, const struct block *block);
/* The block is pruned: its transactions are not found by their hashes. Those that a later block holds, too, still are. */
void store_del_txs(struct db *db, const struct block *block);
MUST_READ bool store_get_canonical(struct db *db, hash32 *hash, u64 number);
MUST_READ bool store_get_tx(struct db *db, u64 *number, u32 *index, const hash32 *hash);
/* The lowest number there is. */
MUST_READ bool store_get_oldest(struct db *db, u64 *number);

/* --- marks ------------------------------------------------------------------------------------ */

void store_put_head(struct db *db, const hash32 *hash);
MUST_READ bool store_get_head(struct db *db, hash32 *hash);

/* Which chain this is: its first block's hash and its rules. */
void store_put_identity(struct db *db, const hash32 *genesis, const struct chain_config *config);
/* NOT_FOUND: the store is empty. INVALID: what is there makes no sense. */
MUST_READ enum status store_get_identity(struct db *db, hash32 *genesis,
                                         struct chain_config *config, struct err *err);
