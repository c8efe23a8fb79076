/* debug: traces, and blocks and transactions as bytes. */
#include "base/mem.h"
#include "rpc/param.h"
#include "rpc/replay.h"
#include "rpc/run.h"
#include "trace/trace.h"

/* --- tracing -------------------------------------------------------------------------------- */

static bool make_trace(struct rpc_call *call, json config, struct trace **trace)
{
    struct err err;
    enum status status = trace_new(trace, config, call->rpc->options.answer_max, &err);
    return status == STATUS_OK ||
           rpc_fail(call, status == STATUS_NOT_FOUND ? RPC_SERVER_ERROR : RPC_INVALID_PARAMS, "%s",
                    err.text);
}

static bool trace_one(struct rpc_call *call, const char *key, struct replay *replay, u32 index,
                      json config)
{
    struct trace *trace;
    return make_trace(call, config, &trace) && replay_trace(call, key, replay, index, trace);
}

static void debug_traceTransaction(struct rpc_call *call)
{
    u32 index;
    struct replay replay;
    if (!replay_open_param(call, 0, &replay, &index))
        return;
    trace_one(call, RPC_RESULT, &replay, index, param_at(call, 1));
    view_close(call, replay.state);
}

static void trace_block(struct rpc_call *call, const struct chain_block *block, json config)
{
    struct replay replay;
    if (!replay_open(call, &replay, block))
        return;
    json_out_array(call->out, RPC_RESULT);
    for (u32 i = 0; i < block->block.tx_count && !rpc_failed(call) && !call->out->full; i++) {
        if (!rpc_goes_on(call))
            break;
        json_out_object(call->out, NULL);
        json_out_hash(call->out, "txHash", &block->block.txs[i].hash);
        trace_one(call, "result", &replay, i, config);
        json_out_object_end(call->out);
    }
    json_out_array_end(call->out);
    view_close(call, replay.state);
}

static void debug_traceBlockByNumber(struct rpc_call *call)
{
    struct block_ref ref;
    if (!param_need(call, 0) || !param_block(call, 0, &ref))
        return;
    const struct chain_block *block = ref.is_pending ? chain_head(call->chain) : ref.block;
    if (block)
        trace_block(call, block, param_at(call, 1));
    else
        view_no_block(call);
}

static void debug_traceBlockByHash(struct rpc_call *call)
{
    struct block_ref ref;
    if (!param_block_hash(call, 0, &ref))
        return;
    if (ref.block)
        trace_block(call, ref.block, param_at(call, 1));
    else
        rpc_fail(call, RPC_SERVER_ERROR, "block %s not found", json_text(param_at(call, 0)));
}

/* The same for a block given as RLP: it must be one that the chain knows, since its parent's state is needed. */
static void debug_traceBlock(struct rpc_call *call)
{
    const u8 *bytes;
    size_t len;
    struct block given;
    const char *reason = "";
    if (!param_data(call, 0, &bytes, &len))
        return;
    if (block_decode(&given, call->arena, bytes, len, &reason) != BLOCK_OK) {
        rpc_fail(call, RPC_INVALID_PARAMS, "could not decode block: %s", reason);
        return;
    }
    block_seal(&given);
    struct block_ref ref = {.block = chain_header_by_hash(call->chain, &given.hash)};
    if (!view_whole(call, &ref))
        return;
    if (ref.block)
        trace_block(call, ref.block, param_at(call, 1));
    else
        rpc_fail(call, RPC_SERVER_ERROR, "the block is not one of this chain");
}

/* The config may carry the overrides, as geth has it. */
static void debug_traceCall(struct rpc_call *call)
{
    struct run run;
    struct tx_args args;
    struct tx tx;
    struct trace *trace;
    struct block_ref ref;
    struct exec_result result = {0};
    struct trace_tx about = {0};
    json object = param_need(call, 0), config = param_at(call, 2);
    if (!object || !tx_args_read(call, object, &args) || !param_any_block(call, 1, &ref) ||
        !run_open(call, &run, &ref, json_get(config, "stateOverrides"),
                  json_get(config, "blockOverrides")))
        return;
    tx_args_to_call(&args, &tx, run_gas_max(call, &run));
    if (!args.has_nonce)
        tx.nonce = state_nonce(run.state, &tx.sender);
    if (make_trace(call, config, &trace)) {
        trace_start(call, trace, &run.exec, &tx, &about);
        if (run_tx(call, &run, &tx, &result))
            trace_stop(call, RPC_RESULT, trace, &run.exec, result.gas_used);
        else
            trace_drop(trace, &run.exec);
    }
    run_close(call, &run);
}

/* --- bytes ---------------------------------------------------------------------------------- */

static bool find_block(struct rpc_call *call, bool needs_body, const struct chain_block **block)
{
    struct block_ref ref;
    if (!param_need(call, 0) || !param_any_block(call, 0, &ref) ||
        (needs_body && !view_whole(call, &ref)))
        return false;
    *block = ref.is_pending ? chain_head(call->chain) : ref.block;
    return *block || view_no_block(call);
}

static void debug_getRawHeader(struct rpc_call *call)
{
    struct buf bytes;
    const struct chain_block *block;
    if (!find_block(call, false, &block))
        return;
    buf_init(&bytes, SIZE_MAX / 2);
    header_encode(&bytes, &block->block.header);
    json_out_data(call->out, RPC_RESULT, bytes.data, bytes.len);
    buf_fini(&bytes);
}

static void debug_getRawBlock(struct rpc_call *call)
{
    struct buf bytes;
    const struct chain_block *block;
    if (!find_block(call, true, &block))
        return;
    buf_init(&bytes, SIZE_MAX / 2);
    block_encode(&bytes, &block->block);
    json_out_data(call->out, RPC_RESULT, bytes.data, bytes.len);
    buf_fini(&bytes);
}

static void debug_getRawReceipts(struct rpc_call *call)
{
    struct buf bytes;
    const struct chain_block *block;
    if (!find_block(call, true, &block))
        return;
    buf_init(&bytes, SIZE_MAX / 2);
    json_out_array(call->out, RPC_RESULT);
    for (u32 i = 0; i < block->block.tx_count; i++) {
        buf_reset(&bytes);
        receipt_encode(&bytes, &block->receipts[i]);
        json_out_data(call->out, NULL, bytes.data, bytes.len);
    }
    json_out_array_end(call->out);
    buf_fini(&bytes);
}

static void debug_getRawTransaction(struct rpc_call *call)
{
    hash32 hash;
    u32 index;
    struct buf bytes;
    if (!param_hash(call, 0, &hash))
        return;
    const struct chain_block *block = chain_find_tx(call->chain, &hash, &index);
    const struct tx *tx = block ? &block->block.txs[index] : txpool_get(call->dev->pool, &hash);
    if (!tx) {
        json_out_null(call->out, RPC_RESULT);
        return;
    }
    buf_init(&bytes, SIZE_MAX / 2);
    tx_encode(&bytes, tx);
    json_out_data(call->out, RPC_RESULT, bytes.data, bytes.len);
    buf_fini(&bytes);
}

const struct rpc_method RPC_DEBUG[] = {
    {"debug_getRawBlock", debug_getRawBlock, "block"},
    {"debug_getRawHeader", debug_getRawHeader, "block"},
    {"debug_getRawReceipts", debug_getRawReceipts, "block"},
    {"debug_getRawTransaction", debug_getRawTransaction, "hash"},
    {"debug_traceBlock", debug_traceBlock, "data options?"},
    {"debug_traceBlockByHash", debug_traceBlockByHash, "hash options?"},
    {"debug_traceBlockByNumber", debug_traceBlockByNumber, "block options?"},
    {"debug_traceCall", debug_traceCall, "transaction block? options?"},
    {"debug_traceTransaction", debug_traceTransaction, "hash options?"},
    {NULL, NULL, NULL},
};
