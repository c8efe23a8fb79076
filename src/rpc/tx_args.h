/*
 * The transaction object that eth_call, eth_estimateGas, eth_sendTransaction and others take, checked but not yet
 * filled in. Private to the room.
 */
#pragma once

#include "rpc/call.h"

struct tx_args {
    bool has_from, has_to, has_gas, has_gas_price, has_max_fee, has_tip, has_value, has_nonce,
        has_data, has_chain_id, has_access_list, has_blob_fee, has_blobs, has_authorizations;
    addr20 from, to;
    u64 gas, nonce, chain_id;
    u256 gas_price, max_fee, tip, value, blob_fee;
    const u8 *data;
    size_t data_len;
    const struct access_entry *access_list;
    u32 access_count;
    const hash32 *blob_hashes;
    u32 blob_count;
    const struct authorization *authorizations;
    u32 authorization_count;
};

/* Lists are the call's arena's. That fees and chain fit is checked by tx_args_read only. */
bool tx_args_parse(struct rpc_call *call, json object, struct tx_args *args);
bool tx_args_read(struct rpc_call *call, json object, struct tx_args *args);

/* The type that the fields given ask for. base_fee_is_on: prices not given mean EIP-1559's. */
enum tx_type tx_args_type(const struct tx_args *args, bool base_fee_is_on);

/* As a message to run: fees not given are zero, gas not given is gas_max, and more is cut to it. */
void tx_args_to_call(const struct tx_args *args, struct tx *tx, u64 gas_max);
