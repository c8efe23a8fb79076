/* What the files of this room share. */
#pragma once

#include "dev/dev.h"

/* seal.c: the pool takes in what the store has. */
void dev_pool_keep(struct dev *dev, struct db *db);

/* dev.c: what has changed becomes durable, half a second from now. */
void dev_sync_soon(struct dev *dev);
