#include "chain/exec.h"

#include "base/assert.h"
#include "chain/delegation.h"
#include "chain/visits.h"

enum {
    REFUND_DIVISOR_FRONTIER = 2,
    REFUND_DIVISOR_LONDON = 5, /* EIP-3529 */
    SYSTEM_CALL_GAS = 30000000,
};

static const addr20 SYSTEM_ADDRESS = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe}};

/* What the checks find out and the execution goes on with. */
struct plan {
    u256 price;     /* effective, wei per gas */
    u256 tip;       /* of it, what the coinbase gets */
    u256 blob_cost; /* wei, burnt */
    struct tx_gas gas;
    bool unpaid; /* EXEC_NO_BASE_FEE with fees of zero */
};

void exec_init(struct exec *exec, struct state *state, struct evm *evm,
               const struct chain_config *config, enum fork fork, const struct evm_block *env)
{
    const struct blob_params *blobs = chain_config_blob_params(config, env->timestamp);
    *exec = (struct exec){
        .state = state,
        .evm = evm,
        .fork = fork,
        .chain_id = config->chain_id,
        .block = *env,
        .blobs_max = fork >= FORK_CANCUN && blobs ? blobs->max : 0,
        .tx_blobs_max = chain_config_tx_blobs_max(config, fork, env->timestamp),
    };
    exec->host = (struct evm_host){&EXEC_HOST_OPS, exec};
}

/* --- may it be included? ---------------------------------------------------------------------- */

static enum tx_verdict check_nonce(struct exec *exec, const struct tx *tx)
{
    u64 nonce = state_nonce(exec->state, &tx->sender);
    if (tx->nonce < nonce)
        return TX_NONCE_TOO_LOW;
    if (tx->nonce > nonce)
        return TX_NONCE_TOO_HIGH;
    return nonce == UINT64_MAX ? TX_NONCE_MAX : TX_OK; /* EIP-2681 */
}

/* EIP-3607, and EIP-7702's exception from it. */
static bool sender_is_eoa(struct exec *exec, const struct tx *tx)
{
    struct state_code code = state_code(exec->state, &tx->sender);
    addr20 target;
    return !code.len || delegation_parse(code.bytes, code.len, &target);
}

static enum tx_verdict check_fees(const struct exec *exec, const struct tx *tx, unsigned flags,
                                  struct plan *plan)
{
    plan->price = plan->tip = tx->gas_price;
    if (exec->fork >= FORK_LONDON) { /* EIP-1559 */
        bool is_free = u256_is_zero(tx->max_fee) && u256_is_zero(tx->max_priority_fee);
        plan->unpaid = flags & EXEC_NO_BASE_FEE && is_free;
        if (!plan->unpaid && u256_lt(tx->max_fee, exec->block.base_fee))
            return TX_FEE_BELOW_BASE_FEE;
        plan->price = tx_effective_gas_price(tx, exec->block.base_fee);
        plan->tip = plan->unpaid ? U256_ZERO : u256_sub(plan->price, exec->block.base_fee);
    }
    return TX_OK;
}

/* EIP-4844. */
static enum tx_verdict check_blob_fee(const struct exec *exec, const struct tx *tx, unsigned flags)
{
    if (tx->type == TX_BLOB && u256_lt(tx->max_blob_fee, exec->block.blob_base_fee) &&
        !(flags & EXEC_NO_BASE_FEE && u256_is_zero(tx->max_blob_fee)))
        return TX_BLOB_FEE_TOO_LOW;
    return TX_OK;
}

/* The sender must own the most that the transaction may cost, though it may cost less. */
static enum tx_verdict check_balance(struct exec *exec, const struct tx *tx, struct plan *plan)
{
    u256 worst, part;
    bool overflow = u256_mul_overflow(&worst, u256_from_u64(tx->gas), tx->max_fee);
    if (tx->type == TX_BLOB) {
        u256 blob_gas = u256_from_u64((u64)tx->blob_count * TX_BLOB_GAS);
        u256 fee = exec->block.blob_base_fee;
        overflow |= u256_mul_overflow(&plan->blob_cost, blob_gas, fee);
        /* Whoever bids nothing (EXEC_NO_BASE_FEE) pays the fee none the less. */
        fee = u256_lt(fee, tx->max_blob_fee) ? tx->max_blob_fee : fee;
        overflow |= u256_mul_overflow(&part, blob_gas, fee);
        overflow |= u256_add_carry(&worst, worst, part);
    }
    overflow |= u256_add_carry(&worst, worst, tx->value);
    if (overflow || u256_lt(state_balance(exec->state, &tx->sender), worst))
        return TX_INSUFFICIENT_FUNDS;
    return TX_OK;
}

static enum tx_verdict check_room(const struct exec *exec, const struct tx *tx, unsigned flags)
{
    if (tx->gas > INT64_MAX)
        return TX_BLOCK_GAS_LIMIT;
    if (flags & EXEC_NO_GAS_LIMITS)
        return TX_OK;
    if (exec->gas_used > exec->block.gas_limit || tx->gas > exec->block.gas_limit - exec->gas_used)
        return TX_BLOCK_GAS_LIMIT;
    u64 blob_gas_max = (u64)exec->blobs_max * TX_BLOB_GAS;
    if (exec->blob_gas_used + (u64)tx->blob_count * TX_BLOB_GAS > blob_gas_max)
        return TX_BLOB_GAS_LIMIT;
    return TX_OK;
}

/* In geth's order, so that of several faults the same one is named. */
static enum tx_verdict check(struct exec *exec, const struct tx *tx, unsigned flags,
                             struct plan *plan)
{
    /* Before EIP-7594 only the block is bounded. */
    bool any_blobs = flags & EXEC_NO_GAS_LIMITS && exec->fork < FORK_OSAKA;
    u32 blobs_max = any_blobs ? UINT32_MAX : exec->tx_blobs_max;
    enum tx_verdict verdict = tx_check_type(tx, exec->fork);
    if (verdict == TX_OK && !(flags & EXEC_NO_NONCE))
        verdict = check_nonce(exec, tx);
    if (verdict == TX_OK && !(flags & EXEC_NO_GAS_LIMITS))
        verdict = tx_check_gas_cap(tx, exec->fork);
    if (verdict == TX_OK && !(flags & EXEC_NO_EOA) && !sender_is_eoa(exec, tx))
        verdict = TX_SENDER_NOT_EOA;
    if (verdict == TX_OK)
        verdict = tx_check_tip(tx);
    if (verdict == TX_OK)
        verdict = check_fees(exec, tx, flags, plan);
    if (verdict == TX_OK)
        verdict = tx_check_lists(tx, exec->fork, blobs_max);
    if (verdict == TX_OK)
        verdict = check_blob_fee(exec, tx, flags);
    if (verdict == TX_OK)
        verdict = check_room(exec, tx, flags);
    if (verdict == TX_OK)
        verdict = check_balance(exec, tx, plan);
    if (verdict == TX_OK)
        verdict = tx_check_gas(tx, exec->fork, &plan->gas);
    return verdict;
}

/* --- execution -------------------------------------------------------------------------------- */

static void buy_gas(struct exec *exec, const struct tx *tx, const struct plan *plan)
{
    u256 cost = u256_mul(u256_from_u64(tx->gas), plan->price);
    cost = u256_add(cost, plan->blob_cost);
    state_sub_balance(exec->state, &tx->sender, &cost);
    /* Without the nonce check it may be at its maximum, which zero follows, as with geth. */
    state_set_nonce(exec->state, &tx->sender, state_nonce(exec->state, &tx->sender) + 1);
}

/* EIP-2929, 2930, 3651. The host itself answers that precompiles are warm. */
static void warm_up(struct exec *exec, const struct tx *tx)
{
    struct state *state = exec->state;
    if (exec->fork < FORK_BERLIN)
        return;
    state_account_warm(state, &tx->sender);
    if (!tx->is_create)
        state_account_warm(state, &tx->to);
    if (exec->fork >= FORK_SHANGHAI)
        state_account_warm(state, &exec->block.coinbase);
    for (u32 i = 0; i < tx->access_count; i++) {
        const struct access_entry *entry = &tx->access_list[i];
        state_account_warm(state, &entry->addr);
        for (u32 k = 0; k < entry->key_count; k++) {
            u256 key = u256_from_hash(&entry->keys[k]);
            state_slot_warm(state, &entry->addr, &key);
        }
    }
}

static void begin_message(struct exec *exec)
{
    evm_begin(exec->evm, exec->fork, &exec->host, &exec->block, &exec->tx);
    evm_override_precompiles(exec->evm, exec->precompiles);
}

static void run_message(struct exec *exec, const struct tx *tx, const struct plan *plan,
                        u64 delegation_refund, struct evm_result *result)
{
    exec->tx = (struct evm_tx){
        .origin = tx->sender,
        .gas_price = plan->price,
        .chain_id = u256_from_u64(exec->chain_id),
        .blob_hashes = tx->blob_hashes,
        .blob_hash_count = tx->blob_count,
    };
    struct evm_msg msg = {
        .kind = tx->is_create ? EVM_CREATE : EVM_CALL,
        .gas = (i64)(tx->gas - plan->gas.intrinsic),
        .sender = tx->sender,
        .recipient = tx->to,
        .code_addr = tx->to,
        .value = tx->value,
        .input = tx->data,
        .input_len = tx->data_len,
    };
    begin_message(exec);
    evm_set_refund(exec->evm, (i64)delegation_refund);
    evm_call(exec->evm, &msg, result);
}

/* Refunds are capped at a part of the gas used, and the floor of EIP-7623 comes after them. */
static void settle_gas(const struct exec *exec, const struct tx *tx, const struct plan *plan,
                       i64 gas_left, struct exec_result *result)
{
    u64 divisor = exec->fork >= FORK_LONDON ? REFUND_DIVISOR_LONDON : REFUND_DIVISOR_FRONTIER;
    i64 counter = evm_refund(exec->evm);
    u64 used = tx->gas - (u64)gas_left;
    u64 refund = counter > 0 ? (u64)counter : 0;
    if (refund > used / divisor)
        refund = used / divisor;
    result->gas_refunded = refund;
    result->gas_used = used - refund > plan->gas.floor ? used - refund : plan->gas.floor;
    result->gas_peak = used > plan->gas.floor ? used : plan->gas.floor;
}

static void pay(struct exec *exec, const struct tx *tx, const struct plan *plan, u64 gas_used)
{
    u256 unspent = u256_mul(u256_from_u64(tx->gas - gas_used), plan->price);
    u256 fee = u256_mul(u256_from_u64(gas_used), plan->tip);
    state_add_balance(exec->state, &tx->sender, &unspent);
    if (!plan->unpaid)
        state_add_balance(exec->state, &exec->block.coinbase, &fee);
}

enum tx_verdict exec_tx(struct exec *exec, const struct tx *tx, unsigned flags,
                        struct exec_result *result)
{
    struct plan plan = {0};
    struct evm_result message;
    assert(tx->has_sender);
    state_begin_tx(exec->state);
    enum tx_verdict verdict = check(exec, tx, flags, &plan);
    if (verdict != TX_OK)
        return verdict;
    buy_gas(exec, tx, &plan);
    warm_up(exec, tx);
    u64 delegation_refund = 0;
    if (exec->fork >= FORK_PRAGUE)
        delegation_refund = delegation_apply(exec->state, exec->chain_id, tx);
    if (exec->visits)
        visits_begin(exec->visits, exec->evm);
    run_message(exec, tx, &plan, delegation_refund, &message);
    *result = (struct exec_result){
        .status = message.status,
        .blob_gas_used = (u64)tx->blob_count * TX_BLOB_GAS,
        .effective_gas_price = plan.price,
        .has_created = tx->is_create,
        .created = message.created,
        .output = message.output,
        .output_len = message.output_len,
        .opcode = message.opcode,
        .stack_len = message.stack_len,
    };
    settle_gas(exec, tx, &plan, message.gas_left, result);
    pay(exec, tx, &plan, result->gas_used);
    if (exec->visits)
        visits_settle(exec->visits, exec->evm, exec->state);
    state_end_tx(exec->state, exec->fork);
    if (exec->visits)
        visits_end(exec->visits, exec->state, tx);
    exec->gas_used += result->gas_used;
    exec->blob_gas_used += result->blob_gas_used;
    return TX_OK;
}

void exec_system_call(struct exec *exec, const addr20 *to, const u8 *input, size_t len,
                      struct evm_result *result)
{
    exec->tx = (struct evm_tx){
        .origin = SYSTEM_ADDRESS,
        .chain_id = u256_from_u64(exec->chain_id),
    };
    struct evm_msg msg = {
        .kind = EVM_CALL,
        .gas = SYSTEM_CALL_GAS,
        .sender = SYSTEM_ADDRESS,
        .recipient = *to,
        .code_addr = *to,
        .input = input,
        .input_len = len,
    };
    state_begin_tx(exec->state);
    state_account_warm(exec->state, to);
    begin_message(exec);
    evm_call(exec->evm, &msg, result);
    state_end_tx(exec->state, exec->fork);
}
