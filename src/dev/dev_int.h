/* What the files of this room share. */
#pragma once

#include "dev/dev.h"

/* seal.c: the pool takes in what the store has. */
void dev_pool_keep(struct dev *dev, struct db *db);

/*
 * seal.c: the head or its state is another one: nonces, balances and the rules of the next block are looked at again.
 * What a developer takes back is gone, as with anvil: it would be sealed again at once. Who moves a chain sideways
 * gives the abandoned blocks to txpool_return after this.
 */
void dev_pool_follow(struct dev *dev);

/* dev.c: what has changed becomes durable, half a second from now. */
void dev_sync_soon(struct dev *dev);
