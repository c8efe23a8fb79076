/*
 * Executes stored blocks again on the past states of an archive, for whom their transactions visit: what db verify
 * holds the index by address against. Nothing is written.
 */
#pragma once

#include "chain/visits.h"
#include "db/db.h"
#include "types/chain_config.h"

struct revisit;
struct chain_block;

/* config is borrowed. */
struct revisit *revisit_new(struct db *db, const struct chain_config *config);
void revisit_free(struct revisit *revisit); /* NULL is fine */

/*
 * The visits of a block whose parent's state can be read: its list, the revisit's until the next call. False when a
 * transaction cannot be executed there, which one that is on the chain can.
 */
MUST_READ bool revisit_block(struct revisit *revisit, const struct chain_block *block,
                             const struct visits **visits);

/* Blocks with a higher gas limit would take too long; who executed them once had the time. */
#define REVISIT_GAS_MAX ((u64)1 << 30)
