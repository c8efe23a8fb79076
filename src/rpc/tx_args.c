#include "rpc/tx_args.h"

#include <string.h>

#include "rpc/param.h"

static bool read_access_entry(struct rpc_call *call, json item, struct access_entry *entry)
{
    json keys;
    bool has_addr, has_keys;
    if (!value_is_object(call, item, "accessList") ||
        !member_addr(call, item, "address", &entry->addr, &has_addr) ||
        !member_list(call, item, "storageKeys", &keys, &has_keys))
        return false;
    if (!has_addr)
        return rpc_fail(call, RPC_INVALID_PARAMS, "invalid accessList: an item without address");
    hash32 *list = arena_alloc(call->arena, json_count(keys) * sizeof *list);
    entry->key_count = (u32)json_count(keys);
    entry->keys = list;
    for (u32 i = 0; i < entry->key_count; i++)
        if (!value_hash(call, json_at(keys, i), "storage key", &list[i]))
            return false;
    return true;
}

static bool read_access_list(struct rpc_call *call, json object, struct tx_args *args)
{
    json list;
    if (!member_list(call, object, "accessList", &list, &args->has_access_list))
        return false;
    struct access_entry *entries = arena_alloc(call->arena, json_count(list) * sizeof *entries);
    args->access_list = entries;
    args->access_count = (u32)json_count(list);
    for (u32 i = 0; i < args->access_count; i++)
        if (!read_access_entry(call, json_at(list, i), &entries[i]))
            return false;
    return true;
}

static bool read_blobs(struct rpc_call *call, json object, struct tx_args *args)
{
    json list;
    if (!member_list(call, object, "blobVersionedHashes", &list, &args->has_blobs))
        return false;
    /* Blobs themselves change nothing of what a message does; their hashes do. */
    if (!args->has_blobs && json_get(object, "blobs"))
        return rpc_fail(call, RPC_INVALID_PARAMS, "blobs are given without blobVersionedHashes");
    hash32 *hashes = arena_alloc(call->arena, json_count(list) * sizeof *hashes);
    args->blob_hashes = hashes;
    args->blob_count = (u32)json_count(list);
    for (u32 i = 0; i < args->blob_count; i++)
        if (!value_hash(call, json_at(list, i), "blobVersionedHashes", &hashes[i]))
            return false;
    return true;
}

static bool read_authorization(struct rpc_call *call, json item, struct authorization *out)
{
    u64 parity = 0;
    bool has[6];
    *out = (struct authorization){0};
    if (!value_is_object(call, item, "authorizationList") ||
        !member_u256(call, item, "chainId", &out->chain_id, &has[0]) ||
        !member_addr(call, item, "address", &out->addr, &has[1]) ||
        !member_u64(call, item, "nonce", &out->nonce, &has[2]) ||
        !member_u64(call, item, "yParity", &parity, &has[3]) ||
        !member_u256(call, item, "r", &out->r, &has[4]) ||
        !member_u256(call, item, "s", &out->s, &has[5]))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(has); i++)
        if (!has[i])
            return rpc_fail(call, RPC_INVALID_PARAMS,
                            "invalid authorizationList: chainId, address, nonce, yParity, r and s "
                            "are all needed");
    if (parity > 255)
        return rpc_fail(call, RPC_INVALID_PARAMS, "invalid yParity: above 255");
    out->y_parity = (u8)parity;
    return true;
}

static bool read_authorizations(struct rpc_call *call, json object, struct tx_args *args)
{
    json list;
    if (!member_list(call, object, "authorizationList", &list, &args->has_authorizations))
        return false;
    struct authorization *items = arena_alloc(call->arena, json_count(list) * sizeof *items);
    args->authorizations = items;
    args->authorization_count = (u32)json_count(list);
    for (u32 i = 0; i < args->authorization_count; i++)
        if (!read_authorization(call, json_at(list, i), &items[i]))
            return false;
    return true;
}

/* "input" and "data" are two names of one thing. */
static bool read_data(struct rpc_call *call, json object, struct tx_args *args)
{
    const u8 *data, *input;
    size_t data_len, input_len;
    bool has_data, has_input;
    if (!member_data(call, object, "data", &data, &data_len, &has_data) ||
        !member_data(call, object, "input", &input, &input_len, &has_input))
        return false;
    if (has_data && has_input && (data_len != input_len || memcmp(data, input, data_len) != 0))
        return rpc_fail(call, RPC_INVALID_PARAMS,
                        "both \"data\" and \"input\" are set and not equal. Please use \"input\" "
                        "to pass transaction call data");
    args->has_data = has_data || has_input;
    args->data = has_input ? input : has_data ? data : NULL;
    args->data_len = has_input ? input_len : has_data ? data_len : 0;
    return true;
}

static bool check_together(struct rpc_call *call, const struct tx_args *args)
{
    u64 chain_id = chain_config(call->chain)->chain_id;
    if (args->has_gas_price && (args->has_max_fee || args->has_tip))
        return rpc_fail(call, RPC_SERVER_ERROR,
                        "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified");
    if (args->has_chain_id && args->chain_id != chain_id)
        return rpc_fail(call, RPC_SERVER_ERROR,
                        "chainId does not match node's (have=%llu, want=%llu)",
                        (unsigned long long)args->chain_id, (unsigned long long)chain_id);
    if (args->has_max_fee && args->has_tip && u256_lt(args->max_fee, args->tip))
        return rpc_fail(call, RPC_SERVER_ERROR, "%s", tx_verdict_text(TX_TIP_ABOVE_FEE));
    return true;
}

bool tx_args_parse(struct rpc_call *call, json object, struct tx_args *args)
{
    *args = (struct tx_args){0};
    return value_is_object(call, object, "transaction") &&
           member_addr(call, object, "from", &args->from, &args->has_from) &&
           member_addr(call, object, "to", &args->to, &args->has_to) &&
           member_u64(call, object, "gas", &args->gas, &args->has_gas) &&
           member_u256(call, object, "gasPrice", &args->gas_price, &args->has_gas_price) &&
           member_u256(call, object, "maxFeePerGas", &args->max_fee, &args->has_max_fee) &&
           member_u256(call, object, "maxPriorityFeePerGas", &args->tip, &args->has_tip) &&
           member_u256(call, object, "value", &args->value, &args->has_value) &&
           member_u64(call, object, "nonce", &args->nonce, &args->has_nonce) &&
           member_u64(call, object, "chainId", &args->chain_id, &args->has_chain_id) &&
           member_u256(call, object, "maxFeePerBlobGas", &args->blob_fee, &args->has_blob_fee) &&
           read_data(call, object, args) && read_access_list(call, object, args) &&
           read_blobs(call, object, args) && read_authorizations(call, object, args);
}

bool tx_args_read(struct rpc_call *call, json object, struct tx_args *args)
{
    return tx_args_parse(call, object, args) && check_together(call, args);
}

enum tx_type tx_args_type(const struct tx_args *args, bool base_fee_is_on)
{
    if (args->has_authorizations)
        return TX_SET_CODE;
    if (args->has_blobs)
        return TX_BLOB;
    if (args->has_max_fee || args->has_tip)
        return TX_DYNAMIC_FEE;
    if (args->has_gas_price)
        return args->has_access_list ? TX_ACCESS_LIST : TX_LEGACY;
    if (base_fee_is_on)
        return TX_DYNAMIC_FEE;
    return args->has_access_list ? TX_ACCESS_LIST : TX_LEGACY;
}

void tx_args_to_call(const struct tx_args *args, struct tx *tx, u64 gas_max)
{
    *tx = (struct tx){
        .type = tx_args_type(args, false),
        .chain_id = args->chain_id,
        .nonce = args->nonce,
        .gas_price = args->has_gas_price ? args->gas_price : args->max_fee,
        .max_fee = args->has_gas_price ? args->gas_price : args->max_fee,
        .max_priority_fee = args->has_gas_price ? args->gas_price : args->tip,
        .gas = args->has_gas && args->gas < gas_max ? args->gas : gas_max,
        .is_create = !args->has_to,
        .to = args->to,
        .value = args->value,
        .data = args->data,
        .data_len = args->data_len,
        .access_list = args->access_list,
        .access_count = args->access_count,
        .max_blob_fee = args->blob_fee,
        .blob_hashes = args->blob_hashes,
        .blob_count = args->blob_count,
        .authorizations = args->authorizations,
        .authorization_count = args->authorization_count,
        .sender = args->from,
        .has_sender = true,
    };
    /* A tip alone is a bid without a ceiling of its own. */
    if (args->has_tip && !args->has_max_fee)
        tx->max_fee = tx->gas_price = args->tip;
}
