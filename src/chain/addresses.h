/*
 * The address index: where an account appears, by its address. It covers the canonical chain from one block on; with a
 * store it lies in two tables, that of addresses, by which places are found, and that of visits (chain/visits.h), by
 * which a block's entries are found again when the block leaves the chain. In memory the held blocks' visits are looked
 * through.
 */
#pragma once

#include "chain/chain.h"
#include "chain/visits.h"

struct db;

/* Is there one, and from which block on? False: from none. */
MUST_READ bool chain_addresses_from(const struct chain *chain, u64 *from);

/* A transaction: its block's number, and its place there. */
struct chain_place {
    u64 number;
    u32 index;
};

/*
 * Calls fn with every transaction in which the account appears, each once, in order, until fn returns false: from the
 * first of block `number` on to the newest, or (is_back) from the last of it on to the oldest. fn may not change the chain.
 */
typedef bool chain_place_fn(void *ctx, struct chain_place place);
void chain_each_place(const struct chain *chain, const addr20 *addr, u64 number, bool is_back,
                      chain_place_fn *fn, void *ctx);

/* The account's own transaction of that nonce. Nonces that were set from outside, to less than they were, may hide some. */
MUST_READ bool chain_find_sent(const struct chain *chain, const addr20 *sender, u64 nonce,
                               struct chain_place *place);

/* The latest transaction that created a contract there, and who did within it. */
MUST_READ bool chain_find_creation(const struct chain *chain, const addr20 *contract,
                                   struct chain_place *place, addr20 *creator);

/* --- for this room ---------------------------------------------------------------------------- */

/* From which block on a store has an index; false: from none. */
MUST_READ bool addresses_mark(struct db *db, u64 *from);

/* A canonical block's entries. */
void addresses_put(struct db *db, u64 number, const u8 *list, size_t len);
void addresses_del(struct db *db, u64 number);

/* A block's list, borrowed as db_get's; none is an empty one. */
struct db_bytes addresses_list(struct db *db, u64 number);
/* Is there the entry that belongs to a visit of that block's? */
MUST_READ bool addresses_has(struct db *db, u64 number, const struct visit *visit);
