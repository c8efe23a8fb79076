/*
 * What a network's rules are and when they change: forks by block number and by time, the merge,
 * the DAO fork, difficulty-bomb delays, the blob schedule. A plain value, to be copied freely.
 * Source: execution-specs, EIP-779, 2387, 4345, 5133, 3675, 7840, 7892; geth's genesis.json for
 * names.
 */
#pragma once

#include "prim/addr20.h"
#include "prim/u256.h"
#include "types/fork.h"

#define CONFIG_NEVER (~(u64)0)

/* EIP-7840: a row of the blob schedule. */
struct blob_params {
    u32 target, max;     /* blobs per block */
    u64 update_fraction; /* of the blob base fee */
};

/* X(enumerator, name in genesis files) in order of time. */
#define BLOB_UPGRADES(X) \
    X(CANCUN, "cancun")  \
    X(PRAGUE, "prague")  \
    X(OSAKA, "osaka")    \
    X(BPO1, "bpo1")      \
    X(BPO2, "bpo2")      \
    X(BPO3, "bpo3")      \
    X(BPO4, "bpo4")      \
    X(BPO5, "bpo5")

enum blob_upgrade {
#define X(id, name) BLOB_UPGRADE_##id,
    BLOB_UPGRADES(X)
#undef X
        BLOB_UPGRADE_COUNT,
};

struct chain_config {
    u64 chain_id;
    u64 fork_at[FORK_COUNT]; /* block number before Paris, seconds from Shanghai; CONFIG_NEVER */
    bool has_ttd;
    u256 ttd;         /* EIP-3675: a block whose parent's total difficulty reaches it is Paris */
    u64 dao_block;    /* EIP-779; CONFIG_NEVER */
    bool dao_support; /* moves the DAO's ether, rather than refusing to */
    u64 muir_glacier; /* bomb delays: block numbers */
    u64 arrow_glacier;
    u64 gray_glacier;
    u64 merge_netsplit; /* EIP-3675: changes no rule, but counts in fork ids; CONFIG_NEVER */
    u64 blob_at[BLOB_UPGRADE_COUNT]; /* seconds; CONFIG_NEVER */
    struct blob_params blob[BLOB_UPGRADE_COUNT];
    addr20 deposit_contract; /* EIP-6110 */
    bool real_proof_of_work; /* ethash seals are checked; false on test and dev networks */
};

/* The fork in force for a block. parent_td is what its parent's chain has (ignored without a
 * TTD). */
enum fork chain_config_fork(const struct chain_config *config, u64 number, u64 timestamp,
                            u256 parent_td);
/* The same for a block known to be before or after the merge. */
enum fork chain_config_fork_merged(const struct chain_config *config, u64 number, u64 timestamp,
                                   bool merged);

/* The blob schedule's row in force; NULL before Cancun. */
const struct blob_params *chain_config_blob_params(const struct chain_config *config,
                                                   u64 timestamp);
/* Blobs that one transaction may carry (EIP-7594: 6 from Osaka; before, what a block may). */
u32 chain_config_tx_blobs_max(const struct chain_config *config, enum fork fork, u64 timestamp);

/* How many blocks the difficulty bomb is set back (EIP-649, 1234, 2384, 3554, 4345, 5133). */
u64 chain_config_bomb_delay(const struct chain_config *config, u64 number);

/* All forks up to and including fork from the beginning, default blob schedule, chain id 1. */
void chain_config_init(struct chain_config *config, enum fork fork);

/* A network of the official tests: a fork's name, BPO1 to BPO4, or a transition such as
 * "BerlinToLondonAt5" or "PragueToOsakaAtTime15k". False, untouched, when it is none. */
MUST_READ bool chain_config_named(struct chain_config *config, const char *network);

/* Sets the row of "Cancun", "BPO1", ... (any case); false when there is none of that name. */
MUST_READ bool chain_config_set_blob(struct chain_config *config, const char *upgrade, u32 target,
                                     u32 max, u64 update_fraction);
