#include "rpc/run.h"

#include <string.h>

#include "rpc/overrides.h"
#include "rpc/param.h"
#include "trace/trace.h"

static bool open_on(struct rpc_call *call, struct run *run, json block_overrides)
{
    chain_exec_init(call->chain, &run->exec, run->state, &run->header);
    return overrides_apply_block(call, block_overrides, &run->exec.block) &&
           overrides_apply_state(call, run->state_overrides, run->state);
}

bool run_open(struct rpc_call *call, struct run *run, const struct block_ref *ref,
              json state_overrides, json block_overrides)
{
    run->state_overrides = state_overrides;
    if (!view_header(call, ref, &run->header) || !view_open(call, ref, &run->state))
        return false;
    if (open_on(call, run, block_overrides))
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
    state_reset(run->state);
    run->exec.gas_used = run->exec.blob_gas_used = 0;
    /* They were applied before, so they can be. */
    bool applied = overrides_apply_state(call, run->state_overrides, run->state);
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

bool run_tx(struct rpc_call *call, struct run *run, const struct tx *tx, struct exec_result *result)
{
    /* geth's: to whom gas is free, the base fee is nothing. */
    u256 base_fee = run->exec.block.base_fee;
    if (u256_is_zero(tx->max_fee))
        run->exec.block.base_fee = U256_ZERO;
    enum tx_verdict verdict = exec_tx(&run->exec, tx, EXEC_CALL, result);
    run->exec.block.base_fee = base_fee;
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
