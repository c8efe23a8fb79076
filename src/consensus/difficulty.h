/* The difficulty of the next block under proof of work (Yellow Paper 4.4.4; EIP-2, 100, 649 and
 * the delays). */
#pragma once

#include "types/chain_config.h"
#include "types/header.h"

struct difficulty_parent {
    u256 difficulty;
    u64 timestamp;
    bool has_ommers; /* EIP-100, from Byzantium */
};

/* bomb_delay in blocks: chain_config_bomb_delay. Never below 131072. */
u256 difficulty_next(enum fork fork, u64 bomb_delay, u64 number, u64 timestamp,
                     const struct difficulty_parent *parent);
