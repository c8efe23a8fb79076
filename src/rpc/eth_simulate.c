/*
 * eth_simulateV1: blocks of messages on top of a block, none of which happens. Source: execution-apis; geth where that
 * is silent, so that the blocks have the hashes that it gives them.
 */
#include <stdio.h>
#include <string.h>

#include "chain/process.h"
#include "consensus/fee.h"
#include "evm/tracer.h"
#include "rpc/overrides.h"
#include "rpc/param.h"
#include "rpc/shape.h"
#include "rpc/tx_args.h"
#include "rpc/view.h"
#include "trace/trace.h"

enum {
    BLOCKS_MAX = 256, /* with those in between */
    CALLS_MAX = 5000, /* of a block */
    ALL_CALLS_MAX = 10000,
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
    ERROR_LIMIT = -38026,
    ERROR_VM = -32015,
};

/* --- logs, and transfers as logs ------------------------------------------------------------ */

/* EIP-7528: moves of ether are shown as ERC-20's Transfer of a token at this address. */
static const addr20 ETHER = {{0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee,
                              0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee}};
/* keccak256("Transfer(address,address,uint256)") */
static const hash32 TRANSFER = {{0xdd, 0xf2, 0x52, 0xad, 0x1b, 0xe2, 0xc8, 0x9b, 0x69, 0xc2, 0xb0,
                                 0x68, 0xfc, 0x37, 0x8d, 0xaa, 0x95, 0x2b, 0xa7, 0xf1, 0x63, 0xc4,
                                 0xa1, 0x16, 0x28, 0xf5, 0x5a, 0x4d, 0xf5, 0x23, 0xb3, 0xef}};

struct collected {
    struct log log;
    u32 index; /* in the block */
};

/* Collects a message's logs; what a frame that fails has added is dropped. */
struct collector {
    struct arena *arena;
    bool with_transfers;
    u32 next_index; /* goes on through the block, and counts those dropped too, as the recorded answers do */
    struct collected *logs;
    u32 count, cap;
    u32 marks[1100]; /* per depth: how many there were when the frame began */
    u32 depth;
};

static struct log *collect(struct collector *collector)
{
    if (collector->count == collector->cap) {
        u32 cap = collector->cap ? 2 * collector->cap : 16;
        struct collected *logs = arena_alloc(collector->arena, cap * sizeof *logs);
        if (collector->count)
            memcpy(logs, collector->logs, collector->count * sizeof *logs);
        collector->logs = logs;
        collector->cap = cap;
    }
    struct collected *slot = &collector->logs[collector->count++];
    slot->index = collector->next_index++;
    return &slot->log;
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
    if (!collector->with_transfers || u256_is_zero(*wei))
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
    bool is_capped;            /* it got less gas than it asked for */
    const struct collected *logs;
    u32 log_count;
};

struct sim_block {
    struct block_overrides overrides;
    struct state_overrides accounts;
    struct tx_args *calls;
    u32 call_count;
    struct chain_block made;
    struct outcome *outcomes;
};

struct simulation {
    struct rpc_call *call;
    struct state *state;
    struct block base;
    exec_block_hash_fn *hash_below; /* of what lies below the base */
    void *hash_below_ctx;
    struct process process;
    struct precompile_overrides precompiles;
    struct collector collector;
    bool validates, whole_txs;
    bool has_base_fee; /* the block has one: from London on, or because it was asked for */
    u64 gas_left;      /* for all blocks together */
    struct sim_block *blocks;
    u32 block_count; /* planned */
    u32 made_count;
};

/* --- reading -------------------------------------------------------------------------------- */

static bool read_flag(struct rpc_call *call, json object, const char *key, bool *out)
{
    json value = json_get(object, key);
    enum json_kind kind = json_kind(value);
    return kind == JSON_KIND_ABSENT || kind == JSON_KIND_NULL || value_bool(call, value, key, out);
}

static bool read_calls(struct rpc_call *call, json item, struct sim_block *block)
{
    json list;
    bool has;
    if (!member_list(call, item, "calls", &list, &has))
        return false;
    block->call_count = (u32)json_count(list);
    block->calls = arena_alloc(call->arena, block->call_count * sizeof *block->calls);
    for (u32 i = 0; i < block->call_count; i++)
        if (!tx_args_parse(call, json_at(list, i), &block->calls[i]))
            return false;
    return true;
}

static bool read_block(struct rpc_call *call, json item, struct sim_block *block)
{
    return value_is_object(call, item, "block state call") &&
           overrides_read_block(call, json_get(item, "blockOverrides"), &block->overrides) &&
           overrides_read_state(call, json_get(item, "stateOverrides"), &block->accounts) &&
           read_calls(call, item, block);
}

static bool check_counts(struct rpc_call *call, json items)
{
    size_t all = 0, count = json_count(items);
    if (json_kind(items) != JSON_KIND_ARRAY || !count)
        return rpc_fail(call, RPC_INVALID_PARAMS, "empty input");
    if (count > BLOCKS_MAX)
        return rpc_fail(call, (enum rpc_code)ERROR_LIMIT, "too many blocks");
    for (size_t i = 0; i < count; i++) {
        size_t calls = json_count(json_get(json_at(items, i), "calls"));
        all += calls;
        if (calls > CALLS_MAX)
            return rpc_fail(call, (enum rpc_code)ERROR_LIMIT, "too many calls in block: %zu > %d",
                            calls, CALLS_MAX);
        if (all > ALL_CALLS_MAX)
            return rpc_fail(call, (enum rpc_code)ERROR_LIMIT, "too many calls: %zu > %d", all,
                            ALL_CALLS_MAX);
    }
    return true;
}

/* --- the plan: which blocks there will be, with numbers and times ----------------------------- */

/* A block that nobody described. */
static struct sim_block *plan_block(struct simulation *sim, u64 number, u64 timestamp)
{
    struct sim_block *block = &sim->blocks[sim->block_count++];
    *block = (struct sim_block){0};
    block->made.block.header.number = number;
    block->made.block.header.timestamp = timestamp;
    return block;
}

static bool plan_given(struct simulation *sim, const struct sim_block *given, u64 *number,
                       u64 *timestamp)
{
    const struct block_overrides *overrides = &given->overrides;
    u64 base = sim->base.header.number;
    u256 wanted = overrides->has_number ? overrides->number : u256_from_u64(*number + 1);
    if (!u256_lt(u256_from_u64(*number), wanted))
        return rpc_fail(sim->call, (enum rpc_code)ERROR_NUMBER,
                        "block numbers must be in order: %llu <= %llu",
                        (unsigned long long)u256_low(wanted), (unsigned long long)*number);
    if (u256_lt(u256_from_u64(base + BLOCKS_MAX), wanted))
        return rpc_fail(sim->call, (enum rpc_code)ERROR_LIMIT, "too many blocks");
    /* Numbers left out are blocks without messages. */
    while (++*number < u256_low(wanted)) {
        *timestamp += BLOCK_SECONDS;
        plan_block(sim, *number, *timestamp);
    }
    u64 time = overrides->has_time ? overrides->time : *timestamp + BLOCK_SECONDS;
    if (time <= *timestamp)
        return rpc_fail(sim->call, (enum rpc_code)ERROR_TIMESTAMP,
                        "block timestamps must be in order: %llu <= %llu", (unsigned long long)time,
                        (unsigned long long)*timestamp);
    struct sim_block *block = plan_block(sim, *number, time);
    block->overrides = *overrides;
    block->accounts = given->accounts;
    block->calls = given->calls;
    block->call_count = given->call_count;
    *timestamp = time;
    return true;
}

/* EIP-3675: from where on a block has no difficulty, whatever its parent's is. */
static bool is_after_merge(const struct chain_config *config, const struct header *header)
{
    u64 shanghai = config->fork_at[FORK_SHANGHAI];
    return (config->has_ttd && u256_is_zero(config->ttd)) ||
           (config->merge_netsplit != CONFIG_NEVER && header->number >= config->merge_netsplit) ||
           (shanghai != CONFIG_NEVER && header->timestamp >= shanghai);
}

/* What the header has before its parent is made. What nobody overrides goes on as it was. */
static bool plan_header(struct simulation *sim, struct sim_block *block,
                        const struct header *parent)
{
    struct header *header = &block->made.block.header;
    const struct block_overrides *overrides = &block->overrides;
    *header = (struct header){
        .number = header->number,
        .timestamp = header->timestamp,
        .ommers_hash = HEADER_NO_OMMERS,
        .tx_root = HEADER_EMPTY_ROOT,
        .receipts_root = HEADER_EMPTY_ROOT,
        .withdrawals_root = HEADER_EMPTY_ROOT,
        .requests_hash = HEADER_NO_REQUESTS,
        .extra = (const u8 *)"",
        .coinbase = parent->coinbase,
        .gas_limit = parent->gas_limit,
        .difficulty = parent->difficulty,
    };
    if (is_after_merge(chain_config(sim->call->chain), header))
        header->difficulty = U256_ZERO;
    if (overrides->has_difficulty && u256_is_zero(header->difficulty))
        return rpc_fail(sim->call, RPC_INVALID_PARAMS,
                        "block %llu: difficulty override is not allowed after the merge",
                        (unsigned long long)header->number);
    overrides_apply_block(overrides, header);
    enum fork fork = chain_fork(sim->call->chain, header);
    header->fields = header_fields_of(fork);
    if (fork < FORK_LONDON && overrides->has_base_fee)
        header->fields = HEADER_FIELDS_LONDON;
    if (fork >= FORK_CANCUN && overrides->has_beacon_root)
        header->parent_beacon_root = overrides->beacon_root;
    return true;
}

static bool plan(struct simulation *sim, const struct sim_block *given, size_t count)
{
    u64 number = sim->base.header.number, timestamp = sim->base.header.timestamp;
    sim->blocks = arena_alloc(sim->call->arena, BLOCKS_MAX * sizeof *sim->blocks);
    for (size_t i = 0; i < count; i++)
        if (!plan_given(sim, &given[i], &number, &timestamp))
            return false;
    const struct header *parent = &sim->base.header;
    for (u32 i = 0; i < sim->block_count; i++) {
        if (!plan_header(sim, &sim->blocks[i], parent))
            return false;
        parent = &sim->blocks[i].made.block.header;
    }
    return true;
}

/* --- messages ------------------------------------------------------------------------------- */

static bool refuse_tx(struct simulation *sim, const struct tx *tx, enum tx_verdict verdict)
{
    int code = RPC_INTERNAL;
    switch (verdict) {
    case TX_NONCE_TOO_LOW: code = ERROR_NONCE_LOW; break;
    case TX_NONCE_TOO_HIGH: code = ERROR_NONCE_HIGH; break;
    case TX_FEE_BELOW_BASE_FEE: code = ERROR_BASE_FEE; break;
    case TX_TIP_ABOVE_FEE: code = RPC_INVALID_PARAMS; break;
    case TX_INTRINSIC_GAS: code = ERROR_INTRINSIC_GAS; break;
    case TX_INSUFFICIENT_FUNDS: code = ERROR_FUNDS; break;
    case TX_SENDER_NOT_EOA: code = ERROR_SENDER; break;
    case TX_INITCODE_TOO_LARGE: code = ERROR_INITCODE; break;
    default: break;
    }
    return rpc_fail(sim->call, (enum rpc_code)code, "err: %s (supplied gas %llu)",
                    tx_verdict_text(verdict), (unsigned long long)tx->gas);
}

/* What cannot be a transaction at all, in geth's order and words. */
static bool check_args(struct simulation *sim, const struct tx_args *args)
{
    struct rpc_call *call = sim->call;
    u64 chain_id = chain_config(call->chain)->chain_id;
    bool has_fees = args->has_max_fee || args->has_tip;
    if (args->has_gas_price && has_fees)
        return rpc_fail(call, RPC_SERVER_ERROR,
                        "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified");
    if (!args->has_to && args->has_blobs)
        return rpc_fail(call, RPC_SERVER_ERROR, "%s", tx_verdict_text(TX_BLOB_CREATE));
    if (!args->has_to && args->has_authorizations)
        return rpc_fail(call, RPC_SERVER_ERROR, "%s", tx_verdict_text(TX_SET_CODE_CREATE));
    if (args->has_chain_id && args->chain_id != chain_id)
        return rpc_fail(call, RPC_SERVER_ERROR,
                        "chainId does not match node's (have=%llu, want=%llu)",
                        (unsigned long long)args->chain_id, (unsigned long long)chain_id);
    if (has_fees && !sim->has_base_fee)
        return rpc_fail(call, RPC_SERVER_ERROR,
                        "maxFeePerGas and maxPriorityFeePerGas are not valid before London is "
                        "active");
    return true;
}

/* The gas that is not given is all that the block has left; what all blocks together have bounds both. */
static bool limit_gas(struct simulation *sim, struct tx_args *args, bool *is_capped)
{
    const struct exec *exec = &sim->process.exec;
    u64 room = exec->block.gas_limit - exec->gas_used;
    if (!args->has_gas)
        args->gas = room;
    args->has_gas = true;
    if (args->gas > room)
        return rpc_fail(sim->call, (enum rpc_code)ERROR_BLOCK_GAS,
                        "block gas limit reached: remaining: %llu, required: %llu",
                        (unsigned long long)room, (unsigned long long)args->gas);
    *is_capped = args->gas > sim->gas_left;
    if (*is_capped)
        args->gas = sim->gas_left;
    return true;
}

/* The transaction as the block shows it: one with a gas price is never of a newer type. */
static enum tx_type shown_type(const struct simulation *sim, const struct tx_args *args)
{
    if (args->has_gas_price || !sim->has_base_fee)
        return args->has_access_list ? TX_ACCESS_LIST : TX_LEGACY;
    return tx_args_type(args, true);
}

static bool make_tx(struct simulation *sim, struct tx_args *args, struct tx *tx, bool *is_capped)
{
    enum fork fork = sim->process.exec.fork;
    if (!args->has_nonce)
        args->nonce = state_nonce(sim->state, &args->from);
    if (!limit_gas(sim, args, is_capped) || !check_args(sim, args))
        return false;
    tx_args_to_call(args, tx, args->gas);
    /* A tip alone is above a ceiling of nothing. */
    if (args->has_tip && !args->has_max_fee)
        tx->max_fee = tx->gas_price = U256_ZERO;
    if (!args->has_authorizations && !args->has_blobs)
        tx->type = shown_type(sim, args);
    tx->chain_id = chain_config(sim->call->chain)->chain_id;
    /* Before London nobody looks at the base fee but to find the price. */
    if (fork < FORK_LONDON && tx->type == TX_DYNAMIC_FEE) {
        tx->gas_price = tx_effective_gas_price(tx, sim->process.exec.block.base_fee);
        tx->type = TX_LEGACY;
    }
    if (args->has_blob_fee && fork < FORK_CANCUN)
        return refuse_tx(sim, tx, TX_TYPE_NOT_SUPPORTED);
    return true;
}

static enum tx_verdict execute(struct simulation *sim, const struct tx *tx, struct outcome *outcome)
{
    struct process *process = &sim->process;
    struct exec_result *result = &outcome->result;
    process->exec_flags = EXEC_NO_EOA | EXEC_NO_GAS_LIMITS;
    if (!sim->validates)
        process->exec_flags |= EXEC_NO_NONCE | EXEC_NO_BASE_FEE;
    struct collector *collector = &sim->collector;
    const struct evm_tracer tracer = {.ctx = collector,
                                      .enter = on_enter,
                                      .exit = on_exit_frame,
                                      .selfdestruct = on_selfdestruct,
                                      .log = on_log};
    collector->logs = NULL;
    collector->count = collector->cap = 0;
    evm_set_tracer(process->exec.evm, &tracer);
    enum tx_verdict verdict = process_tx(process, tx, result);
    evm_set_tracer(process->exec.evm, NULL);
    outcome->logs = collector->logs;
    outcome->log_count = collector->count;
    return verdict;
}

static bool run_one(struct simulation *sim, struct tx_args *args, struct tx *tx,
                    struct outcome *outcome)
{
    struct exec_result *result = &outcome->result;
    struct process *process = &sim->process;
    if (!make_tx(sim, args, tx, &outcome->is_capped))
        return false;
    enum tx_verdict verdict = execute(sim, tx, outcome);
    if (verdict != TX_OK)
        return refuse_tx(sim, tx, verdict);
    result->output = arena_dup(sim->call->arena, result->output, result->output_len);
    sim->gas_left -= result->gas_used;
    tx->type = shown_type(sim, args);
    process->receipts[process->receipt_count - 1].type = tx->type;
    tx_hash_update(tx);
    return true;
}

/* --- blocks --------------------------------------------------------------------------------- */

static hash32 block_hash_of(void *ctx, u64 number)
{
    const struct simulation *sim = ctx;
    u64 base = sim->base.header.number;
    if (number > base)
        return number - base <= sim->made_count ? sim->blocks[number - base - 1].made.block.hash
                                                : (hash32){{0}};
    if (number == base)
        return sim->base.hash;
    return sim->hash_below ? sim->hash_below(sim->hash_below_ctx, number) : (hash32){{0}};
}

/* What follows from the parent. */
static void complete_header(struct simulation *sim, struct sim_block *block)
{
    const struct chain_config *config = chain_config(sim->call->chain);
    const struct block *parent =
        sim->made_count ? &sim->blocks[sim->made_count - 1].made.block : &sim->base;
    struct header *header = &block->made.block.header;
    const struct blob_params *blobs = chain_config_blob_params(config, header->timestamp);
    header->parent_hash = parent->hash;
    if (header->fields >= HEADER_FIELDS_LONDON && !block->overrides.has_base_fee)
        header->base_fee = sim->validates ? fee_base_after(&parent->header, config) : U256_ZERO;
    if (header->fields >= HEADER_FIELDS_CANCUN && parent->header.fields >= HEADER_FIELDS_CANCUN &&
        blobs)
        header->excess_blob_gas = fee_excess_blob_gas(
            chain_fork(sim->call->chain, header), blobs, parent->header.excess_blob_gas,
            parent->header.blob_gas_used, parent->header.base_fee);
}

static bool begin_block(struct simulation *sim, struct sim_block *block)
{
    struct rpc_call *call = sim->call;
    struct header *header = &block->made.block.header;
    const struct chain_config *config = chain_config(call->chain);
    enum fork fork = chain_fork(call->chain, header);
    struct evm_block env = process_env(header, fork, config);
    if (block->overrides.has_blob_base_fee)
        env.blob_base_fee = block->overrides.blob_base_fee;
    process_begin(&sim->process, sim->state, chain_evm(call->chain), call->arena, config, fork,
                  &env);
    sim->process.exec.block_hash = block_hash_of;
    sim->process.exec.block_hash_ctx = sim;
    sim->process.exec.precompiles = &sim->precompiles;
    sim->precompiles.count = 0;
    sim->has_base_fee = header->fields >= HEADER_FIELDS_LONDON;
    sim->collector.next_index = 0;
    if (!overrides_apply_state(call, &block->accounts, sim->state, fork, &sim->precompiles))
        return false;
    process_start(&sim->process, &header->parent_hash, &header->parent_beacon_root);
    return true;
}

static bool end_block(struct simulation *sim, struct sim_block *block)
{
    struct process *process = &sim->process;
    struct block *body = &block->made.block;
    body->has_withdrawals = body->header.fields >= HEADER_FIELDS_SHANGHAI;
    if (body->has_withdrawals) {
        body->withdrawals = block->overrides.withdrawals;
        body->withdrawal_count = block->overrides.withdrawal_count;
    }
    struct process_end end = {.withdrawals = body->withdrawals,
                              .withdrawal_count = body->withdrawal_count};
    enum block_verdict verdict = process_finish(process, &end);
    if (verdict != BLOCK_OK)
        return rpc_fail(sim->call, RPC_SERVER_ERROR, "block %llu: %s",
                        (unsigned long long)body->header.number, block_verdict_text(verdict));
    process_seal(process, body);
    block->made.receipts = process->receipts;
    sim->made_count++;
    return true;
}

static bool simulate_block(struct simulation *sim, struct sim_block *block)
{
    struct arena *arena = sim->call->arena;
    struct block *body = &block->made.block;
    complete_header(sim, block);
    if (!begin_block(sim, block))
        return false;
    block->outcomes = arena_zalloc(arena, block->call_count * sizeof *block->outcomes);
    body->txs = arena_zalloc(arena, block->call_count * sizeof *body->txs);
    for (u32 i = 0; i < block->call_count; i++) {
        if (!run_one(sim, &block->calls[i], &body->txs[i], &block->outcomes[i]))
            return false;
        body->tx_count++;
    }
    return end_block(sim, block);
}

/* --- the answer ----------------------------------------------------------------------------- */

static void put_revert(struct buf *out, const struct exec_result *result)
{
    char reason[400], text[440];
    bool has_reason = revert_reason(reason, sizeof reason, result->output, result->output_len);
    snprintf(text, sizeof text, "%s%s%s", evm_status_text(EVM_REVERT), has_reason ? ": " : "",
             has_reason ? reason : "");
    json_out_i64(out, "code", RPC_REVERTED);
    json_out_text(out, "message", text);
    json_out_data(out, "data", result->output, result->output_len);
}

static void put_halt(struct buf *out, const struct outcome *outcome, const struct tx *tx)
{
    char why[EVM_ERROR_TEXT_MAX], text[EVM_ERROR_TEXT_MAX + 80];
    const struct exec_result *result = &outcome->result;
    const struct evm_msg msg = {.code_addr = tx->to, .input = tx->data, .input_len = tx->data_len};
    const struct evm_result end = {
        .status = result->status, .opcode = result->opcode, .stack_len = result->stack_len};
    trace_error_text(why, &msg, &end);
    snprintf(text, sizeof text, "%s%s", why,
             outcome->is_capped ? " (gas limit was capped by the RPC server's global gas cap)"
                                : "");
    json_out_i64(out, "code", ERROR_VM);
    json_out_text(out, "message", text);
}

static void put_outcome(struct simulation *sim, const struct sim_block *block, u32 index)
{
    struct buf *out = sim->call->out;
    const struct outcome *outcome = &block->outcomes[index];
    const struct exec_result *result = &outcome->result;
    bool is_success = result->status == EVM_SUCCESS;
    json_out_object(out, NULL);
    json_out_data(out, "returnData", result->output, is_success ? result->output_len : 0);
    json_out_array(out, "logs");
    for (u32 i = 0; i < outcome->log_count; i++)
        shape_one_log(out, NULL, &block->made, index, &outcome->logs[i].log, outcome->logs[i].index,
                      false);
    json_out_array_end(out);
    json_out_quantity(out, "gasUsed", result->gas_used);
    json_out_quantity(out, "maxUsedGas", result->gas_peak);
    json_out_quantity(out, "status", is_success);
    if (!is_success) {
        json_out_object(out, "error");
        if (result->status == EVM_REVERT)
            put_revert(out, result);
        else
            put_halt(out, outcome, &block->made.block.txs[index]);
        json_out_object_end(out);
    }
    json_out_object_end(out);
}

static void put_block(struct simulation *sim, const struct sim_block *block)
{
    struct buf *out = sim->call->out;
    json_out_object(out, NULL);
    shape_block_members(sim->call, &block->made, sim->whole_txs);
    json_out_array(out, "calls");
    for (u32 i = 0; i < block->call_count; i++)
        put_outcome(sim, block, i);
    json_out_array_end(out);
    json_out_object_end(out);
}

/* --- the base ------------------------------------------------------------------------------- */

static void simulate_on_base(struct simulation *sim, const struct sim_block *given, size_t count)
{
    struct rpc_call *call = sim->call;
    struct exec below;
    const struct header child = {.parent_hash = sim->base.hash,
                                 .number = sim->base.header.number + 1,
                                 .difficulty = sim->base.header.difficulty};
    if (!plan(sim, given, count))
        return;
    chain_exec_init(call->chain, &below, sim->state, &child);
    sim->hash_below = below.block_hash;
    sim->hash_below_ctx = below.block_hash_ctx;
    json_out_array(call->out, RPC_RESULT);
    for (u32 i = 0; i < sim->block_count; i++) {
        if (!simulate_block(sim, &sim->blocks[i]))
            break;
        put_block(sim, &sim->blocks[i]);
    }
    json_out_array_end(call->out);
}

static void eth_simulateV1(struct rpc_call *call)
{
    struct simulation sim = {.call = call,
                             .gas_left = call->rpc->options.call_gas_max,
                             .collector = {.arena = call->arena}};
    struct block_ref ref;
    json object = param_need(call, 0), items = json_get(object, "blockStateCalls");
    if (!object || !value_is_object(call, object, "argument 0") ||
        !read_flag(call, object, "validation", &sim.validates) ||
        !read_flag(call, object, "traceTransfers", &sim.collector.with_transfers) ||
        !read_flag(call, object, "returnFullTransactions", &sim.whole_txs) ||
        !check_counts(call, items))
        return;
    size_t count = json_count(items);
    struct sim_block *given = arena_zalloc(call->arena, count * sizeof *given);
    for (size_t i = 0; i < count; i++)
        if (!read_block(call, json_at(items, i), &given[i]))
            return;
    if (!param_block(call, 1, &ref) || !view_open_branch(call, &ref, &sim.base, &sim.state))
        return;
    simulate_on_base(&sim, given, count);
    view_close(call, sim.state);
}

const struct rpc_method RPC_ETH_SIMULATE[] = {
    {"eth_simulateV1", eth_simulateV1, "simulation block?"},
    {NULL, NULL, NULL},
};
