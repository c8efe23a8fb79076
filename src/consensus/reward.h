/* Block rewards of proof of work (Yellow Paper 11.3; EIP-649, 1234); nothing from Paris
 * (EIP-3675). */
#pragma once

#include "prim/u256.h"
#include "types/fork.h"

u256 reward_block(enum fork fork);                                  /* wei */
u256 reward_ommer(u256 block_reward, u64 number, u64 ommer_number); /* to the ommer's coinbase */
u256 reward_nephew(u256 block_reward); /* to the block's coinbase, for each ommer */
u256 reward_sealer(u256 block_reward, u32 ommer_count); /* all that the block's coinbase gets */
