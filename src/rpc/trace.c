/*
 * trace: a transaction's calls, what it changed, and its instructions, as OpenEthereum's trace module has them; where
 * clients differ, as Erigon answers, which explorers ask (a revert is "Reverted", other errors are in geth's words; calls
 * of precompiles are shown if they come with value; what is not found is null). But trace_get takes a path, as it is
 * documented, where Erigon counts along the list.
 */
#include <string.h>

#include "consensus/reward.h"
#include "rpc/param.h"
#include "rpc/replay.h"
#include "rpc/view.h"

/* --- calls, each with its place in the chain --------------------------------------------------- */

/* Stands before the transaction of the first parameter. False with the answer made, null if there is none. */
static bool open_tx(struct rpc_call *call, struct replay *replay, u32 *index)
{
    hash32 hash;
    if (!param_hash(call, 0, &hash))
        return false;
    const struct chain_block *block = chain_find_tx(call->chain, &hash, index);
    if (!block)
        json_out_null(call->out, RPC_RESULT);
    return block && replay_open_tx(call, replay, block, *index);
}

static void trace_transaction(struct rpc_call *call)
{
    u32 index;
    struct replay replay;
    if (!open_tx(call, &replay, &index))
        return;
    json_out_array(call->out, RPC_RESULT);
    replay_trace(call, RPC_RESULT, &replay, index, trace_new_filed(call->rpc->options.answer_max));
    json_out_array_end(call->out);
    view_close(call, replay.state);
}

static bool param_path(struct rpc_call *call, size_t at, u32 path[TRACE_PATH_MAX], size_t *len)
{
    json list = param_need(call, at);
    if (!list)
        return false;
    *len = json_count(list);
    if (json_kind(list) != JSON_KIND_ARRAY || *len > TRACE_PATH_MAX)
        return rpc_fail(call, RPC_INVALID_PARAMS,
                        "invalid argument %zu: a list of at most %d places was expected", at,
                        TRACE_PATH_MAX);
    for (size_t i = 0; i < *len; i++) {
        u64 place;
        if (!value_u64(call, json_at(list, i), "place", &place))
            return false;
        path[i] = place < UINT32_MAX ? (u32)place : UINT32_MAX; /* nobody makes that many calls */
    }
    return true;
}

static void trace_get(struct rpc_call *call)
{
    u32 index, path[TRACE_PATH_MAX];
    size_t len;
    struct replay replay;
    if (!param_path(call, 1, path, &len) || !open_tx(call, &replay, &index))
        return;
    replay_trace(call, RPC_RESULT, &replay, index,
                 trace_new_filed_one(path, len, call->rpc->options.answer_max));
    view_close(call, replay.state);
}

static void put_reward(struct rpc_call *call, const struct block *block, const char *type,
                       const addr20 *author, u256 wei)
{
    struct buf *out = call->out;
    json_out_object(out, NULL);
    json_out_object(out, "action");
    json_out_addr(out, "author", author);
    json_out_text(out, "rewardType", type);
    json_out_quantity_u256(out, "value", wei);
    json_out_object_end(out);
    json_out_hash(out, "blockHash", &block->hash);
    json_out_u64(out, "blockNumber", block->header.number);
    json_out_null(out, "result");
    json_out_u64(out, "subtraces", 0);
    json_out_array(out, "traceAddress");
    json_out_array_end(out);
    json_out_text(out, "type", "reward");
    json_out_object_end(out);
}

/* Of a mined block; its transactions' calls come before. */
static void put_rewards(struct rpc_call *call, const struct block *block)
{
    u64 number = block->header.number;
    u256 reward = number ? reward_block(chain_fork(call->chain, &block->header)) : U256_ZERO;
    if (u256_is_zero(reward))
        return;
    put_reward(call, block, "block", &block->header.coinbase,
               reward_sealer(reward, block->ommer_count));
    for (u32 i = 0; i < block->ommer_count; i++)
        put_reward(call, block, "uncle", &block->ommers[i].coinbase,
                   reward_ommer(reward, number, block->ommers[i].number));
}

/* What is made of a block's transactions one after another: one trace each. */
typedef struct trace *make_trace_fn(struct rpc_call *call, unsigned what);

static bool put_each(struct rpc_call *call, const struct chain_block *block, make_trace_fn *make,
                     unsigned what)
{
    struct replay replay;
    if (!block->block.tx_count)
        return true;
    if (!replay_open(call, &replay, block))
        return false;
    for (u32 i = 0; i < block->block.tx_count && !call->out->full; i++) {
        if (!rpc_goes_on(call) || !replay_trace(call, NULL, &replay, i, make(call, what)))
            break;
    }
    view_close(call, replay.state);
    return !rpc_failed(call);
}

static bool need_block(struct rpc_call *call, const struct chain_block **block)
{
    struct block_ref ref;
    if (!param_need(call, 0) || !param_loose_block(call, 0, &ref))
        return false;
    *block = ref.is_pending ? chain_head(call->chain) : ref.block;
    return *block || view_no_block(call);
}

static struct trace *make_filed(struct rpc_call *call, unsigned what)
{
    (void)what;
    return trace_new_filed(call->rpc->options.answer_max);
}

static void trace_block(struct rpc_call *call)
{
    const struct chain_block *block;
    if (!need_block(call, &block))
        return;
    json_out_array(call->out, RPC_RESULT);
    if (put_each(call, block, make_filed, 0))
        put_rewards(call, &block->block);
    json_out_array_end(call->out);
}

/* --- replays ----------------------------------------------------------------------------------- */

static bool add_view(struct rpc_call *call, json value, unsigned *what)
{
    static const struct {
        const char *name;
        enum trace_replay bit;
    } views[] = {
        {"trace", TRACE_REPLAY_CALLS},
        {"stateDiff", TRACE_REPLAY_STATE},
        {"vmTrace", TRACE_REPLAY_VM},
    };
    const char *name = json_text(value);
    for (size_t i = 0; name && i < ARRAY_LEN(views); i++) {
        if (strcmp(views[i].name, name) == 0) {
            *what |= views[i].bit;
            return true;
        }
    }
    return rpc_fail(call, RPC_INVALID_PARAMS,
                    "unrecognized trace type: %.40s (there are trace, stateDiff and vmTrace)",
                    name ? name : json_kind_name(json_kind(value)));
}

static bool param_views(struct rpc_call *call, size_t at, unsigned *what)
{
    json list = param_need(call, at);
    *what = 0;
    if (!list)
        return false;
    if (json_kind(list) != JSON_KIND_ARRAY)
        return rpc_fail(call, RPC_INVALID_PARAMS,
                        "invalid argument %zu: %s where a list of trace types was expected", at,
                        json_kind_name(json_kind(list)));
    struct json_iter iter = json_iter(list);
    while (json_next(&iter))
        if (!add_view(call, iter.value, what))
            return false;
    return true;
}

static struct trace *make_replay(struct rpc_call *call, unsigned what)
{
    return trace_new_replay(what, call->rpc->options.answer_max);
}

static void trace_replayTransaction(struct rpc_call *call)
{
    u32 index;
    unsigned what;
    struct replay replay;
    if (!param_views(call, 1, &what) || !open_tx(call, &replay, &index))
        return;
    replay_trace(call, RPC_RESULT, &replay, index, make_replay(call, what));
    view_close(call, replay.state);
}

static void trace_replayBlockTransactions(struct rpc_call *call)
{
    unsigned what;
    const struct chain_block *block;
    if (!need_block(call, &block) || !param_views(call, 1, &what))
        return;
    json_out_array(call->out, RPC_RESULT);
    put_each(call, block, make_replay, what);
    json_out_array_end(call->out);
}

const struct rpc_method RPC_TRACE[] = {
    {"trace_block", trace_block, "block"},
    {"trace_get", trace_get, "hash path"},
    {"trace_replayBlockTransactions", trace_replayBlockTransactions, "block traceTypes"},
    {"trace_replayTransaction", trace_replayTransaction, "hash traceTypes"},
    {"trace_transaction", trace_transaction, "hash"},
    {NULL, NULL, NULL},
};
