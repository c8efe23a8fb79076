/*
 * EIP-2124: what tells networks with different rules apart in a few bytes: the checksum of the genesis hash
 * and of the forks passed, and where the next one comes.
 */
#pragma once

#include "types/chain_config.h"

struct fork_id {
    u32 hash;
    u64 next; /* block number or, from Shanghai (EIP-6122), time of the next fork; 0: none is known */
};

/* For a node whose head has this number and timestamp. */
struct fork_id fork_id_at(const struct chain_config *config, const hash32 *genesis_hash,
                          u64 genesis_time, u64 number, u64 timestamp);
