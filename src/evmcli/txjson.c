#include "evmcli/txjson.h"

#include <string.h>

static struct access_entry read_access_entry(struct reader *reader, json value)
{
    struct access_entry entry = {.addr = reader_addr(reader, value, "address")};
    json keys = reader_array(reader, value, "storageKeys");
    size_t count = json_count(keys);
    hash32 *list = arena_zalloc(reader->arena, (count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++) {
        size_t len;
        const char *text = json_text_len(json_at(keys, i), &len);
        if (text)
            list[i] = u256_to_hash(text_word(reader, text, len, "storageKeys"));
        else
            reader_fail(reader, "storageKeys: an entry is not a string");
    }
    entry.keys = list;
    entry.key_count = (u32)count;
    return entry;
}

void txjson_read_access_list(struct reader *reader, struct tx *tx, json list)
{
    size_t count = json_count(list);
    struct access_entry *entries = arena_zalloc(reader->arena, (count + 1) * sizeof *entries);
    for (size_t i = 0; i < count; i++)
        entries[i] = read_access_entry(reader, json_at(list, i));
    tx->access_list = entries;
    tx->access_count = (u32)count;
}

void txjson_read_blob_hashes(struct reader *reader, struct tx *tx, json list)
{
    size_t count = json_count(list);
    hash32 *hashes = arena_zalloc(reader->arena, (count + 1) * sizeof *hashes);
    for (size_t i = 0; i < count; i++)
        hashes[i] = value_hash(reader, json_at(list, i), "blobVersionedHashes");
    tx->blob_hashes = hashes;
    tx->blob_count = (u32)count;
}

static struct authorization read_authorization(struct reader *reader, json value)
{
    return (struct authorization){
        .chain_id = reader_u256(reader, value, "chainId"),
        .addr = reader_addr(reader, value, "address"),
        .nonce = reader_u64(reader, value, "nonce"),
        .y_parity = (u8)reader_u64(reader, value, reader_has(value, "yParity") ? "yParity" : "v"),
        .r = reader_u256(reader, value, "r"),
        .s = reader_u256(reader, value, "s"),
    };
}

void txjson_read_authorizations(struct reader *reader, struct tx *tx, json list)
{
    size_t count = json_count(list);
    struct authorization *made = arena_zalloc(reader->arena, (count + 1) * sizeof *made);
    for (size_t i = 0; i < count; i++)
        made[i] = read_authorization(reader, json_at(list, i));
    tx->authorizations = made;
    tx->authorization_count = (u32)count;
}

static enum tx_type read_type(struct reader *reader, json object)
{
    if (reader_has(object, "type")) {
        u64 type = reader_u64(reader, object, "type");
        if (type > TX_SET_CODE)
            reader_fail(reader, "type: there is no transaction type %llu",
                        (unsigned long long)type);
        return type > TX_SET_CODE ? TX_LEGACY : (enum tx_type)type;
    }
    if (reader_has(object, "authorizationList"))
        return TX_SET_CODE;
    if (reader_has(object, "blobVersionedHashes") || reader_has(object, "maxFeePerBlobGas"))
        return TX_BLOB;
    if (reader_has(object, "maxFeePerGas") || reader_has(object, "maxPriorityFeePerGas"))
        return TX_DYNAMIC_FEE;
    return reader_has(object, "accessList") ? TX_ACCESS_LIST : TX_LEGACY;
}

static void read_fees(struct reader *reader, struct tx *tx, json object)
{
    if (tx->type < TX_DYNAMIC_FEE) {
        tx->gas_price = reader_u256(reader, object, "gasPrice");
        tx->max_fee = tx->max_priority_fee = tx->gas_price;
        return;
    }
    tx->max_fee = reader_u256(reader, object, "maxFeePerGas");
    tx->max_priority_fee = reader_u256(reader, object, "maxPriorityFeePerGas");
    tx->gas_price = tx->max_fee;
    if (tx->type == TX_BLOB)
        tx->max_blob_fee = reader_u256(reader, object, "maxFeePerBlobGas");
}

static void read_target(struct reader *reader, struct tx *tx, json object)
{
    json to = json_get(object, "to");
    const char *text = json_text(to);
    tx->is_create = json_kind(to) == JSON_KIND_ABSENT || json_kind(to) == JSON_KIND_NULL ||
                    (text && (!*text || strcmp(text, "0x") == 0));
    if (!tx->is_create)
        tx->to = value_addr(reader, to, "to");
}

static void read_signature(struct reader *reader, struct tx *tx, json object)
{
    tx->v = reader_u64_or(reader, object, "v", 0);
    if (!reader_has(object, "v") && reader_has(object, "yParity"))
        tx->v = reader_u64(reader, object, "yParity");
    tx->r = reader_u256_or(reader, object, "r", u256_from_u64(0));
    tx->s = reader_u256_or(reader, object, "s", u256_from_u64(0));
    tx->chain_id = reader_u64_or(reader, object, "chainId", 0);
    tx->has_chain_id = tx->type != TX_LEGACY || reader_has(object, "chainId");
    if (tx->type == TX_LEGACY && tx->v) { /* EIP-155: 35 or 36 and twice the chain id */
        tx->has_chain_id = tx->v >= 35;
        tx->chain_id = tx->has_chain_id ? (tx->v - 35) / 2 : 0;
    }
}

void txjson_read(struct reader *reader, struct tx *tx, json object)
{
    *tx = (struct tx){.type = read_type(reader, object)};
    tx->nonce = reader_u64_or(reader, object, "nonce", 0);
    tx->gas = reader_u64(reader, object, reader_has(object, "gas") ? "gas" : "gasLimit");
    tx->value = reader_u256_or(reader, object, "value", u256_from_u64(0));
    read_fees(reader, tx, object);
    read_target(reader, tx, object);
    const char *data_key = reader_has(object, "input") ? "input" : "data";
    if (reader_has(object, data_key)) {
        struct bytes data = reader_bytes(reader, object, data_key);
        tx->data = data.data;
        tx->data_len = data.len;
    }
    if (tx->type >= TX_ACCESS_LIST)
        txjson_read_access_list(reader, tx, json_get(object, "accessList"));
    if (tx->type == TX_BLOB)
        txjson_read_blob_hashes(reader, tx, json_get(object, "blobVersionedHashes"));
    if (tx->type == TX_SET_CODE)
        txjson_read_authorizations(reader, tx, json_get(object, "authorizationList"));
    read_signature(reader, tx, object);
}
