#include "rpc/replay.h"

#include "rpc/param.h"
#include "rpc/view.h"

bool replay_open(struct rpc_call *call, struct replay *replay, const struct chain_block *block)
{
    const struct header *header = &block->block.header;
    const struct chain_block *parent =
        header->number ? chain_header_by_number(call->chain, header->number - 1) : NULL;
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

/* Runs the block's transaction at index, which did run before; on a state that is damaged it may not now. */
void replay_tx(struct replay *replay, u32 index, struct exec_result *result)
{
    *result = (struct exec_result){0};
    enum tx_verdict verdict =
        exec_tx(&replay->process.exec, &replay->block->block.txs[index], 0, result);
    (void)verdict;
    replay->log_index += replay->block->receipts[index].log_count;
}

bool replay_open_tx(struct rpc_call *call, struct replay *replay, const struct chain_block *block,
                    u32 index)
{
    struct exec_result result;
    if (!replay_open(call, replay, block))
        return false;
    for (u32 before = 0; before < index; before++) {
        if (!rpc_goes_on(call)) {
            view_close(call, replay->state);
            return false;
        }
        replay_tx(replay, before, &result);
    }
    return true;
}

bool replay_open_param(struct rpc_call *call, u32 i, struct replay *replay, u32 *index)
{
    hash32 hash;
    if (!param_hash(call, i, &hash))
        return false;
    const struct chain_block *block = chain_find_tx(call->chain, &hash, index);
    if (!block) {
        rpc_fail(call, RPC_SERVER_ERROR, "transaction not found");
        return false;
    }
    return replay_open_tx(call, replay, block, *index);
}

/* --- watched ---------------------------------------------------------------------------------- */

/* EIP-7702: the accounts that agreed, for tracers that show what a transaction reads. */
static void list_authorities(struct rpc_call *call, const struct tx *tx, struct trace_tx *about)
{
    enum { AUTHORIZATION_GAS = 25000 };
    /* One that has not the gas for all of them does not run. */
    u32 given =
        tx->authorization_count <= tx->gas / AUTHORIZATION_GAS ? tx->authorization_count : 0;
    addr20 *list = arena_alloc(call->arena, given * sizeof *list);
    size_t count = 0;
    for (u32 i = 0; i < given; i++)
        count += authorization_recover(&tx->authorizations[i], &list[count]);
    about->authorities = list;
    about->authority_count = count;
}

void trace_start(struct rpc_call *call, struct trace *trace, struct exec *exec, const struct tx *tx,
                 struct trace_tx *about)
{
    about->fork = exec->fork;
    about->from = tx->sender;
    about->to = tx->to;
    about->is_create = tx->is_create;
    about->gas_limit = tx->gas;
    about->coinbase = exec->block.coinbase;
    list_authorities(call, tx, about);
    trace_begin(trace, &exec->host, about);
    evm_set_tracer(exec->evm, trace_hooks(trace));
}

bool trace_stop(struct rpc_call *call, const char *key, struct trace *trace, struct exec *exec,
                u64 gas_used)
{
    evm_set_tracer(exec->evm, NULL);
    trace_end(trace, gas_used);
    bool fits = trace_result(call->out, key, trace);
    trace_free(trace);
    return fits || rpc_fail(call, RPC_RESPONSE_TOO_LARGE, "the trace is larger than %u bytes",
                            call->rpc->options.answer_max);
}

void trace_drop(struct trace *trace, struct exec *exec)
{
    evm_set_tracer(exec->evm, NULL);
    trace_free(trace);
}

bool replay_trace(struct rpc_call *call, const char *key, struct replay *replay, u32 index,
                  struct trace *trace)
{
    struct exec_result result;
    struct exec *exec = &replay->process.exec;
    const struct tx *tx = &replay->block->block.txs[index];
    struct trace_tx about = {
        .log_index = replay->log_index,
        .block_hash = &replay->block->block.hash,
        .hash = &tx->hash,
        .block_number = replay->block->block.header.number,
        .index = index,
    };
    trace_start(call, trace, exec, tx, &about);
    replay_tx(replay, index, &result);
    return trace_stop(call, key, trace, exec, result.gas_used);
}
