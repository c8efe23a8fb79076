/* What eth_call and its like may pretend: other accounts, another block. Private to the room. */
#pragma once

#include "chain/exec.h"
#include "rpc/call.h"

/* {address: {balance, nonce, code, state | stateDiff}}; absent is fine. Changes the view. */
bool overrides_apply_state(struct rpc_call *call, json object, struct state *state);

/* {number, time, gasLimit, feeRecipient, prevRandao, baseFeePerGas, blobBaseFee, difficulty}; absent is fine. */
bool overrides_apply_block(struct rpc_call *call, json object, struct evm_block *block);
