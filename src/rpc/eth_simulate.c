/*
 * eth_simulateV1: blocks of messages on top of the head, none of which happens. Source: execution-apis, and its
 * notes on simulateV1 for error codes.
 */
#include <string.h>

#include "chain/process.h"
#include "consensus/fee.h"
#include "evm/tracer.h"
#include "rpc/overrides.h"
#include "rpc/param.h"
#include "rpc/run.h"
#include "rpc/shape.h"

enum {
    BLOCKS_MAX = 256,
    CALLS_MAX = 5000,
    BLOCK_SECONDS = 12, /* between blocks whose time is not given */
    ERROR_NONCE_LOW = -38010,
    ERROR_NONCE_HIGH = -38011,
    ERROR_BASE_FEE = -38012,
    ERROR_INTRINSIC_GAS = -38013,
    ERROR_FUNDS = -38014,
    ERROR_BLOCK_GAS = -38015,
    ERROR_NUMBER = -38020,
    ERROR_TIMESTAMP = -38021,
    ERROR_SENDER = -38024,
    ERROR_INITCODE = -38025,
    ERROR_BLOCKS = -38026,
    ERROR_VM = -32015,
};

/* --- transfers as logs ---------------------------------------------------------------------- */

/* Moves of ether are shown as ERC-20's Transfer of a token at this address. */
static const addr20 ETHER = {{0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee,
                              0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee}};
/* keccak256("Transfer(address,address,uint256)") */
static const hash32 TRANSFER = {{0xdd, 0xf2, 0x52, 0xad, 0x1b, 0xe2, 0xc8, 0x9b, 0x69, 0xc2, 0xb0,
                                 0x68, 0xfc, 0x37, 0x8d, 0xaa, 0x95, 0x2b, 0xa7, 0xf1, 0x63, 0xc4,
                                 0xa1, 0x16, 0x28, 0xf5, 0x5a, 0x4d, 0xf5, 0x23, 0xb3, 0xef}};

/* Collects logs, real ones and those of transfers; what a frame that fails has added is dropped. */
struct collector {
    struct arena *arena;
    struct log *logs;
    u32 count, cap;
    u32 marks[1100]; /* per depth: how many there were when the frame began */
    u32 depth;
};

static struct log *collect(struct collector *collector)
{
    if (collector->count == collector->cap) {
        u32 cap = collector->cap ? 2 * collector->cap : 16;
        struct log *logs = arena_alloc(collector->arena, cap * sizeof *logs);
        if (collector->count)
            memcpy(logs, collector->logs, collector->count * sizeof *logs);
        collector->logs = logs;
        collector->cap = cap;
    }
    return &collector->logs[collector->count++];
}

static hash32 padded(const addr20 *addr)
{
    hash32 word = {{0}};
    memcpy(word.b + 12, addr->b, sizeof addr->b);
    return word;
}

static void collect_transfer(struct collector *collector, const addr20 *from, const addr20 *to,
                             const u256 *wei)
{
    hash32 amount = u256_to_hash(*wei);
    if (u256_is_zero(*wei))
        return;
    struct log *log = collect(collector);
    *log = (struct log){.addr = ETHER, .topic_count = 3};
    log->topics[0] = TRANSFER;
    log->topics[1] = padded(from);
    log->topics[2] = padded(to);
    log->data = arena_dup(collector->arena, amount.b, sizeof amount.b);
    log->data_len = sizeof amount.b;
}

static void on_enter(void *ctx, const struct evm_msg *msg)
{
    struct collector *collector = ctx;
    if (collector->depth < ARRAY_LEN(collector->marks))
        collector->marks[collector->depth] = collector->count;
    collector->depth++;
    bool moves = msg->kind == EVM_CALL || msg->kind == EVM_CREATE || msg->kind == EVM_CREATE2;
    if (moves)
        collect_transfer(collector, &msg->sender, &msg->recipient, &msg->value);
}

static void on_exit_frame(void *ctx, const struct evm_msg *msg, const struct evm_result *result)
{
    struct collector *collector = ctx;
    (void)msg;
    collector->depth--;
    if (result->status != EVM_SUCCESS && collector->depth < ARRAY_LEN(collector->marks))
        collector->count = collector->marks[collector->depth];
}

static void on_selfdestruct(void *ctx, const addr20 *addr, const addr20 *beneficiary,
                            const u256 *wei, u16 depth)
{
    (void)depth;
    collect_transfer(ctx, addr, beneficiary, wei);
}

static void on_log(void *ctx, const addr20 *addr, const hash32 *topics, unsigned topic_count,
                   const u8 *data, size_t len, u16 depth)
{
    struct collector *collector = ctx;
    (void)depth;
    struct log *log = collect(collector);
    *log = (struct log){.addr = *addr, .topic_count = topic_count, .data_len = len};
    if (topic_count)
        memcpy(log->topics, topics, topic_count * sizeof *topics);
    log->data = arena_dup(collector->arena, data, len);
}

/* --- the simulation ------------------------------------------------------------------------- */

/* How one message ended. */
struct outcome {
    struct exec_result result; /* output is the arena's */
    const struct log *logs;    /* with those of transfers, if they are wanted */
    u32 log_count;
};

struct simulation {
    struct rpc_call *call;
    struct state *state;
    struct process process;
    bool validates, traces_transfers, whole_txs;
    u64 gas_left; /* for all blocks together */
    /* The blocks so far, the newest last; hashes for BLOCKHASH and parents. */
    struct chain_block *blocks;
    u32 block_count;
};

static hash32 block_hash_of(void *ctx, u64 number)
{
    struct simulation *sim = ctx;
    for (u32 i = sim->block_count; i > 0; i--)
        if (sim->blocks[i - 1].block.header.number == number)
            return sim->blocks[i - 1].block.hash;
    const struct chain_block *block = chain_by_number(sim->call->chain, number);
    return block ? block->block.hash : (hash32){{0}};
}

static const struct block *parent_of(const struct simulation *sim)
{
    return sim->block_count ? &sim->blocks[sim->block_count - 1].block
                            : &chain_head(sim->call->chain)->block;
}

/* The next block's header with its overrides; checks that the chain goes forward. */
static bool begin_header(struct simulation *sim, json overrides, struct header *header)
{
    struct rpc_call *call = sim->call;
    const struct block *parent = parent_of(sim);
    const struct chain_config *config = chain_config(call->chain);
    struct evm_block env = {0};
    bool has_base_fee, has_blob_fee;
    u256 fee;
    *header = (struct header){
        .fields = parent->header.fields,
        .parent_hash = parent->hash,
        .ommers_hash = HEADER_NO_OMMERS,
        .tx_root = HEADER_EMPTY_ROOT,
        .receipts_root = HEADER_EMPTY_ROOT,
        .withdrawals_root = HEADER_EMPTY_ROOT,
        .requests_hash = HEADER_NO_REQUESTS,
        .extra = (const u8 *)"",
    };
    env.number = parent->header.number + 1;
    env.timestamp = parent->header.timestamp + BLOCK_SECONDS;
    env.gas_limit = parent->header.gas_limit;
    env.coinbase = parent->header.coinbase;
    if (!overrides_apply_block(call, overrides, &env) ||
        !member_u256(call, overrides, "baseFeePerGas", &fee, &has_base_fee) ||
        !member_u256(call, overrides, "blobBaseFee", &fee, &has_blob_fee))
        return false;
    if (env.number <= parent->header.number)
        return rpc_fail(call, (enum rpc_code)ERROR_NUMBER,
                        "block numbers must be in order: %llu <= %llu",
                        (unsigned long long)env.number, (unsigned long long)parent->header.number);
    if (env.timestamp <= parent->header.timestamp)
        return rpc_fail(
            call, (enum rpc_code)ERROR_TIMESTAMP, "block timestamps must be in order: %llu <= %llu",
            (unsigned long long)env.timestamp, (unsigned long long)parent->header.timestamp);
    header->number = env.number;
    header->timestamp = env.timestamp;
    header->gas_limit = env.gas_limit;
    header->coinbase = env.coinbase;
    header->mix_hash = env.prev_randao;
    header->base_fee = has_base_fee     ? env.base_fee
                       : sim->validates ? fee_base_after(&parent->header, config)
                                        : U256_ZERO;
    const struct blob_params *blobs = chain_config_blob_params(config, header->timestamp);
    if (blobs)
        header->excess_blob_gas = fee_excess_blob_gas(
            chain_fork(call->chain, header), blobs, parent->header.excess_blob_gas,
            parent->header.blob_gas_used, parent->header.base_fee);
    return true;
}

static void begin_block(struct simulation *sim, const struct header *header, json overrides)
{
    struct rpc_call *call = sim->call;
    const struct chain_config *config = chain_config(call->chain);
    enum fork fork = chain_fork(call->chain, header);
    struct evm_block env = process_env(header, fork, config);
    bool has_blob_fee;
    process_begin(&sim->process, sim->state, chain_evm(call->chain), call->arena, config, fork,
                  &env);
    /* It was read before, so that it is well-formed is known. */
    bool read = member_u256(call, overrides, "blobBaseFee", &sim->process.exec.block.blob_base_fee,
                            &has_blob_fee);
    (void)read;
    sim->process.exec.block_hash = block_hash_of;
    sim->process.exec.block_hash_ctx = sim;
}

static bool refuse_tx(struct simulation *sim, enum tx_verdict verdict)
{
    int code = RPC_SERVER_ERROR;
    switch (verdict) {
    case TX_NONCE_TOO_LOW: code = ERROR_NONCE_LOW; break;
    case TX_NONCE_TOO_HIGH: code = ERROR_NONCE_HIGH; break;
    case TX_FEE_BELOW_BASE_FEE: code = ERROR_BASE_FEE; break;
    case TX_INTRINSIC_GAS:
    case TX_FLOOR_DATA_GAS: code = ERROR_INTRINSIC_GAS; break;
    case TX_INSUFFICIENT_FUNDS: code = ERROR_FUNDS; break;
    case TX_BLOCK_GAS_LIMIT: code = ERROR_BLOCK_GAS; break;
    case TX_SENDER_NOT_EOA: code = ERROR_SENDER; break;
    case TX_INITCODE_TOO_LARGE: code = ERROR_INITCODE; break;
    default: break;
    }
    return rpc_fail(sim->call, (enum rpc_code)code, "%s", tx_verdict_text(verdict));
}

static bool make_tx(struct simulation *sim, json object, struct tx *tx)
{
    struct tx_args args;
    struct exec *exec = &sim->process.exec;
    u64 room = exec->block.gas_limit - exec->gas_used;
    if (!tx_args_read(sim->call, object, &args))
        return false;
    if (args.has_gas && args.gas > room)
        return rpc_fail(sim->call, (enum rpc_code)ERROR_BLOCK_GAS,
                        "block gas limit reached: %llu of %llu are left", (unsigned long long)room,
                        (unsigned long long)exec->block.gas_limit);
    /* EIP-7825 bounds what a transaction may ask for. */
    if (!args.has_gas && sim->validates && exec->fork >= FORK_OSAKA && room > (u64)1 << 24)
        room = (u64)1 << 24;
    tx_args_to_call(&args, tx, room < sim->gas_left ? room : sim->gas_left);
    enum tx_type type = tx_args_type(&args, true);
    tx->type = type;
    tx->has_chain_id = true;
    tx->chain_id = chain_config(sim->call->chain)->chain_id;
    if (!args.has_nonce)
        tx->nonce = state_nonce(sim->state, &tx->sender);
    tx_hash_update(tx);
    return true;
}

/* What is shown in place of the real logs; the receipts' root is of the real ones. */
static void show_collected(const struct simulation *sim, struct chain_block *block,
                           const struct outcome *outcomes)
{
    u32 base = 0;
    for (u32 i = 0; sim->traces_transfers && i < block->block.tx_count; i++) {
        struct receipt *receipt = &block->receipts[i];
        receipt->logs = outcomes[i].logs;
        receipt->log_count = outcomes[i].log_count;
        receipt->log_index_base = base;
        base += receipt->log_count;
    }
}

static enum tx_verdict execute(struct simulation *sim, const struct tx *tx, struct outcome *outcome)
{
    struct process *process = &sim->process;
    struct exec_result *result = &outcome->result;
    process->exec_flags = sim->validates ? EXEC_NO_EOA : EXEC_CALL;
    if (!sim->traces_transfers)
        return process_tx(process, tx, result);
    struct collector collector = {.arena = sim->call->arena};
    const struct evm_tracer tracer = {.ctx = &collector,
                                      .enter = on_enter,
                                      .exit = on_exit_frame,
                                      .selfdestruct = on_selfdestruct,
                                      .log = on_log};
    evm_set_tracer(process->exec.evm, &tracer);
    enum tx_verdict verdict = process_tx(process, tx, result);
    evm_set_tracer(process->exec.evm, NULL);
    outcome->logs = collector.logs;
    outcome->log_count = collector.count;
    return verdict;
}

static bool run_one(struct simulation *sim, json object, struct tx *tx, struct outcome *outcome)
{
    struct exec_result *result = &outcome->result;
    if (!make_tx(sim, object, tx))
        return false;
    enum tx_verdict verdict = execute(sim, tx, outcome);
    if (verdict != TX_OK)
        return refuse_tx(sim, verdict);
    result->output = arena_dup(sim->call->arena, result->output, result->output_len);
    sim->gas_left -= result->gas_used < sim->gas_left ? result->gas_used : sim->gas_left;
    return true;
}

static bool end_block(struct simulation *sim, struct chain_block *block)
{
    struct process *process = &sim->process;
    struct header *header = &block->block.header;
    struct process_end end = {0};
    if (process_finish(process, &end) != BLOCK_OK)
        return rpc_fail(sim->call, RPC_SERVER_ERROR, "a system contract of the fork is missing");
    header->gas_used = process->exec.gas_used;
    header->blob_gas_used = process->exec.blob_gas_used;
    header->logs_bloom = process->bloom;
    header->tx_root = process_tx_root(block->block.txs, block->block.tx_count);
    header->receipts_root = process_receipts_root(process->receipts, process->receipt_count);
    header->requests_hash = request_list_hash(process->requests, process->request_count);
    state_root(sim->state, &header->state_root);
    block->receipts = process->receipts;
    block->block.has_withdrawals = header->fields >= HEADER_FIELDS_SHANGHAI;
    block_seal(&block->block);
    sim->block_count++;
    return true;
}

/* --- the answer ----------------------------------------------------------------------------- */

static void put_failure(struct buf *out, const struct exec_result *result)
{
    bool is_revert = result->status == EVM_REVERT;
    json_out_object(out, "error");
    json_out_i64(out, "code", is_revert ? RPC_REVERTED : ERROR_VM);
    json_out_text(out, "message", evm_status_text(result->status));
    if (is_revert)
        json_out_data(out, "data", result->output, result->output_len);
    json_out_object_end(out);
}

static void put_outcome(struct simulation *sim, const struct chain_block *block, u32 index,
                        const struct outcome *outcome)
{
    struct buf *out = sim->call->out;
    const struct exec_result *result = &outcome->result;
    json_out_object(out, NULL);
    json_out_data(out, "returnData", result->output, result->output_len);
    json_out_array(out, "logs");
    for (u32 i = 0; i < block->receipts[index].log_count; i++)
        shape_log(out, NULL, block, index, i, false);
    json_out_array_end(out);
    json_out_quantity(out, "gasUsed", result->gas_used);
    json_out_quantity(out, "maxUsedGas", result->gas_peak);
    json_out_quantity(out, "status", result->status == EVM_SUCCESS);
    if (result->status != EVM_SUCCESS)
        put_failure(out, result);
    json_out_object_end(out);
}

static void put_block(struct simulation *sim, const struct chain_block *block,
                      const struct outcome *outcomes)
{
    struct buf *out = sim->call->out;
    json_out_object(out, NULL);
    shape_block_members(sim->call, block, sim->whole_txs);
    json_out_array(out, "calls");
    for (u32 i = 0; i < block->block.tx_count; i++)
        put_outcome(sim, block, i, &outcomes[i]);
    json_out_array_end(out);
    json_out_object_end(out);
}

static bool simulate_block(struct simulation *sim, json item)
{
    struct rpc_call *call = sim->call;
    struct chain_block *block = &sim->blocks[sim->block_count];
    struct header *header = &block->block.header;
    json calls = json_get(item, "calls"), overrides = json_get(item, "blockOverrides");
    u32 count = (u32)json_count(calls);
    if (!value_is_object(call, item, "block state call") || !begin_header(sim, overrides, header))
        return false;
    if (count > CALLS_MAX)
        return rpc_fail(call, RPC_INVALID_PARAMS, "too many calls in one block, limit %u",
                        CALLS_MAX);
    begin_block(sim, header, overrides);
    if (!overrides_apply_state(call, json_get(item, "stateOverrides"), sim->state))
        return false;
    process_start(&sim->process, &header->parent_hash, &header->parent_beacon_root);
    struct outcome *outcomes = arena_alloc(call->arena, count * sizeof *outcomes);
    block->block.txs = arena_zalloc(call->arena, count * sizeof *block->block.txs);
    for (u32 i = 0; i < count; i++) {
        if (!run_one(sim, json_at(calls, i), &block->block.txs[i], &outcomes[i]))
            return false;
        block->block.tx_count++;
    }
    if (!end_block(sim, block))
        return false;
    show_collected(sim, block, outcomes);
    put_block(sim, block, outcomes);
    return true;
}

static bool has_room(struct simulation *sim)
{
    return sim->block_count < BLOCKS_MAX ||
           rpc_fail(sim->call, (enum rpc_code)ERROR_BLOCKS, "too many blocks");
}

/* Numbers left out between two blocks are blocks without messages. */
static bool simulate_gap(struct simulation *sim, json item)
{
    u64 number;
    bool has_number;
    json overrides = json_get(item, "blockOverrides");
    if (!member_u64(sim->call, overrides, "number", &number, &has_number))
        return false;
    u64 next = parent_of(sim)->header.number + 1;
    if (!has_number || number <= next)
        return true;
    if (number - next >= BLOCKS_MAX - sim->block_count)
        return rpc_fail(sim->call, (enum rpc_code)ERROR_BLOCKS, "too many blocks");
    json empty;
    struct err err;
    if (json_parse_in(&empty, sim->call->arena, "{}", 2, 1, &err) != STATUS_OK)
        return rpc_fail(sim->call, RPC_INTERNAL, "%s", err.text);
    for (; next < number; next++)
        if (!simulate_block(sim, empty))
            return false;
    return true;
}

static bool read_flag(struct rpc_call *call, json object, const char *key, bool *out)
{
    json value = json_get(object, key);
    enum json_kind kind = json_kind(value);
    return kind == JSON_KIND_ABSENT || kind == JSON_KIND_NULL || value_bool(call, value, key, out);
}

/* The state root is needed of every block, and only the head's own state can give it. */
static bool check_base(struct rpc_call *call)
{
    struct block_ref ref;
    if (!param_block(call, 1, &ref))
        return false;
    if (!ref.is_pending && !ref.block)
        return view_no_block(call);
    if (!ref.is_pending && ref.block != chain_head(call->chain))
        return rpc_fail(call, RPC_SERVER_ERROR, "only blocks after the newest can be simulated");
    return true;
}

static void eth_simulateV1(struct rpc_call *call)
{
    struct simulation sim = {.call = call};
    json object = param_need(call, 0), items = json_get(object, "blockStateCalls");
    if (!object || !value_is_object(call, object, "argument 0") ||
        !read_flag(call, object, "validation", &sim.validates) ||
        !read_flag(call, object, "traceTransfers", &sim.traces_transfers) ||
        !read_flag(call, object, "returnFullTransactions", &sim.whole_txs) || !check_base(call))
        return;
    size_t count = json_count(items);
    if (json_kind(items) != JSON_KIND_ARRAY || !count) {
        rpc_fail(call, RPC_INVALID_PARAMS, "empty input");
        return;
    }
    if (count > BLOCKS_MAX) {
        rpc_fail(call, (enum rpc_code)ERROR_BLOCKS, "too many blocks");
        return;
    }
    sim.blocks = arena_zalloc(call->arena, BLOCKS_MAX * sizeof *sim.blocks);
    sim.gas_left = call->rpc->options.call_gas_max;
    sim.state = chain_state_edit(call->chain);
    json_out_array(call->out, RPC_RESULT);
    for (size_t i = 0; i < count; i++)
        if (!simulate_gap(&sim, json_at(items, i)) || !has_room(&sim) ||
            !simulate_block(&sim, json_at(items, i)))
            break;
    json_out_array_end(call->out);
    state_reset(sim.state);
}

const struct rpc_method RPC_ETH_SIMULATE[] = {
    {"eth_simulateV1", eth_simulateV1, "simulation block?"},
    {NULL, NULL, NULL},
};
