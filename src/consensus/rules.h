/*
 * What makes a header, and a block's ommers, valid beside its parent: everything that needs no
 * execution. Pure functions. Source: Yellow Paper 4.4, EIP-779, 1559, 3675, 4399, 4844, 4788,
 * 4895, 7685, 7934.
 */
#pragma once

#include "types/block.h"
#include "types/chain_config.h"
#include "types/verdict.h"

enum {
    RULES_EXTRA_MAX = 32,
    RULES_GAS_LIMIT_MIN = 5000,
    RULES_GAS_LIMIT_DIVISOR = 1024,
    RULES_OMMERS_MAX = 2,
    RULES_OMMER_DEPTH = 6,
    RULES_BLOCK_SIZE_MAX = 10485760 - 2097152, /* EIP-7934, from Osaka */
};

/* Checks header against its parent. parent_td: total difficulty up to and including the parent. */
MUST_READ enum block_verdict rules_check_header(const struct chain_config *config,
                                                const struct header *header,
                                                const struct header *parent, u256 parent_td);

/* The body beside its own header: ommers hash, presence of withdrawals, blob gas used, size. The
 * roots of transactions and withdrawals are compared by chain/process.h, as tries are above this
 * room. */
MUST_READ enum block_verdict rules_check_body(const struct block *block, enum fork fork);

/* What the ommer rules ask of the chain: the block's ancestors. */
struct rules_ancestry {
    void *ctx;
    /* The generation-th ancestor of the block (1: its parent); NULL past genesis. */
    const struct block *(*ancestor)(void *ctx, unsigned generation);
};

MUST_READ enum block_verdict rules_check_ommers(const struct chain_config *config,
                                                const struct block *block, u256 parent_td,
                                                const struct rules_ancestry *ancestry);

/* The gas limit's step from parent to child is at most parent / 1024, exclusive. */
bool rules_gas_limit_follows(u64 gas_limit, u64 parent_gas_limit);
/* The limit that comes as near to target as one step can. */
u64 rules_gas_limit_towards(u64 target, u64 parent_gas_limit);
