/* Running a message on a view of the state, and telling why it failed. Private to the room. */
#pragma once

#include "chain/exec.h"
#include "rpc/call.h"
#include "rpc/overrides.h"
#include "rpc/tx_args.h"
#include "rpc/view.h"

/* A message ready to run: the view of a state with overrides, and the block it runs in. */
struct run {
    struct block_ref ref;
    struct state *state;
    struct exec exec;
    struct header header;
    struct state_overrides state_overrides;
    struct precompile_overrides precompiles;
};

/*
 * Opens the block with its overrides (either may be absent). Call run_close when true. A tracer may be set on
 * call->chain's evm while it is open.
 */
bool run_open(struct rpc_call *call, struct run *run, const struct block_ref *ref,
              json state_overrides, json block_overrides);
void run_close(struct rpc_call *call, struct run *run);

/* Back to what run_open gave. */
void run_reset(struct rpc_call *call, struct run *run);

/* The gas that a call may use. */
u64 run_gas_max(const struct rpc_call *call, const struct run *run);

/* Runs the message, in a block whose fees are nothing if its own are, and leaves its effects. */
MUST_READ enum tx_verdict run_exec(struct run *run, const struct tx *tx,
                                   struct exec_result *result);

/* The same. False, with the error set in geth's words, when it cannot begin; how it went
 * is in result, whose output lives until the next run. */
bool run_tx(struct rpc_call *call, struct run *run, const struct tx *tx,
            struct exec_result *result);

/* Sets the error of a message that was run and failed: code 3 with data for reverts, -32000 for the rest. */
void run_fail(struct rpc_call *call, const struct exec_result *result);

/* Sets the error of a message that could not begin. Returns false. */
bool run_refuse(struct rpc_call *call, const struct run *run, const struct tx *tx,
                enum tx_verdict verdict);

/* The least gas, known to 1.5%, with which the message succeeds: eth_estimateGas (eth_call.c). */
bool run_estimate_gas(struct rpc_call *call, struct run *run, const struct tx_args *args, u64 *gas);
