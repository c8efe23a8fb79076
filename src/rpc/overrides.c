#include "rpc/overrides.h"

#include <string.h>

#include "rpc/param.h"

static bool put_slots(struct rpc_call *call, json slots, struct state *state, const addr20 *addr)
{
    struct json_iter iter = json_iter(slots);
    while (json_next(&iter)) {
        u256 key, value;
        if (!param_key_word(call, &iter, &key) ||
            !value_word(call, iter.value, "storage value", &value))
            return false;
        struct state_slot slot = state_storage_slot(state, addr, &key);
        state_storage_set(state, slot.handle, &value);
    }
    return true;
}

/* A storage of its own: what was there is forgotten. */
static void drop_storage(struct state *state, const addr20 *addr)
{
    u64 nonce = state_nonce(state, addr);
    struct state_code code = state_code(state, addr);
    state_create_account(state, addr);
    state_set_nonce(state, addr, nonce);
    if (code.len)
        state_set_code(state, addr, code.bytes, code.len);
}

static bool is_known_member(const char *key)
{
    static const char *const names[] = {"balance", "nonce", "code", "state", "stateDiff"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(key, names[i]) == 0)
            return true;
    return false;
}

static bool check_members(struct rpc_call *call, json object)
{
    struct json_iter iter = json_iter(object);
    while (json_next(&iter))
        if (!is_known_member(iter.key) && json_kind(iter.value) != JSON_KIND_NULL)
            return rpc_fail(call, RPC_INVALID_PARAMS,
                            "state override: there is no field \"%.64s\" (balance, nonce, code, "
                            "state, stateDiff)",
                            iter.key);
    return true;
}

static bool apply_account(struct rpc_call *call, json object, struct state *state,
                          const addr20 *addr)
{
    u64 nonce;
    u256 balance;
    const u8 *code;
    size_t code_len;
    bool has_nonce, has_balance, has_code;
    json whole = json_get(object, "state"), diff = json_get(object, "stateDiff");
    if (!value_is_object(call, object, "state override") || !check_members(call, object) ||
        !member_u64(call, object, "nonce", &nonce, &has_nonce) ||
        !member_u256(call, object, "balance", &balance, &has_balance) ||
        !member_data(call, object, "code", &code, &code_len, &has_code) ||
        (whole && !value_is_object(call, whole, "state")) ||
        (diff && !value_is_object(call, diff, "stateDiff")))
        return false;
    if (whole && diff)
        return rpc_fail(call, RPC_INVALID_PARAMS,
                        "state override: both state and stateDiff are given");
    if (whole)
        drop_storage(state, addr);
    if (has_nonce)
        state_set_nonce(state, addr, nonce);
    if (has_balance)
        state_set_balance(state, addr, &balance);
    if (has_code)
        state_set_code(state, addr, code, code_len);
    return put_slots(call, whole ? whole : diff, state, addr);
}

bool overrides_apply_state(struct rpc_call *call, json object, struct state *state)
{
    enum json_kind kind = json_kind(object);
    if (kind == JSON_KIND_ABSENT || kind == JSON_KIND_NULL)
        return true;
    if (!value_is_object(call, object, "state overrides"))
        return false;
    bool fine = true;
    state_begin_tx(state);
    struct json_iter iter = json_iter(object);
    while (fine && json_next(&iter)) {
        addr20 addr;
        fine = param_key_addr(call, &iter, &addr) && apply_account(call, iter.value, state, &addr);
    }
    state_end_tx(state, FORK_FRONTIER); /* accounts that are empty now stay */
    return fine;
}

static bool check_block_members(struct rpc_call *call, json object)
{
    static const char *const names[] = {
        "number",      "time",       "gasLimit",    "feeRecipient",  "coinbase",
        "prevRandao",  "random",     "difficulty",  "baseFeePerGas", "baseFee",
        "blobBaseFee", "beaconRoot", "withdrawals",
    };
    struct json_iter iter = json_iter(object);
    while (json_next(&iter)) {
        bool is_known = false;
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
            is_known |= strcmp(iter.key, names[i]) == 0;
        if (!is_known && json_kind(iter.value) != JSON_KIND_NULL)
            return rpc_fail(call, RPC_INVALID_PARAMS, "block override: there is no field \"%.64s\"",
                            iter.key);
    }
    return true;
}

/* Each field has geth's name now and the one it had before. */
bool overrides_apply_block(struct rpc_call *call, json object, struct evm_block *block)
{
    bool has;
    enum json_kind kind = json_kind(object);
    if (kind == JSON_KIND_ABSENT || kind == JSON_KIND_NULL)
        return true;
    return value_is_object(call, object, "block overrides") && check_block_members(call, object) &&
           member_u64(call, object, "number", &block->number, &has) &&
           member_u64(call, object, "time", &block->timestamp, &has) &&
           member_u64(call, object, "gasLimit", &block->gas_limit, &has) &&
           member_addr(call, object, "coinbase", &block->coinbase, &has) &&
           member_addr(call, object, "feeRecipient", &block->coinbase, &has) &&
           member_hash(call, object, "random", &block->prev_randao, &has) &&
           member_hash(call, object, "prevRandao", &block->prev_randao, &has) &&
           member_u256(call, object, "difficulty", &block->difficulty, &has) &&
           member_u256(call, object, "baseFee", &block->base_fee, &has) &&
           member_u256(call, object, "baseFeePerGas", &block->base_fee, &has) &&
           member_u256(call, object, "blobBaseFee", &block->blob_base_fee, &has);
}
