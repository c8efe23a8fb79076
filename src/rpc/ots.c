/* ots, erigon: what Otterscan asks besides eth (docs/custom-jsonrpc.md in otterscan/otterscan). */
#include "rpc/param.h"
#include "rpc/replay.h"
#include "rpc/shape.h"
#include "rpc/view.h"

static void ots_hasCode(struct rpc_call *call)
{
    addr20 addr;
    struct state *state;
    if (!param_addr(call, 0, &addr) || !view_open_param(call, 1, &state))
        return;
    json_out_bool(call->out, RPC_RESULT, state_code(state, &addr).len != 0);
    view_close(call, state);
}

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

static void ots_getTransactionBySenderAndNonce(struct rpc_call *call)
{
    addr20 sender;
    u64 nonce;
    u32 index;
    if (!param_addr(call, 0, &sender) || !param_loose_u64(call, 1, &nonce))
        return;
    const struct chain_block *block = view_find_by_nonce(call, &sender, nonce, &index);
    if (block)
        json_out_hash(call->out, RPC_RESULT, &block->block.txs[index].hash);
    else
        json_out_null(call->out, RPC_RESULT);
}

const struct rpc_method RPC_OTS[] = {
    {"ots_getTransactionBySenderAndNonce", ots_getTransactionBySenderAndNonce, "address nonce"},
    {"ots_getTransactionError", ots_getTransactionError, "hash"},
    {"ots_hasCode", ots_hasCode, "address block?"},
    {NULL, NULL, NULL},
};
