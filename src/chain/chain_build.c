/* Making the next block: what a dev engine or a payload builder does. */
#include "base/assert.h"
#include "chain/chain_int.h"
#include "consensus/difficulty.h"
#include "consensus/fee.h"

static enum fork next_fork(const struct chain *chain, u64 timestamp)
{
    return chain_config_fork(&chain->config, chain->head->pub.block.header.number + 1, timestamp,
                             chain->head->pub.total_difficulty);
}

static u256 next_difficulty(const struct chain *chain, enum fork fork, u64 timestamp)
{
    const struct header *parent = &chain->head->pub.block.header;
    if (fork >= FORK_PARIS)
        return U256_ZERO;
    struct difficulty_parent before = {
        .difficulty = parent->difficulty,
        .timestamp = parent->timestamp,
        .has_ommers = !hash32_eq(&parent->ommers_hash, &HEADER_NO_OMMERS),
    };
    u64 delay = chain_config_bomb_delay(&chain->config, parent->number + 1);
    return difficulty_next(fork, delay, parent->number + 1, timestamp, &before);
}

void chain_next_header(const struct chain *chain, const struct chain_attributes *attributes,
                       struct header *header)
{
    const struct header *parent = &chain->head->pub.block.header;
    enum fork fork = next_fork(chain, attributes->timestamp);
    *header = (struct header){
        .fields = header_fields_of(fork),
        .parent_hash = chain->head->pub.block.hash,
        .ommers_hash = HEADER_NO_OMMERS,
        .coinbase = attributes->coinbase,
        .state_root = parent->state_root,
        .tx_root = HEADER_EMPTY_ROOT,
        .receipts_root = HEADER_EMPTY_ROOT,
        .difficulty = next_difficulty(chain, fork, attributes->timestamp),
        .number = parent->number + 1,
        .gas_limit = attributes->gas_limit,
        .timestamp = attributes->timestamp,
        .extra = attributes->extra,
        .extra_len = attributes->extra_len,
        .mix_hash = attributes->prev_randao,
        .withdrawals_root = HEADER_EMPTY_ROOT,
        .parent_beacon_root = attributes->parent_beacon_root,
        .requests_hash = HEADER_NO_REQUESTS,
    };
    if (fork >= FORK_LONDON)
        header->base_fee = attributes->has_base_fee ? attributes->base_fee
                                                    : fee_base_after(parent, &chain->config);
    const struct blob_params *blobs =
        chain_config_blob_params(&chain->config, attributes->timestamp);
    if (fork >= FORK_CANCUN && blobs)
        header->excess_blob_gas = fee_excess_blob_gas(fork, blobs, parent->excess_blob_gas,
                                                      parent->blob_gas_used, parent->base_fee);
}

/* Executes those that can be included; they are copied to the block. */
static void include(struct process *process, struct entry *entry, const struct tx *txs, u32 count,
                    enum tx_verdict *verdicts)
{
    struct block *block = &entry->pub.block;
    struct exec_result result;
    block->txs = arena_alloc(&entry->arena, count * sizeof *block->txs);
    for (u32 i = 0; i < count; i++) {
        struct tx *tx = &block->txs[block->tx_count];
        *tx = txs[i];
        enum tx_verdict verdict = tx_check_type(tx, process->exec.fork);
        if (verdict == TX_OK)
            verdict = tx_recover(tx, process->exec.fork, process->config->chain_id);
        if (verdict == TX_OK)
            verdict = process_tx(process, tx, &result);
        if (verdict == TX_OK) {
            addr20 sender = tx->sender;
            tx_copy(tx, &txs[i], &entry->arena);
            tx->sender = sender;
            tx->has_sender = true;
            block->tx_count++;
        }
        if (verdicts)
            verdicts[i] = verdict;
    }
}

static void fill_header(struct process *process, struct block *block)
{
    struct header *header = &block->header;
    header->gas_used = process->exec.gas_used;
    header->blob_gas_used = process->exec.blob_gas_used;
    header->logs_bloom = process->bloom;
    header->tx_root = process_tx_root(block->txs, block->tx_count);
    header->receipts_root = process_receipts_root(process->receipts, process->receipt_count);
    if (block->has_withdrawals)
        header->withdrawals_root =
            process_withdrawals_root(block->withdrawals, block->withdrawal_count);
    header->requests_hash = request_list_hash(process->requests, process->request_count);
    state_root(process->exec.state, &header->state_root);
}

static void keep(struct chain *chain, struct entry *entry)
{
    struct process *process = &chain->process;
    entry->pub.receipts = process->receipts ? process->receipts : arena_alloc(&entry->arena, 0);
    entry->pub.requests = arena_dup(&entry->arena, process->requests,
                                    process->request_count * sizeof *process->requests);
    entry->pub.request_count = process->request_count;
    u256_add_carry(&entry->pub.total_difficulty, chain->head->pub.total_difficulty,
                   entry->pub.block.header.difficulty);
    block_seal(&entry->pub.block);
    entry_commit(entry);
    entry_insert(chain, entry);
    chain->at = entry;
    head_set(chain, entry);
}

const struct chain_block *chain_build(struct chain *chain,
                                      const struct chain_attributes *attributes,
                                      const struct tx *txs, u32 count, enum tx_verdict *verdicts)
{
    struct process *process = &chain->process;
    struct entry *entry = entry_new(chain);
    struct block *block = &entry->pub.block;
    enum fork fork = next_fork(chain, attributes->timestamp);
    assert(chain->at == chain->head);
    chain_next_header(chain, attributes, &block->header);
    block->header.extra = arena_dup(&entry->arena, attributes->extra, attributes->extra_len);
    block->has_withdrawals = fork >= FORK_SHANGHAI;
    if (block->has_withdrawals) {
        size_t size = attributes->withdrawal_count * sizeof *attributes->withdrawals;
        block->withdrawals = arena_dup(&entry->arena, attributes->withdrawals, size);
        block->withdrawal_count = attributes->withdrawal_count;
    }
    struct evm_block env = process_env(&block->header, fork, &chain->config);
    process_begin(process, chain->state, chain->evm, &entry->arena, &chain->config, fork, &env);
    process->exec.block_hash = entry_block_hash;
    process->exec.block_hash_ctx = chain->head;
    process_start(process, &block->header.parent_hash, &block->header.parent_beacon_root);
    include(process, entry, txs, count, verdicts);
    struct process_end end = {
        .withdrawals = block->withdrawals,
        .withdrawal_count = block->withdrawal_count,
    };
    if (process_finish(process, &end) != BLOCK_OK) {
        state_reset(chain->state);
        entry_free(entry);
        return NULL;
    }
    fill_header(process, block);
    keep(chain, entry);
    return &entry->pub;
}
