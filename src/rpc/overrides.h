/* What eth_call and its like may pretend: other accounts, another block. Source: execution-apis, eth_simulateV1;
 * geth where that is silent. Private to the room. */
#pragma once

#include "chain/exec.h"
#include "evm/precompile.h"
#include "rpc/call.h"

struct slot_override {
    u256 key, value;
};

struct account_override {
    addr20 addr;
    u32 place; /* among those given: of two for one address the later one counts */
    bool has_nonce, has_balance, has_code;
    bool has_state, has_diff; /* slots are all of the storage, or only some of it */
    bool moves;               /* a precompile, to target */
    u64 nonce;
    u256 balance;
    const u8 *code;
    size_t code_len;
    struct slot_override *slots;
    u32 slot_count;
    addr20 target;
};

struct state_overrides {
    struct account_override *accounts; /* by address, each once */
    u32 count;
};

/* {address: {nonce, balance, code, state | stateDiff, movePrecompileToAddress}}; absent is fine. The arena's. */
bool overrides_read_state(struct rpc_call *call, json object, struct state_overrides *overrides);

/* Changes the state, as if a transaction had done it, and where precompiles are; from a struct that begins zeroed. */
bool overrides_apply_state(struct rpc_call *call, const struct state_overrides *overrides,
                           struct state *state, enum fork fork,
                           struct precompile_overrides *precompiles);

struct block_overrides {
    bool has_number, has_time, has_gas_limit, has_coinbase, has_prev_randao, has_difficulty,
        has_base_fee, has_blob_base_fee, has_beacon_root, has_withdrawals;
    u256 number; /* may be too large for any block */
    u64 time, gas_limit;
    addr20 coinbase;
    hash32 prev_randao, beacon_root;
    u256 difficulty, base_fee, blob_base_fee;
    const struct withdrawal *withdrawals;
    u32 withdrawal_count;
};

/* {number, time, gasLimit, feeRecipient, prevRandao, difficulty, baseFeePerGas, blobBaseFee, beaconRoot, withdrawals};
 * absent is fine. Lists are the arena's. */
bool overrides_read_block(struct rpc_call *call, json object, struct block_overrides *overrides);

/* All but number, time, and what no header holds. */
void overrides_apply_block(const struct block_overrides *overrides, struct header *header);
