/* eth: sending transactions, signed or in the name of the node's own accounts. */
#include <string.h>

#include "consensus/fee.h"
#include "prim/keccak.h"
#include "rpc/ahead.h"
#include "rpc/param.h"
#include "rpc/run.h"
#include "rpc/session.h"
#include "rpc/shape.h"

enum {
    TIP_DEFAULT = 1000000000,
    SYNC_MS = 20 * 1000, /* how long eth_sendRawTransactionSync waits; geth's figures */
    SYNC_MAX_MS = 60 * 1000,
};

/* --- filling in ----------------------------------------------------------------------------- */

static void fill_fees(struct rpc_call *call, struct tx_args *args)
{
    struct header next;
    dev_next_header(call->dev, &next);
    if (args->has_gas_price)
        return;
    if (!args->has_tip) {
        args->tip = u256_from_u64(TIP_DEFAULT);
        if (args->has_max_fee && u256_lt(args->max_fee, args->tip))
            args->tip = args->max_fee;
        args->has_tip = true;
    }
    /* Twice the base fee stays enough for six full blocks. */
    if (!args->has_max_fee)
        args->max_fee = u256_add(u256_add(next.base_fee, next.base_fee), args->tip);
    args->has_max_fee = true;
}

static bool fill_gas(struct rpc_call *call, struct tx_args *args)
{
    struct run run;
    struct block_ref pending = view_pending(call);
    if (args->has_gas)
        return true;
    if (!run_open(call, &run, &pending, NULL, NULL))
        return false;
    struct tx_args free = *args; /* what it may cost is looked at when it is sent */
    free.max_fee = free.gas_price = free.tip = U256_ZERO;
    args->has_gas = run_estimate_gas(call, &run, &free, &args->gas);
    run_close(call, &run);
    return args->has_gas;
}

static bool fill(struct rpc_call *call, struct tx_args *args)
{
    u64 chain_id = chain_config(call->chain)->chain_id;
    if (!args->has_from)
        return rpc_fail(call, RPC_INVALID_PARAMS, "missing value for required field \"from\"");
    if (args->has_chain_id && args->chain_id != chain_id)
        return rpc_fail(call, RPC_SERVER_ERROR,
                        "chainId does not match node's (have=%llu, want=%llu)",
                        (unsigned long long)args->chain_id, (unsigned long long)chain_id);
    args->chain_id = chain_id;
    if (!args->has_to && !args->data_len)
        return rpc_fail(call, RPC_SERVER_ERROR, "contract creation without any data provided");
    if (!args->has_nonce)
        args->nonce = dev_next_nonce(call->dev, &args->from);
    args->has_nonce = true;
    fill_fees(call, args);
    return fill_gas(call, args);
}

/* The filled transaction, unsigned. */
static void to_tx(const struct tx_args *args, struct tx *tx)
{
    enum tx_type type = tx_args_type(args, true);
    tx_args_to_call(args, tx, args->gas);
    tx->type = type;
    tx->has_chain_id = true;
    tx->has_sender = false;
    if (args->has_gas_price)
        tx->max_fee = tx->max_priority_fee = tx->gas_price = args->gas_price;
    tx_hash_update(tx);
}

/* In another's name: a signature that no key makes, which still keeps hashes apart by sender. */
static void sign_for(struct tx *tx, const addr20 *sender)
{
    u8 word[32] = {0};
    memcpy(word + 12, sender->b, sizeof sender->b);
    tx->r = u256_load_be(word);
    tx->s = u256_from_u64(1);
    tx->v = tx->type == TX_LEGACY ? 2 * tx->chain_id + 35 : 0;
    if (u256_is_zero(tx->r))
        tx->r = u256_from_u64(1);
}

static bool sign(struct rpc_call *call, struct tx *tx, const addr20 *from)
{
    const struct dev_account *account = dev_accounts_find(&call->dev->accounts, from);
    if (!account || !tx_sign(tx, call->dev->accounts.signer, &account->secret))
        return rpc_fail(call, RPC_SERVER_ERROR, "unknown account");
    return true;
}

/* --- sending -------------------------------------------------------------------------------- */

static bool send_bytes(struct rpc_call *call, const u8 *bytes, size_t len, const addr20 *sender,
                       hash32 *hash)
{
    struct err err;
    if (dev_send(call->dev, bytes, len, sender, hash, &err) == STATUS_OK)
        return true;
    return rpc_fail(call, RPC_SERVER_ERROR, "%s", err.text);
}

static bool send_raw(struct rpc_call *call, const u8 *bytes, size_t len, hash32 *hash)
{
    const addr20 *sender = rpc_ahead_sender(call->rpc->ahead, bytes, len);
    return send_bytes(call, bytes, len, sender, hash);
}

static void eth_sendRawTransaction(struct rpc_call *call)
{
    const u8 *bytes;
    size_t len;
    hash32 hash;
    if (param_data(call, 0, &bytes, &len) && send_raw(call, bytes, len, &hash))
        json_out_hash(call->out, RPC_RESULT, &hash);
}

/* EIP-7966. Where blocks are made at once the receipt is there at once; else the request waits for it. */
static void eth_sendRawTransactionSync(struct rpc_call *call)
{
    const u8 *bytes;
    size_t len;
    hash32 hash;
    u32 index;
    u64 timeout_ms = SYNC_MS;
    if (!param_data(call, 0, &bytes, &len))
        return;
    if (param_has(call, 1) && !param_loose_u64(call, 1, &timeout_ms))
        return;
    if (!send_raw(call, bytes, len, &hash))
        return;
    const struct chain_block *block = chain_find_tx(call->chain, &hash, &index);
    if (block) {
        shape_receipt(call, RPC_RESULT, block, index);
    } else if (call->asker && call->asker->answer) {
        call->waits = true;
        call->wait_hash = hash;
        call->wait_ms = timeout_ms < SYNC_MAX_MS ? timeout_ms : SYNC_MAX_MS;
    } else {
        rpc_wait_fail(call, &hash,
                      "the transaction was added to the pool but is not in a block yet, and in a "
                      "batch it is not waited for");
    }
}

static bool read_and_fill(struct rpc_call *call, struct tx_args *args)
{
    json object = param_need(call, 0);
    return object && tx_args_read(call, object, args) && fill(call, args);
}

static void send_args(struct rpc_call *call, const struct tx_args *args, bool is_unsigned)
{
    struct tx tx;
    hash32 hash;
    to_tx(args, &tx);
    if (is_unsigned)
        sign_for(&tx, &args->from);
    else if (!sign(call, &tx, &args->from))
        return;
    struct buf wire;
    buf_init(&wire, SIZE_MAX / 2);
    tx_encode(&wire, &tx);
    if (send_bytes(call, wire.data, wire.len, is_unsigned ? &args->from : NULL, &hash))
        json_out_hash(call->out, RPC_RESULT, &hash);
    buf_fini(&wire);
}

static void eth_sendTransaction(struct rpc_call *call)
{
    struct tx_args args;
    json object = param_need(call, 0);
    if (!object || !tx_args_read(call, object, &args))
        return;
    bool is_own = args.has_from && dev_accounts_find(&call->dev->accounts, &args.from);
    if (args.has_from && !is_own && !dev_is_impersonated(call->dev, &args.from)) {
        rpc_fail(call, RPC_SERVER_ERROR, "unknown account");
        return;
    }
    if (fill(call, &args))
        send_args(call, &args, !is_own);
}

/* Whoever `from` is, without a signature: what tools for development chains ask for. */
static void eth_sendUnsignedTransaction(struct rpc_call *call)
{
    struct tx_args args;
    if (read_and_fill(call, &args))
        send_args(call, &args, true);
}

/* --- signing without sending ---------------------------------------------------------------- */

static void put_raw_and_tx(struct rpc_call *call, const struct tx *tx)
{
    struct buf wire;
    buf_init(&wire, SIZE_MAX / 2);
    tx_encode(&wire, tx);
    json_out_object(call->out, RPC_RESULT);
    json_out_data(call->out, "raw", wire.data, wire.len);
    json_out_object(call->out, "tx");
    if (tx->type < TX_DYNAMIC_FEE)
        json_out_quantity_u256(call->out, "gasPrice", tx->gas_price);
    else
        json_out_null(call->out, "gasPrice");
    shape_tx_members(call->out, tx);
    json_out_object_end(call->out);
    json_out_object_end(call->out);
    buf_fini(&wire);
}

static void eth_signTransaction(struct rpc_call *call)
{
    struct tx_args args;
    struct tx tx;
    if (!read_and_fill(call, &args))
        return;
    to_tx(&args, &tx);
    if (sign(call, &tx, &args.from))
        put_raw_and_tx(call, &tx);
}

static void eth_fillTransaction(struct rpc_call *call)
{
    struct tx_args args;
    struct tx tx;
    if (!read_and_fill(call, &args))
        return;
    to_tx(&args, &tx);
    put_raw_and_tx(call, &tx);
}

static void eth_accounts(struct rpc_call *call)
{
    json_out_array(call->out, RPC_RESULT);
    for (u32 i = 0; i < call->dev->accounts.count; i++)
        json_out_addr(call->out, NULL, &call->dev->accounts.list[i].addr);
    json_out_array_end(call->out);
}

const struct rpc_method RPC_ETH_SEND[] = {
    {"eth_accounts", eth_accounts, ""},
    {"eth_fillTransaction", eth_fillTransaction, "transaction"},
    {"eth_sendRawTransaction", eth_sendRawTransaction, "data"},
    {"eth_sendRawTransactionSync", eth_sendRawTransactionSync, "data timeout?"},
    {"eth_sendTransaction", eth_sendTransaction, "transaction"},
    {"eth_signTransaction", eth_signTransaction, "transaction"},
    {"personal_listAccounts", eth_accounts, ""},
    {"personal_sendTransaction", eth_sendTransaction, "transaction password?"},
    {NULL, NULL, NULL},
};

const struct rpc_method RPC_ETH_SEND_UNSIGNED[] = {
    {"eth_sendUnsignedTransaction", eth_sendUnsignedTransaction, "transaction"},
    {NULL, NULL, NULL},
};
