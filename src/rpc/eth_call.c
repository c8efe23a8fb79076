/* eth: running messages that leave no trace, and what they need. */
#include <string.h>

#include "rpc/access_list.h"
#include "rpc/param.h"
#include "rpc/run.h"

/* Opens the block of parameter 1 with overrides from 2 and 3, and reads the message. */
static bool begin(struct rpc_call *call, struct run *run, struct tx_args *args)
{
    struct block_ref ref;
    json object = param_need(call, 0);
    return object && tx_args_read(call, object, args) && param_any_block(call, 1, &ref) &&
           run_open(call, run, &ref, param_at(call, 2), param_at(call, 3));
}

static void eth_call(struct rpc_call *call)
{
    struct run run;
    struct tx_args args;
    struct tx tx;
    struct exec_result result;
    if (!begin(call, &run, &args))
        return;
    tx_args_to_call(&args, &tx, run_gas_max(call, &run));
    if (!args.has_nonce)
        tx.nonce = state_nonce(run.state, &tx.sender);
    if (run_tx(call, &run, &tx, &result)) {
        if (result.status == EVM_SUCCESS)
            json_out_data(call->out, RPC_RESULT, result.output, result.output_len);
        else
            run_fail(call, &result);
    }
    run_close(call, &run);
}

/* --- estimating ----------------------------------------------------------------------------- */

enum {
    SIMPLE_GAS = 21000,
    CALL_STIPEND = 2300,
    SLACK_PER_MILLE = 15, /* the search ends when the answer is known this well, as geth's does */
};

/* The most gas that may be asked for: the message's own, the block's, what the sender can pay. */
static bool gas_ceiling(struct rpc_call *call, struct run *run, const struct tx_args *args,
                        struct tx *tx, u64 *ceiling)
{
    u64 most = run->exec.block.gas_limit, cap = run_gas_max(call, run);
    if (args->has_gas && args->gas >= SIMPLE_GAS)
        most = args->gas;
    /* EIP-7825: a transaction with more could not be sent. */
    if (run->exec.fork >= FORK_OSAKA && most > (u64)1 << 24)
        most = (u64)1 << 24;
    if (!u256_is_zero(tx->max_fee)) {
        u256 balance = state_balance(run->state, &tx->sender);
        if (!u256_lt(tx->value, balance))
            return rpc_fail(call, RPC_SERVER_ERROR, "insufficient funds for transfer");
        u64 affordable = u256_to_u64_sat(u256_div(u256_sub(balance, tx->value), tx->max_fee));
        most = affordable < most ? affordable : most;
    }
    *ceiling = most > cap ? cap : most;
    return true;
}

/* Runs with this much gas; *fits tells whether it was enough. */
static bool try_gas(struct rpc_call *call, struct run *run, struct tx *tx, u64 gas,
                    struct exec_result *result, bool *fits)
{
    if (!rpc_goes_on(call))
        return false;
    run_reset(call, run);
    tx->gas = gas;
    enum tx_verdict verdict = run_exec(run, tx, result);
    if (verdict == TX_INTRINSIC_GAS || verdict == TX_FLOOR_DATA_GAS) {
        *fits = false;
        result->status = EVM_OUT_OF_GAS;
        return true;
    }
    *fits = verdict == TX_OK && result->status == EVM_SUCCESS;
    return verdict == TX_OK || run_refuse(call, run, tx, verdict);
}

/* Narrows high down from what is known to suffice. */
static bool search(struct rpc_call *call, struct run *run, struct tx *tx,
                   const struct exec_result *first, u64 *high)
{
    struct exec_result result;
    bool fits;
    u64 low = first->gas_used - 1;
    /* What a run used, its refund and a stipend, with the 64th that calls hold back (EIP-150), is often enough. */
    u64 guess = (first->gas_used + first->gas_refunded + CALL_STIPEND) * 64 / 63;
    for (bool is_guess = guess < *high; low + 1 < *high; is_guess = false) {
        if ((*high - low) * 1000 < *high * SLACK_PER_MILLE)
            return true;
        /* Most messages need little, so the lower part is looked at first. */
        u64 middle = low + (*high - low) / 2;
        if (middle > low * 2)
            middle = low * 2;
        if (is_guess)
            middle = guess;
        if (!try_gas(call, run, tx, middle, &result, &fits))
            return false;
        if (fits)
            *high = middle;
        else
            low = middle;
    }
    return true;
}

static bool is_plain_transfer(struct run *run, const struct tx *tx)
{
    return !tx->is_create && !tx->data_len && !tx->access_count && !tx->authorization_count &&
           state_code(run->state, &tx->to).len == 0;
}

static bool estimate(struct rpc_call *call, struct run *run, const struct tx_args *args,
                     struct tx *tx, u64 *gas)
{
    struct exec_result result;
    bool fits;
    u64 high = 0;
    if (!gas_ceiling(call, run, args, tx, &high))
        return false;
    if (is_plain_transfer(run, tx)) {
        *gas = SIMPLE_GAS;
        if (high >= SIMPLE_GAS && try_gas(call, run, tx, SIMPLE_GAS, &result, &fits) && fits)
            return true;
        if (rpc_failed(call))
            return false;
    }
    if (!try_gas(call, run, tx, high, &result, &fits))
        return false;
    if (!fits && evm_is_out_of_gas(result.status))
        return rpc_fail(call, RPC_SERVER_ERROR, "gas required exceeds allowance (%llu)",
                        (unsigned long long)high);
    if (!fits) {
        run_fail(call, &result);
        return false;
    }
    *gas = high;
    return search(call, run, tx, &result, gas);
}

bool run_estimate_gas(struct rpc_call *call, struct run *run, const struct tx_args *args, u64 *gas)
{
    struct tx tx;
    tx_args_to_call(args, &tx, run_gas_max(call, run));
    if (!args->has_nonce)
        tx.nonce = state_nonce(run->state, &tx.sender);
    return estimate(call, run, args, &tx, gas);
}

static void eth_estimateGas(struct rpc_call *call)
{
    struct run run;
    struct tx_args args;
    u64 gas;
    if (!begin(call, &run, &args))
        return;
    if (run_estimate_gas(call, &run, &args, &gas))
        json_out_quantity(call->out, RPC_RESULT, gas);
    run_close(call, &run);
}

/* --- access lists (EIP-2930) ---------------------------------------------------------------- */

static void put_found(struct rpc_call *call, const struct tx *tx, u64 gas_used,
                      enum evm_status failure)
{
    struct buf *out = call->out;
    json_out_object(out, RPC_RESULT);
    json_out_array(out, "accessList");
    for (u32 i = 0; i < tx->access_count; i++) {
        json_out_object(out, NULL);
        json_out_addr(out, "address", &tx->access_list[i].addr);
        json_out_array(out, "storageKeys");
        for (u32 k = 0; k < tx->access_list[i].key_count; k++)
            json_out_hash(out, NULL, &tx->access_list[i].keys[k]);
        json_out_array_end(out);
        json_out_object_end(out);
    }
    json_out_array_end(out);
    if (failure != EVM_SUCCESS)
        json_out_text(out, "error", evm_status_text(failure));
    json_out_quantity(out, "gasUsed", gas_used);
    json_out_object_end(out);
}

static void eth_createAccessList(struct rpc_call *call)
{
    struct run run;
    struct tx_args args;
    struct tx tx;
    u64 gas_used;
    enum evm_status failure;
    if (!begin(call, &run, &args))
        return;
    tx_args_to_call(&args, &tx, run_gas_max(call, &run));
    if (tx.type == TX_LEGACY)
        tx.type = TX_ACCESS_LIST;
    if (!args.has_nonce)
        tx.nonce = state_nonce(run.state, &tx.sender);
    if (access_list_find(call, &run, &tx, &gas_used, &failure))
        put_found(call, &tx, gas_used, failure);
    run_close(call, &run);
}

const struct rpc_method RPC_ETH_CALL[] = {
    {"eth_call", eth_call, "transaction block? stateOverrides? blockOverrides?"},
    {"eth_createAccessList", eth_createAccessList, "transaction block? stateOverrides?"},
    {"eth_estimateGas", eth_estimateGas, "transaction block? stateOverrides? blockOverrides?"},
    {NULL, NULL, NULL},
};
