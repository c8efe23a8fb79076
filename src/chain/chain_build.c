/* Making the next block: what a dev engine or a payload builder does. */
#include "base/assert.h"
#include "chain/chain_int.h"
#include "consensus/difficulty.h"
#include "consensus/fee.h"

static enum fork fork_after(const struct chain *chain, const struct chain_block *parent,
                            u64 timestamp)
{
    return chain_config_fork(&chain->config, parent->block.header.number + 1, timestamp,
                             parent->total_difficulty);
}

static u256 difficulty_after(const struct chain *chain, const struct header *parent, enum fork fork,
                             u64 timestamp)
{
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

void chain_header_after(const struct chain *chain, const struct chain_block *parent_block,
                        const struct chain_attributes *attributes, struct header *header)
{
    const struct header *parent = &parent_block->block.header;
    enum fork fork = fork_after(chain, parent_block, attributes->timestamp);
    *header = (struct header){
        .fields = header_fields_of(fork),
        .parent_hash = parent_block->block.hash,
        .ommers_hash = HEADER_NO_OMMERS,
        .coinbase = attributes->coinbase,
        .state_root = parent->state_root,
        .tx_root = HEADER_EMPTY_ROOT,
        .receipts_root = HEADER_EMPTY_ROOT,
        .difficulty = difficulty_after(chain, parent, fork, attributes->timestamp),
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

void chain_next_header(const struct chain *chain, const struct chain_attributes *attributes,
                       struct header *header)
{
    chain_header_after(chain, &chain->head->pub, attributes, header);
}

/* Executes those that can be included; they are copied to the block. */
static void include(struct process *process, struct block *block, const struct tx *txs, u32 count,
                    enum tx_verdict *verdicts)
{
    struct exec_result result;
    block->txs = arena_alloc(process->arena, count * sizeof *block->txs);
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
            tx_copy(tx, &txs[i], process->arena);
            tx->sender = sender;
            tx->has_sender = true;
            block->tx_count++;
        }
        if (verdicts)
            verdicts[i] = verdict;
    }
}

/* Everything is the arena's. */
static enum block_verdict build(struct chain *chain, struct chain_block *built, struct arena *arena,
                                struct state *state, const struct chain_block *parent,
                                const struct chain_attributes *attributes, const struct tx *txs,
                                u32 count, enum tx_verdict *verdicts)
{
    struct process *process = &chain->process;
    struct block *block = &built->block;
    enum fork fork = fork_after(chain, parent, attributes->timestamp);
    chain_header_after(chain, parent, attributes, &block->header);
    block->header.extra = arena_dup(arena, attributes->extra, attributes->extra_len);
    block->has_withdrawals = fork >= FORK_SHANGHAI;
    if (block->has_withdrawals) {
        size_t size = attributes->withdrawal_count * sizeof *attributes->withdrawals;
        block->withdrawals = arena_dup(arena, attributes->withdrawals, size);
        block->withdrawal_count = attributes->withdrawal_count;
    }
    struct evm_block env = process_env(&block->header, fork, &chain->config);
    process_begin(process, state, chain->evm, arena, &chain->config, fork, &env);
    process->exec.block_hash = entry_block_hash;
    process->exec.block_hash_ctx = entry_find(chain, &parent->block.hash);
    chain_visits_begin(chain);
    process_start(process, &block->header.parent_hash, &block->header.parent_beacon_root);
    include(process, block, txs, count, verdicts);
    struct process_end end = {
        .withdrawals = block->withdrawals,
        .withdrawal_count = block->withdrawal_count,
    };
    enum block_verdict verdict = process_finish(process, &end);
    if (verdict != BLOCK_OK)
        return verdict;
    process_seal(process, block);
    built->receipts = process->receipts ? process->receipts : arena_alloc(arena, 0);
    built->requests =
        arena_dup(arena, process->requests, process->request_count * sizeof *process->requests);
    built->request_count = process->request_count;
    u256_add_carry(&built->total_difficulty, parent->total_difficulty, block->header.difficulty);
    return BLOCK_OK;
}

const struct chain_block *chain_build(struct chain *chain,
                                      const struct chain_attributes *attributes,
                                      const struct tx *txs, u32 count, enum tx_verdict *verdicts)
{
    struct entry *entry = entry_new(chain);
    assert(chain->at == chain->head);
    if (build(chain, &entry->pub, &entry->arena, chain->state, &chain->head->pub, attributes, txs,
              count, verdicts) != BLOCK_OK) {
        state_reset(chain->state);
        entry_free(entry);
        return NULL;
    }
    chain_visits_keep(entry);
    entry_commit(entry);
    entry_insert(chain, entry);
    chain->at = entry;
    head_set(chain, entry);
    return &entry->pub;
}

enum block_verdict chain_draft(struct chain *chain, struct chain_block *draft, struct arena *arena,
                               struct state *state, const struct chain_block *parent,
                               const struct chain_attributes *attributes, const struct tx *txs,
                               u32 count, enum tx_verdict *verdicts)
{
    *draft = (struct chain_block){0};
    return build(chain, draft, arena, state, parent, attributes, txs, count, verdicts);
}
