/* Base fees and blob fees (EIP-1559, 4844, 7691, 7892, 7918). */
#pragma once

#include "types/chain_config.h"
#include "types/header.h"

enum {
    FEE_INITIAL_BASE = 1000000000, /* wei per gas of the first London block */
    FEE_ELASTICITY = 2,            /* gas limit over gas target */
    FEE_CHANGE_DENOMINATOR = 8,
    FEE_MIN_BLOB_BASE = 1, /* wei per blob gas */
};

/* From the parent's figures; the parent is a London block. */
u256 fee_base_next(u64 parent_gas_limit, u64 parent_gas_used, u256 parent_base_fee);

/* The same for a block whose parent may be from before London. */
u256 fee_base_after(const struct header *parent, const struct chain_config *config);

/* Wei per blob gas; saturates at 2^256 - 1. */
u256 fee_blob_base(u64 excess_blob_gas, u64 update_fraction);

/* A block's excess blob gas, from its parent's figures (0 where the parent has none). fork and
 * params are the block's own; parent_base_fee matters from Osaka (EIP-7918). */
u64 fee_excess_blob_gas(enum fork fork, const struct blob_params *params, u64 parent_excess,
                        u64 parent_blob_gas_used, u256 parent_base_fee);
