/* eth: balances, nonces, code, storage, proofs, at any block whose state is held. */
#include <string.h>

#include "rpc/param.h"
#include "rpc/view.h"

enum { SLOTS_MAX = 1024 };

static void eth_getBalance(struct rpc_call *call)
{
    addr20 addr;
    struct state *state;
    if (!param_addr(call, 0, &addr) || !view_open_param(call, 1, &state))
        return;
    json_out_quantity_u256(call->out, RPC_RESULT, state_balance(state, &addr));
    view_close(call, state);
}

static void eth_getCode(struct rpc_call *call)
{
    addr20 addr;
    struct state *state;
    if (!param_addr(call, 0, &addr) || !view_open_param(call, 1, &state))
        return;
    struct state_code code = state_code(state, &addr);
    json_out_data(call->out, RPC_RESULT, code.bytes, code.len);
    view_close(call, state);
}

static void eth_getTransactionCount(struct rpc_call *call)
{
    addr20 addr;
    struct block_ref ref;
    struct state *state;
    if (!param_addr(call, 0, &addr) || !param_any_block(call, 1, &ref))
        return;
    if (ref.is_pending) {
        json_out_quantity(call->out, RPC_RESULT, dev_next_nonce(call->dev, &addr));
        return;
    }
    if (!view_open(call, &ref, &state))
        return;
    json_out_quantity(call->out, RPC_RESULT, state_nonce(state, &addr));
    view_close(call, state);
}

static void eth_getStorageAt(struct rpc_call *call)
{
    addr20 addr;
    u256 key;
    struct state *state;
    json slot = param_addr(call, 0, &addr) ? param_need(call, 1) : NULL;
    const char *text = json_text(slot);
    bool is_bare = text && strcmp(text, "0x") == 0; /* geth reads it as 0 */
    key = U256_ZERO;
    if (!slot || (!is_bare && !value_word(call, slot, "storage key", &key)) ||
        !view_open_param(call, 2, &state))
        return;
    json_out_word(call->out, RPC_RESULT, state_storage_peek(state, &addr, &key));
    view_close(call, state);
}

/* An array of storage keys into the arena. */
static bool read_keys(struct rpc_call *call, json array, u256 **keys, size_t *count)
{
    enum json_kind kind = json_kind(array);
    *count = json_count(array);
    if (kind != JSON_KIND_ARRAY)
        return rpc_fail(call, RPC_INVALID_PARAMS,
                        "invalid storage keys: %s where an array was expected",
                        json_kind_name(kind));
    if (*count > SLOTS_MAX)
        return rpc_fail(call, RPC_INVALID_PARAMS, "too many slots (requested %zu, limit %u)",
                        *count, SLOTS_MAX);
    *keys = arena_alloc(call->arena, *count * sizeof **keys);
    for (size_t i = 0; i < *count; i++)
        if (!value_word(call, json_at(array, i), "storage key", &(*keys)[i]))
            return false;
    return true;
}

/* {address: [keys]} in, {address: [values]} out. */
static void eth_getStorageValues(struct rpc_call *call)
{
    struct state *state;
    size_t count, total = 0;
    u256 *keys;
    addr20 addr;
    json wanted = param_need(call, 0);
    if (!wanted || !value_is_object(call, wanted, "argument 0"))
        return;
    if (!json_count(wanted)) {
        rpc_fail(call, RPC_INVALID_PARAMS, "empty request");
        return;
    }
    if (!view_open_param(call, 1, &state))
        return;
    json_out_object(call->out, RPC_RESULT);
    struct json_iter iter = json_iter(wanted);
    while (json_next(&iter)) {
        if (!param_key_addr(call, &iter, &addr) || !read_keys(call, iter.value, &keys, &count))
            break;
        if ((total += count) > SLOTS_MAX) {
            rpc_fail(call, RPC_INVALID_PARAMS, "too many slots (limit %u)", SLOTS_MAX);
            break;
        }
        json_out_array(call->out, iter.key);
        for (size_t i = 0; i < count; i++)
            json_out_word(call->out, NULL, state_storage_peek(state, &addr, &keys[i]));
        json_out_array_end(call->out);
    }
    json_out_object_end(call->out);
    view_close(call, state);
}

/* --- proofs (EIP-1186) ---------------------------------------------------------------------- */

static void put_nodes(struct buf *out, const char *key, const struct proof_nodes *nodes)
{
    json_out_array(out, key);
    for (size_t i = 0; i < nodes->count; i++)
        json_out_data(out, NULL, nodes->nodes[i], nodes->lens[i]);
    json_out_array_end(out);
}

/* Keys are shown as they were asked for, as verifiers compare them. */
static void put_slot_proofs(struct buf *out, const struct state_proof *proof, json keys)
{
    json_out_array(out, "storageProof");
    for (size_t i = 0; i < proof->slot_count; i++) {
        json_out_object(out, NULL);
        json_out_text(out, "key", json_text(json_at(keys, i)));
        json_out_quantity_u256(out, "value", proof->slots[i].value);
        put_nodes(out, "proof", &proof->slots[i].nodes);
        json_out_object_end(out);
    }
    json_out_array_end(out);
}

static void eth_getProof(struct rpc_call *call)
{
    addr20 addr;
    u256 *keys;
    size_t count;
    struct state *state;
    struct state_proof proof;
    json wanted = param_addr(call, 0, &addr) ? param_need(call, 1) : NULL;
    if (!wanted || !read_keys(call, wanted, &keys, &count) || !view_open_proof(call, 2, &state))
        return;
    state_proof(state, &proof, &addr, keys, count, call->arena);
    struct buf *out = call->out;
    json_out_object(out, RPC_RESULT);
    json_out_addr(out, "address", &addr);
    put_nodes(out, "accountProof", &proof.nodes);
    json_out_quantity_u256(out, "balance", proof.account.balance);
    /* Where there is no account there is no code to hash either, as geth has it. */
    json_out_hash(out, "codeHash", proof.exists ? &proof.account.code_hash : &(hash32){{0}});
    json_out_quantity(out, "nonce", proof.account.nonce);
    json_out_hash(out, "storageHash", &proof.account.storage_root);
    put_slot_proofs(out, &proof, wanted);
    json_out_object_end(out);
    view_close(call, state);
}

const struct rpc_method RPC_ETH_STATE[] = {
    {"eth_getBalance", eth_getBalance, "address block?"},
    {"eth_getCode", eth_getCode, "address block?"},
    {"eth_getProof", eth_getProof, "address slots block?"},
    {"eth_getStorageAt", eth_getStorageAt, "address slot block?"},
    {"eth_getStorageValues", eth_getStorageValues, "slotsByAddress block?"},
    {"eth_getTransactionCount", eth_getTransactionCount, "address block?"},
    {NULL, NULL, NULL},
};
