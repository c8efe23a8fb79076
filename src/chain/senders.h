/* Finding the senders of a block that comes alone by several threads at once: it costs more than all the rest of a
 * block of plain transfers. */
#pragma once

#include "sys/workers.h"
#include "types/block.h"

/*
 * Where it is worth waking threads; workers may be NULL. Who executes the block finds the senders that are still
 * missing, and says of those that cannot be found why.
 */
void senders_find(struct block *block, enum fork fork, u64 chain_id, struct workers *workers);
