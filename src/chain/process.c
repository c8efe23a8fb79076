#include "chain/process.h"

#include <stdio.h>

#include "chain/dao.h"
#include "chain/senders.h"
#include "consensus/fee.h"
#include "consensus/reward.h"
#include "prim/hex.h"
#include "state/trie.h"

/* EIP-4788 and EIP-2935. */
static const addr20 BEACON_ROOTS = {{0x00, 0x0f, 0x3d, 0xf6, 0xd7, 0x32, 0x80, 0x7e, 0xf1, 0x31,
                                     0x9f, 0xb7, 0xb8, 0xbb, 0x85, 0x22, 0xd0, 0xbe, 0xac, 0x02}};
static const addr20 HISTORY = {{0x00, 0x00, 0xf9, 0x08, 0x27, 0xf1, 0xc5, 0x3a, 0x10, 0xcb,
                                0x7a, 0x02, 0x33, 0x5b, 0x17, 0x53, 0x20, 0x00, 0x29, 0x35}};

void process_begin(struct process *process, struct state *state, struct evm *evm,
                   struct arena *arena, const struct chain_config *config, enum fork fork,
                   const struct evm_block *env)
{
    process->exec_flags = 0;
    process->without_roots = false;
    process->workers = NULL;
    process->arena = arena;
    process->config = config;
    process->receipts = NULL;
    process->receipt_count = process->receipt_cap = 0;
    process->log_count = 0;
    process->request_count = 0;
    memset(&process->bloom, 0, sizeof process->bloom);
    exec_init(&process->exec, state, evm, config, fork, env);
}

void process_start(struct process *process, const hash32 *parent_hash, const hash32 *beacon_root)
{
    struct exec *exec = &process->exec;
    const struct chain_config *config = process->config;
    struct evm_result result;
    if (config->dao_support && exec->block.number == config->dao_block)
        dao_move_ether(exec->state);
    if (exec->fork >= FORK_CANCUN && beacon_root)
        exec_system_call(exec, &BEACON_ROOTS, beacon_root->b, sizeof beacon_root->b, &result);
    if (exec->fork >= FORK_PRAGUE && parent_hash)
        exec_system_call(exec, &HISTORY, parent_hash->b, sizeof parent_hash->b, &result);
}

/* --- transactions ----------------------------------------------------------------------------- */

static struct receipt *receipt_push(struct process *process)
{
    if (process->receipt_count == process->receipt_cap) {
        u32 cap = process->receipt_cap ? 2 * process->receipt_cap : 1; /* a dev block has one */
        struct receipt *grown = arena_alloc(process->arena, cap * sizeof *grown);
        if (process->receipt_count)
            memcpy(grown, process->receipts, process->receipt_count * sizeof *grown);
        process->receipts = grown;
        process->receipt_cap = cap;
    }
    return &process->receipts[process->receipt_count++];
}

/* The state's logs live until the next transaction only; the block's must outlive them. */
static void keep_logs(struct process *process, struct receipt *receipt)
{
    size_t count;
    const struct state_log *found = state_logs(process->exec.state, &count);
    struct log *logs = arena_alloc(process->arena, count * sizeof *logs);
    for (size_t i = 0; i < count; i++) {
        logs[i] = (struct log){
            .addr = found[i].addr,
            .topic_count = found[i].topic_count,
            .data = arena_dup(process->arena, found[i].data, found[i].data_len),
            .data_len = found[i].data_len,
        };
        if (found[i].topic_count)
            memcpy(logs[i].topics, found[i].topics, found[i].topic_count * sizeof(hash32));
        bloom_add_log(&receipt->bloom, &logs[i]);
    }
    receipt->logs = logs;
    receipt->log_count = (u32)count;
    receipt->log_index_base = process->log_count;
    process->log_count += (u32)count;
    if (count)
        bloom_merge(&process->bloom, &receipt->bloom);
}

enum tx_verdict process_tx(struct process *process, const struct tx *tx, struct exec_result *result)
{
    enum tx_verdict verdict = exec_tx(&process->exec, tx, process->exec_flags, result);
    if (verdict != TX_OK)
        return verdict;
    struct receipt *receipt = receipt_push(process);
    *receipt = (struct receipt){
        .type = tx->type,
        .has_root = process->exec.fork < FORK_BYZANTIUM && !process->without_roots, /* EIP-658 */
        .succeeded = result->status == EVM_SUCCESS,
        .cumulative_gas = process->exec.gas_used,
        .gas_used = result->gas_used,
        .blob_gas_used = result->blob_gas_used,
        .effective_gas_price = result->effective_gas_price,
        .has_created = result->has_created,
        .created = result->created,
    };
    if (receipt->has_root)
        state_root(process->exec.state, &receipt->root);
    keep_logs(process, receipt);
    return TX_OK;
}

/* --- the end of the block --------------------------------------------------------------------- */

static void pay_withdrawals(struct process *process, const struct process_end *end)
{
    const u256 gwei = u256_from_u64(1000000000);
    struct state *state = process->exec.state;
    state_begin_tx(state);
    for (u32 i = 0; i < end->withdrawal_count; i++) {
        u256 wei = u256_mul(u256_from_u64(end->withdrawals[i].amount_gwei), gwei);
        state_add_balance(state, &end->withdrawals[i].addr, &wei);
    }
    state_end_tx(state, process->exec.fork);
}

static void pay_rewards(struct process *process, const struct process_end *end)
{
    struct exec *exec = &process->exec;
    u256 reward = end->has_reward ? end->reward : reward_block(exec->fork);
    if (end->no_reward || (exec->fork >= FORK_PARIS && !end->has_reward))
        return;
    state_begin_tx(exec->state);
    for (u32 i = 0; i < end->ommer_count; i++) {
        const struct header *ommer = &end->ommers[i];
        u256 share = reward_ommer(reward, exec->block.number, ommer->number);
        state_add_balance(exec->state, &ommer->coinbase, &share);
    }
    u256 own = reward_sealer(reward, end->ommer_count);
    state_add_balance(exec->state, &exec->block.coinbase, &own);
    state_end_tx(exec->state, exec->fork);
}

static void request_push(struct process *process, const struct request *request)
{
    if (request->len) /* EIP-7685: those without data are left out */
        process->requests[process->request_count++] = *request;
}

/* EIP-7002 and EIP-7251: the contract must be there and must not fail. */
static enum block_verdict request_call(struct process *process, u8 type, const addr20 *contract)
{
    struct evm_result result;
    struct exec *exec = &process->exec;
    if (!state_code(exec->state, contract).len)
        return BLOCK_SYSTEM_CALL;
    exec_system_call(exec, contract, NULL, 0, &result);
    if (result.status != EVM_SUCCESS)
        return BLOCK_SYSTEM_CALL;
    const u8 *data = arena_dup(process->arena, result.output, result.output_len);
    request_push(process, &(struct request){type, data, result.output_len});
    return BLOCK_OK;
}

static enum block_verdict collect_requests(struct process *process)
{
    struct request deposits;
    enum block_verdict verdict =
        request_deposits(&deposits, process->arena, process->receipts, process->receipt_count,
                         &process->config->deposit_contract);
    if (verdict != BLOCK_OK)
        return verdict;
    request_push(process, &deposits);
    verdict = request_call(process, REQUEST_WITHDRAWAL, &REQUEST_WITHDRAWAL_CONTRACT);
    if (verdict == BLOCK_OK)
        verdict = request_call(process, REQUEST_CONSOLIDATION, &REQUEST_CONSOLIDATION_CONTRACT);
    return verdict;
}

enum block_verdict process_finish(struct process *process, const struct process_end *end)
{
    enum block_verdict verdict = BLOCK_OK;
    if (process->exec.fork >= FORK_SHANGHAI)
        pay_withdrawals(process, end);
    if (process->exec.fork >= FORK_PRAGUE)
        verdict = collect_requests(process);
    if (verdict == BLOCK_OK)
        pay_rewards(process, end);
    return verdict;
}

/* --- roots ------------------------------------------------------------------------------------ */

typedef void encode_fn(struct buf *out, const void *list, u32 index);

static void encode_tx_at(struct buf *out, const void *list, u32 index)
{
    tx_encode(out, (const struct tx *)list + index);
}

static void encode_receipt_at(struct buf *out, const void *list, u32 index)
{
    receipt_encode(out, (const struct receipt *)list + index);
}

static void encode_withdrawal_at(struct buf *out, const void *list, u32 index)
{
    withdrawal_encode(out, (const struct withdrawal *)list + index);
}

static hash32 list_root(const void *list, u32 count, encode_fn *encode)
{
    if (!count)
        return HEADER_EMPTY_ROOT;
    hash32 root;
    struct arena scratch;
    struct buf bytes;
    arena_init(&scratch);
    buf_init(&bytes, SIZE_MAX / 2);
    const u8 **items = arena_alloc(&scratch, count * sizeof *items);
    size_t *lens = arena_alloc(&scratch, count * sizeof *lens);
    for (u32 i = 0; i < count; i++) {
        size_t before = bytes.len;
        encode(&bytes, list, i);
        lens[i] = bytes.len - before;
    }
    const u8 *at = bytes.data;
    for (u32 i = 0; i < count; at += lens[i++])
        items[i] = at;
    trie_root_list(&root, items, lens, count, &scratch);
    buf_fini(&bytes);
    arena_fini(&scratch);
    return root;
}

hash32 process_receipts_root(const struct receipt *receipts, u32 count)
{
    return list_root(receipts, count, encode_receipt_at);
}

hash32 process_tx_root(const struct tx *txs, u32 count)
{
    return list_root(txs, count, encode_tx_at);
}

hash32 process_withdrawals_root(const struct withdrawal *withdrawals, u32 count)
{
    return list_root(withdrawals, count, encode_withdrawal_at);
}

void process_seal(struct process *process, struct block *block)
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
    block_seal(block);
}

/* --- whole blocks ----------------------------------------------------------------------------- */

struct evm_block process_env(const struct header *header, enum fork fork,
                             const struct chain_config *config)
{
    struct evm_block env = {
        .coinbase = header->coinbase,
        .number = header->number,
        .timestamp = header->timestamp,
        .gas_limit = header->gas_limit,
        .difficulty = header->difficulty,
        .prev_randao = header->mix_hash,
        .base_fee = header->base_fee,
    };
    const struct blob_params *blobs = chain_config_blob_params(config, header->timestamp);
    if (fork >= FORK_CANCUN && blobs)
        env.blob_base_fee = fee_blob_base(header->excess_blob_gas, blobs->update_fraction);
    return env;
}

static void report_number(struct chain_report *report, const char *what, u64 header, u64 found)
{
    if (report)
        snprintf(report->text, sizeof report->text, "%s: the header has %llu, execution gives %llu",
                 what, (unsigned long long)header, (unsigned long long)found);
}

static bool same_hash(struct chain_report *report, const char *what, const hash32 *header,
                      const hash32 *found)
{
    if (hash32_eq(header, found))
        return true;
    if (report) {
        char a[67], b[67];
        hex_encode(a, header->b, sizeof header->b);
        hex_encode(b, found->b, sizeof found->b);
        snprintf(report->text, sizeof report->text, "%s: the header has %s, the block gives %s",
                 what, a, b);
    }
    return false;
}

static enum block_verdict check_lists(const struct block *block, struct chain_report *report)
{
    const struct header *header = &block->header;
    hash32 txs = process_tx_root(block->txs, block->tx_count);
    if (!same_hash(report, "transactions root", &header->tx_root, &txs))
        return BLOCK_TX_ROOT;
    if (header->fields < HEADER_FIELDS_SHANGHAI)
        return BLOCK_OK;
    hash32 root = process_withdrawals_root(block->withdrawals, block->withdrawal_count);
    if (!same_hash(report, "withdrawals root", &header->withdrawals_root, &root))
        return BLOCK_WITHDRAWALS_ROOT;
    return BLOCK_OK;
}

static enum block_verdict run_txs(struct process *process, struct block *block,
                                  struct chain_report *report)
{
    struct exec_result result;
    for (u32 i = 0; i < block->tx_count; i++) {
        struct tx *tx = &block->txs[i];
        enum tx_verdict verdict = tx_check_type(tx, process->exec.fork);
        if (verdict == TX_OK)
            verdict = tx_recover(tx, process->exec.fork, process->config->chain_id);
        if (verdict == TX_OK)
            verdict = process_tx(process, tx, &result);
        if (verdict == TX_OK)
            continue;
        if (report) {
            report->tx_verdict = verdict;
            report->tx_index = i;
            snprintf(report->text, sizeof report->text, "transaction %u: %s", i,
                     tx_verdict_text(verdict));
        }
        return BLOCK_TX;
    }
    return BLOCK_OK;
}

static enum block_verdict check_outcome(struct process *process, const struct header *header,
                                        struct chain_report *report)
{
    hash32 root;
    if (header->gas_used != process->exec.gas_used) {
        report_number(report, "gas used", header->gas_used, process->exec.gas_used);
        return BLOCK_GAS_USED;
    }
    if (memcmp(&header->logs_bloom, &process->bloom, sizeof process->bloom) != 0)
        return BLOCK_LOGS_BLOOM;
    root = process_receipts_root(process->receipts, process->receipt_count);
    if (!same_hash(report, "receipts root", &header->receipts_root, &root))
        return BLOCK_RECEIPTS_ROOT;
    if (process->exec.fork >= FORK_PRAGUE) {
        root = request_list_hash(process->requests, process->request_count);
        if (!same_hash(report, "requests hash", &header->requests_hash, &root))
            return BLOCK_REQUESTS_HASH;
    }
    state_root(process->exec.state, &root);
    return same_hash(report, "state root", &header->state_root, &root) ? BLOCK_OK
                                                                       : BLOCK_STATE_ROOT;
}

static enum block_verdict run(struct process *process, struct block *block,
                              struct chain_report *report)
{
    const struct header *header = &block->header;
    enum block_verdict verdict = check_lists(block, report);
    if (verdict != BLOCK_OK)
        return verdict;
    process_start(process, &header->parent_hash, &header->parent_beacon_root);
    senders_find(block, process->exec.fork, process->config->chain_id, process->workers);
    verdict = run_txs(process, block, report);
    if (verdict != BLOCK_OK)
        return verdict;
    struct process_end end = {
        .withdrawals = block->withdrawals,
        .withdrawal_count = block->withdrawal_count,
        .ommers = block->ommers,
        .ommer_count = block->ommer_count,
    };
    verdict = process_finish(process, &end);
    return verdict == BLOCK_OK ? check_outcome(process, header, report) : verdict;
}

enum block_verdict process_block(struct process *process, struct block *block,
                                 struct chain_report *report)
{
    if (report)
        *report = (struct chain_report){0};
    enum block_verdict verdict = run(process, block, report);
    if (verdict != BLOCK_OK && report && !report->text[0])
        snprintf(report->text, sizeof report->text, "%s", block_verdict_text(verdict));
    return verdict;
}
