/*
 * ots, erigon: what Otterscan asks besides eth, at API level 8 (docs/custom-jsonrpc.md in otterscan/otterscan, the
 * schemas in otterscan/execution-apis, and where these are silent Erigon's answers).
 */
#include "consensus/reward.h"
#include "rpc/param.h"
#include "rpc/replay.h"
#include "rpc/shape.h"
#include "rpc/view.h"

enum { API_LEVEL = 8, SELECTOR_LEN = 4 };

static void ots_getApiLevel(struct rpc_call *call)
{
    json_out_u64(call->out, RPC_RESULT, API_LEVEL);
}

static void ots_hasCode(struct rpc_call *call)
{
    addr20 addr;
    struct state *state;
    struct block_ref ref;
    if (!param_addr(call, 0, &addr) || !param_loose_any_block(call, 1, &ref) ||
        !view_open(call, &ref, &state))
        return;
    json_out_bool(call->out, RPC_RESULT, state_code(state, &addr).len != 0);
    view_close(call, state);
}

/* --- a transaction ---------------------------------------------------------------------------- */

/* What a failed transaction returned; no bytes for one that succeeded. */
static void ots_getTransactionError(struct rpc_call *call)
{
    u32 index;
    struct replay replay;
    struct exec_result result;
    if (!replay_open_param(call, 0, &replay, &index))
        return;
    replay_tx(&replay, index, &result);
    bool has_failed = result.status != EVM_SUCCESS;
    json_out_data(call->out, RPC_RESULT, result.output, has_failed ? result.output_len : 0);
    view_close(call, replay.state);
}

static void trace_as(struct rpc_call *call, enum trace_ots view)
{
    u32 index;
    struct replay replay;
    if (!replay_open_param(call, 0, &replay, &index))
        return;
    replay_trace(call, RPC_RESULT, &replay, index,
                 trace_new_ots(view, call->rpc->options.answer_max));
    view_close(call, replay.state);
}

static void ots_traceTransaction(struct rpc_call *call)
{
    trace_as(call, TRACE_OTS_CALLS);
}

static void ots_getInternalOperations(struct rpc_call *call)
{
    trace_as(call, TRACE_OTS_OPERATIONS);
}

/* --- a block ---------------------------------------------------------------------------------- */

/* False, with the answer made, when there is none. */
static bool need_block(struct rpc_call *call, const struct block_ref *ref,
                       const struct chain_block **block)
{
    *block = ref->is_pending ? chain_head(call->chain) : ref->block;
    if (!*block)
        json_out_null(call->out, RPC_RESULT);
    return *block != NULL;
}

static void put_issuance(struct rpc_call *call, const struct block *block)
{
    enum fork fork = chain_fork(call->chain, &block->header);
    u256 reward = block->header.number ? reward_block(fork) : U256_ZERO;
    u256 own = reward_sealer(reward, block->ommer_count), ommers = U256_ZERO;
    for (u32 i = 0; i < block->ommer_count; i++)
        ommers =
            u256_add(ommers, reward_ommer(reward, block->header.number, block->ommers[i].number));
    json_out_object(call->out, "issuance");
    json_out_quantity_u256(call->out, "blockReward", own);
    json_out_quantity_u256(call->out, "uncleReward", ommers);
    json_out_quantity_u256(call->out, "issuance", u256_add(own, ommers));
    json_out_object_end(call->out);
}

/* What senders paid for gas, what was burnt of it included. */
static u256 total_fees(const struct chain_block *block)
{
    u256 sum = U256_ZERO;
    for (u32 i = 0; i < block->block.tx_count; i++) {
        const struct receipt *receipt = &block->receipts[i];
        u256 gas = u256_from_u64(receipt->gas_used);
        sum = u256_add(sum, u256_mul(gas, receipt->effective_gas_price));
    }
    return sum;
}

static void put_details(struct rpc_call *call, const struct chain_block *block)
{
    json_out_object(call->out, RPC_RESULT);
    json_out_object(call->out, "block");
    shape_block_summary(call->out, block);
    json_out_object_end(call->out);
    put_issuance(call, &block->block);
    json_out_quantity_u256(call->out, "totalFees", total_fees(block));
    json_out_object_end(call->out);
}

static void ots_getBlockDetails(struct rpc_call *call)
{
    struct block_ref ref;
    const struct chain_block *block;
    if (param_need(call, 0) && param_loose_block(call, 0, &ref) && need_block(call, &ref, &block))
        put_details(call, block);
}

static void ots_getBlockDetailsByHash(struct rpc_call *call)
{
    struct block_ref ref;
    const struct chain_block *block;
    if (param_block_hash(call, 0, &ref) && need_block(call, &ref, &block))
        put_details(call, block);
}

/* Of the call data only the selector is shown. */
static void put_page(struct rpc_call *call, const struct chain_block *block, u32 from, u32 to)
{
    json_out_object(call->out, RPC_RESULT);
    json_out_object(call->out, "fullblock");
    shape_block_summary(call->out, block);
    json_out_array(call->out, "transactions");
    for (u32 i = from; i < to; i++) {
        struct tx tx = block->block.txs[i];
        if (tx.data_len > SELECTOR_LEN)
            tx.data_len = SELECTOR_LEN;
        shape_tx(call->out, NULL, &tx, block, i);
    }
    json_out_array_end(call->out);
    json_out_object_end(call->out);
    json_out_array(call->out, "receipts");
    for (u32 i = from; i < to; i++) {
        json_out_object(call->out, NULL);
        shape_receipt_members(call, block, i, false);
        json_out_object_end(call->out);
    }
    json_out_array_end(call->out);
    json_out_object_end(call->out);
}

/* Page 0 has the block's last transactions, in the block's order. */
static void ots_getBlockTransactions(struct rpc_call *call)
{
    u64 page;
    u32 size;
    struct block_ref ref;
    const struct chain_block *block;
    if (!param_need(call, 0) || !param_loose_block(call, 0, &ref) ||
        !param_loose_u64(call, 1, &page) || !param_page_size(call, 2, &size) ||
        !need_block(call, &ref, &block))
        return;
    u32 count = block->block.tx_count;
    u32 after = page <= count / size ? (u32)page * size : count; /* on the pages before this one */
    u32 to = count - after;
    put_page(call, block, to > size ? to - size : 0, to);
}

/* A header as it stands in a block, without the rest. */
static void erigon_getHeaderByNumber(struct rpc_call *call)
{
    struct block_ref ref;
    const struct chain_block *block;
    if (!param_need(call, 0) || !param_loose_any_block(call, 0, &ref) ||
        !need_block(call, &ref, &block))
        return;
    json_out_object(call->out, RPC_RESULT);
    shape_header_members(call->out, &block->block.header, &block->block.hash);
    json_out_object_end(call->out);
}

const struct rpc_method RPC_OTS[] = {
    {"erigon_getHeaderByNumber", erigon_getHeaderByNumber, "block"},
    {"ots_getApiLevel", ots_getApiLevel, ""},
    {"ots_getBlockDetails", ots_getBlockDetails, "block"},
    {"ots_getBlockDetailsByHash", ots_getBlockDetailsByHash, "hash"},
    {"ots_getBlockTransactions", ots_getBlockTransactions, "block page pageSize"},
    {"ots_getInternalOperations", ots_getInternalOperations, "hash"},
    {"ots_getTransactionError", ots_getTransactionError, "hash"},
    {"ots_hasCode", ots_hasCode, "address block?"},
    {"ots_traceTransaction", ots_traceTransaction, "hash"},
    {NULL, NULL, NULL},
};
