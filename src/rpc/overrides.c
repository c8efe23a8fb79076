#include "rpc/overrides.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prim/hex.h"
#include "rpc/param.h"

/* --- accounts: reading ------------------------------------------------------------------------ */

static bool refuse_member(struct rpc_call *call, const char *what, const char *key,
                          const char *const *names, size_t count)
{
    char list[256];
    size_t len = 0;
    for (size_t i = 0; i < count && len < sizeof list; i++)
        len += (size_t)snprintf(list + len, sizeof list - len, "%s%s", i ? ", " : "", names[i]);
    return rpc_fail(call, RPC_INVALID_PARAMS, "%s: there is no field \"%.64s\" (%s)", what, key,
                    list);
}

static bool check_members(struct rpc_call *call, json object, const char *what,
                          const char *const *names, size_t count)
{
    struct json_iter iter = json_iter(object);
    while (json_next(&iter)) {
        bool is_known = json_kind(iter.value) == JSON_KIND_NULL;
        for (size_t i = 0; i < count && !is_known; i++)
            is_known = strcmp(iter.key, names[i]) == 0;
        if (!is_known)
            return refuse_member(call, what, iter.key, names, count);
    }
    return true;
}

static bool read_slots(struct rpc_call *call, json object, const char *key,
                       struct account_override *account, bool *has)
{
    json slots = json_get(object, key);
    enum json_kind kind = json_kind(slots);
    *has = kind != JSON_KIND_ABSENT && kind != JSON_KIND_NULL;
    if (!*has)
        return true;
    if (!value_is_object(call, slots, key))
        return false;
    account->slots = arena_alloc(call->arena, json_count(slots) * sizeof *account->slots);
    account->slot_count = 0;
    struct json_iter iter = json_iter(slots);
    while (json_next(&iter)) {
        struct slot_override *slot = &account->slots[account->slot_count++];
        if (!param_key_word(call, &iter, &slot->key) ||
            !value_word(call, iter.value, "storage value", &slot->value))
            return false;
    }
    return true;
}

static bool read_account(struct rpc_call *call, json object, struct account_override *account)
{
    static const char *const names[] = {"balance", "nonce",     "code",
                                        "state",   "stateDiff", "movePrecompileToAddress"};
    return value_is_object(call, object, "state override") &&
           check_members(call, object, "state override", names, ARRAY_LEN(names)) &&
           member_u64(call, object, "nonce", &account->nonce, &account->has_nonce) &&
           member_u256(call, object, "balance", &account->balance, &account->has_balance) &&
           member_data(call, object, "code", &account->code, &account->code_len,
                       &account->has_code) &&
           member_addr(call, object, "movePrecompileToAddress", &account->target,
                       &account->moves) &&
           read_slots(call, object, "state", account, &account->has_state) &&
           read_slots(call, object, "stateDiff", account, &account->has_diff);
}

static int by_addr_and_place(const void *a, const void *b)
{
    const struct account_override *x = a, *y = b;
    int order = memcmp(x->addr.b, y->addr.b, sizeof x->addr.b);
    return order ? order : (x->place > y->place) - (x->place < y->place);
}

bool overrides_read_state(struct rpc_call *call, json object, struct state_overrides *overrides)
{
    enum json_kind kind = json_kind(object);
    *overrides = (struct state_overrides){0};
    if (kind == JSON_KIND_ABSENT || kind == JSON_KIND_NULL)
        return true;
    if (!value_is_object(call, object, "state overrides"))
        return false;
    u32 count = 0;
    struct account_override *list =
        arena_zalloc(call->arena, json_count(object) * sizeof *overrides->accounts);
    struct json_iter iter = json_iter(object);
    for (; json_next(&iter); count++) {
        list[count].place = count;
        if (!param_key_addr(call, &iter, &list[count].addr) ||
            !read_account(call, iter.value, &list[count]))
            return false;
    }
    qsort(list, count, sizeof *list, by_addr_and_place);
    overrides->accounts = list;
    for (u32 i = 0; i < count; i++)
        if (i + 1 == count || !addr20_eq(&list[i].addr, &list[i + 1].addr))
            list[overrides->count++] = list[i];
    return true;
}

/* --- accounts: pretending --------------------------------------------------------------------- */

static bool has_account(const struct state_overrides *overrides, const addr20 *addr)
{
    u32 low = 0, high = overrides->count;
    while (low < high) {
        u32 middle = low + (high - low) / 2;
        int order = memcmp(overrides->accounts[middle].addr.b, addr->b, sizeof addr->b);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static bool refuse_account(struct rpc_call *call, const addr20 *addr, const char *why)
{
    char text[2 * sizeof addr->b + 3];
    hex_encode(text, addr->b, sizeof addr->b);
    return rpc_fail(call, RPC_SERVER_ERROR, "account %s %s", text, why);
}

/* A precompile whose address is overridden is one no longer, whether it was moved or not. */
static bool move_precompile(struct rpc_call *call, const struct state_overrides *overrides,
                            const struct account_override *account, enum fork fork,
                            struct precompile_overrides *precompiles)
{
    const struct precompile *found = precompile_find_among(precompiles, fork, &account->addr);
    if (account->moves && !found)
        return refuse_account(call, &account->addr, "is not a precompile");
    if (account->moves && has_account(overrides, &account->target))
        return refuse_account(call, &account->target, "is already overridden");
    if (account->moves)
        precompile_override(precompiles, &account->target, found);
    if (found)
        precompile_override(precompiles, &account->addr, NULL);
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

static bool apply_account(struct rpc_call *call, const struct account_override *account,
                          struct state *state)
{
    const addr20 *addr = &account->addr;
    if (account->has_state && account->has_diff)
        return refuse_account(call, addr, "has both 'state' and 'stateDiff'");
    if (account->has_state)
        drop_storage(state, addr);
    if (account->has_nonce)
        state_set_nonce(state, addr, account->nonce);
    if (account->has_balance)
        state_set_balance(state, addr, &account->balance);
    if (account->has_code)
        state_set_code(state, addr, account->code, account->code_len);
    if (account->slot_count)
        state_touch(state, addr); /* storage makes an account, even one that is empty otherwise */
    for (u32 i = 0; i < account->slot_count; i++) {
        struct state_slot slot = state_storage_slot(state, addr, &account->slots[i].key);
        state_storage_set(state, slot.handle, &account->slots[i].value);
    }
    return true;
}

bool overrides_apply_state(struct rpc_call *call, const struct state_overrides *overrides,
                           struct state *state, enum fork fork,
                           struct precompile_overrides *precompiles)
{
    bool fine = true;
    if (!overrides->count)
        return true;
    state_begin_tx(state);
    for (u32 i = 0; fine && i < overrides->count; i++) {
        const struct account_override *account = &overrides->accounts[i];
        fine = move_precompile(call, overrides, account, fork, precompiles) &&
               apply_account(call, account, state);
    }
    state_end_tx(state, FORK_FRONTIER); /* accounts that are empty now stay */
    return fine;
}

/* --- blocks ----------------------------------------------------------------------------------- */

/* Each field has geth's name now and the one it had before. */
bool overrides_read_block(struct rpc_call *call, json object, struct block_overrides *block)
{
    static const char *const names[] = {
        "number",      "time",       "gasLimit",    "feeRecipient",  "coinbase",
        "prevRandao",  "random",     "difficulty",  "baseFeePerGas", "baseFee",
        "blobBaseFee", "beaconRoot", "withdrawals",
    };
    enum json_kind kind = json_kind(object);
    bool has[3];
    *block = (struct block_overrides){0};
    if (kind == JSON_KIND_ABSENT || kind == JSON_KIND_NULL)
        return true;
    if (!value_is_object(call, object, "block overrides") ||
        !check_members(call, object, "block override", names, ARRAY_LEN(names)) ||
        !member_u256(call, object, "number", &block->number, &block->has_number) ||
        !member_u64(call, object, "time", &block->time, &block->has_time) ||
        !member_u64(call, object, "gasLimit", &block->gas_limit, &block->has_gas_limit) ||
        !member_addr(call, object, "coinbase", &block->coinbase, &has[0]) ||
        !member_addr(call, object, "feeRecipient", &block->coinbase, &block->has_coinbase) ||
        !member_hash(call, object, "random", &block->prev_randao, &has[1]) ||
        !member_hash(call, object, "prevRandao", &block->prev_randao, &block->has_prev_randao) ||
        !member_u256(call, object, "difficulty", &block->difficulty, &block->has_difficulty) ||
        !member_u256(call, object, "baseFee", &block->base_fee, &has[2]) ||
        !member_u256(call, object, "baseFeePerGas", &block->base_fee, &block->has_base_fee) ||
        !member_u256(call, object, "blobBaseFee", &block->blob_base_fee,
                     &block->has_blob_base_fee) ||
        !member_hash(call, object, "beaconRoot", &block->beacon_root, &block->has_beacon_root) ||
        !member_withdrawals(call, object, "withdrawals", &block->withdrawals,
                            &block->withdrawal_count, &block->has_withdrawals))
        return false;
    block->has_coinbase |= has[0];
    block->has_prev_randao |= has[1];
    block->has_base_fee |= has[2];
    return true;
}

void overrides_apply_block(const struct block_overrides *block, struct header *header)
{
    if (block->has_gas_limit)
        header->gas_limit = block->gas_limit;
    if (block->has_coinbase)
        header->coinbase = block->coinbase;
    if (block->has_prev_randao)
        header->mix_hash = block->prev_randao;
    if (block->has_base_fee)
        header->base_fee = block->base_fee;
    /* After the merge there is none. */
    if (block->has_difficulty && !u256_is_zero(header->difficulty))
        header->difficulty = block->difficulty;
}
