/*
 * The system contracts that blocks call (EIP-4788, 2935, 7002, 7251), for the genesis of networks
 * that begin at a fork which needs them. Mainnet's were deployed by ordinary transactions.
 */
#pragma once

#include "types/genesis.h"

/* Those that blocks of this fork call; constants, valid for ever. */
const struct genesis_account *predeploy_list(enum fork fork, u32 *count);
