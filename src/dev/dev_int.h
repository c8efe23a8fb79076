/* Private to the room. */
#pragma once

#include "dev/dev.h"

enum { DEV_SYSTEM_CONTRACTS_MAX = 8 };

/* Puts those contracts into list that the fork's own rules call (EIP-4788, 2935, 7002, 7251), as a genesis block has
 * them; code is the arena's. Returns how many. */
u32 dev_system_contracts(struct genesis_account *list, struct arena *arena, enum fork fork);
