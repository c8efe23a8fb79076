#include "rpc/replay.h"

#include "rpc/param.h"
#include "rpc/view.h"

bool replay_open(struct rpc_call *call, struct replay *replay, const struct chain_block *block)
{
    const struct header *header = &block->block.header;
    const struct chain_block *parent =
        header->number ? chain_by_number(call->chain, header->number - 1) : NULL;
    if (!header->number)
        return rpc_fail(call, RPC_SERVER_ERROR, "genesis is not traceable");
    struct block_ref ref = {.block = parent};
    if (!view_open(call, &ref, &replay->state))
        return false;
    replay->block = block;
    replay->log_index = 0;
    struct exec exec;
    struct process *process = &replay->process;
    chain_exec_init(call->chain, &exec, replay->state, header);
    process_begin(process, replay->state, exec.evm, call->arena, chain_config(call->chain),
                  exec.fork, &exec.block);
    process->exec.block_hash = exec.block_hash;
    process->exec.block_hash_ctx = exec.block_hash_ctx;
    process_start(process, &header->parent_hash, &header->parent_beacon_root);
    return true;
}

/* Runs the block's transaction at index, which did run before. */
void replay_tx(struct replay *replay, u32 index, struct exec_result *result)
{
    enum tx_verdict verdict =
        exec_tx(&replay->process.exec, &replay->block->block.txs[index], 0, result);
    (void)verdict;
    replay->log_index += replay->block->receipts[index].log_count;
}

bool replay_open_param(struct rpc_call *call, u32 i, struct replay *replay, u32 *index)
{
    hash32 hash;
    struct exec_result result;
    if (!param_hash(call, i, &hash))
        return false;
    const struct chain_block *block = chain_find_tx(call->chain, &hash, index);
    if (!block) {
        rpc_fail(call, RPC_SERVER_ERROR, "transaction not found");
        return false;
    }
    if (!replay_open(call, replay, block))
        return false;
    for (u32 before = 0; before < *index; before++)
        replay_tx(replay, before, &result);
    return true;
}
