/* Running a block's transactions again, for what nobody wrote down the first time. Private to the room. */
#pragma once

#include "chain/process.h"
#include "rpc/call.h"
#include "trace/trace.h"

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

/* Stands before the block's transaction at index, all before it having been run. As above. */
bool replay_open_tx(struct rpc_call *call, struct replay *replay, const struct chain_block *block,
                    u32 index);

/*
 * Stands before the transaction whose hash is the call's parameter i, all before it in its block having been run. False with the
 * error set. Else to be closed as above.
 */
bool replay_open_param(struct rpc_call *call, u32 i, struct replay *replay, u32 *index);

/* Runs the block's transaction at index, all before it having been run. */
void replay_tx(struct replay *replay, u32 index, struct exec_result *result);

/* The same, watched: writes what was seen under key, and frees the trace. False with the error set when that is too much. */
bool replay_trace(struct rpc_call *call, const char *key, struct replay *replay, u32 index,
                  struct trace *trace);

/*
 * Around a transaction that exec is about to run; the caller fills in of about what concerns a block. trace_stop frees the
 * trace, and writes what was seen under key; trace_drop frees it when the transaction did not run after all.
 */
void trace_start(struct rpc_call *call, struct trace *trace, struct exec *exec, const struct tx *tx,
                 struct trace_tx *about);
bool trace_stop(struct rpc_call *call, const char *key, struct trace *trace, struct exec *exec,
                u64 gas_used);
void trace_drop(struct trace *trace, struct exec *exec);
