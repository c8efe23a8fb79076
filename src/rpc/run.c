#include "rpc/run.h"

#include <string.h>

#include "rpc/param.h"
#include "trace/trace.h"

/* Messages run in no block that is made, so that some overrides would do nothing. */
static bool check_block(struct rpc_call *call, const struct block_overrides *block)
{
    if (block->has_beacon_root || block->has_withdrawals)
        return rpc_fail(call, RPC_SERVER_ERROR,
                        "block override \"%s\" is not supported for this RPC method",
                        block->has_beacon_root ? "beaconRoot" : "withdrawals");
    return u256_fits_u64(block->number) ||
           rpc_fail(call, RPC_INVALID_PARAMS, "invalid number: hex number > 64 bits");
}

static bool apply_state(struct rpc_call *call, struct run *run)
{
    run->precompiles.count = 0;
    return overrides_apply_state(call, &run->state_overrides, run->state, run->exec.fork,
                                 &run->precompiles);
}

static bool open_on(struct rpc_call *call, struct run *run, const struct block_overrides *block)
{
    if (block->has_number)
        run->header.number = u256_low(block->number);
    if (block->has_time)
        run->header.timestamp = block->time;
    overrides_apply_block(block, &run->header);
    chain_exec_init(call->chain, &run->exec, run->state, &run->header);
    if (block->has_blob_base_fee)
        run->exec.block.blob_base_fee = block->blob_base_fee;
    run->exec.precompiles = &run->precompiles;
    return apply_state(call, run);
}

bool run_open(struct rpc_call *call, struct run *run, const struct block_ref *ref,
              json state_overrides, json block_overrides)
{
    struct block_overrides block;
    run->ref = *ref;
    if (!overrides_read_state(call, state_overrides, &run->state_overrides) ||
        !overrides_read_block(call, block_overrides, &block) || !check_block(call, &block) ||
        !view_header(call, ref, &run->header) || !view_open(call, ref, &run->state))
        return false;
    if (open_on(call, run, &block))
        return true;
    view_close(call, run->state);
    return false;
}

void run_close(struct rpc_call *call, struct run *run)
{
    view_close(call, run->state);
}

void run_reset(struct rpc_call *call, struct run *run)
{
    view_reset(call, &run->ref, run->state);
    run->exec.gas_used = run->exec.blob_gas_used = 0;
    /* They were applied before, so they can be. */
    bool applied = apply_state(call, run);
    (void)applied;
}

u64 run_gas_max(const struct rpc_call *call, const struct run *run)
{
    u64 most = call->rpc->options.call_gas_max, block = run->exec.block.gas_limit;
    return block > most ? block : most;
}

static const char *dec(char text[U256_DEC_MAX], u256 value)
{
    text[u256_format_dec(text, value)] = 0;
    return text;
}

static bool refuse_funds(struct rpc_call *call, const struct run *run, const struct tx *tx)
{
    char have[U256_DEC_MAX], want[U256_DEC_MAX];
    u256 gas, sum;
    if (u256_mul_overflow(&gas, u256_from_u64(tx->gas), tx->max_fee) ||
        u256_add_carry(&sum, gas, tx->value))
        sum = u256_not(U256_ZERO);
    return rpc_fail(call, RPC_SERVER_ERROR, "%s: have %s want %s",
                    tx_verdict_text(TX_INSUFFICIENT_FUNDS),
                    dec(have, state_balance(run->state, &tx->sender)), dec(want, sum));
}

bool run_refuse(struct rpc_call *call, const struct run *run, const struct tx *tx,
                enum tx_verdict verdict)
{
    char fee[U256_DEC_MAX], base[U256_DEC_MAX];
    struct tx_gas gas;
    switch (verdict) {
    case TX_INSUFFICIENT_FUNDS: return refuse_funds(call, run, tx);
    case TX_FEE_BELOW_BASE_FEE:
        return rpc_fail(call, RPC_SERVER_ERROR, "%s: maxFeePerGas: %s, baseFee: %s",
                        tx_verdict_text(verdict), dec(fee, tx->max_fee),
                        dec(base, run->exec.block.base_fee));
    case TX_INTRINSIC_GAS:
    case TX_FLOOR_DATA_GAS:
        gas = tx_gas_of(tx, run->exec.fork);
        return rpc_fail(
            call, RPC_SERVER_ERROR, "%s: have %llu, want %llu", tx_verdict_text(verdict),
            (unsigned long long)tx->gas,
            (unsigned long long)(verdict == TX_INTRINSIC_GAS ? gas.intrinsic : gas.floor));
    default: return rpc_fail(call, RPC_SERVER_ERROR, "%s", tx_verdict_text(verdict));
    }
}

enum tx_verdict run_exec(struct run *run, const struct tx *tx, struct exec_result *result)
{
    /* geth's: to whom gas is free, the fees of the block are nothing. */
    struct evm_block *block = &run->exec.block;
    u256 base_fee = block->base_fee, blob_base_fee = block->blob_base_fee;
    if (u256_is_zero(tx->max_fee))
        block->base_fee = U256_ZERO;
    if (u256_is_zero(tx->max_blob_fee) && tx->type == TX_BLOB)
        block->blob_base_fee = U256_ZERO;
    enum tx_verdict verdict = exec_tx(&run->exec, tx, EXEC_CALL, result);
    block->base_fee = base_fee;
    block->blob_base_fee = blob_base_fee;
    return verdict;
}

bool run_tx(struct rpc_call *call, struct run *run, const struct tx *tx, struct exec_result *result)
{
    enum tx_verdict verdict = run_exec(run, tx, result);
    return verdict == TX_OK || run_refuse(call, run, tx, verdict);
}

void run_fail(struct rpc_call *call, const struct exec_result *result)
{
    char reason[400];
    if (result->status != EVM_REVERT) {
        rpc_fail(call, RPC_SERVER_ERROR, "%s", evm_status_text(result->status));
        return;
    }
    if (revert_reason(reason, sizeof reason, result->output, result->output_len))
        rpc_fail(call, RPC_REVERTED, "%s: %s", evm_status_text(EVM_REVERT), reason);
    else
        rpc_fail(call, RPC_REVERTED, "%s", evm_status_text(EVM_REVERT));
    call->data = arena_dup(call->arena, result->output, result->output_len);
    call->data_len = result->output_len;
    call->has_data = true;
}
