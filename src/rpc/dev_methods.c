/* evm, anvil, hardhat: what a developer may do to the chain that no one could do to a real one. */
#include <string.h>

#include "rpc/param.h"
#include "rpc/shape.h"
#include "rpc/view.h"

static void answer_null(struct rpc_call *call)
{
    json_out_null(call->out, RPC_RESULT);
}

static void answer_true(struct rpc_call *call)
{
    json_out_bool(call->out, RPC_RESULT, true);
}

/* Passes a failure of the room below on to the client: its own mistakes as -32602. */
static bool done(struct rpc_call *call, enum status status, const struct err *err)
{
    bool is_mistake = status == STATUS_INVALID || status == STATUS_TOO_LARGE;
    return status == STATUS_OK ||
           rpc_fail(call, is_mistake ? RPC_INVALID_PARAMS : RPC_SERVER_ERROR, "%s", err->text);
}

/* --- sealing -------------------------------------------------------------------------------- */

/* evm_mine: nothing, a timestamp, or {timestamp, blocks}. */
static void evm_mine(struct rpc_call *call)
{
    struct err err;
    u64 blocks = 1;
    u256 number;
    json what = param_at(call, 0), timestamp = what;
    if (json_kind(what) == JSON_KIND_OBJECT) {
        json count = json_get(what, "blocks");
        timestamp = json_get(what, "timestamp");
        if (count && !value_loose_u256(call, count, "blocks", &number))
            return;
        if (count)
            blocks = u256_to_u64_sat(number);
    }
    if (timestamp && json_kind(timestamp) != JSON_KIND_NULL) {
        if (!value_loose_u256(call, timestamp, "timestamp", &number) ||
            !done(call, dev_set_next_timestamp(call->dev, u256_to_u64_sat(number), &err), &err))
            return;
    }
    if (done(call, dev_mine(call->dev, blocks, 0, &err), &err))
        json_out_text(call->out, RPC_RESULT, "0x0");
}

/* anvil_mine, hardhat_mine: how many blocks, and seconds between them. */
static void dev_mine_blocks(struct rpc_call *call)
{
    struct err err;
    u64 blocks = 1, step_s = 0;
    if ((param_has(call, 0) && !param_loose_u64(call, 0, &blocks)) ||
        (param_has(call, 1) && !param_loose_u64(call, 1, &step_s)))
        return;
    if (done(call, dev_mine(call->dev, blocks, step_s, &err), &err))
        answer_null(call);
}

static void dev_getAutomine(struct rpc_call *call)
{
    json_out_bool(call->out, RPC_RESULT, call->dev->sealing.automine);
}

static void dev_setAutomine(struct rpc_call *call)
{
    bool automine;
    if (!param_bool(call, 0, &automine))
        return;
    struct dev_sealing sealing = call->dev->sealing;
    sealing.automine = automine;
    if (automine)
        sealing.interval_ms = 0;
    dev_set_sealing(call->dev, sealing);
    answer_null(call);
}

static void set_interval(struct rpc_call *call, u64 unit_ms)
{
    u64 interval;
    if (!param_loose_u64(call, 0, &interval))
        return;
    if (interval > (u64)365 * 86400 * 1000 / unit_ms) {
        rpc_fail(call, RPC_INVALID_PARAMS, "invalid argument 0: more than a year");
        return;
    }
    struct dev_sealing sealing = {.automine = interval == 0 && call->dev->sealing.automine,
                                  .interval_ms = interval * unit_ms};
    dev_set_sealing(call->dev, sealing);
    answer_null(call);
}

static void evm_setIntervalMining(struct rpc_call *call)
{
    set_interval(call, 1000);
}

/* Hardhat counts in milliseconds under the evm_ name as anvil does in seconds; under its own name it is hardhat's. */
static void hardhat_setIntervalMining(struct rpc_call *call)
{
    set_interval(call, 1);
}

static void dev_getIntervalMining(struct rpc_call *call)
{
    u64 interval_ms = call->dev->sealing.interval_ms;
    if (interval_ms)
        json_out_u64(call->out, RPC_RESULT, interval_ms / 1000);
    else
        answer_null(call);
}

/* --- clock ---------------------------------------------------------------------------------- */

static void evm_increaseTime(struct rpc_call *call)
{
    u64 seconds;
    struct err err;
    if (param_loose_u64(call, 0, &seconds) &&
        done(call, dev_increase_time(call->dev, seconds, &err), &err))
        json_out_quantity(call->out, RPC_RESULT, (u64)call->dev->clock_offset_s);
}

static void evm_setNextBlockTimestamp(struct rpc_call *call)
{
    u64 timestamp;
    struct err err;
    if (param_loose_u64(call, 0, &timestamp) &&
        done(call, dev_set_next_timestamp(call->dev, timestamp, &err), &err))
        answer_null(call);
}

static void evm_setTime(struct rpc_call *call)
{
    u64 timestamp;
    struct err err;
    if (!param_loose_u64(call, 0, &timestamp))
        return;
    /* JavaScript's clocks count milliseconds; no date before the year 5138 has so many seconds. */
    if (timestamp > 100000000000)
        timestamp /= 1000;
    i64 before = call->dev->clock_offset_s;
    if (done(call, dev_set_time(call->dev, timestamp, &err), &err))
        json_out_i64(call->out, RPC_RESULT, call->dev->clock_offset_s - before);
}

static void anvil_setBlockTimestampInterval(struct rpc_call *call)
{
    u64 seconds;
    if (!param_loose_u64(call, 0, &seconds))
        return;
    if (seconds > (u64)1 << 32) {
        rpc_fail(call, RPC_INVALID_PARAMS, "invalid argument 0: too long");
        return;
    }
    call->dev->timestamp_step_s = seconds;
    answer_null(call);
}

static void anvil_removeBlockTimestampInterval(struct rpc_call *call)
{
    bool was_set = call->dev->timestamp_step_s != 0;
    call->dev->timestamp_step_s = 0;
    json_out_bool(call->out, RPC_RESULT, was_set);
}

/* --- going back ----------------------------------------------------------------------------- */

static void evm_snapshot(struct rpc_call *call)
{
    u64 id;
    struct err err;
    if (done(call, dev_snapshot_take(call->dev, &id, &err), &err))
        json_out_quantity(call->out, RPC_RESULT, id);
}

static void evm_revert(struct rpc_call *call)
{
    u64 id;
    if (param_loose_u64(call, 0, &id))
        json_out_bool(call->out, RPC_RESULT, dev_snapshot_revert(call->dev, id));
}

static void anvil_rollback(struct rpc_call *call)
{
    u64 count = 1;
    struct err err;
    if (param_has(call, 0) && !param_loose_u64(call, 0, &count))
        return;
    if (done(call, dev_rollback(call->dev, count, &err), &err))
        answer_null(call);
}

/* anvil_reset, hardhat_reset: back to the oldest block whose state is held, with an empty pool. What snapshots and settings
 * for the next block were about is gone. */
static void dev_reset(struct rpc_call *call)
{
    struct err err;
    u64 head = chain_head(call->chain)->block.header.number;
    if (json_get(param_at(call, 0), "forking")) {
        rpc_fail(call, RPC_INVALID_PARAMS, "this node does not fork other chains");
        return;
    }
    if (!done(call, dev_rollback(call->dev, head - chain_oldest_state(call->chain), &err), &err))
        return;
    chain_state_unedit(call->chain, 0);
    txpool_clear(call->dev->pool);
    call->dev->snapshot_count = 0;
    call->dev->clock_offset_s = 0;
    call->dev->next_timestamp = 0;
    call->dev->has_base_fee = call->dev->has_prev_randao = false;
    answer_true(call);
}

/* debug_setHead: back to a block by number. */
static void debug_setHead(struct rpc_call *call)
{
    u64 number, head = chain_head(call->chain)->block.header.number;
    struct err err;
    if (!param_loose_u64(call, 0, &number))
        return;
    if (number > head) {
        rpc_fail(call, RPC_SERVER_ERROR, "the head is %llu", (unsigned long long)head);
        return;
    }
    if (done(call, dev_rollback(call->dev, head - number, &err), &err))
        answer_null(call);
}

/* --- the next block ------------------------------------------------------------------------- */

static void evm_setBlockGasLimit(struct rpc_call *call)
{
    u64 gas_limit;
    if (!param_loose_u64(call, 0, &gas_limit))
        return;
    if (gas_limit < 5000 || gas_limit > INT64_MAX) {
        rpc_fail(call, RPC_INVALID_PARAMS, "invalid argument 0: from 5000 to 2^63 - 1");
        return;
    }
    call->dev->gas_limit = gas_limit;
    answer_true(call);
}

static void anvil_setCoinbase(struct rpc_call *call)
{
    if (param_addr(call, 0, &call->dev->coinbase))
        answer_null(call);
}

static void anvil_setNextBlockBaseFeePerGas(struct rpc_call *call)
{
    if (!param_loose_u256(call, 0, &call->dev->base_fee))
        return;
    call->dev->has_base_fee = true;
    answer_null(call);
}

static void hardhat_setPrevRandao(struct rpc_call *call)
{
    u256 word;
    json value = param_need(call, 0);
    if (!value || !value_word(call, value, "argument 0", &word))
        return;
    call->dev->prev_randao = u256_to_hash(word);
    call->dev->has_prev_randao = true;
    answer_null(call);
}

/* --- state ---------------------------------------------------------------------------------- */

static void commit(struct rpc_call *call)
{
    chain_state_commit(call->chain);
    dev_state_changed(call->dev);
}

static void anvil_setBalance(struct rpc_call *call)
{
    addr20 addr;
    u256 wei;
    if (!param_addr(call, 0, &addr) || !param_loose_u256(call, 1, &wei))
        return;
    state_set_balance(chain_state_edit(call->chain), &addr, &wei);
    commit(call);
    answer_null(call);
}

static void anvil_addBalance(struct rpc_call *call)
{
    addr20 addr;
    u256 wei, sum;
    if (!param_addr(call, 0, &addr) || !param_loose_u256(call, 1, &wei))
        return;
    struct state *state = chain_state_edit(call->chain);
    if (u256_add_carry(&sum, state_balance(state, &addr), wei))
        sum = u256_not(U256_ZERO);
    state_set_balance(state, &addr, &sum);
    commit(call);
    answer_null(call);
}

static void anvil_setNonce(struct rpc_call *call)
{
    addr20 addr;
    u64 nonce;
    if (!param_addr(call, 0, &addr) || !param_loose_u64(call, 1, &nonce))
        return;
    state_set_nonce(chain_state_edit(call->chain), &addr, nonce);
    commit(call);
    answer_null(call);
}

static void anvil_setCode(struct rpc_call *call)
{
    addr20 addr;
    const u8 *code;
    size_t len;
    if (!param_addr(call, 0, &addr) || !param_data(call, 1, &code, &len))
        return;
    state_set_code(chain_state_edit(call->chain), &addr, code, len);
    commit(call);
    answer_null(call);
}

static void anvil_setStorageAt(struct rpc_call *call)
{
    addr20 addr;
    u256 key, value;
    if (!param_addr(call, 0, &addr) || !param_loose_u256(call, 1, &key))
        return;
    json word = param_need(call, 2);
    if (!word || !value_word(call, word, "argument 2", &value))
        return;
    struct state *state = chain_state_edit(call->chain);
    struct state_slot slot = state_storage_slot(state, &addr, &key);
    state_storage_set(state, slot.handle, &value);
    commit(call);
    answer_true(call);
}

/* --- whose name may be used ----------------------------------------------------------------- */

static void anvil_impersonateAccount(struct rpc_call *call)
{
    addr20 addr;
    if (!param_addr(call, 0, &addr))
        return;
    dev_impersonate(call->dev, &addr);
    answer_true(call);
}

static void anvil_stopImpersonatingAccount(struct rpc_call *call)
{
    addr20 addr;
    if (param_addr(call, 0, &addr))
        json_out_bool(call->out, RPC_RESULT, dev_stop_impersonating(call->dev, &addr));
}

static void anvil_autoImpersonateAccount(struct rpc_call *call)
{
    if (param_bool(call, 0, &call->dev->impersonate_all))
        answer_null(call);
}

/* --- the pool ------------------------------------------------------------------------------- */

static void anvil_dropTransaction(struct rpc_call *call)
{
    hash32 hash;
    if (!param_hash(call, 0, &hash))
        return;
    if (txpool_remove(call->dev->pool, &hash))
        json_out_hash(call->out, RPC_RESULT, &hash);
    else
        answer_null(call);
}

/* Hardhat's own helpers insist on a boolean. */
static void hardhat_dropTransaction(struct rpc_call *call)
{
    hash32 hash;
    if (param_hash(call, 0, &hash))
        json_out_bool(call->out, RPC_RESULT, txpool_remove(call->dev->pool, &hash));
}

static void anvil_dropAllTransactions(struct rpc_call *call)
{
    txpool_clear(call->dev->pool);
    answer_null(call);
}

static void anvil_removePoolTransactions(struct rpc_call *call)
{
    addr20 addr;
    if (!param_addr(call, 0, &addr))
        return;
    txpool_remove_sender(call->dev->pool, &addr);
    answer_null(call);
}

/* --- about the node ------------------------------------------------------------------------- */

static void anvil_nodeInfo(struct rpc_call *call)
{
    struct buf *out = call->out;
    const struct block *head = &chain_head(call->chain)->block;
    struct header next;
    dev_next_header(call->dev, &next);
    json_out_object(out, RPC_RESULT);
    json_out_quantity(out, "currentBlockNumber", head->header.number);
    json_out_u64(out, "currentBlockTimestamp", head->header.timestamp);
    json_out_hash(out, "currentBlockHash", &head->hash);
    json_out_text(out, "hardFork", fork_name(call->dev->options.fork));
    json_out_text(out, "transactionOrder", "fees");
    json_out_object(out, "environment");
    json_out_quantity_u256(out, "baseFee", next.base_fee);
    json_out_u64(out, "chainId", chain_config(call->chain)->chain_id);
    json_out_quantity(out, "gasLimit", next.gas_limit);
    json_out_quantity_u256(out, "gasPrice", next.base_fee);
    json_out_object_end(out);
    json_out_object(out, "forkConfig");
    json_out_null(out, "forkUrl");
    json_out_null(out, "forkBlockNumber");
    json_out_null(out, "forkRetryBackoff");
    json_out_object_end(out);
    json_out_object_end(out);
}

/* The instance is named by the genesis block: another start, another name. */
static void anvil_metadata(struct rpc_call *call)
{
    struct buf *out = call->out;
    const struct block *head = &chain_head(call->chain)->block;
    json_out_object(out, RPC_RESULT);
    json_out_text(out, "clientVersion", call->rpc->options.client);
    json_out_u64(out, "chainId", chain_config(call->chain)->chain_id);
    json_out_hash(out, "instanceId", &call->dev->genesis_hash);
    json_out_u64(out, "latestBlockNumber", head->header.number);
    json_out_hash(out, "latestBlockHash", &head->hash);
    json_out_object(out, "snapshots");
    json_out_object_end(out);
    json_out_object_end(out);
}

#define BOTH(name, fn, params)      \
    {"anvil_" name, fn, params},    \
    {                               \
        "hardhat_" name, fn, params \
    }

#define ALL(name, fn, params)                                   \
    {"anvil_" name, fn, params}, {"hardhat_" name, fn, params}, \
    {                                                           \
        "evm_" name, fn, params                                 \
    }

const struct rpc_method RPC_DEV[] = {
    {"anvil_dropTransaction", anvil_dropTransaction, "hash"},
    {"anvil_getIntervalMining", dev_getIntervalMining, ""},
    {"anvil_nodeInfo", anvil_nodeInfo, ""},
    {"anvil_removeBlockTimestampInterval", anvil_removeBlockTimestampInterval, ""},
    {"anvil_removePoolTransactions", anvil_removePoolTransactions, "address"},
    {"anvil_rollback", anvil_rollback, "count?"},
    {"anvil_setBlockTimestampInterval", anvil_setBlockTimestampInterval, "seconds"},
    {"anvil_setIntervalMining", evm_setIntervalMining, "seconds"},
    {"debug_setHead", debug_setHead, "block"},
    {"evm_mine", evm_mine, "options?"},
    {"evm_setAccountBalance", anvil_setBalance, "address amount"},
    {"evm_setAccountCode", anvil_setCode, "address data"},
    {"evm_setAccountNonce", anvil_setNonce, "address nonce"},
    {"evm_setAccountStorageAt", anvil_setStorageAt, "address slot word"},
    {"evm_setIntervalMining", evm_setIntervalMining, "seconds"},
    {"hardhat_dropTransaction", hardhat_dropTransaction, "hash"},
    {"hardhat_setIntervalMining", hardhat_setIntervalMining, "milliseconds"},
    {"tenderly_addBalance", anvil_addBalance, "address amount"},
    {"tenderly_setBalance", anvil_setBalance, "address amount"},
    {"tenderly_setCode", anvil_setCode, "address data"},
    {"tenderly_setStorageAt", anvil_setStorageAt, "address slot word"},
    BOTH("addBalance", anvil_addBalance, "address amount"),
    BOTH("autoImpersonateAccount", anvil_autoImpersonateAccount, "enabled"),
    BOTH("dropAllTransactions", anvil_dropAllTransactions, ""),
    BOTH("impersonateAccount", anvil_impersonateAccount, "address"),
    BOTH("metadata", anvil_metadata, ""),
    BOTH("mine", dev_mine_blocks, "count? seconds?"),
    BOTH("reset", dev_reset, "options?"),
    BOTH("setBalance", anvil_setBalance, "address amount"),
    BOTH("setCode", anvil_setCode, "address data"),
    BOTH("setCoinbase", anvil_setCoinbase, "address"),
    BOTH("setNextBlockBaseFeePerGas", anvil_setNextBlockBaseFeePerGas, "amount"),
    BOTH("setNonce", anvil_setNonce, "address nonce"),
    BOTH("setPrevRandao", hardhat_setPrevRandao, "word"),
    BOTH("setStorageAt", anvil_setStorageAt, "address slot word"),
    BOTH("stopImpersonatingAccount", anvil_stopImpersonatingAccount, "address"),
    ALL("getAutomine", dev_getAutomine, ""),
    ALL("increaseTime", evm_increaseTime, "seconds"),
    ALL("revert", evm_revert, "snapshot"),
    ALL("setAutomine", dev_setAutomine, "enabled"),
    ALL("setBlockGasLimit", evm_setBlockGasLimit, "gas"),
    ALL("setNextBlockTimestamp", evm_setNextBlockTimestamp, "timestamp"),
    ALL("setTime", evm_setTime, "timestamp"),
    ALL("snapshot", evm_snapshot, ""),
    {NULL, NULL, NULL},
};
