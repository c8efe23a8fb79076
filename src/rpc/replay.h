/* Running a block's transactions again, for what nobody wrote down the first time. Private to the room. */
#pragma once

#include "chain/process.h"
#include "rpc/call.h"

/* Where the chain stood before a transaction of a block: the parent's state, and the block's earlier transactions. */
struct replay {
    struct state *state;
    struct process process;
    const struct chain_block *block;
    u64 log_index;
};

/*
 * Stands before the block's first transaction, after what the fork does ahead of it. False with the error set when the
 * parent's state is no longer held. Else to be closed with view_close(call, replay.state).
 */
bool replay_open(struct rpc_call *call, struct replay *replay, const struct chain_block *block);

/*
 * Stands before the transaction whose hash is the call's parameter i, all before it in its block having been run. False with the
 * error set. Else to be closed as above.
 */
bool replay_open_param(struct rpc_call *call, u32 i, struct replay *replay, u32 *index);

/* Runs the block's transaction at index, all before it having been run. */
void replay_tx(struct replay *replay, u32 index, struct exec_result *result);
